//! The way of a picture through the stages, and the sharing of sessions between pictures.

mod call;
mod lines;
mod plan;
mod pool;
mod share;
mod stages;

pub(crate) use call::{Call, Turn};
pub use plan::Plan;
pub use stages::{Sessions, Stages};
