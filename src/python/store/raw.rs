//! The store's reports as tuples: `ferrocr.store` makes its dataclasses of them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::error::Hint;
use crate::models::store::{Archived, AuditEntry, Decision, Inspection, Planned, Removal, Trashed};
use crate::onnx::ValueInfo;

// A path may hold bytes that are no UTF-8: Python gets them escaped, and can open it.
type RawPlanned = (String, OsString, u64, &'static str, Vec<u32>, String, bool);
pub(super) type RawRemoval = (Vec<RawPlanned>, Option<String>);
pub(super) type RawTrashed = (String, String, OsString, u64, f64);
pub(super) type RawArchived = (String, u64, String, bool, Option<String>);
type RawPorts = Vec<(String, String)>;
pub(super) type RawInspection =
    (RawEntry, Option<&'static str>, RawPorts, RawPorts, BTreeMap<String, i64>, String, Option<usize>);

/// Links, indexes, trusted hosts, certificates and proxy, as [`crate::models::fetch::Packages`] has them.
type RawPackages = (Vec<String>, Vec<String>, Vec<String>, Option<PathBuf>, Option<String>);

/// The mirror, the places of wheels, and whether the network is not to be touched.
// A download's step: name, source, bytes done and in all, and why a try ended, with true if there is another one.
pub(in crate::python) type RawStep<'a> = (&'a str, String, u64, Option<u64>, Option<(&'a str, bool)>);
pub(in crate::python) type RawSources = (Option<String>, RawPackages, bool);

/// A name or path, and whether it may be a name.
pub(in crate::python) type RawChoice = (PathBuf, bool);

/// An entry of an audit: a tuple of its fields, in their order.
pub(super) struct RawEntry(AuditEntry);

impl<'py> IntoPyObject<'py> for RawEntry {
    type Target = PyTuple;
    type Output = Bound<'py, PyTuple>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let entry = self.0;
        let modified = entry.modified.map(seconds);
        let role = entry.role.map(|role| role.to_string());
        let path = entry.path.into_os_string();
        // Two halves, because a conversion exists for tuples of up to twelve.
        let file = (entry.name, path, entry.state.name(), entry.bytes, modified, entry.sha256, role, entry.version);
        let words = |words: fn(&Hint) -> String| entry.action.as_ref().map_or(String::new(), words);
        let actions = (words(Hint::for_library), words(Hint::for_shell));
        let rest = (entry.in_use, entry.pids, entry.kept, entry.detail, actions.0, entry.removal, actions.1);
        let whole = file.into_pyobject(py)?.as_sequence().concat(rest.into_pyobject(py)?.as_sequence())?;
        Ok(whole.cast_into::<PyTuple>()?)
    }
}

pub(super) fn entry(entry: AuditEntry) -> RawEntry {
    RawEntry(entry)
}

pub(super) fn removal(removal: Removal) -> RawRemoval {
    (removal.files.into_iter().map(planned).collect(), removal.removal)
}

fn planned(file: Planned) -> RawPlanned {
    let (decision, pids) = match file.decision {
        Decision::Remove => ("remove", Vec::new()),
        Decision::InUse(pids) => ("in use", pids),
        Decision::Kept => ("kept", Vec::new()),
    };
    (file.name, file.path.into_os_string(), file.bytes, decision, pids, file.reason, file.is_unfinished)
}

pub(super) fn trashed(files: Vec<Trashed>) -> Vec<RawTrashed> {
    let raw = |file: Trashed| (file.removal, file.name, file.path.into_os_string(), file.bytes, seconds(file.removed));
    files.into_iter().map(raw).collect()
}

pub(super) fn archived(files: Vec<Archived>) -> Vec<RawArchived> {
    files.into_iter().map(|file| (file.name, file.bytes, file.sha256, file.is_new, file.left_out)).collect()
}

pub(super) fn inspection(found: Inspection) -> RawInspection {
    let catalog = found.catalog.map(|known| known.name);
    let Some(summary) = found.summary else {
        return (entry(found.entry), catalog, Vec::new(), Vec::new(), BTreeMap::new(), String::new(), None);
    };
    let producer = format!("{} {}", summary.producer, summary.producer_version).trim().to_owned();
    let characters = summary.metadata.get("character").map(|list| list.lines().count());
    let (inputs, outputs) = (ports(&summary.inputs), ports(&summary.outputs));
    (entry(found.entry), catalog, inputs, outputs, summary.opsets, producer, characters)
}

fn ports(ports: &[ValueInfo]) -> RawPorts {
    ports.iter().map(|port| (port.name.clone(), shape(port))).collect()
}

fn shape(port: &ValueInfo) -> String {
    let side = |side: &Option<i64>| side.map_or("?".to_owned(), |side| side.to_string());
    match &port.dims {
        Some(dims) => format!("[{}]", dims.iter().map(side).collect::<Vec<_>>().join(", ")),
        None => "?".to_owned(),
    }
}

/// Seconds since 1970; negative before.
fn seconds(time: SystemTime) -> f64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_secs_f64(),
        Err(before) => -before.duration().as_secs_f64(),
    }
}
