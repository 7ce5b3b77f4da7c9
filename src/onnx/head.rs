//! The last layer of a recogniser, taken out of its graph.

mod best;
mod nodes;

use super::format::Format;
use super::schema;
use super::wire::{Field, Message, Value};
use super::writer::Writer;
pub use best::{Picked, pick_best};
use nodes::{Graph, Node, Tensor};

/// A layer that scores every class: for each, one weight for every value it is given, and a bias.
#[derive(Debug, Clone, PartialEq)]
pub struct LinearHead {
    /// Number of values that the layer is given.
    pub inputs: usize,
    /// Number of classes.
    pub classes: usize,
    /// The weights, `classes` of them for each input in turn.
    pub weights: Vec<f32>,
    /// The bias of each class; empty for a layer without.
    pub bias: Vec<f32>,
}

/// A recogniser in two parts.
#[derive(Debug, Clone, PartialEq)]
pub struct Cut {
    /// The model without its head: it gives what the head was given, `[1, T, inputs]`.
    pub model: Vec<u8>,
    /// The head.
    pub head: LinearHead,
}

/// Cuts off the head of a recogniser: a product with fixed weights, a bias or none, and a softmax over the classes.
///
/// That is how PP-OCR 4 and 6 end, with weights that are initializers in the one and constants in the other. Whatever
/// does not end in exactly that way gives `None`, and so do bytes that are no model: such a model is to be used whole.
/// Nothing else may use what is cut off. A head written as `Gemm` takes tables, not the arrays of three sides that a
/// recogniser has; no model that has one was seen.
pub fn cut_head(bytes: &[u8]) -> Option<Cut> {
    if Format::of(bytes) == Format::Ort {
        return None;
    }
    let model = Message::whole(bytes);
    let graph = Graph::of(model).ok()??;
    let tail = Tail::of(&graph)?;
    let head = tail.head()?;
    Some(Cut { model: tail.cut(model, head.inputs)?, head })
}

/// The end of a graph from what the head is given.
struct Tail<'g, 'a> {
    /// The name of what the head is given.
    given: &'a str,
    weights: &'g Tensor<'a>,
    bias: Option<&'g Tensor<'a>>,
    /// The graph's output: its name and the message that describes it.
    output: (&'a str, Message<'a>),
    /// Places of the nodes and initializers that go, as offsets in the file.
    gone: Vec<usize>,
    /// Names of the values that go.
    names: Vec<&'a str>,
}

impl<'g, 'a> Tail<'g, 'a> {
    /// Walks from the output backwards.
    fn of(graph: &'g Graph<'a>) -> Option<Self> {
        let mut walk = Walk { graph, gone: Vec::new(), names: Vec::new() };
        let &[output] = graph.outputs.as_slice() else { return None };
        let softmax = walk.maker(output.0, "Softmax")?;
        if !softmax.is_over_last_of_three(graph.opset) {
            return None;
        }
        let &[scores] = softmax.inputs.as_slice() else { return None };
        let (product, bias) = match walk.maker(scores, "Add") {
            Some(sum) => {
                let &[left, right] = sum.inputs.as_slice() else { return None };
                // Either may be the bias.
                let (product, bias) = if graph.tensor(right).is_some() { (left, right) } else { (right, left) };
                (product, Some(walk.constant(bias)?))
            }
            None => (scores, None),
        };
        let &[given, weights] = walk.maker(product, "MatMul")?.inputs.as_slice() else { return None };
        let weights = walk.constant(weights)?;
        // A graph's own input is no output of anything.
        graph.node_that_makes(given)?;
        let is_free = graph.uses(given) == 1 && graph.outputs.len() == 1;
        is_free.then_some(Self { given, weights, bias, output, gone: walk.gone, names: walk.names })
    }

    fn head(&self) -> Option<LinearHead> {
        let &[inputs, classes] = self.weights.dims.as_slice() else { return None };
        let weights = self.weights.floats()?;
        let bias = match self.bias {
            Some(bias) if bias.dims == [classes] => bias.floats()?,
            Some(_) => return None,
            None => Vec::new(),
        };
        let fits = inputs > 0
            && classes > 0
            && inputs.checked_mul(classes) == Some(weights.len())
            && (bias.is_empty() || bias.len() == classes);
        fits.then_some(LinearHead { inputs, classes, weights, bias })
    }

    /// Returns the model without this.
    fn cut(&self, model: Message<'_>, inputs: usize) -> Option<Vec<u8>> {
        let mut writer = Writer::new();
        for field in model.whole_fields() {
            let (field, bytes) = field.ok()?;
            writer = match field.value {
                Value::Bytes(graph) if field.number == schema::model::GRAPH => {
                    writer.message(schema::model::GRAPH, self.cut_graph(graph, inputs)?)
                }
                _ => writer.field(bytes),
            };
        }
        Some(writer.finish())
    }

    fn cut_graph(&self, graph: Message<'_>, inputs: usize) -> Option<Writer> {
        let mut writer = Writer::new();
        for field in graph.whole_fields() {
            let (field, bytes) = field.ok()?;
            if field.number == schema::graph::OUTPUT {
                writer =
                    writer.message(schema::graph::OUTPUT, nodes::described(self.given, self.output.1, inputs as u64)?);
            } else if !self.loses(&field) {
                writer = writer.field(bytes);
            }
        }
        Some(writer)
    }

    fn loses(&self, field: &Field<'_>) -> bool {
        let Value::Bytes(message) = field.value else { return false };
        match field.number {
            schema::graph::NODE | schema::graph::INITIALIZER => self.gone.contains(&message.range().start),
            schema::graph::VALUE_INFO => nodes::text_in(message, schema::value_info::NAME)
                .is_some_and(|name| name == self.given || self.names.contains(&name)),
            _ => false,
        }
    }
}

/// Collects what goes on the way.
struct Walk<'g, 'a> {
    graph: &'g Graph<'a>,
    gone: Vec<usize>,
    names: Vec<&'a str>,
}

impl<'g, 'a> Walk<'g, 'a> {
    /// Returns the node of this operator that makes `value`, where nodes that only rename it may lie between. What was
    /// walked goes, if it is of use to nobody else; without such a node nothing does.
    fn maker(&mut self, mut value: &'a str, operator: &str) -> Option<&'g Node<'a>> {
        let (gone, names) = (self.gone.len(), self.names.len());
        // As many steps as there are nodes: a malformed graph may have a ring.
        for _ in &self.graph.nodes {
            let Some(node) = self.graph.node_that_makes(value).filter(|_| self.graph.is_for_one(value)) else { break };
            self.gone.push(node.offset);
            self.names.push(value);
            match node.inputs.as_slice() {
                _ if node.operator == operator => return Some(node),
                &[before] if node.operator == "Identity" => value = before,
                _ => break,
            }
        }
        self.gone.truncate(gone);
        self.names.truncate(names);
        None
    }

    /// Returns the tensor of this name, which goes if it is of use to nobody else.
    fn constant(&mut self, name: &'a str) -> Option<&'g Tensor<'a>> {
        let tensor = self.graph.tensor(name).filter(|_| self.graph.uses(name) == 1)?;
        self.gone.push(tensor.offset);
        self.names.push(name);
        Some(tensor)
    }
}

#[cfg(test)]
mod tests;
