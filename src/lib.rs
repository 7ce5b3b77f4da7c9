//! OCR with ONNX models: pictures to text with positions, and every resource given back.
//!
//! ```text
//! image ─ decode ─ detect ─ (line turn) ─ crop ─ recognise ─ order ─ Page
//! model directory ─ store ─ (conditioned bytes) ─ session
//! ```
//!
//! [`image`] makes pixels of files, [`detect`] finds regions with text, [`image::warp`] cuts them out, [`orient`] turns
//! lines that are upside down, [`recognize`] reads them, [`page`] puts them in order. [`engine`] owns these stages;
//! [`models`] has the models they run.
//!
//! # Trust
//! Pictures and model files are foreign bytes. Pictures are decoded by safe Rust under explicit limits, models are read
//! by safe Rust and then handed to ONNX Runtime, which is native code: load only models that you trust or whose hash
//! the [`models::catalog`] knows.

// Neither was ever run: sizes of pictures and models are counted up to where 32 bits overflow, ONNX files hold
// little-endian numbers, and ONNX Runtime has no packages for such platforms.
#[cfg(not(target_pointer_width = "64"))]
compile_error!("ferrocr is for 64-bit platforms: build it for another target");
#[cfg(not(target_endian = "little"))]
compile_error!("ferrocr is for little-endian platforms: build it for another target");

mod buffer;
pub mod detect;
pub mod engine;
pub mod error;
mod event;
mod files;
pub mod forks;
pub mod geometry;
pub mod image;
pub mod language;
pub mod memory;
pub mod models;
pub mod onnx;
pub mod options;
pub mod orient;
pub mod page;
pub mod pipeline;
mod process;
#[cfg(feature = "python")]
mod python;
pub mod recognize;
pub mod rules;
pub mod runtime;
pub mod stop;
mod text;
mod threads;
pub mod timings;

pub use engine::{Engine, ModelFiles};
pub use error::{Error, ErrorKind, Result};
pub use stop::Stop;
