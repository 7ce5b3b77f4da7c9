use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::error::ErrorKind;
use crate::models::catalog::{self, KnownFile};

const ABC: Expected<'static> =
    Expected { bytes: Some(3), sha256: "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD" };

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    (dir, store)
}

/// Files anywhere below the directory that hold unfinished bytes.
fn leftovers(store: &Store) -> usize {
    fs::read_dir(store.scratch().unwrap()).unwrap().count()
}

#[test]
fn opening_touches_nothing_and_makes_the_path_absolute() {
    let (_dir, store) = store();
    assert!(!store.dir().exists());
    assert!(Store::open("models").unwrap().dir().is_absolute());
    for path in ["", "a\0b"] {
        assert_eq!(Store::open(path).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_known_model_is_verified_with_its_list_of_characters() {
    let tiny = catalog::find("PP-OCRv6_tiny_rec.onnx").unwrap();
    let list = KnownFile { bytes: Some(3), sha256: ABC.sha256, ..tiny.characters.unwrap() };
    let entry = Entry { bytes: Some(3), sha256: ABC.sha256, characters: Some(list), ..*tiny };
    let (_dir, store) = store();
    let refusal = || store.verify_known(&entry).unwrap_err();
    assert_eq!(refusal().kind(), ErrorKind::ModelNotFound);
    store.admit_from(entry.name, &ABC, &mut &b"abc"[..]).unwrap();
    let lists = [(None, "txt is not there"), (Some("abd"), "is another: wrong content for "), (Some("abc"), "")];
    for (content, why) in lists {
        if let Some(content) = content {
            fs::write(store.path(list.name).unwrap(), content).unwrap();
        }
        if why.is_empty() {
            store.verify_known(&entry).unwrap();
            continue;
        }
        let error = refusal();
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
        assert!(error.to_string().contains(why), "{error}");
        assert!(error.shell_hint().unwrap().contains("models pull PP-OCRv6_tiny_rec.onnx"), "{error}");
    }
}

#[test]
fn a_list_that_is_missing_is_fetched_with_its_model() {
    let (_dir, store) = store();
    let error = store.existing("PP-OCRv6_tiny_rec.txt").unwrap_err();
    assert!(error.shell_hint().unwrap().contains("models pull PP-OCRv6_tiny_rec.onnx"), "{error}");
}

#[test]
fn a_directory_that_is_not_there_lists_nothing() {
    let (_dir, store) = store();
    assert_eq!(store.list().unwrap(), Vec::<String>::new());
    fs::create_dir(store.dir()).unwrap();
    assert_eq!(store.list().unwrap(), Vec::<String>::new());
}

#[test]
fn a_file_in_the_directory_s_place_is_an_error() {
    let (_dir, store) = store();
    fs::write(store.dir(), "").unwrap();
    let names = ["a.onnx".to_owned()];
    let errors = [
        store.list().unwrap_err(),
        store.existing("a.onnx").unwrap_err(),
        store.in_use().unwrap_err(),
        store.admit_from("a.onnx", &ABC, &mut &b"abc"[..]).unwrap_err(),
        store.keep(&names).unwrap_err(),
        store.restore(&names, None, false).unwrap_err(),
        store.purge(None, false).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.hint().is_some(), "{error}");
    }
    assert!(store.lease(&names).unwrap().is_none());
}

#[test]
fn only_visible_regular_files_with_a_model_s_suffix_are_listed() {
    let (_dir, store) = store();
    for folder in ["folder.onnx", ".ferrocr"] {
        fs::create_dir_all(store.dir().join(folder)).unwrap();
    }
    for name in ["b.onnx", "a.BIN", "c.Ort", ".hidden.onnx", ".onnx", "readme.txt", "onnx", "old.onnx.part"] {
        fs::write(store.dir().join(name), "").unwrap();
    }
    assert_eq!(store.list().unwrap(), ["a.BIN", "b.onnx", "c.Ort"]);
}

#[cfg(unix)]
#[test]
fn links_count_by_what_they_lead_to() {
    use std::os::unix::fs::symlink;

    let (_dir, store) = store();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.dir().join("a.onnx"), "").unwrap();
    symlink("a.onnx", store.dir().join("link.onnx")).unwrap();
    symlink("nowhere", store.dir().join("dangling.onnx")).unwrap();
    symlink(".", store.dir().join("folder.onnx")).unwrap();
    assert_eq!(store.list().unwrap(), ["a.onnx", "link.onnx"]);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_are_no_utf8_are_left_out() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let (_dir, store) = store();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.dir().join(OsStr::from_bytes(b"\xff.onnx")), "").unwrap();
    assert_eq!(store.list().unwrap(), Vec::<String>::new());
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let (_dir, store) = store();
    for name in [
        "",
        ".",
        "..",
        "../a.onnx",
        "/a.onnx",
        "a/b.onnx",
        "a\\b.onnx",
        "c:a.onnx",
        "a\0.onnx",
        "a\n.onnx",
        "a\u{1b}[1m.onnx",
        ".ferrocr",
    ] {
        let error = store.path(name).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{name:?}");
        assert!(error.to_string().contains(&format!("{name:?}")), "{error}");
    }
    assert_eq!(store.path("a.onnx").unwrap(), store.dir().join("a.onnx"));
}

#[test]
fn a_missing_file_is_named_with_the_command_that_fetches_it() {
    let (_dir, store) = store();
    let error = store.existing("PP-OCRv6_det_small.onnx").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelNotFound);
    assert!(error.to_string().contains(&store.dir().display().to_string()));
    let command = "fetch it with `ferrocr models pull PP-OCRv6_det_small.onnx --dir ";
    assert!(error.shell_hint().unwrap().starts_with(command), "{error}");
    // The command could not fetch what nobody knows.
    assert!(!store.existing("mine.onnx").unwrap_err().hint().unwrap().contains("pull"));
}

#[test]
fn what_is_longer_than_it_may_be_is_not_read() {
    let (_dir, store) = store();
    fs::create_dir_all(store.dir()).unwrap();
    fs::File::create(store.dir().join("a.onnx")).unwrap().set_len(1 << 42).unwrap();
    let error = store.verify("a.onnx", &ABC).unwrap_err();
    assert!(error.to_string().contains("longer than the expected 3 bytes"), "{error}");
    let error = store.verify("a.onnx", &Expected { bytes: None, ..ABC }).unwrap_err();
    assert!(error.to_string().contains("as no model is"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_pipe_is_no_model_and_nothing_waits_for_it() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let (dir, store) = store();
    let pipe = dir.path().join("pipe");
    mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(store.admit("a.onnx", &ABC, &pipe).unwrap_err().to_string().contains("no regular file"));
}

#[test]
fn a_folder_is_no_existing_file() {
    let (_dir, store) = store();
    fs::create_dir_all(store.dir().join("a.onnx")).unwrap();
    assert_eq!(store.existing("a.onnx").unwrap_err().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn the_right_file_is_admitted() {
    let (dir, store) = store();
    let from = dir.path().join("download");
    fs::write(&from, "abc").unwrap();
    let path = store.admit("a.onnx", &ABC, &from).unwrap();
    assert_eq!((fs::read(&path).unwrap(), leftovers(&store)), (b"abc".to_vec(), 0));
    assert_eq!(store.existing("a.onnx").unwrap(), path);
    store.verify("a.onnx", &ABC).unwrap();
    assert!(from.exists());
}

#[test]
fn other_content_is_refused_and_leaves_nothing() {
    struct Case {
        content: &'static str,
        says: &'static str,
    }
    let cases = [
        Case { content: "", says: "expected 3 bytes, found 0" },
        Case { content: "ab", says: "expected 3 bytes, found 2" },
        Case { content: "abcd", says: "longer than the expected 3 bytes" },
        Case { content: "abd", says: "expected SHA-256 BA78" },
    ];
    for case in cases {
        let (_dir, store) = store();
        let error = store.admit_from("a.onnx", &ABC, &mut case.content.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt, "{}", case.content);
        assert!(error.to_string().contains(case.says), "{error}");
        assert!(store.list().unwrap().is_empty());
        assert_eq!(leftovers(&store), 0);
    }
}

#[test]
fn a_right_file_is_left_alone_and_a_wrong_one_replaced() {
    let (_dir, store) = store();
    store.admit_from("a.onnx", &ABC, &mut &b"abc"[..]).unwrap();
    // The source is wrong: it would fail if it were read.
    store.admit_from("a.onnx", &ABC, &mut &b"xyz"[..]).unwrap();
    fs::write(store.path("a.onnx").unwrap(), "xyz").unwrap();
    assert_eq!(store.verify("a.onnx", &ABC).unwrap_err().kind(), ErrorKind::ModelCorrupt);
    store.admit_from("a.onnx", &ABC, &mut &b"abc"[..]).unwrap();
    store.verify("a.onnx", &ABC).unwrap();
}

#[test]
fn a_failed_replacement_keeps_what_was_there() {
    let (_dir, store) = store();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.path("a.onnx").unwrap(), "mine").unwrap();
    store.admit_from("a.onnx", &ABC, &mut &b"ab"[..]).unwrap_err();
    assert_eq!(fs::read(store.path("a.onnx").unwrap()).unwrap(), b"mine");
}

#[test]
fn a_source_that_fails_is_an_io_error_and_leaves_nothing() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::ConnectionReset.into())
        }
    }
    let (_dir, store) = store();
    let error = store.admit_from("a.onnx", &ABC, &mut Broken).unwrap_err();
    assert_eq!((error.kind(), leftovers(&store)), (ErrorKind::Io, 0));
}

#[test]
fn threads_that_admit_the_same_file_all_succeed() {
    let (_dir, store) = store();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| store.admit_from("a.onnx", &ABC, &mut &b"abc"[..]).unwrap());
        }
    });
    assert_eq!((store.list().unwrap().len(), leftovers(&store)), (1, 0));
}

#[test]
fn the_default_directory_ends_as_documented() {
    if env::var_os(DIR_VARIABLE).is_none() {
        assert!(Store::default_dir().unwrap().ends_with("ferrocr/models"));
    }
}

proptest! {
    #[test]
    fn a_path_never_leaves_the_directory(name in any::<String>()) {
        let store = Store::open("models").unwrap();
        if let Ok(path) = store.path(&name) {
            prop_assert_eq!(path.parent(), Some(store.dir()));
            prop_assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(name.as_str()));
        }
    }

    #[test]
    fn what_is_listed_can_be_asked_for(names in prop::collection::btree_set("[a-z.]{1,4}\\.(onnx|ORT|bin|txt)", 0..8)) {
        let (_dir, store) = store();
        fs::create_dir_all(store.dir()).unwrap();
        for name in &names {
            fs::write(store.dir().join(name), "").unwrap();
        }
        let listed = store.list().unwrap();
        let sorted: Vec<_> = listed.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
        prop_assert_eq!(&listed, &sorted);
        for name in listed {
            prop_assert!(store.existing(&name).is_ok());
        }
    }
}

#[test]
fn a_file_that_comes_and_goes_is_there_or_not_whenever_it_is_verified() {
    let (_dir, store) = store();
    fs::create_dir(store.dir()).unwrap();
    let (here, away) = (store.dir().join("a.onnx"), store.dir().join("away"));
    fs::write(&away, "abc").unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                fs::rename(&away, &here).unwrap();
                fs::rename(&here, &away).unwrap();
            }
        });
        let outcomes: Vec<_> = (0..20_000).map(|_| store.verify("a.onnx", &ABC)).collect();
        is_over.store(true, Ordering::Relaxed);
        for error in outcomes.into_iter().filter_map(Result::err) {
            assert_eq!(error.kind(), ErrorKind::ModelNotFound, "{error}");
        }
    });
}

#[test]
fn what_only_looks_or_fails_makes_no_directory() {
    let (_dir, missing) = store();
    let (_dir, empty) = store();
    fs::create_dir(empty.dir()).unwrap();
    let names = ["a.onnx".to_owned()];
    for store in [&missing, &empty] {
        for names in [&names[..], &[]] {
            assert_eq!(store.restore(names, None, false).unwrap_err().kind(), ErrorKind::ModelNotFound);
        }
        assert!(store.purge(None, false).unwrap().is_empty());
        assert_eq!(store.unkeep(&names).unwrap_err().kind(), ErrorKind::InvalidArgument);
        assert_eq!(store.unkeep(&[]).unwrap(), KeepList::default());
        assert!(store.in_use().unwrap().is_empty());
        store.sweep().unwrap();
        assert!(!store.layout.bookkeeping().exists());
    }
    assert!(!missing.dir().exists());
}
