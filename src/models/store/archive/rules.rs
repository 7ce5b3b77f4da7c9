//! The rules for what an archive may hold.

use super::super::names::{fault, is_model_name};
use crate::models::spec::LONGEST_LIST;
use crate::onnx::LONGEST_MODEL;

/// Name of the entry that lists the others.
pub(super) const MANIFEST: &str = "ferrocr-models.json";

/// The most files of an archive, many times the catalog.
pub(super) const MOST_FILES: usize = 1000;

/// Returns the most bytes that the file called `name` may have: a list of characters is read as a whole.
pub(super) fn longest(name: &str) -> u64 {
    if is_model_name(name) { LONGEST_MODEL } else { LONGEST_LIST }
}

/// Returns why `name` cannot be in an archive, which is read on all platforms.
pub(super) fn name_fault(name: &str) -> Option<&'static str> {
    match fault(name) {
        None if name.ends_with([' ', '.']) => Some("it ends with a space or a dot"),
        fault => fault,
    }
}

/// Returns a foreign name in a message: quoted, and not longer than a line.
pub(super) fn shown(name: &str) -> String {
    let start: String = name.chars().take(100).collect();
    if start.len() < name.len() { format!("{start:?}...") } else { format!("{name:?}") }
}
