//! Models made of a few bytes, so that tests need no model files.

use super::schema::{graph, model, opset, shape, value_info, value_type};
pub(crate) use super::writer::Writer;

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
