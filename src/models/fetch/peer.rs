//! Waiting until another call, in this or another process, is done with the same download.

use std::thread;
use std::time::{Duration, Instant};

use super::failure::SourceFailure;
use super::progress::{Progress, Source, Tell};
use crate::error::Error;
use crate::models::tick::TICK;

/// A wait for another call.
pub(super) struct PeerWait<'a> {
    /// Name of the file for people.
    pub(super) name: &'a str,
    /// Its length, if it is known.
    pub(super) total: Option<u64>,
    /// Bytes that have arrived at the other call.
    pub(super) size: &'a dyn Fn() -> u64,
    /// The time for which the other call is waited for while nothing arrives there.
    pub(super) patience: Duration,
}

impl PeerWait<'_> {
    /// Asks `take` again and again while another call has the download, and returns what it gives.
    pub(super) fn wait<T>(
        &self,
        take: &mut dyn FnMut() -> Result<Option<T>, Error>,
        progress: Tell<'_>,
    ) -> Result<T, SourceFailure> {
        let mut growth = Growth::start();
        loop {
            if let Some(taken) = take()? {
                return Ok(taken);
            }
            growth.note((self.size)());
            let step = Progress {
                name: self.name,
                source: Source::Peer,
                host: None,
                done: growth.bytes,
                total: self.total,
                trouble: None,
            };
            if !progress(step) {
                return Err(SourceFailure::cancelled(self.name));
            }
            if growth.since.elapsed() > self.patience {
                let seconds = self.patience.as_secs_f32();
                let why =
                    format!("another process is downloading it, and nothing has arrived there for {seconds} seconds");
                return Err(SourceFailure::Source(why));
            }
            thread::sleep(TICK);
        }
    }
}

/// The bytes that are there, and since when.
pub(super) struct Growth {
    pub(super) bytes: u64,
    pub(super) since: Instant,
}

impl Growth {
    pub(super) fn start() -> Self {
        Self { bytes: 0, since: Instant::now() }
    }

    pub(super) fn note(&mut self, bytes: u64) {
        if bytes != self.bytes {
            *self = Self { bytes, since: Instant::now() };
        }
    }
}
