//! The model directory, the catalog of known models, and what a model of each role takes and gives.

use std::fmt;

pub mod catalog;
pub mod fetch;
pub mod spec;
pub mod store;

// Their paths before they had modules of their own.
pub use crate::onnx;
pub use crate::runtime as session;

/// The longest list of characters: all of Unicode, a character a line, has 5.3 MB.
pub(crate) const LONGEST_LIST: u64 = 8 << 20;

/// What a model does in the pipeline.
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
