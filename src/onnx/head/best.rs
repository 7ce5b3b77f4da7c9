//! The search for each step's best class, put at the end of a recogniser's graph.

use super::nodes::{Graph, described, dims_of};
use crate::onnx::format::Format;
use crate::onnx::schema;
use crate::onnx::wire::{Message, Value};
use crate::onnx::writer::Writer;

/// A recogniser that gives of each step the best class and its probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Picked {
    /// The model. Its output is `[N, T, 2]`.
    pub model: Vec<u8>,
    /// The number of classes, where the file says it.
    pub classes: Option<usize>,
}

/// The names of what is put there.
const CLASS: &str = "ferrocr.class";
const NUMBER: &str = "ferrocr.number";
const PROBABILITY: &str = "ferrocr.probability";
const BEST: &str = "ferrocr.best";

/// `GatherElements` is there from this version of ONNX's operators on.
const LEAST_OPSET: u64 = 11;

/// Has a recogniser pick the best class of each step, of equal ones the first, so that a device gives two numbers a
/// step instead of thousands. `None` for a model of another form than one output of three sides, and for what is no
/// model.
pub fn pick_best(bytes: &[u8]) -> Option<Picked> {
    if Format::of(bytes) == Format::Ort {
        return None;
    }
    let model = Message::whole(bytes);
    let graph = Graph::of(model).ok()??;
    let &[output] = graph.outputs.as_slice() else { return None };
    let is_taken = [CLASS, NUMBER, PROBABILITY, BEST].iter().any(|name| graph.node_that_makes(name).is_some());
    if graph.opset < LEAST_OPSET || is_taken {
        return None;
    }
    let last = *dims_of(output.1)?.get(2)?;
    let classes = last.flatten().find_map(|field| match (field.number, field.value) {
        (schema::shape::DIM_VALUE, Value::Varint(classes)) => usize::try_from(classes).ok(),
        _ => None,
    });
    let mut writer = Writer::new();
    for field in model.whole_fields() {
        let (field, bytes) = field.ok()?;
        writer = match field.value {
            Value::Bytes(graph) if field.number == schema::model::GRAPH => {
                writer.message(schema::model::GRAPH, longer(graph, output)?)
            }
            _ => writer.field(bytes),
        };
    }
    Some(Picked { model: writer.finish(), classes })
}

/// Returns the graph with nodes after its end.
fn longer(graph: Message<'_>, (name, described_as): (&str, Message<'_>)) -> Option<Writer> {
    let mut writer = Writer::new();
    for field in graph.whole_fields() {
        let (field, bytes) = field.ok()?;
        writer = if field.number == schema::graph::OUTPUT {
            writer.message(schema::graph::OUTPUT, described(BEST, described_as, 2)?)
        } else {
            writer.field(bytes)
        };
    }
    let last = ("axis", 2);
    let nodes = [
        node("ArgMax", &[name], CLASS, &[last, ("keepdims", 1)]),
        node("Cast", &[CLASS], NUMBER, &[("to", schema::tensor::FLOAT)]),
        node("GatherElements", &[name, CLASS], PROBABILITY, &[last]),
        node("Concat", &[NUMBER, PROBABILITY], BEST, &[last]),
    ];
    Some(nodes.into_iter().fold(writer, |writer, node| writer.message(schema::graph::NODE, node)))
}

fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[(&str, u64)]) -> Writer {
    let taking = |writer: Writer, input: &&str| writer.bytes(schema::node::INPUT, input.as_bytes());
    let node = inputs.iter().fold(Writer::new(), taking).bytes(schema::node::OUTPUT, output.as_bytes());
    let node = node.bytes(schema::node::OP_TYPE, operator.as_bytes());
    attributes.iter().fold(node, |node, &(name, value)| {
        let attribute = Writer::new()
            .bytes(schema::attribute::NAME, name.as_bytes())
            .varint(schema::attribute::I, value)
            .varint(schema::attribute::TYPE, schema::attribute::INT);
        node.message(schema::node::ATTRIBUTE, attribute)
    })
}
