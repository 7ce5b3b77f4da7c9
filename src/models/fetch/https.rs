//! One request to a web server, and whether its answer can be right.

use std::fs;
use std::io::Read;
use std::time::{Duration, Instant};

use ureq::http::{HeaderMap, HeaderName, Response, Uri, header};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Body, Proxy, Timeout};

use super::address::{Address, Trusted, authorization};
use super::delivery::{Wanted, limit, resume};
use super::failure::{SourceFailure, TryFailure};
use super::index::{MOST_PAGE_BYTES, PAGE_TYPES, Page};
use super::options::{Packages, PullOptions};
use super::patience::Pace;
use super::space::Place;
use super::watch::Transfer;
use crate::error::{Error, ErrorKind, Result as CrateResult};
use crate::models::store::Part;

/// Real servers redirect to a storage and once more to a region.
const MOST_REDIRECTS: usize = 5;

/// The web as it is seen from here.
pub(super) struct Web<'a> {
    options: &'a PullOptions,
    agent: Agent,
    trusted: Trusted,
    /// Certificates that servers have to show.
    roots: RootCerts,
}

impl<'a> Web<'a> {
    /// Returns the web for models. It asks the proxy that `HTTPS_PROXY` or `ALL_PROXY` name, but for the hosts in
    /// `NO_PROXY`.
    pub(super) fn for_models(options: &'a PullOptions) -> Self {
        // The system's own certificates: many networks have one of theirs.
        Self::new(options, RootCerts::PlatformVerifier, None, Trusted::default())
    }

    /// Returns the web for package indexes, with the user's settings for these.
    pub(super) fn for_packages(options: &'a PullOptions) -> CrateResult<Self> {
        let Packages { trusted_hosts, certificates, proxy, .. } = &options.packages;
        let roots = match certificates {
            None => RootCerts::PlatformVerifier,
            Some(path) => {
                let text = fs::read(path).map_err(|error| Error::io("read the certificates in", path, error))?;
                let items = parse_pem(&text).flatten();
                RootCerts::from(items.filter_map(|item| match item {
                    PemItem::Certificate(certificate) => Some(certificate),
                    _ => None,
                }))
            }
        };
        let proxy = proxy.as_deref().map(Proxy::new).transpose().map_err(|error| {
            // Its address may have a password.
            Error::new(ErrorKind::InvalidArgument, format!("the proxy for package indexes cannot be used: {error}"))
        })?;
        Ok(Self::new(options, roots, proxy, Trusted(trusted_hosts.clone())))
    }

    fn new(options: &'a PullOptions, roots: RootCerts, proxy: Option<Proxy>, trusted: Trusted) -> Self {
        let mut config = Agent::config_builder()
            .tls_config(TlsConfig::builder().root_certs(roots.clone()).build())
            .user_agent(concat!("ferrocr/", env!("CARGO_PKG_VERSION")))
            // The address rules decide about each redirect.
            .max_redirects(0)
            .http_status_as_error(false)
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_per_read(Some(options.stall_timeout))
            .timeout_per_write(Some(options.stall_timeout))
            // All headers together: one that drips in for ever is no answer.
            .timeout_recv_response(Some(options.stall_timeout));
        if proxy.is_some() {
            config = config.proxy(proxy);
        }
        Self { options, agent: Agent::new_with_config(config.build()), trusted, roots }
    }

    /// Ends what is under way. Nothing can be asked after that.
    pub(super) fn shut_down(&self) {
        self.agent.clone().shutdown();
    }

    /// Returns the address, or why it may not be asked.
    pub(super) fn address(&self, text: &str) -> Result<Address, String> {
        Address::parse_trusting(text, &self.trusted)
    }

    /// Returns the address that a link on a page leads to, or why it may not be followed.
    pub(super) fn linked(&self, page: &Page, link: &str) -> Result<Address, String> {
        page.address.follow(link, &self.trusted)
    }

    /// Makes one request for what the part lacks, whose answer is added to it. The part holds all of the right file
    /// when this succeeds, and nothing when its content cannot be right.
    pub(super) fn attempt(
        &self,
        place: Place<'_>,
        wanted: &Wanted<'_>,
        address: &Address,
        part: &mut Part,
        state: &Transfer,
    ) -> Result<(), TryFailure> {
        let outcome = self.request(place, wanted, address, part, state);
        if matches!(outcome, Err(TryFailure::Unfit { .. })) {
            part.cut(0)?;
        }
        outcome
    }

    fn request(
        &self,
        place: Place<'_>,
        wanted: &Wanted<'_>,
        address: &Address,
        part: &mut Part,
        state: &Transfer,
    ) -> Result<(), TryFailure> {
        let there = part.len()?;
        let (response, _) = self.follow(address, &RequestFor::After(there))?;
        let offer = Offer::judge(wanted.bytes, &response, there)?;
        if offer.start < there {
            part.cut(offer.start)?;
        }
        if let Some(total) = offer.total {
            if wanted.bytes.is_none() {
                place.require(wanted.name, total.saturating_sub(offer.start))?;
            }
            // Only this thread sets it, and only once.
            let _ = state.total.set(total);
        }
        let body: Box<dyn Read> = Box::new(response.into_body().into_reader());
        resume(place.store, wanted, part, body, Pace::new(self.options, Instant::now()), state)
    }

    /// Makes one request for a page of a package index.
    pub(super) fn page(&self, address: &Address) -> Result<Page, TryFailure> {
        let (response, address) = self.follow(address, &RequestFor::Page)?;
        match response.status().as_u16() {
            200 => {}
            status if is_transient_status(status) => {
                return Err(TryFailure::Transient(
                    SourceFailure::Source(answers(&response)),
                    retry_after(response.headers()),
                ));
            }
            _ => return Err(refused(answers(&response))),
        }
        let mut body = response.into_body().into_with_config().limit(MOST_PAGE_BYTES).reader();
        let mut content = Vec::new();
        match body.read_to_end(&mut content) {
            Ok(_) => Ok(Page { address, content }),
            Err(error) => {
                Err(TryFailure::Transient(SourceFailure::Source(format!("its page breaks off: {error}")), None))
            }
        }
    }

    /// Returns the answer to a request, and where the redirects lead.
    fn follow(&self, address: &Address, asked: &RequestFor) -> Result<(Response<Body>, Address), TryFailure> {
        let mut address = address.clone();
        for _ in 0..=MOST_REDIRECTS {
            let Address::Web(uri) = &address else { break };
            let response = self.ask(uri, address.is_local(), asked)?;
            let Some(location) = redirect(&response) else { return Ok((response, address)) };
            address = address.follow(&location, &self.trusted).map_err(refused)?;
        }
        Err(refused(format!("it redirects more than {MOST_REDIRECTS} times")))
    }

    fn ask(&self, uri: &Uri, is_local: bool, asked: &RequestFor) -> Result<Response<Body>, TryFailure> {
        // A packed body would have another hash, and its bytes could not be counted.
        let mut request = self.agent.get(uri).header(header::ACCEPT_ENCODING, "identity");
        if let Some(user) = authorization(uri) {
            request = request.header(header::AUTHORIZATION, user);
        }
        request = match asked {
            RequestFor::After(0) => request,
            RequestFor::After(there) => request.header(header::RANGE, format!("bytes={there}-")),
            RequestFor::Page => request.header(header::ACCEPT, PAGE_TYPES),
        };
        let mut config = request.config();
        if matches!(asked, RequestFor::Page) {
            // A page is small: one that drips in is no answer.
            config = config.timeout_recv_body(Some(self.options.stall_timeout));
        }
        if is_local {
            config = config.proxy(None);
        }
        if self.trusted.has(uri) {
            let tls = TlsConfig::builder().root_certs(self.roots.clone()).disable_verification(true);
            config = config.tls_config(tls.build());
        }
        config.build().call().map_err(|error| {
            let failure = SourceFailure::Server(error.to_string());
            if is_transient(&error) { TryFailure::Transient(failure, None) } else { TryFailure::Final(failure) }
        })
    }
}

/// The thing that a request asks an address for.
enum RequestFor {
    /// The bytes of a file after so many that are there.
    After(u64),
    /// A page of a package index.
    Page,
}

fn answers(response: &Response<Body>) -> String {
    format!("the server answers {}", response.status())
}

/// Tells whether a server that gives this status may do better next time.
fn is_transient_status(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// Returns true if a server was reached and then broke off or fell silent. One that cannot be reached at all is left:
/// there are other sources.
fn is_transient(error: &ureq::Error) -> bool {
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

fn refused(why: String) -> TryFailure {
    TryFailure::Final(SourceFailure::Source(why))
}

/// The content that an answer brings.
#[derive(Debug)]
struct Offer {
    /// The place in the file at which its body starts.
    start: u64,
    /// Length of the whole file.
    total: Option<u64>,
}

impl Offer {
    /// Returns the offer of an answer to a request for what comes after the first `there` bytes, if it can be right for
    /// a file of `wanted` bytes.
    fn judge(wanted: Option<u64>, response: &Response<Body>, there: u64) -> Result<Self, TryFailure> {
        match response.status().as_u16() {
            // Also where only the rest was asked for: not every server knows ranges.
            200 => Self::whole(wanted, response.body().content_length()),
            206 if there > 0 => {
                Self::rest(wanted, response, there).map_err(|why| TryFailure::Unfit { why, is_resumed: true })
            }
            416 if there > 0 => Err(TryFailure::Unfit { why: answers(response), is_resumed: true }),
            status if is_transient_status(status) => {
                Err(TryFailure::Transient(SourceFailure::Source(answers(response)), retry_after(response.headers())))
            }
            _ => Err(refused(answers(response))),
        }
    }

    fn whole(wanted: Option<u64>, total: Option<u64>) -> Result<Self, TryFailure> {
        match (wanted, total) {
            (Some(expected), Some(total)) if expected != total => {
                Err(refused(format!("the server offers {total} bytes instead of {expected}")))
            }
            (None, Some(total)) if total > limit(None) => {
                Err(refused(format!("the server offers {total} bytes, more than any model has")))
            }
            _ => Ok(Self { start: 0, total }),
        }
    }

    fn rest(wanted: Option<u64>, response: &Response<Body>, there: u64) -> Result<Self, String> {
        let said = text(response.headers(), &header::CONTENT_RANGE).unwrap_or_default();
        let range = ContentRange::parse(said).ok_or_else(|| format!("the server sends no range but {said:?}"))?;
        let total = range.total.or(wanted);
        let fits = range.start == there
            && total.is_none_or(|total| range.end < total && total <= limit(wanted))
            && wanted.is_none_or(|expected| total == Some(expected))
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

/// Returns the time for which a server wants to be left alone. It may also name a date, which would need this machine's
/// clock to be right.
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
            assert_eq!(is_transient(&error), expected, "{error}");
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
