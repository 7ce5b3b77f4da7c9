//! A file from web servers: one call at a time, patiently, and on from where an earlier one stopped.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use ureq::Agent;

use super::address::{Address, shown};
use super::delivery::{Failed, Outcome, Trouble, is_whole};
use super::patience::Patience;
use super::space::Place;
use super::turn::Turn;
use super::watch::{State, watched};
use super::{Job, Progress, PullOptions, Source, TICK, Tell, https};
use crate::error::Error;
use crate::models::catalog::Entry;
use crate::models::store::{Expected, Part};

/// How much longer another call is waited for than a silent server: it may have to try its server again.
const PEER_STALLS: u32 = 2;

/// Fetches files one after the other, over connections that are kept between them.
pub(super) struct Client<'a> {
    place: Place<'a>,
    options: &'a PullOptions,
    agent: Agent,
    /// Servers that are not waited for again.
    unreachable: BTreeSet<String>,
}

impl<'a> Client<'a> {
    pub(super) fn new(place: Place<'a>, options: &'a PullOptions) -> Self {
        Self { place, options, agent: https::agent(options), unreachable: BTreeSet::new() }
    }

    /// Fetches one file into the store, from the first of these addresses that has it.
    pub(super) fn download(
        &mut self,
        job: &mut Job<'_>,
        addresses: &[String],
        progress: Tell<'_>,
    ) -> Result<(), Error> {
        let entry = job.entry;
        let (store, expected) = (self.place.store, Expected::from(entry));
        let mut part = match self.wait_for_turn(entry, progress) {
            Ok(part) => part,
            Err(trouble) => return job.settle(&shown(entry.address), Err(trouble)),
        };
        if store.verify(entry.name, &expected).is_ok() {
            // The other call, or whoever put it there, is done.
            part.discard();
            job.is_done = true;
            return Ok(());
        }
        let mut is_here = is_whole(store, entry, &mut part)?;
        if let (false, Some(bytes)) = (is_here, entry.bytes) {
            self.place.require(entry.name, bytes.saturating_sub(part.len()?))?;
        }
        for address in addresses {
            if !is_here {
                let outcome = self.fetch(entry, &mut part, address, progress);
                is_here = outcome.is_ok();
                job.settle(&shown(address), outcome)?;
            }
        }
        if is_here {
            part.publish(store, entry.name)?;
            job.is_done = true;
        }
        Ok(())
    }

    /// The unfinished download, once no other call works on it.
    fn wait_for_turn(&self, entry: &Entry, progress: Tell<'_>) -> Result<Part, Trouble> {
        let store = self.place.store;
        let turn = Turn {
            name: entry.name,
            total: entry.bytes,
            size: &|| Part::arrived(store, entry.name, entry.sha256),
            patience: peer_patience(self.options),
        };
        turn.wait(&mut || Part::claim(store, entry.name, entry.sha256), progress)
    }

    /// Completes the part from one address.
    fn fetch(&mut self, entry: &Entry, part: &mut Part, address: &str, progress: Tell<'_>) -> Outcome {
        let address = Address::parse(address).map_err(Trouble::Source)?;
        if self.unreachable.contains(&address.host()) {
            return Err(Trouble::Source("the server could not be reached before".to_owned()));
        }
        let outcome = self.try_on(entry, part, &address, progress);
        if matches!(outcome, Err(Trouble::Server(_))) {
            self.unreachable.insert(address.host());
        }
        outcome
    }

    /// Tries one address until it delivers or patience ends.
    fn try_on(&self, entry: &Entry, part: &mut Part, address: &Address, progress: Tell<'_>) -> Outcome {
        let mut patience = Patience::new(self.options);
        loop {
            let before = part.len()?;
            match self.try_once(entry, part, address, progress) {
                Ok(()) => return Ok(()),
                Err(Failed::Final(trouble)) => return Err(trouble),
                Err(Failed::Unfit { is_resumed: true, .. }) if patience.after_misfit() => {}
                Err(Failed::Unfit { why, .. }) => return Err(Trouble::Source(why)),
                Err(Failed::Passing(trouble, asked)) => {
                    let there = part.len()?;
                    match patience.after_failure(there > before, asked) {
                        Some(pause) => rest(pause, entry, there, progress)?,
                        None => return Err(trouble.after_tries(patience.tried)),
                    }
                }
            }
        }
    }

    fn try_once(&self, entry: &Entry, part: &mut Part, address: &Address, progress: Tell<'_>) -> Result<(), Failed> {
        let state = State::default();
        state.arrived.store(part.len()?, Ordering::Relaxed);
        // A silent server is left at once.
        let end = || self.agent.clone().shutdown();
        let (agent, place) = (&self.agent, self.place);
        let work = || https::attempt(agent, place, entry, address, part, &state);
        watched((entry, Source::Https), &state, progress, &end, work).map_err(Failed::Final)?
    }
}

/// How long another call may bring nothing before it is no longer waited for.
pub(super) fn peer_patience(options: &PullOptions) -> Duration {
    options.stall_timeout.saturating_mul(PEER_STALLS)
}

/// Leaves a server alone for a while.
fn rest(pause: Duration, entry: &Entry, done: u64, progress: Tell<'_>) -> Outcome {
    let started = Instant::now();
    loop {
        if !progress(Progress { name: entry.name, source: Source::Https, done, total: entry.bytes }) {
            return Err(Trouble::cancelled(entry.name));
        }
        match pause.saturating_sub(started.elapsed()) {
            Duration::ZERO => return Ok(()),
            left => thread::sleep(left.min(TICK)),
        }
    }
}
