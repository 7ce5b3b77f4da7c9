//! One request to a web server, and whether its answer can be right.

use std::io::Read;
use std::time::Duration;

use ureq::http::{HeaderMap, HeaderName, Response, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Timeout};

use super::PullOptions;
use super::address::Address;
use super::delivery::{Failed, Trouble, limit, resume};
use super::space::Place;
use super::watch::State;
use crate::models::catalog::Entry;
use crate::models::store::Part;

/// Real servers redirect to a storage and once more to a region.
const MOST_REDIRECTS: usize = 5;

/// The client for all requests of a pull. It asks the proxy that `HTTPS_PROXY` or `ALL_PROXY` name, but for the hosts
/// in `NO_PROXY`.
pub(super) fn agent(options: &PullOptions) -> Agent {
    // The system's own certificates: many networks have one of theirs.
    let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
    let config = Agent::config_builder()
        .tls_config(tls)
        .user_agent(concat!("ferrocr/", env!("CARGO_PKG_VERSION")))
        // The address rules decide about each redirect.
        .max_redirects(0)
        .http_status_as_error(false)
        .timeout_resolve(Some(options.connect_timeout))
        .timeout_connect(Some(options.connect_timeout))
        .timeout_per_read(Some(options.stall_timeout))
        .timeout_per_write(Some(options.stall_timeout))
        // All headers together: one that drips in for ever is no answer.
        .timeout_recv_response(Some(options.stall_timeout))
        .build();
    Agent::new_with_config(config)
}

/// One request for what the part lacks, whose answer is added to it. The part holds all of the right file when this
/// succeeds, and nothing when its content cannot be right.
pub(super) fn attempt(
    agent: &Agent,
    place: Place<'_>,
    entry: &Entry,
    address: &Address,
    part: &mut Part,
    state: &State,
) -> Result<(), Failed> {
    let outcome = request(agent, place, entry, address, part, state);
    if matches!(outcome, Err(Failed::Unfit { .. })) {
        part.cut(0)?;
    }
    outcome
}

fn request(
    agent: &Agent,
    place: Place<'_>,
    entry: &Entry,
    address: &Address,
    part: &mut Part,
    state: &State,
) -> Result<(), Failed> {
    let there = part.len()?;
    let response = follow(agent, address, there)?;
    let offer = Offer::judge(entry, &response, there)?;
    if offer.start < there {
        part.cut(offer.start)?;
    }
    if let Some(total) = offer.total {
        if entry.bytes.is_none() {
            place.require(entry.name, total.saturating_sub(offer.start))?;
        }
        // Only this thread sets it, and only once.
        let _ = state.total.set(total);
    }
    let body: Box<dyn Read> = Box::new(response.into_body().into_reader());
    resume(place.store, entry, part, body, state)
}

/// The answer to a request for what comes after the first `there` bytes, where the redirects lead.
fn follow(agent: &Agent, address: &Address, there: u64) -> Result<Response<Body>, Failed> {
    let mut address = address.clone();
    for _ in 0..=MOST_REDIRECTS {
        let Address::Web(uri) = &address else { break };
        let response = ask(agent, uri, address.is_local(), there)?;
        let Some(location) = redirect(&response) else { return Ok(response) };
        address = address.redirect(&location).map_err(refused)?;
    }
    Err(refused(format!("it redirects more than {MOST_REDIRECTS} times")))
}

fn ask(agent: &Agent, uri: &Uri, is_local: bool, there: u64) -> Result<Response<Body>, Failed> {
    // A packed body would have another hash, and its bytes could not be counted.
    let mut request = agent.get(uri).header(header::ACCEPT_ENCODING, "identity");
    if there > 0 {
        request = request.header(header::RANGE, format!("bytes={there}-"));
    }
    let response = if is_local { request.config().proxy(None).build().call() } else { request.call() };
    response.map_err(|error| {
        let trouble = Trouble::Server(error.to_string());
        if is_passing(&error) { Failed::Passing(trouble, None) } else { Failed::Final(trouble) }
    })
}

/// Whether a server was reached and then broke off or fell silent. One that cannot be reached at all is left: there
/// are other sources.
fn is_passing(error: &ureq::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    match error {
        ureq::Error::Io(error) => {
            matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
        }
        ureq::Error::Timeout(which) => !matches!(which, Timeout::Resolve | Timeout::Connect),
        _ => false,
    }
}

fn redirect(response: &Response<Body>) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    text(response.headers(), &header::LOCATION).filter(|_| is_redirect).map(str::to_owned)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn refused(why: String) -> Failed {
    Failed::Final(Trouble::Source(why))
}

/// What an answer brings.
#[derive(Debug)]
struct Offer {
    /// Where in the file its body starts.
    start: u64,
    /// Length of the whole file.
    total: Option<u64>,
}

impl Offer {
    /// The offer of an answer to a request for what comes after the first `there` bytes, if it can be right.
    fn judge(entry: &Entry, response: &Response<Body>, there: u64) -> Result<Self, Failed> {
        let answers = || format!("the server answers {}", response.status());
        match response.status().as_u16() {
            // Also where only the rest was asked for: not every server knows ranges.
            200 => Self::whole(entry, response.body().content_length()),
            206 if there > 0 => {
                Self::rest(entry, response, there).map_err(|why| Failed::Unfit { why, is_resumed: true })
            }
            416 if there > 0 => Err(Failed::Unfit { why: answers(), is_resumed: true }),
            408 | 429 | 500 | 502 | 503 | 504 => {
                Err(Failed::Passing(Trouble::Source(answers()), retry_after(response.headers())))
            }
            _ => Err(refused(answers())),
        }
    }

    fn whole(entry: &Entry, total: Option<u64>) -> Result<Self, Failed> {
        match (entry.bytes, total) {
            (Some(expected), Some(total)) if expected != total => {
                Err(refused(format!("the server offers {total} bytes instead of {expected}")))
            }
            (None, Some(total)) if total > limit(entry) => {
                Err(refused(format!("the server offers {total} bytes, more than any model has")))
            }
            _ => Ok(Self { start: 0, total }),
        }
    }

    fn rest(entry: &Entry, response: &Response<Body>, there: u64) -> Result<Self, String> {
        let said = text(response.headers(), &header::CONTENT_RANGE).unwrap_or_default();
        let range = ContentRange::parse(said).ok_or_else(|| format!("the server sends no range but {said:?}"))?;
        let total = range.total.or(entry.bytes);
        let fits = range.start == there
            && total.is_none_or(|total| range.end < total && total <= limit(entry))
            && entry.bytes.is_none_or(|expected| total == Some(expected))
            && response.body().content_length().is_none_or(|length| length == range.end - range.start + 1);
        match fits {
            true => Ok(Self { start: there, total: range.total }),
            false => Err(format!("the server sends {said:?} instead of what comes after {there} bytes")),
        }
    }
}

/// The part of a file that an answer brings, by its first and last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ContentRange {
    start: u64,
    end: u64,
    total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 2-9/10` or `bytes 2-9/*`.
    fn parse(text: &str) -> Option<Self> {
        let (range, total) = text.trim().strip_prefix("bytes ")?.trim().split_once('/')?;
        let (start, end) = range.split_once('-')?;
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        let total = if total == "*" { None } else { Some(total.parse().ok()?) };
        // The length must be a number too.
        (start <= end && end < u64::MAX).then_some(Self { start, end, total })
    }
}

/// How long a server wants to be left alone. It may also name a date, which would need this machine's clock to be right.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    text(headers, &header::RETRY_AFTER)?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_content_range_is_read_or_refused() {
        let range = |start, end, total| Some(ContentRange { start, end, total });
        let cases = [
            ("bytes 2-9/10", range(2, 9, Some(10))),
            ("bytes 2-9/*", range(2, 9, None)),
            (" bytes 0-0/1 ", range(0, 0, Some(1))),
            ("bytes */10", None),
            ("bytes 9-2/10", None),
            ("bytes 2-9", None),
            ("bytes -9/10", None),
            ("bytes 2-/10", None),
            ("items 2-9/10", None),
            ("bytes 0-18446744073709551615/*", None),
            ("bytes 0-99999999999999999999/*", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(ContentRange::parse(text), expected, "{text}");
        }
    }

    #[test]
    fn only_what_breaks_after_it_was_reached_is_asked_again() {
        let io = |kind: std::io::ErrorKind| ureq::Error::Io(kind.into());
        for (error, expected) in [
            (io(std::io::ErrorKind::ConnectionReset), true),
            (io(std::io::ErrorKind::UnexpectedEof), true),
            (ureq::Error::Timeout(Timeout::PerRead), true),
            (ureq::Error::Timeout(Timeout::RecvResponse), true),
            (ureq::Error::Timeout(Timeout::Connect), false),
            (ureq::Error::Timeout(Timeout::Resolve), false),
            (io(std::io::ErrorKind::ConnectionRefused), false),
            (ureq::Error::HostNotFound, false),
        ] {
            assert_eq!(is_passing(&error), expected, "{error}");
        }
    }

    proptest! {
        #[test]
        fn any_content_range_gets_an_answer(text in "(bytes )?[0-9*/ -]{0,60}") {
            if let Some(range) = ContentRange::parse(&text) {
                prop_assert!(range.start <= range.end);
            }
        }
    }
}
