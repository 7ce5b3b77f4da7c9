//! The roles of models in the pipeline.

use std::fmt;

/// The role of a model in the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Finds the regions of a page that hold text.
    Detector,
    /// Reads the text of one line.
    Recognizer,
    /// Says whether a line is upside down.
    Orienter,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detector => "detector",
            Self::Recognizer => "recognizer",
            Self::Orienter => "orienter",
        })
    }
}
