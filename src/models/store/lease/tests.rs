use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;
use crate::models::store::Store;
use crate::models::store::lock::testing::without_locks;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

fn leased(store: &Store, wanted: &[&str]) -> Lease {
    store.lease(&names(wanted)).unwrap().unwrap()
}

fn path_of(lease: &Lease) -> PathBuf {
    lease._held.at.path()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

#[test]
fn a_lease_tells_names_and_process_until_it_is_dropped() {
    let (_dir, store) = store();
    let first = leased(&store, &["a.onnx", "b.onnx"]);
    let second = leased(&store, &["a.onnx"]);
    let pid = process::id();
    assert_eq!(store.in_use().unwrap(), BTreeMap::from([("a.onnx".into(), vec![pid]), ("b.onnx".into(), vec![pid])]));
    drop(first);
    assert_eq!(store.in_use().unwrap(), BTreeMap::from([("a.onnx".into(), vec![pid])]));
    drop(second);
    assert!(store.in_use().unwrap().is_empty());
    assert_eq!(fs::read_dir(store.layout.leases()).unwrap().count(), 0);
}

#[test]
fn the_list_of_characters_beside_a_model_is_in_use_with_it() {
    let (_dir, store) = store();
    fs::write(store.dir().join("a.txt"), "x").unwrap();
    let _lease = leased(&store, &["a.onnx", "b.onnx"]);
    assert_eq!(store.in_use().unwrap().keys().collect::<Vec<_>>(), ["a.onnx", "a.txt", "b.onnx"]);
}

#[test]
fn a_lease_whose_holder_is_gone_counts_nothing_and_is_swept() {
    let (_dir, store) = store();
    let kept = leased(&store, &["a.onnx"]);
    let left = store.layout.leases().join("lease.1.2.3");
    fs::write(&left, "pid 1\nmodel b.onnx\n").unwrap();
    assert_eq!(store.in_use().unwrap().keys().collect::<Vec<_>>(), ["a.onnx"]);
    let _hold = DirectoryLock(&store.layout).hold_alone().unwrap();
    Leases(&store.layout).sweep_leases_held().unwrap();
    assert!(!left.exists());
    assert!(path_of(&kept).exists());
}

#[test]
fn many_leases_of_processes_that_are_gone_are_swept_by_the_next_one() {
    let (_dir, store) = store();
    let kept = leased(&store, &["a.onnx"]);
    let foreign = store.layout.leases().join("notes");
    fs::write(&foreign, "").unwrap();
    let leave =
        |count| (0..count).for_each(|id| fs::write(store.layout.leases().join(format!("lease.1.2.{id}")), "").unwrap());
    let left = || fs::read_dir(store.layout.leases()).unwrap().count() - 2;
    leave(MANY - 2);
    drop(leased(&store, &["a.onnx"]));
    assert_eq!(left(), MANY - 2, "not many");
    leave(MANY + 1);
    let hold = DirectoryLock(&store.layout).hold_shared().unwrap();
    drop(leased(&store, &["a.onnx"]));
    assert_eq!(left(), MANY + 1, "another one is at work, and is not waited for");
    drop(hold);
    drop(without_locks(|| store.lease(&names(&["a.onnx"])).unwrap()));
    assert_eq!(left(), MANY + 1, "nothing tells which of them are free");
    let next = leased(&store, &["b.onnx"]);
    assert_eq!(left(), 1, "the next one");
    assert!(path_of(&kept).exists() && path_of(&next).exists() && foreign.exists());
    assert_eq!(store.in_use().unwrap().len(), 2);
}

#[test]
fn a_lease_waits_only_briefly_for_who_holds_the_directory() {
    let (_dir, store) = store();
    let hold = DirectoryLock(&store.layout).hold_alone().unwrap();
    let error = store.lease(&names(&["a.onnx"])).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.io_kind() == Some(io::ErrorKind::TimedOut), "{error}");
    assert!(error.hint().is_some() && error.to_string().contains("within 1 s"), "{error}");
    let cancelled = store.watched(|| Err(Error::new(ErrorKind::Cancelled, "enough")));
    assert_eq!(cancelled.lease(&names(&["a.onnx"])).unwrap_err().kind(), ErrorKind::Cancelled);
    drop(hold);
    drop(leased(&store, &["a.onnx"]));
}

#[test]
fn a_lease_ends_with_the_last_of_its_clones() {
    let (_dir, store) = store();
    let lease = leased(&store, &["a.onnx"]);
    let clone = lease.clone();
    drop(lease);
    assert_eq!(store.in_use().unwrap().len(), 1);
    drop(clone);
    assert!(store.in_use().unwrap().is_empty());
}

#[test]
fn a_lease_that_is_written_after_it_was_locked_is_waited_for() {
    let (_dir, store) = store();
    fs::create_dir_all(store.layout.leases()).unwrap();
    let path = store.layout.leases().join("lease.1.2.3");
    fs::write(&path, "").unwrap();
    let held = fs::File::open(&path).unwrap();
    held.lock().unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(LOOK_AGAIN / 4);
            fs::write(&path, "pid 7\nmodel a.onnx\n").unwrap();
        });
        assert_eq!(store.in_use().unwrap(), BTreeMap::from([("a.onnx".into(), vec![7])]));
    });
}

#[test]
#[cfg(target_os = "linux")]
fn a_lock_that_a_child_inherited_from_a_dead_holder_counts_nothing() {
    let mut record = Record::of_this_process(names(&["a.onnx"]));
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
    assert!(without_locks(|| store.lease(&names(&["a.onnx"]))).unwrap().is_none());
    assert_eq!(fs::read_dir(store.layout.leases()).unwrap().count(), 0);
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(Store::open(file.join("models")).unwrap().lease(&names(&["a.onnx"])).unwrap().is_none());
}

#[test]
fn a_lease_that_cannot_be_written_for_another_reason_than_a_missing_right_is_an_error() {
    let (_dir, store) = store();
    fs::create_dir(store.layout.bookkeeping()).unwrap();
    fs::write(store.layout.leases(), "").unwrap();
    let error = store.lease(&names(&["a.onnx"])).unwrap_err();
    assert!(error.kind() == ErrorKind::Io && error.to_string().contains("leases"), "{error}");
    for kind in [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::StorageFull] {
        let error = Error::io("write", &store.layout.leases(), kind.into());
        assert_eq!(is_forbidden(&error), kind != io::ErrorKind::StorageFull, "{error}");
    }
}

#[test]
fn the_directory_can_be_renamed_and_deleted_under_a_lease() {
    let outer = tempfile::tempdir().unwrap();
    let (from, to) = (outer.path().join("a"), outer.path().join("b"));
    fs::create_dir(&from).unwrap();
    let lease = leased(&Store::open(&from).unwrap(), &["a.onnx"]);
    fs::rename(&from, &to).unwrap();
    assert_eq!(Store::open(&to).unwrap().in_use().unwrap().len(), 1, "it moves with the directory");
    fs::remove_dir_all(&to).unwrap();
    drop(lease);
    assert!(!from.exists());
}

#[test]
fn a_name_with_a_line_break_neither_voids_nor_forges_a_lease() {
    let (_dir, store) = store();
    let _lease = leased(&store, &["my\nmodel.bin", "x\npid 1.onnx", "x.onnx"]);
    assert_eq!(store.in_use().unwrap(), BTreeMap::from([("x.onnx".into(), vec![process::id()])]));
    let record = Record::parse("pid 7\nmodel my\nmodel.bin\nborn\nmodel x\npid 1.onnx\npid 1\nmodel y\n").unwrap();
    assert_eq!(record, Record { pid: 7, birth: None, names: names(&["my", "x", "y"]) });
}

#[test]
fn without_names_or_a_directory_nothing_is_noted_and_nothing_made() {
    let (dir, store) = store();
    assert!(store.lease(&[]).unwrap().is_none());
    assert!(store.lease(&names(&["../a.onnx", ""])).unwrap().is_none());
    assert!(!store.layout.bookkeeping().exists());
    let missing = Store::open(dir.path().join("missing")).unwrap();
    assert!(missing.lease(&names(&["a.onnx"])).unwrap().is_none());
    assert!(!missing.dir().exists());
}

#[test]
fn a_locked_lease_that_says_nothing_stands_for_every_model() {
    let (_dir, store) = store();
    fs::create_dir_all(store.layout.leases()).unwrap();
    let path = store.layout.leases().join("lease.1.2.3");
    for content in [&b""[..], b"model a.onnx\n", b"pid x\n", b"pid 1\nmodel \xff\n", &[b' '; 1 << 20]] {
        fs::write(&path, content).unwrap();
        let held = fs::File::open(&path).unwrap();
        held.lock().unwrap();
        let error = store.in_use().unwrap_err();
        assert_eq!(error.kind(), crate::error::ErrorKind::Io);
        assert!(error.to_string().contains(&path.display().to_string()) && error.hint().is_some(), "{error}");
        drop(held);
        assert!(store.in_use().unwrap().is_empty(), "its holder is gone");
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_or_a_link_among_the_leases_may_stand_for_every_model() {
    use rustix::fs::{CWD, FileType, Mode as Bits, mknodat};
    use std::os::unix::fs::symlink;

    let (_dir, store) = store();
    let _lease = leased(&store, &["a.onnx"]);
    let (pipe, link) = (store.layout.leases().join("lease.1"), store.layout.leases().join("lease.2"));
    mknodat(CWD, &pipe, FileType::Fifo, Bits::RUSR | Bits::WUSR, 0).unwrap();
    symlink("nowhere", &link).unwrap();
    fs::create_dir(store.layout.leases().join("folder")).unwrap();
    let uses = Leases(&store.layout).uses();
    assert_eq!(uses.faults.iter().map(|(path, _)| path).collect::<Vec<_>>(), [&pipe, &link]);
    assert_eq!(uses.files.keys().collect::<Vec<_>>(), ["a.onnx"], "what can be told is told");
    fs::remove_file(pipe).unwrap();
    fs::remove_file(link).unwrap();
    store.in_use().unwrap();
}

#[cfg(unix)]
#[test]
fn a_lease_on_a_link_holds_all_that_it_leads_to() {
    use std::os::unix::fs::symlink;

    let (dir, store) = store();
    let outside = tempfile::tempdir().unwrap();
    for name in ["real.onnx", "real.txt", "other.onnx"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    symlink("real.onnx", dir.path().join("middle.bin")).unwrap();
    symlink(outside.path().join("back"), dir.path().join("link.onnx")).unwrap();
    symlink(dir.path().join("middle.bin"), outside.path().join("back")).unwrap();
    symlink("round.onnx", dir.path().join("round.onnx")).unwrap();
    let _lease = leased(&store, &["link.onnx", "round.onnx"]);
    let held: Vec<_> = store.in_use().unwrap().into_keys().collect();
    assert_eq!(held, ["link.onnx", "middle.bin", "real.onnx", "real.txt", "round.onnx"]);
}

#[test]
fn a_child_that_was_forked_meanwhile_does_not_prolong_a_lease_and_does_not_end_it() {
    let (_dir, store) = store();
    let lease = leased(&store, &["a.onnx"]);
    let held = &lease._held;
    let child = held.file.in_a_child();
    drop(Held { at: held.at.clone(), file: held.file.in_a_child() });
    assert_eq!(store.in_use().unwrap().len(), 1);
    let copy = held.at.directory().at("lease.copy");
    fs::hard_link(path_of(&lease), copy.path()).unwrap();
    drop(lease);
    assert!(is_free(&copy), "it is unlocked, not only removed");
    drop(child);
}

#[cfg(unix)]
#[test]
fn a_lease_can_be_read_by_everybody() {
    use std::os::unix::fs::PermissionsExt;

    let (_dir, store) = store();
    let lease = leased(&store, &["a.onnx"]);
    assert_eq!(fs::metadata(path_of(&lease)).unwrap().permissions().mode() & 0o777, 0o644);
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
