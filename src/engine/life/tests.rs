use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;

use super::*;
use crate::error::{Error, ErrorKind};

const SOON: Duration = Duration::from_millis(5);

/// Counts what is alive, and that it is never used after its drop.
struct Fake {
    alive: Arc<AtomicUsize>,
    is_dropped: AtomicBool,
}

impl Fake {
    fn maker(alive: &Arc<AtomicUsize>) -> impl Fn(&Attempt) -> Result<Self> + Send + Sync + 'static {
        let alive = Arc::clone(alive);
        move |_| {
            alive.fetch_add(1, Ordering::SeqCst);
            Ok(Self { alive: Arc::clone(&alive), is_dropped: AtomicBool::new(false) })
        }
    }

    fn use_it(&self) {
        assert!(!self.is_dropped.load(Ordering::SeqCst), "used after the release");
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.is_dropped.store(true, Ordering::SeqCst);
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Holding for Fake {
    fn held(&self) -> Held {
        Held { sessions: 3, files: 2 }
    }
}

fn load<T: Holding>(life: &Life<T>, make: impl Fn(&Attempt) -> Result<T> + Send + Sync + 'static) -> Result<()> {
    life.load(make, &Stop::new(), &|| Ok(()))
}

/// A loaded life, and the number of its contents.
fn loaded(idle_unload: Option<Duration>) -> (Life<Fake>, Arc<AtomicUsize>) {
    let (life, alive) = (Life::new(idle_unload), Arc::default());
    load(&life, Fake::maker(&alive)).expect("open");
    (life, alive)
}

fn enter(life: &Life<Fake>) -> Guard<'_, Fake> {
    life.enter(&Stop::new()).expect("loaded")
}

fn refusal<T>(outcome: Result<T>) -> ErrorKind {
    outcome.map(|_| ()).expect_err("refused").kind()
}

fn report(release: Release) -> ReleaseReport {
    match release {
        Release::Done(report) => report,
        pending => panic!("{pending:?}"),
    }
}

fn wait_until(condition: impl Fn() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < Duration::from_secs(60), "it never came");
        thread::yield_now();
    }
}

/// A maker that tells when it has begun, and goes on when it is told.
fn slow_maker(
    alive: &Arc<AtomicUsize>,
) -> (Arc<AtomicBool>, Arc<AtomicBool>, impl Fn(&Attempt) -> Result<Fake> + Send + Sync + 'static) {
    let (begun, go_on) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let (tell, wait, make) = (Arc::clone(&begun), Arc::clone(&go_on), Fake::maker(alive));
    let slow = move |attempt: &Attempt| {
        tell.store(true, Ordering::SeqCst);
        wait_until(|| wait.load(Ordering::SeqCst));
        make(attempt)
    };
    (begun, go_on, slow)
}

#[test]
fn free_waits_for_calls_and_all_get_one_report() {
    let (life, alive) = loaded(None);
    let call = enter(&life);
    thread::scope(|scope| {
        let reports: Vec<_> = (0..4).map(|_| scope.spawn(|| report(life.free(false, None, true)))).collect();
        wait_until(|| life.is_closed());
        wait_until(|| life.check_open().is_err());
        assert_eq!(refusal(life.enter(&Stop::new())), ErrorKind::ResourcesFreed);
        assert_eq!(alive.load(Ordering::SeqCst), 1, "the call still uses it");
        drop(call);
        let reports: Vec<_> = reports.into_iter().map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        assert!(reports.iter().all(|report| *report == reports[0]), "{reports:?}");
        assert_eq!((reports[0].sessions, reports[0].files), (3, 2));
    });
    assert_eq!(report(life.free(true, None, true)).sessions, 3);
    assert_eq!(refusal(load(&life, Fake::maker(&alive))), ErrorKind::ResourcesFreed);
    assert_eq!(refusal(life.begin_unload()), ErrorKind::ResourcesFreed);
}

#[test]
fn the_last_call_out_does_a_release_that_nobody_waits_for() {
    let (life, alive) = loaded(None);
    let calls = [enter(&life), enter(&life)];
    assert_eq!(life.free(false, Some(SOON), true), Release::Pending { calls: 2 });
    assert_eq!(life.free(false, Some(Duration::ZERO), true), Release::Pending { calls: 2 });
    for (call, left) in calls.into_iter().zip([1, 0]) {
        assert_eq!(alive.load(Ordering::SeqCst), 1);
        call.use_it();
        drop(call);
        assert_eq!(alive.load(Ordering::SeqCst), left, "gone with the last one");
    }
    let after = report(life.free(false, Some(Duration::ZERO), true));
    assert!(after.sessions == 3 && after.waited >= SOON, "{after:?}");
}

#[test]
fn the_loader_does_a_release_that_came_during_its_load() {
    let (life, alive) = (Life::new(None), Arc::default());
    let (begun, go_on, make) = slow_maker(&alive);
    thread::scope(|scope| {
        let loader = scope.spawn(|| load(&life, make));
        wait_until(|| begun.load(Ordering::SeqCst));
        assert_eq!(life.free(true, Some(SOON), true), Release::Pending { calls: 1 });
        go_on.store(true, Ordering::SeqCst);
        loader.join().expect("no panic").expect("it was loaded, for a moment");
        assert_eq!(alive.load(Ordering::SeqCst), 0);
    });
    assert_eq!(report(life.free(false, None, true)).sessions, 3);
}

#[test]
fn cancel_ends_calls_also_when_another_free_already_waits() {
    let (life, _) = loaded(None);
    thread::scope(|scope| {
        let call = || {
            let stop = Stop::new();
            let call = life.enter(&stop).expect("loaded");
            wait_until(|| stop.check().is_err());
            call.use_it();
            stop.check()
        };
        let calls = [scope.spawn(call), scope.spawn(call)];
        wait_until(|| life.lock().machine.calls() == 2);
        let patient = scope.spawn(|| report(life.free(false, None, true)));
        wait_until(|| life.is_closed());
        assert_eq!(report(life.free(true, None, true)), patient.join().expect("no panic"));
        for call in calls {
            let error = call.join().expect("no panic").expect_err("cancelled");
            assert!(error.kind() == ErrorKind::Cancelled && error.to_string().contains("released"), "{error}");
        }
    });
}

#[test]
fn an_unload_waits_for_calls_and_new_calls_wait_for_it() {
    let (life, alive) = loaded(None);
    let call = enter(&life);
    let unload = life.begin_unload().expect("open");
    let joined = life.begin_unload().expect("the same one");
    assert_eq!(unload.wait(Some(SOON)).expect("open"), Release::Pending { calls: 1 });
    let impatient = Stop::new();
    thread::scope(|scope| {
        let next = scope.spawn(|| enter(&life).use_it());
        let gives_up = scope.spawn(|| life.enter(&impatient).map(|_| ()));
        thread::sleep(SOON);
        assert!(!next.is_finished() && !gives_up.is_finished());
        impatient.fire(Reason::TimedOut(SOON));
        assert_eq!(refusal(gives_up.join().expect("no panic")), ErrorKind::Timeout);
        drop(call);
        next.join().expect("it loads again");
    });
    let first = report(unload.wait(None).expect("open"));
    assert_eq!((first.sessions, first.files), (3, 2));
    assert_eq!(report(joined.wait(None).expect("open")), first);
    assert_eq!(alive.load(Ordering::SeqCst), 1, "of the call that loaded again");
    assert!(life.is_loaded());
}

#[test]
fn an_engine_can_be_unloaded_and_loaded_again_any_number_of_times() {
    let (life, alive) = (Life::new(None), Arc::default());
    assert_eq!(report(life.begin_unload().expect("open").wait(None).expect("open")).sessions, 0, "nothing was loaded");
    assert_eq!(refusal(life.enter(&Stop::new())), ErrorKind::ModelNotFound);
    load(&life, Fake::maker(&alive)).expect("open");
    for _ in 0..3 {
        assert_eq!(report(life.begin_unload().expect("open").wait(None).expect("open")).sessions, 3);
        assert!(!life.is_loaded() && alive.load(Ordering::SeqCst) == 0);
        enter(&life).use_it();
        assert_eq!(report(life.begin_unload().expect("open").wait(None).expect("open")).sessions, 3);
        load(&life, Fake::maker(&alive)).expect("by hand too");
    }
    assert_eq!(report(life.free(false, None, true)).sessions, 3);
}

#[test]
fn a_release_overtakes_an_unload() {
    let (life, alive) = loaded(None);
    let call = enter(&life);
    let unload = life.begin_unload().expect("open");
    assert_eq!(life.free(false, Some(SOON), true), Release::Pending { calls: 1 });
    drop(call);
    assert_eq!(refusal(unload.wait(None)), ErrorKind::ResourcesFreed);
    assert_eq!((report(life.free(false, None, true)).sessions, alive.load(Ordering::SeqCst)), (3, 0));
}

#[test]
fn an_idle_engine_unloads_itself_and_loads_again() {
    let (life, alive) = loaded(Some(SOON));
    for _ in 0..3 {
        let call = enter(&life);
        thread::sleep(3 * SOON);
        call.use_it();
        drop(call);
        wait_until(|| alive.load(Ordering::SeqCst) == 0);
    }
    // Its thread may still sleep or have just unloaded: the release waits for its end.
    drop(life.enter(&Stop::new()).expect("loads again"));
    report(life.free(false, None, true));
    assert_eq!(Arc::strong_count(&life.shared), 1, "no thread is left");
}

#[test]
fn an_idle_thread_ends_with_its_engine_and_only_runs_where_it_is_wanted() {
    for unload in [false, true] {
        let (life, alive) = loaded(Some(Duration::from_secs(3600)));
        assert_eq!(Arc::strong_count(&life.shared), 2, "the engine and the thread");
        if unload {
            report(life.begin_unload().expect("open").wait(None).expect("open"));
            assert_eq!(Arc::strong_count(&life.shared), 1, "it ends with the content");
            enter(&life).use_it();
        }
        let shared = Arc::downgrade(&life.shared);
        drop(life);
        assert!(shared.upgrade().is_none() && alive.load(Ordering::SeqCst) == 0);
    }
    assert_eq!(Arc::strong_count(&loaded(None).0.shared), 1);
}

#[test]
fn a_failed_load_can_be_tried_again() {
    let (life, alive) = (Life::new(None), Arc::default());
    let failed = load(&life, |_| Err::<Fake, _>(Error::new(ErrorKind::ModelNotFound, "not yet")));
    assert_eq!(refusal(failed), ErrorKind::ModelNotFound);
    assert_eq!(refusal(life.enter(&Stop::new())), ErrorKind::ModelNotFound);
    load(&life, Fake::maker(&alive)).expect("now");
    load(&life, |_| unreachable!("it is there")).expect("kept");
    enter(&life).use_it();
}

#[test]
fn a_load_after_an_unload_that_fails_is_that_calls_error() {
    let (life, broken) = (Life::new(None), Arc::new(AtomicBool::new(false)));
    let (is_broken, make) = (Arc::clone(&broken), Fake::maker(&Arc::default()));
    let open = move |attempt: &Attempt| {
        let gone = || Error::new(ErrorKind::ModelNotFound, "gone");
        if is_broken.load(Ordering::SeqCst) { Err(gone()) } else { make(attempt) }
    };
    load(&life, open).expect("there");
    report(life.begin_unload().expect("open").wait(None).expect("open"));
    broken.store(true, Ordering::SeqCst);
    assert!(life.enter(&Stop::new()).map(|_| ()).expect_err("gone").to_string().contains("gone"));
    broken.store(false, Ordering::SeqCst);
    enter(&life).use_it();
}

#[test]
fn panics_block_nobody() {
    struct Broken;
    impl Holding for Broken {
        fn held(&self) -> Held {
            Held::default()
        }
    }
    impl Drop for Broken {
        fn drop(&mut self) {
            panic!("a panic in a destructor");
        }
    }
    let life = Life::new(None);
    assert!(catch_unwind(AssertUnwindSafe(|| load(&life, |_| panic!("a broken model")))).is_err());
    load(&life, |_| Ok(Broken)).expect("the next one loads");
    let used = catch_unwind(AssertUnwindSafe(|| {
        let _call = life.enter(&Stop::new());
        assert_eq!(life.free(false, Some(Duration::ZERO), true), Release::Pending { calls: 1 });
        panic!("a panic in a call, which then is the last one out");
    }));
    assert!(used.is_err());
    report(life.free(false, None, true));
}

#[test]
fn an_engine_that_loaded_nothing_frees_nothing() {
    let report = report(Life::<Fake>::new(None).free(false, None, true));
    assert_eq!((report.sessions, report.files), (0, 0));
}

/// The life as a child has it that was forked just now.
fn inherited(life: &Life<Fake>) -> Life<Fake> {
    Life { shared: Arc::clone(&life.shared), owner: Owner::parent() }
}

#[test]
fn a_child_frees_nothing_of_what_its_parent_loaded() {
    let (life, alive) = loaded(None);
    let child = inherited(&life);
    assert!(child.for_child().is_none() && child.is_inherited() && !child.is_loaded());
    assert_eq!(refusal(load(&child, Fake::maker(&alive))), ErrorKind::Forked);
    assert_eq!(refusal(child.enter(&Stop::new())), ErrorKind::Forked);
    assert_eq!(refusal(child.begin_unload()), ErrorKind::Forked);
    let call = enter(&life);
    let nothing = report(child.free(true, None, true));
    assert_eq!((nothing.sessions, nothing.threads, nothing.files), (0, Some(0), 0));
    assert!(child.is_closed());
    drop(child);
    call.use_it();
    assert_eq!(alive.load(Ordering::SeqCst), 1);
}

#[test]
fn a_child_has_a_life_of_its_own_where_its_parent_s_is_empty() {
    let (life, alive) = (Life::<Fake>::new(None), Arc::default());
    let own = inherited(&life).for_child().expect("nothing was loaded");
    assert_eq!(refusal(own.enter(&Stop::new())), ErrorKind::ModelNotFound);
    load(&own, Fake::maker(&alive)).expect("it is its own");
    assert!(own.is_loaded() && !life.is_loaded());
    // A lock that another thread held at the fork is never given back.
    let _taken = life.shared.lock();
    let other = inherited(&life).for_child().expect("nothing was loaded");
    assert_eq!(report(other.free(false, None, true)).sessions, 0);
    assert_eq!(report(own.free(false, None, true)).sessions, 3);
    assert!(!life.is_closed());
}

#[test]
fn a_child_loads_again_what_its_parent_had_unloaded() {
    let (life, alive) = loaded(None);
    report(life.begin_unload().expect("open").wait(None).expect("open"));
    let own = inherited(&life).for_child().expect("nothing is loaded");
    enter(&own).use_it();
    assert_eq!(alive.load(Ordering::SeqCst), 1);
    assert!(!life.is_loaded());
}

#[test]
fn a_load_that_failed_leaves_nothing_to_a_child() {
    let life = Life::<Fake>::new(None);
    let fail = |_: &Attempt| Err(Error::new(ErrorKind::ModelCorrupt, "on purpose"));
    assert_eq!(refusal(load(&life, fail)), ErrorKind::ModelCorrupt);
    assert!(inherited(&life).for_child().is_some());
}

#[test]
fn what_was_released_before_a_fork_is_so_in_the_child() {
    let (life, _) = loaded(None);
    report(life.free(false, None, true));
    let own = inherited(&life).for_child().expect("nothing is loaded");
    assert!(own.is_closed());
    assert_eq!(refusal(own.enter(&Stop::new())), ErrorKind::ResourcesFreed);
    assert_eq!(report(own.free(false, None, true)).sessions, 0);
}

/// A small generator with a fixed seed: what threads do is the same in every run, only their order is not.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// One step of a thread that does whatever comes to its mind; false when the engine is closed.
fn anything(life: &Life<Fake>, alive: &Arc<AtomicUsize>, random: &mut Random) -> bool {
    let outcome = match random.below(20) {
        0..12 => life.enter(&Stop::new()).map(|call| {
            (0..random.below(200)).for_each(|_| call.use_it());
        }),
        12..16 => life.begin_unload().and_then(|unload| {
            let timeout = (random.below(2) == 0).then_some(Duration::ZERO);
            unload.wait(timeout).map(drop)
        }),
        16..18 => load(life, Fake::maker(alive)),
        18 => {
            let stop = Stop::new();
            stop.fire(Reason::Cancelled);
            assert!(life.enter(&stop).is_err());
            Ok(())
        }
        _ if random.below(40) == 0 => {
            let timeout = (random.below(2) == 0).then_some(Duration::ZERO);
            let _ = life.free(random.below(2) == 0, timeout, random.below(2) == 0);
            Ok(())
        }
        _ => Ok(()),
    };
    outcome.map_or_else(|error| error.kind() != ErrorKind::ResourcesFreed, |()| true)
}

#[test]
fn eight_threads_that_do_anything_end_well() {
    let started = Instant::now();
    for round in 1.. {
        let (life, alive) = loaded((round % 2 == 0).then_some(Duration::from_micros(50)));
        thread::scope(|scope| {
            for seed in 1..=8 {
                let (life, alive, mut random) = (&life, &alive, Random(seed * 0x9e37_79b9 + round));
                scope.spawn(move || while anything(life, alive, &mut random) {});
            }
        });
        report(life.free(false, None, true));
        assert_eq!(alive.load(Ordering::SeqCst), 0);
        assert_eq!(Arc::strong_count(&life.shared), 1, "no thread is left");
        if started.elapsed() > Duration::from_secs(1) {
            break;
        }
    }
}

#[test]
fn who_waits_for_a_load_waits_no_longer_than_it_wants() {
    let (life, alive) = (Life::new(None), Arc::default());
    let (begun, go_on, make) = slow_maker(&alive);
    let impatient = Stop::new();
    thread::scope(|scope| {
        let loader = scope.spawn(|| load(&life, make));
        wait_until(|| begun.load(Ordering::SeqCst));
        let waiting = scope.spawn(|| life.load(Fake::maker(&alive), &impatient, &|| Ok(())));
        thread::sleep(SOON);
        assert!(!waiting.is_finished());
        impatient.fire(Reason::TimedOut(SOON));
        assert_eq!(refusal(waiting.join().expect("no panic")), ErrorKind::Timeout);
        let interrupt = || Err(Error::new(ErrorKind::Callback, "Ctrl-C"));
        let interrupted = life.load(Fake::maker(&alive), &Stop::new(), &interrupt);
        assert_eq!(refusal(interrupted), ErrorKind::Callback);
        let unload = life.begin_unload().expect("open").wait(Some(Duration::ZERO)).expect("open");
        assert_eq!(report(unload).sessions, 0, "there is nothing yet");
        go_on.store(true, Ordering::SeqCst);
        loader.join().expect("no panic").expect("loaded");
    });
    assert_eq!(alive.load(Ordering::SeqCst), 1);
}

#[test]
fn a_callback_of_a_load_does_not_wait_for_it() {
    let life = Arc::new(Life::<Fake>::new(None));
    let own = Arc::clone(&life);
    let outcome = load(&life, move |attempt| {
        assert_eq!(refusal(load(&own, |_| unreachable!("one at a time"))), ErrorKind::InvalidArgument);
        assert_eq!(refusal(own.enter(&Stop::new())), ErrorKind::InvalidArgument);
        assert_eq!(report(own.begin_unload()?.wait(None)?).sessions, 0);
        assert!(attempt.check().is_ok() && own.calls() == 1);
        assert_eq!(own.free(false, None, true), Release::Asked);
        assert_eq!(refusal(attempt.check()), ErrorKind::ResourcesFreed);
        Err(Error::new(ErrorKind::Io, "what it stood on is gone"))
    });
    assert_eq!(refusal(outcome), ErrorKind::ResourcesFreed, "which is the better reason");
    assert_eq!(report(life.free(false, Some(Duration::ZERO), true)).sessions, 0, "it is done");
}

#[test]
fn an_error_of_the_caller_s_comes_out_of_a_load_that_a_release_overtook() {
    let life = Arc::new(Life::<Fake>::new(None));
    let own = Arc::clone(&life);
    let outcome = load(&life, move |_| {
        assert_eq!(own.free(false, None, true), Release::Asked);
        Err(Error::new(ErrorKind::Callback, "on purpose"))
    });
    assert_eq!(refusal(outcome), ErrorKind::Callback);
}

#[test]
fn a_child_has_a_life_of_its_own_until_a_load_holds_something() {
    let life = Arc::new(Life::<Fake>::new(None));
    let own = Arc::clone(&life);
    let outcome = load(&life, move |attempt| {
        assert!(inherited(&own).for_child().is_some(), "as during a download");
        attempt.hold();
        assert!(inherited(&own).for_child().is_none());
        Err(Error::new(ErrorKind::Io, "on purpose"))
    });
    assert_eq!(refusal(outcome), ErrorKind::Io);
    assert!(inherited(&life).for_child().is_some());
    let attempt = Attempt::for_tests(Owner::parent());
    assert_eq!(refusal(attempt.check()), ErrorKind::Forked, "who was forked in it does not go on with it");
}
