//! The judgement of an audit on one file's content, for what verifies, exports and imports models.

use super::super::admission::{Admission, Expected};
use super::super::characters::list_of;
use super::super::layout::Layout;
use super::content::{Content, Job, Outcome, read};
use super::judge::judge_content;
use super::state::State;
use super::structure::Structure;
use crate::error::{ErrorKind, Result};
use crate::files::open_regular;
use crate::models::catalog::{self, Entry};

/// The judgement on a file's content: whether its name says that it was put aside does not count. Of what lies beside
/// it only the list of characters does, without which a known model cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examination {
    /// Current, unverified, corrupt, foreign or unreadable.
    pub state: State,
    /// Why.
    pub detail: String,
    /// SHA-256 of the content in lower-case hexadecimal digits, where it was read.
    pub sha256: Option<String>,
    /// Its length.
    pub bytes: u64,
}

/// Reads the model file called `name` and judges its content as an audit does.
pub(in crate::models::store) fn examine(layout: &Layout, name: &str) -> Result<Examination> {
    let path = layout.existing(name)?;
    let bytes = open_regular(&path).and_then(|file| file.metadata()).map_or(0, |meta| meta.len());
    let entries = catalog::entries();
    let is_unknown = !entries.iter().any(|entry| entry.name == name);
    match read(&Job { path, bytes, is_unknown }, entries, &mut Vec::new()) {
        Outcome::Gone => Err(layout.missing(name, "is not there")),
        Outcome::Failed(detail) => Ok(Examination { state: State::Unreadable, detail, sha256: None, bytes }),
        Outcome::Read(content) => {
            let mut verdict = judge_content(name, &content, entries);
            let current = verdict.known.filter(|_| verdict.state == State::Current);
            if let Some(fault) = current.and_then(|known| list_fault(layout, name, known)) {
                (verdict.state, verdict.detail) = (State::Corrupt, fault);
            }
            let sha256 = Some(content.sha256).filter(|hash| !hash.is_empty());
            Ok(Examination { state: verdict.state, detail: verdict.detail, sha256, bytes: content.bytes })
        }
    }
}

/// Returns why the list of characters beside the model called `name`, which is a known one, is not the one that goes
/// with it; nothing where it is, or none is needed.
pub(in crate::models::store) fn list_fault(layout: &Layout, name: &str, known: &Entry) -> Option<String> {
    let (list, expected) = (list_of(name)?, known.characters?);
    let error = Admission(layout).verify(&list, &Expected::from(&expected)).err()?;
    Some(match error.kind() {
        ErrorKind::ModelNotFound => format!("its list of characters {list} is not there"),
        _ => format!("its list of characters is another: {}", error.to_string().lines().next().unwrap_or_default()),
    })
}

/// Bytes of an archive's file that are needed to judge it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Needed {
    All,
    /// The identifier of ONNX Runtime's own format.
    Head(usize),
    Nothing,
}

impl Needed {
    /// Returns the bytes that are needed of a file called `name` with content that the catalog does not know.
    pub(in super::super) fn of(name: &str) -> Self {
        match name.rsplit('.').next().map(str::to_ascii_lowercase).as_deref() {
            Some("onnx") => Self::All,
            Some("ort") => Self::Head(8),
            _ => Self::Nothing,
        }
    }

    /// Returns the most of them that there may be.
    pub(in super::super) fn most(self) -> usize {
        match self {
            Self::All => usize::MAX,
            Self::Head(bytes) => bytes,
            Self::Nothing => 0,
        }
    }
}

/// Returns why a file called `name` is damaged whose content the catalog does not know; nothing for one that is not.
/// `held` are the bytes that [`Needed`] says.
pub(in super::super) fn damage(name: &str, held: &[u8]) -> Option<String> {
    let content = Content {
        bytes: held.len() as u64,
        sha256: String::new(),
        structure: Some(Structure::of(held)),
        is_changing: false,
        key: None,
    };
    let verdict = judge_content(name, &content, &[]);
    (verdict.state == State::Corrupt).then_some(verdict.detail)
}
