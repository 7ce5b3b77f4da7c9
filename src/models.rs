//! The model directory, the catalog of known models, and sessions made from them.

pub mod catalog;
pub mod fetch;
pub mod onnx;
pub mod store;
