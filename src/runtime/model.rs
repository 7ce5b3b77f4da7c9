//! The contract between a stage and a model, whatever runs it.
//!
//! A stage sees a [`Model`]: its inputs and outputs, and a way to run it. Outputs are lent to a closure, so that no
//! tensor of the runtime outlives the call; one that did would keep the whole session's memory.
//!
//! Tensors go in and come out by the names of their ports, any number of them. Their elements are 32-bit floats.
//! Another type of elements is a variant of [`Element`] and of [`Value`], which `session.rs` fills; no stage that uses
//! floats changes. Until then an output of another type is not lent.

use super::shapes::Sides;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::Stop;

/// One input or output: its name, and its sides where they are fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Port {
    /// The name in the graph.
    pub name: String,
    /// Sides from the outermost; `None` is decided at each run.
    pub shape: Vec<Option<usize>>,
    /// The type of its elements.
    pub element: Element,
}

/// The type of a tensor's elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Element {
    /// 32-bit floats.
    F32,
    /// A type that no tensor here has.
    Other,
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
    /// The sides that inputs which differ between runs are best padded to.
    pub sides: Sides,
}

/// A dense array of floats, lent for one call.
#[derive(Debug, Clone, Copy)]
pub struct Tensor<'a> {
    /// Sides from the outermost.
    pub shape: &'a [usize],
    /// Row-major elements, as many as the sides multiply to.
    pub data: &'a [f32],
}

/// A tensor of any type of elements.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Value<'a> {
    /// 32-bit floats.
    F32(Tensor<'a>),
}

/// A tensor and the name of its port.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// The name in the graph.
    pub name: &'a str,
    /// The tensor.
    pub value: Value<'a>,
}

impl<'a> Named<'a> {
    /// Returns a tensor of floats with its name.
    pub fn f32(name: &'a str, shape: &'a [usize], data: &'a [f32]) -> Self {
        Self { name, value: Value::F32(Tensor { shape, data }) }
    }

    /// Returns the tensor of floats; none of another type.
    pub fn tensor(&self) -> Option<Tensor<'a>> {
        match self.value {
            Value::F32(tensor) => Some(tensor),
        }
    }
}

/// Is lent the outputs of a run.
pub type ReadOutputs<'a> = dyn FnMut(&[Named<'_>]) -> Result<()> + 'a;

/// A model that a stage can run; tests have their own.
pub trait Model: Send {
    /// Returns the model's description.
    fn spec(&self) -> &ModelSpec;

    /// Counts the sessions of the runtime that it has.
    fn sessions(&self) -> usize {
        1
    }

    /// Runs the model on `inputs`, one for each that its description has, and lends those of its outputs that are of a
    /// [`Value`]'s type to `read`, in the order of the description. Ends early when `stop` fires, and can be run again
    /// afterwards.
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] when the runtime refuses, [`ErrorKind::OutOfMemory`] when it gets none, what
    /// [`Stop::check`] returns, and what `read` returns.
    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()>;

    /// Runs a model of one input, and lends its first output to `read`.
    ///
    /// # Errors
    /// Those of [`Model::run_named`]; [`ErrorKind::ModelMismatch`] when there is no such output.
    fn run(&mut self, input: Tensor<'_>, stop: &Stop, read: &mut dyn FnMut(Tensor<'_>) -> Result<()>) -> Result<()> {
        let name = self.spec().inputs.first().map_or_else(String::new, |port| port.name.clone());
        self.run_named(&[Named::f32(&name, input.shape, input.data)], stop, &mut |outputs| {
            let first = outputs.first().and_then(Named::tensor);
            read(first.ok_or_else(|| Error::new(ErrorKind::ModelMismatch, "a model gave no output of floats"))?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes a picture and a factor, and gives as many outputs as it is asked to: the picture times the factor each.
    struct Scaler(ModelSpec, Vec<&'static str>);

    impl Model for Scaler {
        fn spec(&self) -> &ModelSpec {
            &self.0
        }

        fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
            let of = |name: &str| inputs.iter().find(|input| input.name == name).and_then(Named::tensor);
            let factor = of("factor").map_or(1.0, |tensor| tensor.data[0]);
            let picture = of("picture").unwrap();
            let scaled: Vec<_> = picture.data.iter().map(|value| value * factor).collect();
            read(&self.1.iter().map(|name| Named::f32(name, picture.shape, &scaled)).collect::<Vec<_>>())
        }
    }

    fn scaler(outputs: &[&'static str]) -> Scaler {
        let inputs = ["picture", "factor"].map(|name| Port { name: name.into(), shape: vec![], element: Element::F32 });
        Scaler(ModelSpec { inputs: inputs.into(), ..ModelSpec::default() }, outputs.to_vec())
    }

    #[test]
    fn tensors_go_in_and_come_out_by_name() {
        let mut seen = Vec::new();
        let inputs = [Named::f32("factor", &[], &[3.0]), Named::f32("picture", &[2], &[1.0, 2.0])];
        let read = &mut |outputs: &[Named<'_>]| {
            seen =
                outputs.iter().map(|output| (output.name.to_owned(), output.tensor().unwrap().data.to_vec())).collect();
            Ok(())
        };
        scaler(&["boxes", "scores"]).run_named(&inputs, &Stop::new(), read).unwrap();
        assert_eq!(seen, [("boxes".to_owned(), vec![3.0, 6.0]), ("scores".to_owned(), vec![3.0, 6.0])]);
    }

    #[test]
    fn one_tensor_goes_to_the_first_input_and_the_first_output_comes_back() {
        let (input, stop, mut seen) = (Tensor { shape: &[1], data: &[4.0] }, Stop::new(), 0.0);
        let read = &mut |output: Tensor<'_>| {
            seen = output.data[0];
            Ok(())
        };
        scaler(&["boxes", "scores"]).run(input, &stop, read).unwrap();
        let error = scaler(&[]).run(input, &stop, read).unwrap_err();
        assert_eq!((error.kind(), seen), (ErrorKind::ModelMismatch, 4.0));
    }
}
