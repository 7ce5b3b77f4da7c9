//! Remedies as data: the parts of a hint, which each reader gets in words of their own.

use std::borrow::Cow;
use std::path::PathBuf;

/// A part of a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Remedy {
    /// Words for every reader.
    Text(Cow<'static, str>),
    /// Words about something that only code can do: the command line has no option for it.
    InCode(&'static str),
    /// An option of what failed: a keyword of the method, and a flag of the command.
    Option { keyword: &'static str, flag: &'static str },
    /// A look at the models that the catalog has.
    Catalog,
    /// The making of an archive.
    Export,
    /// An action on a model directory; on the one that is meant when none is named, if `dir` is none.
    Models { dir: Option<PathBuf>, action: Action },
}

/// Something that can be done with a model directory, and the names that it is done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    Audit,
    List,
    Keep,
    Purge,
    /// Remove what is put aside, or what is in a state.
    Prune(Option<&'static str>),
    PullDefault,
    Pull(Vec<String>),
    Verify(String),
    Remove(String),
    /// Take an entry off the keep-list.
    Unkeep(String),
    /// Bring back a removal, or a file, or of a removal the one file.
    Restore {
        name: Option<String>,
        removal: Option<String>,
    },
}

impl Remedy {
    /// Returns words for every reader.
    pub(crate) const fn text(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<&'static str> for Remedy {
    fn from(text: &'static str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Remedy {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}
