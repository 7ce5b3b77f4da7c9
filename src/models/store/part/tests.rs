use std::fs;
use std::path::Path;

use super::*;
use crate::models::store::Store;
use crate::models::store::lock::testing::without_locks;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    (dir, store)
}

fn unfinished(store: &Store) -> Vec<String> {
    let found = fs::read_dir(store.scratch().unwrap()).unwrap().flatten();
    found.map(|found| found.file_name().into_string().unwrap()).collect()
}

#[test]
fn what_is_not_published_is_removed() {
    let (_dir, store) = store();
    let mut part = Part::create(&store.layout, "a.onnx").unwrap();
    part.append(&mut &b"abc"[..], None).unwrap();
    assert_eq!(unfinished(&store).len(), 1);
    drop(part);
    assert!(unfinished(&store).is_empty());
}

#[test]
fn publishing_moves_the_bytes() {
    let (_dir, store) = store();
    let mut part = Part::create(&store.layout, "a.onnx").unwrap();
    part.append(&mut &b"abc"[..], None).unwrap();
    let path = part.publish(&store.layout, "a.onnx").unwrap();
    assert_eq!(fs::read(path).unwrap(), b"abc");
    assert!(unfinished(&store).is_empty());
}

#[test]
fn a_claimed_download_is_gone_on_with() {
    let (_dir, store) = store();
    let mut part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    part.append(&mut &b"ab"[..], None).unwrap();
    drop(part);
    let mut part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    assert_eq!(part.len().unwrap(), 2);
    let digest = part.append(&mut &b"c"[..], None).unwrap();
    assert_eq!(digest, Digest::read(&mut &b"abc"[..], None).unwrap());
    part.publish(&store.layout, "a.onnx").unwrap();
    assert_eq!(fs::read(store.path("a.onnx").unwrap()).unwrap(), b"abc");
    assert!(unfinished(&store).is_empty());
}

#[test]
fn a_cut_download_starts_where_it_was_cut() {
    let (_dir, store) = store();
    let mut part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    part.append(&mut &b"xyz"[..], None).unwrap();
    part.cut(0).unwrap();
    assert_eq!(part.append(&mut &b"abc"[..], None).unwrap(), Digest::read(&mut &b"abc"[..], None).unwrap());
    part.discard();
    assert!(unfinished(&store).is_empty());
}

#[test]
fn only_one_works_on_a_download() {
    let (_dir, store) = store();
    let first = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    assert!(Part::claim(&store.layout, "a.onnx", "00").unwrap().is_none());
    assert!(Part::claim(&store.layout, "a.onnx", "11").unwrap().is_some(), "another version is another download");
    drop(first);
    assert!(Part::claim(&store.layout, "a.onnx", "00").unwrap().is_some());
    assert!(unfinished(&store).is_empty(), "nothing arrived, so nothing stays");
}

#[test]
fn without_locks_each_has_a_file_of_its_own() {
    let (_dir, store) = store();
    without_locks(|| {
        let first = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
        let second = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
        assert_ne!(first.at.path(), second.at.path());
    });
}

#[test]
fn a_download_that_is_needed_no_more_is_forgotten_unless_somebody_works_on_it() {
    let (_dir, store) = store();
    let mut part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    part.append(&mut &b"ab"[..], None).unwrap();
    assert_eq!((Part::arrived(&store.layout, "a.onnx", "00"), Part::arrived(&store.layout, "a.onnx", "11")), (2, 0));
    Part::forget(&store.layout, "a.onnx", "00");
    assert_eq!(unfinished(&store).len(), 1);
    drop(part);
    Part::forget(&store.layout, "a.onnx", "00");
    assert!(unfinished(&store).is_empty());
}

#[test]
fn a_folder_goes_with_all_that_is_in_it() {
    let (_dir, store) = store();
    let folder = Folder::create(&store.layout, "a").unwrap();
    fs::write(folder.path().join("x"), "x").unwrap();
    drop(folder);
    assert!(unfinished(&store).is_empty());
}

#[test]
fn a_sweep_takes_what_was_left_behind_and_nothing_else() {
    let (_dir, store) = store();
    let part = Part::create(&store.layout, "a.onnx").unwrap();
    let folder = Folder::create(&store.layout, "box").unwrap();
    let mut download = Part::claim(&store.layout, "b.onnx", "00").unwrap().unwrap();
    download.append(&mut &b"ab"[..], None).unwrap();
    drop(download);
    fs::write(store.layout.incoming().join("left.tmp"), "x").unwrap();
    fs::create_dir(store.layout.incoming().join("folder.tmp")).unwrap();
    store.sweep().unwrap();
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut expected = vec![name(&part.at.path()), name(folder.path()), resumable("b.onnx", "00")];
    let mut found = unfinished(&store);
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
}

#[test]
fn a_child_that_was_forked_meanwhile_keeps_nothing_locked() {
    let (_dir, store) = store();
    let mut part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    part.append(&mut &b"ab"[..], None).unwrap();
    let _child_of_part = part.file.in_a_child();
    drop(part);
    assert!(Part::claim(&store.layout, "a.onnx", "00").unwrap().is_some());
    let folder = Folder::create(&store.layout, "box").unwrap();
    let path = folder.path().to_owned();
    let _child = folder.lock.in_a_child();
    drop(folder);
    assert!(!path.exists());
}

#[test]
fn a_forked_child_removes_nothing_of_its_parent() {
    let (_dir, store) = store();
    let part = Part::create(&store.layout, "a.onnx").unwrap();
    let folder = Folder::create(&store.layout, "box").unwrap();
    drop(Part { at: part.at.clone(), file: part.file.in_a_child(), stays: false });
    let directory = folder.directory.clone();
    drop(Folder { at: folder.at.clone(), directory, lock: folder.lock.in_a_child() });
    assert_eq!(unfinished(&store).len(), 2);
    assert!([&part.at, &folder.at].into_iter().all(|at| is_left(at) == Some(false)));
}

#[test]
fn what_is_about_to_be_removed_nobody_takes_up() {
    let (_dir, store) = store();
    let at = store.layout.make_folder(INCOMING).unwrap().at(resumable("a.onnx", "00"));
    fs::write(at.path(), "ab").unwrap();
    let left = take_left(&at).unwrap();
    assert!(Part::claim(&store.layout, "a.onnx", "00").unwrap().is_none());
    left.remove().unwrap();
    let part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    assert_eq!(part.len().unwrap(), 0, "it starts anew");
    assert!(take_left(&at).is_none(), "a call works on it");
    drop(part);
    assert!(take_left(&at).is_none(), "it is gone");
}

#[cfg(unix)]
#[test]
fn links_and_pipes_among_the_unfinished_are_neither_opened_nor_removed() {
    use rustix::fs::{CWD, FileType, Mode as Bits, mknodat};
    use std::os::unix::fs::symlink;

    let (dir, store) = store();
    let incoming = store.scratch().unwrap();
    let elsewhere = dir.path().join("elsewhere");
    for name in [resumable("a.onnx", "00"), "box.tmp".to_owned()] {
        symlink(&elsewhere, incoming.join(name)).unwrap();
    }
    for name in [resumable("b.onnx", "00"), "case.tmp".to_owned()] {
        mknodat(CWD, incoming.join(name), FileType::Fifo, Bits::RUSR | Bits::WUSR, 0).unwrap();
    }
    store.sweep().unwrap();
    assert_eq!(unfinished(&store).len(), 4);
    let refused = [
        Part::claim(&store.layout, "a.onnx", "00").unwrap_err(),
        Part::claim(&store.layout, "b.onnx", "00").unwrap_err(),
    ];
    for error in refused {
        assert!(error.hint().is_some_and(|hint| hint.contains("remove it")), "{error}");
    }
    assert!(!elsewhere.exists());
}
