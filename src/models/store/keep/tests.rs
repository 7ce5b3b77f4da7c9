use std::fs;

use proptest::prelude::*;

use super::*;
use crate::models::store::Store;

fn store(names: &[&str]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for name in names {
        fs::write(store.path(name).unwrap(), "x").unwrap();
    }
    (dir, store)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn entries_are_names_or_patterns() {
    struct Case {
        entry: &'static str,
        holds: &'static [&'static str],
        leaves: &'static [&'static str],
    }
    let cases = [
        Case { entry: "a.onnx", holds: &["a.onnx"], leaves: &["A.onnx", "a.onnx2", "ba.onnx"] },
        Case { entry: "a*.onnx", holds: &["a.onnx", "abc.onnx"], leaves: &["b.onnx", "a.bin"] },
        Case { entry: "**.onnx", holds: &["a.onnx", "x.y.onnx"], leaves: &["a.bin"] },
        Case { entry: "***.onnx", holds: &["a.onnx", "x.y.onnx"], leaves: &["a.bin"] },
        Case { entry: "a****b***", holds: &["ab", "a.b.onnx"], leaves: &["b.onnx", "a.onnx", "xab"] },
        Case { entry: "?.onnx", holds: &["a.onnx", "é.onnx"], leaves: &["ab.onnx", ".onnx"] },
        Case { entry: "[ab].onnx", holds: &["[ab].onnx"], leaves: &["a.onnx"] },
        Case { entry: "[a]*", holds: &["[a].onnx"], leaves: &["a.onnx"] },
    ];
    for case in cases {
        let list = KeepList::new(&[case.entry]).unwrap();
        assert!(case.holds.iter().all(|name| list.holds(name)), "{}", case.entry);
        assert!(!case.leaves.iter().any(|name| list.holds(name)), "{}", case.entry);
    }
}

#[test]
fn what_can_match_no_file_is_refused() {
    for entry in ["", "a/b", "..", "a\nb", "#a", ".hidden", " a"] {
        assert_eq!(KeepList::new(&[entry]).unwrap_err().kind(), ErrorKind::InvalidArgument, "{entry:?}");
    }
}

#[test]
fn a_change_of_the_list_is_made_as_a_whole() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    store.keep(&owned(&["a.onnx"])).unwrap();
    for (add, remove) in [(["b.onnx"], ["c.onnx"]), (["c.onnx"], ["a.onnx"])] {
        let error = store.change_keep(&owned(&add), &owned(&remove)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(store.keep_list().unwrap().entries().collect::<Vec<_>>(), ["a.onnx"]);
    }
    let list = store.change_keep(&owned(&["b.onnx"]), &owned(&["a.onnx"])).unwrap();
    assert_eq!(list.entries().collect::<Vec<_>>(), ["b.onnx"]);
}

#[test]
fn entries_are_added_and_taken_off() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    assert_eq!(store.keep_list().unwrap(), KeepList::default());
    store.keep(&owned(&["b*"])).unwrap();
    store.keep(&owned(&["a.onnx", "b*"])).unwrap();
    assert_eq!(store.keep_list().unwrap().entries().collect::<Vec<_>>(), ["a.onnx", "b*"]);
    store.unkeep(&owned(&["b*"])).unwrap();
    assert_eq!(store.keep_list().unwrap().entries().collect::<Vec<_>>(), ["a.onnx"]);
    assert_eq!(fs::read_dir(store.layout.incoming()).unwrap().count(), 0);
}

#[test]
fn an_entry_that_matches_nothing_is_an_error_that_changes_nothing() {
    let (_dir, store) = store(&["a.onnx"]);
    for entries in [&["a.onnx", "b.onnx"][..], &["c*"]] {
        let error = store.keep(&owned(entries)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(entries.last().unwrap()), "{error}");
    }
    assert_eq!(store.unkeep(&owned(&["a.onnx"])).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert_eq!(store.keep_list().unwrap(), KeepList::default());
}

#[test]
fn a_list_that_cannot_be_read_is_an_error() {
    let (_dir, store) = store(&["a.onnx"]);
    fs::create_dir_all(store.layout.keep_file()).unwrap();
    assert_eq!(store.keep_list().unwrap_err().kind(), ErrorKind::Io);
}

proptest! {
    #[test]
    fn a_list_is_read_as_it_was_written(entries in prop::collection::vec("[a-z*?\\[\\]][a-z ]{1,6}x", 0..5)) {
        let list = KeepList::new(&entries).unwrap();
        prop_assert_eq!(KeepList::parse(&list.text()), list);
    }

    #[test]
    fn any_text_is_a_list_that_holds_what_it_names(text: String, name: String) {
        let list = KeepList::parse(&text);
        let _ = list.holds(&name);
        for entry in list.entries() {
            prop_assert!(list.holds(entry));
        }
        prop_assert!(list.unmatched(&list.entries.iter().cloned().collect::<Vec<_>>()).is_empty());
    }
}
