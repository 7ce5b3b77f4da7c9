#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]
use std::io::Cursor;

use proptest::prelude::*;

use super::testing::wheel_of;
use super::*;
use crate::models::catalog;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_wheel_is_a_source_that_failed(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let mut bytes = wheel_of(&[("box/model.onnx", b"no model")]);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("models")).unwrap();
        let outcome = extract(Place::new(&store), &catalog::entries()[0].file(), "box/model.onnx", Cursor::new(bytes));
        prop_assert!(matches!(outcome, Err(SourceFailure::Source(_))));
        prop_assert!(store.list().unwrap().is_empty());
    }
}
