//! The bookkeeping: what is unfinished, what does not belong there, and the trash.

use super::*;

#[test]
fn the_unfinished_is_told_from_what_was_left_behind() {
    let (_dir, store) = store();
    let mut worked_on = Part::create(&store.layout, "mine.onnx").unwrap();
    worked_on.append(&mut &b"12345"[..], None).unwrap();
    let incoming = store.layout.incoming();
    fs::write(incoming.join("new_rec.onnx.ba7816bf.part"), "ab").unwrap();
    fs::write(incoming.join("a.onnx.1.2.3.tmp"), "").unwrap();
    fs::create_dir_all(incoming.join("export.1.2.3.tmp/inner")).unwrap();
    fs::write(incoming.join("export.1.2.3.tmp/inner/a"), "1234567").unwrap();
    fs::write(incoming.join("readme"), "").unwrap();
    let audit = audit(&store);
    let name = worked_on.name().to_str().unwrap();
    let growing = only(&audit, name);
    assert_eq!((growing.state, growing.in_use, growing.bytes), (State::Partial, true, Some(5)));
    assert!(growing.action.as_ref().is_some_and(|action| action.for_shell().contains("wait")));
    let resumable = only(&audit, "new_rec.onnx.ba7816bf.part");
    assert!(resumable.detail.contains("goes on") && !resumable.in_use);
    let pull = store.layout.remedy(Action::Pull(vec!["new_rec.onnx".to_owned()]));
    let prune = store.layout.remedy(Action::Prune(Some("partial")));
    assert_eq!(resumable.action, Some([pull, ", or ".into(), prune].into()));
    assert!(only(&audit, "a.onnx.1.2.3.tmp").detail.contains("left it behind"));
    let folder = only(&audit, "export.1.2.3.tmp");
    assert_eq!((folder.state, folder.bytes), (State::Partial, Some(7)));
    assert_eq!(only(&audit, "readme").state, State::Foreign);
    assert_eq!(audit.entries.len(), 5);
}

#[test]
fn the_bookkeeping_reports_only_what_does_not_belong_there() {
    let (_dir, store) = store();
    put(&store, "a.onnx", b"abc");
    store.keep(&["a.onnx".to_owned()]).unwrap();
    let _lease = store.lease(&["a.onnx".to_owned()]).unwrap();
    drop(Part::create(&store.layout, "b.onnx"));
    fs::create_dir(store.layout.trash()).unwrap();
    let found = audit(&store);
    assert_eq!(found.entries.len(), 1, "{:#?}", found.entries);
    let entry = &found.entries[0];
    assert!(entry.kept && entry.in_use);
    assert_eq!(entry.pids, [std::process::id()]);
    fs::write(store.layout.bookkeeping().join("notes"), "").unwrap();
    fs::create_dir(store.layout.bookkeeping().join("folder")).unwrap();
    fs::write(store.layout.leases().join("other"), "").unwrap();
    let states: Vec<_> = audit(&store).entries.iter().map(|entry| (entry.name.clone(), entry.state)).collect();
    let stray = |name: &str| (name.to_owned(), State::Foreign);
    let all = [("a.onnx".to_owned(), State::Current), stray("folder"), stray("other"), stray("notes")];
    assert_eq!(states, all);
}

#[test]
fn a_keep_list_that_cannot_be_read_is_reported_and_keeps_nothing() {
    let (_dir, store) = store();
    put(&store, "a.onnx", b"abc");
    fs::create_dir_all(store.layout.keep_file()).unwrap();
    let audit = audit(&store);
    assert_eq!(only(&audit, "keep").state, State::Unreadable);
    assert!(only(&audit, "keep").detail.contains("no regular file"));
    assert!(!only(&audit, "a.onnx").kept);
}

#[test]
fn files_in_the_bookkeeping_s_places_are_foreign() {
    let (_dir, plain) = store();
    put(&plain, BOOKKEEPING, b"");
    assert_eq!(only(&audit(&plain), BOOKKEEPING).state, State::Foreign);
    let (_dir, store) = store();
    fs::create_dir(store.layout.bookkeeping()).unwrap();
    for name in ["incoming", "leases", "trash"] {
        fs::write(store.layout.bookkeeping().join(name), "").unwrap();
    }
    fs::create_dir(store.layout.bookkeeping().join("lock")).unwrap();
    let audit = audit(&store);
    assert_eq!(audit.entries.len(), 4);
    assert!(audit.entries.iter().all(|entry| entry.state == State::Foreign));
}

#[test]
fn the_trash_comes_last_the_oldest_removal_first() {
    let (_dir, store) = store();
    put(&store, "z.onnx", b"abc");
    for (removal, name) in [("0000000002000-0000-1", "a.onnx"), ("0000000001000-0000-1", "b.onnx")] {
        fs::create_dir_all(store.layout.trash().join(removal)).unwrap();
        fs::write(store.layout.trash().join(removal).join(name), "12").unwrap();
    }
    fs::create_dir_all(store.layout.trash().join("0000000001000-0000-1/folder")).unwrap();
    fs::write(store.layout.trash().join("0000000001000-0000-1/.hidden"), "").unwrap();
    fs::create_dir(store.layout.trash().join("0000000003000-0000-1")).unwrap();
    fs::write(store.layout.trash().join("0000000004000-0000-1"), "").unwrap();
    fs::create_dir(store.layout.trash().join("else")).unwrap();
    fs::create_dir(store.layout.trash().join("2024-backup")).unwrap();
    fs::write(store.layout.trash().join("2024-backup/thesis.txt"), "").unwrap();
    let audit = audit_with(&store, &needing(&["a.onnx"]));
    let found: Vec<_> = audit.entries.iter().map(|entry| (entry.name.as_str(), entry.state)).collect();
    use State::{Current, Foreign, Missing, Trashed};
    let expected = [
        ("a.onnx", Missing),
        ("z.onnx", Current),
        ("b.onnx", Trashed),
        ("a.onnx", Trashed),
        (".hidden", Foreign),
        ("folder", Foreign),
        ("0000000004000-0000-1", Foreign),
        ("2024-backup", Foreign),
        ("else", Foreign),
    ];
    assert_eq!(found, expected);
    assert_eq!(audit.entries[0].action, to(&store, Action::Restore { name: Some("a.onnx".to_owned()), removal: None }));
    let trashed = &audit.entries[2];
    assert_eq!((trashed.removal.as_deref(), trashed.bytes), (Some("0000000001000-0000-1"), Some(2)));
    assert_eq!(trashed.modified, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1)));
    assert_eq!(trashed.action, to(&store, Action::Restore { name: Some("b.onnx".to_owned()), removal: None }));
}
