//! A process that is killed in the midst of its work, before each of its changes of the disk.

use std::cell::RefCell;

use super::*;
use crate::models::store::killed::{each_step, is_victim};

const NEW: [(&str, &[u8]); 3] = [("a.bin", b"new a"), ("a.txt", b"new list"), ("b.bin", b"new b")];
const OLD: [(&str, &[u8]); 2] = [("a.bin", b"old a"), ("b.bin", b"old b")];

/// Returns the archive's path, beside a directory.
fn archive_of(store: &Store) -> PathBuf {
    store.dir().with_file_name("models.zip")
}

fn fill(store: &Store, members: &[(&str, &[u8])]) {
    for (name, content) in members {
        fs::write(store.path(name).unwrap(), content).unwrap();
    }
}

fn owned(members: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    members.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect()
}

/// Kills the import of the test called `name`, into a directory of `before`, at each step. Gives the number of steps.
fn kill_imports(name: &str, before: &[(&str, &[u8])]) -> u64 {
    let (_made, from) = store(&NEW);
    let made = archive_of(&from);
    from.export(&made, &[], &mut go_on).unwrap();
    let (before_all, new) = (owned(before), owned(&NEW));
    let prepare = |to: &Store| {
        fill(to, before);
        fs::copy(&made, archive_of(to)).unwrap();
    };
    let check = |to: &Store| {
        let left = contents(to);
        for (name, content) in &left {
            let is_whole = new.get(name) == Some(content) || before_all.get(name) == Some(content);
            assert!(is_whole, "{name}");
        }
        assert!(before_all.keys().all(|name| left.contains_key(name)));
        to.import(&archive_of(to), REPLACE, &mut go_on).unwrap();
        assert_eq!(contents(to), new);
        assert_eq!(fs::read_dir(to.scratch().unwrap()).unwrap().count(), 0);
        for trashed in to.trashed().unwrap() {
            assert_eq!(Some(&fs::read(&trashed.path).unwrap()), before_all.get(&trashed.name));
        }
    };
    each_step(name, prepare, check)
}

fn import(store: &Store) {
    store.import(&archive_of(store), REPLACE, &mut go_on).unwrap();
}

#[test]
fn an_import_leaves_whole_files_and_can_be_done_again() {
    if !is_victim(import) {
        let name = "models::store::archive::tests::killed::an_import_leaves_whole_files_and_can_be_done_again";
        let steps = kill_imports(name, &[]);
        assert!(steps > 20, "{steps}");
    }
}

#[test]
fn an_import_that_replaces_leaves_the_old_or_the_new() {
    if !is_victim(import) {
        let name = "models::store::archive::tests::killed::an_import_that_replaces_leaves_the_old_or_the_new";
        let steps = kill_imports(name, &OLD);
        assert!(steps > 25, "{steps}");
    }
}

#[test]
fn an_export_leaves_the_archive_before_or_the_new_one() {
    let export = |store: &Store| store.export(&archive_of(store), &[], &mut go_on).unwrap();
    if !is_victim(|store| drop(export(store))) {
        let prepare = |store: &Store| {
            fill(store, &NEW);
            fs::write(archive_of(store), "before").unwrap();
        };
        let last = RefCell::default();
        let check = |store: &Store| {
            assert_eq!(contents(store), owned(&NEW));
            let found = fs::read(archive_of(store)).unwrap();
            export(store);
            let whole = fs::read(archive_of(store)).unwrap();
            assert!(found == b"before" || found == whole);
            last.replace((found, whole));
        };
        let name = "models::store::archive::tests::killed::an_export_leaves_the_archive_before_or_the_new_one";
        let steps = each_step(name, prepare, check);
        assert!(steps > 5, "{steps}");
        let (found, whole) = last.into_inner();
        assert_eq!(found, whole, "the one that was not killed");
    }
}
