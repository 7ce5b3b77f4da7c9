use std::time::Instant;

use proptest::prelude::*;

use super::*;

/// The bytes of the content that the interrupted downloads of these tests have.
const SOME: usize = 30_000;

fn part_length(store: &Store) -> Option<usize> {
    unfinished(store).first().map(|(_, bytes)| usize::try_from(*bytes).unwrap())
}

#[test]
fn a_broken_transfer_is_gone_on_with_at_the_same_server() {
    struct Case {
        name: &'static str,
        steps: Vec<Step>,
        ranges: Vec<Option<usize>>,
    }
    let case = |name, steps, ranges| Case { name, steps, ranges };
    let from = Some(SOME);
    let cases = [
        case("cut", vec![Step::Cut(SOME), Step::Serve], vec![None, from]),
        case("silent", vec![Step::Stall(SOME), Step::Serve], vec![None, from]),
        case("silent at once", vec![Step::Stall(0), Step::Serve], vec![None, None]),
        case("hangs up", vec![Step::HangUp, Step::HangUp, Step::Serve], vec![None; 3]),
        case("slow", vec![Step::Drip(Duration::from_millis(100))], vec![None]),
        case("no ranges", vec![Step::Cut(SOME), Step::Whole], vec![None, from]),
        case("no length", vec![Step::Cut(SOME), Step::Unsized], vec![None, from]),
        case("another range", vec![Step::Cut(SOME), Step::Shifted(1), Step::Serve], vec![None, from, None]),
        case("another length", vec![Step::Cut(SOME), Step::OfAnother, Step::Serve], vec![None, from, None]),
        case("no such range", vec![Step::Cut(SOME), Step::Status(416, ""), Step::Serve], vec![None, from, None]),
        case("range unknown", vec![Step::Cut(SOME), Step::Status(206, ""), Step::Serve], vec![None, from, None]),
        case("other content", vec![Step::Cut(SOME), Step::Tampered, Step::Serve], vec![None, from, None]),
        case("busy", vec![Step::Status(503, "Retry-After: 0\r\n"), Step::Serve], vec![None, None]),
        case("busy half way", vec![Step::Cut(SOME), Step::Status(429, ""), Step::Serve], vec![None, from, from]),
        case("many breaks", vec![Step::Cut(SOME); 10], (0..6).map(|i| Some(i * SOME).filter(|at| *at > 0)).collect()),
    ];
    for case in cases {
        let (_dir, store) = store();
        let server = Server::playing(&CONTENT, case.steps);
        let outcome = pull_quietly(&store, &[&MODEL], &server.options());
        outcome.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        assert_eq!(server.ranges(), case.ranges, "{}", case.name);
        has_exactly(&store, &MODEL);
    }
}

#[test]
fn a_later_pull_goes_on_also_from_another_source() {
    let (_dir, store) = store();
    let first = Server::playing(&CONTENT, [Step::Cut(SOME), Step::HangUp]);
    let error = pull_quietly(&store, &[&MODEL], &first.options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download);
    assert_eq!((store.list().unwrap().len(), part_length(&store)), (0, Some(SOME)));
    let second = Server::playing(&CONTENT, [Step::Serve]);
    pull_quietly(&store, &[&MODEL], &second.options()).unwrap();
    assert_eq!(second.ranges(), [Some(SOME)]);
    has_exactly(&store, &MODEL);
}

#[test]
fn a_cancelled_pull_is_gone_on_with() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Stall(SOME), Step::Serve]);
    let options = PullOptions { stall_timeout: Duration::from_secs(60), ..server.options() };
    let started = Instant::now();
    let cancelled = pull(&store, &[&MODEL], &options, &mut |progress| progress.done < SOME as u64).unwrap_err();
    assert_eq!(cancelled.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!(part_length(&store), Some(SOME));
    let mut least = u64::MAX;
    pull(&store, &[&MODEL], &options, &mut |progress| {
        least = least.min(progress.done);
        true
    })
    .unwrap();
    assert_eq!(server.ranges(), [None, Some(SOME)]);
    assert_eq!(least, SOME as u64, "progress starts with what is there");
    has_exactly(&store, &MODEL);
}

#[test]
fn a_pause_can_be_cancelled() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Status(503, "Retry-After: 20\r\n")]);
    let started = Instant::now();
    let options = server.options();
    let error = pull(&store, &[&MODEL], &options, &mut |_| started.elapsed() < Duration::from_millis(400)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_is_left_alone_for_as_long_as_it_asks() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Status(503, "Retry-After: 1\r\n"), Step::Serve]);
    let started = Instant::now();
    pull_quietly(&store, &[&MODEL], &server.options()).unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1));
}

#[test]
fn only_what_may_pass_is_tried_again() {
    for (status, requests) in [
        (408, 3),
        (429, 3),
        (500, 3),
        (502, 3),
        (503, 3),
        (504, 3),
        (400, 1),
        (401, 1),
        (403, 1),
        (404, 1),
        (410, 1),
        (501, 1),
        (204, 1),
        (206, 1),
        (416, 1),
    ] {
        let (_dir, store) = store();
        let server = Server::playing(&CONTENT, [Step::Status(status, "")]);
        let error = pull_quietly(&store, &[&MODEL], &server.options()).unwrap_err();
        assert!(error.to_string().contains(&status.to_string()), "{error}");
        assert_eq!(server.requests().len(), requests, "{status}");
        assert!(is_untouched(&store));
    }
}

#[test]
fn a_part_that_is_whole_needs_no_request() {
    for entry in [&*MODEL, &Entry { bytes: None, ..*MODEL }] {
        let (_dir, store) = store();
        leave_part(&store, entry, &CONTENT);
        let server = Server::playing(&CONTENT, [Step::HangUp]);
        pull_quietly(&store, &[entry], &server.options()).unwrap();
        assert_eq!(server.requests().len(), 0);
        has_exactly(&store, entry);
    }
}

#[test]
fn a_part_with_other_content_is_started_anew() {
    struct Case {
        left: usize,
        ranges: Vec<Option<usize>>,
    }
    let whole = CONTENT.len();
    let cases = [
        Case { left: SOME, ranges: vec![Some(SOME), None] },
        Case { left: whole, ranges: vec![None] },
        Case { left: whole + 1, ranges: vec![None] },
    ];
    for case in cases {
        let (_dir, store) = store();
        leave_part(&store, &MODEL, &vec![b'x'; case.left]);
        let server = Server::playing(&CONTENT, [Step::Serve]);
        pull_quietly(&store, &[&MODEL], &server.options()).unwrap();
        assert_eq!(server.ranges(), case.ranges);
        has_exactly(&store, &MODEL);
    }
}

#[test]
fn a_part_of_a_file_whose_length_nobody_knows_is_gone_on_with() {
    let (_dir, store) = store();
    let unsized_model = Entry { bytes: None, ..*MODEL };
    for (left, ranges) in [
        (&CONTENT[..SOME], vec![Some(SOME)]),
        // The server has nothing after that.
        (&[&CONTENT[..], b"x"].concat(), vec![Some(CONTENT.len() + 1), None]),
    ] {
        leave_part(&store, &unsized_model, left);
        let server = Server::playing(&CONTENT, [Step::Serve]);
        pull_quietly(&store, &[&unsized_model], &server.options()).unwrap();
        assert_eq!(server.ranges(), ranges);
        has_exactly(&store, &unsized_model);
        fs::remove_file(store.path(MODEL.name).unwrap()).unwrap();
    }
}

#[test]
fn a_tampered_rest_leaves_nothing() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Cut(SOME), Step::Tampered]);
    let error = pull_quietly(&store, &[&MODEL], &server.options()).unwrap_err();
    assert!(error.to_string().contains("expected SHA-256"), "{error}");
    assert_eq!(server.ranges(), [None, Some(SOME), None], "once more from the start, and no more");
    assert!(is_untouched(&store));
}

#[test]
fn a_server_that_changes_its_content_meanwhile_is_asked_anew() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Tampered, Step::Serve]);
    leave_part(&store, &MODEL, &CONTENT[..SOME]);
    pull_quietly(&store, &[&MODEL], &server.options()).unwrap();
    assert_eq!(server.ranges(), [Some(SOME), None]);
    has_exactly(&store, &MODEL);
}

#[test]
fn a_redirected_request_still_asks_for_the_rest_only() {
    let (_dir, store) = store();
    let storage = Server::playing(&CONTENT, [Step::Serve]);
    let middle = Server::playing(b"", [Step::Redirect(format!("{}/region", storage.address))]);
    let first = Server::playing(b"", [Step::Redirect(format!("{}/storage", middle.address))]);
    leave_part(&store, &MODEL, &CONTENT[..SOME]);
    pull_quietly(&store, &[&MODEL], &first.options()).unwrap();
    for server in [first, middle, storage] {
        assert_eq!(server.ranges(), [Some(SOME)]);
    }
}

#[test]
fn what_had_the_name_goes_to_the_trash() {
    let (_dir, store) = store();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.path(MODEL.name).unwrap(), "mine").unwrap();
    pull_quietly(&store, &[&MODEL], &Server::playing(&CONTENT, [Step::Serve]).options()).unwrap();
    has_exactly(&store, &MODEL);
    let trashed = store.trashed().unwrap();
    assert_eq!(trashed.iter().map(|trashed| trashed.name.as_str()).collect::<Vec<_>>(), [MODEL.name]);
    assert_eq!(fs::read(&trashed[0].path).unwrap(), b"mine");
}

#[test]
fn what_killed_calls_left_is_swept() {
    let (_dir, store) = store();
    let left = store.scratch().unwrap();
    fs::write(left.join("model.onnx.1.2.3.tmp"), "x").unwrap();
    fs::create_dir(left.join("box.1.2.3.tmp")).unwrap();
    pull_quietly(&store, &[&MODEL], &Server::playing(&CONTENT, [Step::Serve]).options()).unwrap();
    has_exactly(&store, &MODEL);
}

/// Small, so that a server can break at every byte.
static SMALL: LazyLock<Entry> = LazyLock::new(|| entry("small.onnx", &CONTENT[..2000]));

fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        Just(Step::Serve),
        Just(Step::Whole),
        Just(Step::Unsized),
        (0..2100_usize).prop_map(Step::Cut),
        (0..2100_usize).prop_map(Step::Cut),
        Just(Step::Tampered),
        Just(Step::Endless),
        (1..50_u64).prop_map(Step::Shifted),
        Just(Step::OfAnother),
        prop::sample::select(vec![200, 204, 206, 302, 404, 416, 500, 503]).prop_map(|status| Step::Status(status, "")),
        Just(Step::HangUp),
        prop::collection::vec(any::<u8>(), 0..40).prop_map(Step::Raw),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_a_server_plays_it_is_the_right_file_or_an_error(
        steps in prop::collection::vec(any_step(), 1..8),
        left in prop::option::of((0..2100_usize, any::<bool>())),
    ) {
        let (_dir, store) = store();
        if let Some((length, is_right)) = left {
            let bytes: Vec<_> = CONTENT.iter().take(length).map(|byte| if is_right { *byte } else { !byte }).collect();
            leave_part(&store, &SMALL, &bytes);
        }
        let server = Server::playing(&CONTENT[..2000], steps);
        let outcome = pull_quietly(&store, &[&SMALL], &server.options());
        let found = store.verify(SMALL.name, &Expected::from(&*SMALL));
        match outcome {
            Ok(_) => {
                prop_assert!(found.is_ok());
                prop_assert_eq!(unfinished(&store), []);
            }
            Err(error) => {
                prop_assert_eq!(error.kind(), ErrorKind::Download);
                prop_assert_eq!(found.unwrap_err().kind(), ErrorKind::ModelNotFound);
                prop_assert!(unfinished(&store).iter().all(|(name, _)| name.ends_with(".part")));
            }
        }
        // Whatever is left harms no later pull.
        pull_quietly(&store, &[&SMALL], &Server::playing(&CONTENT[..2000], [Step::Serve]).options()).unwrap();
        prop_assert_eq!(store.list().unwrap(), [SMALL.name]);
        prop_assert_eq!(unfinished(&store), []);
    }
}
