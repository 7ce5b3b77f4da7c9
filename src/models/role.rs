//! The roles of models in the pipeline: what each one takes, gives and needs.

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
    /// Says by how many quarters a page is turned.
    PageOrienter,
}

/// The facts of a role: a row of [`Role::facts`].
#[derive(Debug)]
pub struct Facts {
    /// The name that options and messages use.
    pub name: &'static str,
    /// True if no engine works without it.
    pub is_required: bool,
    /// The sessions that are made of its model.
    pub copies: Copies,
    /// True if its last layer is cut off where it can be computed here.
    pub is_cut: bool,
    /// True if a model of a later family takes the place of an older one.
    pub is_superseded: bool,
    /// The shapes of its inputs, which are all that it has.
    pub inputs: &'static [&'static [Side]],
    /// The shapes of its first outputs.
    pub outputs: &'static [&'static [Side]],
}

/// The number of sessions of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Copies {
    /// One for each page that is looked at.
    OneADetector,
    /// One for each line that is read.
    OneAReader,
}

/// The largest height of a line, and the largest side of a classifier's input, that a file may fix. Those of PP-OCR
/// are 32 or 48, and up to 224. Every line is brought to that size, so a file must not choose it freely: at
/// these bounds a line that is 100 times as wide as high is 79 MB of floats, and a classifier's input 13 MB.
const MOST_LINE_HEIGHT: usize = 256;
const MOST_CLASSIFIER_SIDE: usize = 1024;

/// The most classes of a recogniser. The largest lists have 18,710, and Unicode has about 160,000 characters.
const MOST_CLASSES: usize = 1 << 18;

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Detector, Self::Recognizer, Self::Orienter, Self::PageOrienter];

    /// Returns the role's row.
    pub fn facts(self) -> &'static Facts {
        use Side::{AtMost, Batch, Exactly, Free};
        match self {
            Self::Detector => &Facts {
                name: "detector",
                is_required: true,
                copies: Copies::OneADetector,
                is_cut: false,
                is_superseded: true,
                inputs: &[&[Batch, Exactly(3), Free, Free]],
                outputs: &[&[Batch, Exactly(1), Free, Free]],
            },
            Self::Recognizer => &Facts {
                name: "recognizer",
                is_required: true,
                copies: Copies::OneAReader,
                is_cut: true,
                is_superseded: true,
                inputs: &[&[Batch, Exactly(3), AtMost(MOST_LINE_HEIGHT), Free]],
                outputs: &[&[Batch, Free, AtMost(MOST_CLASSES)]],
            },
            Self::Orienter => &Facts {
                name: "orienter",
                is_required: false,
                copies: Copies::OneAReader,
                is_cut: false,
                // The newest sets use the oldest one.
                is_superseded: false,
                inputs: &[&[Batch, Exactly(3), AtMost(MOST_CLASSIFIER_SIDE), AtMost(MOST_CLASSIFIER_SIDE)]],
                outputs: &[&[Batch, Exactly(2)]],
            },
            Self::PageOrienter => &Facts {
                name: "page_orienter",
                is_required: false,
                copies: Copies::OneADetector,
                is_cut: false,
                is_superseded: false,
                inputs: &[&[Batch, Exactly(3), AtMost(MOST_CLASSIFIER_SIDE), AtMost(MOST_CLASSIFIER_SIDE)]],
                outputs: &[&[Batch, Exactly(4)]],
            },
        }
    }

    /// Returns the name that options and messages use.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns the role with exactly this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The size that a side of an array has to have. A side that the file leaves open fits all of them.
#[derive(Debug, Clone, Copy)]
pub enum Side {
    /// The number of pictures, which is one here.
    Batch,
    /// Follows the picture, so the file must leave it open.
    Free,
    /// Whatever the file says from 1 to this is used.
    AtMost(usize),
    /// This number.
    Exactly(usize),
}

impl Side {
    pub(super) fn takes(self, found: Option<usize>) -> bool {
        match (self, found) {
            (_, None) => true,
            (Self::AtMost(most), Some(found)) => (1..=most).contains(&found),
            (Self::Batch, Some(found)) => found == 1,
            (Self::Free, Some(_)) => false,
            (Self::Exactly(expected), Some(found)) => found == expected,
        }
    }

    pub(super) fn text(self) -> String {
        match self {
            Self::Batch => "N".to_owned(),
            Self::Free => "open".to_owned(),
            Self::AtMost(most) => format!("1 to {most}"),
            Self::Exactly(side) => side.to_string(),
        }
    }
}
