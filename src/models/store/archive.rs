//! Models in one file, for machines without a network.
//!
//! # Format
//! A zip archive without folders. Each model is an entry of its own name; the list of characters beside a model, which
//! has the model's name with the suffix `.txt`, goes along. One more entry says what the others have to be, in JSON:
//!
//! ```json
//! {"format": "ferrocr-models", "version": 1,
//!  "files": [{"name": "a.onnx", "bytes": 3, "sha256": "ba7816bf..."}]}
//! ```
//!
//! It is called `ferrocr-models.json` and lists every other entry. [`super::Store::export`] writes entries
//! uncompressed, in the order of their names, with the list last and all times the same: the same models give the same
//! bytes. Reading also takes what another program packed again, compressed or in another order. Keys it does not know
//! are left alone; a change that an older reader must not ignore gets another version.
//!
//! # Trust
//! An archive is foreign bytes. Its list says nothing about who made it, so a name of the catalog has to come with the
//! catalog's hash; other models are as good as the way by which the archive came.

mod archived;
mod export;
mod import;
mod manifest;
mod output;
mod progress;
mod read;
mod rules;

pub use archived::Archived;
pub(super) use export::Exporter;
pub use import::ImportOptions;
pub(super) use import::Importer;
pub use manifest::ArchiveFile;
pub use progress::ArchiveProgress;
pub use read::Archive;

#[cfg(test)]
mod tests;
