//! A model that is wanted, and what became of it.

use std::collections::BTreeSet;

use super::failure::{Outcome, SourceFailure};
use super::options::{OFFLINE_VARIABLE, PACKAGE_INDEX_VARIABLE};
use crate::error::{Action, Error, ErrorKind, Remedy, Result};
use crate::models::catalog::Entry;
use crate::models::store::{Expected, Store};

/// A model that is wanted, and why it is not there yet.
pub(super) struct Job<'a> {
    pub(super) entry: &'a Entry,
    failures: Vec<String>,
    pub(super) is_done: bool,
}

impl Job<'_> {
    /// Notes how a source did. Only what no other source could mend is an error.
    pub(super) fn settle(&mut self, source: &str, outcome: Outcome) -> Result<()> {
        match outcome {
            Ok(()) => self.is_done = true,
            Err(SourceFailure::Source(why) | SourceFailure::Server(why)) => self.fail(source, &why),
            Err(SourceFailure::Stop(error)) => return Err(error),
        }
        Ok(())
    }

    /// Notes that a source failed.
    pub(super) fn fail(&mut self, source: &str, why: &str) {
        self.failures.push(format!("{source}: {why}"));
    }
}

/// Returns a job for each entry that is not in the store, or has other content there.
pub(super) fn missing<'a>(store: &Store, entries: &[&'a Entry]) -> Result<Vec<Job<'a>>> {
    let mut seen = BTreeSet::new();
    let mut jobs = Vec::new();
    for &entry in entries.iter().filter(|entry| seen.insert(entry.name)) {
        match store.verify(entry.name, &Expected::from(entry)) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ModelNotFound | ErrorKind::ModelCorrupt) => {
                jobs.push(Job { entry, failures: Vec::new(), is_done: false });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(jobs)
}

fn names(jobs: &[Job<'_>], separator: &str) -> String {
    let waiting = jobs.iter().filter(|job| !job.is_done);
    waiting.map(|job| job.entry.name).collect::<Vec<_>>().join(separator)
}

/// Returns the error for jobs that would need the network, which is not to be used.
pub(super) fn offline(store: &Store, jobs: &[Job<'_>]) -> Error {
    let message = format!(
        "{} missing or damaged in {}, and the network is not to be used",
        match jobs {
            [job] => format!("the model file {} is", job.entry.name),
            _ => format!("the model files {} are", names(jobs, ", ")),
        },
        store.dir().display()
    );
    let names = jobs.iter().map(|job| job.entry.name.to_owned()).collect();
    Error::new(ErrorKind::ModelNotFound, message).with_hint([
        format!("where the network may be used, without {OFFLINE_VARIABLE}, ").into(),
        store.remedy(Action::Pull(names)),
        " fetches what is missing".into(),
    ])
}

/// Returns the error for jobs that are not done, with the reason of each source.
pub(super) fn undelivered(store: &Store, jobs: &[Job<'_>]) -> Error {
    let mut message = format!("no source could deliver {} to {}", names(jobs, ", "), store.dir().display());
    for job in jobs.iter().filter(|job| !job.is_done) {
        for failure in &job.failures {
            message.push_str(&format!("\n  {}: {failure}", job.entry.name));
        }
    }
    let others = format!(
        " or FERROCR_MIRROR, or a package index with {PACKAGE_INDEX_VARIABLE}, or put the files there yourself"
    );
    Error::new(ErrorKind::Download, message).with_hint([
        "check the network, name a mirror with ".into(),
        Remedy::Option { keyword: "mirror=", flag: "--mirror URL" },
        others.into(),
    ])
}
