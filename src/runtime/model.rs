//! The contract between a stage and a model, whatever runs it.
//!
//! A stage sees a [`Model`]: its inputs and outputs, and a way to run it. The output is lent to a closure, so that no
//! tensor of the runtime outlives the call; one that did would keep the whole session's memory.

use crate::error::Result;
use crate::stop::Stop;

/// One input or output: its name, and its sides where they are fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// The name in the graph.
    pub name: String,
    /// Sides from the outermost; `None` is decided at each run.
    pub shape: Vec<Option<usize>>,
    /// True if the elements are 32-bit floats.
    pub is_f32: bool,
}

/// A model's description, as its file has it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ModelSpec {
    /// Its origin, for messages.
    pub name: String,
    /// Inputs in order.
    pub inputs: Vec<Port>,
    /// Outputs in order.
    pub outputs: Vec<Port>,
    /// The `character` property: one character a line, as PP-OCR recognisers carry it.
    pub characters: Option<String>,
    /// Sides that differ between runs are best rounded up to a multiple of this, because the runtime prepares itself
    /// for each shape that is new. 0 where any will do.
    pub step: usize,
}

/// A dense array of floats, lent for one call.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a> {
    /// Sides from the outermost.
    pub shape: &'a [usize],
    /// Row-major elements, as many as the sides multiply to.
    pub data: &'a [f32],
}

/// A model that a stage can run; tests have their own.
pub trait Model: Send {
    /// Returns the model's description.
    fn spec(&self) -> &ModelSpec;

    /// Runs the model on `input` and lends the first output to `read`. Ends early when `stop` fires, and can be run
    /// again afterwards.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Inference`] when the runtime refuses, [`crate::ErrorKind::OutOfMemory`] when it gets none,
    /// what [`Stop::check`] returns, and what `read` returns.
    fn run(&mut self, input: Tensor<'_>, stop: &Stop, read: &mut dyn FnMut(Tensor<'_>) -> Result<()>) -> Result<()>;
}
