//! The directory that is filled, and whether its disk has room.

use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::models::store::{self, Store};

/// What stays free beside the model: the file system's own bookkeeping and the store's locks and folders take some
/// blocks too, and a disk that is full to its last byte makes other programs fail.
const RESERVE: u64 = 1 << 20;

/// Bytes that can be written where a path lies, if that is known.
type FreeBytes<'a> = &'a (dyn Fn(&Path) -> Option<u64> + Sync);

/// Where models go.
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

    /// An error if the disk is known to have no room for `bytes` more of `name`.
    pub(super) fn require(&self, name: &str, bytes: u64) -> Result<()> {
        let needed = bytes.saturating_add(RESERVE);
        match (self.free_bytes)(self.store.dir()) {
            Some(free) if free < needed => Err(self.full(name, needed, free)),
            _ => Ok(()),
        }
    }

    fn full(&self, name: &str, needed: u64, free: u64) -> Error {
        let message = format!(
            "too little free space in {} for {name}: {} MB are needed, {} MB are free",
            self.store.dir().display(),
            // Rounded so that the two never look equal.
            tenths(needed.div_ceil(TENTH)),
            tenths(free / TENTH)
        );
        Error::new(ErrorKind::Io, message)
            .with_hint("free some space there, or choose a model directory on another disk")
    }
}

/// Bytes in a tenth of a megabyte.
const TENTH: u64 = 100_000;

fn tenths(count: u64) -> String {
    format!("{}.{}", count / 10, count % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_must_be_room_for_the_bytes_and_the_reserve() {
        struct Case {
            free: Option<u64>,
            bytes: u64,
            fits: bool,
        }
        let cases = [
            Case { free: None, bytes: u64::MAX, fits: true },
            Case { free: Some(RESERVE + 10), bytes: 10, fits: true },
            Case { free: Some(RESERVE + 9), bytes: 10, fits: false },
            Case { free: Some(u64::MAX - 1), bytes: u64::MAX, fits: false },
        ];
        let store = Store::open("models").unwrap();
        for case in cases {
            let free = |_: &Path| case.free;
            let outcome = Place::with_space(&store, &free).require("a.onnx", case.bytes);
            assert_eq!(outcome.is_ok(), case.fits, "{:?} {}", case.free, case.bytes);
        }
    }

    #[test]
    fn the_error_says_where_how_much_and_what_to_do() {
        let store = Store::open("models").unwrap();
        let free = |_: &Path| Some(RESERVE);
        let error = Place::with_space(&store, &free).require("a.onnx", 10_000_000).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let text = error.to_string();
        assert!(text.contains("for a.onnx: 11.1 MB are needed, 1.0 MB are free"), "{text}");
        assert!(text.contains(&store.dir().display().to_string()), "{text}");
        assert!(error.hint().is_some());
    }
}
