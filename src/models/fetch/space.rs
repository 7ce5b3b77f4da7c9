//! The directory that is filled, and whether its disk has room.

use std::path::Path;

use crate::error::Result;
use crate::models::store::{self, Store};

/// Bytes that can be written where a path lies, if that is known.
type FreeBytes<'a> = &'a (dyn Fn(&Path) -> Option<u64> + Sync);

/// The place that models go to.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) store: &'a Store,
    free_bytes: FreeBytes<'a>,
}

impl<'a> Place<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, free_bytes: &store::free_bytes }
    }

    /// With a disk that has as much room as a test says.
    #[cfg(test)]
    pub(super) fn with_space(store: &'a Store, free_bytes: FreeBytes<'a>) -> Self {
        Self { store, free_bytes }
    }

    /// Refuses if the disk is known to have no room for `bytes` more of `name`.
    pub(super) fn require(&self, name: &str, bytes: u64) -> Result<()> {
        self.store.require_space(name, bytes, (self.free_bytes)(self.store.dir()))
    }
}
