//! A model's own description.

use std::collections::{BTreeMap, HashSet};

use super::format::Format;
use super::schema;
use super::wire::{Message, Value};
use crate::error::{Error, ErrorKind, Result};

/// A model's own description, without its weights and its computation.
///
/// Of a file in [`Format::Ort`] only the format is known; everything else is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Summary {
    /// The layout of the bytes.
    pub format: Format,
    /// Version of ONNX's file format.
    pub ir_version: i64,
    /// The program that wrote the model, as it calls itself.
    pub producer: String,
    /// That program's version.
    pub producer_version: String,
    /// Versions of the operator sets by domain; ONNX's own domain is the empty name.
    pub opsets: BTreeMap<String, i64>,
    /// The inputs that have to be fed: those that an initializer gives a default are left out.
    pub inputs: Vec<ValueInfo>,
    /// The outputs.
    pub outputs: Vec<ValueInfo>,
    /// Free properties: PP-OCR's recognizers keep their characters there.
    pub metadata: BTreeMap<String, String>,
    /// Number of weight tensors in the main graph.
    pub initializers: usize,
    /// Bytes of their data as stored.
    pub initializer_bytes: u64,
}

/// An input or output of a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ValueInfo {
    /// Its name.
    pub name: String,
    /// Its sizes, where a size that varies is `None`; no list at all when even their number is open.
    pub dims: Option<Vec<Option<i64>>>,
}

/// Reads what a model says about itself.
///
/// # Errors
/// [`ErrorKind::ModelCorrupt`], with the offset, for malformed bytes, and for bytes that hold no graph.
pub fn summary(bytes: &[u8]) -> Result<Summary> {
    let format = Format::of(bytes);
    let mut summary = Summary::empty(format);
    if format == Format::Onnx && !summary.read_model(Message::whole(bytes))? {
        return Err(Error::new(
            ErrorKind::ModelCorrupt,
            format!("the {} bytes are no ONNX model: there is no graph in them", bytes.len()),
        ));
    }
    Ok(summary)
}

impl Summary {
    fn empty(format: Format) -> Self {
        Self {
            format,
            ir_version: 0,
            producer: String::new(),
            producer_version: String::new(),
            opsets: BTreeMap::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            metadata: BTreeMap::new(),
            initializers: 0,
            initializer_bytes: 0,
        }
    }

    /// Reads the model's message. Returns true if there was a graph.
    fn read_model(&mut self, model: Message<'_>) -> Result<bool> {
        use schema::model::{GRAPH, IR_VERSION, METADATA_PROPS, OPSET_IMPORT, PRODUCER_NAME, PRODUCER_VERSION};
        let mut has_graph = false;
        for field in model {
            let field = field?;
            match (field.number, field.value) {
                (IR_VERSION, Value::Varint(version)) => self.ir_version = version.cast_signed(),
                (PRODUCER_NAME, Value::Bytes(name)) => self.producer = name.text()?.to_owned(),
                (PRODUCER_VERSION, Value::Bytes(version)) => self.producer_version = version.text()?.to_owned(),
                (OPSET_IMPORT, Value::Bytes(opset)) => self.read_opset(opset)?,
                (METADATA_PROPS, Value::Bytes(entry)) => self.read_metadata(entry)?,
                (GRAPH, Value::Bytes(graph)) => {
                    self.read_graph(graph)?;
                    has_graph = true;
                }
                _ => {}
            }
        }
        Ok(has_graph)
    }

    fn read_opset(&mut self, opset: Message<'_>) -> Result<()> {
        let (mut domain, mut version) = ("", 0);
        for field in opset {
            let field = field?;
            match (field.number, field.value) {
                (schema::opset::DOMAIN, Value::Bytes(text)) => domain = text.text()?,
                (schema::opset::VERSION, Value::Varint(number)) => version = number.cast_signed(),
                _ => {}
            }
        }
        self.opsets.insert(domain.to_owned(), version);
        Ok(())
    }

    fn read_metadata(&mut self, entry: Message<'_>) -> Result<()> {
        let (mut key, mut value) = ("", "");
        for field in entry {
            let field = field?;
            match (field.number, field.value) {
                (schema::entry::KEY, Value::Bytes(text)) => key = text.text()?,
                (schema::entry::VALUE, Value::Bytes(text)) => value = text.text()?,
                _ => {}
            }
        }
        self.metadata.insert(key.to_owned(), value.to_owned());
        Ok(())
    }

    fn read_graph(&mut self, graph: Message<'_>) -> Result<()> {
        let mut defaults = HashSet::new();
        for field in graph {
            let field = field?;
            match (field.number, field.value) {
                (schema::graph::INITIALIZER, Value::Bytes(tensor)) => {
                    self.initializers += 1;
                    defaults.insert(self.read_initializer(tensor)?);
                }
                (schema::graph::INPUT, Value::Bytes(value)) => self.inputs.push(value_info(value)?),
                (schema::graph::OUTPUT, Value::Bytes(value)) => self.outputs.push(value_info(value)?),
                _ => {}
            }
        }
        // Up to IR version 3, initializers were listed among the inputs.
        self.inputs.retain(|input| !defaults.contains(input.name.as_str()));
        Ok(())
    }

    /// Adds the tensor's bytes and gives its name.
    fn read_initializer<'a>(&mut self, tensor: Message<'a>) -> Result<&'a str> {
        use schema::tensor::{
            DOUBLE_DATA, FLOAT_DATA, INT32_DATA, INT64_DATA, NAME, RAW_DATA, STRING_DATA, UINT64_DATA,
        };
        let mut name = "";
        for field in tensor {
            let field = field?;
            match (field.number, field.value) {
                (NAME, Value::Bytes(text)) => name = text.text()?,
                (
                    FLOAT_DATA | INT32_DATA | STRING_DATA | INT64_DATA | RAW_DATA | DOUBLE_DATA | UINT64_DATA,
                    Value::Bytes(data),
                ) => self.initializer_bytes = self.initializer_bytes.saturating_add(data.len() as u64),
                _ => {}
            }
        }
        Ok(name)
    }
}

fn value_info(value: Message<'_>) -> Result<ValueInfo> {
    let mut info = ValueInfo::default();
    for field in value {
        let field = field?;
        match (field.number, field.value) {
            (schema::value_info::NAME, Value::Bytes(name)) => info.name = name.text()?.to_owned(),
            (schema::value_info::TYPE, Value::Bytes(value_type)) => info.dims = dims(value_type)?,
            _ => {}
        }
    }
    Ok(info)
}

/// Returns the sizes in a value's type; none for a type that is no tensor.
fn dims(value_type: Message<'_>) -> Result<Option<Vec<Option<i64>>>> {
    let Some(tensor) = last(value_type, schema::value_type::TENSOR)? else { return Ok(None) };
    let Some(shape) = last(tensor, schema::value_type::TENSOR_SHAPE)? else { return Ok(None) };
    let mut dims = Vec::new();
    for field in shape {
        let field = field?;
        if let (schema::shape::DIM, Value::Bytes(dim)) = (field.number, field.value) {
            dims.push(fixed_size(dim)?);
        }
    }
    Ok(Some(dims))
}

/// Returns the size, if it is given as a number. Some writers say -1 for a size that varies.
fn fixed_size(dim: Message<'_>) -> Result<Option<i64>> {
    let mut size = None;
    for field in dim {
        let field = field?;
        if let (schema::shape::DIM_VALUE, Value::Varint(value)) = (field.number, field.value) {
            size = Some(value.cast_signed()).filter(|size| *size >= 0);
        }
    }
    Ok(size)
}

/// Returns the nested message in the last field with this number: of a field that is there twice, the last one counts.
fn last(message: Message<'_>, number: u32) -> Result<Option<Message<'_>>> {
    let mut found = None;
    for field in message {
        let field = field?;
        if let (Value::Bytes(inner), true) = (field.value, field.number == number) {
            found = Some(inner);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests;
