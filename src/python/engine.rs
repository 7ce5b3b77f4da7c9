//! `_core.Engine`: what `ferrocr.OcrEngine` is a wrapper of.

use std::path::PathBuf;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use super::store::Store;
use super::{call, provider_of};
use crate::engine::{ModelFiles, ReleaseReport};
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::decode::check_size;
use crate::options::{DecodeLimits, EngineOptions, RecognizeOptions};
use crate::page::{Line, Page};

type RawPoint = (f32, f32);
// A tuple, because an array would become a list, which has no hash.
pub(super) type RawQuad = (RawPoint, RawPoint, RawPoint, RawPoint);
type RawWord = (String, f32, RawQuad);
type RawLine = (String, f32, RawQuad, Vec<RawWord>);
type RawPage = (u32, u32, Vec<RawLine>);
type RawReport = (usize, Option<usize>, Option<u64>, Option<u64>, f64);

/// The core's engine.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Engine(crate::Engine);

#[pymethods]
impl Engine {
    #[new]
    #[pyo3(signature = (*, threads, max_pixels, max_side))]
    fn new(threads: Option<usize>, max_pixels: u64, max_side: u32) -> Self {
        let decode = DecodeLimits { max_pixels, max_side, ..DecodeLimits::default() };
        Self(crate::Engine::new(EngineOptions { threads, decode, ..EngineOptions::default() }))
    }

    #[pyo3(signature = (*, detector, recognizer, orienter, provider, store))]
    fn load(
        &self,
        py: Python<'_>,
        detector: PathBuf,
        recognizer: PathBuf,
        orienter: Option<PathBuf>,
        provider: &str,
        store: &Store,
    ) -> PyResult<()> {
        let files = ModelFiles { detector, recognizer, orienter };
        call(py, || self.0.load(&files, provider_of(provider)?, Some(&store.0)))
    }

    #[getter]
    fn loaded(&self) -> bool {
        self.0.is_loaded()
    }

    #[getter]
    fn closed(&self) -> bool {
        self.0.is_closed()
    }

    fn check_open(&self, py: Python<'_>) -> PyResult<()> {
        call(py, || self.0.check_open())
    }

    /// Refuses a picture's size before anything of it is converted.
    fn check_size(&self, py: Python<'_>, width: u32, height: u32) -> PyResult<()> {
        call(py, || check_size(width, height, &self.0.options().decode))
    }

    fn recognize_file(&self, py: Python<'_>, path: PathBuf, min_score: f32) -> PyResult<RawPage> {
        call(py, || self.0.recognize_file(&path, &options(min_score))).map(raw_page)
    }

    fn recognize_encoded(&self, py: Python<'_>, data: &[u8], min_score: f32) -> PyResult<RawPage> {
        call(py, || self.0.recognize_encoded(data, &options(min_score))).map(raw_page)
    }

    /// Pixels are copied before the interpreter's lock is released: the caller may change them afterwards.
    fn recognize_pixels(
        &self,
        py: Python<'_>,
        data: PyBuffer<u8>,
        size: (u32, u32),
        channels: u32,
        min_score: f32,
    ) -> PyResult<RawPage> {
        let bytes = data.to_vec(py)?;
        call(py, || {
            let picture = Picture::from_interleaved(size.0, size.1, channels, &bytes)?;
            drop(bytes);
            self.0.recognize(&picture, &options(min_score))
        })
        .map(raw_page)
    }

    /// Reads pixels that are one line of text, for comparing the stage with other implementations.
    fn recognize_line(&self, py: Python<'_>, data: PyBuffer<u8>, size: (u32, u32), channels: u32) -> PyResult<RawLine> {
        let bytes = data.to_vec(py)?;
        call(py, || self.0.recognize_line(&Picture::from_interleaved(size.0, size.1, channels, &bytes)?)).map(raw_line)
    }

    fn free(&self, py: Python<'_>) -> PyResult<RawReport> {
        call(py, || self.0.free()).map(raw_report)
    }
}

fn options(min_score: f32) -> RecognizeOptions {
    RecognizeOptions { min_score, ..RecognizeOptions::default() }
}

fn raw_page(page: Page) -> RawPage {
    (page.width, page.height, page.lines.into_iter().map(raw_line).collect())
}

fn raw_line(line: Line) -> RawLine {
    let words = line.words.into_iter().map(|word| (word.text, word.score, raw_quad(&word.quad))).collect();
    (line.text, line.score, raw_quad(&line.quad), words)
}

pub(super) fn raw_quad(quad: &Quad) -> RawQuad {
    let [a, b, c, d] = quad.0.map(|point| (point.x, point.y));
    (a, b, c, d)
}

fn raw_report(report: ReleaseReport) -> RawReport {
    let ReleaseReport { sessions, threads, resident_before, resident_after, waited } = report;
    (sessions, threads, resident_before, resident_after, waited.as_secs_f64())
}
