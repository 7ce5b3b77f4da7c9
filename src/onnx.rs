//! Reading and changing a model's bytes without loading it.
//!
//! An ONNX file is one protobuf message. Only the few fields needed here are looked at, by a walker that survives any
//! bytes: every length is checked against what is left, nesting is bounded, and the time is linear in the file's size.
//! Of a message that is split into parts, which the format allows and nobody writes, each part is read on its own.

mod file;
mod flush;
mod format;
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
pub use format::Format;
pub use head::{Cut, LinearHead, Picked, cut_head, pick_best};
pub use size::check_size;
pub use summary::{Summary, ValueInfo, summary};
