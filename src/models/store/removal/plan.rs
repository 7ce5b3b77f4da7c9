//! Decisions about the selected files.

use std::path::PathBuf;

use super::super::layout::Layout;
use crate::error::{Action, Hint, Remedy};

/// The decision about a file that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes.
    Remove,
    /// It stays, because these processes use it; none where a process is known to use it and does not say which it is.
    InUse(Vec<u32>),
    /// It stays, because it is kept or needed, or is not what can be removed.
    Kept,
}

/// A file that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// Its path before the removal.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// The decision about it.
    pub decision: Decision,
    /// Why it was selected, or why it stays.
    pub reason: String,
    /// True if it is an unfinished download, which is deleted for good.
    pub is_unfinished: bool,
}

/// The judgement on a file.
pub(super) struct Judged {
    pub(super) planned: Planned,
    /// Why it stays, unless a process uses it.
    pub(super) why: Option<Why>,
}

impl Judged {
    /// Spares a list of characters with the model that it belongs to.
    pub(super) fn stay(&mut self, model: &str) {
        if self.planned.decision != Decision::Kept {
            let why = Why::Characters(model.to_owned());
            (self.planned.decision, self.planned.reason) = (Decision::Kept, why.text());
            self.why = Some(why);
        }
    }
}

/// Why a file stays that no process is known to use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// This entry of the store's keep-list holds it.
    Listed(String),
    /// The caller wants to keep it.
    Given,
    /// Chosen models need it.
    Needed,
    /// This link leads to it, and stays because of that.
    Link(String, Box<Why>),
    /// It is the list of characters of this model, which stays.
    Characters(String),
    /// It is not what was selected.
    Changed,
    /// It is no longer there.
    Gone,
    /// It is nothing that the store moves.
    ByHand,
}

impl Why {
    pub(super) fn text(&self) -> String {
        match self {
            Self::Listed(_) => "on the keep-list".to_owned(),
            Self::Given => "to be kept".to_owned(),
            Self::Needed => "needed by the chosen models".to_owned(),
            Self::Link(link, why) => format!("the link {link}, which leads to it, is {}", why.text()),
            Self::Characters(model) => format!("the list of characters of {model}, which stays"),
            Self::Changed => "it has changed meanwhile".to_owned(),
            Self::Gone => "it is no longer there".to_owned(),
            Self::ByHand => "it is a folder, hidden or in the bookkeeping: remove it by hand".to_owned(),
        }
    }

    /// Suggests how to remove the file all the same.
    pub(super) fn hint(&self, layout: &Layout) -> Hint {
        match self {
            Self::Listed(entry) => {
                [layout.remedy(Action::Unkeep(entry.clone())), " takes that entry off the keep-list".into()].into()
            }
            Self::Given => leave_out("leave the file out of ", "keep=", "--keep"),
            Self::Needed => leave_out("leave the models that need the file out of ", "models=", "--for"),
            Self::Link(_, why) => why.hint(layout),
            Self::Characters(_) => "remove the model: its list goes with it".into(),
            Self::Changed | Self::Gone => "see what is there now, and try again".into(),
            Self::ByHand => "move it away by hand".into(),
        }
    }
}

fn leave_out(what: &'static str, keyword: &'static str, flag: &'static str) -> Hint {
    [what.into(), Remedy::Option { keyword, flag }, ", or do not remove it".into()].into()
}
