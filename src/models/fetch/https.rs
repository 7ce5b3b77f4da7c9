//! A file from a web server, or from a mirror that is a directory.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;

use ureq::Agent;
use ureq::http::{Response, Uri, header};
use ureq::tls::{RootCerts, TlsConfig};

use super::address::Address;
use super::delivery::{Outcome, Trouble, deliver, limit};
use super::{Progress, PullOptions, Source, TICK, Tell};
use crate::error::{Error, ErrorKind};
use crate::models::catalog::Entry;
use crate::models::store::Store;

/// Real servers redirect to a storage and once more to a region.
const MOST_REDIRECTS: usize = 5;

/// Fetches files one after the other, over connections that are kept between them.
pub(super) struct Client {
    agent: Agent,
    /// Servers that are not waited for again.
    unreachable: BTreeSet<String>,
}

/// What the thread that fetches tells the one that watches.
#[derive(Default)]
struct State {
    arrived: AtomicU64,
    total: OnceLock<u64>,
}

impl Client {
    pub(super) fn new(options: &PullOptions) -> Self {
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
            .build();
        Self { agent: Agent::new_with_config(config), unreachable: BTreeSet::new() }
    }

    /// Fetches one file into the store.
    pub(super) fn fetch(&mut self, store: &Store, entry: &Entry, address: &str, progress: Tell<'_>) -> Outcome {
        let address = Address::parse(address).map_err(Trouble::Source)?;
        if self.unreachable.contains(&address.host()) {
            return Err(Trouble::Source("the server could not be reached before".to_owned()));
        }
        let outcome = self.watched(store, entry, &address, progress);
        if matches!(outcome, Err(Trouble::Server(_))) {
            self.unreachable.insert(address.host());
        }
        outcome
    }

    /// The transfer has a thread of its own, so that `progress` is heard also while a server is silent. The thread has
    /// ended when this returns.
    fn watched(&self, store: &Store, entry: &Entry, address: &Address, progress: Tell<'_>) -> Outcome {
        let state = State::default();
        let source = if matches!(address, Address::File(_)) { Source::File } else { Source::Https };
        let mut tell = || {
            let total = entry.bytes.or_else(|| state.total.get().copied());
            progress(Progress { name: entry.name, source, done: state.arrived.load(Ordering::Relaxed), total })
        };
        thread::scope(|scope| {
            let (alive, ended) = mpsc::channel();
            let transfer = scope.spawn(|| self.transfer(store, entry, address, &state, alive));
            // Also when `progress` panics: the scope waits for the transfer.
            let mut interrupt = Interrupt(Some(&self.agent));
            if !watch(&ended, &mut tell) {
                return Err(Trouble::cancelled(entry.name));
            }
            interrupt.0 = None;
            transfer.join().unwrap_or_else(|_| {
                let message = format!("the transfer of {} panicked", entry.name);
                Err(Trouble::Stop(Error::new(ErrorKind::Internal, message)))
            })
        })
    }

    /// `_alive` is dropped when the transfer has ended, in whatever way.
    fn transfer(&self, store: &Store, entry: &Entry, address: &Address, state: &State, _alive: Sender<()>) -> Outcome {
        let mut address = address.clone();
        for _ in 0..=MOST_REDIRECTS {
            let uri = match &address {
                Address::Web(uri) => uri,
                Address::File(path) => {
                    let file = File::open(path).map_err(|error| Trouble::Source(error.to_string()))?;
                    return deliver(store, entry, file, &state.arrived);
                }
            };
            let response = self.ask(uri, address.is_local())?;
            let Some(location) = redirect(&response) else {
                return receive(store, entry, response, state);
            };
            address = address.redirect(&location).map_err(Trouble::Source)?;
        }
        Err(Trouble::Source(format!("it redirects more than {MOST_REDIRECTS} times")))
    }

    fn ask(&self, uri: &Uri, is_local: bool) -> Result<Response<ureq::Body>, Trouble> {
        let request = self.agent.get(uri).header(header::ACCEPT_ENCODING, "identity");
        let response = if is_local { request.config().proxy(None).build().call() } else { request.call() };
        response.map_err(|error| Trouble::Server(error.to_string()))
    }
}

/// Ends the transfer at once when the watch is left early.
struct Interrupt<'a>(Option<&'a Agent>);

impl Drop for Interrupt<'_> {
    fn drop(&mut self) {
        if let Some(agent) = self.0 {
            agent.clone().shutdown();
        }
    }
}

/// Calls `tell` until the transfer has ended, and once after; `false` as soon as `tell` says so.
fn watch(ended: &Receiver<()>, tell: &mut dyn FnMut() -> bool) -> bool {
    loop {
        if !tell() {
            return false;
        }
        if ended.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
            return tell();
        }
    }
}

fn redirect(response: &Response<ureq::Body>) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| is_redirect)?;
    location.to_str().ok().map(str::to_owned)
}

/// Takes the body, if what the server says about it can be right.
fn receive(store: &Store, entry: &Entry, response: Response<ureq::Body>, state: &State) -> Outcome {
    if response.status() != 200 {
        return Err(Trouble::Source(format!("the server answers {}", response.status())));
    }
    let length = response.body().content_length();
    match (entry.bytes, length) {
        (Some(expected), Some(length)) if expected != length => {
            return Err(Trouble::Source(format!("the server offers {length} bytes instead of {expected}")));
        }
        (None, Some(length)) if length > limit(entry) => {
            return Err(Trouble::Source(format!("the server offers {length} bytes, more than any model has")));
        }
        _ => {}
    }
    if let Some(length) = length {
        // Only this thread sets it, and only once.
        let _ = state.total.set(length);
    }
    let body: Box<dyn Read> = Box::new(response.into_body().into_reader());
    deliver(store, entry, body, &state.arrived)
}
