//! The states of what lies in the directory.

use std::fmt;

/// The state of something in the directory. There are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The content is a known model's.
    Current,
    /// The name begins with `old_`, or a newer model that can do the same is there too.
    Old,
    /// A model by its structure; nothing says what its content should be.
    Unverified,
    /// The content is not that of the known model of this name, or no readable model; or a list of characters is not
    /// the one that goes with its known model.
    Corrupt,
    /// Unfinished.
    Partial,
    /// No model.
    Foreign,
    /// It cannot be read.
    Unreadable,
    /// Not there, and on the keep-list or needed by chosen models, or a known model's list of characters.
    Missing,
    /// Removed, and can be restored.
    Trashed,
}

impl State {
    /// All states, in the order in which a report explains them.
    pub const ALL: [Self; 9] = [
        Self::Current,
        Self::Old,
        Self::Unverified,
        Self::Corrupt,
        Self::Partial,
        Self::Foreign,
        Self::Unreadable,
        Self::Missing,
        Self::Trashed,
    ];

    /// Returns the name in reports, in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::Old => "OLD",
            Self::Unverified => "UNVERIFIED",
            Self::Corrupt => "CORRUPT",
            Self::Partial => "PARTIAL",
            Self::Foreign => "FOREIGN",
            Self::Unreadable => "UNREADABLE",
            Self::Missing => "MISSING",
            Self::Trashed => "TRASHED",
        }
    }

    /// Returns true if somebody should look at it.
    pub fn is_finding(self) -> bool {
        !matches!(self, Self::Current | Self::Trashed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
