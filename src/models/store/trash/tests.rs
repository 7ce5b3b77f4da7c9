use super::*;
use crate::error::Hint;
use crate::models::store::Store;

fn store(names: &[&str]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for name in names {
        fs::write(store.path(name).unwrap(), name).unwrap();
    }
    (dir, store)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn names_of(trashed: &[Trashed]) -> Vec<&str> {
    trashed.iter().map(|trashed| trashed.name.as_str()).collect()
}

fn discard(store: &Store, names: &[&str]) -> String {
    let _hold = DirectoryLock(&store.layout).hold_alone().unwrap();
    Trash(&store.layout).discard_held(&owned(names)).unwrap()
}

#[test]
fn what_was_removed_comes_back() {
    let (_dir, store) = store(&["a.onnx", "b.onnx", "c.onnx"]);
    let first = discard(&store, &["a.onnx"]);
    let second = discard(&store, &["b.onnx", "c.onnx"]);
    assert!(first < second);
    assert!(store.list().unwrap().is_empty());
    let trashed = store.trashed().unwrap();
    assert_eq!(names_of(&trashed), ["a.onnx", "b.onnx", "c.onnx"]);
    assert!(trashed[0].removed.elapsed().is_ok_and(|age| age < Duration::from_secs(60)));
    assert_eq!(trashed[0].bytes, 6);

    assert_eq!(names_of(&store.restore(&[], None, true).unwrap()), ["b.onnx", "c.onnx"]);
    assert!(store.list().unwrap().is_empty(), "a dry run moves nothing");
    store.restore(&[], None, false).unwrap();
    assert_eq!(store.list().unwrap(), ["b.onnx", "c.onnx"]);
    assert_eq!(fs::read_to_string(store.path("b.onnx").unwrap()).unwrap(), "b.onnx");
    store.restore(&owned(&["a.onnx"]), None, false).unwrap();
    assert_eq!(store.list().unwrap(), ["a.onnx", "b.onnx", "c.onnx"]);
    assert_eq!(fs::read_dir(store.layout.trash()).unwrap().count(), 0);
}

#[test]
fn the_latest_copy_comes_back_unless_another_is_asked_for() {
    let (_dir, store) = store(&["a.onnx"]);
    let old = discard(&store, &["a.onnx"]);
    fs::write(store.path("a.onnx").unwrap(), "new").unwrap();
    discard(&store, &["a.onnx"]);
    store.restore(&owned(&["a.onnx"]), None, false).unwrap();
    assert_eq!(fs::read_to_string(store.path("a.onnx").unwrap()).unwrap(), "new");
    fs::remove_file(store.path("a.onnx").unwrap()).unwrap();
    store.restore(&[], Some(&old), false).unwrap();
    assert_eq!(fs::read_to_string(store.path("a.onnx").unwrap()).unwrap(), "a.onnx");
}

#[test]
fn a_clock_that_was_ahead_puts_no_removal_before_an_earlier_one() {
    let (_dir, store) = store(&["a.onnx", "b.onnx", "c.onnx"]);
    let ahead = "9000000000000-0007-1";
    let first = discard(&store, &["a.onnx"]);
    fs::rename(store.layout.trash().join(&first), store.layout.trash().join(ahead)).unwrap();
    let second = discard(&store, &["b.onnx"]);
    let third = discard(&store, &["c.onnx"]);
    assert!(ahead < second.as_str() && second < third, "{second}, {third}");
    let trashed = store.trashed().unwrap();
    assert_eq!(names_of(&trashed), ["a.onnx", "b.onnx", "c.onnx"]);
    let day = Duration::from_secs(86_400);
    assert!(trashed.iter().all(|trashed| trashed.removed.elapsed().is_ok_and(|age| age < day)), "{trashed:?}");
    assert!(store.purge(Some(day), true).unwrap().is_empty());
    assert_eq!(store.purge(Some(Duration::ZERO), true).unwrap().len(), 3);
    assert_eq!(names_of(&store.restore(&[], None, false).unwrap()), ["c.onnx"]);
    assert_eq!(names_of(&store.restore(&[], None, false).unwrap()), ["b.onnx"]);
}

#[test]
fn removals_are_told_apart_up_to_the_last_name_there_is() {
    let next = |removal: &str| {
        let Sequence { time, call } = Sequence::of(removal).unwrap().next();
        format!("{time:013}-{call:04}-1")
    };
    assert_eq!(next("1763845200123-0000-1"), "1763845200123-0001-1");
    assert_eq!(next("1763845200123-9999-1"), "1763845200124-0000-1");
    assert_eq!(next("9999999999999-9999-1"), "9999999999999-10000-1");
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    let last = store.layout.trash().join("9999999999999-9999-1");
    fs::create_dir_all(&last).unwrap();
    for name in ["a.onnx", "b.onnx"] {
        discard(&store, &[name]);
    }
    assert_eq!(names_of(&store.trashed().unwrap()), ["a.onnx", "b.onnx"]);
}

#[test]
fn a_restore_replaces_nothing_and_moves_all_or_none() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    discard(&store, &["a.onnx", "b.onnx"]);
    fs::write(store.path("b.onnx").unwrap(), "mine").unwrap();
    let error = store.restore(&[], None, false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("b.onnx"), "{error}");
    assert_eq!(store.list().unwrap(), ["b.onnx"]);
    assert_eq!(fs::read_to_string(store.path("b.onnx").unwrap()).unwrap(), "mine");
}

#[test]
fn what_is_not_in_the_trash_is_an_error() {
    let (_dir, store) = store(&["a.onnx"]);
    assert_eq!(store.restore(&[], None, false).unwrap_err().kind(), ErrorKind::ModelNotFound);
    discard(&store, &["a.onnx"]);
    assert_eq!(store.restore(&owned(&["b.onnx"]), None, false).unwrap_err().kind(), ErrorKind::ModelNotFound);
    assert_eq!(store.restore(&[], Some("0"), false).unwrap_err().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn a_purge_goes_by_age() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    discard(&store, &["a.onnx"]);
    let old = store.layout.trash().join("0000000000000-0000-1");
    fs::create_dir(&old).unwrap();
    fs::write(old.join("b.onnx"), "old").unwrap();
    let day = Some(Duration::from_secs(86_400));
    assert_eq!(names_of(&store.purge(day, true).unwrap()), ["b.onnx"]);
    assert!(old.exists());
    assert_eq!(names_of(&store.purge(day, false).unwrap()), ["b.onnx"]);
    assert!(!old.exists());
    assert_eq!(names_of(&store.purge(None, false).unwrap()), ["a.onnx"]);
    assert!(store.trashed().unwrap().is_empty());
    assert!(store.list().unwrap() == ["b.onnx"], "only the trash is emptied");
}

#[test]
fn a_file_that_cannot_be_moved_leaves_all_where_they_were() {
    let (_dir, store) = store(&["a.onnx"]);
    let _hold = DirectoryLock(&store.layout).hold_alone().unwrap();
    Trash(&store.layout).discard_held(&owned(&["a.onnx", "gone.onnx"])).unwrap_err();
    assert_eq!(store.list().unwrap(), ["a.onnx"]);
    assert_eq!(fs::read_dir(store.layout.trash()).unwrap().count(), 0);
}

#[test]
fn what_is_replaced_goes_to_the_trash() {
    let (_dir, store) = store(&["a.onnx"]);
    let from = store.layout.make_folder("incoming").unwrap().at("new");
    fs::write(from.path(), "new").unwrap();
    Trash(&store.layout).publish_held(&[(from, store.layout.at("a.onnx").unwrap())]).unwrap();
    assert_eq!(fs::read_to_string(store.path("a.onnx").unwrap()).unwrap(), "new");
    let trashed = store.trashed().unwrap();
    assert_eq!(names_of(&trashed), ["a.onnx"]);
    assert_eq!(fs::read_to_string(&trashed[0].path).unwrap(), "a.onnx");
}

#[test]
fn what_one_import_replaces_comes_back_in_one_step() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    let files = ["a.onnx", "b.onnx"].map(|name| {
        let from = store.layout.make_folder("incoming").unwrap().at(name);
        fs::write(from.path(), "new").unwrap();
        (from, store.layout.at(name).unwrap())
    });
    Trash(&store.layout).publish_held(&files).unwrap();
    for name in ["a.onnx", "b.onnx"] {
        fs::remove_file(store.path(name).unwrap()).unwrap();
    }
    assert_eq!(names_of(&store.restore(&[], None, false).unwrap()), ["a.onnx", "b.onnx"]);
}

#[test]
fn foreign_things_in_the_trash_are_left_alone() {
    let (_dir, store) = store(&["a.onnx"]);
    discard(&store, &["a.onnx"]);
    fs::write(store.layout.trash().join("notes.txt"), "x").unwrap();
    fs::create_dir(store.layout.trash().join("photos")).unwrap();
    fs::write(store.layout.trash().join("photos/a.onnx"), "x").unwrap();
    assert_eq!(names_of(&store.trashed().unwrap()), ["a.onnx"]);
    store.purge(None, false).unwrap();
    assert!(store.layout.trash().join("photos/a.onnx").exists() && store.layout.trash().join("notes.txt").exists());
}

#[test]
fn only_the_store_s_own_names_are_removals() {
    for name in ["0000000000000-0000-1", "1763845200123-0007-4242", "1763845200123-12345-4194304"] {
        assert!(is_removal(name), "{name}");
    }
    let others = [
        "",
        "2024-backup",
        "1763845200123-0007",
        "1763845200123-0007-",
        "1763845200123-007-1",
        "176384520012-0007-1",
        "17638452001234-0007-1",
        "+763845200123-0007-1",
        "1763845200123-0007-1-1",
        "1763845200123-0007-1 ",
        "\u{661}763845200123-0007-1",
        "1763845200123-0007-\u{661}",
    ];
    for name in others {
        assert!(!is_removal(name), "{name}");
    }
}

#[test]
fn an_operator_s_own_folders_are_never_purged() {
    let (_dir, store) = store(&["a.onnx"]);
    discard(&store, &["a.onnx"]);
    let own = store.layout.trash().join("2024-backup");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("thesis.txt"), "x").unwrap();
    assert_eq!(names_of(&store.purge(None, false).unwrap()), ["a.onnx"]);
    assert!(own.join("thesis.txt").exists());
}

#[cfg(unix)]
#[test]
fn a_link_in_the_trash_leads_nowhere() {
    let (dir, store) = store(&["a.onnx"]);
    discard(&store, &["a.onnx"]);
    let own = dir.path().join("own");
    fs::create_dir(&own).unwrap();
    fs::write(own.join("thesis.txt"), "x").unwrap();
    std::os::unix::fs::symlink(&own, store.layout.trash().join("0000000000000-0000-1")).unwrap();
    assert_eq!(names_of(&store.purge(None, false).unwrap()), ["a.onnx"]);
    assert!(own.join("thesis.txt").exists());
}

#[test]
fn what_to_do_about_a_file_in_the_way_brings_back_the_right_one() {
    for names in [&[][..], &["a.onnx"]] {
        let (_dir, store) = store(&["a.onnx"]);
        let removal = discard(&store, &["a.onnx"]);
        fs::write(store.path("a.onnx").unwrap(), "newer").unwrap();
        let error = store.restore(&owned(names), None, false).unwrap_err();
        let name = names.first().map(|&name| name.to_owned());
        let restore = Action::Restore { name, removal: Some(removal.clone()) };
        let steps = [Action::Remove("a.onnx".to_owned()), restore].map(|step| store.layout.remedy(step));
        let [remove, restore] = steps.map(|step| Hint::from([step]).for_shell());
        assert_eq!(error.shell_hint(), Some(format!("{remove}, then {restore}")));
        // These are the steps of the hint.
        discard(&store, &["a.onnx"]);
        store.restore(&owned(names), Some(&removal), false).unwrap();
        assert_eq!(fs::read_to_string(store.path("a.onnx").unwrap()).unwrap(), "a.onnx");
    }
}

#[test]
fn a_restore_that_fails_half_way_leaves_all_in_the_trash() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    discard(&store, &["a.onnx", "b.onnx"]);
    let chosen = store.trashed().unwrap();
    fs::remove_file(&chosen[1].path).unwrap();
    Trash(&store.layout).put_back(&chosen).unwrap_err();
    assert!(store.list().unwrap().is_empty());
    assert_eq!(names_of(&store.trashed().unwrap()), ["a.onnx"]);
}

#[test]
fn a_model_brings_back_the_list_that_was_removed_with_it() {
    let (_dir, store) = store(&["a.onnx", "a.txt", "b.onnx"]);
    discard(&store, &["a.txt"]);
    fs::write(store.path("a.txt").unwrap(), "newer").unwrap();
    discard(&store, &["a.onnx", "a.txt", "b.onnx"]);
    assert_eq!(names_of(&store.restore(&owned(&["a.onnx"]), None, false).unwrap()), ["a.onnx", "a.txt"]);
    assert_eq!(fs::read_to_string(store.path("a.txt").unwrap()).unwrap(), "newer");
    discard(&store, &["a.onnx", "a.txt"]);
    fs::write(store.path("a.txt").unwrap(), "mine").unwrap();
    assert_eq!(names_of(&store.restore(&owned(&["a.onnx"]), None, false).unwrap()), ["a.onnx"]);
    assert_eq!(fs::read_to_string(store.path("a.txt").unwrap()).unwrap(), "mine");
}

#[cfg(unix)]
#[test]
fn a_removal_that_cannot_be_read_hides_no_other() {
    use std::os::unix::fs::PermissionsExt;

    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    let shut = store.layout.trash().join(discard(&store, &["a.onnx"]));
    discard(&store, &["b.onnx"]);
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::read_dir(&shut).is_ok() {
        // The superuser may read everything.
        return;
    }
    assert_eq!(names_of(&store.trashed().unwrap()), ["b.onnx"]);
    let audit = store.audit(&crate::models::store::AuditOptions::default()).unwrap();
    let unreadable = audit.entries.iter().find(|entry| entry.path == shut).unwrap();
    assert_eq!(unreadable.state, crate::models::store::State::Unreadable);
    store.restore(&[], None, false).unwrap();
    assert_eq!(store.list().unwrap(), ["b.onnx"]);
    fs::set_permissions(&shut, fs::Permissions::from_mode(0o700)).unwrap();
}
