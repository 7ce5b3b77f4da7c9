use super::*;
use crate::error::Hint;
use crate::models::store::Store;
use crate::models::store::part::Part;

fn store(names: &[&str]) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path()).unwrap();
    for name in names {
        fs::write(store.dir().join(name), name).unwrap();
    }
    (dir, store)
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn prefix(prefix: &str) -> Selection {
    Selection { prefix: Some(prefix.to_owned()), ..Selection::default() }
}

fn going(removal: &Removal) -> Vec<&str> {
    let going = removal.files.iter().filter(|file| file.decision == Decision::Remove);
    going.map(|file| file.name.as_str()).collect()
}

fn keeping(names: &[&str]) -> RemoveOptions {
    RemoveOptions { keep: owned(names), ..RemoveOptions::default() }
}

#[test]
fn named_files_go_and_come_back() {
    let (_dir, store) = store(&["a.onnx", "b.onnx", "notes.txt"]);
    let names = owned(&["a.onnx", "notes.txt", "a.onnx"]);
    let plan = store.remove(&names, &RemoveOptions { dry_run: true, ..RemoveOptions::default() }).unwrap();
    assert_eq!((going(&plan), plan.removal.clone()), (vec!["a.onnx", "notes.txt"], None));
    assert_eq!(store.list().unwrap(), ["a.onnx", "b.onnx"]);
    let done = store.remove(&names, &RemoveOptions::default()).unwrap();
    assert_eq!(done.files, plan.files);
    assert_eq!(store.list().unwrap(), ["b.onnx"]);
    store.restore(&[], done.removal.as_deref(), false).unwrap();
    assert_eq!(store.list().unwrap(), ["a.onnx", "b.onnx"]);
    assert!(store.dir().join("notes.txt").exists());
}

#[test]
fn a_name_that_is_no_file_removes_nothing() {
    let (_dir, store) = store(&["a.onnx"]);
    fs::create_dir(store.dir().join("folder")).unwrap();
    for (name, kind) in [
        ("b.onnx", ErrorKind::ModelNotFound),
        ("folder", ErrorKind::ModelNotFound),
        ("../a", ErrorKind::InvalidArgument),
        (".ferrocr", ErrorKind::InvalidArgument),
    ] {
        let error = store.remove(&owned(&["a.onnx", name]), &RemoveOptions::default()).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    assert_eq!(store.list().unwrap(), ["a.onnx"]);
}

#[test]
fn what_is_in_use_stays_with_all_that_was_named_beside() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    let lease = store.lease(&owned(&["a.onnx"])).unwrap().unwrap();
    let both = owned(&["a.onnx", "b.onnx"]);
    let pid = std::process::id();
    let plan = store.remove(&both, &RemoveOptions { dry_run: true, ..RemoveOptions::default() }).unwrap();
    assert_eq!(plan.files[0].decision, Decision::InUse(vec![pid]));
    let strict = RemoveOptions { dry_run: true, strict: true, ..RemoveOptions::default() };
    for error in [
        store.remove(&both, &strict).unwrap_err(),
        store.prune(&prefix(""), &strict).unwrap_err(),
        store.remove(&both, &RemoveOptions::default()).unwrap_err(),
        store.prune(&prefix(""), &RemoveOptions::default()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::ModelInUse);
        assert!(error.to_string().contains(&format!("a.onnx by process {pid}")), "{error}");
    }
    assert_eq!(store.list().unwrap(), both);
    assert_eq!(going(&store.prune(&prefix(""), &keeping(&["a.onnx"])).unwrap()), ["b.onnx"]);
    drop(lease);
    assert_eq!(going(&store.remove(&owned(&["a.onnx"]), &strict).unwrap()), ["a.onnx"]);
    store.remove(&owned(&["a.onnx"]), &RemoveOptions::default()).unwrap();
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn what_is_kept_or_needed_is_refused_by_name_and_spared_by_selection() {
    let names = ["old_a.onnx", "old_a.txt", "old_b.onnx", "old_c.onnx", "old_d.onnx"];
    let (_dir, store) = store(&names);
    store.keep(&owned(&["old_a*"])).unwrap();
    let options = RemoveOptions { needed: owned(&["old_c.onnx"]), ..keeping(&["old_b.onnx"]) };
    for (name, why) in [
        ("old_a.onnx", "on the keep-list"),
        ("old_a.txt", "on the keep-list"),
        ("old_b.onnx", "to be kept"),
        ("old_c.onnx", "needed by the chosen models"),
    ] {
        let error = store.remove(&owned(&["old_d.onnx", name]), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelKept);
        assert!(error.to_string().contains(&format!("{name} is spared ({why})")), "{error}");
    }
    let done = store.prune(&prefix("old_"), &options).unwrap();
    assert_eq!(going(&done), ["old_d.onnx"]);
    assert_eq!(done.files.len(), 4, "the spared ones are told too");
    assert_eq!(store.list().unwrap(), ["old_a.onnx", "old_b.onnx", "old_c.onnx"]);
}

#[test]
fn the_list_of_characters_of_a_kept_model_is_kept() {
    let (_dir, store) = store(&["a.onnx", "a.txt", "b.txt"]);
    store.keep(&owned(&["a.onnx"])).unwrap();
    let error = store.remove(&owned(&["a.txt"]), &RemoveOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelKept);
    store.remove(&owned(&["b.txt"]), &RemoveOptions::default()).unwrap();
}

#[test]
fn a_keep_entry_that_matches_nothing_removes_nothing() {
    let (_dir, store) = store(&["old_a.onnx", "b.onnx"]);
    let error = store.prune(&prefix("old_"), &keeping(&["old_A.onnx"])).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.to_string().contains("\"old_A.onnx\""), "{error}");
    store.keep(&owned(&["b.onnx"])).unwrap();
    fs::remove_file(store.dir().join("b.onnx")).unwrap();
    let error = store.prune(&prefix("old_"), &RemoveOptions::default()).unwrap_err();
    assert!(error.shell_hint().is_some_and(|hint| hint.contains("keep --remove")), "{error}");
    assert_eq!(store.list().unwrap(), ["old_a.onnx"]);
}

#[test]
fn age_and_prefix_have_to_hold_together() {
    let (_dir, store) = store(&["old_a.onnx", "old_b.onnx", "c.onnx"]);
    let long_ago = SystemTime::now() - Duration::from_secs(10 * 86_400);
    for name in ["old_a.onnx", "c.onnx"] {
        fs::File::options().append(true).open(store.dir().join(name)).unwrap().set_modified(long_ago).unwrap();
    }
    let selection = Selection { older_than: Some(Duration::from_secs(86_400)), ..prefix("old_") };
    assert_eq!(going(&store.prune(&selection, &RemoveOptions::default()).unwrap()), ["old_a.onnx"]);
    assert_eq!(store.list().unwrap(), ["c.onnx", "old_b.onnx"]);
}

#[test]
fn states_select_also_what_is_no_model() {
    let (_dir, store) = store(&["a.onnx", "notes.md", ".hidden"]);
    fs::create_dir(store.dir().join("folder")).unwrap();
    let mut left = Part::claim(&store.layout, "b.onnx", "00").unwrap().unwrap();
    left.append(&mut &b"b"[..], None).unwrap();
    drop(left);
    let mut growing = Part::claim(&store.layout, "c.onnx", "00").unwrap().unwrap();
    growing.append(&mut &b"c"[..], None).unwrap();
    let states = vec![State::Foreign, State::Partial, State::Corrupt];
    let done = store.prune(&Selection { states, ..Selection::default() }, &RemoveOptions::default()).unwrap();
    assert_eq!(going(&done).len(), 3, "{done:?}");
    assert!(store.list().unwrap().is_empty());
    assert!(store.dir().join(".hidden").exists() && store.dir().join("folder").exists());
    let unfinished = fs::read_dir(store.layout.incoming()).unwrap().count();
    assert_eq!(unfinished, 1, "what a process works on stays");
    assert_eq!(store.trashed().unwrap().len(), 2, "an unfinished file is worth nothing");
}

#[test]
fn with_nothing_said_the_old_ones_go() {
    let (_dir, store) = store(&["old_a.bin", "old_a.txt", "b.bin"]);
    let pruned = store.prune(&Selection::default(), &RemoveOptions::default()).unwrap();
    assert_eq!(going(&pruned), ["old_a.bin", "old_a.txt"]);
    assert_eq!(store.list().unwrap(), ["b.bin"]);
}

#[test]
fn what_is_missing_or_trashed_cannot_be_removed() {
    let (_dir, store) = store(&[]);
    for state in [State::Missing, State::Trashed] {
        let selection = Selection { states: vec![state], ..Selection::default() };
        let error = store.prune(&selection, &RemoveOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_directory_that_is_not_there_is_pruned_of_nothing() {
    let outer = tempfile::tempdir().unwrap();
    let store = Store::open(outer.path().join("models")).unwrap();
    assert!(store.prune(&prefix("old_"), &RemoveOptions::default()).unwrap().files.is_empty());
    assert!(!store.dir().exists());
}

#[test]
fn a_file_that_changed_since_it_was_selected_stays() {
    let (_dir, store) = store(&["a.onnx"]);
    let selected = [Remover(&store.layout).named("a.onnx").unwrap()];
    fs::write(store.dir().join("a.onnx"), "something longer").unwrap();
    let done = Remover(&store.layout).carry_out(&selected, &RemoveOptions::default(), |_| Ok(())).unwrap();
    assert_eq!(done.files[0].decision, Decision::Kept);
    assert_eq!(store.list().unwrap(), ["a.onnx"]);
}

#[test]
fn a_list_of_characters_goes_with_the_last_of_its_models() {
    let (_dir, store) = store(&["a.onnx", "a.ort", "a.txt", "B.BIN", "B.txt", "c.txt"]);
    assert_eq!(going(&store.remove(&owned(&["a.ort"]), &RemoveOptions::default()).unwrap()), ["a.ort"]);
    let dry_run = RemoveOptions { dry_run: true, ..RemoveOptions::default() };
    let names = owned(&["a.onnx", "B.BIN"]);
    let plan = store.remove(&names, &dry_run).unwrap();
    assert_eq!(going(&plan), ["B.BIN", "B.txt", "a.onnx", "a.txt"]);
    assert_eq!(plan.files[3].reason, "list of characters of a.onnx");
    let done = store.remove(&names, &RemoveOptions::default()).unwrap();
    assert_eq!(done.files, plan.files);
    assert!(!store.dir().join("a.txt").exists() && store.dir().join("c.txt").exists());
    store.restore(&[], done.removal.as_deref(), false).unwrap();
    assert!(store.dir().join("a.txt").exists() && store.dir().join("B.txt").exists());
    assert_eq!(going(&store.prune(&prefix("B"), &RemoveOptions::default()).unwrap()), ["B.BIN", "B.txt"]);
    assert_eq!(going(&store.remove(&owned(&["a.txt"]), &RemoveOptions::default()).unwrap()), ["a.txt"]);
}

#[test]
fn a_list_that_stays_for_another_s_sake_holds_up_no_removal() {
    let (_dir, store) = store(&["a.onnx", "a.ort", "a.txt"]);
    let _lease = store.lease(&owned(&["a.ort"])).unwrap().unwrap();
    fs::remove_file(store.dir().join("a.ort")).unwrap();
    assert_eq!(going(&store.remove(&owned(&["a.onnx"]), &RemoveOptions::default()).unwrap()), ["a.onnx"]);
    assert!(store.dir().join("a.txt").exists());
}

#[test]
fn no_state_takes_a_list_from_a_model_that_stays() {
    let (_dir, store) = store(&["a.bin", "a.txt"]);
    let states = |states: &[State]| Selection { states: states.to_vec(), ..Selection::default() };
    // The model is foreign, and its list unverified.
    let done = store.prune(&states(&[State::Unverified]), &RemoveOptions::default()).unwrap();
    assert_eq!((done.files.len(), &done.files[0].decision), (1, &Decision::Kept));
    assert_eq!(done.files[0].reason, "the list of characters of a.bin, which stays");
    let done = store.prune(&states(&[State::Foreign]), &RemoveOptions::default()).unwrap();
    assert_eq!(going(&done), ["a.bin", "a.txt"]);
}

#[test]
fn what_is_gone_meanwhile_is_not_found() {
    let (_dir, store) = store(&["a.onnx", "b.onnx"]);
    let selected = ["a.onnx", "b.onnx"].map(|name| Remover(&store.layout).named(name).unwrap());
    store.remove(&owned(&["a.onnx"]), &RemoveOptions::default()).unwrap();
    let refused = Remover(&store.layout)
        .carry_out(&selected, &RemoveOptions::default(), |files| refuse_spared(&store.layout, files));
    let error = refused.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelNotFound);
    assert!(error.to_string().contains("a.onnx is no longer there"), "{error}");
    assert_eq!(store.list().unwrap(), ["b.onnx"]);
}

#[test]
fn the_hint_says_what_to_do_about_the_reason() {
    let (_dir, store) = store(&["a.onnx", "b.onnx", "c.onnx", "d.onnx"]);
    store.keep(&owned(&["a.o*"])).unwrap();
    let options = RemoveOptions { needed: owned(&["c.onnx"]), ..keeping(&["b.onnx"]) };
    let unkeep = Hint::from([store.layout.remedy(Action::Unkeep("a.o*".to_owned()))]).for_shell();
    for (name, hint) in [("a.onnx", unkeep.as_str()), ("b.onnx", "`--keep`"), ("c.onnx", "`--for`")] {
        let error = store.remove(&owned(&[name]), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelKept);
        assert!(error.shell_hint().unwrap().contains(hint), "{error}");
    }
    let selected = [Remover(&store.layout).named("d.onnx").unwrap()];
    fs::write(store.dir().join("d.onnx"), "something longer").unwrap();
    let refused = Remover(&store.layout).carry_out(&selected, &options, |files| refuse_spared(&store.layout, files));
    let error = refused.unwrap_err();
    assert!(error.hint().unwrap().contains("try again") && !error.to_string().contains("keep --remove"), "{error}");
}

#[test]
fn a_keep_entry_that_looks_like_an_option_is_part_of_its_option() {
    let (_dir, store) = store(&["-a.onnx"]);
    store.keep(&owned(&["-a*"])).unwrap();
    let error = store.remove(&owned(&["-a.onnx"]), &RemoveOptions::default()).unwrap_err();
    assert!(error.shell_hint().unwrap().contains("`ferrocr models keep --remove='-a*' --dir"), "{error}");
}

/// As programs do that set the time back after writing, and as a rename does.
#[cfg(unix)]
#[test]
fn content_of_the_same_length_and_time_is_a_change() {
    for is_replaced in [false, true] {
        let (dir, store) = store(&["a.onnx"]);
        let path = store.dir().join("a.onnx");
        let selected = [Remover(&store.layout).named("a.onnx").unwrap()];
        // Longer than a file system's clock takes for its next tick.
        std::thread::sleep(Duration::from_millis(20));
        let written = if is_replaced { dir.path().join("other") } else { path.clone() };
        fs::write(&written, "A.ONNX").unwrap();
        let time = selected[0].meta.modified().unwrap();
        fs::File::options().append(true).open(&written).unwrap().set_modified(time).unwrap();
        fs::rename(&written, &path).unwrap();
        let done = Remover(&store.layout).carry_out(&selected, &RemoveOptions::default(), |_| Ok(())).unwrap();
        assert_eq!(done.files[0].reason, "it has changed meanwhile");
        assert_eq!(store.list().unwrap(), ["a.onnx"]);
    }
}

#[cfg(unix)]
#[test]
fn what_a_protected_link_leads_to_is_protected() {
    let (_dir, store) = store(&["real.bin", "list.txt"]);
    for (to, link) in [("real.bin", "b.bin"), ("b.bin", "a.bin"), ("list.txt", "a.txt")] {
        std::os::unix::fs::symlink(to, store.dir().join(link)).unwrap();
    }
    let needing = RemoveOptions { needed: owned(&["a.bin"]), ..RemoveOptions::default() };
    for name in ["real.bin", "b.bin", "list.txt"] {
        for options in [&keeping(&["a.bin"]), &needing] {
            let error = store.remove(&owned(&[name]), options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ModelKept, "{name}");
            let link = if name == "list.txt" { "a.txt" } else { "a.bin" };
            assert!(error.to_string().contains(&format!("the link {link}, which leads to it, is ")), "{error}");
        }
        let lease = store.lease(&owned(&["a.bin"])).unwrap().unwrap();
        let error = store.remove(&owned(&[name]), &RemoveOptions::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelInUse, "{name}");
        drop(lease);
    }
    store.remove(&owned(&["real.bin"]), &RemoveOptions::default()).unwrap();
}

#[test]
fn a_download_that_a_pull_takes_up_meanwhile_is_not_deleted() {
    let (_dir, store) = store(&[]);
    let selection = Selection { states: vec![State::Partial], ..Selection::default() };
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                store.prune(&selection, &RemoveOptions::default()).unwrap();
            }
        });
        let pull = || {
            for _ in 0..200 {
                fs::write(store.scratch().unwrap().join("a.onnx.00.part"), "a").unwrap();
                if let Some(mut part) = Part::claim(&store.layout, "a.onnx", "00").unwrap() {
                    part.append(&mut &b"b"[..], None).unwrap();
                    part.publish(&store.layout, "a.onnx").unwrap();
                }
            }
        };
        let outcome = scope.spawn(pull).join();
        is_over.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(outcome.is_ok());
    });
}

#[test]
fn what_was_taken_up_since_the_plan_stays_and_is_said_to() {
    let (_dir, store) = store(&[]);
    let path = store.scratch().unwrap().join("a.onnx.00.part");
    fs::write(&path, "a").unwrap();
    let selection = Selection { states: vec![State::Partial], ..Selection::default() };
    let judged = Remover(&store.layout)
        .plan(&Remover(&store.layout).select(&selection, &RemoveOptions::default()).unwrap(), &keeping(&[]))
        .unwrap();
    let mut files: Vec<_> = judged.into_iter().map(|file| file.planned).collect();
    assert_eq!(files[0].decision, Decision::Remove);
    let _part = Part::claim(&store.layout, "a.onnx", "00").unwrap().unwrap();
    let _hold = DirectoryLock(&store.layout).hold_alone().unwrap();
    Remover(&store.layout).execute_held(&mut files).unwrap();
    assert_eq!(files[0].decision, Decision::InUse(Vec::new()));
    assert!(path.exists());
}

#[test]
fn while_a_lease_cannot_be_read_nothing_is_removed() {
    let (_dir, store) = store(&["a.onnx"]);
    fs::create_dir_all(store.layout.leases()).unwrap();
    let path = store.layout.leases().join("lease.1.2.3");
    fs::write(&path, "model a.onnx\n").unwrap();
    let held = fs::File::open(&path).unwrap();
    held.lock().unwrap();
    for options in [RemoveOptions::default(), RemoveOptions { dry_run: true, ..RemoveOptions::default() }] {
        let error = store.remove(&owned(&["a.onnx"]), &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains(&path.display().to_string()) && error.hint().is_some(), "{error}");
    }
    let audit = store.audit(&AuditOptions::default()).unwrap();
    let entry = audit.entries.iter().find(|entry| entry.path == path).unwrap();
    assert_eq!(entry.state, State::Unreadable);
    assert_eq!(audit.entries.len(), 2, "the audit goes on, and says it once");
    drop(held);
    store.remove(&owned(&["a.onnx"]), &RemoveOptions::default()).unwrap();
}
