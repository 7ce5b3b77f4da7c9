//! From what a file holds to its state, with the reason and what to do.

use super::super::layout::Layout;
use super::super::names::SUFFIXES;
use super::content::{self, Content};
use super::report::AuditEntry;
use super::state::State;
use super::structure::Structure;
use crate::error::{Action, Hint};
use crate::models::catalog::{Entry, KnownFile, Size};

/// Begins the name of a model that somebody has put aside.
pub(in super::super) const PUT_ASIDE: &str = "old_";

/// The judgement on a model's name and content together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) state: State,
    pub(super) detail: String,
    /// The known model with this content.
    pub(super) known: Option<&'static Entry>,
}

/// Judges a model file that could be read, without regard to the other files.
pub(super) fn judge(name: &str, content: &Content, catalog: &'static [Entry]) -> Verdict {
    let verdict = judge_content(name, content, catalog);
    if !name.starts_with(PUT_ASIDE) {
        return verdict;
    }
    let damage = if verdict.state == State::Corrupt { "it is damaged: " } else { "" };
    let detail = format!("its name begins with {PUT_ASIDE}; {damage}{}", verdict.detail);
    Verdict { state: State::Old, detail, ..verdict }
}

/// Judges what a model file holds, also where it was put aside.
pub(super) fn judge_content(name: &str, content: &Content, catalog: &'static [Entry]) -> Verdict {
    let known = content::known(catalog, content.bytes, &content.sha256);
    let named = catalog.iter().find(|entry| entry.name == name);
    let differs = |named: &Entry| difference(&named.file(), content.bytes, &content.sha256);
    let (state, mut detail) = match (named, known) {
        (Some(named), Some(known)) if named == known => {
            (State::Current, "its content is that of the known model".to_owned())
        }
        (None, Some(known)) => (State::Current, format!("it has the content of {}", known.name)),
        (Some(named), Some(known)) => {
            (State::Corrupt, format!("{}; it has the content of {}", differs(named), known.name))
        }
        (Some(named), None) => (State::Corrupt, differs(named)),
        (None, None) => judge_structure(name, content.structure.as_ref()),
    };
    if content.is_changing {
        detail.push_str("; it changed while it was read");
    }
    Verdict { state, detail, known }
}

/// Describes the difference of a file from what its name promises; the length first, because it tells more.
pub(super) fn difference(named: &KnownFile, found: u64, sha256: &str) -> String {
    match named.bytes {
        Some(bytes) if found > bytes => format!("it is longer than the expected {bytes} bytes: found {found}"),
        Some(bytes) if found < bytes => format!("expected {bytes} bytes, found {found}"),
        _ if sha256.is_empty() => "it is longer than any model".to_owned(),
        _ => format!("expected SHA-256 {}, found {sha256}", named.sha256),
    }
}

/// Judges a file that the catalog does not know, by its suffix and its bytes.
fn judge_structure(name: &str, structure: Option<&Structure>) -> (State, String) {
    let [onnx, ort, _] = SUFFIXES;
    let has_suffix = |suffix: &str| name.rsplit('.').next().is_some_and(|found| found.eq_ignore_ascii_case(suffix));
    let is_ort = has_suffix(ort);
    match structure {
        Some(Structure::Onnx { .. }) if is_ort => {
            (State::Corrupt, "it has not the identifier of ONNX Runtime's own format, but is an ONNX model".to_owned())
        }
        Some(Structure::Onnx { .. }) => {
            (State::Unverified, "an ONNX model by its structure; nothing says what its content should be".to_owned())
        }
        Some(Structure::Ort) => (
            State::Unverified,
            "it has the identifier of ONNX Runtime's own format; nothing says what its content should be".to_owned(),
        ),
        _ if is_ort => (State::Corrupt, "it has not the identifier of ONNX Runtime's own format".to_owned()),
        Some(Structure::Neither(why)) if has_suffix(onnx) => (State::Corrupt, why.clone()),
        Some(Structure::Neither(why)) => (State::Foreign, format!("it holds no model: {why}")),
        // Whoever reads a file that the catalog does not know looks at its structure too.
        None => (State::Unreadable, "its structure was not looked at".to_owned()),
    }
}

/// Returns true if `newer` can take the place of `older`: it does the same for the same languages, at no less accuracy.
pub(super) fn can_replace(newer: &Entry, older: &Entry) -> bool {
    let covers = |language: &&str| newer.languages.contains(language) || newer.languages.contains(&"multi");
    newer.role == older.role
        && newer.role.facts().is_superseded
        && newer.family > older.family
        && rank(newer.size) >= rank(older.size)
        && older.languages.iter().all(covers)
}

/// Returns the rank of a size class in the one order of all families.
pub(super) fn rank(size: Size) -> u8 {
    match size {
        Size::Tiny => 0,
        Size::Small | Size::Mobile => 1,
        Size::Medium | Size::Server => 2,
    }
}

/// Returns the state of a list of characters, from those of its models. It is as good as a model that needs it, and
/// goes with the last of them.
pub(super) fn state_of_list(models: &[State]) -> State {
    if models.contains(&State::Current) {
        State::Current
    } else if !models.is_empty() && models.iter().all(|&state| state == State::Old) {
        State::Old
    } else {
        State::Unverified
    }
}

/// Suggests what to do about a thing in the directory.
pub(super) fn action(layout: &Layout, entry: &AuditEntry, catalog: &[Entry]) -> Option<Hint> {
    let to = |action: Action| Hint::from(layout.remedy(action));
    let name = || entry.name.clone();
    let owner = catalog.iter().find(|known| known.files().any(|file| file.name == entry.name));
    if let (State::Corrupt | State::Missing, Some(owner)) = (entry.state, owner) {
        return Some(to(Action::Pull(vec![owner.name.to_owned()])));
    }
    Some(match entry.state {
        State::Current => return None,
        State::Corrupt => ["replace it, or remove it with ".into(), layout.remedy(Action::Remove(name()))].into(),
        State::Missing if entry.kept => "put such a file there, or take the entry off the keep-list".into(),
        State::Missing => "put the file there".into(),
        _ if entry.in_use && entry.state == State::Partial => "wait for the process that works on it".into(),
        State::Old if entry.name.starts_with(PUT_ASIDE) => to(Action::Prune(None)),
        State::Old => to(Action::Remove(name())),
        State::Unverified => [layout.remedy(Action::Verify(name())), ", with its publisher's hash".into()].into(),
        State::Partial => to(Action::Prune(Some("partial"))),
        State::Trashed => to(Action::Restore { name: Some(name()), removal: None }),
        State::Foreign => "move it out of the directory".into(),
        State::Unreadable => "make it readable for this user".into(),
    })
}

#[cfg(test)]
mod tests;
