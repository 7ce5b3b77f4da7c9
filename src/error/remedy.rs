//! Remedies as data: the parts of a hint, which each reader gets in words of their own.

use std::borrow::Cow;
use std::path::PathBuf;

/// A part of a hint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Words for every reader.
    Text(Cow<'static, str>),
    /// Words about something that only code can do: the command line has no option for it.
    InCode(&'static str),
    /// An option of what failed: a keyword of the method, and a flag of the command.
    Option {
        /// The keyword, as in a call.
        keyword: &'static str,
        /// The flag, as in a command.
        flag: &'static str,
    },
    /// A look at the models that the catalog has.
    Catalog,
    /// The making of an archive.
    Export,
    /// An action on a model directory.
    Models {
        /// The directory; none for the one that is meant when none is named.
        dir: Option<PathBuf>,
        /// The action.
        action: Action,
    },
}

/// Something that can be done with a model directory, and the names that it is done with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Say what is in it.
    Audit,
    /// List the models.
    List,
    /// Show the keep-list.
    Keep,
    /// Delete what is in the trash.
    Purge,
    /// Remove what is put aside, or what is in a state.
    Prune(Option<&'static str>),
    /// Fetch the models that are meant when none are named.
    PullDefault,
    /// Fetch these models.
    Pull(Vec<String>),
    /// Compare a model with a hash that the reader knows.
    Verify(String),
    /// Remove a file.
    Remove(String),
    /// Take an entry off the keep-list.
    Unkeep(String),
    /// Bring back a removal, or a file, or of a removal the one file.
    Restore {
        /// The file.
        name: Option<String>,
        /// The removal.
        removal: Option<String>,
    },
}

impl Remedy {
    /// Returns words for every reader.
    pub const fn text(text: &'static str) -> Self {
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
