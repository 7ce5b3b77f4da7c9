//! A graph's nodes and constants, as far as they say where its end comes from.

use std::collections::HashMap;

use super::super::schema;
use super::super::wire::{Message, Value};
use super::super::writer::Writer;
use crate::error::Result;

/// From this version of ONNX's operators on, a softmax without an axis is over the last one.
const SOFTMAX_OVER_LAST: u64 = 13;

/// The parts of a graph that are looked at.
#[derive(Default)]
pub(super) struct Graph<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// Version of ONNX's own operators.
    pub(super) opset: u64,
    /// Name and description of each output.
    pub(super) outputs: Vec<(&'a str, Message<'a>)>,
    tensors: HashMap<&'a str, Tensor<'a>>,
    /// The node that makes a value, by the value's name.
    makers: HashMap<&'a str, usize>,
    /// The number of nodes that take a value.
    uses: HashMap<&'a str, usize>,
}

/// A node of ONNX's own operators; others have no operator here.
#[derive(Default)]
pub(super) struct Node<'a> {
    /// The offset of its message in the file.
    pub(super) offset: usize,
    pub(super) operator: &'a str,
    pub(super) inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: Vec<Message<'a>>,
}

/// A tensor that stands in the file.
pub(super) struct Tensor<'a> {
    /// The offset in the file of the initializer, or of the node that holds it.
    pub(super) offset: usize,
    pub(super) dims: Vec<usize>,
    message: Message<'a>,
}

impl<'a> Graph<'a> {
    /// Returns the graph of a model; none where the model has several, nests some, or names a value twice.
    pub(super) fn of(model: Message<'a>) -> Result<Option<Self>> {
        let (mut found, mut opset) = (None, 0);
        for field in model {
            let field = field?;
            match (field.number, field.value) {
                (schema::model::GRAPH, Value::Bytes(_)) if found.is_some() => return Ok(None),
                (schema::model::GRAPH, Value::Bytes(graph)) => found = Some(graph),
                (schema::model::OPSET_IMPORT, Value::Bytes(import)) => opset = own_version(import)?.unwrap_or(opset),
                _ => {}
            }
        }
        let Some(message) = found else { return Ok(None) };
        let mut graph = Self { opset, ..Self::default() };
        Ok(graph.read(message)?.then_some(graph))
    }

    fn read(&mut self, message: Message<'a>) -> Result<bool> {
        for field in message {
            let field = field?;
            let Value::Bytes(inner) = field.value else { continue };
            let is_plain = match field.number {
                schema::graph::NODE => self.add_node(inner)?,
                schema::graph::INITIALIZER => match text_in(inner, schema::tensor::NAME) {
                    Some(name) => self.add_tensor(name, inner.range().start, inner)?,
                    None => false,
                },
                schema::graph::OUTPUT => {
                    let name = text_in(inner, schema::value_info::NAME);
                    self.outputs.extend(name.map(|name| (name, inner)));
                    name.is_some()
                }
                // A default, up to IR version 3: it may be fed, so it is no constant.
                schema::graph::INPUT => {
                    let name = text_in(inner, schema::value_info::NAME).unwrap_or_default();
                    *self.uses.entry(name).or_default() += 1;
                    true
                }
                _ => true,
            };
            if !is_plain {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn add_node(&mut self, message: Message<'a>) -> Result<bool> {
        let mut node = Node::of(message)?;
        for &output in node.outputs.iter().filter(|output| !output.is_empty()) {
            if self.makers.insert(output, self.nodes.len()).is_some() {
                return Ok(false);
            }
        }
        for &input in &node.inputs {
            *self.uses.entry(input).or_default() += 1;
        }
        for &attribute in &node.attributes {
            for field in attribute {
                // A nested graph may use any value of this one.
                if matches!(field?.number, schema::attribute::G | schema::attribute::GRAPHS) {
                    return Ok(false);
                }
            }
        }
        if let (&[name], Some(tensor)) = (node.outputs.as_slice(), node.held_tensor()?)
            && !self.add_tensor(name, node.offset, tensor)?
        {
            return Ok(false);
        }
        if !node.is_own(message)? {
            node.operator = "";
        }
        self.nodes.push(node);
        Ok(true)
    }

    fn add_tensor(&mut self, name: &'a str, offset: usize, message: Message<'a>) -> Result<bool> {
        let tensor = Tensor { offset, dims: dims(message)?, message };
        Ok(self.tensors.insert(name, tensor).is_none())
    }

    /// Returns the constant of this name.
    pub(super) fn tensor(&self, name: &str) -> Option<&Tensor<'a>> {
        self.tensors.get(name)
    }

    /// Returns the node that makes a value.
    pub(super) fn node_that_makes(&self, value: &str) -> Option<&Node<'a>> {
        self.nodes.get(*self.makers.get(value)?)
    }

    /// Counts the inputs of nodes, and of the graph, that have this name.
    pub(super) fn uses(&self, value: &str) -> usize {
        self.uses.get(value).copied().unwrap_or(0)
    }

    /// Returns true if a value has one taker: a node, or whoever runs the model.
    pub(super) fn is_for_one(&self, value: &str) -> bool {
        self.uses(value) + self.outputs.iter().filter(|(name, _)| *name == value).count() == 1
    }
}

impl<'a> Node<'a> {
    fn of(message: Message<'a>) -> Result<Self> {
        let mut node = Self { offset: message.range().start, ..Self::default() };
        for field in message {
            let field = field?;
            let Value::Bytes(inner) = field.value else { continue };
            match field.number {
                schema::node::INPUT => node.inputs.push(inner.text()?),
                schema::node::OUTPUT => node.outputs.push(inner.text()?),
                schema::node::OP_TYPE => node.operator = inner.text()?,
                schema::node::ATTRIBUTE => node.attributes.push(inner),
                _ => {}
            }
        }
        Ok(node)
    }

    /// Returns true if the operator is one of ONNX's own.
    fn is_own(&self, message: Message<'a>) -> Result<bool> {
        for field in message {
            let field = field?;
            if let (schema::node::DOMAIN, Value::Bytes(domain)) = (field.number, field.value) {
                return Ok(matches!(domain.bytes(), b"" | b"ai.onnx"));
            }
        }
        Ok(true)
    }

    /// Returns the tensor of a node that is a constant.
    fn held_tensor(&self) -> Result<Option<Message<'a>>> {
        let (&[attribute], "Constant") = (self.attributes.as_slice(), self.operator) else { return Ok(None) };
        for field in attribute {
            let field = field?;
            if let (schema::attribute::T, Value::Bytes(tensor)) = (field.number, field.value) {
                return Ok(Some(tensor));
            }
        }
        Ok(None)
    }

    /// Returns true if a softmax of an array with three sides is over the last one.
    pub(super) fn is_over_last_of_three(&self, opset: u64) -> bool {
        const LAST: u64 = -1_i64 as u64;
        let mut axis = if opset >= SOFTMAX_OVER_LAST { Some(LAST) } else { None };
        for &attribute in &self.attributes {
            if text_in(attribute, schema::attribute::NAME) == Some("axis") {
                axis = attribute.flatten().find_map(|field| match (field.number, field.value) {
                    (schema::attribute::I, Value::Varint(axis)) => Some(axis),
                    _ => None,
                });
            }
        }
        matches!(axis, Some(2 | LAST))
    }
}

impl Tensor<'_> {
    /// Returns its values, if they are floats in this file.
    pub(super) fn floats(&self) -> Option<Vec<f32>> {
        use schema::tensor::{DATA_LOCATION, DATA_TYPE, EXTERNAL, FLOAT, FLOAT_DATA, RAW_DATA};
        let (mut is_float, mut floats) = (false, Vec::new());
        for field in self.message {
            let field = field.ok()?;
            match (field.number, field.value) {
                (DATA_TYPE, Value::Varint(data_type)) => is_float = data_type == FLOAT,
                (DATA_LOCATION, Value::Varint(EXTERNAL)) => return None,
                (FLOAT_DATA | RAW_DATA, Value::Bytes(data)) | (FLOAT_DATA, Value::Fixed32(data)) => {
                    let (values, rest) = data.bytes().as_chunks();
                    floats.extend(values.iter().map(|&value| f32::from_le_bytes(value)));
                    if !rest.is_empty() {
                        return None;
                    }
                }
                _ => {}
            }
        }
        is_float.then_some(floats)
    }
}

/// Sides of a tensor; one that no memory holds is 0.
fn dims(tensor: Message<'_>) -> Result<Vec<usize>> {
    let side = |number: u64| usize::try_from(number).unwrap_or(0);
    let mut dims = Vec::new();
    for field in tensor {
        let field = field?;
        match (field.number, field.value) {
            (schema::tensor::DIMS, Value::Varint(number)) => dims.push(side(number)),
            (schema::tensor::DIMS, Value::Bytes(packed)) => {
                for number in packed.varints() {
                    dims.push(side(number?));
                }
            }
            _ => {}
        }
    }
    Ok(dims)
}

/// Returns the version that an import gives ONNX's own operators.
fn own_version(import: Message<'_>) -> Result<Option<u64>> {
    let (mut is_own, mut version) = (true, None);
    for field in import {
        let field = field?;
        match (field.number, field.value) {
            (schema::opset::DOMAIN, Value::Bytes(domain)) => is_own = matches!(domain.bytes(), b"" | b"ai.onnx"),
            (schema::opset::VERSION, Value::Varint(number)) => version = Some(number),
            _ => {}
        }
    }
    Ok(version.filter(|_| is_own))
}

/// Returns the sides of a value that has three, as they are described.
pub(super) fn dims_of(value: Message<'_>) -> Option<Vec<Message<'_>>> {
    let value_type = message_in(value, schema::value_info::TYPE)?;
    let tensor = message_in(value_type, schema::value_type::TENSOR)?;
    let shape = message_in(tensor, schema::value_type::TENSOR_SHAPE)?;
    let dims: Vec<_> = shape
        .flatten()
        .filter_map(|field| match (field.number, field.value) {
            (schema::shape::DIM, Value::Bytes(dim)) => Some(dim),
            _ => None,
        })
        .collect();
    (dims.len() == 3).then_some(dims)
}

/// Returns the description of an output like another one of three sides, with so many values at each step.
pub(super) fn described(name: &str, like: Message<'_>, values: u64) -> Option<Writer> {
    let mut dims: Vec<_> = dims_of(like)?.iter().map(|dim| dim.bytes()).collect();
    let last = Writer::new().varint(schema::shape::DIM_VALUE, values).finish();
    *dims.get_mut(2)? = &last;
    let shape = dims.into_iter().fold(Writer::new(), |shape, dim| shape.bytes(schema::shape::DIM, dim));
    let tensor = Writer::new()
        .varint(schema::value_type::ELEM_TYPE, schema::tensor::FLOAT)
        .message(schema::value_type::TENSOR_SHAPE, shape);
    let value_type = Writer::new().message(schema::value_type::TENSOR, tensor);
    Some(Writer::new().bytes(schema::value_info::NAME, name.as_bytes()).message(schema::value_info::TYPE, value_type))
}

fn message_in(message: Message<'_>, number: u32) -> Option<Message<'_>> {
    message.flatten().find_map(|field| match field.value {
        Value::Bytes(inner) if field.number == number => Some(inner),
        _ => None,
    })
}

/// Returns the text in the first field with this number.
pub(super) fn text_in(message: Message<'_>, number: u32) -> Option<&str> {
    message_in(message, number)?.text().ok()
}
