//! The model directory, the catalog of known models, and sessions made from them.

use std::fmt;

pub mod onnx;
pub mod session;
pub mod spec;

/// What a model does in the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Finds regions with text.
    Detector,
    /// Reads a line.
    Recognizer,
    /// Tells whether a line is upside down.
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
