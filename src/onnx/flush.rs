//! Weights too small to matter, set to zero.

use std::ops::Range;

use super::format::Format;
use super::schema;
use super::wire::{Message, Value};
use crate::error::{Error, ErrorKind, Result};

/// Weights nearer to zero than this are set to zero.
///
/// Below 1.2e-38 a float is denormal, and a processor needs many times longer for it: in PP-OCRv6's small detector a
/// quarter of a million of them take more than half of the time. The limit lies higher because a small weight times a
/// small activation is denormal too. It is far below what a sum of ordinary floats can hold: that detector's results
/// stay the same, to the bit.
pub const SMALLEST_WEIGHT: f32 = 1e-30;

/// Graphs inside of attributes of graphs: deeper than any model, and shallow enough for any thread's stack.
const DEEPEST_GRAPH: usize = 32;

/// `TensorProto` stores floats as four bytes, in raw data as in its list of floats.
const FLOAT_BYTES: usize = 4;

/// Sets every float weight nearer to zero than [`SMALLEST_WEIGHT`] to zero, in place, and says how many there were.
///
/// Weights are the float tensors of the graph, of its subgraphs and of the model's own functions, wherever they are
/// written: initializers, sparse initializers and attributes. A tensor of a single element is left alone: such a tiny
/// scalar is the guard of a division or a logarithm, and costs nothing. No byte moves and no length changes. Of a file
/// in [`Format::Ort`] nothing is changed, because ONNX Runtime's format may differ from version to version.
///
/// # Errors
/// [`ErrorKind::ModelCorrupt`] for malformed bytes and [`ErrorKind::ModelMismatch`] for a model that keeps weights in
/// other files; nothing was changed then.
pub fn flush_denormals(bytes: &mut [u8]) -> Result<usize> {
    if Format::of(bytes) == Format::Ort {
        return Ok(0);
    }
    let mut weights = Weights::default();
    weights.model(Message::whole(bytes))?;
    let runs = weights.runs.into_iter();
    Ok(runs.map(|run| bytes.get_mut(run).map_or(0, flush)).sum())
}

/// Sets the tiny ones among little-endian floats to zero.
fn flush(floats: &mut [u8]) -> usize {
    const SIGN: u32 = 1 << 31;
    let limit = SMALLEST_WEIGHT.to_bits();
    let mut changed = 0;
    for float in floats.as_chunks_mut::<FLOAT_BYTES>().0 {
        // Without the sign, floats are ordered as their bits are.
        let magnitude = u32::from_le_bytes(*float) & !SIGN;
        if magnitude != 0 && magnitude < limit {
            *float = [0; FLOAT_BYTES];
            changed += 1;
        }
    }
    changed
}

/// The places of the floats in the file. They are gathered first, so that an error leaves the bytes as they were.
#[derive(Default)]
struct Weights {
    runs: Vec<Range<usize>>,
}

impl Weights {
    fn model(&mut self, model: Message<'_>) -> Result<()> {
        for field in model {
            let field = field?;
            match (field.number, field.value) {
                (schema::model::GRAPH, Value::Bytes(graph)) => self.graph(graph, 0)?,
                (schema::model::FUNCTIONS, Value::Bytes(function)) => self.function(function)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn function(&mut self, function: Message<'_>) -> Result<()> {
        for field in function {
            let field = field?;
            match (field.number, field.value) {
                (schema::function::NODE, Value::Bytes(node)) => self.node(node, 0)?,
                (schema::function::ATTRIBUTE_PROTO, Value::Bytes(attribute)) => self.attribute(attribute, 0)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn graph(&mut self, graph: Message<'_>, depth: usize) -> Result<()> {
        if depth > DEEPEST_GRAPH {
            return Err(graph.malformed("graphs are nested too deeply"));
        }
        for field in graph {
            let field = field?;
            match (field.number, field.value) {
                (schema::graph::NODE, Value::Bytes(node)) => self.node(node, depth)?,
                (schema::graph::INITIALIZER, Value::Bytes(tensor)) => self.tensor(tensor)?,
                (schema::graph::SPARSE_INITIALIZER, Value::Bytes(sparse)) => self.sparse_tensor(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn node(&mut self, node: Message<'_>, depth: usize) -> Result<()> {
        for field in node {
            let field = field?;
            if let (schema::node::ATTRIBUTE, Value::Bytes(attribute)) = (field.number, field.value) {
                self.attribute(attribute, depth)?;
            }
        }
        Ok(())
    }

    fn attribute(&mut self, attribute: Message<'_>, depth: usize) -> Result<()> {
        use schema::attribute::{G, GRAPHS, SPARSE_TENSOR, SPARSE_TENSORS, T, TENSORS};
        for field in attribute {
            let field = field?;
            match (field.number, field.value) {
                (T | TENSORS, Value::Bytes(tensor)) => self.tensor(tensor)?,
                (G | GRAPHS, Value::Bytes(graph)) => self.graph(graph, depth + 1)?,
                (SPARSE_TENSOR | SPARSE_TENSORS, Value::Bytes(sparse)) => self.sparse_tensor(sparse)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn sparse_tensor(&mut self, sparse: Message<'_>) -> Result<()> {
        for field in sparse {
            let field = field?;
            if let (schema::sparse_tensor::VALUES, Value::Bytes(tensor)) = (field.number, field.value) {
                self.tensor(tensor)?;
            }
        }
        Ok(())
    }

    /// Reads a tensor. Its type may follow its data, so the data is known to be floats only at the tensor's end.
    fn tensor(&mut self, tensor: Message<'_>) -> Result<()> {
        use schema::tensor::{DATA_LOCATION, DATA_TYPE, EXTERNAL, FLOAT, FLOAT_DATA, RAW_DATA};
        let before = self.runs.len();
        let (mut data_type, mut bytes, mut is_whole) = (0, 0_usize, true);
        for field in tensor {
            let field = field?;
            match (field.number, field.value) {
                (DATA_TYPE, Value::Varint(value)) => data_type = value,
                (DATA_LOCATION, Value::Varint(EXTERNAL)) => return Err(external(tensor)),
                (FLOAT_DATA | RAW_DATA, Value::Bytes(data)) | (FLOAT_DATA, Value::Fixed32(data)) => {
                    bytes = bytes.saturating_add(data.len());
                    is_whole &= data.len() % FLOAT_BYTES == 0;
                    self.runs.push(data.range());
                }
                _ => {}
            }
        }
        if data_type == FLOAT && !is_whole {
            return Err(tensor.malformed(&format!("a tensor's {bytes} bytes are no whole number of floats")));
        }
        if data_type != FLOAT || bytes == FLOAT_BYTES {
            self.runs.truncate(before);
        }
        Ok(())
    }
}

fn external(tensor: Message<'_>) -> Error {
    let name = tensor.flatten().find_map(|field| match (field.number, field.value) {
        (schema::tensor::NAME, Value::Bytes(name)) => name.text().ok(),
        _ => None,
    });
    let message = format!("the model keeps the weights of {:?} in another file", name.unwrap_or_default());
    Error::new(ErrorKind::ModelMismatch, message)
        .with_hint("save the model again with its weights inside the .onnx file, without external data")
}

#[cfg(test)]
mod tests;
