//! What is in the directory, and in which state: read from the files themselves, without changing any of them.

use std::time::SystemTime;

use super::Store;
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
pub(super) use judge::PUT_ASIDE;
pub(super) use key::Key;
pub use report::{Audit, AuditEntry, AuditOptions, Inspection};
pub use state::State;
use work::Auditor;

impl Store {
    /// Looks at everything in the directory and says in which state it is. Nothing in the directory is changed.
    ///
    /// What cannot be read is reported as such and ends nothing. The content of models is read by all processors at
    /// once, unless it is remembered. A directory that is not there has nothing but missing files.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the directory is there but cannot be listed.
    pub fn audit(&self, options: &AuditOptions) -> Result<Audit> {
        Auditor::new(self, options, catalog::entries(), SystemTime::now()).audit()
    }

    /// Looks at the model file called `name`. Nothing in the directory is changed.
    ///
    /// Other models are read only where a newer one among them could make this one old.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelNotFound`] when there is no such model file, and what [`Store::existing`] says.
    pub fn inspect(&self, name: &str, options: &AuditOptions) -> Result<Inspection> {
        Auditor::new(self, options, catalog::entries(), SystemTime::now()).inspect(name)
    }
}

#[cfg(test)]
mod tests;
