use std::fs;
use std::sync::Arc;

use super::*;
use crate::models::store::Store;

fn lock_of(store: &Store) -> Location {
    store.layout.make_bookkeeping().unwrap().at(LOCK)
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

#[test]
fn one_alone_or_many_together() {
    let (_dir, store) = store();
    let at = lock_of(&store);
    let open = || disk::open(&at, Access::Writers).unwrap();
    let first = DirectoryLock(&store.layout).hold_shared().unwrap();
    let _second = DirectoryLock(&store.layout).hold_shared().unwrap();
    let other = open();
    assert_eq!(attempt(&other, Mode::Exclusive), Attempt::Busy);
    drop(first);
    assert_eq!(attempt(&other, Mode::Exclusive), Attempt::Busy);
    drop(_second);
    assert_eq!(attempt(&other, Mode::Exclusive), Attempt::Held);
    assert_eq!(attempt(&open(), Mode::Shared), Attempt::Busy);
}

#[test]
fn who_waits_asks_whether_to_wait_on() {
    let (_dir, store) = store();
    let _held = DirectoryLock(&store.layout).hold_alone().unwrap();
    let looks = Arc::new(std::sync::atomic::AtomicU32::new(0));
    let counted = Arc::clone(&looks);
    let waiting = store.watched(move || match counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed) {
        0 => Ok(()),
        _ => Err(Error::new(ErrorKind::Cancelled, "enough")),
    });
    for wait in [DirectoryLock::hold_shared, DirectoryLock::hold_alone, DirectoryLock::hold_briefly] {
        looks.store(0, std::sync::atomic::Ordering::Relaxed);
        let error = wait(&DirectoryLock(&waiting.layout)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled, "{error}");
        assert_eq!(looks.load(std::sync::atomic::Ordering::Relaxed), 2);
    }
}

#[test]
fn who_looks_at_a_new_file_for_too_long_is_told_of() {
    let (dir, store) = store();
    let path = dir.path().join("new");
    let file = Locked::new(File::create(&path).unwrap());
    let looking = File::open(&path).unwrap();
    looking.lock_shared().unwrap();
    let error = DirectoryLock(&store.layout).lock_new(&file).unwrap_err();
    assert_eq!(error.io_kind(), Some(io::ErrorKind::TimedOut), "{error}");
    let watched = store.watched(|| Err(Error::new(ErrorKind::Cancelled, "enough")));
    assert_eq!(DirectoryLock(&watched.layout).lock_new(&file).unwrap_err().kind(), ErrorKind::Cancelled);
    looking.unlock().unwrap();
    assert!(DirectoryLock(&store.layout).lock_new(&file).unwrap());
    assert!(!testing::without_locks(|| DirectoryLock(&store.layout).lock_new(&file)).unwrap());
}

#[test]
fn a_lock_file_that_was_removed_by_hand_holds_nobody_up() {
    let (_dir, store) = store();
    let held = DirectoryLock(&store.layout).hold_alone().unwrap();
    fs::remove_dir_all(store.layout.bookkeeping()).unwrap();
    let _again = DirectoryLock(&store.layout).hold_alone().unwrap();
    drop(held);
}

#[test]
fn without_locks_nobody_waits() {
    let (_dir, store) = store();
    testing::without_locks(|| {
        let _first = DirectoryLock(&store.layout).hold_alone().unwrap();
        let _second = DirectoryLock(&store.layout).hold_alone().unwrap();
    });
}

fn is_free(store: &Store) -> bool {
    let lock = Locked::open(&lock_of(store)).unwrap();
    attempt(&lock, Mode::Exclusive) == Attempt::Held
}

#[test]
fn a_child_that_was_forked_meanwhile_holds_nobody_up_and_gives_nothing_back() {
    let (_dir, store) = store();
    for hold in [DirectoryLock::hold_shared, DirectoryLock::hold_alone] {
        let held = hold(&DirectoryLock(&store.layout)).unwrap();
        let child = held._lock.in_a_child();
        drop(held._lock.in_a_child());
        assert!(!is_free(&store), "the lock is the parent's");
        drop(held);
        assert!(is_free(&store), "the child is still there");
        drop(child);
    }
}

#[test]
fn where_no_gate_can_be_there_is_none() {
    let (_dir, store) = store();
    fs::create_dir_all(store.layout.bookkeeping().join(GATE)).unwrap();
    drop(DirectoryLock(&store.layout).hold_alone().unwrap());
    drop(DirectoryLock(&store.layout).hold_shared().unwrap());
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_is_a_link_or_a_pipe_is_refused_at_once() {
    use rustix::fs::{CWD, FileType, Mode as Bits, mknodat};
    use std::os::unix::fs::symlink;

    let (dir, store) = store();
    fs::create_dir(store.layout.bookkeeping()).unwrap();
    let (lock, elsewhere) = (store.layout.bookkeeping().join(LOCK), dir.path().join("elsewhere"));
    let refuse = || {
        let error = DirectoryLock(&store.layout).hold_alone().unwrap_err();
        assert!(error.to_string().contains(&lock.display().to_string()), "{error}");
        assert!(error.hint().is_some_and(|hint| hint.contains("remove it")), "{error}");
    };
    symlink(&elsewhere, &lock).unwrap();
    refuse();
    assert!(!elsewhere.exists());
    fs::remove_file(&lock).unwrap();
    mknodat(CWD, &lock, FileType::Fifo, Bits::RUSR | Bits::WUSR, 0).unwrap();
    refuse();
}

#[test]
fn who_waits_to_hold_it_alone_goes_before_those_who_come_later() {
    let (_dir, store) = store();
    let held = DirectoryLock(&store.layout).hold_shared().unwrap();
    let bookkeeping = store.layout.make_bookkeeping().unwrap();
    let gate = || Locked::open(&bookkeeping.at(GATE)).unwrap();
    thread::scope(|scope| {
        let alone = scope.spawn(|| DirectoryLock(&store.layout).hold_alone().unwrap());
        while attempt(&gate(), Mode::Shared) != Attempt::Busy {
            thread::sleep(PAUSE);
        }
        let shared = scope.spawn(|| DirectoryLock(&store.layout).hold_shared().unwrap());
        thread::sleep(PAUSE * 20);
        assert!(!shared.is_finished(), "it waits, although others hold the directory together");
        drop(held);
        drop(alone.join().unwrap());
        shared.join().unwrap();
    });
}

#[test]
fn many_who_hold_it_together_by_turns_starve_nobody() {
    let (_dir, store) = store();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    let _hold = DirectoryLock(&store.layout).hold_shared().unwrap();
                    thread::sleep(PAUSE);
                }
            });
        }
        let started = Instant::now();
        for _ in 0..10 {
            DirectoryLock(&store.layout).hold_alone().unwrap();
        }
        let took = started.elapsed();
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(took < PATIENCE / 3, "ten times took {took:?}");
    });
}
