//! The stages of a loaded engine, and the way of a picture through them.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::ModelFiles;
use super::pool::Pool;
use crate::detect::{Detector, Region};
use crate::error::{Error, Result};
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::warp::rectify;
use crate::models::onnx;
use crate::models::session::{Model, OrtModel, Provider, SessionOptions};
use crate::options::{EngineOptions, RecognizeOptions};
use crate::orient::Orienter;
use crate::page::{Line, Page, order};
use crate::recognize::Alphabet;

/// A region at least this many times as high as wide holds a line that runs down the page. The ratio is PaddleOCR's.
const TALL: f32 = 1.5;

/// More readers than this gain nothing on a page but cost a copy of the recogniser each; further threads work inside
/// of the sessions.
const MAX_READERS: usize = 4;

/// Detection and recognition with loaded models.
pub struct Stages {
    detectors: Pool<Detector>,
    readers: Pool<Reader>,
    alphabet: Alphabet,
    orienter: Option<Orienter>,
}

/// The sessions that one thread reads lines with.
struct Reader {
    recognizer: Box<dyn Model>,
    orienter: Option<Box<dyn Model>>,
}

impl Stages {
    /// Stages from models: one detector, and as many recognisers as lines shall be read at once, with an orienter each
    /// or none at all.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelMismatch`] when a model does not fit its role.
    pub fn new(
        detector: Box<dyn Model>,
        recognizers: Vec<Box<dyn Model>>,
        orienters: Vec<Box<dyn Model>>,
    ) -> Result<Self> {
        let Some(first) = recognizers.first() else {
            return Err(Error::new(crate::ErrorKind::InvalidArgument, "an engine needs at least one recogniser"));
        };
        let alphabet = Alphabet::of(first.spec())?;
        let orienter = orienters.first().map(|model| Orienter::of(model.spec())).transpose()?;
        let mut orienters = orienters.into_iter();
        let readers =
            recognizers.into_iter().map(|recognizer| Reader { recognizer, orienter: orienters.next() }).collect();
        let detectors = Pool::new(vec![Detector::new(detector)?]);
        Ok(Self { detectors, readers: Pool::new(readers), alphabet, orienter })
    }

    /// Stages from model files.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when a file cannot be read, and what making a session returns.
    pub fn open(files: &ModelFiles, provider: Provider, options: &EngineOptions) -> Result<Self> {
        let threads = options.thread_count();
        let readers = threads.min(MAX_READERS);
        let whole = SessionOptions { threads, provider };
        let share = SessionOptions { threads: (threads / readers).max(1), ..whole };
        // Each model is optimised on one thread by the runtime, so they are made side by side.
        std::thread::scope(|scope| {
            let detector = scope.spawn(|| open_copies(&files.detector, 1, whole));
            let orienters = scope.spawn(|| match &files.orienter {
                Some(path) => open_copies(path, readers, share),
                None => Ok(Vec::new()),
            });
            let recognizers = open_copies(&files.recognizer, readers, share);
            let mut detector = joined(detector)?;
            let Some(detector) = detector.pop() else {
                return Err(Error::new(crate::ErrorKind::Internal, "no detector was made"));
            };
            Self::new(detector, recognizers?, joined(orienters)?)
        })
    }

    /// Number of sessions.
    pub fn sessions(&self) -> usize {
        let orienters = if self.orienter.is_some() { self.readers.size() } else { 0 };
        self.detectors.size() + self.readers.size() + orienters
    }

    /// Reads a picture.
    ///
    /// # Errors
    /// What a model's run returns.
    pub fn read(&self, picture: &Picture, engine: &EngineOptions, options: &RecognizeOptions) -> Result<Page> {
        let regions = self.detectors.take(1)[0].detect(picture, &engine.detect)?;
        let mut lines = self.read_regions(picture, &regions, engine, options)?;
        order::sort(&mut lines);
        Ok(Page { width: picture.width(), height: picture.height(), lines })
    }

    /// Reads regions on as many threads as there are readers, the widest first so that no thread is left with a long
    /// one at the end.
    fn read_regions(
        &self,
        picture: &Picture,
        regions: &[Region],
        engine: &EngineOptions,
        options: &RecognizeOptions,
    ) -> Result<Vec<Line>> {
        if regions.is_empty() {
            return Ok(Vec::new());
        }
        let mut quads: Vec<Quad> = regions.iter().map(|region| reading_quad(region.quad)).collect();
        quads.sort_by(|a, b| (b.width() / b.height()).total_cmp(&(a.width() / a.height())));
        let next = AtomicUsize::new(0);
        let lines = Mutex::new(Vec::with_capacity(quads.len()));
        let work = |reader: &mut Reader| -> Result<()> {
            while let Some(quad) = quads.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Some(line) = self.read_line(reader, picture, *quad, engine, options)? {
                    lines.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(line);
                }
            }
            Ok(())
        };
        let mut readers = self.readers.take(quads.len());
        std::thread::scope(|scope| {
            let (own, others) = readers.split_at_mut(1);
            let threads: Vec<_> = others.iter_mut().map(|reader| scope.spawn(|| work(reader))).collect();
            let mine = work(&mut own[0]);
            threads.into_iter().map(joined).fold(mine, Result::and)
        })?;
        Ok(lines.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn read_line(
        &self,
        reader: &mut Reader,
        picture: &Picture,
        quad: Quad,
        engine: &EngineOptions,
        options: &RecognizeOptions,
    ) -> Result<Option<Line>> {
        let height = self.alphabet.height();
        let width = (height as f32 * quad.width() / quad.height()).ceil() as u32;
        let width = width.clamp(1, options.max_strip_width);
        let (mut quad, mut strip) = (quad, rectify(picture, &quad, width, height)?);
        if let (Some(orienter), Some(model)) = (&self.orienter, &mut reader.orienter)
            && orienter.upside_down(model.as_mut(), &strip)? > engine.orient.threshold
        {
            quad = quad.starting_at(2);
            strip = strip.half_turned();
        }
        let decoded = self.alphabet.read(reader.recognizer.as_mut(), &strip)?;
        let line = Line::new(decoded, quad);
        Ok((line.score >= options.min_score && !line.text.is_empty()).then_some(line))
    }
}

/// Turns the outline of a tall region so that its text runs from left to right: tall lines are read upwards or
/// downwards, and the orienter tells which.
fn reading_quad(quad: Quad) -> Quad {
    if quad.height() >= TALL * quad.width() { quad.starting_at(1) } else { quad }
}

fn open_copies(path: &Path, copies: usize, options: SessionOptions) -> Result<Vec<Box<dyn Model>>> {
    let mut bytes = std::fs::read(path).map_err(|error| Error::io("read the model", path, error))?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    onnx::flush_denormals(&mut bytes).map_err(|error| error.named(&name))?;
    let beside = std::fs::read_to_string(path.with_extension("txt")).ok();
    std::thread::scope(|scope| {
        let open = || -> Result<Box<dyn Model>> {
            let model = OrtModel::from_conditioned(&name, &bytes, options)?;
            Ok(Box::new(model.with_characters(beside.as_deref())))
        };
        let others: Vec<_> = (1..copies).map(|_| scope.spawn(open)).collect();
        let mut models = vec![open()?];
        for other in others {
            models.push(joined(other)?);
        }
        Ok(models)
    })
}

/// A scoped thread's result; its panic goes on in this thread, as if the work had been done here.
fn joined<T>(thread: std::thread::ScopedJoinHandle<'_, Result<T>>) -> Result<T> {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
