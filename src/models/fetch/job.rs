//! A file that is wanted, and what became of it.

use std::collections::BTreeSet;

use super::failure::{Outcome, SourceFailure};
use super::options::{OFFLINE_VARIABLE, PACKAGE_INDEX_VARIABLE};
use crate::error::{Action, Error, ErrorKind, Remedy, Result};
use crate::models::catalog::{Entry, KnownFile};
use crate::models::store::{Expected, Store};

/// A file that is wanted, and why it is not there yet.
pub(super) struct Job<'a> {
    /// The model that it is, or that it belongs to.
    pub(super) entry: &'a Entry,
    pub(super) file: KnownFile,
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

    /// Returns true for a list of characters, which belongs to a model.
    pub(super) fn is_list(&self) -> bool {
        self.file != self.entry.file()
    }

    /// Notes that a source failed.
    pub(super) fn fail(&mut self, source: &str, why: &str) {
        self.failures.push(format!("{source}: {why}"));
    }
}

/// Returns a job for each file of `entries` that is not in the store, or has other content there; a model's after that
/// of its list of characters, without which it cannot be used.
pub(super) fn missing<'a>(store: &Store, entries: &[&'a Entry]) -> Result<Vec<Job<'a>>> {
    let mut seen = BTreeSet::new();
    let mut jobs = Vec::new();
    for &entry in entries.iter().filter(|entry| seen.insert(entry.name)) {
        for file in entry.files() {
            match store.verify(file.name, &Expected::from(&file)) {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), ErrorKind::ModelNotFound | ErrorKind::ModelCorrupt) => {
                    jobs.push(Job { entry, file, failures: Vec::new(), is_done: false });
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(jobs)
}

/// Brings what is not done yet, one after the other; a model only once its list of characters is there.
pub(super) fn bring_all<'j, 'a: 'j>(
    jobs: impl IntoIterator<Item = &'j mut Job<'a>>,
    mut bring: impl FnMut(&mut Job<'a>) -> Result<()>,
) -> Result<()> {
    let mut lacking: Option<KnownFile> = None;
    for job in jobs.into_iter().filter(|job| !job.is_done) {
        match lacking.filter(|list| job.entry.characters == Some(*list) && !job.is_list()) {
            Some(list) => job.fail("not asked for", &format!("its list of characters {} is not there", list.name)),
            None => bring(job)?,
        }
        if job.is_list() && !job.is_done {
            lacking = Some(job.file);
        }
    }
    Ok(())
}

fn names(jobs: &[Job<'_>], separator: &str) -> String {
    let waiting = jobs.iter().filter(|job| !job.is_done);
    waiting.map(|job| job.file.name).collect::<Vec<_>>().join(separator)
}

/// Returns the error for jobs that would need the network, which is not to be used.
pub(super) fn offline(store: &Store, jobs: &[Job<'_>]) -> Error {
    let message = format!(
        "{} missing or damaged in {}, and the network is not to be used",
        match jobs {
            [job] => format!("the model file {} is", job.file.name),
            _ => format!("the model files {} are", names(jobs, ", ")),
        },
        store.dir().display()
    );
    let mut names: Vec<_> = jobs.iter().map(|job| job.entry.name.to_owned()).collect();
    // A model's files follow each other.
    names.dedup();
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
            message.push_str(&format!("\n  {}: {failure}", job.file.name));
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
