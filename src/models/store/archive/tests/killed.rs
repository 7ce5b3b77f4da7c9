//! A process that is killed in the midst of its work, before each of its changes of the disk.

use std::env;
use std::process::Command;

use super::*;
use crate::models::store::disk::steps;

/// What a child does, for how many changes of the disk, in which folder.
const TASK: &str = "FERROCR_TEST_ARCHIVE_TASK";

const NEW: [(&str, &[u8]); 3] = [("a.bin", b"new a"), ("a.txt", b"new list"), ("b.bin", b"new b")];
const OLD: [(&str, &[u8]); 2] = [("a.bin", b"old a"), ("b.bin", b"old b")];

/// Does nothing unless a test beside it started this process for it.
#[test]
fn the_child_that_is_killed() {
    let Ok(task) = env::var(TASK) else { return };
    let [what, steps, dir] = task.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
    let (store, archive) = (Store::open(Path::new(dir).join("models")).unwrap(), Path::new(dir).join("models.zip"));
    steps::end_after(steps.parse().unwrap());
    match what {
        "export" => store.export(&archive, &[], &mut go_on).unwrap(),
        _ => store.import(&archive, REPLACE, &mut go_on).unwrap(),
    };
}

/// Whether a child was killed at its step; else it has done its work.
fn is_killed(what: &str, steps: u64, dir: &TempDir) -> bool {
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", "models::store::archive::tests::killed::the_child_that_is_killed", "--nocapture"]);
    command.env(TASK, format!("{what} {steps} {}", dir.path().display()));
    let output = command.output().unwrap();
    match output.status.code() {
        Some(0) => false,
        Some(steps::ENDED) => true,
        _ => panic!("{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn owned(members: &[(&str, &[u8])]) -> BTreeMap<String, Vec<u8>> {
    members.iter().map(|(name, content)| ((*name).to_owned(), content.to_vec())).collect()
}

/// Kills an import into a directory of `before` at each step, and gives the number of steps.
fn kill_imports(before: &[(&str, &[u8])]) -> u64 {
    let (_made, from) = store(&NEW);
    let made = _made.path().join("models.zip");
    from.export(&made, &[], &mut go_on).unwrap();
    let (before_all, new) = (owned(before), owned(&NEW));
    for steps in 0.. {
        let (dir, to) = store(before);
        let archive = dir.path().join("models.zip");
        fs::copy(&made, &archive).unwrap();
        let killed = is_killed("import", steps, &dir);
        let left = contents(&to);
        for (name, content) in &left {
            let is_whole = new.get(name) == Some(content) || before_all.get(name) == Some(content);
            assert!(is_whole, "{name} after {steps} steps");
        }
        assert!(before_all.keys().all(|name| left.contains_key(name)), "after {steps} steps");
        to.import(&archive, REPLACE, &mut go_on).unwrap();
        assert_eq!(contents(&to), new, "after {steps} steps");
        assert_eq!(fs::read_dir(to.scratch().unwrap()).unwrap().count(), 0, "after {steps} steps");
        for trashed in to.trashed().unwrap() {
            assert_eq!(Some(&fs::read(&trashed.path).unwrap()), before_all.get(&trashed.name), "after {steps} steps");
        }
        if !killed {
            return steps;
        }
    }
    unreachable!()
}

#[test]
fn an_import_killed_at_any_step_leaves_whole_files_and_can_be_done_again() {
    let steps = kill_imports(&[]);
    assert!(steps > 20, "{steps}");
}

#[test]
fn an_import_killed_while_it_replaces_leaves_the_old_or_the_new() {
    let steps = kill_imports(&OLD);
    assert!(steps > 25, "{steps}");
}

#[test]
fn an_export_killed_at_any_step_leaves_the_archive_before_or_the_new_one() {
    let mut whole = Vec::new();
    for steps in 0.. {
        let (dir, from) = store(&NEW);
        let archive = dir.path().join("models.zip");
        fs::write(&archive, "before").unwrap();
        let killed = is_killed("export", steps, &dir);
        assert_eq!(contents(&from), owned(&NEW));
        let found = fs::read(&archive).unwrap();
        from.export(&archive, &[], &mut go_on).unwrap();
        whole = if whole.is_empty() { fs::read(&archive).unwrap() } else { whole };
        assert!(found == b"before" || found == whole, "after {steps} steps");
        if !killed {
            assert_eq!(found, whole);
            assert!(steps > 5, "{steps}");
            return;
        }
    }
}
