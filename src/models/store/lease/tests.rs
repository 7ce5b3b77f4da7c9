use proptest::prelude::*;

use super::*;
use crate::models::store::lock::testing::without_locks;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_lease_tells_names_and_process_until_it_is_dropped() {
    let (_dir, store) = store();
    let first = store.lease(&names(&["a.onnx", "b.onnx"])).unwrap();
    let second = store.lease(&names(&["a.onnx"])).unwrap();
    let pid = process::id();
    assert_eq!(store.in_use(), BTreeMap::from([("a.onnx".into(), vec![pid]), ("b.onnx".into(), vec![pid])]));
    drop(first);
    assert_eq!(store.in_use(), BTreeMap::from([("a.onnx".into(), vec![pid])]));
    drop(second);
    assert!(store.in_use().is_empty());
    assert_eq!(fs::read_dir(store.leases()).unwrap().count(), 0);
}

#[test]
fn the_list_of_characters_beside_a_model_is_in_use_with_it() {
    let (_dir, store) = store();
    fs::write(store.dir().join("a.txt"), "x").unwrap();
    let _lease = store.lease(&names(&["a.onnx", "b.onnx"])).unwrap();
    assert_eq!(store.in_use().keys().collect::<Vec<_>>(), ["a.onnx", "a.txt", "b.onnx"]);
}

#[test]
fn a_lease_whose_holder_is_gone_counts_nothing_and_is_swept() {
    let (_dir, store) = store();
    let kept = store.lease(&names(&["a.onnx"])).unwrap();
    let left = store.leases().join("lease.1.2.3");
    fs::write(&left, "pid 1\nmodel b.onnx\n").unwrap();
    assert_eq!(store.in_use().keys().collect::<Vec<_>>(), ["a.onnx"]);
    let _hold = store.hold_alone().unwrap();
    store.sweep_leases_held().unwrap();
    assert!(!left.exists());
    assert!(kept.path.exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_lock_that_a_child_inherited_from_a_dead_holder_counts_nothing() {
    let mut record = Record::of_this_process(&names(&["a.onnx"]));
    assert!(!record.has_ended());
    if let Some(birth) = &mut record.birth {
        birth.ticks = "1".to_owned();
    }
    assert!(record.has_ended(), "a process with that id, but born at another time");
    record.pid = u32::MAX;
    assert!(record.has_ended(), "no such process");
    if let Some(birth) = &mut record.birth {
        birth.system = "elsewhere".to_owned();
    }
    assert!(!record.has_ended(), "nothing is known about processes elsewhere");
}

#[test]
fn without_locks_or_a_directory_to_write_there_is_no_lease() {
    let (dir, store) = store();
    assert!(without_locks(|| store.lease(&names(&["a.onnx"]))).is_none());
    assert_eq!(fs::read_dir(store.leases()).unwrap().count(), 0);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Store::open(file.join("models")).unwrap().lease(&names(&["a.onnx"])).is_none());
}

#[test]
fn the_directory_can_be_renamed_and_deleted_under_a_lease() {
    let outer = tempfile::tempdir().unwrap();
    let (from, to) = (outer.path().join("a"), outer.path().join("b"));
    let lease = Store::open(&from).unwrap().lease(&names(&["a.onnx"])).unwrap();
    fs::rename(&from, &to).unwrap();
    assert_eq!(Store::open(&to).unwrap().in_use().len(), 1, "it moves with the directory");
    fs::remove_dir_all(&to).unwrap();
    drop(lease);
    assert!(!from.exists());
}

proptest! {
    #[test]
    fn what_is_written_is_read(pid: u32, names in prop::collection::vec("[^\\r\\n]{1,12}", 0..4), born: bool) {
        let birth = born.then(|| Birth { system: "boot/pid:[1]".to_owned(), ticks: "12".to_owned() });
        let record = Record { pid, birth, names };
        prop_assert_eq!(Record::parse(&record.text()), Some(record));
    }

    #[test]
    fn any_text_is_read_without_harm(text: String) {
        let _ = Record::parse(&text);
    }
}
