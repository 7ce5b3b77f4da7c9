//! The catalog of models, its sets and roles, and the languages that they read.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use super::call::call;
use super::named::named;
use crate::language::{Languages, all_codes};
use crate::models::catalog::{self, Entry, ModelSet};
use crate::models::{self, Role, fetch};

type RawKnown = (
    &'static str,
    String,
    String,
    Vec<&'static str>,
    Option<u64>,
    &'static str,
    &'static str,
    Vec<String>,
    Option<&'static str>,
);

/// Returns every model of the catalog, in the order of `CatalogEntry`'s fields.
#[pyfunction]
#[pyo3(name = "catalog")]
pub(super) fn entries() -> Vec<RawKnown> {
    catalog::entries().iter().map(raw_entry).collect()
}

fn raw_entry(entry: &'static Entry) -> RawKnown {
    (
        entry.name,
        entry.role.to_string(),
        entry.family.to_string(),
        entry.reads(),
        entry.bytes,
        entry.sha256,
        entry.licence,
        fetch::sources(entry),
        entry.characters.map(|list| list.name),
    )
}

/// Returns every model set: its name, and its file for each role.
#[pyfunction]
pub(super) fn model_sets() -> Vec<(&'static str, BTreeMap<&'static str, &'static str>)> {
    let by_role = |set: &ModelSet| set.entries().iter().map(|entry| (entry.role.name(), entry.name)).collect();
    catalog::sets().iter().map(|set| (set.name, by_role(set))).collect()
}

/// Returns the file name of the recogniser that an engine with this set takes for these languages; None where the set
/// has no recogniser.
#[pyfunction]
pub(super) fn recognizer_for(py: Python<'_>, models: &str, languages: Vec<String>) -> PyResult<Option<&'static str>> {
    call(py, || {
        let languages = Languages::of(&languages)?;
        let set = named("model set", catalog::sets(), |set| set.name, models)?;
        Ok(models::recognizer_for(&set, &languages)?.map(|entry| entry.name))
    })
}

/// Returns all codes of languages, each with that of ISO 639-1.
#[pyfunction]
pub(super) fn language_codes() -> Vec<(&'static str, &'static str)> {
    all_codes().collect()
}

/// Returns the roles of models, each with true if no engine works without it.
#[pyfunction]
pub(super) fn roles() -> Vec<(&'static str, bool)> {
    Role::ALL.map(|role| (role.name(), role.facts().is_required)).to_vec()
}
