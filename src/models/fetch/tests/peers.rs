use std::thread;

use super::*;
use crate::models::store::Part;

/// Pulls on several threads at once; gives the sources that each of them was told.
pub(super) fn pull_together(
    count: usize,
    store: &Store,
    entry: &Entry,
    options: &PullOptions,
) -> Vec<BTreeSet<String>> {
    let one = || {
        let mut sources = BTreeSet::new();
        pull(store, &[entry], options, &mut |progress| {
            sources.insert(progress.source.to_string());
            true
        })
        .unwrap();
        sources
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn several_threads_download_once() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Drip(Duration::from_millis(60))]);
    let told = pull_together(4, &store, &MODEL, &server.options());
    assert_eq!(server.requests().len(), 1);
    assert_eq!(told.iter().filter(|told| told.contains("https")).count(), 1);
    assert!(told.iter().any(|told| told.contains("another process")), "{told:?}");
    has_exactly(&store, &MODEL);
}

#[test]
fn several_processes_download_once() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Drip(Duration::from_millis(60))]);
    thread::scope(|scope| {
        let children: Vec<_> =
            (0..3).map(|_| scope.spawn(|| child::run(&mut child::pulling(&store, &server.address)))).collect();
        pull_quietly(&store, &[&MODEL], &server.options()).unwrap();
        assert!(children.into_iter().all(|child| child.join().unwrap() == "Ok"));
    });
    assert_eq!(server.requests().len(), 1);
    has_exactly(&store, &MODEL);
}

#[test]
fn the_next_one_goes_on_when_the_first_gives_up() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Stall(70_000), Step::Serve]);
    let patient = PullOptions { stall_timeout: Duration::from_secs(60), ..server.options() };
    thread::scope(|scope| {
        let first = scope.spawn(|| {
            let mut ticks = 0;
            pull(&store, &[&MODEL], &patient, &mut |progress| {
                ticks += u32::from(progress.done == 70_000);
                ticks < 5
            })
        });
        while server.requests().is_empty() {
            thread::sleep(Duration::from_millis(5));
        }
        let mut waited_for = 0;
        pull(&store, &[&MODEL], &patient, &mut |progress| {
            if progress.source == Source::Peer {
                waited_for = progress.done;
            }
            true
        })
        .unwrap();
        assert_eq!(first.join().unwrap().unwrap_err().kind(), ErrorKind::Cancelled);
        assert_eq!(waited_for, 70_000);
    });
    assert_eq!(server.ranges(), [None, Some(70_000)]);
    has_exactly(&store, &MODEL);
}

#[test]
fn one_that_stands_still_is_not_waited_for_for_ever() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Serve]);
    let options = PullOptions { stall_timeout: Duration::from_millis(100), ..server.options() };
    let held = Part::claim(store.layout(), MODEL.name, MODEL.sha256).unwrap().unwrap();
    let error = pull_quietly(&store, &[&MODEL], &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download);
    assert!(error.to_string().contains("another process is downloading it, and nothing has arrived there"), "{error}");
    assert_eq!(server.requests().len(), 0);
    let cancelled = pull(&store, &[&MODEL], &server.options(), &mut |progress| progress.source != Source::Peer);
    assert_eq!(cancelled.unwrap_err().kind(), ErrorKind::Cancelled);
    drop(held);
    pull_quietly(&store, &[&MODEL], &options).unwrap();
}
