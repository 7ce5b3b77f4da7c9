//! A directory of model files: what is there, and how a file gets in.
//!
//! The files on the disk are the truth: there is no index that could go stale, and removing a file by hand is allowed
//! at any time. Bookkeeping lies in the hidden folder `.ferrocr` inside the directory. Other processes may write to the
//! same directory, so a file appears under its name only when all of its bytes are there and verified.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::{Action, Error, ErrorKind, Remedy, Result};
use crate::models::catalog::Entry;
pub use crate::text::path_text;

mod admission;
mod archive;
mod audit;
mod characters;
mod digest;
mod directory;
mod disk;
mod follow;
mod keep;
mod layout;
mod lease;
mod lock;
mod names;
mod part;
mod place;
mod removal;
mod space;
mod temporary;
mod trash;
mod watch;

use admission::Admission;
pub use admission::Expected;
pub use archive::{Archive, ArchiveFile, ArchiveProgress, Archived, ImportOptions};
use archive::{Exporter, Importer};
pub use audit::{Audit, AuditEntry, AuditOptions, Examination, Inspection, State};
use digest::Digest;
pub(super) use disk::free_bytes;
#[cfg(test)]
pub(super) use disk::steps;
use keep::KeepFile;
pub use keep::KeepList;
use layout::Layout;
pub use lease::Lease;
use lease::Leases;
use part::Incoming;
pub(super) use part::Part;
pub(super) use place::DIR_VARIABLE;
#[cfg(feature = "python")]
pub(crate) use place::cache_dir;
use removal::Remover;
pub use removal::{Decision, Planned, Removal, RemoveOptions, Selection};
use trash::Trash;
pub use trash::Trashed;
use watch::Watch;

/// A model directory. It holds no handle and no lock: making one, keeping it and dropping it cost nothing.
#[derive(Debug, Clone)]
pub struct Store {
    layout: Layout,
}

impl Store {
    /// Returns the directory for a caller who chose none: `FERROCR_MODEL_DIR`, else `ferrocr/models` in the user's
    /// data.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the platform knows no data directory for this user.
    pub fn default_dir() -> Result<PathBuf> {
        place::default_dir()
    }

    /// Returns the store in `dir`, made absolute now so that a later change of the working directory does not move it.
    ///
    /// Nothing on the disk is read or made; the directory need not exist.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] when `dir` is empty or no system could have it.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        Ok(Self { layout: Layout::new(place::absolute(dir.as_ref())?) })
    }

    /// Returns the directory, absolute.
    pub fn dir(&self) -> &Path {
        self.layout.dir()
    }

    /// Returns the layout, for what works on parts of files.
    pub(in crate::models) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns an action on this directory, for a hint.
    pub(in crate::models) fn remedy(&self, action: Action) -> Remedy {
        self.layout.remedy(action)
    }

    /// Returns the sorted names of the model files; none for a directory that is empty or not there.
    ///
    /// A model file is a regular file, or a link to one inside of the directory, with suffix `.onnx`, `.ort` or `.bin`
    /// in any case, and not hidden. Left out are sub-folders; links that leave the directory or lead nowhere; and names
    /// that are no UTF-8 or that [`Store::path`] refuses, which could not be asked for. The audit reports all of them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the directory is there but cannot be read.
    pub fn list(&self) -> Result<Vec<String>> {
        self.layout.list()
    }

    /// Returns the absolute path of the file called `name`, which need not exist.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for a name that is no plain, visible file name: nothing outside of the
    /// directory and none of its bookkeeping can be named.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        self.layout.path(name)
    }

    /// Returns the absolute path of the file called `name`, which is there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelNotFound`] when it is not there, no regular file, or a link that leaves the directory,
    /// and what [`Store::path`] says.
    pub fn existing(&self, name: &str) -> Result<PathBuf> {
        self.layout.existing(name)
    }

    /// Returns the names of the files in the directory that `path` goes through: its own, and those of the links that
    /// it follows. The directory may be reached in another way than by the path that the store has.
    pub(crate) fn names_along(&self, path: &Path) -> Vec<String> {
        self.layout.names_along(path)
    }

    /// Copies the file `from` into the directory as `name`, if it is what is expected.
    ///
    /// # Errors
    /// As [`Store::admit_from`].
    pub fn admit(&self, name: &str, expected: &Expected<'_>, from: &Path) -> Result<PathBuf> {
        Admission(&self.layout).admit(name, expected, from)
    }

    /// Reads `source` to its end into the directory as `name`, if it is what is expected.
    ///
    /// The bytes are hashed while they are written to a temporary file, which takes its name in one step after it is
    /// safe on the disk. A file that is there already with the right content is left alone and `source` is not read;
    /// one with other content goes to the trash.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelCorrupt`] for other content than expected, [`crate::ErrorKind::Io`] when reading or
    /// writing failed. After an error the directory holds the same models as before.
    pub fn admit_from(&self, name: &str, expected: &Expected<'_>, source: &mut dyn Read) -> Result<PathBuf> {
        Admission(&self.layout).admit_from(name, expected, source)
    }

    /// Checks that the file called `name` is what is expected.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelCorrupt`] when its length or hash differs, and what [`Store::existing`] says.
    pub fn verify(&self, name: &str, expected: &Expected<'_>) -> Result<()> {
        Admission(&self.layout).verify(name, expected)
    }

    /// Checks that a known model is there as the catalog has it, with the list of characters that goes with it.
    ///
    /// # Errors
    /// The errors of [`Store::verify`]; that of a list which is not there, or another, is
    /// [`crate::ErrorKind::ModelCorrupt`] too, because the model is there and cannot be used.
    pub fn verify_known(&self, entry: &Entry) -> Result<()> {
        self.verify(entry.name, &Expected::from(entry))?;
        match audit::list_fault(&self.layout, entry.name, entry) {
            None => Ok(()),
            Some(fault) => {
                let message = format!("{} cannot be used: {fault}", self.path(entry.name)?.display());
                let hint = self.layout.how_to_mend(entry.name, true);
                Err(Error::new(ErrorKind::ModelCorrupt, message).with_hint(hint))
            }
        }
    }

    /// Compares what was found with what is expected; the length first, because it tells more.
    pub(in crate::models) fn check(&self, name: &str, expected: &Expected<'_>, found: &Digest) -> Result<()> {
        Admission(&self.layout).check(name, expected, found)
    }

    /// Returns the error for a model file that cannot be used, and `why`: that it is not there, for example.
    pub(crate) fn missing(&self, name: &str, why: &str) -> Error {
        self.layout.missing(name, why)
    }

    /// Looks at everything in the directory and says in which state it is. Nothing in the directory is changed.
    ///
    /// Unreadable files are reported as such and end nothing. The content of models is read by all processors at
    /// once, unless it is remembered. A directory that is not there has nothing but missing files.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the directory is there but cannot be listed.
    pub fn audit(&self, options: &AuditOptions) -> Result<Audit> {
        audit::audit(&self.layout, options)
    }

    /// Looks at the model file called `name`. Nothing in the directory is changed.
    ///
    /// Other models are read only where a newer one among them could make this one old.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelNotFound`] when there is no such model file, and what [`Store::existing`] says.
    pub fn inspect(&self, name: &str, options: &AuditOptions) -> Result<Inspection> {
        audit::inspect(&self.layout, name, options)
    }

    /// Reads the model file called `name` and judges its content as an audit does.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelNotFound`] when there is no such file, and what [`Store::existing`] says.
    pub fn examine(&self, name: &str) -> Result<Examination> {
        audit::examine(&self.layout, name)
    }

    /// Moves the files called `names` to the trash, all or none. A model's list of characters goes with the last model
    /// that it belongs to.
    ///
    /// # Errors
    /// - [`crate::ErrorKind::ModelNotFound`] when one is not there, or no longer.
    /// - [`crate::ErrorKind::ModelInUse`] when a process uses one, [`crate::ErrorKind::ModelKept`] when one is kept or
    ///   needed; with `dry_run` the plan says so instead, unless it is `strict`.
    /// - [`crate::ErrorKind::InvalidArgument`] for a name that is no file name, and for a keep entry that matches
    ///   nothing.
    /// - [`crate::ErrorKind::Io`] when a file cannot be moved; all are where they were then.
    pub fn remove(&self, names: &[String], options: &RemoveOptions) -> Result<Removal> {
        Remover(&self.layout).remove(names, options)
    }

    /// Moves the selected model files to the trash, and spares what is kept or needed. A list of characters goes with
    /// the last model that it belongs to, and not before.
    ///
    /// Left-behind unfinished downloads, where [`State::Partial`] is selected, are deleted for good.
    ///
    /// # Errors
    /// - [`crate::ErrorKind::ModelInUse`] when a process uses one of those that would go: none is moved then. With
    ///   `dry_run` the plan says so instead, unless it is `strict`.
    /// - [`crate::ErrorKind::InvalidArgument`] for a keep entry that matches nothing, and for states that cannot be
    ///   removed.
    /// - [`crate::ErrorKind::Io`] when the directory cannot be read or a file cannot be moved; all are where they were
    ///   then.
    pub fn prune(&self, selection: &Selection, options: &RemoveOptions) -> Result<Removal> {
        Remover(&self.layout).prune(selection, options)
    }

    /// Lists the trash, the oldest removal first. Left out are folders and names that the store did not make, and
    /// removals that cannot be read, which the audit reports.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when it cannot be read.
    pub fn trashed(&self) -> Result<Vec<Trashed>> {
        Trash(&self.layout).trashed()
    }

    /// Moves files back to where they were: those of one `removal`, or the latest that has each of `names`, or without
    /// either all of the latest removal. Latest is the one that was made last, whatever the clock said. A model that is
    /// named brings the list of characters that was removed with it, unless there is one already. With `dry_run` it
    /// only says which.
    ///
    /// # Errors
    /// - [`crate::ErrorKind::ModelNotFound`] when the trash has no such file or removal.
    /// - [`crate::ErrorKind::InvalidArgument`] when a file of that name is in the directory: none is moved then.
    /// - [`crate::ErrorKind::Io`] when a file cannot be moved; all are in the trash then.
    pub fn restore(&self, names: &[String], removal: Option<&str>, dry_run: bool) -> Result<Vec<Trashed>> {
        Trash(&self.layout).restore(names, removal, dry_run)
    }

    /// Deletes for good what was removed at least `older_than` ago, or all; with `dry_run` it only says what.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when a file cannot be deleted; those before it are gone then.
    pub fn purge(&self, older_than: Option<Duration>, dry_run: bool) -> Result<Vec<Trashed>> {
        Trash(&self.layout).purge(older_than, dry_run)
    }

    /// Notes that this process uses the files called `names`, what they lead to if they are links, and the lists of
    /// characters beside them.
    ///
    /// None where there is nothing to note, and where nothing can be noted: in a directory that is not there or that
    /// this user may not write to, or on a file system without locks. The models can be used there all the same, but
    /// nothing keeps another process from removing them.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when another process has held the directory's lock or that of the lease for about a
    /// second, which no removal and no look takes, and when the lease cannot be written for any other reason than a
    /// missing right. The models can be used then too. And what the watch of [`Store::watched`] returns.
    pub fn lease(&self, names: &[String]) -> Result<Option<Lease>> {
        Leases(&self.layout).lease(names)
    }

    /// Returns the files in use, each with the ids of the processes that use it. An id counts on the machine of that
    /// process.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when something among the leases cannot be read: any file may be in use then.
    pub fn in_use(&self) -> Result<BTreeMap<String, Vec<u32>>> {
        Leases(&self.layout).in_use()
    }

    /// Returns the keep-list of this directory; empty where there is none.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when it is there and cannot be read: nothing may be removed then.
    pub fn keep_list(&self) -> Result<KeepList> {
        KeepFile(&self.layout).keep_list()
    }

    /// Adds entries to the keep-list.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for an entry that matches no model, [`crate::ErrorKind::Io`] when it
    /// cannot be written.
    pub fn keep(&self, entries: &[String]) -> Result<KeepList> {
        KeepFile(&self.layout).keep(entries)
    }

    /// Takes entries off the keep-list.
    ///
    /// # Errors
    /// [`crate::ErrorKind::InvalidArgument`] for an entry that is not on it, [`crate::ErrorKind::Io`] when it cannot be
    /// written.
    pub fn unkeep(&self, entries: &[String]) -> Result<KeepList> {
        KeepFile(&self.layout).unkeep(entries)
    }

    /// Adds some entries to the keep-list and takes others off it, all or none.
    ///
    /// # Errors
    /// The errors of [`Store::keep`] and [`Store::unkeep`]; the list is what it was then.
    pub fn change_keep(&self, add: &[String], remove: &[String]) -> Result<KeepList> {
        KeepFile(&self.layout).change_keep(add, remove)
    }

    /// Takes the files of an archive into the directory. All of them are verified before the first appears.
    ///
    /// A file that is there with the same content is left alone. Models are replaced also while a process uses them: an
    /// engine works from memory. `progress` is called on this thread; when it gives `false` the import ends and the
    /// directory is as before.
    ///
    /// # Errors
    /// - [`crate::ErrorKind::Cancelled`] when `progress` said so.
    /// - [`crate::ErrorKind::ModelCorrupt`] for an archive that is damaged, no archive of models, or has other content
    ///   under a name of the catalog.
    /// - [`crate::ErrorKind::InvalidArgument`] when files are there with other content and `replace` was not asked for,
    ///   when a folder has the name of a file, or when a name that is there differs from it in case only.
    /// - [`crate::ErrorKind::Io`] when something cannot be read or written, or does not fit on the disk. When that
    ///   happens while verified files get their names, those before it are in place, whole; importing again does the
    ///   rest.
    pub fn import(
        &self,
        archive: &Path,
        options: ImportOptions,
        progress: &mut dyn FnMut(ArchiveProgress<'_>) -> bool,
    ) -> Result<Vec<Archived>> {
        Importer(&self.layout).import(archive, options, progress)
    }

    /// Writes models into one archive, each with the list of characters beside it; without `names` all models there
    /// are, but for those that are damaged or cannot be read: what an import would refuse. They are in the outcome,
    /// with the reason. One that is named is an error.
    ///
    /// The archive appears under its name in one step, when it is complete, and replaces a file that was there. The
    /// same models give the same bytes. The directory is only read. `progress` is called on this thread; when it gives
    /// `false` the export ends. A process that is killed may leave a hidden file beside the archive, whose name begins
    /// with `.ferrocr-export`.
    ///
    /// # Errors
    /// - [`crate::ErrorKind::Cancelled`] when `progress` said so.
    /// - [`crate::ErrorKind::ModelNotFound`] when a model is not there, or none at all.
    /// - [`crate::ErrorKind::ModelCorrupt`] when a named model is damaged, or all are: an archive would spread the
    ///   damage.
    /// - [`crate::ErrorKind::InvalidArgument`] for an archive inside of the model directory or in the place of a
    ///   folder, for names that are no model's, and for what an archive cannot hold.
    /// - [`crate::ErrorKind::Io`] when something cannot be read or written. No archive is there then, or the one
    ///   before.
    pub fn export(
        &self,
        archive: &Path,
        names: &[String],
        progress: &mut dyn FnMut(ArchiveProgress<'_>) -> bool,
    ) -> Result<Vec<Archived>> {
        Exporter(&self.layout).export(archive, names, progress)
    }

    /// Returns the folder for unfinished files, in the same file system as the models; it is made if it is not there.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when it cannot be made.
    pub fn scratch(&self) -> Result<PathBuf> {
        Incoming(&self.layout).scratch()
    }

    /// Removes what calls that are gone left behind and nobody goes on with. Does nothing where that is not known.
    pub(in crate::models) fn sweep(&self) -> Result<()> {
        Incoming(&self.layout).sweep()
    }

    /// Refuses if the disk, which has `free` bytes as far as that is known, has no room for `bytes` more of
    /// `what`.
    pub(in crate::models) fn require_space(&self, what: &str, bytes: u64, free: Option<u64>) -> Result<()> {
        space::require_space(&self.layout, what, bytes, free)
    }

    /// Returns the same store, which asks `look` while it waits for other processes: its error ends the wait.
    #[must_use]
    pub fn watched(&self, look: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        Self { layout: self.layout.with_watch(Watch::new(look)) }
    }
}

#[cfg(test)]
mod killed;
#[cfg(test)]
#[cfg(unix)]
mod links;
#[cfg(test)]
mod tests;
