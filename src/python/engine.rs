//! `_core.Engine`: what `ferrocr.OcrEngine` is a wrapper of.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

mod raw;
mod rules;

use super::call::call;
use super::error::{self, class_name};
use super::frames::Frames;
use super::host::Host;
use super::interruptible;
use super::named::{by_role, named};
use super::stats::{RawStats, raw_stats};
use super::store::{RawChoice, Store, choice_of};
use crate::buffer;
use crate::engine::{self, Loader, Release, Source};
use crate::error::{Error, ErrorKind, Result};
use crate::event::SLICE;
use crate::image::Picture;
use crate::image::decode::check_size;
use crate::language::Languages;
use crate::options::{DecodeLimits, DetectOptions, EngineOptions, Preset, RecognizeOptions};
use crate::runtime::Provider;
use crate::stop;
use raw::{RawCallOptions, RawLine, RawPage, RawRelease, raw_line, raw_page, raw_pending, raw_release};
pub(super) use raw::{RawQuad, raw_quad};
pub(super) use rules::Rules;

/// Ends the calls that it is given to.
#[pyclass(frozen, subclass, module = "ferrocr._core")]
pub(super) struct Stop(stop::Stop);

#[pymethods]
impl Stop {
    #[new]
    fn new() -> Self {
        Self(stop::Stop::new())
    }

    fn cancel(&self, py: Python<'_>) {
        py.detach(|| self.0.fire(stop::Reason::Cancelled));
    }
}

/// The core's engine. Besides its wrapper, the exit handler refers to it, to release what is still loaded then.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Engine(Arc<crate::Engine>, Arc<Loader>);

impl Drop for Engine {
    fn drop(&mut self) {
        if Arc::strong_count(&self.0) == 1 {
            // This does the drop's work, but lets other threads of Python go on meanwhile. A forked child is refused,
            // and at the end of the interpreter nothing is released here: the drop knows what to do then.
            let free = || catch_unwind(AssertUnwindSafe(|| self.0.free(false, None, true))).map(drop);
            let _ = Python::try_attach(|py| py.detach(free));
        }
    }
}

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (
        *, store, models, providers, host, preset, threads, max_pixels, max_side, max_bytes, max_regions,
        max_strip_width, low_memory, idle_unload, languages, device_id
    ))]
    #[allow(clippy::too_many_arguments, reason = "all of them are named where it is called")]
    fn new(
        py: Python<'_>,
        store: &Store,
        models: BTreeMap<String, RawChoice>,
        providers: Vec<String>,
        host: &Bound<'_, PyAny>,
        preset: &str,
        threads: Option<usize>,
        max_pixels: u64,
        max_side: u32,
        max_bytes: u64,
        max_regions: usize,
        max_strip_width: u32,
        low_memory: bool,
        idle_unload: Option<f64>,
        languages: Option<Vec<String>>,
        device_id: Option<u32>,
    ) -> PyResult<Self> {
        let host = Box::new(Host::new(host)?);
        call(py, || {
            let provider = |name: &String| named("provider", &Provider::ALL, Provider::name, name);
            let providers = providers.iter().map(provider).collect::<Result<Vec<_>>>()?;
            if !providers.is_empty() {
                Provider::check_device(&providers, device_id)?;
            }
            let choices = by_role(models)?.map(|(role, choice)| (role, choice_of(choice)));
            let loader = Loader::new(store.core(), choices.collect(), providers, host);
            let preset = EngineOptions::preset(named("preset", &Preset::ALL, Preset::name, preset)?);
            let decode = DecodeLimits { max_pixels, max_side, max_bytes };
            let detect = DetectOptions { max_regions, ..preset.detect };
            let recognize = RecognizeOptions { max_strip_width, ..preset.recognize.clone() };
            let idle_unload = duration("idle_unload", idle_unload)?;
            let languages = languages.map(|codes| Languages::of(&codes)).transpose()?;
            let preset = EngineOptions { languages, device: device_id, ..preset };
            let options = EngineOptions { threads, decode, detect, recognize, low_memory, idle_unload, ..preset };
            Ok(Self(Arc::new(crate::Engine::new(options)), Arc::new(loader)))
        })
    }

    #[pyo3(signature = (*, timeout, stop))]
    fn load(&self, py: Python<'_>, timeout: Option<f64>, stop: &Stop) -> PyResult<()> {
        call(py, || self.0.load(&self.1, &stop.0, duration("timeout", timeout)?))
    }

    /// Returns the provider of the last load, or None.
    #[getter]
    fn provider(&self) -> Option<&'static str> {
        self.1.provider().map(Provider::name)
    }

    #[getter]
    fn loaded(&self) -> bool {
        self.0.is_loaded()
    }

    #[getter]
    fn calls(&self) -> usize {
        self.0.calls()
    }

    /// Returns what it has done and does.
    fn stats(&self, py: Python<'_>) -> RawStats {
        raw_stats(py.detach(|| self.0.stats()), |kind| class_name(kind).to_owned())
    }

    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Returns true if a forked child has it from its parent, which had loaded it.
    #[getter]
    fn inherited(&self) -> bool {
        self.0.is_inherited()
    }

    /// Threads that one call may use.
    #[getter]
    fn threads(&self) -> usize {
        self.0.options().thread_count()
    }

    /// Pictures that are best begun before the one in front of them is done.
    #[getter]
    fn ahead(&self) -> usize {
        self.0.ahead()
    }

    fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        call(py, || self.0.check_open())
    }

    /// Refuses a picture's size before anything of it is converted.
    fn check_size(&self, py: Python<'_>, width: u32, height: u32) -> PyResult<()> {
        call(py, || check_size(width, height, &self.0.options().decode))
    }

    #[pyo3(signature = (path, options, timeout, stop))]
    fn recognize_file(
        &self,
        py: Python<'_>,
        path: PathBuf,
        options: RawCallOptions,
        timeout: Option<f64>,
        stop: Option<&Stop>,
    ) -> PyResult<RawPage> {
        let (engine, options, stop) = self.prepare(py, options, timeout, stop)?;
        let work = move |stop: &stop::Stop| engine.recognize_file(&path, &options, stop);
        interruptible::call(py, &stop, work).map(raw_page)
    }

    #[pyo3(signature = (data, options, timeout, stop))]
    fn recognize_encoded(
        &self,
        py: Python<'_>,
        data: PyBackedBytes,
        options: RawCallOptions,
        timeout: Option<f64>,
        stop: Option<&Stop>,
    ) -> PyResult<RawPage> {
        let (engine, options, stop) = self.prepare(py, options, timeout, stop)?;
        let work = move |stop: &stop::Stop| engine.recognize_encoded(&data, &options, stop);
        interruptible::call(py, &stop, work).map(raw_page)
    }

    /// Returns the pixels are copied before the interpreter's lock is released: the caller may change them afterwards.
    #[pyo3(signature = (data, size, channels, options, timeout, stop))]
    #[allow(clippy::too_many_arguments, reason = "an array is three of them")]
    fn recognize_pixels(
        &self,
        py: Python<'_>,
        data: PyBuffer<u8>,
        size: (u32, u32),
        channels: u32,
        options: RawCallOptions,
        timeout: Option<f64>,
        stop: Option<&Stop>,
    ) -> PyResult<RawPage> {
        let bytes = bytes_of(py, &data)?;
        let picture = call(py, || picture_of(bytes, size, channels))?;
        let (engine, options, stop) = self.prepare(py, options, timeout, stop)?;
        let work = move |stop: &stop::Stop| engine.recognize(&picture, &options, stop);
        interruptible::call(py, &stop, work).map(raw_page)
    }

    /// Begins to read a file in the background. Its content is what it is now.
    fn begin_file(&self, py: Python<'_>, path: PathBuf, options: RawCallOptions) -> PyResult<Reading> {
        call(py, || {
            let bytes = self.0.read_file(&path)?;
            self.begin(Source::Encoded(bytes, Some(path.display().to_string())), options)
        })
    }

    /// Begins to read an encoded picture in the background.
    fn begin_encoded(&self, py: Python<'_>, data: &[u8], options: RawCallOptions) -> PyResult<Reading> {
        call(py, || self.begin(Source::Encoded(buffer::copied(data, "the file")?, None), options))
    }

    /// Begins to read pixels in the background. They are copied before the interpreter's lock is released.
    fn begin_pixels(
        &self,
        py: Python<'_>,
        data: PyBuffer<u8>,
        size: (u32, u32),
        channels: u32,
        options: RawCallOptions,
    ) -> PyResult<Reading> {
        let bytes = bytes_of(py, &data)?;
        call(py, || self.begin(Source::Picture(picture_of(bytes, size, channels)?), options))
    }

    /// Begins to read a page of a TIFF file in the background.
    fn begin_frame(&self, py: Python<'_>, frames: &Frames, index: usize, options: RawCallOptions) -> PyResult<Reading> {
        call(py, || self.begin(Source::Frame(Arc::clone(&frames.0), index), options))
    }

    /// Reads pixels that are one line of text, for comparing the stage with other implementations.
    fn recognize_line(&self, py: Python<'_>, data: PyBuffer<u8>, size: (u32, u32), channels: u32) -> PyResult<RawLine> {
        let bytes = bytes_of(py, &data)?;
        call(py, || self.0.recognize_line(&Picture::from_interleaved(size.0, size.1, channels, &bytes)?)).map(raw_line)
    }

    /// Returns an interrupted or timed-out wait leaves the release to the last call out.
    #[pyo3(signature = (*, cancel, timeout, trim))]
    fn free(&self, py: Python<'_>, cancel: bool, timeout: Option<f64>, trim: bool) -> PyResult<RawRelease> {
        let timeout = call(py, || duration("timeout", timeout))?;
        in_slices(py, timeout, |slice| Ok(self.0.free(cancel, Some(slice), trim)))
    }

    fn unload(&self, py: Python<'_>) -> PyResult<RawRelease> {
        let unload = call(py, || self.0.begin_unload())?;
        in_slices(py, None, |slice| unload.wait(Some(slice)))
    }
}

impl Engine {
    fn options(&self, options: RawCallOptions, timeout: Option<f64>) -> Result<RecognizeOptions> {
        let timeout = duration("timeout", timeout)?;
        let (min_score, characters, rules) = options;
        let rules = rules.map(|rules| Arc::clone(&rules.get().0));
        Ok(RecognizeOptions { min_score, characters, rules, timeout, ..self.0.options().recognize.clone() })
    }

    /// Returns the parts of a call, for whichever thread does it.
    fn prepare(
        &self,
        py: Python<'_>,
        options: RawCallOptions,
        timeout: Option<f64>,
        stop: Option<&Stop>,
    ) -> PyResult<(Arc<crate::Engine>, RecognizeOptions, stop::Stop)> {
        let options = call(py, || self.options(options, timeout))?;
        Ok((Arc::clone(&self.0), options, stop.map(|stop| stop.0.clone()).unwrap_or_default()))
    }

    fn begin(&self, source: Source, options: RawCallOptions) -> Result<Reading> {
        self.0.begin(source, &self.options(options, None)?).map(Reading)
    }
}

/// A picture that is being read in the background. Dropping it ends that, and waits for it.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Reading(engine::Reading);

impl Drop for Reading {
    fn drop(&mut self) {
        // Its thread may load, and wait for this one to let go of the interpreter.
        let end = || catch_unwind(AssertUnwindSafe(|| self.0.end()));
        let _ = Python::try_attach(|py| py.detach(end));
    }
}

#[pymethods]
impl Reading {
    /// Returns true if there is nothing left to wait for.
    fn over(&self, py: Python<'_>) -> bool {
        py.detach(|| self.0.is_over())
    }

    /// Waits for the page; after `timeout` seconds the reading is ended early.
    fn wait(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<RawPage> {
        let timeout = call(py, || duration("timeout", timeout))?;
        let started = Instant::now();
        loop {
            let over = timeout.filter(|timeout| started.elapsed() >= *timeout);
            let left = timeout.map_or(SLICE, |timeout| timeout.saturating_sub(started.elapsed()));
            let page = call(py, || {
                over.into_iter().for_each(|timeout| self.0.time_out(timeout));
                self.0.wait(if over.is_some() { SLICE } else { left.min(SLICE) })
            })?;
            if let Some(page) = page {
                return Ok(raw_page(page));
            }
            py.check_signals()?;
        }
    }

    /// Ends it early, without waiting for that.
    fn cancel(&self, py: Python<'_>) {
        py.detach(|| self.0.cancel());
    }

    /// Ends it early, and waits until nothing of it runs any more.
    fn end(&self, py: Python<'_>) {
        py.detach(|| self.0.end());
    }
}

/// Returns a copy of the bytes, made while nobody else can change them.
fn bytes_of(py: Python<'_>, data: &PyBuffer<u8>) -> PyResult<Vec<u8>> {
    let copy = buffer::filled(data.item_count(), 0, "the picture");
    let mut copy = copy.map_err(|error| error::to_python(py, &error))?;
    data.copy_to_slice(py, &mut copy)?;
    Ok(copy)
}

/// Takes the pixels over where they are as the core has them.
fn picture_of(bytes: Vec<u8>, (width, height): (u32, u32), channels: u32) -> Result<Picture> {
    match channels {
        3 => Picture::from_rgb(width, height, bytes),
        _ => Picture::from_interleaved(width, height, channels, &bytes),
    }
}

/// Returns a number of seconds; more than can be counted is as long as can be.
fn duration(name: &str, seconds: Option<f64>) -> Result<Option<Duration>> {
    let Some(seconds) = seconds else { return Ok(None) };
    if seconds.is_nan() || seconds < 0.0 {
        let message = format!("{name} is a number of seconds from 0 on, not {seconds}");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    Ok(Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)))
}

/// Waits in slices, between which it lets Ctrl-C through.
fn in_slices(
    py: Python<'_>,
    timeout: Option<Duration>,
    wait: impl Fn(Duration) -> Result<Release> + Sync,
) -> PyResult<RawRelease> {
    let started = Instant::now();
    loop {
        let left = timeout.map_or(Duration::MAX, |timeout| timeout.saturating_sub(started.elapsed()));
        match call(py, || wait(left.min(SLICE)))? {
            Release::Done(report) => return Ok(raw_release(report)),
            Release::Pending { calls } if left <= SLICE => return Ok(raw_pending(calls, started)),
            Release::Asked => return Ok(raw_pending(1, started)),
            Release::Pending { .. } => py.check_signals()?,
        }
    }
}
