//! A writer of protobuf messages, so that tests need no model files.

use super::schema::{graph, model, opset, shape, value_info, value_type};

/// Builds one message, field after field.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    fn number(mut self, mut value: u64) -> Self {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
        self
    }

    fn tag(self, number: u32, wire: u64) -> Self {
        self.number(u64::from(number) << 3 | wire)
    }

    pub(crate) fn varint(self, number: u32, value: u64) -> Self {
        self.tag(number, 0).number(value)
    }

    pub(crate) fn bytes(self, number: u32, bytes: &[u8]) -> Self {
        let mut writer = self.tag(number, 2).number(bytes.len() as u64);
        writer.0.extend_from_slice(bytes);
        writer
    }

    pub(crate) fn message(self, number: u32, message: Self) -> Self {
        self.bytes(number, &message.0)
    }

    pub(crate) fn float(self, number: u32, value: f32) -> Self {
        let mut writer = self.tag(number, 5);
        writer.0.extend(value.to_le_bytes());
        writer
    }

    pub(crate) fn floats(self, number: u32, values: &[f32]) -> Self {
        let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.bytes(number, &packed)
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// A model that takes and gives one array each, with these sides.
pub(crate) fn picture_model(input: &[Option<u64>], output: &[Option<u64>]) -> Writer {
    let graph = Writer::new().message(graph::INPUT, value("x", input)).message(graph::OUTPUT, value("y", output));
    Writer::new()
        .varint(model::IR_VERSION, 8)
        .bytes(model::PRODUCER_NAME, b"maker")
        .bytes(model::PRODUCER_VERSION, b"1.2")
        .message(model::OPSET_IMPORT, Writer::new().varint(opset::VERSION, 17))
        .message(model::GRAPH, graph)
}

fn value(name: &str, sides: &[Option<u64>]) -> Writer {
    let all = sides.iter().fold(Writer::new(), |all, side| {
        let side = side.map_or_else(Writer::new, |side| Writer::new().varint(shape::DIM_VALUE, side));
        all.message(shape::DIM, side)
    });
    let tensor = Writer::new().message(value_type::TENSOR_SHAPE, all);
    let value_type = Writer::new().message(value_type::TENSOR, tensor);
    Writer::new().bytes(value_info::NAME, name.as_bytes()).message(value_info::TYPE, value_type)
}
