//! Reading and changing a model's bytes without loading it.
//!
//! An ONNX file is one protobuf message. Only the few fields needed here are looked at, by a walker that survives any
//! bytes: every length is checked against what is left, nesting is bounded, and the time is linear in the file's size.
//! Of a message that is split into parts, which the format allows and nobody writes, each part is read on its own.

mod file;
mod flush;
mod head;
mod schema;
mod size;
mod summary;
#[cfg(test)]
pub(crate) mod testing;
mod wire;
mod writer;

pub(crate) use file::{LONGEST_MODEL, look_over, read_model};
pub use flush::{SMALLEST_WEIGHT, flush_denormals};
pub use head::{Cut, LinearHead, cut_head};
pub use size::check_size;
pub use summary::{Summary, ValueInfo, summary};

/// How a model's bytes are laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A protobuf message: whatever does not say that it is something else.
    Onnx,
    /// ONNX Runtime's own flatbuffer, known by its identifier. Its content is not looked into.
    Ort,
}

impl Format {
    /// The format of `bytes`, by what they begin with.
    pub fn of(bytes: &[u8]) -> Self {
        // A flatbuffer's identifier follows the offset of its root.
        if bytes.get(4..8) == Some(b"ORTM") { Self::Ort } else { Self::Onnx }
    }
}
