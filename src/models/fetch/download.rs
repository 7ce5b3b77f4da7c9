//! A file from web servers: one call at a time, patiently, and on from where an earlier one stopped.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::address::{Address, shown};
use super::delivery::{Wanted, is_whole};
use super::failure::{Outcome, SourceFailure, TryFailure};
use super::https::Web;
use super::index::Page;
use super::job::Job;
use super::options::PullOptions;
use super::patience::Patience;
use super::peer::PeerWait;
use super::progress::{Progress, Source, Tell, Trouble};
use super::space::Place;
use super::watch::{Transfer, watched};
use crate::error::Error;
use crate::models::store::{Expected, Part};
use crate::models::tick::TICK;

/// The patience with another call, as a multiple of that with a silent server: it may have to try its server again.
const PEER_STALLS: u32 = 2;

/// Fetches files one after the other, over connections that are kept between them.
pub(super) struct Client<'a> {
    pub(super) place: Place<'a>,
    pub(super) web: Web<'a>,
    options: &'a PullOptions,
    /// Servers that are not waited for again, and the reason.
    given_up: BTreeMap<String, String>,
}

impl<'a> Client<'a> {
    pub(super) fn new(place: Place<'a>, web: Web<'a>, options: &'a PullOptions) -> Self {
        Self { place, web, options, given_up: BTreeMap::new() }
    }

    /// Fetches one file into the store, from the first of these addresses that has it.
    pub(super) fn download(
        &mut self,
        job: &mut Job<'_>,
        addresses: &[String],
        progress: Tell<'_>,
    ) -> Result<(), Error> {
        let file = job.file;
        let (store, wanted) = (self.place.store, Wanted::known(&file));
        let mut part = match self.wait_for_peer(&wanted, progress) {
            Ok(part) => part,
            Err(failure) => {
                return job.settle(&addresses.first().map_or_else(String::new, |it| shown(it)), Err(failure));
            }
        };
        if store.verify(file.name, &Expected::from(&file)).is_ok() {
            // The other call, or whoever put it there, is done.
            part.discard();
            job.is_done = true;
            return Ok(());
        }
        let mut is_here = self.is_whole(&wanted, &mut part)?;
        for address in addresses {
            if !is_here {
                let address_read = self.web.address(address).map_err(SourceFailure::Source);
                let outcome = address_read.and_then(|address| self.fetch(&wanted, &mut part, &address, progress));
                is_here = outcome.is_ok();
                job.settle(&shown(address), outcome)?;
            }
        }
        if is_here {
            part.publish(store.layout(), file.name)?;
            job.is_done = true;
        }
        Ok(())
    }

    /// Returns the unfinished download, once no other call works on it.
    pub(super) fn wait_for_peer(&self, wanted: &Wanted<'_>, progress: Tell<'_>) -> Result<Part, SourceFailure> {
        let store = self.place.store;
        let peer = PeerWait {
            name: wanted.label,
            total: wanted.bytes,
            size: &|| Part::arrived(store.layout(), wanted.name, wanted.sha256),
            // It may have to try its server again.
            patience: self.options.stall_timeout.saturating_mul(PEER_STALLS),
        };
        peer.wait(&mut || Part::claim(store.layout(), wanted.name, wanted.sha256), progress)
    }

    /// Tells whether the part is complete. An error, if the disk has no room for the rest.
    pub(super) fn is_whole(&self, wanted: &Wanted<'_>, part: &mut Part) -> Result<bool, Error> {
        let is_whole = is_whole(self.place.store, wanted, part)?;
        if let (false, Some(bytes)) = (is_whole, wanted.bytes) {
            self.place.require(wanted.name, bytes.saturating_sub(part.len()?))?;
        }
        Ok(is_whole)
    }

    /// Completes the part from one address.
    pub(super) fn fetch(
        &mut self,
        wanted: &Wanted<'_>,
        part: &mut Part,
        address: &Address,
        progress: Tell<'_>,
    ) -> Outcome {
        let host = address.host();
        let outcome = self.unless_given_up(address, |client| client.try_on(wanted, part, address, progress));
        SourceFailure::told(outcome, Progress { host: host.as_deref(), ..wanted.progress(part.len()?) }, progress)
    }

    /// Returns a page of a package index, for a file that is called `label` for people.
    pub(super) fn page(&mut self, label: &str, address: &Address, progress: Tell<'_>) -> Result<Page, SourceFailure> {
        let host = address.host();
        let outcome = self.unless_given_up(address, |client| client.try_page(label, address, progress));
        SourceFailure::told(outcome, page_step(label, host.as_deref()), progress)
    }

    /// Asks a server that was not given up before, and remembers one that now is.
    fn unless_given_up<T>(
        &mut self,
        address: &Address,
        ask: impl FnOnce(&Self) -> Result<T, SourceFailure>,
    ) -> Result<T, SourceFailure> {
        if let Some(why) = self.given_up.get(&address.server()) {
            return Err(SourceFailure::Source(format!("its server was given up before: {why}")));
        }
        let outcome = ask(self);
        if let Err(SourceFailure::Server(why)) = &outcome {
            self.given_up.insert(address.server(), why.clone());
        }
        outcome
    }

    /// Tries one address until it delivers or patience ends.
    fn try_on(&self, wanted: &Wanted<'_>, part: &mut Part, address: &Address, progress: Tell<'_>) -> Outcome {
        let host = address.host();
        let what = |done| Progress { host: host.as_deref(), ..wanted.progress(done) };
        let mut patience = Patience::new(self.options);
        loop {
            let before = part.len()?;
            match self.try_once(wanted, part, address, what(before), progress) {
                Ok(()) => return Ok(()),
                Err(TryFailure::Unfit { is_resumed: true, .. }) if patience.after_misfit() => {}
                Err(TryFailure::Transient(failure, asked)) => {
                    let there = part.len()?;
                    match patience.after_failure(there > before, asked) {
                        Some(pause) => rest(pause, what(there), &failure.reason(), progress)?,
                        None => return Err(failure.after_tries(patience.tried)),
                    }
                }
                Err(failed) => return Err(failed.into_source_failure()),
            }
        }
    }

    fn try_once(
        &self,
        wanted: &Wanted<'_>,
        part: &mut Part,
        address: &Address,
        what: Progress<'_>,
        progress: Tell<'_>,
    ) -> Result<(), TryFailure> {
        let state = Transfer::default();
        state.arrived.store(what.done, Ordering::Relaxed);
        let (web, place) = (&self.web, self.place);
        let work = || web.attempt(place, wanted, address, part, &state);
        // A silent server is left at once.
        watched(what, &state, progress, &|| web.shut_down(), work).map_err(TryFailure::Final)?
    }

    /// Tries to get a page until it is there or patience ends.
    fn try_page(&self, label: &str, address: &Address, progress: Tell<'_>) -> Result<Page, SourceFailure> {
        let host = address.host();
        let what = page_step(label, host.as_deref());
        let (web, mut patience) = (&self.web, Patience::new(self.options));
        loop {
            let got = watched(what, &Transfer::default(), progress, &|| web.shut_down(), || web.page(address))?;
            match got {
                Ok(page) => return Ok(page),
                Err(TryFailure::Transient(failure, asked)) => match patience.after_failure(false, asked) {
                    Some(pause) => rest(pause, what, &failure.reason(), progress)?,
                    None => return Err(failure.after_tries(patience.tried)),
                },
                Err(failed) => return Err(failed.into_source_failure()),
            }
        }
    }
}

/// Returns the step of asking for a page of a package index.
fn page_step<'a>(label: &'a str, host: Option<&'a str>) -> Progress<'a> {
    Progress { name: label, source: Source::Wheel, host, done: 0, total: None, trouble: None }
}

/// Leaves a server alone for a while, because of a try that failed.
fn rest(pause: Duration, what: Progress<'_>, why: &str, progress: Tell<'_>) -> Outcome {
    let started = Instant::now();
    let mut trouble = Some(Trouble::Again(why));
    loop {
        if !progress(Progress { trouble: trouble.take(), ..what }) {
            return Err(SourceFailure::cancelled(what.name));
        }
        match pause.saturating_sub(started.elapsed()) {
            Duration::ZERO => return Ok(()),
            left => thread::sleep(left.min(TICK)),
        }
    }
}
