//! OCR with ONNX models: pictures to text with positions.
pub mod error;
pub mod models;

pub use error::{Error, ErrorKind, Result};
