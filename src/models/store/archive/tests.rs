use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tempfile::TempDir;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::error::ErrorKind;
use crate::models::store::archive::rules::MANIFEST;
use crate::models::store::characters::list_of;
use crate::models::store::digest::Digest;
use crate::models::store::{State, Store};
use crate::onnx::testing::Writer;

mod hostile;
mod killed;

const IMPORT: ImportOptions = ImportOptions { replace: false, dry_run: false };
const REPLACE: ImportOptions = ImportOptions { replace: true, dry_run: false };
const DRY_RUN: ImportOptions = ImportOptions { replace: false, dry_run: true };

/// Begins like a file in ONNX Runtime's own format.
const ORT: &[u8] = b"\0\0\0\0ORTM";

/// A directory with `models` in it, and room beside it.
fn store(models: &[(&str, &[u8])]) -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    fs::create_dir(store.dir()).unwrap();
    for (name, content) in models {
        fs::write(store.path(name).unwrap(), content).unwrap();
    }
    (dir, store)
}

/// A short model, with `content` in a field that nobody reads.
fn model(content: &[u8]) -> Vec<u8> {
    let graph = Writer::new().message(12, Writer::new().bytes(1, b"y"));
    Writer::new().varint(1, 8).message(7, graph).bytes(15, content).finish()
}

/// All files below `dir`, without the store's lock.
fn snapshot(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(snapshot(&path));
        } else if !path.ends_with(".ferrocr/lock") && !path.ends_with(".ferrocr/gate") {
            found.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    found
}

fn contents(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(store.dir()).unwrap().flatten().filter(|entry| entry.path().is_file());
    files.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
}

fn go_on(_: ArchiveProgress<'_>) -> bool {
    true
}

fn listed(members: &[(&str, &[u8])]) -> Vec<ArchiveFile> {
    let file = |(name, content): &(&str, &[u8])| {
        let digest = Digest::read(&mut &content[..], None).unwrap();
        ArchiveFile { name: (*name).to_owned(), bytes: digest.bytes, sha256: digest.sha256 }
    };
    members.iter().map(file).collect()
}

/// An archive of `members` as they are, with the list `manifest`, deflated.
fn packed(members: &[(&str, &[u8])], manifest: &str) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let manifest = [(MANIFEST, manifest.as_bytes())];
    for (name, content) in members.iter().chain(manifest.iter().filter(|(_, text)| !text.is_empty())) {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn names_of(files: &[Archived]) -> Vec<(&str, bool)> {
    files.iter().map(|file| (file.name.as_str(), file.is_new)).collect()
}

#[test]
fn models_and_their_lists_of_characters_go_from_one_directory_to_another() {
    let (a, b) = (model(b"a"), model(b"b"));
    let (dir, from) = store(&[("b.onnx", &b), ("a.onnx", &a), ("a.txt", b"abc\n"), ("c.txt", b"left"), ("d.ort", ORT)]);
    let archive = dir.path().join("models.zip");
    let exported = from.export(&archive, &[], &mut go_on).unwrap();
    assert_eq!(names_of(&exported), [("a.onnx", true), ("a.txt", true), ("b.onnx", true), ("d.ort", true)]);
    assert_eq!(exported[1].sha256, Digest::read(&mut &b"abc\n"[..], None).unwrap().sha256);

    let to = Store::open(dir.path().join("other/models")).unwrap();
    assert_eq!(to.import(&archive, IMPORT, &mut go_on).unwrap(), exported);
    let mut expected = contents(&from);
    expected.remove("c.txt");
    assert_eq!(contents(&to), expected);
    assert_eq!(fs::read_dir(to.scratch().unwrap()).unwrap().count(), 0);

    let again = to.import(&archive, IMPORT, &mut go_on).unwrap();
    assert!(again.iter().all(|file| !file.is_new));
    assert!(to.trashed().unwrap().is_empty());
}

#[test]
fn only_the_named_models_are_exported() {
    let (dir, from) = store(&[("a.bin", b"a"), ("a.ort", ORT), ("a.txt", b"x"), ("b.bin", b"b"), ("note.md", b"")]);
    let archive = dir.path().join("models.zip");
    let names = ["a.ort".to_owned(), "a.bin".to_owned(), "a.bin".to_owned()];
    let exported = from.export(&archive, &names, &mut go_on).unwrap();
    assert_eq!(names_of(&exported), [("a.bin", true), ("a.ort", true), ("a.txt", true)]);
    for (name, kind) in [
        ("c.bin", ErrorKind::ModelNotFound),
        ("note.md", ErrorKind::InvalidArgument),
        ("../a.bin", ErrorKind::InvalidArgument),
    ] {
        let error = from.export(&archive, &[name.to_owned()], &mut go_on).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(name), "{error}");
    }
    let (_dir, empty) = store(&[]);
    assert_eq!(empty.export(&archive, &[], &mut go_on).unwrap_err().kind(), ErrorKind::ModelNotFound);
}

#[test]
fn the_same_models_give_the_same_bytes() {
    let models: [(&str, &[u8]); 3] = [("a.bin", b"a"), ("b.bin", b"b"), ("b.txt", b"x")];
    let archives = [0, 1].map(|turn| {
        let (dir, from) = store(&[]);
        let order: Vec<_> = if turn == 0 { models.to_vec() } else { models.iter().rev().copied().collect() };
        for (name, content) in order {
            fs::write(from.path(name).unwrap(), content).unwrap();
        }
        let archive = dir.path().join("models.zip");
        from.export(&archive, &[], &mut go_on).unwrap();
        fs::read(archive).unwrap()
    });
    assert_eq!(archives[0], archives[1]);
}

#[test]
fn what_is_damaged_is_left_out_with_the_reason_and_refused_by_name() {
    let whole = model(b"whole");
    let cut = &whole[..whole.len() - 3];
    let (dir, from) = store(&[
        ("PP-OCRv6_det_small.onnx", &model(b"mine")),
        // No import takes another list under a known one's name.
        ("PP-OCRv6_tiny_rec.bin", &whole),
        ("PP-OCRv6_tiny_rec.txt", b"mine"),
        ("a.onnx", &whole),
        ("b.onnx", cut),
        ("c.ort", b"no such format"),
        ("d.bin", b"anything"),
        ("e.onnx", &whole),
        ("e.txt", b"x"),
        ("old_f.onnx", cut),
    ]);
    fs::remove_file(from.dir().join("e.txt")).unwrap();
    fs::create_dir(from.dir().join("e.txt")).unwrap();
    let archive = dir.path().join("models.zip");
    let exported = from.export(&archive, &[], &mut go_on).unwrap();
    let damaged = ["PP-OCRv6_det_small.onnx", "PP-OCRv6_tiny_rec.bin", "b.onnx", "c.ort", "e.onnx", "old_f.onnx"];
    let left_out: Vec<_> = exported.iter().filter(|file| file.left_out.is_some()).collect();
    assert_eq!(left_out.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), damaged);
    assert!(left_out.iter().all(|file| !file.is_new && file.bytes > 0));
    let to = Store::open(dir.path().join("other")).unwrap();
    let taken = to.import(&archive, IMPORT, &mut go_on).unwrap();
    assert_eq!(names_of(&taken), [("a.onnx", true), ("d.bin", true)]);
    for name in damaged {
        let state = from.examine(name).unwrap().state;
        assert!(["PP-OCRv6_tiny_rec.bin", "e.onnx"].contains(&name) || state == State::Corrupt, "{name}: {state}");
        let before = fs::read(&archive).unwrap();
        let error = from.export(&archive, &["a.onnx".to_owned(), name.to_owned()], &mut go_on).unwrap_err();
        assert!(error.to_string().contains(name) && error.hint().is_some(), "{error}");
        assert_eq!(fs::read(&archive).unwrap(), before);
    }
    for name in ["a.onnx", "d.bin"] {
        fs::remove_file(from.dir().join(name)).unwrap();
    }
    let error = from.export(&archive, &[], &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt, "nothing is left: {error}");
}

#[test]
fn a_damaged_known_model_is_not_spread() {
    let (dir, from) = store(&[("PP-OCRv6_det_small.onnx", &model(b"mine"))]);
    let archive = dir.path().join("models.zip");
    fs::write(&archive, "before").unwrap();
    let error = from.export(&archive, &[], &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
    assert!(error.shell_hint().unwrap().contains("ferrocr models pull PP-OCRv6_det_small.onnx"));
    assert_eq!(fs::read(&archive).unwrap(), b"before");
    assert_eq!(snapshot(dir.path()).len(), 2, "nothing is left beside the archive");
}

#[test]
fn an_archive_has_a_place_of_its_own() {
    let (dir, from) = store(&[("a.bin", b"a")]);
    fs::create_dir_all(dir.path().join("models/sub")).unwrap();
    for (target, kind) in [
        ("", ErrorKind::InvalidArgument),
        ("models", ErrorKind::InvalidArgument),
        ("models/all.zip", ErrorKind::InvalidArgument),
        ("models/a.bin", ErrorKind::InvalidArgument),
        ("models/sub/../sub/all.zip", ErrorKind::InvalidArgument),
        ("nowhere/all.zip", ErrorKind::Io),
    ] {
        let error = from.export(&dir.path().join(target), &[], &mut go_on).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    // A rename would put a file in the place of a device.
    let devices: &[&str] = if cfg!(unix) { &["/dev/null", "/"] } else { &[] };
    for target in devices.iter().chain(&[""]) {
        let error = from.export(Path::new(target), &[], &mut go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
    assert_eq!(snapshot(dir.path()).len(), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_other_systems_cannot_tell_apart_are_not_exported() {
    let (dir, from) = store(&[("a.bin", b"a"), ("A.bin", b"a")]);
    let error = from.export(&dir.path().join("models.zip"), &[], &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
}

#[cfg(target_os = "linux")]
#[test]
fn names_that_a_terminal_may_obey_are_left_out_of_an_export() {
    let (dir, from) = store(&[("a.bin", b"a")]);
    fs::write(from.dir().join("b\n.bin"), "b").unwrap();
    let exported = from.export(&dir.path().join("models.zip"), &[], &mut go_on).unwrap();
    assert_eq!(names_of(&exported), [("a.bin", true)]);
}

#[test]
fn other_content_is_replaced_only_where_that_is_asked_for() {
    let (dir, from) = store(&[("a.bin", b"new a"), ("b.bin", b"new b"), ("c.bin", b"same"), ("d.bin", b"new d")]);
    let archive = dir.path().join("models.zip");
    from.export(&archive, &[], &mut go_on).unwrap();
    let (_dir, to) = store(&[("a.bin", b"old a"), ("b.bin", b"old b"), ("c.bin", b"same")]);
    let before = snapshot(to.dir());
    for options in [IMPORT, DRY_RUN] {
        let error = to.import(&archive, options, &mut go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("a.bin, b.bin\n"), "{error}");
        assert!(error.shell_hint().unwrap().contains("--replace"));
        assert_eq!(snapshot(to.dir()), before);
    }
    let imported = to.import(&archive, REPLACE, &mut go_on).unwrap();
    assert_eq!(names_of(&imported), [("a.bin", true), ("b.bin", true), ("c.bin", false), ("d.bin", true)]);
    assert_eq!(contents(&to), contents(&from));
    let trashed = to.trashed().unwrap();
    let trashed: Vec<_> = trashed.iter().map(|old| fs::read_to_string(&old.path).unwrap()).collect();
    assert_eq!(trashed, ["old a", "old b"]);
}

#[test]
fn a_folder_in_a_file_s_place_is_found_before_anything_appears() {
    let (dir, from) = store(&[("a.bin", b"a"), ("b.bin", b"b")]);
    let archive = dir.path().join("models.zip");
    from.export(&archive, &[], &mut go_on).unwrap();
    let (_dir, to) = store(&[]);
    fs::create_dir(to.dir().join("b.bin")).unwrap();
    assert_eq!(to.import(&archive, REPLACE, &mut go_on).unwrap_err().kind(), ErrorKind::InvalidArgument);
    assert!(contents(&to).is_empty());
}

#[cfg(unix)]
#[test]
fn a_link_that_leaves_the_directory_takes_its_name_and_is_not_followed() {
    let (dir, from) = store(&[("a.bin", b"new")]);
    let (archive, outside) = (dir.path().join("models.zip"), dir.path().join("outside.bin"));
    from.export(&archive, &[], &mut go_on).unwrap();
    fs::write(&outside, "outside").unwrap();
    let (_dir, to) = store(&[]);
    std::os::unix::fs::symlink(&outside, to.dir().join("a.bin")).unwrap();
    assert_eq!(to.import(&archive, IMPORT, &mut go_on).unwrap_err().kind(), ErrorKind::InvalidArgument);
    to.import(&archive, REPLACE, &mut go_on).unwrap();
    assert_eq!(fs::read(&outside).unwrap(), b"outside");
    assert!(fs::symlink_metadata(to.dir().join("a.bin")).unwrap().is_file());
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_differs_in_case_only_is_in_the_way() {
    let (dir, from) = store(&[("A.bin", b"new"), ("a.txt", b"list")]);
    let archive = dir.path().join("models.zip");
    from.export(&archive, &["A.bin".to_owned()], &mut go_on).unwrap();
    // Also with the same content: the two together could never be exported.
    for content in [&b"old"[..], b"new"] {
        let (_dir, to) = store(&[("a.bin", content), ("b.bin", b"b")]);
        for options in [IMPORT, REPLACE, DRY_RUN] {
            let error = to.import(&archive, options, &mut go_on).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            assert!(error.to_string().contains("a.bin is there and differs in case only"), "{error}");
        }
        to.export(&dir.path().join("all.zip"), &[], &mut go_on).unwrap();
    }
    // Files that are there already are left alone, whatever lies beside.
    let (_dir, to) = store(&[("a.bin", b"other"), ("A.bin", b"new")]);
    assert_eq!(names_of(&to.import(&archive, IMPORT, &mut go_on).unwrap()), [("A.bin", false)]);
}

#[test]
fn what_an_audit_calls_damaged_is_not_imported() {
    // A graph without outputs, and without the version of the format.
    let content = Writer::new().message(7, Writer::new()).finish();
    let members = [("a.onnx", content.as_slice())];
    let (dir, to) = store(&[]);
    let archive = dir.path().join("models.zip");
    fs::write(&archive, packed(&members, &manifest::text(&listed(&members)))).unwrap();
    let error = to.import(&archive, IMPORT, &mut go_on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
    assert!(error.to_string().contains("a.onnx") && error.to_string().contains("version of its format"), "{error}");
    assert!(contents(&to).is_empty());
}

#[test]
fn threads_that_import_the_same_archive_all_succeed() {
    let (dir, from) = store(&[("a.bin", b"a"), ("b.bin", b"b"), ("c.bin", b"c")]);
    let archive = dir.path().join("models.zip");
    from.export(&archive, &[], &mut go_on).unwrap();
    let (_dir, to) = store(&[]);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| to.import(&archive, IMPORT, &mut go_on).unwrap());
        }
    });
    assert_eq!(contents(&to), contents(&from));
    assert!(to.trashed().unwrap().is_empty());
    assert_eq!(fs::read_dir(to.scratch().unwrap()).unwrap().count(), 0);
}

#[test]
fn a_dry_run_changes_nothing() {
    let (dir, from) = store(&[("a.bin", b"new"), ("b.bin", b"b")]);
    let archive = dir.path().join("models.zip");
    from.export(&archive, &[], &mut go_on).unwrap();
    let (_dir, to) = store(&[("a.bin", b"old")]);
    let options = ImportOptions { replace: true, dry_run: true };
    let imported = to.import(&archive, options, &mut go_on).unwrap();
    assert_eq!(names_of(&imported), [("a.bin", true), ("b.bin", true)]);
    assert_eq!(fs::read_dir(to.dir()).unwrap().count(), 1, "not even bookkeeping");
    let missing = Store::open(dir.path().join("missing")).unwrap();
    missing.import(&archive, DRY_RUN, &mut go_on).unwrap();
    assert!(!missing.dir().exists());
}

#[test]
fn progress_is_told_and_ends_the_work_at_any_call() {
    // Several chunks.
    let large = vec![7; 192 * 1024];
    let (dir, from) = store(&[("a.bin", &large), ("b.bin", b"b")]);
    let archive = dir.path().join("models.zip");
    let mut told = Vec::new();
    let mut note = |progress: ArchiveProgress<'_>| {
        told.push((progress.name.to_owned(), progress.done, progress.total));
        true
    };
    from.export(&archive, &[], &mut note).unwrap();
    let (_dir, to) = store(&[]);
    to.import(&archive, DRY_RUN, &mut note).unwrap();
    let total = large.len() as u64 + 1;
    assert!(told.iter().all(|(_, done, most)| done <= most && *most == total));
    assert_eq!(told.last().unwrap(), &("b.bin".to_owned(), total, total));
    fs::remove_file(&archive).unwrap();
    for call in 0.. {
        let mut left = call;
        let exported = from.export(&archive, &[], &mut |_| {
            left -= 1;
            left >= 0
        });
        let Err(error) = exported else { break };
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the models");
    }
    for call in 0.. {
        let mut left = call;
        let imported = to.import(&archive, IMPORT, &mut |_| {
            left -= 1;
            left >= 0
        });
        let Err(error) = imported else { break };
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(snapshot(to.dir()).is_empty());
    }
    assert_eq!(contents(&to), contents(&from));
}

#[test]
fn what_killed_imports_left_behind_goes() {
    let (dir, from) = store(&[("a.bin", b"a")]);
    let archive = dir.path().join("models.zip");
    from.export(&archive, &[], &mut go_on).unwrap();
    let (_dir, to) = store(&[]);
    fs::create_dir(to.scratch().unwrap().join("import.1.tmp")).unwrap();
    to.import(&archive, IMPORT, &mut go_on).unwrap();
    assert_eq!(fs::read_dir(to.scratch().unwrap()).unwrap().count(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn whatever_is_exported_is_imported(
        files in prop::collection::btree_map(
            "[a-z\u{e9}_ -]{1,12}\\.(onnx|ort|bin|BIN)", prop::collection::vec(any::<u8>(), 0..300), 1..6),
        list in any::<bool>(),
    ) {
        let mut files: BTreeMap<_, _> = files.into_iter().map(|(name, content)| {
            let content = match name.rsplit('.').next() {
                Some("onnx") => model(&content),
                Some("ort") => [ORT, &content].concat(),
                _ => content,
            };
            (name.to_lowercase(), content)
        }).collect();
        if list {
            let name = list_of(files.keys().next().unwrap()).unwrap();
            files.insert(name, b"characters".to_vec());
        }
        let members: Vec<_> = files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
        let (dir, from) = store(&members);
        let archive = dir.path().join("models.zip");
        let exported = from.export(&archive, &[], &mut go_on).unwrap();
        prop_assert_eq!(exported.len(), files.len());
        let (_dir, to) = store(&[]);
        prop_assert_eq!(to.import(&archive, IMPORT, &mut go_on).unwrap(), exported);
        prop_assert_eq!(contents(&to), files);
    }
}
