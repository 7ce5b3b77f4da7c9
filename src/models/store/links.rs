//! Links in the bookkeeping lead the store nowhere, also those that are put there at the very moment.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::*;
use crate::error::ErrorKind;
use crate::models::store::part::Folder;

const PLACES: [&str; 4] = [".ferrocr", ".ferrocr/incoming", ".ferrocr/leases", ".ferrocr/trash"];

const ABC: Expected<'static> =
    Expected { bytes: Some(3), sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" };

/// Returns a folder that looks like bookkeeping, and like the folders in it, and belongs to somebody else.
fn outside() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for folder in ["", "incoming", "leases", "trash"] {
        let folder = dir.path().join(folder);
        for inner in ["1700000000000-0000-1", "folder.tmp"] {
            fs::create_dir_all(folder.join(inner)).unwrap();
            fs::write(folder.join(inner).join("a.onnx"), "precious").unwrap();
        }
        for name in ["thesis.part", "thesis.tmp", "lease.1", "a.onnx", "notes"] {
            fs::write(folder.join(name), "precious").unwrap();
        }
        fs::write(folder.join("keep"), "b.onnx\n").unwrap();
    }
    dir
}

fn contents(folder: &Path) -> Vec<(PathBuf, Option<Vec<u8>>)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend([vec![(path.clone(), None)], contents(&path)].concat()),
            false => found.push((path.clone(), fs::read(&path).ok())),
        }
    }
    found.sort();
    found
}

/// Returns a store with some of everything.
fn filled() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    fs::create_dir(store.dir()).unwrap();
    for name in ["a.onnx", "b.onnx", "old_c.onnx"] {
        fs::write(store.dir().join(name), name).unwrap();
    }
    store.keep(&["b.onnx".to_owned()]).unwrap();
    drop(store.lease(&["a.onnx".to_owned()]).unwrap());
    store.remove(&["old_c.onnx".to_owned()], &RemoveOptions::default()).unwrap();
    (dir, store)
}

/// Everything that changes the bookkeeping, and what it came to.
fn use_all(store: &Store) -> Vec<Result<()>> {
    let named = ["a.onnx".to_owned()];
    let nothing = RemoveOptions::default();
    let partial = Selection { states: vec![State::Partial], ..Selection::default() };
    vec![
        store.admit_from("new.onnx", &ABC, &mut &b"abc"[..]).map(drop),
        Part::claim(&store.layout, "d.onnx", "00").map(drop),
        Folder::create(&store.layout, "box").map(drop),
        store.sweep(),
        store.keep(&named).and_then(|_| store.unkeep(&named)).map(drop),
        store.remove(&named, &nothing).map(drop),
        store.prune(&partial, &nothing).map(drop),
        store.restore(&[], None, false).map(drop),
        store.lease(&named).map(drop),
        store.remove(&["new.onnx".to_owned()], &nothing).map(drop),
        store.purge(None, false).map(drop),
    ]
}

#[test]
fn a_link_in_a_folder_s_place_is_named_and_not_followed() {
    let outside = outside();
    let before = contents(outside.path());
    for place in PLACES {
        let (dir, store) = filled();
        let folder = store.dir().join(place);
        fs::rename(&folder, dir.path().join("away")).unwrap();
        symlink(outside.path(), &folder).unwrap();
        let refused: Vec<_> = use_all(&store).into_iter().filter_map(Result::err).collect();
        let names_it = |error: &Error| error.to_string().contains(&format!("{}: it is a link", folder.display()));
        let hint = format!("{} there: remove it", folder.display());
        assert!(refused.iter().any(|error| names_it(error) && error.hint().is_some_and(|it| it.ends_with(&hint))));
        for error in refused {
            assert!(names_it(&error) || error.kind() != ErrorKind::Io, "{place}: {error}");
        }
        let audit = store.audit(&AuditOptions::default()).unwrap();
        let found: Vec<_> = audit.entries.iter().filter(|entry| entry.path.starts_with(&folder)).collect();
        assert_eq!((found.len(), found[0].state), (1, State::Foreign), "{place}: {found:?}");
        assert!(contents(outside.path()) == before, "something outside has changed: {place}");
    }
}

#[test]
fn a_link_in_a_file_s_place_is_named_and_not_followed() {
    for name in ["lock", "keep"] {
        let (dir, store) = filled();
        let (path, outside) = (store.layout.bookkeeping().join(name), dir.path().join("outside"));
        fs::write(&outside, "b.onnx\n").unwrap();
        fs::remove_file(&path).unwrap();
        symlink(&outside, &path).unwrap();
        let refused = use_all(&store).into_iter().filter_map(Result::err);
        let named = format!("{}: it is a link", path.display());
        assert!(refused.filter(|error| error.to_string().contains(&named)).count() > 2, "{name}");
        assert_eq!(fs::read_to_string(&outside).unwrap(), "b.onnx\n");
    }
}

#[test]
fn the_directory_itself_may_be_a_link() {
    let (dir, store) = filled();
    symlink(store.dir(), dir.path().join("link")).unwrap();
    let linked = Store::open(dir.path().join("link")).unwrap();
    for outcome in use_all(&linked) {
        outcome.unwrap();
    }
}

/// Folders and links change places all the time, each in one step.
#[cfg(target_os = "linux")]
#[test]
fn a_link_that_is_put_there_at_that_very_moment_is_not_followed() {
    use rustix::fs::{CWD, RenameFlags, renameat_with};

    const ROUNDS: u32 = 25;
    let outside = outside();
    let before = contents(outside.path());
    for place in PLACES {
        let (dir, store) = filled();
        let (folder, link) = (store.dir().join(place), dir.path().join("link"));
        symlink(outside.path(), &link).unwrap();
        let is_over = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    // The folder may not be there for a moment.
                    let _ = renameat_with(CWD, &folder, CWD, &link, RenameFlags::EXCHANGE);
                    thread::yield_now();
                }
            });
            for round in 0..ROUNDS {
                for name in ["a.onnx", "old_c.onnx"] {
                    fs::write(store.dir().join(name), format!("{round}")).unwrap();
                }
                // Whatever it comes to.
                drop(use_all(&store));
            }
            is_over.store(true, Ordering::Relaxed);
        });
        assert!(contents(outside.path()) == before, "something outside has changed: {place}");
    }
}
