//! Which addresses may be asked.
//!
//! The hash already guards the content; https guards what else an address could give away or reach. Plain http is for a
//! server on this machine, which tests and local mirrors use. A redirect is held to the same rule.

use std::net::IpAddr;
use std::path::PathBuf;

use ureq::http::Uri;

/// An address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// `https:`, or `http:` to the loopback.
    Web(Uri),
    /// `file:`.
    File(PathBuf),
}

impl Address {
    /// Reads an address, or says why it may not be asked.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file://") {
            return file(path);
        }
        let uri: Uri = text.parse().map_err(|error| format!("{:?} is no address: {error}", shown(text)))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(Self::Web(uri)),
            (Some("http"), Some(host)) if is_loopback(host) => Ok(Self::Web(uri)),
            _ => Err(format!("{:?} is neither https nor on this machine", shown(text))),
        }
    }

    /// Where a redirect leads, or why it is not followed.
    pub(super) fn redirect(&self, location: &str) -> Result<Self, String> {
        let Self::Web(from) = self else { return Err("a file cannot redirect".to_owned()) };
        let target = Self::parse(&absolute(from, location));
        match target.map_err(|why| format!("a redirect is not followed: {why}"))? {
            // A server elsewhere has no business with this machine's own.
            Self::Web(to) if to.scheme_str() == Some("https") || from.scheme() == to.scheme() => Ok(Self::Web(to)),
            _ => Err(format!("a redirect from https to {:?} is not followed", shown(location))),
        }
    }

    /// The server, to know it again; nothing for a file.
    pub(super) fn host(&self) -> String {
        match self {
            Self::Web(uri) => format!("{}:{:?}", uri.host().unwrap_or_default(), uri.port_u16()),
            Self::File(_) => String::new(),
        }
    }

    /// Whether it is on this machine, where no proxy is asked.
    pub(super) fn is_local(&self) -> bool {
        match self {
            Self::Web(uri) => uri.host().is_some_and(is_loopback),
            Self::File(_) => true,
        }
    }
}

fn file(path: &str) -> Result<Address, String> {
    // On Windows `file:///c:/models` means `c:/models`.
    let path = if cfg!(windows) { path.trim_start_matches('/') } else { path };
    let path = PathBuf::from(path);
    if path.is_absolute() {
        Ok(Address::File(path))
    } else {
        Err(format!("{:?} is no absolute path after file://", path.display().to_string()))
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost") || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
}

/// A redirect's target may leave out what it shares with where it comes from.
fn absolute(from: &Uri, location: &str) -> String {
    let scheme = from.scheme_str().unwrap_or_default();
    let authority = from.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let folder = from.path().rsplit_once('/').map_or("", |(folder, _)| folder);
    if location.contains("://") {
        location.to_owned()
    } else if location.starts_with("//") {
        format!("{scheme}:{location}")
    } else if location.starts_with('/') {
        format!("{scheme}://{authority}{location}")
    } else {
        format!("{scheme}://{authority}{folder}/{location}")
    }
}

/// The address as a message may show it: without a password and without a signed query.
pub(super) fn shown(text: &str) -> String {
    let text = text.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_https_and_this_machine_may_be_asked() {
        for allowed in [
            "https://example.org/a.onnx",
            "HTTPS://example.org:444/a",
            "http://127.0.0.1:8000/a",
            "http://localhost/a",
            "http://[::1]:80/a",
        ] {
            assert!(Address::parse(allowed).is_ok(), "{allowed}");
        }
        for refused in [
            "",
            "a.onnx",
            "/a.onnx",
            "example.org",
            "http://example.org/a",
            "http://localhost.example.org/a",
            "http://127.0.0.1@example.org/a",
            "http://10.0.0.1/a",
            "ftp://localhost/a",
            "file://models/a",
            "https:///a",
        ] {
            assert!(Address::parse(refused).is_err(), "{refused}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_s_path_is_taken_as_it_is() {
        assert_eq!(Address::parse("file:///srv/a%20b").unwrap(), Address::File(PathBuf::from("/srv/a%20b")));
    }

    #[test]
    fn redirects_are_held_to_the_rule() {
        struct Case {
            from: &'static str,
            location: &'static str,
            to: Option<&'static str>,
        }
        let web = "https://example.org/x/y?z";
        let local = "http://127.0.0.1:81/x/y";
        let cases = [
            Case { from: web, location: "https://cdn.example/a", to: Some("https://cdn.example/a") },
            Case { from: web, location: "//cdn.example/a", to: Some("https://cdn.example/a") },
            Case { from: web, location: "/a?b", to: Some("https://example.org/a?b") },
            Case { from: web, location: "a", to: Some("https://example.org/x/a") },
            Case { from: web, location: "http://example.org/a", to: None },
            Case { from: web, location: "http://127.0.0.1/a", to: None },
            Case { from: web, location: "file:///etc/passwd", to: None },
            Case { from: local, location: "/a", to: Some("http://127.0.0.1:81/a") },
            Case { from: local, location: "https://example.org/a", to: Some("https://example.org/a") },
            Case { from: local, location: "http://192.0.2.1/a", to: None },
        ];
        for case in cases {
            let target = Address::parse(case.from).unwrap().redirect(case.location).ok();
            assert_eq!(target, case.to.map(|to| Address::parse(to).unwrap()), "{} {}", case.from, case.location);
        }
    }

    #[test]
    fn messages_show_no_secrets() {
        assert_eq!(shown("https://me:secret@example.org/a?key=secret#x"), "https://example.org/a");
        assert!(!Address::parse("http://me:secret@example.org/").unwrap_err().contains("secret"));
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(text: String, location: String) {
            let _ = Address::parse(&text);
            if let Ok(target) = Address::parse("https://example.org/a").unwrap().redirect(&location) {
                prop_assert!(matches!(target, Address::Web(uri) if uri.scheme_str() == Some("https")));
            }
            let _ = shown(&text);
        }
    }
}
