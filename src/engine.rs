//! The engine: owns the stages, runs them on pictures, and gives everything back.

mod ahead;
mod life;
mod loader;
mod loading;
mod opening;
mod protection;
mod stats;
mod timer;

use std::any::Any;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use ahead::{Reading, Source};
pub use life::{Release, ReleaseReport};
pub use loader::{Host, Loader};
pub use protection::ModelFiles;
pub use stats::{Counters, Stats};

use crate::error::{ErrorKind, Result};
use crate::image::Picture;
use crate::image::decode::{check_size, decode, read_file};
use crate::memory;
use crate::options::{EngineOptions, RecognizeOptions};
use crate::page::{Line, Page};
use crate::pipeline::{Call, Turn};
pub use crate::pipeline::{Plan, Sessions, Stages};
use crate::process::{Owner, PerProcess};
use crate::stop::Stop;
use crate::timings::{Stage, Timings, Watch};
use ahead::{Outcome, Threads};
use life::{Attempt, Life, Unloading};
use loader::Loaded;
use protection::Protection;
use timer::Timer;

/// An OCR engine. All methods may be called from any thread at any time.
///
/// It is dropped like any other value: what it holds goes then too.
///
/// A forked child cannot use what its parent loaded, and can do without releasing it. An engine without anything loaded
/// belongs to each of both.
pub struct Engine {
    options: EngineOptions,
    own: PerProcess<Own>,
    turns: AtomicU64,
    counters: Arc<Counters<ErrorKind>>,
}

/// The part of an engine that one process has.
struct Own {
    life: Life<Loaded>,
    /// Of those readings that are under way in the background.
    threads: Threads,
}

impl Engine {
    /// Returns an engine without models: [`Engine::load`] brings them. Takes no memory, thread or file.
    pub fn new(options: EngineOptions) -> Self {
        let own = Own { life: Life::new(options.idle_unload), threads: Threads::default() };
        Self { options, own: PerProcess::new(own), turns: AtomicU64::new(0), counters: Arc::default() }
    }

    fn own(&self) -> &Own {
        self.own.get(|parents| {
            let life = parents.life.for_child()?;
            Some(Own { life, threads: Threads::default() })
        })
    }

    fn life(&self) -> &Life<Loaded> {
        &self.own().life
    }

    /// Loads the models unless they are loaded, after fetching those that are missing.
    ///
    /// They have a lease until the engine is freed or unloaded: no process removes these files through the store
    /// meanwhile. The files themselves are read once and then left alone, so renaming or deleting them by hand works.
    /// `loader` is kept for the first call after an unload, which loads again. `callers` and the timeout end this load
    /// alone.
    ///
    /// # Errors
    /// Those of finding, fetching and reading the files and making sessions, and those of the [`Host`];
    /// [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`]; [`crate::ErrorKind::ModelCorrupt`] for a model that
    /// takes minutes to load; [`crate::ErrorKind::InvalidArgument`] where the load that is under way called this; and
    /// what [`Stop::check`] returns.
    pub fn load(&self, loader: &Arc<Loader>, callers: &Stop, timeout: Option<Duration>) -> Result<()> {
        let stop = Stop::new();
        let _follows = stop.follow(callers)?;
        let _timer = timeout.map(|after| Timer::start(after, &stop)).transpose()?;
        let (own, options) = (Arc::clone(loader), self.options.clone());
        let make = self.counting(move |attempt| own.load(&options, attempt));
        self.life().load(make, &stop, &|| loader.look_around())
    }

    /// Loads stages that the caller makes, unless some are loaded: tests bring models of their own.
    ///
    /// # Errors
    /// The errors of `open`; [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`].
    pub fn load_with(&self, open: impl Fn() -> Result<Stages> + Send + Sync + 'static) -> Result<()> {
        let make = self.counting(move |_| Ok(Loaded { stages: open()?, protection: Protection::default() }));
        self.life().load(make, &Stop::new(), &|| Ok(()))
    }

    /// Returns `make`, whose calls are counted as loads.
    fn counting(
        &self,
        make: impl Fn(&Attempt) -> Result<Loaded> + Send + Sync + 'static,
    ) -> impl Fn(&Attempt) -> Result<Loaded> + Send + Sync + 'static {
        let counters = Arc::clone(&self.counters);
        move |attempt| {
            let started = Instant::now();
            let outcome = make(attempt);
            counters.loaded(outcome.as_ref().map(|_| started.elapsed()).map_err(|error| error.kind()));
            outcome
        }
    }

    /// Returns what it has done in this process, and does now.
    pub fn stats(&self) -> Stats<ErrorKind> {
        self.counters.stats()
    }

    /// Returns true if models are loaded now.
    pub fn is_loaded(&self) -> bool {
        self.life().is_loaded()
    }

    /// Counts the calls and loads in flight.
    pub fn calls(&self) -> usize {
        self.life().calls()
    }

    /// Returns true if [`Engine::free`] has begun.
    pub fn is_closed(&self) -> bool {
        self.life().is_closed()
    }

    /// Refuses a closed or forked engine, for callers that do part of the work themselves.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] or [`crate::ErrorKind::Forked`].
    pub fn check_open(&self) -> Result<()> {
        self.life().check_open()
    }

    /// Returns the number of pictures that are best begun before the one in front of them is done.
    pub fn ahead(&self) -> usize {
        Plan::of(&self.options, true).ahead
    }

    /// Returns the options it was made with.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Reads a picture. `options` hold for this call alone, and `stop` ends it early.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Image`] beyond the limits, [`crate::ErrorKind::Inference`] from the runtime,
    /// [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`], [`crate::ErrorKind::Timeout`] after the options'
    /// timeout, [`crate::ErrorKind::Cancelled`] when `stop` or a release ends it.
    pub fn recognize(&self, picture: &Picture, options: &RecognizeOptions, stop: &Stop) -> Result<Page> {
        self.page(options, stop, |stages, stop, watch| {
            check_size(picture.width(), picture.height(), &self.options.decode)?;
            self.counters.took(picture.pixels().len());
            stages.read(picture, &self.options, Call { turn: self.next_turn(), stop, options, watch })
        })
    }

    /// Decodes and reads an encoded picture.
    ///
    /// # Errors
    /// As [`Engine::recognize`], and what [`decode`] returns.
    pub fn recognize_encoded(&self, bytes: &[u8], options: &RecognizeOptions, stop: &Stop) -> Result<Page> {
        self.page(options, stop, |stages, stop, watch| {
            self.counters.took(bytes.len());
            let picture = watch.time(Stage::Decode, || decode(bytes, &self.options.decode))?;
            stages.read(&picture, &self.options, Call { turn: self.next_turn(), stop, options, watch })
        })
    }

    /// Decodes and reads a file.
    ///
    /// # Errors
    /// As [`Engine::recognize_encoded`], and [`crate::ErrorKind::Io`] when the file cannot be read.
    pub fn recognize_file(&self, path: &Path, options: &RecognizeOptions, stop: &Stop) -> Result<Page> {
        self.page(options, stop, |stages, stop, watch| {
            let limits = &self.options.decode;
            let picture = watch.time(Stage::Decode, || {
                let bytes = read_file(path, limits)?;
                self.counters.took(bytes.len());
                stop.check()?;
                decode(&bytes, limits).map_err(|error| error.named(&path.display().to_string()))
            })?;
            stages.read(&picture, &self.options, Call { turn: self.next_turn(), stop, options, watch })
        })
    }

    /// Reads the content of a file whose picture is to be read in the background.
    ///
    /// # Errors
    /// As [`Engine::recognize_file`]; the call has failed then.
    pub fn read_file(&self, path: &Path) -> Result<Vec<u8>> {
        // A released engine reads no file.
        self.check_open()?;
        read_file(path, &self.options.decode).inspect_err(|error| {
            self.counters.begin();
            self.counters.end(Err(error.kind()));
        })
    }

    /// Reads a picture that is one line of text from edge to edge, without looking for regions.
    ///
    /// # Errors
    /// As [`Engine::recognize`].
    pub fn recognize_line(&self, picture: &Picture) -> Result<Line> {
        let (options, watch) = (&self.options.recognize, &Watch::default());
        self.call(options, &Stop::new(), watch, |stages, stop| {
            check_size(picture.width(), picture.height(), &self.options.decode)?;
            stages.read_whole(picture, &self.options, Call { turn: self.next_turn(), stop, options, watch })
        })
    }

    /// Reads a picture in the background, in a call that has begun when this returns: a load or an unload that is under
    /// way comes first. Pictures begun earlier are served first. `options` hold for this picture alone,
    /// except for their timeout: see [`Reading::wait`].
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`], [`crate::ErrorKind::Forked`] in a forked child, and
    /// [`crate::ErrorKind::OutOfMemory`] when the system gives no thread.
    pub fn begin(self: &Arc<Self>, source: Source, options: &RecognizeOptions) -> Result<Reading> {
        self.check_open()?;
        let turn = self.next_turn();
        let options = RecognizeOptions { timeout: None, ..options.clone() };
        let engine = Arc::clone(self);
        Reading::begin(Arc::clone(self) as Arc<dyn Any + Send + Sync>, &self.own().threads, move |stop, outcome| {
            engine.read_source(source, turn, &options, stop, outcome)
        })
    }

    fn read_source(
        &self,
        source: Source,
        turn: Turn,
        options: &RecognizeOptions,
        stop: &Stop,
        outcome: &Outcome,
    ) -> Result<Page> {
        self.page(options, stop, |stages, stop, watch| {
            outcome.begin();
            let picture = watch.time(Stage::Decode, || self.picture_of(source))?;
            stages.read(&picture, &self.options, Call { turn, stop, options, watch })
        })
    }

    fn picture_of(&self, source: Source) -> Result<Picture> {
        let limits = &self.options.decode;
        match source {
            Source::Picture(picture) => {
                check_size(picture.width(), picture.height(), limits)?;
                self.counters.took(picture.pixels().len());
                Ok(picture)
            }
            Source::Encoded(bytes, name) => {
                self.counters.took(bytes.len());
                decode(&bytes, limits).map_err(|error| match &name {
                    Some(name) => error.named(name),
                    None => error,
                })
            }
            // Its document may have many others.
            Source::Frame(frames, index) => frames.decode(index, limits),
        }
    }

    /// Returns the place of a picture among those that are read at the same time: the first come is the first served.
    fn next_turn(&self) -> Turn {
        self.turns.fetch_add(1, Ordering::Relaxed)
    }

    /// Reads a page in a call that is counted.
    fn page(
        &self,
        options: &RecognizeOptions,
        callers: &Stop,
        work: impl FnOnce(&Stages, &Stop, &Watch) -> Result<Page>,
    ) -> Result<Page> {
        self.check_open()?;
        let (counted, started) = (Counted::begin(&self.counters), Instant::now());
        let watch = Watch::new(self.counters.queue());
        let outcome = self.call(options, callers, &watch, |stages, stop| work(stages, stop, &watch));
        counted.end(outcome.map(|page| Page { timings: watch.timings(started.elapsed()), ..page }))
    }

    /// Returns a use of the stages, with a stop of its own: what ends this call ends no other.
    fn call<R>(
        &self,
        options: &RecognizeOptions,
        callers: &Stop,
        watch: &Watch,
        work: impl FnOnce(&Stages, &Stop) -> Result<R>,
    ) -> Result<R> {
        self.check_open()?;
        let stop = Stop::new();
        let _follows = stop.follow(callers)?;
        let _timer = options.timeout.map(|after| Timer::start(after, &stop)).transpose()?;
        let loaded = watch.wait(|| self.life().enter(&stop))?;
        let outcome = work(&loaded.stages, &stop);
        drop(loaded);
        if self.options.low_memory {
            memory::trim();
        }
        outcome
    }

    /// Gives everything back, for good. Every call from its start on is refused; those in flight and a load are waited
    /// for, at most for `timeout`. With `cancel` those in flight end early. When the wait ends before, the last call
    /// out does the release, and a later `free` waits for it. With `trim`, memory that is free in the allocator goes
    /// back to the system at its end; the first `free` decides, whoever does the release.
    ///
    /// All who get a report get the same one. In a forked child nothing is done to an engine that its parent loaded,
    /// and the report says that nothing was given back.
    pub fn free(&self, cancel: bool, timeout: Option<Duration>, trim: bool) -> Release {
        let own = self.own();
        let outcome = own.life.free(cancel, timeout, trim);
        if !own.life.is_inherited() && matches!(outcome, Release::Done(_)) {
            own.threads.join();
        }
        outcome
    }

    /// Returns true for a forked child's copy of an engine that its parent had loaded, or was about to: it can only be
    /// freed, which does nothing.
    pub fn is_inherited(&self) -> bool {
        self.life().is_inherited()
    }

    /// Gives back what [`Engine::load`] took, and stays open: the next call loads again. Calls in flight come first,
    /// new ones wait. It is done also when nobody waits for it.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`], [`crate::ErrorKind::Forked`] in a forked child.
    pub fn begin_unload(&self) -> Result<Unload<'_>> {
        self.life().begin_unload().map(Unload)
    }
}

/// A call that is counted, from here to its end, which may be a panic.
struct Counted<'a> {
    counters: &'a Counters<ErrorKind>,
    /// A child that is forked in the midst of the call has not begun it.
    owner: Owner,
    outcome: std::result::Result<Timings, ErrorKind>,
}

impl<'a> Counted<'a> {
    fn begin(counters: &'a Counters<ErrorKind>) -> Self {
        counters.begin();
        Self { counters, owner: Owner::this_process(), outcome: Err(ErrorKind::Internal) }
    }

    fn end(mut self, outcome: Result<Page>) -> Result<Page> {
        self.outcome = outcome.as_ref().map(|page| page.timings).map_err(|error| error.kind());
        outcome
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.owner.is_here() {
            self.counters.end(self.outcome.as_ref().map_err(|kind| *kind));
        }
    }
}

/// An unload that was asked for and may not be over.
#[must_use = "it may not be over"]
pub struct Unload<'a>(Unloading<'a, Loaded>);

impl Unload<'_> {
    /// Waits until it is over, at most for `timeout`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] when [`Engine::free`] came first.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<Release> {
        self.0.wait(timeout)
    }
}

#[cfg(test)]
mod tests;
