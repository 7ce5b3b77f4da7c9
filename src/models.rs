//! The model directory, the catalog of known models, and what a model of each role takes and gives.

pub mod catalog;
pub(crate) mod characters;
pub mod fetch;
mod reads;
mod resolve;
mod role;
pub mod spec;
pub mod store;
mod tick;

pub use reads::recognizer_for;
pub use resolve::{Choice, resolve};
pub use role::{Copies, Role};
pub(crate) use spec::LONGEST_LIST;

// Their paths before they had modules of their own.
pub use crate::onnx;
pub use crate::runtime as session;
