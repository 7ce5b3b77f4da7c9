use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};

use proptest::prelude::*;

use super::*;
use crate::error::{Action, ErrorKind, Hint};
use crate::models::Role;
use crate::models::catalog::{Entry, Family, KnownFile, Size};
use crate::models::store::Store;
use crate::models::store::characters::list_of;
use crate::models::store::layout::BOOKKEEPING;
use crate::models::store::path_text;
use crate::models::store::{Expected, Part};
use crate::onnx::testing::picture_model;

mod any;
mod bookkeeping;
mod odd;

/// Known models of three bytes.
static CATALOG: [Entry; 6] = [
    // SHA-256 of "abc", "abd", "xyz", "old", "dir" and "rec".
    known("new_rec.onnx", Role::Recognizer, Family::V6, Size::Small, &["ch", "en"], ABC),
    known("old_fam_rec.onnx", Role::Recognizer, Family::V4, Size::Mobile, &["en"], ABD),
    known("big_rec.onnx", Role::Recognizer, Family::V4, Size::Server, &["en"], XYZ),
    known("turn_new.onnx", Role::Orienter, Family::V5, Size::Server, &["multi"], OLD),
    known("turn.onnx", Role::Orienter, Family::V2, Size::Mobile, &["ch"], DIR),
    Entry { characters: Some(LIST), ..known("two_rec.onnx", Role::Recognizer, Family::V6, Size::Tiny, &["en"], REC) },
];

/// The list of characters that goes with the last of them: "lis".
const LIST: KnownFile = KnownFile { name: "two_rec.txt", bytes: Some(3), sha256: LIS, address: None, wheel: None };

const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const ABD: &str = "a52d159f262b2c6ddb724a61840befc36eb30c88877a4030b65cbe86298449c9";
const XYZ: &str = "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282";
const OLD: &str = "cba06b5736faf67e54b07b561eae94395e774c517a7d910a54369e1263ccfbd4";
const REC: &str = "cb41b38387d6fca01272be03380f63568fccbd724c299ae58e8d548d91b67a58";
const LIS: &str = "afc0b0d1d853ba78ab43c5c36448cddbb82cce915e4d68d9e3ca7af40361d5c5";
const DIR: &str = "2b64c6d9afd8a34ed0dbf35f7de171a8825a50d9f42f05e98fe2b1addf00ab44";

const fn known(
    name: &'static str,
    role: Role,
    family: Family,
    size: Size,
    languages: &'static [&'static str],
    sha256: &'static str,
) -> Entry {
    Entry {
        name,
        role,
        family,
        size,
        languages,
        bytes: Some(3),
        sha256,
        licence: "",
        address: None,
        wheel: None,
        characters: None,
    }
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    fs::create_dir(store.dir()).unwrap();
    (dir, store)
}

fn put(store: &Store, name: &str, content: &[u8]) {
    fs::write(store.dir().join(name), content).unwrap();
}

fn model() -> Vec<u8> {
    picture_model(&[None, Some(3), None, None], &[None, Some(2)]).finish()
}

/// As if what is on the disk had been left alone for a while: the memory takes nothing that is new.
fn later() -> SystemTime {
    SystemTime::now() + Duration::from_secs(60)
}

fn audit_with(store: &Store, options: &AuditOptions) -> Audit {
    Auditor::new(&store.layout, options, &CATALOG, later()).audit().unwrap()
}

fn audit(store: &Store) -> Audit {
    audit_with(store, &AuditOptions::default())
}

fn to(store: &Store, action: Action) -> Option<Hint> {
    Some(store.layout.remedy(action).into())
}

fn needing(names: &[&str]) -> AuditOptions {
    AuditOptions { needed: names.iter().map(|&name| name.to_owned()).collect(), ..AuditOptions::default() }
}

/// The only entry of this name.
fn only<'a>(audit: &'a Audit, name: &str) -> &'a AuditEntry {
    let found: Vec<_> = audit.entries.iter().filter(|entry| entry.name == name).collect();
    assert_eq!(found.len(), 1, "{name} in {:#?}", audit.entries);
    found[0]
}

/// Everything below a folder: kind, length, time of writing and content.
fn snapshot(folder: &Path) -> BTreeMap<PathBuf, (u64, SystemTime, Option<Vec<u8>>)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = fs::symlink_metadata(&path).unwrap();
            if meta.is_dir() {
                folders.push(path.clone());
            }
            let content = meta.is_file().then(|| fs::read(&path).unwrap());
            found.insert(path, (meta.len(), meta.modified().unwrap(), content));
        }
    }
    found
}

#[test]
fn each_file_has_the_state_that_name_and_content_give_it() {
    struct Case {
        name: &'static str,
        content: Vec<u8>,
        state: State,
        detail: &'static str,
        action: &'static str,
    }
    let case =
        |name, content: &[u8], state, detail, action| Case { name, content: content.to_vec(), state, detail, action };
    let ort = b"\x18\0\0\0ORTM";
    let pull = "`ferrocr models pull new_rec.onnx --dir ";
    let move_it = "move it out of the directory";
    let verify = "`ferrocr models verify m.onnx --sha256 HASH --dir ";
    use State::{Corrupt, Current, Foreign, Old, Partial, Unverified};
    let cases = [
        case("new_rec.onnx", b"abc", Current, "the known model", ""),
        case("mine.onnx", b"abc", Current, "the content of new_rec.onnx", ""),
        case("mine.bin", b"abc", Current, "the content of new_rec.onnx", ""),
        case("mine.ort", b"abc", Current, "the content of new_rec.onnx", ""),
        case("new_rec.onnx", b"ab", Corrupt, "expected 3 bytes, found 2", pull),
        case("new_rec.onnx", b"", Corrupt, "expected 3 bytes, found 0", pull),
        case("new_rec.onnx", b"abcd", Corrupt, "longer than the expected 3 bytes", pull),
        case("new_rec.onnx", b"abX", Corrupt, "expected SHA-256 ba7816bf", pull),
        case("new_rec.onnx", b"xyz", Corrupt, "it has the content of big_rec.onnx", pull),
        case("new_rec.onnx", &model(), Corrupt, "longer", pull),
        case("m.onnx", &model(), Unverified, "an ONNX model", verify),
        case("m.bin", &model(), Unverified, "an ONNX model", "verify m.bin"),
        case("m.ONNX", &model(), Unverified, "an ONNX model", "verify m.ONNX"),
        case("m.ort", ort, Unverified, "identifier", "verify m.ort"),
        case("m.bin", ort, Unverified, "identifier", "verify m.bin"),
        case("m.onnx", ort, Unverified, "identifier", verify),
        case("m.ort", &model(), Corrupt, "has not the identifier", "`ferrocr models remove m.ort --dir "),
        case("m.ort", b"junk", Corrupt, "has not the identifier", "`ferrocr models remove m.ort --dir "),
        case("m.onnx", b"", Corrupt, "no graph", "`ferrocr models remove m.onnx --dir "),
        case("m.onnx", &model()[..40], Corrupt, "at byte", "`ferrocr models remove m.onnx --dir "),
        case("m.bin", b"", Foreign, "no ONNX model", move_it),
        case("m.bin", b"\x3a\x02\x62\x00", Foreign, "no ONNX model", move_it),
        case("m.bin", b"settings", Foreign, "holds no model", move_it),
        case("old_m.onnx", &model(), Old, "begins with old_; an ONNX model", "`ferrocr models prune --dir "),
        case("old_m.onnx", b"junk", Old, "it is damaged: ", "`ferrocr models prune --dir "),
        case("old_m.bin", b"junk", Old, "holds no model", "`ferrocr models prune --dir "),
        case("old_m.onnx", b"abc", Old, "the content of new_rec.onnx", "`ferrocr models prune --dir "),
        case("Old_m.onnx", &model(), Unverified, "an ONNX model", "verify Old_m.onnx"),
        case("it's mine.onnx", &model(), Unverified, "", "verify 'it'\\''s mine.onnx' --sha256"),
        case("m.onnx.part", b"x", Partial, "unfinished", "`ferrocr models prune --state partial --dir "),
        case("m.TMP", b"x", Partial, "unfinished", "--state partial"),
        case("a.download", b"", Partial, "unfinished", "--state partial"),
        case("a.crdownload", b"", Partial, "unfinished", "--state partial"),
        case("a.incomplete", b"", Partial, "unfinished", "--state partial"),
        case("a.partial", b"", Partial, "unfinished", "--state partial"),
        case("m.onnx.data", b"x", Foreign, "suffixes onnx, ort, bin", move_it),
        case("readme.txt", b"x", Foreign, "suffixes", move_it),
        case("onnx", &model(), Foreign, "suffixes", move_it),
        case(".m.onnx", &model(), Foreign, "hidden", move_it),
        case(".m.part", b"", Foreign, "hidden", move_it),
        case("c:m.onnx", &model(), Foreign, "it has a colon", move_it),
        case("a\\m.onnx", &model(), Foreign, "it has a separator", move_it),
    ];
    for case in cases.iter().filter(|case| cfg!(unix) || !case.name.contains([':', '\\'])) {
        let (_dir, store) = store();
        put(&store, case.name, &case.content);
        let audit = audit(&store);
        let entry = only(&audit, case.name);
        assert_eq!((entry.state, audit.entries.len()), (case.state, 1), "{} {}", case.name, entry.detail);
        assert!(entry.detail.contains(case.detail), "{}: {}", case.name, entry.detail);
        let action = entry.action.as_ref().map_or(String::new(), Hint::for_shell);
        assert!(action.contains(case.action), "{}: {action}", case.name);
        assert_eq!(action.is_empty(), case.state == Current, "{}", case.name);
        assert_eq!(entry.bytes, Some(case.content.len() as u64), "{}", case.name);
        let is_hashed = ![Foreign, Partial].contains(&case.state);
        assert_eq!(entry.sha256.is_some(), is_hashed, "{}", case.name);
    }
}

#[test]
fn role_and_version_come_from_the_catalog_or_the_file() {
    let (_dir, store) = store();
    put(&store, "a.onnx", b"xyz");
    put(&store, "b.onnx", &model());
    put(&store, "c.ort", b"\x18\0\0\0ORTM");
    let audit = audit(&store);
    let facts = |name| (only(&audit, name).role, only(&audit, name).version.as_deref());
    assert_eq!(facts("a.onnx"), (Some(Role::Recognizer), Some("PP-OCRv4")));
    assert_eq!(facts("b.onnx"), (Some(Role::Orienter), Some("opset 17, maker 1.2")));
    assert_eq!(facts("c.ort"), (None, None));
    assert_eq!(only(&audit, "a.onnx").sha256.as_deref(), Some(XYZ));
}

#[test]
fn what_is_too_long_for_a_list_of_characters_is_none() {
    let (_dir, store) = store();
    fs::write(store.dir().join("a.onnx"), model()).unwrap();
    fs::File::create(store.dir().join("a.txt")).unwrap().set_len(1 << 42).unwrap();
    let audit = audit(&store);
    let list = only(&audit, "a.txt");
    assert!(list.state == State::Foreign && list.sha256.is_none(), "{list:?}");
    assert!(list.detail.contains("the list of characters of a.onnx, and is longer than any"), "{}", list.detail);
}

#[test]
fn a_list_of_characters_belongs_to_its_model() {
    let (_dir, store) = store();
    for name in ["a.onnx", "b.v1.bin"] {
        put(&store, name, &model());
    }
    put(&store, "C.BIN", b"abc");
    put(&store, "old_d.onnx", b"abc");
    for name in ["a.txt", "b.v1.txt", "b.txt", "a.TXT", "C.txt", "old_d.txt"] {
        put(&store, name, b"abc");
    }
    store.keep(&["a.onnx".to_owned()]).unwrap();
    let _lease = store.lease(&["a.onnx".to_owned()]).unwrap();
    let audit = audit(&store);
    let list = only(&audit, "a.txt");
    assert_eq!((list.state, list.sha256.as_deref()), (State::Unverified, Some(ABC)));
    assert!(list.kept && list.in_use && list.detail.contains("a.onnx"), "{list:?}");
    assert_eq!(only(&audit, "b.v1.txt").state, State::Unverified);
    assert_eq!(only(&audit, "b.txt").state, State::Foreign);
    assert_eq!(only(&audit, "a.TXT").state, State::Foreign, "no engine opens it");
    assert_eq!(only(&audit, "old_d.txt").state, State::Old);
    let list = only(&audit, "C.txt");
    assert_eq!((list.state, list.detail.as_str()), (State::Current, "list of characters of C.BIN"));
}

#[test]
fn a_directory_with_a_known_model_and_its_list_is_clean() {
    let (_dir, store) = store();
    put(&store, "new_rec.onnx", b"abc");
    put(&store, "new_rec.txt", b"letters");
    assert!(audit(&store).is_clean());
}

#[test]
fn a_known_model_s_list_of_characters_has_to_be_the_one_that_goes_with_it() {
    struct Case {
        model: &'static str,
        /// Of the list, if there is one.
        content: Option<&'static [u8]>,
        state: State,
        detail: &'static str,
        action: Option<Action>,
    }
    let case = |model, content, state, detail, action| Case { model, content, state, detail, action };
    let pull = || Some(Action::Pull(vec!["two_rec.onnx".to_owned()]));
    use State::{Corrupt, Current, Missing};
    let cases = [
        case("two_rec.onnx", Some(b"lis"), Current, "list of characters of two_rec.onnx", None),
        case("two_rec.onnx", Some(b"lit"), Corrupt, "of two_rec.onnx; expected SHA-256 ", pull()),
        case("two_rec.onnx", Some(b"list"), Corrupt, "of two_rec.onnx; it is longer than the expected 3", pull()),
        case("two_rec.onnx", Some(b""), Corrupt, "of two_rec.onnx; expected 3 bytes, found 0", pull()),
        case("two_rec.onnx", None, Missing, "two_rec.onnx cannot be used without this list of characters", pull()),
        case("mine.bin", Some(b"lis"), Current, "list of characters of mine.bin", None),
        case("mine.bin", Some(b"lit"), Corrupt, "of mine.bin; expected SHA-256 ", None),
        case("mine.bin", None, Missing, "mine.bin cannot be used without this list of characters", None),
    ];
    for Case { model, content, state, detail, action } in cases {
        let (_dir, store) = store();
        put(&store, model, b"rec");
        let list = list_of(model).unwrap();
        if let Some(content) = content {
            put(&store, &list, content);
        }
        let audit = audit(&store);
        assert_eq!(only(&audit, model).state, Current, "{model} {content:?}");
        let found = only(&audit, &list);
        assert_eq!(found.state, state, "{found:?}");
        assert!(found.detail.contains(detail), "{found:?}");
        assert_eq!((found.action.is_none(), audit.entries.len()), (state == Current, 2), "{found:?}");
        assert!(action.is_none_or(|action| found.action == to(&store, action)), "{found:?}");
        let known = &CATALOG[5];
        assert_eq!(list_fault(&store.layout, model, known).is_some(), state != Current, "{model} {content:?}");
    }
}

#[test]
fn what_stands_in_for_a_list_of_characters_is_said_to() {
    let (_dir, store) = store();
    put(&store, "two_rec.onnx", b"rec");
    fs::create_dir(store.dir().join("two_rec.txt")).unwrap();
    let audit = audit(&store);
    let found = only(&audit, "two_rec.txt");
    assert_eq!(found.state, State::Foreign);
    assert!(
        found.detail.ends_with("a folder; two_rec.onnx cannot be used without this list of characters"),
        "{found:?}"
    );
}

#[test]
fn only_a_model_that_can_be_used_needs_its_list() {
    for (name, content) in [("two_rec.onnx", b"rex"), ("old_two_rec.onnx", b"rec")] {
        let (_dir, store) = store();
        put(&store, name, content);
        assert_eq!(audit(&store).entries.len(), 1, "pulling {name} anew brings its list");
    }
}

#[test]
fn a_removed_list_is_restored_if_it_is_the_right_one_and_else_fetched() {
    for (content, is_right) in [("lis", true), ("a list", false)] {
        let (_dir, store) = store();
        put(&store, "two_rec.onnx", b"rec");
        put(&store, "two_rec.txt", content.as_bytes());
        store.remove(&["two_rec.txt".to_owned()], &crate::models::store::RemoveOptions::default()).unwrap();
        let audit = audit(&store);
        let missing = audit.entries.iter().find(|entry| entry.state == State::Missing).unwrap();
        let action = match is_right {
            true => Action::Restore { name: Some("two_rec.txt".to_owned()), removal: None },
            false => Action::Pull(vec!["two_rec.onnx".to_owned()]),
        };
        assert_eq!(missing.action, to(&store, action));
    }
}

#[test]
fn a_newer_model_makes_an_older_one_old() {
    let (_dir, store) = store();
    for (name, content) in [("a.onnx", "abd"), ("big.onnx", "xyz"), ("t1.onnx", "old"), ("t2.onnx", "dir")] {
        put(&store, name, content.as_bytes());
    }
    assert!(audit(&store).is_clean());
    put(&store, "new.onnx", b"abc");
    let found = audit(&store);
    let old = only(&found, "a.onnx");
    assert_eq!((old.state, &old.action), (State::Old, &to(&store, Action::Remove("a.onnx".to_owned()))));
    assert!(old.detail.contains("new.onnx of PP-OCRv6 can do the same"), "{}", old.detail);
    // It is larger, and orienters stay.
    assert_eq!(found.findings().count(), 1);
    assert!(audit_with(&store, &needing(&["a.onnx"])).is_clean());
    store.keep(&["a*".to_owned()]).unwrap();
    assert!(audit(&store).is_clean());
    fs::rename(store.dir().join("new.onnx"), store.dir().join("old_new.onnx")).unwrap();
    assert_eq!(only(&audit(&store), "old_new.onnx").action, to(&store, Action::Prune(None)));
    store.unkeep(&["a*".to_owned()]).unwrap();
    assert_eq!(only(&audit(&store), "a.onnx").state, State::Current, "one that was put aside replaces nothing");
}

#[test]
fn what_is_wanted_and_not_there_is_missing_once_with_its_reasons() {
    let (_dir, store) = store();
    put(&store, "there.onnx", b"abc");
    put(&store, "new_rec.onnx", b"damaged");
    fs::create_dir(store.dir().join("folder.onnx")).unwrap();
    fs::create_dir(store.dir().join(BOOKKEEPING)).unwrap();
    fs::write(store.layout.keep_file(), "there.onnx\nnone*\nboth.onnx\n/etc/x.onnx\n").unwrap();
    let names = ["both.onnx", "big_rec.onnx", "new_rec.onnx", "folder.onnx", "big_rec.onnx"];
    let audit = audit_with(&store, &needing(&names));
    let missing: Vec<_> =
        audit.entries.iter().filter(|it| it.state == State::Missing).map(|it| it.name.as_str()).collect();
    assert_eq!(missing, ["/etc/x.onnx", "big_rec.onnx", "both.onnx", "none*"]);
    assert!(audit.entries.iter().all(|entry| entry.path.starts_with(store.dir())));
    assert_eq!(only(&audit, "big_rec.onnx").action, to(&store, Action::Pull(vec!["big_rec.onnx".to_owned()])));
    let both = only(&audit, "both.onnx");
    assert!(both.kept && both.detail.contains("keep-list") && both.detail.contains("need"), "{both:?}");
    assert_eq!(only(&audit, "new_rec.onnx").state, State::Corrupt);
    let folder = only(&audit, "folder.onnx");
    assert_eq!(folder.state, State::Foreign);
    assert!(folder.detail.contains("a model of this name is missing"), "{}", folder.detail);
}

#[test]
fn a_directory_that_is_not_there_has_only_missing_files() {
    let (dir, _) = store();
    let store = Store::open(dir.path().join("none")).unwrap();
    assert!(store.audit(&AuditOptions::default()).unwrap().entries.is_empty());
    let audit = store.audit(&needing(&["a.onnx"])).unwrap();
    assert_eq!((audit.entries.len(), audit.entries[0].state), (1, State::Missing));
    assert!(!store.dir().exists());
    let file = Store::open(dir.path().join("file")).unwrap();
    fs::write(file.dir(), "").unwrap();
    assert_eq!(file.audit(&AuditOptions::default()).unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn an_audit_changes_nothing() {
    let (dir, store) = store();
    put(&store, "a.onnx", &model());
    let before = snapshot(dir.path());
    audit(&store);
    assert_eq!(snapshot(dir.path()), before, "no bookkeeping is made");
    fs::create_dir_all(store.layout.incoming()).unwrap();
    fs::create_dir_all(store.layout.trash().join("0000000000001-0001-1")).unwrap();
    fs::write(store.layout.incoming().join("a.part"), "a").unwrap();
    store.keep(&["a.onnx".to_owned()]).unwrap();
    drop(store.lease(&["a.onnx".to_owned()]).unwrap());
    let before = snapshot(dir.path());
    for memory in
        [store.dir().join("memory"), store.layout.bookkeeping().join("memory"), store.dir().join("x/../memory")]
    {
        // A memory inside of the directory would be a change of it.
        audit_with(&store, &AuditOptions { memory: Some(memory), ..needing(&["b.onnx"]) });
        assert_eq!(snapshot(dir.path()), before);
    }
}

#[test]
fn the_text_has_a_line_for_each_entry_whatever_its_name() {
    let entry = |name: &str| AuditEntry::new(name, Path::new("dir").join(name), State::Foreign);
    let entries = vec![entry("a\nb\tc"), entry("d\u{2028}e\u{202e}f"), entry("g\u{1b}[1m")];
    let audit = Audit { dir: "dir".into(), entries };
    let expected = "FOREIGN: dir/a\\nb\\tc\nFOREIGN: dir/d\\u2028e\\u202ef\nFOREIGN: dir/g\\x1b[1m\n";
    assert_eq!(audit.text().replace('\\', "/"), expected.replace('\\', "/"));
    assert!(!audit.is_clean());
    assert_eq!(Audit { entries: Vec::new(), ..audit }.text(), "");
}

#[test]
fn an_inspection_says_what_an_audit_says_and_more() {
    let (_dir, store) = store();
    for (name, content) in [("a.onnx", &b"abd"[..]), ("new.onnx", b"abc"), ("m.onnx", &model()), ("turn.onnx", b"?")] {
        put(&store, name, content);
    }
    put(&store, "m.txt", b"abc");
    let options = AuditOptions::default();
    let auditor = || Auditor::new(&store.layout, &options, &CATALOG, later());
    let audit = auditor().audit().unwrap();
    for name in ["a.onnx", "new.onnx", "m.onnx", "turn.onnx"] {
        assert_eq!(&auditor().inspect(name).unwrap().entry, only(&audit, name));
    }
    assert_eq!(only(&audit, "a.onnx").state, State::Old);
    let catalog = |name| auditor().inspect(name).unwrap().catalog.map(|entry| entry.name);
    assert_eq!((catalog("a.onnx"), catalog("turn.onnx")), (Some("old_fam_rec.onnx"), Some("turn.onnx")));
    let inspection = store.inspect("m.onnx", &options).unwrap();
    assert_eq!(inspection.summary.unwrap().outputs.len(), 1);
    for name in ["none.onnx", "m.txt"] {
        assert_eq!(store.inspect(name, &options).unwrap_err().kind(), ErrorKind::ModelNotFound, "{name}");
    }
    assert_eq!(store.inspect("../x", &options).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn the_real_catalog_is_what_users_get() {
    let (_dir, store) = store();
    store.admit_from("PP-OCRv6_det_small.onnx", &Expected { bytes: Some(3), sha256: ABC }, &mut &b"abc"[..]).unwrap();
    let audit = store.audit(&AuditOptions::default()).unwrap();
    let entry = only(&audit, "PP-OCRv6_det_small.onnx");
    assert_eq!(entry.state, State::Corrupt);
    assert_eq!(entry.action, to(&store, Action::Pull(vec!["PP-OCRv6_det_small.onnx".to_owned()])));
}
