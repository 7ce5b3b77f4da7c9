//! Loading models: their files, ONNX Runtime's library, and the provider that works.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::life::{Attempt, Held, Holding};
use super::protection::{ModelFiles, Protection};
use crate::error::{Error, ErrorKind, Result};
use crate::forks::in_one_piece;
use crate::memory;
use crate::models::fetch::{Progress, PullOptions};
use crate::models::store::Store;
use crate::models::{Choice, Role, resolve};
use crate::options::EngineOptions;
use crate::pipeline::Stages;
use crate::runtime::{Provider, built_in, load_runtime};

/// The surroundings of an engine, as its loads ask for them. Every error ends the load, and comes out of it.
#[allow(clippy::missing_errors_doc, reason = "it is the same for all, and said once")]
pub trait Host: Send + Sync {
    /// Returns the path of ONNX Runtime's library, which is loaded then.
    fn library(&self) -> Result<PathBuf>;
    /// Makes the libraries that a provider needs ready, right before it is tried. Returns what went wrong with them,
    /// which the provider's own error is told with, if it has one.
    fn make_ready(&self, _provider: Provider) -> Result<Vec<String>> {
        Ok(Vec::new())
    }
    /// Returns where missing models are fetched from.
    fn sources(&self) -> Result<PullOptions>;
    /// Is told of a download's step.
    fn arrived(&self, _: Progress<'_>) -> Result<()> {
        Ok(())
    }

    /// Is told of what its user should know of a load that goes on.
    fn warn(&self, _: &str) -> Result<()> {
        Ok(())
    }

    /// Is told of a load that has succeeded, and what it took.
    fn loaded(&self, _: Provider, _: Duration) -> Result<()> {
        Ok(())
    }

    /// Is asked while somebody else is waited for, and at each step.
    fn look_around(&self) -> Result<()> {
        Ok(())
    }
}

/// The content of a loaded engine. The sessions go before the lease that protects their files.
pub(super) struct Loaded {
    pub(super) stages: Stages,
    pub(super) protection: Protection,
}

impl Holding for Loaded {
    fn held(&self) -> Held {
        Held { sessions: self.stages.sessions(), files: self.protection.files() }
    }
}

/// Loads the models of one engine, as often as they are gone.
pub struct Loader {
    store: Store,
    choices: BTreeMap<Role, Choice>,
    /// Those to try, in order; none for what is worth it here.
    providers: Vec<Provider>,
    host: Box<dyn Host>,
    /// Of the provider of the last load, counted from 1 on. No lock, which a child could find taken.
    used: AtomicUsize,
}

impl Loader {
    /// Returns a loader of a model for each role that the engine has. Of several `providers` those that do not work are
    /// passed over; with none, those that are worth it are tried.
    pub fn new(store: Store, choices: BTreeMap<Role, Choice>, providers: Vec<Provider>, host: Box<dyn Host>) -> Self {
        Self { store, choices, providers, host, used: AtomicUsize::new(0) }
    }

    /// Returns the provider of the loaded models, or of those that were given back; None before the first load.
    pub fn provider(&self) -> Option<Provider> {
        Provider::ALL.get(self.used.load(Ordering::Acquire).wrapping_sub(1)).copied()
    }

    pub(super) fn look_around(&self) -> Result<()> {
        self.host.look_around()
    }

    pub(super) fn load(self: &Arc<Self>, options: &EngineOptions, attempt: &Attempt) -> Result<Loaded> {
        let started = Instant::now();
        let look_around = self.watch(attempt);
        look_around()?;
        // First, because who has no library needs no models either.
        let library = in_one_piece(&look_around, || self.host.library())?;
        let files = self.files(look_around.clone())?;
        in_one_piece(&look_around, || load_runtime(&library))?;
        // Before the files are read: what is there then is not removed meanwhile. Outside of what forks wait for, since
        // another process may hold the directory's lock for a while.
        let warn = |fault: &Error| {
            let fault = fault.to_string().replace('\n', "; ");
            self.host.warn(&format!("the models are loaded, and any process may remove them: {fault}"))
        };
        let protection = Protection::of(&files, &self.store.watched(look_around.clone()), warn)?;
        let stages = self.open(options.device, |provider| {
            look_around()?;
            attempt.hold();
            let open = || Stages::open(&files, provider, options, Some(attempt.stop()));
            first_in_one_piece(provider, &look_around, || self.with_libraries(provider, open))
        })?;
        if let Some(provider) = self.provider() {
            self.host.loaded(provider, started.elapsed())?;
        }
        Ok(Loaded { stages, protection })
    }

    /// Does `open` with the provider's libraries made ready. Its error says what went wrong with these.
    fn with_libraries<T>(&self, provider: Provider, open: impl FnOnce() -> Result<T>) -> Result<T> {
        if !provider.facts().needs_libraries {
            return open();
        }
        let faults = self.host.make_ready(provider)?;
        open().map_err(|error| if faults.is_empty() { error } else { error.named(&faults.join("; ")) })
    }

    /// Returns what `open` makes with the first provider that works. One of them has to have a `device` to choose, if
    /// one is chosen.
    fn open<T>(&self, device: Option<u32>, open: impl Fn(Provider) -> Result<T>) -> Result<T> {
        let worth_trying = || Ok(Provider::worth_trying(&built_in()?));
        let providers = if self.providers.is_empty() { worth_trying()? } else { self.providers.clone() };
        Provider::check_device(&providers, device)?;
        for (at, provider) in providers.iter().enumerate() {
            match open(*provider) {
                Ok(made) => {
                    self.used.store(index_of(*provider) + 1, Ordering::Release);
                    return Ok(made);
                }
                Err(error)
                    if at + 1 < providers.len()
                        && matches!(error.kind(), ErrorKind::Inference | ErrorKind::OutOfMemory) =>
                {
                    self.host.warn(&passed_over(*provider, &error))?;
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::new(ErrorKind::RuntimeUnavailable, "the installed ONNX Runtime has no provider that can be used"))
    }

    /// Returns what is asked while a load waits, and at each step of a download.
    fn watch(self: &Arc<Self>, attempt: &Attempt) -> impl Fn() -> Result<()> + Clone + Send + Sync + 'static {
        let (loader, attempt) = (Arc::clone(self), attempt.clone());
        move || {
            attempt.check()?;
            loader.host.look_around()
        }
    }

    fn files(&self, look_around: impl Fn() -> Result<()> + Clone + Send + Sync + 'static) -> Result<ModelFiles> {
        let mut tell = |step: Progress<'_>| {
            look_around()?;
            self.host.arrived(step)?;
            look_around()
        };
        let store = self.store.watched(look_around.clone());
        let paths = resolve(&store, self.choices.values(), &|| self.host.sources(), &mut tell)?;
        Ok(self.choices.keys().copied().zip(paths).collect())
    }
}

fn index_of(provider: Provider) -> usize {
    Provider::ALL.iter().position(|one| *one == provider).unwrap_or_default()
}

/// Does `open` with no fork falling into it, unless the provider has been loaded once: it holds its locks only then.
fn first_in_one_piece<T>(
    provider: Provider,
    look_around: &dyn Fn() -> Result<()>,
    open: impl FnOnce() -> Result<T>,
) -> Result<T> {
    /// Of the providers, a bit each.
    static LOADED: AtomicUsize = AtomicUsize::new(0);
    let own = 1 << index_of(provider);
    // All that was made before a failure is gone by then, and a caller that tries again would find it kept each time.
    let open = || open().inspect_err(|_| memory::trim());
    if LOADED.load(Ordering::Acquire) & own != 0 {
        return open();
    }
    let opened = in_one_piece(look_around, open)?;
    LOADED.fetch_or(own, Ordering::AcqRel);
    Ok(opened)
}

/// Returns the warning that a provider of the installed ONNX Runtime does not work here.
fn passed_over(provider: Provider, error: &Error) -> String {
    let (name, text) = (provider.name(), error.to_string());
    let why = text.lines().next().unwrap_or_default();
    format!(
        "ONNX Runtime has the provider {name}, and it does not work here, so another one is used: {why}; `ferrocr \
         doctor` shows the providers, and provider=\"cpu\" does without this one"
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Remembers its warnings.
    #[derive(Default)]
    struct Listener(Mutex<Vec<String>>);

    impl Host for Arc<Listener> {
        fn library(&self) -> Result<PathBuf> {
            unreachable!("nothing is loaded")
        }

        fn make_ready(&self, provider: Provider) -> Result<Vec<String>> {
            assert_eq!(provider, Provider::Cuda, "others bring what they need");
            Ok(vec!["libcudart.so.13 is missing".to_owned()])
        }

        fn sources(&self) -> Result<PullOptions> {
            unreachable!("nothing is fetched")
        }

        fn warn(&self, message: &str) -> Result<()> {
            self.0.lock().unwrap().push(message.to_owned());
            Ok(())
        }
    }

    #[test]
    fn a_provider_that_does_not_work_is_passed_over_unless_it_is_the_last() {
        let listener = Arc::<Listener>::default();
        let loader = |providers: &[Provider]| {
            let store = Store::open("/models").unwrap();
            Loader::new(store, BTreeMap::new(), providers.to_vec(), Box::new(Arc::clone(&listener)))
        };
        let broken = |kind| move || Error::new(kind, "no device").with_hint("buy one");
        let only_cpu = |kind| move |provider| if provider == Provider::Cpu { Ok("made") } else { Err(broken(kind)()) };
        let both = loader(&[Provider::Cuda, Provider::Cpu]);
        assert_eq!(both.open(None, only_cpu(ErrorKind::Inference)).unwrap(), "made");
        assert_eq!(both.provider(), Some(Provider::Cpu));
        let warnings = std::mem::take(&mut *listener.0.lock().unwrap());
        assert!(warnings.len() == 1 && warnings[0].contains("the provider cuda, and it does not work here"));
        assert!(warnings[0].contains("no device; `ferrocr doctor`"), "{warnings:?}");
        assert_eq!(both.open(None, only_cpu(ErrorKind::Timeout)).unwrap_err().kind(), ErrorKind::Timeout);
        let named = loader(&[Provider::Cuda]);
        assert_eq!(named.open(None, only_cpu(ErrorKind::Inference)).unwrap_err().kind(), ErrorKind::Inference);
        assert!(named.provider().is_none() && listener.0.lock().unwrap().is_empty());
    }

    #[test]
    fn a_device_is_chosen_where_a_provider_that_is_tried_has_some() {
        let loader = |providers: &[Provider]| {
            let store = Store::open("/models").unwrap();
            Loader::new(store, BTreeMap::new(), providers.to_vec(), Box::new(Arc::<Listener>::default()))
        };
        assert_eq!(loader(&[Provider::Cuda, Provider::Cpu]).open(Some(1), Ok).unwrap(), Provider::Cuda);
        let error = loader(&[Provider::Cpu]).open(Some(1), Ok).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }

    #[test]
    fn the_error_of_a_provider_says_which_of_its_libraries_are_missing() {
        let store = Store::open("/models").unwrap();
        let loader = Loader::new(store, BTreeMap::new(), Vec::new(), Box::new(Arc::<Listener>::default()));
        let failed = || Err::<(), _>(Error::new(ErrorKind::Inference, "it does not load"));
        let error = loader.with_libraries(Provider::Cuda, failed).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Inference);
        assert!(error.to_string().starts_with("libcudart.so.13 is missing: it does not load"), "{error}");
        assert!(loader.with_libraries(Provider::Cpu, failed).unwrap_err().to_string().ends_with("does not load"));
        loader.with_libraries(Provider::Cuda, || Ok(())).unwrap();
    }
}
