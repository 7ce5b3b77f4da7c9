use super::*;

/// An address that nobody has, in a range that is kept for documents.
const ELSEWHERE: &str = "https://192.0.2.1/model.onnx";

#[test]
fn a_proxy_is_asked_for_servers_elsewhere_unless_it_is_told_not_to_be() {
    struct Case {
        variable: &'static str,
        exempt: Option<&'static str>,
        is_asked: bool,
    }
    let cases = [
        Case { variable: "HTTPS_PROXY", exempt: None, is_asked: true },
        Case { variable: "https_proxy", exempt: Some("example.org"), is_asked: true },
        Case { variable: "ALL_PROXY", exempt: None, is_asked: true },
        Case { variable: "HTTPS_PROXY", exempt: Some("example.org,192.0.2.1"), is_asked: false },
        Case { variable: "ALL_PROXY", exempt: Some("*"), is_asked: false },
    ];
    for case in cases {
        let (_dir, store) = store();
        let proxy = Server::playing(b"", [Step::Status(407, "")]);
        let mirror = Server::playing(b"", [Step::Status(404, "")]);
        let mut command = child::pulling(&store, &mirror.address);
        child::with_address(&mut command, ELSEWHERE).env(case.variable, &proxy.address);
        if let Some(exempt) = case.exempt {
            command.env("NO_PROXY", exempt);
        }
        let said = child::run(&mut command);
        assert!(said.contains(ELSEWHERE), "{said}");
        let asked: Vec<_> = proxy.requests().iter().map(|head| head.lines().next().unwrap().to_owned()).collect();
        let expected: &[_] = if case.is_asked { &["CONNECT 192.0.2.1:443 HTTP/1.1"] } else { &[] };
        assert_eq!(asked, expected, "{} {:?}: {said}", case.variable, case.exempt);
        assert_eq!(mirror.requests().len(), 1, "no proxy is asked for this machine");
    }
}
