use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

fn counter() -> (Arc<AtomicUsize>, impl Fn() + Send + Sync + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let own = Arc::clone(&count);
    (count, move || {
        own.fetch_add(1, Ordering::SeqCst);
    })
}

#[test]
fn the_first_reason_counts() {
    struct Case {
        first: Reason,
        kind: ErrorKind,
        says: &'static str,
    }
    let cases = [
        Case { first: Reason::Cancelled, kind: ErrorKind::Cancelled, says: "the call was cancelled" },
        Case { first: Reason::Freed, kind: ErrorKind::Cancelled, says: "being released" },
        Case {
            first: Reason::TimedOut(Duration::from_millis(1500)),
            kind: ErrorKind::Timeout,
            says: "timeout of 1.5 s",
        },
    ];
    for case in cases {
        let stop = Stop::new();
        stop.check().expect("not fired");
        stop.clone().fire(case.first);
        stop.fire(Reason::TimedOut(Duration::ZERO));
        let error = stop.check().expect_err("fired");
        assert_eq!(error.kind(), case.kind);
        assert!(error.to_string().contains(case.says), "{error}");
        assert_eq!(stop.watch(|| ()).expect_err("too late").kind(), case.kind);
    }
}

#[test]
fn a_watch_is_called_once_and_only_while_it_lives() {
    let stop = Stop::new();
    let ((kept, keep), (dropped, drop_it)) = (counter(), counter());
    let _watch = stop.watch(keep).expect("not fired");
    drop(stop.watch(drop_it).expect("not fired"));
    stop.fire(Reason::Cancelled);
    stop.fire(Reason::Cancelled);
    assert_eq!((kept.load(Ordering::SeqCst), dropped.load(Ordering::SeqCst)), (1, 0));
}

#[test]
fn what_is_called_may_use_the_token() {
    let stop = Stop::new();
    let (own, other) = (stop.clone(), Stop::new());
    let _follows = other.follow(&stop).expect("not fired");
    let _watch = stop.watch(move || own.check().expect_err("fired").hint().map_or((), drop)).expect("not fired");
    stop.fire(Reason::Cancelled);
    assert_eq!(other.check().expect_err("followed").kind(), ErrorKind::Cancelled);
}

#[test]
fn a_follower_fires_alone() {
    let (call, callers) = (Stop::new(), Stop::new());
    let _follows = call.follow(&callers).expect("not fired");
    call.fire(Reason::TimedOut(Duration::ZERO));
    callers.check().expect("other calls go on");
    assert_eq!(Arc::strong_count(&callers.0), 2, "the watch and this test");
}

#[test]
fn no_wake_up_is_lost_between_threads() {
    for _ in 0..500 {
        let stop = Stop::new();
        std::thread::scope(|scope| {
            scope.spawn(|| stop.fire(Reason::Cancelled));
            let (count, end) = counter();
            // Either the watch comes too late and says so, or it is called.
            if let Ok(_watch) = stop.watch(end) {
                while count.load(Ordering::SeqCst) == 0 {
                    std::thread::yield_now();
                }
            }
        });
    }
}
