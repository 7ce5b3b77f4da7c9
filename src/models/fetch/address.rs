//! Addresses that may be asked.
//!
//! The hash already guards the content; https guards what else an address could give away or reach. Plain http is for a
//! server on this machine, which tests and local mirrors use, and for hosts that the user calls trusted. A redirect,
//! and a link on a page, is held to the same rule.

use std::net::IpAddr;
use std::path::PathBuf;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use percent_encoding::percent_decode_str;
use ureq::http::Uri;
use url::Url;

/// An address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Address {
    /// `https:`, or `http:` to the loopback.
    Web(Uri),
    /// `file:`.
    File(PathBuf),
}

/// Hosts that the user trusts, as `host` or `host:port`: they may be asked by plain http, and over https whatever their
/// certificate. That gives no wrong content a way in, which its hash keeps out.
#[derive(Debug, Clone, Default)]
pub(super) struct Trusted(pub(super) Vec<String>);

impl Trusted {
    pub(super) fn has(&self, uri: &Uri) -> bool {
        let host = uri.host().unwrap_or_default();
        let port = uri.port_u16().or(if uri.scheme_str() == Some("http") { Some(80) } else { Some(443) });
        self.0.iter().any(|trusted| {
            let bare = |text: &str| text.eq_ignore_ascii_case(host);
            let with_port = trusted.rsplit_once(':').filter(|(name, _)| !name.ends_with(':'));
            bare(trusted) || with_port.is_some_and(|(name, number)| bare(name) && number.parse().ok() == port)
        })
    }
}

impl Address {
    /// Reads an address, or says why it may not be asked.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Self::parse_trusting(text, &Trusted::default())
    }

    /// Reads an address that may also be one of a trusted host.
    pub(super) fn parse_trusting(text: &str, trusted: &Trusted) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("file://") {
            return file(path);
        }
        let uri: Uri = text.parse().map_err(|error| format!("{:?} is no address: {error}", shown(text)))?;
        match (uri.scheme_str(), uri.host()) {
            (Some("https"), Some(_)) => Ok(Self::Web(uri)),
            (Some("http"), Some(host)) if is_loopback(host) || trusted.has(&uri) => Ok(Self::Web(uri)),
            _ => Err(format!("{:?} is neither https nor on this machine", shown(text))),
        }
    }

    /// Returns the address that a redirect, or a link on a page, leads to, or why it is not followed.
    pub(super) fn follow(&self, location: &str, trusted: &Trusted) -> Result<Self, String> {
        let Self::Web(from) = self else { return Err("a file leads nowhere".to_owned()) };
        let target = absolute(from, location).and_then(|target| Self::parse_trusting(&target, trusted));
        match target.map_err(|why| format!("a redirect is not followed: {why}"))? {
            // A server elsewhere has no business with this machine's own.
            target if target.is_local() && !self.is_local() => {
                Err(format!("a redirect to this machine, {:?}, is not followed", shown(location)))
            }
            Self::Web(to) if to.scheme_str() == Some("https") || from.scheme() == to.scheme() => {
                Ok(Self::Web(with_user(from, to)))
            }
            _ => Err(format!("a redirect from https to {:?} is not followed", shown(location))),
        }
    }

    /// Returns the server, to know it again; nothing for a file.
    pub(super) fn server(&self) -> String {
        match self {
            Self::Web(uri) => format!("{}:{:?}", uri.host().unwrap_or_default(), uri.port_u16()),
            Self::File(_) => String::new(),
        }
    }

    /// Returns the server's name, with its port if the address names one; nothing for a file.
    pub(super) fn host(&self) -> Option<String> {
        let Self::Web(uri) = self else { return None };
        let host = uri.host()?;
        Some(uri.port_u16().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// Returns true if it is on this machine, where no proxy is asked.
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

/// Completes a redirect's target, which may leave out what it shares with where it comes from.
fn absolute(from: &Uri, location: &str) -> Result<String, String> {
    let target = Url::parse(&from.to_string()).and_then(|from| from.join(location));
    target.map(String::from).map_err(|error| format!("{:?} is no address: {error}", shown(location)))
}

/// Returns the address with the user and password of the one it comes from, where both are the same server's.
fn with_user(from: &Uri, to: Uri) -> Uri {
    let (Some(before), Some(after)) = (from.authority(), to.authority()) else { return to };
    let bare = |authority: &str| authority.rsplit('@').next().unwrap_or_default().to_ascii_lowercase();
    let is_same = from.scheme() == to.scheme() && bare(before.as_str()) == bare(after.as_str());
    if !is_same || after.as_str().contains('@') {
        return to;
    }
    let mut parts = to.clone().into_parts();
    parts.authority = Some(before.clone());
    Uri::from_parts(parts).unwrap_or(to)
}

/// Returns the header that brings the user and password in an address, if there are some. They are decoded first: a
/// password may have characters that no address can have.
pub(super) fn authorization(uri: &Uri) -> Option<String> {
    let (user, _) = uri.authority()?.as_str().rsplit_once('@')?;
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let plain = [decoded(name), b":".to_vec(), decoded(password)].concat();
    Some(format!("Basic {}", BASE64_STANDARD.encode(plain)))
}

/// Returns the address as a message may show it: without a password and without a signed query.
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
            "https://b\u{fc}cher.example/a",
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
            Case { from: web, location: "https://127.0.0.1/a", to: None },
            Case { from: web, location: "https://b\u{fc}cher.example/a", to: None },
            Case { from: web, location: "a b\u{fc}", to: Some("https://example.org/x/a%20b%C3%BC") },
            Case { from: web, location: "\\\\127.0.0.1/a", to: None },
            Case { from: web, location: "https://0x7f.1/a", to: None },
            Case { from: web, location: "../../a/./b#c", to: Some("https://example.org/a/b") },
            Case { from: web, location: "../../../a?b/../c", to: Some("https://example.org/a?b/../c") },
            Case { from: web, location: "/../a/..", to: Some("https://example.org/") },
        ];
        for case in cases {
            let target = Address::parse(case.from).unwrap().follow(case.location, &Trusted::default()).ok();
            assert_eq!(target, case.to.map(|to| Address::parse(to).unwrap()), "{} {}", case.from, case.location);
        }
    }

    #[test]
    fn a_trusted_host_may_be_asked_by_plain_http() {
        let trusted = Trusted(vec!["index.example".to_owned(), "other.example:8080".to_owned()]);
        for (text, allowed) in [
            ("http://index.example/simple", true),
            ("http://INDEX.example:99/simple", true),
            ("http://other.example:8080/simple", true),
            ("http://other.example/simple", false),
            ("http://index.example.org/simple", false),
            ("http://index.example@example.org/simple", false),
            ("ftp://index.example/simple", false),
        ] {
            assert_eq!(Address::parse_trusting(text, &trusted).is_ok(), allowed, "{text}");
        }
        let page = Address::parse_trusting("http://index.example/simple/box/", &trusted).unwrap();
        assert!(page.follow("../../files/box.whl", &trusted).is_ok());
        assert!(page.follow("http://127.0.0.1/box.whl", &trusted).is_err());
        assert!(page.follow("http://example.org/box.whl", &trusted).is_err());
        let secure = Address::parse("https://index.example/simple/box/").unwrap();
        assert!(secure.follow("http://index.example/box.whl", &trusted).is_err(), "it was asked by https");
    }

    #[test]
    fn a_user_and_password_go_to_their_own_server_only() {
        let user = |address: &Address| match address {
            Address::Web(uri) => authorization(uri),
            Address::File(_) => None,
        };
        let page = Address::parse("https://me:p%40ss%3A@example.org/simple/box/").unwrap();
        // The output of `printf 'me:p@ss:' | base64`.
        let expected = Some("Basic bWU6cEBzczo=".to_owned());
        assert_eq!(user(&page), expected);
        for (link, is_sent) in [
            ("../../box.whl", true),
            ("https://example.org/box.whl", true),
            ("https://EXAMPLE.org/box.whl", true),
            ("https://example.org:444/box.whl", false),
            ("https://files.example/box.whl", false),
        ] {
            let target = page.follow(link, &Trusted::default()).unwrap();
            assert_eq!(user(&target), expected.clone().filter(|_| is_sent), "{link}");
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
            let from = Address::parse("https://example.org/a").unwrap();
            if let Ok(target) = from.follow(&location, &Trusted::default()) {
                prop_assert!(matches!(target, Address::Web(uri) if uri.scheme_str() == Some("https")));
            }
            let _ = shown(&text);
        }
    }
}
