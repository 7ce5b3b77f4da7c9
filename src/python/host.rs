//! The core's questions to Python, while it loads.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyWeakrefMethods, PyWeakrefReference};

use super::call::{attached, signals};
use super::store::{RawSources, pull_options, raw_step};
use crate::engine;
use crate::error::Result;
use crate::models::fetch::{Progress, PullOptions};
use crate::runtime::Provider;

/// An object of Python's that answers. It owns the engine in some way, which must not own it in turn: neither would
/// ever be collected.
pub(super) struct Host(Py<PyWeakrefReference>);

impl Host {
    pub(super) fn new(host: &Bound<'_, PyAny>) -> PyResult<Self> {
        PyWeakrefReference::new(host).map(|host| Self(host.unbind()))
    }

    fn ask<T>(&self, question: impl FnOnce(&Bound<'_, PyAny>) -> PyResult<T>) -> Result<T> {
        attached(|py| {
            let host = self.0.bind(py).upgrade();
            question(&host.ok_or_else(|| PyRuntimeError::new_err("the engine is gone"))?)
        })
    }
}

impl engine::Host for Host {
    fn library(&self) -> Result<PathBuf> {
        self.ask(|host| host.call_method0("library")?.extract())
    }

    fn make_ready(&self, provider: Provider) -> Result<Vec<String>> {
        self.ask(|host| host.call_method1("make_ready", (provider.name(),))?.extract())
    }

    fn sources(&self) -> Result<PullOptions> {
        self.ask(|host| host.call_method0("sources")?.extract::<RawSources>().map(pull_options))
    }

    fn arrived(&self, step: Progress<'_>) -> Result<()> {
        self.ask(|host| host.call_method1("arrived", raw_step(step)).map(drop))
    }

    fn warn(&self, message: &str) -> Result<()> {
        self.ask(|host| host.call_method1("warn", (message,)).map(drop))
    }

    fn loaded(&self, provider: Provider, taken: Duration) -> Result<()> {
        self.ask(|host| host.call_method1("loaded", (provider.name(), taken.as_secs_f64())).map(drop))
    }

    fn look_around(&self) -> Result<()> {
        signals()
    }
}
