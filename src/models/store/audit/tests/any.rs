//! Any directory at all.

use super::*;

fn any_name(stem: &str) -> impl Strategy<Value = String> {
    let suffix = "(\\.(onnx|ONNX|ort|bin|txt|part|tmp|data))?";
    prop::string::string_regex(&format!("{stem}{suffix}")).unwrap()
}

/// A name and a content that may or may not fit together.
fn any_file() -> impl Strategy<Value = (String, Vec<u8>)> {
    let name = prop_oneof![
        any_name("[a-c]{1,2}"),
        any_name("old_[a-c]"),
        any_name("[.a-c:\u{e9} \n-]{1,4}x"),
        Just("new_rec.onnx".to_owned()),
        Just("big_rec.onnx".to_owned()),
        Just("two_rec.onnx".to_owned()),
        Just("two_rec.txt".to_owned()),
    ];
    let content = prop_oneof![
        Just(b"abc".to_vec()),
        Just(b"abd".to_vec()),
        Just(b"xyz".to_vec()),
        Just(b"rec".to_vec()),
        Just(b"lis".to_vec()),
        Just(model()),
        (0..200usize).prop_map(|length| model().into_iter().take(length).collect()),
        prop::collection::vec(any::<u8>(), 0..40),
    ];
    (name, content)
}

/// Checks that an entry is as its state promises.
fn is_consistent(entry: &AuditEntry) -> bool {
    let is_list = entry.detail.starts_with("list of characters");
    let is_read = matches!(entry.state, State::Current | State::Old | State::Unverified | State::Corrupt);
    is_read == entry.sha256.is_some()
        && entry.action.is_none() == (entry.state == State::Current)
        && !entry.detail.is_empty()
        && (entry.state != State::Current || is_list || entry.role.is_some() && entry.version.is_some())
        && entry.state.is_finding() == (entry.state != State::Current)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn everything_appears_once_and_memory_changes_no_answer(
        files in prop::collection::btree_map(any_file().prop_map(|file| file.0), any_file().prop_map(|file| file.1), 0..12),
        folders in prop::collection::btree_set("[d-f](\\.onnx)?", 0..3),
        keep in prop::collection::btree_set("[a-f*?]{1,3}(\\.onnx)?", 0..3),
        changes in prop::collection::vec(any_file(), 0..6),
    ) {
        let (dir, store) = store();
        for folder in &folders {
            fs::create_dir(store.dir().join(folder)).unwrap();
        }
        for (name, content) in &files {
            put(&store, name, content);
        }
        fs::create_dir(store.layout.bookkeeping()).unwrap();
        fs::write(store.layout.keep_file(), keep.iter().map(|entry| format!("{entry}\n")).collect::<String>()).unwrap();
        let memory = Some(dir.path().join("cache/memory"));
        let options = AuditOptions { memory, needed: vec!["a.onnx".to_owned()], rehash: false };
        let plain = AuditOptions { memory: None, ..options.clone() };
        let before = snapshot(store.dir());
        let first = audit_with(&store, &plain);
        prop_assert_eq!(&audit_with(&store, &options), &first);
        prop_assert_eq!(&audit_with(&store, &options), &first);
        prop_assert_eq!(snapshot(store.dir()), before);
        prop_assert_eq!(first.text().lines().count(), first.entries.len());
        let mut there: Vec<_> = first.entries.iter().filter(|it| it.state != State::Missing).map(|it| &it.path).collect();
        there.sort();
        let expected: Vec<_> = files.keys().chain(&folders).map(|name| store.dir().join(name)).collect();
        let mut expected: Vec<_> = expected.iter().collect();
        expected.sort();
        prop_assert_eq!(there, expected);
        for entry in &first.entries {
            prop_assert!(is_consistent(entry), "{:?}", entry);
        }
        // Whoever finds no fault with the list finds the one that goes with the model there.
        if files.get("two_rec.onnx").is_some_and(|content| content == b"rec") {
            let list = files.get("two_rec.txt").map(Vec::as_slice);
            let states: Vec<_> = first.entries.iter().filter(|it| it.name == "two_rec.txt").map(|it| it.state).collect();
            let expected = match list {
                Some(b"lis") => State::Current,
                Some(_) => State::Corrupt,
                None => State::Missing,
            };
            prop_assert_eq!(states, [expected]);
        }
        // Longer than a file system's clock takes for its next tick.
        thread::sleep(Duration::from_millis(20));
        for (name, content) in changes {
            put(&store, &name, &content);
            // Set back by hand, as some copying programs do.
            let file = fs::File::options().write(true).open(store.dir().join(&name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
        }
        let changed = audit_with(&store, &plain);
        prop_assert_eq!(&audit_with(&store, &options), &changed);
        prop_assert_eq!(&audit_with(&store, &AuditOptions { rehash: true, ..options }), &changed);
    }
}
