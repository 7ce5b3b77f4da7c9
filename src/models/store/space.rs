//! The check that the disk has room for what is to come.

use super::layout::Layout;
use crate::error::{Action, Error, ErrorKind, Result};

/// The bytes that stay free beside the models: the file system's own bookkeeping and the store's locks and folders take
/// some blocks too, and a disk that is full to its last byte makes other programs fail.
const RESERVE: u64 = 1 << 20;

/// Bytes in a tenth of a megabyte.
const TENTH: u64 = 100_000;

/// Refuses if the disk, which has `free` bytes as far as that is known, has no room for `bytes` more of `what`.
pub(super) fn require_space(layout: &Layout, what: &str, bytes: u64, free: Option<u64>) -> Result<()> {
    let needed = bytes.saturating_add(RESERVE);
    match free {
        Some(free) if free < needed => Err(full(layout, what, needed, free)),
        _ => Ok(()),
    }
}

fn full(layout: &Layout, what: &str, needed: u64, free: u64) -> Error {
    let message = format!(
        "too little free space in {} for {what}: {} MB are needed, {} MB are free",
        layout.dir().display(),
        // Rounded so that the two never look equal.
        tenths(needed.div_ceil(TENTH)),
        tenths(free / TENTH)
    );
    Error::new(ErrorKind::Io, message).with_hint([
        "free some space there, for example with ".into(),
        layout.remedy(Action::Purge),
        ", or choose a model directory on another disk".into(),
    ])
}

fn tenths(count: u64) -> String {
    format!("{}.{}", count / 10, count % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::store::Store;

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
            let outcome = store.require_space("a.onnx", case.bytes, case.free);
            assert_eq!(outcome.is_ok(), case.fits, "{:?} {}", case.free, case.bytes);
        }
    }

    #[test]
    fn the_error_says_where_how_much_and_what_to_do() {
        let store = Store::open("models").unwrap();
        let error = store.require_space("a.onnx", 10_000_000, Some(RESERVE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        let text = error.to_string();
        assert!(text.contains("for a.onnx: 11.1 MB are needed, 1.0 MB are free"), "{text}");
        assert!(text.contains(&store.dir().display().to_string()), "{text}");
        assert!(error.shell_hint().is_some_and(|hint| hint.contains("ferrocr models purge")), "{text}");
    }
}
