//! Archives that somebody made to do harm, or that broke on the way.

use super::*;
use crate::error::ErrorKind;
use crate::models::catalog;
use crate::models::store::archive::rules::MANIFEST;
use crate::models::store::archive::rules::MOST_FILES;

const A: (&str, &[u8]) = ("a.bin", b"abc");
const B: (&str, &[u8]) = ("b.bin", b"def");

struct Case {
    what: &'static str,
    archive: Vec<u8>,
    says: &'static str,
}

impl Case {
    fn new(what: &'static str, archive: Vec<u8>, says: &'static str) -> Self {
        Self { what, archive, says }
    }

    /// An archive that lists exactly what it has.
    fn honest(what: &'static str, members: &[(&str, &[u8])], says: &'static str) -> Self {
        Self::new(what, packed(members, &manifest::text(&listed(members))), says)
    }

    /// An honest archive of `A` with another list.
    fn listing(what: &'static str, change: impl FnOnce(&mut ArchiveFile), says: &'static str) -> Self {
        let mut files = listed(&[A]);
        change(&mut files[0]);
        Self::new(what, packed(&[A], &manifest::text(&files)), says)
    }
}

fn good() -> Vec<u8> {
    packed(&[A, B], &manifest::text(&listed(&[A, B])))
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    while let Some(at) = bytes.windows(from.len()).position(|window| window == from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
    bytes
}

/// Changes the byte at `local` of the first local header and the one at `central` of the first central one.
fn patched(mut bytes: Vec<u8>, (local, central): (usize, usize), change: impl Fn(&mut u8)) -> Vec<u8> {
    let directory = bytes.windows(4).position(|window| window == b"PK\x01\x02").unwrap();
    change(&mut bytes[local]);
    change(&mut bytes[directory + central]);
    bytes
}

/// Offsets of the flags and of the uncompressed length in the two headers.
const FLAGS: (usize, usize) = (6, 8);
const LENGTH: (usize, usize) = (22, 24);

fn with_special(add: impl FnOnce(&mut ZipWriter<Cursor<Vec<u8>>>)) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    add(&mut zip);
    for (name, content) in [A, (MANIFEST, manifest::text(&listed(&[A])).as_bytes())] {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Must leave the directory as it is, in all ways of importing.
fn check(case: &Case) {
    let (dir, store) = store(&[("mine.bin", b"mine")]);
    let archive = dir.path().join("models.zip");
    fs::write(&archive, &case.archive).unwrap();
    let before = snapshot(store.dir());
    for options in [DRY_RUN, IMPORT, REPLACE] {
        let error = match store.import(&archive, options, &mut go_on) {
            Ok(files) => panic!("{}: {files:?} with {options:?}", case.what),
            Err(error) => error,
        };
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt, "{}: {error}", case.what);
        assert!(error.to_string().contains(case.says), "{}: {error}", case.what);
        assert!(error.to_string().contains("models.zip"), "{}: {error}", case.what);
        assert!(error.hint().is_some(), "{}: {error}", case.what);
        assert_eq!(snapshot(store.dir()), before, "{}", case.what);
        assert!(!options.dry_run || !store.dir().join(".ferrocr").exists(), "{}", case.what);
    }
}

fn names() -> Vec<Case> {
    let fits = |name: &'static str, says| Case::honest(name, &[A, (name, b"x")], says);
    vec![
        fits("/etc/a.bin", "separator"),
        fits("../a.bin", "separator"),
        fits("box/a.bin", "separator"),
        fits("..\\b.bin", "separator"),
        fits("c:b.bin", "colon"),
        fits(".b.bin", "starts with a dot"),
        fits(".ferrocr", "starts with a dot"),
        fits("A.BIN", "twice"),
        fits("b.exe", "neither a model"),
        fits("b.txt", "neither a model"),
        fits("b\x1b[2J.bin", "control character"),
        Case::new("no UTF-8", replaced(&good(), b"b.bin", b"\xff.bin"), "UTF-8"),
        Case::new("the same name twice", replaced(&good(), b"b.bin", b"a.bin"), "is damaged"),
    ]
}

fn entries() -> Vec<Case> {
    let options = SimpleFileOptions::default();
    let folder = with_special(|zip| zip.add_directory("box", options).unwrap());
    let link = with_special(|zip| zip.add_symlink("b.bin", "/etc/passwd", options).unwrap());
    let device = options.external_attributes(0o020_644 << 16);
    let device = with_special(|zip| zip.start_file("b.bin", device).unwrap());
    let many: Vec<_> = (0..=MOST_FILES).map(|number| format!("{number}.bin")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let list = manifest::text(&listed(&[A]));
    vec![
        Case::new("a folder", folder, "it is a folder"),
        Case::new("a link", link, "it is a link"),
        Case::new("a device", device, "it is a link, a folder or a device"),
        Case::new("encrypted", patched(good(), FLAGS, |flags| *flags |= 1), "it is encrypted"),
        Case::new("an extra entry", packed(&[A, B], &list), "\"b.bin\" is not in its list"),
        Case::new(
            "a missing entry",
            packed(&[A], &manifest::text(&listed(&[A, B]))),
            "\"b.bin\" of its list is missing",
        ),
        Case::honest("too many files", &many, "more than 1000 files"),
        Case::honest("no model by its structure", &[("b.onnx", b"abc")], "b.onnx"),
    ]
}

fn lists() -> Vec<Case> {
    let list = manifest::text(&listed(&[A]));
    let known = "PP-OCRv6_det_small.onnx";
    let hash = catalog::find(known).unwrap().sha256;
    let content = model(b"other");
    let mut claimed = listed(&[(known, &content)]);
    claimed[0].sha256 = hash.to_owned();
    let claimed = packed(&[(known, &content)], &manifest::text(&claimed));
    let own_list = [("PP-OCRv6_tiny_rec.bin", &*content), ("PP-OCRv6_tiny_rec.txt", b"x")];
    vec![
        Case::new("no list", packed(&[A, B], ""), "no archive of models"),
        Case::new("a list that is no JSON", packed(&[A], "{"), "no archive of models"),
        Case::new("another format", packed(&[A], &list.replace("ferrocr-models", "wheel")), "no archive of models"),
        Case::new("a newer version", packed(&[A], &list.replace("\"version\":1", "\"version\":2")), "version 1 can be"),
        Case::new("an endless list", packed(&[A], &format!("{list}{}", " ".repeat(1 << 20))), "longer than 1048576"),
        Case::listing("a length that is too small", |file| file.bytes = 2, "has 3 bytes, and its list says 2"),
        Case::listing("a length that is too large", |file| file.bytes = 4, "has 3 bytes, and its list says 4"),
        Case::listing("a length beyond all", |file| file.bytes = 1 << 40, "more than 2147483648"),
        Case::listing("another hash", |file| file.sha256 = "0".repeat(64), "and its list says 000"),
        Case::honest("another known model", &[(known, &content)], "is not the known model"),
        Case::honest("in lower case", &[("pp-ocrv6_det_small.onnx", &content)], "is not the known model"),
        Case::honest("another known list", &own_list, "is not the known list of characters"),
        Case::new("a known hash", claimed, "and its list says"),
    ]
}

fn bombs() -> Vec<Case> {
    let zeros = vec![0; 20 << 20];
    let mut lie = listed(&[("b.bin", &zeros)]);
    lie[0].bytes &= 0xff;
    let lie_of_length = |bytes: Vec<u8>| {
        let bytes = patched(bytes, (LENGTH.0 + 2, LENGTH.1 + 2), |byte| *byte = 0);
        patched(bytes, (LENGTH.0 + 3, LENGTH.1 + 3), |byte| *byte = 0)
    };
    let lied = lie_of_length(packed(&[("b.bin", &zeros)], &manifest::text(&lie)));
    let mut prefixed = b"#!/bin/sh\n".to_vec();
    prefixed.extend(good());
    // The second entry's central header points at the first one's data.
    let mut inside = packed(&[A, ("c.bin", b"abc")], &manifest::text(&listed(&[A, ("c.bin", b"abc")])));
    let second = inside.windows(4).enumerate().filter(|(_, window)| *window == b"PK\x01\x02").nth(1).unwrap().0;
    inside[second + 42..second + 46].copy_from_slice(&[0; 4]);
    vec![
        Case::honest("a bomb", &[("b.bin", &zeros)], "claim to hold 20971520"),
        Case::new("a bomb that lies", lied, "is damaged"),
        Case::new("something before it", prefixed, "no archive of models"),
        Case::new("entries in each other", inside, "is damaged"),
        Case::new("nothing", Vec::new(), "no archive of models"),
        Case::new("a model", model(b"abc"), "no archive of models"),
    ]
}

#[test]
fn hostile_archives_are_refused_and_leave_the_directory_as_it_is() {
    let cases: Vec<_> = [names(), entries(), lists(), bombs()].into_iter().flatten().collect();
    cases.iter().for_each(check);
}

#[test]
fn a_directory_that_lies_far_from_the_end_is_refused() {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for number in 0..16_000 {
        zip.start_file(format!("{number:0250}.bin"), SimpleFileOptions::default()).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    let error = Archive::open("it", Cursor::new(bytes)).unwrap_err();
    assert!(error.to_string().contains("directory is too long"), "{error}");
}

#[test]
fn what_is_no_file_is_an_io_error() {
    let (dir, store) = store(&[]);
    for path in [dir.path().to_owned(), dir.path().join("missing.zip")] {
        assert_eq!(store.import(&path, IMPORT, &mut go_on).unwrap_err().kind(), ErrorKind::Io);
    }
}

#[test]
fn a_good_archive_of_another_program_is_taken() {
    let (dir, store) = store(&[]);
    let archive = dir.path().join("models.zip");
    fs::write(&archive, good()).unwrap();
    assert_eq!(store.import(&archive, IMPORT, &mut go_on).unwrap().len(), 2);
}

#[test]
fn a_file_number_beyond_the_end_is_an_error() {
    let mut archive = Archive::open("it", Cursor::new(good())).unwrap();
    assert_eq!(archive.copy(2, &mut |_| Ok(())).unwrap_err().kind(), ErrorKind::InvalidArgument);
}

#[test]
fn an_archive_that_ends_early_is_refused_wherever_it_ends() {
    let (dir, store) = store(&[("mine.bin", b"mine")]);
    let before = snapshot(store.dir());
    let (archive, bytes) = (dir.path().join("models.zip"), good());
    for length in 0..bytes.len() {
        fs::write(&archive, &bytes[..length]).unwrap();
        let error = store.import(&archive, REPLACE, &mut go_on).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt, "{length}: {error}");
        assert_eq!(snapshot(store.dir()), before, "{length}");
    }
}

/// Either nothing happens, or the right models are there: some bytes, as those of times, mean nothing.
fn check_changed(bytes: &[u8]) {
    let (dir, store) = store(&[]);
    let archive = dir.path().join("models.zip");
    fs::write(&archive, bytes).unwrap();
    match store.import(&archive, REPLACE, &mut go_on) {
        Ok(_) => {
            let expected = [A, B].map(|(name, content)| (name.to_owned(), content.to_vec()));
            assert_eq!(contents(&store), expected.into_iter().collect());
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::ModelCorrupt, "{error}");
            assert!(snapshot(store.dir()).is_empty());
        }
    }
}

proptest! {
    #[test]
    fn a_changed_byte_is_found_or_means_nothing(at in any::<prop::sample::Index>(), mask in 1u8..) {
        let mut bytes = good();
        let at = at.index(bytes.len());
        bytes[at] ^= mask;
        check_changed(&bytes);
    }

    #[test]
    fn any_bytes_are_an_archive_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(Archive::open("it", Cursor::new(bytes)).is_err());
    }
}
