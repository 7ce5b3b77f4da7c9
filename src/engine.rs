//! The engine: owns the stages, runs them on pictures, and gives everything back.

mod life;
mod lines;
mod pool;
mod share;
mod stages;

use std::path::{Path, PathBuf};

pub use life::ReleaseReport;
pub use stages::Stages;

use crate::error::Result;
use crate::image::Picture;
use crate::image::decode::{check_size, decode};
use crate::models::session::Provider;
use crate::models::store::{Lease, Store};
use crate::options::{EngineOptions, RecognizeOptions};
use crate::page::{Line, Page};
use life::Life;

/// The model files of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// Finds regions with text.
    pub detector: PathBuf,
    /// Reads a line.
    pub recognizer: PathBuf,
    /// Tells whether a line is upside down; without it every line is taken as upright.
    pub orienter: Option<PathBuf>,
}

impl ModelFiles {
    /// Names of those that lie in `store`.
    fn names_in(&self, store: &Store) -> Vec<String> {
        let files = [Some(&self.detector), Some(&self.recognizer), self.orienter.as_ref()];
        let inside = files.into_iter().flatten().filter(|file| file.parent() == Some(store.dir()));
        inside.filter_map(|file| file.file_name()?.to_str().map(str::to_owned)).collect()
    }
}

/// What a loaded engine holds. The sessions go before the lease that protects their files.
struct Loaded {
    stages: Stages,
    _lease: Option<Lease>,
}

/// An OCR engine. All methods may be called from any thread at any time.
pub struct Engine {
    options: EngineOptions,
    life: Life<Loaded>,
}

impl Engine {
    /// An engine without models: [`Engine::load`] brings them. Takes no memory, thread or file.
    pub fn new(options: EngineOptions) -> Self {
        Self { options, life: Life::new() }
    }

    /// Loads the models unless they are loaded. [`crate::models::session::load_runtime`] comes first.
    ///
    /// Those that lie in `store` are leased until the engine is freed: no process removes them through the store
    /// meanwhile. The files themselves are read once and then left alone, so renaming or deleting them by hand works.
    ///
    /// # Errors
    /// What reading the files and making sessions returns; [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`].
    pub fn load(&self, files: &ModelFiles, provider: Provider, store: Option<&Store>) -> Result<()> {
        self.life.load(|| {
            // First the lease, then the files: what is there then is not removed while it is read.
            let lease = store.and_then(|store| store.lease(&files.names_in(store)));
            Ok(Loaded { stages: Stages::open(files, provider, &self.options)?, _lease: lease })
        })
    }

    /// Loads stages that the caller makes, unless some are loaded: tests bring models of their own.
    ///
    /// # Errors
    /// What `open` returns; [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`].
    pub fn load_with(&self, open: impl FnOnce() -> Result<Stages>) -> Result<()> {
        self.life.load(|| Ok(Loaded { stages: open()?, _lease: None }))
    }

    /// Whether models are loaded now.
    pub fn is_loaded(&self) -> bool {
        self.life.is_loaded()
    }

    /// Whether [`Engine::free`] has begun.
    pub fn is_closed(&self) -> bool {
        self.life.is_closed()
    }

    /// Refuses a closed or forked engine, for callers that do part of the work themselves.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] or [`crate::ErrorKind::Forked`].
    pub fn check_open(&self) -> Result<()> {
        self.life.check_open()
    }

    /// The options it was made with.
    pub fn options(&self) -> &EngineOptions {
        &self.options
    }

    /// Reads a picture. `options` hold for this call alone.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Image`] beyond the limits, [`crate::ErrorKind::Inference`] from the runtime,
    /// [`crate::ErrorKind::ResourcesFreed`] after [`Engine::free`].
    pub fn recognize(&self, picture: &Picture, options: &RecognizeOptions) -> Result<Page> {
        let loaded = self.life.enter()?;
        check_size(picture.width(), picture.height(), &self.options.decode)?;
        loaded.stages.read(picture, &self.options, options)
    }

    /// Decodes and reads an encoded picture.
    ///
    /// # Errors
    /// As [`Engine::recognize`], and what [`decode`] returns.
    pub fn recognize_encoded(&self, bytes: &[u8], options: &RecognizeOptions) -> Result<Page> {
        let loaded = self.life.enter()?;
        let picture = decode(bytes, &self.options.decode)?;
        loaded.stages.read(&picture, &self.options, options)
    }

    /// Decodes and reads a file.
    ///
    /// # Errors
    /// As [`Engine::recognize_encoded`], and [`crate::ErrorKind::Io`] when the file cannot be read.
    pub fn recognize_file(&self, path: &Path, options: &RecognizeOptions) -> Result<Page> {
        let loaded = self.life.enter()?;
        let bytes = crate::image::decode::read_file(path, &self.options.decode)?;
        let picture = decode(&bytes, &self.options.decode).map_err(|error| error.named(&path.display().to_string()))?;
        drop(bytes);
        loaded.stages.read(&picture, &self.options, options)
    }

    /// Reads a picture that is one line of text from edge to edge, without looking for regions.
    ///
    /// # Errors
    /// As [`Engine::recognize`].
    pub fn recognize_line(&self, picture: &Picture) -> Result<Line> {
        let loaded = self.life.enter()?;
        check_size(picture.width(), picture.height(), &self.options.decode)?;
        loaded.stages.read_whole(picture, &self.options)
    }

    /// Gives everything back: waits for the calls in flight, then drops the sessions and their memory. Every call from
    /// its start on is refused. The first caller does it, all get the same report.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Forked`] in a forked child, which owns nothing of it.
    pub fn free(&self) -> Result<ReleaseReport> {
        self.life.free(|loaded| loaded.stages.sessions())
    }
}
