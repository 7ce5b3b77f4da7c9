//! A process that is killed before any change of the disk leaves a directory that the next command understands.
//!
//! Each test runs itself again in a process of its own, which ends before its n-th change, for every n there is.

use std::env;
use std::fs;
use std::process::{Command, Stdio};

use super::disk::steps;
use super::*;

const DIR: &str = "FERROCR_TEST_KILLED_IN";
const AFTER: &str = "FERROCR_TEST_KILLED_AFTER";

/// The work of the process that ends early, which is this one if the variables say so.
pub(in crate::models) fn is_victim(work: impl FnOnce(&Store)) -> bool {
    let (Some(dir), Ok(after)) = (env::var_os(DIR), env::var(AFTER)) else { return false };
    steps::end_after(after.parse().unwrap());
    work(&Store::open(dir).unwrap());
    // Steps that follow the work are not part of it.
    steps::end_after(u64::MAX);
    true
}

/// Runs the test called `name` as a victim in fresh directories, one change later each time, until it ends by itself.
/// Gives the number of changes.
pub(in crate::models) fn each_step(name: &str, prepare: impl Fn(&Store), check: impl Fn(&Store)) -> u64 {
    for after in 0.. {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("models")).unwrap();
        fs::create_dir(store.dir()).unwrap();
        prepare(&store);
        let mut victim = Command::new(env::current_exe().unwrap());
        victim.args([name, "--exact", "--include-ignored", "--test-threads=1"]).stdout(Stdio::null());
        let status = victim.env(DIR, store.dir()).env(AFTER, after.to_string()).status().unwrap();
        check(&store);
        match status.code() {
            Some(steps::ENDED) => {}
            Some(0) => return after,
            other => panic!("after {after} changes the process ended with {other:?}"),
        }
    }
    unreachable!("a process makes only so many changes")
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn fill(store: &Store, names: &[&str]) {
    for name in names {
        fs::write(store.dir().join(name), name).unwrap();
    }
}

/// Each of the files is in the directory or in the trash, whole, and the store goes on working.
fn nothing_is_lost(store: &Store, names: &[&str]) {
    let trashed = store.trashed().unwrap();
    for name in names {
        let here = fs::read_to_string(store.dir().join(name)).ok();
        let removed = trashed.iter().find(|trashed| trashed.name == *name);
        let removed = removed.and_then(|trashed| fs::read_to_string(&trashed.path).ok());
        assert_eq!(here.or(removed).as_deref(), Some(*name));
    }
    assert!(store.in_use().unwrap().is_empty());
    store.sweep().unwrap();
    assert!(is_empty(&store.layout.incoming()), "nothing unfinished stays");
    let rest: Vec<_> = names.iter().filter(|name| !store.dir().join(name).exists()).copied().collect();
    if !rest.is_empty() {
        store.restore(&owned(&rest), None, false).unwrap();
    }
    store.remove(&owned(names), &RemoveOptions::default()).unwrap();
    store.purge(None, false).unwrap();
    assert!(is_empty(&store.layout.trash()));
}

fn is_empty(folder: &Path) -> bool {
    fs::read_dir(folder).map_or(true, |mut found| found.next().is_none())
}

const NAMES: [&str; 3] = ["a.onnx", "b.onnx", "c.onnx"];

#[test]
fn while_removing() {
    if !is_victim(|store| drop(store.remove(&owned(&NAMES), &RemoveOptions::default()).unwrap())) {
        let name = "models::store::killed::while_removing";
        let steps = each_step(name, |store| fill(store, &NAMES), |store| nothing_is_lost(store, &NAMES));
        assert!(steps >= 3, "each file moves");
    }
}

#[test]
fn while_restoring() {
    if !is_victim(|store| drop(store.restore(&[], None, false).unwrap())) {
        let prepare = |store: &Store| {
            fill(store, &NAMES);
            store.remove(&owned(&NAMES), &RemoveOptions::default()).unwrap();
        };
        let steps =
            each_step("models::store::killed::while_restoring", prepare, |store| nothing_is_lost(store, &NAMES));
        assert!(steps >= 3, "each file moves");
    }
}

#[test]
fn while_replacing_a_model() {
    let expected =
        Expected { bytes: Some(3), sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };
    if !is_victim(|store| drop(store.admit_from("a.onnx", &expected, &mut &b"abc"[..]).unwrap())) {
        let check = |store: &Store| {
            let here = fs::read_to_string(store.dir().join("a.onnx")).unwrap();
            assert!(here == "a.onnx" || here == "abc", "at no time is there no file");
            if here == "abc" {
                assert_eq!(fs::read_to_string(&store.trashed().unwrap()[0].path).unwrap(), "a.onnx");
            }
            store.admit_from("a.onnx", &expected, &mut &b"abc"[..]).unwrap();
            store.sweep().unwrap();
            assert!(is_empty(&store.layout.incoming()));
            assert_eq!(store.list().unwrap(), ["a.onnx"]);
        };
        let name = "models::store::killed::while_replacing_a_model";
        assert!(each_step(name, |store| fill(store, &["a.onnx"]), check) >= 3);
    }
}

#[test]
fn while_keeping() {
    if !is_victim(|store| drop(store.keep(&owned(&["b.onnx"])).unwrap())) {
        let prepare = |store: &Store| {
            fill(store, &NAMES);
            store.keep(&owned(&["a.onnx"])).unwrap();
        };
        let check = |store: &Store| {
            let list = store.keep_list().unwrap();
            assert!(list.holds("a.onnx"), "what was kept stays kept");
            store.sweep().unwrap();
            assert!(is_empty(&store.layout.incoming()));
            store.unkeep(&list.entries().map(str::to_owned).collect::<Vec<_>>()).unwrap();
            nothing_is_lost(store, &NAMES);
        };
        assert!(each_step("models::store::killed::while_keeping", prepare, check) >= 3);
    }
}

#[test]
fn while_taking_a_lease() {
    if !is_victim(|store| drop(store.lease(&owned(&["a.onnx"])).unwrap())) {
        let name = "models::store::killed::while_taking_a_lease";
        let check = |store: &Store| {
            nothing_is_lost(store, &NAMES);
            assert!(is_empty(&store.layout.leases()), "a removal sweeps what dead holders left");
        };
        assert!(each_step(name, |store| fill(store, &NAMES), check) >= 3);
    }
}

#[test]
fn while_purging() {
    if !is_victim(|store| drop(store.purge(None, false).unwrap())) {
        let prepare = |store: &Store| {
            fill(store, &NAMES);
            store.remove(&owned(&NAMES), &RemoveOptions::default()).unwrap();
        };
        let check = |store: &Store| {
            store.purge(None, false).unwrap();
            assert!(store.trashed().unwrap().is_empty() && store.list().unwrap().is_empty());
        };
        assert!(each_step("models::store::killed::while_purging", prepare, check) >= 3);
    }
}
