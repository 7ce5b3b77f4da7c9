//! The files of the directory and their states, read from the files themselves, without changing any of them.

use std::time::SystemTime;

use super::layout::Layout;
use crate::error::Result;
use crate::models::catalog;

mod bookkeeping;
mod content;
mod examine;
mod judge;
mod key;
mod memory;
mod report;
mod state;
mod structure;
mod survey;
mod work;

pub use examine::Examination;
pub(super) use examine::{Needed, damage};
pub(super) use examine::{examine, list_fault};
pub(super) use judge::PUT_ASIDE;
pub(super) use key::Key;
pub use report::{Audit, AuditEntry, AuditOptions, Inspection};
pub use state::State;
use work::Auditor;

/// Looks at everything in the directory and says in which state it is.
pub(super) fn audit(layout: &Layout, options: &AuditOptions) -> Result<Audit> {
    Auditor::new(layout, options, catalog::entries(), SystemTime::now()).audit()
}

/// Looks at the model file called `name`.
pub(super) fn inspect(layout: &Layout, name: &str, options: &AuditOptions) -> Result<Inspection> {
    Auditor::new(layout, options, catalog::entries(), SystemTime::now()).inspect(name)
}

#[cfg(test)]
mod tests;
