use std::time::Instant;

use proptest::prelude::*;

use super::server::redirect;
use super::*;

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
        assert!(error.to_string().contains(ABC.address.unwrap()), "{error}");
        assert!(store.list().unwrap().is_empty());
        // A possible start of the right file stays, and nothing else.
        let stays = if case.says == "after 2 bytes" { vec![2] } else { vec![] };
        assert_eq!(unfinished(&store).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), stays, "{error}");
    }
}

#[test]
fn redirects_are_followed_on_this_machine_and_not_to_plain_http_elsewhere() {
    let (_dir, store) = store();
    let target = Server::answering(ok("abc"));
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
    let server = Server::playing(b"abc", [Step::Stall(1), Step::Stall(0)]);
    let started = Instant::now();
    let error = pull_quietly(&store, &[&ABC], &server.options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download);
    assert!(error.to_string().contains("(tried 3 times)"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn a_server_that_drips_is_left_and_the_next_source_goes_on() {
    let (_dir, store) = store();
    let slow = Server::playing(&CONTENT, [Step::Drip(Duration::from_millis(100))]);
    let fast = Server::playing(&CONTENT, [Step::Serve]);
    // As slow to these options as a byte a second is to those that a user has.
    let options = PullOptions { rate_window: Duration::from_millis(150), least_rate: 1 << 30, ..slow.options() };
    let other = Entry { address: Some(format!("{}/model.onnx", fast.address).leak()), ..*MODEL };
    let error = pull_quietly(&store, &[&Entry { address: ABC.address, ..other }], &options).unwrap_err().to_string();
    assert!(error.contains(&format!("{}/model.onnx: it is too slow: ", slow.address)), "{error}");
    assert!(unfinished(&store)[0].1 > 0, "what came is kept");
    pull_quietly(&store, &[&other], &PullOptions { mirror: None, ..options }).unwrap();
    assert!(fast.ranges()[0].is_some());
    has_exactly(&store, &other);
}

#[test]
fn a_slow_server_is_asked_for_nothing_more() {
    let (_dir, store) = store();
    let slow = Server::playing(&CONTENT, [Step::Drip(Duration::from_millis(100))]);
    let options = PullOptions { rate_window: Duration::from_millis(150), least_rate: 1 << 30, ..slow.options() };
    let second = Entry { name: "second.onnx", ..*MODEL };
    let error = pull_quietly(&store, &[&MODEL, &second], &options).unwrap_err().to_string();
    assert!(error.contains("second.onnx: its server was given up before: it is too slow"), "{error}");
    assert_eq!(slow.requests().len(), 1);
}

#[test]
fn headers_without_end_are_left() {
    struct Case {
        pause: Duration,
        requests: usize,
    }
    let cases = [
        // So many are refused at once.
        Case { pause: Duration::ZERO, requests: 1 },
        // These look alive, and are as good as silence.
        Case { pause: Duration::from_millis(30), requests: 2 },
    ];
    for case in cases {
        let (_dir, store) = store();
        let server = Server::playing(b"abc", [Step::Headers(case.pause)]);
        let stall_timeout = Duration::from_millis(300);
        let options = PullOptions { tries: 2, stall_timeout, ..server.options() };
        let error = pull_quietly(&store, &[&ABC], &options).unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (ErrorKind::Download, case.requests), "{error}");
        assert!(is_untouched(&store));
    }
}

#[test]
fn each_try_and_each_source_that_is_left_is_told_of_once_and_the_first_step_comes_before_the_first_byte() {
    let (_dir, store) = store();
    let server = Server::playing(b"abc", [Step::Stall(0)]);
    let options = PullOptions { tries: 2, stall_timeout: Duration::from_millis(300), ..server.options() };
    let (mut first, mut told) = (None, Vec::new());
    pull(&store, &[&ABC], &options, &mut |step| {
        first.get_or_insert((step.done, server.requests().len()));
        told.extend(step.trouble.map(|trouble| match trouble {
            Trouble::Again(why) => ("again", step.host.map(str::to_owned), why.to_owned()),
            Trouble::Left(why) => ("left", step.host.map(str::to_owned), why.to_owned()),
        }));
        true
    })
    .unwrap_err();
    assert_eq!(first, Some((0, 0)));
    // The mirror twice, and the address of the catalog, where nobody listens.
    assert_eq!(told.iter().map(|(kind, ..)| *kind).collect::<Vec<_>>(), ["again", "left", "left"], "{told:?}");
    assert!(told.iter().all(|(_, host, why)| host.as_deref().unwrap().starts_with("127.0.0.1:") && !why.is_empty()));
}

#[test]
fn wrong_content_leaves_nothing_and_is_not_asked_for_again() {
    let without_length = Entry { bytes: None, ..*MODEL };
    for (entry, step) in [(*MODEL, Step::Endless), (*MODEL, Step::Tampered), (without_length, Step::Tampered)] {
        for left in [0, 1000] {
            let (_dir, store) = store();
            leave_part(&store, &entry, &CONTENT[..left]);
            let server = Server::playing(&CONTENT, [step.clone()]);
            pull_quietly(&store, &[&entry], &server.options()).unwrap_err();
            assert!(is_untouched(&store));
            // A rest that does not fit is followed by one look at the whole.
            let requests = if left > 0 && matches!(step, Step::Tampered) { 2 } else { 1 };
            assert_eq!(server.requests().len(), requests, "{step:?} {left}");
        }
    }
}

#[test]
fn an_answer_is_taken_as_it_comes_whatever_its_encoding_is_said_to_be() {
    // Gzip's form of "abc": unpacked it would be the right content.
    let packed = [31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 75, 76, 74, 6, 0, 194, 65, 36, 53, 3, 0, 0, 0];
    for (body, is_right) in [(&b"abc"[..], true), (&packed[..], false)] {
        let (_dir, store) = store();
        let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n";
        let server = Server::answering([head, body].concat());
        assert_eq!(pull_quietly(&store, &[&UNSIZED], &server.options()).is_ok(), is_right);
        assert!(server.requests()[0].to_ascii_lowercase().contains("\r\naccept-encoding: identity\r\n"));
        assert_eq!(is_untouched(&store), !is_right);
    }
}

#[test]
fn a_pull_can_be_ended_while_a_server_is_silent() {
    let (_dir, store) = store();
    let server = Server::playing(b"abc", [Step::Stall(0)]);
    let options = PullOptions { stall_timeout: Duration::from_secs(60), ..server.options() };
    let started = Instant::now();
    let error = pull(&store, &[&ABC], &options, &mut |_| started.elapsed() < Duration::from_millis(300)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(started.elapsed() < Duration::from_secs(10));
    assert!(is_untouched(&store));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_a_server_answers_only_the_right_bytes_arrive(
        head in prop::bool::ANY,
        body in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        let (_dir, store) = store();
        let mut answer = if head { b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n".to_vec() } else { Vec::new() };
        answer.extend(&body);
        let outcome = pull_quietly(&store, &[&UNSIZED], &Server::answering(answer).options());
        prop_assert_eq!(outcome.is_ok(), head && body == b"abc");
        prop_assert!(outcome.is_ok() || is_untouched(&store));
    }
}
