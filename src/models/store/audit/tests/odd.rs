//! Links, special files, and names and rights that are unusual.

use super::*;

#[cfg(unix)]
#[test]
fn links_count_by_what_they_lead_to() {
    use std::os::unix::fs::symlink;

    let (dir, store) = store();
    put(&store, "a.onnx", &model());
    fs::create_dir_all(store.layout.incoming()).unwrap();
    let out = dir.path().join("out.onnx");
    fs::write(&out, model()).unwrap();
    fs::write(store.layout.incoming().join("x.part"), model()).unwrap();
    let links = [
        ("in.onnx", "a.onnx", State::Unverified, "an ONNX model"),
        ("out.onnx", "../out.onnx", State::Foreign, "leaves the directory"),
        ("hidden.onnx", ".ferrocr/incoming/x.part", State::Foreign, "leaves the directory's models"),
        ("dangling.onnx", "nowhere", State::Foreign, "leads nowhere, to nowhere"),
        ("loop.onnx", "loop.onnx", State::Foreign, "leads nowhere"),
        ("folder.onnx", ".", State::Foreign, "folder"),
        ("device.onnx", "/dev/null", State::Foreign, "leaves the directory"),
    ];
    for (name, to, ..) in links {
        symlink(to, store.dir().join(name)).unwrap();
    }
    let audit = audit(&store);
    for (name, _, state, detail) in links {
        let entry = only(&audit, name);
        assert_eq!(entry.state, state, "{name}: {}", entry.detail);
        assert!(entry.detail.contains(detail), "{name}: {}", entry.detail);
    }
    assert!(only(&audit, "out.onnx").detail.contains(out.canonicalize().unwrap().to_str().unwrap()));
    assert_eq!(only(&audit, "in.onnx").bytes, Some(model().len() as u64));
}

#[cfg(unix)]
#[test]
fn a_path_is_printed_with_the_escapes_of_repr() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let plain = "/m/l'\u{e9}t\u{e9} \u{5b57} e\u{301}";
    let cases: [(&[u8], &str); 6] = [
        (plain.as_bytes(), plain),
        (b"a\\b", "a\\\\b"),
        (b"\x1b[31m\n\r\t\x7f", "\\x1b[31m\\n\\r\\t\\x7f"),
        ("\u{9b}\u{ad}\u{202e}\u{200b}\u{feff}".as_bytes(), "\\x9b\\xad\\u202e\\u200b\\ufeff"),
        (b"a\xff\xe2\x82b", "a\\udcff\\udce2\\udc82b"),
        (b"", ""),
    ];
    for (path, text) in cases {
        assert_eq!(path_text(Path::new(OsStr::from_bytes(path))), text);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_no_utf8_is_foreign_and_one_line() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let (_dir, store) = store();
    fs::write(store.dir().join(OsStr::from_bytes(b"\xff\n\\a.onnx")), model()).unwrap();
    let audit = audit(&store);
    assert_eq!(audit.entries[0].state, State::Foreign);
    assert!(audit.entries[0].detail.contains("UTF-8"));
    assert!(audit.text().ends_with("/\\udcff\\n\\\\a.onnx\n"), "{}", audit.text());
}

#[cfg(target_os = "linux")]
#[test]
fn special_files_are_never_opened() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let (_dir, store) = store();
    put(&store, "a.onnx", b"abc");
    let _lease = store.lease(&["a.onnx".to_owned()]).unwrap();
    fs::create_dir_all(store.layout.incoming().join("folder.tmp")).unwrap();
    let pipes = [
        store.dir().join("pipe.onnx"),
        store.dir().join("pipe.part"),
        store.layout.incoming().join("pipe.part"),
        store.layout.incoming().join("folder.tmp/.lock"),
        store.layout.leases().join("lease.1.2.3"),
        store.layout.keep_file(),
    ];
    for pipe in &pipes {
        mknodat(CWD, pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    }
    let memory = store.dir().parent().unwrap().join("memory");
    mknodat(CWD, &memory, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        let options = AuditOptions { memory: Some(memory), ..needing(&["pipe.onnx"]) };
        let audit = audit_with(&store, &options);
        let refused = store.inspect("pipe.onnx", &options).unwrap_err().kind();
        send.send((audit, refused)).unwrap();
    });
    let (audit, refused) = receive.recv_timeout(Duration::from_secs(60)).expect("nothing is opened that could block");
    assert_eq!(refused, ErrorKind::ModelNotFound);
    let special: Vec<_> = audit.entries.iter().filter(|entry| entry.state == State::Foreign).collect();
    assert_eq!(special.len(), 4, "{special:#?}");
    assert_eq!(only(&audit, "keep").state, State::Unreadable);
    assert_eq!(only(&audit, "lease.1.2.3").state, State::Unreadable);
    assert!(only(&audit, "lease.1.2.3").detail.contains("in use"));
}

#[cfg(unix)]
#[test]
fn what_this_user_may_not_read_is_unreadable() {
    use std::os::unix::fs::PermissionsExt;

    let (_dir, store) = store();
    put(&store, "a.onnx", b"abc");
    let path = store.dir().join("a.onnx");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::File::open(&path).is_ok() {
        // The superuser may read everything; the words are tested where they are made.
        return;
    }
    let audit = audit(&store);
    let entry = only(&audit, "a.onnx");
    assert_eq!((entry.state, entry.bytes), (State::Unreadable, Some(3)));
    let action = entry.action.as_ref().map(Hint::for_shell);
    assert!(entry.detail.contains("denied") && action.is_some_and(|it| it.contains("readable")), "{entry:?}");
}
