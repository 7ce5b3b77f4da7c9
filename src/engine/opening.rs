//! Making stages of model files.

use std::path::Path;
use std::sync::Arc;

use super::loading::Loading;
use super::protection::ModelFiles;
use crate::buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::files::open_regular;
use crate::memory;
use crate::models::store::Store;
use crate::models::{Copies, Role, characters};
use crate::onnx;
use crate::options::EngineOptions;
use crate::pipeline::{Plan, Sessions, Stages};
use crate::recognize::head::Head;
use crate::runtime::{Keep, Model, ModelSpec, OrtModel, Provider, SessionOptions, Shaped, Sides, lent_to};
use crate::stop::Stop;
use crate::threads::Task;

/// Lines up to 2,000 pixels wide at 48 of height are usual, about 100 characters. After a wider one a reader gives back
/// the memory that it took. With the default models and two readers, without probabilities of 18,710 classes in memory,
/// the process held 215 MB after lines of 1,920 pixels, and of 4,800 pixels 293 MB while it read them and 217 after.
/// With a recogniser that is used whole it held 290, 446 and 295. No difference in time was seen.
const USUAL_LINE: Keep = Keep::UpTo(3 * 48 * 2000);

impl Stages {
    /// Makes stages of model files, for a call whose stop is `callers`, if there is one.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when a file cannot be read, and what making a session returns.
    pub fn open(
        files: &ModelFiles,
        provider: Provider,
        options: &EngineOptions,
        callers: Option<&Stop>,
    ) -> Result<Self> {
        memory::keep_large_blocks_apart();
        let loading = Loading::begin(callers)?;
        let facts = provider.facts();
        let plan = match facts.sides {
            Sides::Few => Plan::of_device(options),
            Sides::Any | Sides::Steps(_) => Plan::of(options, facts.shares_processor),
        };
        // A device picks of all classes.
        let picks_best = facts.picks_best && options.languages.is_none();
        let open = |role: Role, path: &Path| {
            let (threads, keep) = match role.facts().copies {
                // Its input is bounded, and of about the same size for every page.
                Copies::OneADetector => (&plan.detectors, Keep::All),
                Copies::OneAReader => (&plan.readers, USUAL_LINE),
            };
            let keep = if options.low_memory { Keep::Nothing } else { keep };
            let device = options.device;
            let options = threads.iter().map(|&threads| SessionOptions { threads, provider, device, keep });
            open(role, path, &options.collect::<Vec<_>>(), picks_best, &loading)
        };
        let open = &open;
        // Each model is optimised on one thread by the runtime, so they are made side by side.
        let models = std::thread::scope(|scope| {
            let begun = files.iter().map(|(role, path)| (role, Task::begin(scope, move || open(role, path))));
            let begun: Vec<_> = begun.collect();
            // All of them, also after an error: a thread that nobody waits for may be on its way out yet.
            let opened: Vec<_> = begun.into_iter().map(|(role, task)| task.wait().map(|made| (role, made))).collect();
            opened.into_iter().collect::<Result<_>>()
        })?;
        let stages = Self::with(models, options).and_then(|stages| match facts.sides {
            // As long as the call lets it: a driver may translate its kernels first, which is no model's fault.
            Sides::Few => stages.tried_out(options, &callers.cloned().unwrap_or_default()).map(|()| stages),
            Sides::Any | Sides::Steps(_) => Ok(stages),
        });
        // What the runtime prepared sessions in. With 16 readers the process holds 364 MB after this and 639 without,
        // with two 121 and 157.
        memory::trim();
        stages
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::NotFound {
        // It was there when the engine looked for it.
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        let store = path.parent().and_then(|dir| Store::open(dir).ok());
        let gone = || Error::new(ErrorKind::ModelNotFound, format!("there is no model file {}", path.display()));
        return store.map_or_else(gone, |store| store.missing(&name, "is not there"));
    }
    Error::io("read the model", path, error)
}

/// A recogniser's head is copied out of the bytes, the rest of them is, and the head is packed.
const COPIES: u64 = 3;

/// A model's file.
struct File {
    name: String,
    bytes: Vec<u8>,
    /// The characters beside it.
    characters: Option<String>,
}

impl File {
    fn read(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let read = open_regular(path).and_then(onnx::read_model).map_err(|error| unreadable(path, error))?;
        let mut bytes = read.map_err(|error| error.named(&name))?;
        // Room for the copies on the way to a session.
        buffer::check_room(COPIES * bytes.len() as u64, &format!("the model {}", path.display()))?;
        // Bytes that are no model are told from models that the runtime does not support.
        onnx::summary(&bytes).map_err(|error| error.named(&name))?;
        onnx::flush_denormals(&mut bytes).map_err(|error| error.named(&name))?;
        Ok(Self { name, bytes, characters: characters::beside(path)? })
    }

    /// Opens a session.
    fn session(&self, options: SessionOptions, stop: &Stop) -> Result<Box<dyn Model>> {
        let model = OrtModel::from_bytes(&self.name, &self.bytes, options, stop)?;
        Ok(Box::new(model.with_characters(self.characters.as_deref())))
    }

    /// Opens a session that picks the best class of each step.
    fn picking_session(&self, options: SessionOptions, stop: &Stop) -> Result<Box<dyn Model>> {
        let picking = onnx::pick_best(&self.bytes).ok_or_else(|| Error::new(ErrorKind::Internal, "nothing picks"))?;
        let model = OrtModel::from_bytes(&self.name, &picking.model, options, stop)?;
        Ok(Box::new(model.with_characters(self.characters.as_deref())))
    }

    /// Opens a session, and others like it for each shape that is met: callers share them, one for each of the options,
    /// which are the same. The bytes are kept for them.
    fn on_device(self: &Arc<Self>, options: &[SessionOptions], loading: &Loading) -> Result<Vec<Box<dyn Model>>> {
        self.on_device_by(options, Self::session, loading)
    }

    fn on_device_by(
        self: &Arc<Self>,
        options: &[SessionOptions],
        session: fn(&Self, SessionOptions, &Stop) -> Result<Box<dyn Model>>,
        loading: &Loading,
    ) -> Result<Vec<Box<dyn Model>>> {
        let Some(&own) = options.first() else { return Ok(Vec::new()) };
        let first = session(self, own, loading.stop()).map_err(|error| loading.explained(&self.name, error))?;
        let file = Arc::clone(self);
        let shaped = Shaped::new(first, Box::new(move |stop| session(&file, own, stop)));
        Ok(lent_to(options.len(), Box::new(shaped)))
    }

    /// Opens sessions that pick of so many classes, and readies those of the whole model, of which none is opened
    /// before a call needs it.
    fn picking_on_device(
        self: &Arc<Self>,
        options: &[SessionOptions],
        classes: usize,
        loading: &Loading,
    ) -> Result<Sessions> {
        let models = self.on_device_by(options, Self::picking_session, loading)?;
        let whole = match (models.first(), options.first()) {
            (Some(first), Some(&own)) => {
                let file = Arc::clone(self);
                let open = Box::new(move |stop: &Stop| file.session(own, stop));
                lent_to(options.len(), Box::new(Shaped::unopened(whole_spec(first.spec(), classes), open)))
            }
            _ => Vec::new(),
        };
        Ok(Sessions { models, picked_of: Some(classes), whole, ..Sessions::default() })
    }

    /// Opens a session with each of the options.
    fn open(&self, options: &[SessionOptions], loading: &Loading) -> Result<Vec<Box<dyn Model>>> {
        let open = &|options: SessionOptions| {
            self.session(options, loading.stop()).map_err(|error| loading.explained(&self.name, error))
        };
        std::thread::scope(|scope| {
            let begun = options.iter().map(|&options| Task::begin(scope, move || open(options)));
            let opened: Vec<_> = begun.collect::<Vec<_>>().into_iter().map(Task::wait).collect();
            opened.into_iter().collect()
        })
    }
}

/// Opens sessions of a model: without its head, where role and provider allow that, it can be cut off, and the
/// processor has vectors.
fn open(role: Role, path: &Path, options: &[SessionOptions], picks_best: bool, loading: &Loading) -> Result<Sessions> {
    let mut file = File::read(path)?;
    let is_cut = role.facts().is_cut
        && options.iter().all(|options| options.provider.facts().takes_heads_off)
        && Head::is_fast();
    let cut = if is_cut { onnx::cut_head(&file.bytes) } else { None };
    let head = cut.map(|cut| {
        file.bytes = cut.model;
        cut.head
    });
    let picked = if role.facts().is_cut && picks_best { onnx::pick_best(&file.bytes) } else { None };
    // Without their number nobody could tell whether the characters fit.
    let picked_of = picked.and_then(|picked| picked.classes.filter(|classes| *classes > 0));
    let is_planned = options.iter().any(|options| options.provider.facts().sides == Sides::Few);
    match picked_of {
        Some(classes) if is_planned => Arc::new(file).picking_on_device(options, classes, loading),
        _ if is_planned => Ok(Arc::new(file).on_device(options, loading)?.into()),
        _ => Ok(Sessions { models: file.open(options, loading)?, head, ..Sessions::default() }),
    }
}

/// Returns the description of a model that gives all probabilities, made of that of the model which picks.
fn whole_spec(picking: &ModelSpec, classes: usize) -> ModelSpec {
    let mut spec = picking.clone();
    let sides = spec.outputs.first_mut().and_then(|output| output.shape.last_mut());
    sides.into_iter().for_each(|side| *side = Some(classes));
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_no_model_is_refused_at_once() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let dir = tempfile::tempdir().unwrap();
        let (pipe, holes) = (dir.path().join("pipe.onnx"), dir.path().join("holes.onnx"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        std::fs::File::create(&holes).unwrap().set_len(2 << 30).unwrap();
        let refused = |path: &Path| File::read(path).err().unwrap();
        assert!(refused(&pipe).to_string().contains("no regular file"));
        let error = refused(&holes);
        assert!(error.kind() == ErrorKind::ModelCorrupt && error.to_string().starts_with("holes.onnx: "), "{error}");
    }
}
