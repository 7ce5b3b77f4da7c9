//! The size of the graph that a runtime makes of a model, judged before it makes it.
//!
//! A model may have functions of its own, whose calls a runtime replaces by their nodes. A few hundred bytes, each
//! function calling the one before twice, become more nodes than any memory holds. Sparse tensors are made dense, whose
//! sides are free to say anything.

use std::collections::HashMap;

use super::format::Format;
use super::schema;
use super::wire::{Message, Value};
use crate::error::{Error, ErrorKind, Result};

/// The most nodes that a graph may have once its functions are put in. Of eleven models of PP-OCR from version 2 to 6
/// the one with the most has 860, and none has functions. With 20,000 nodes in a row ONNX Runtime loaded for 4 s, and
/// with 16,000 calls of functions for more than 6 s.
const MOST_NODES: u64 = 10_000;

/// Functions that call each other and graphs inside of attributes: deeper than any model, and shallow enough for any
/// thread's stack.
const DEEPEST: usize = 32;

/// The most elements that all sparse tensors may have once they are dense: 256 MB of floats. None of the same eleven
/// models has one.
const MOST_DENSE_ELEMENTS: u64 = 64 << 20;

/// Refuses a model that a runtime would make an unreasonable graph of, whatever the file's length.
///
/// That does not make a model harmless: it is a program, and what it computes when it is run, or what is constant in it
/// and computed when it is loaded, may take any time and memory.
///
/// # Errors
/// [`ErrorKind::ModelCorrupt`] for more nodes, deeper functions or larger sparse tensors than any model has, and for
/// malformed bytes.
pub fn check_size(bytes: &[u8]) -> Result<()> {
    if Format::of(bytes) == Format::Ort {
        return Ok(());
    }
    let model = Message::whole(bytes);
    let mut count = Count::of(model)?;
    let mut nodes = 0_u64;
    for graph in messages(model, schema::model::GRAPH) {
        nodes = nodes.saturating_add(count.graph(graph?, 0)?);
    }
    // Those that nobody calls are prepared all the same.
    for index in 0..count.functions.len() {
        nodes = nodes.max(count.function(index, 0)?);
    }
    if nodes > MOST_NODES {
        let found = if nodes == u64::MAX { "more than can be counted".to_owned() } else { nodes.to_string() };
        return Err(too_large(&format!("the nodes of the model's graph and functions are {found}"), MOST_NODES));
    }
    if count.dense > MOST_DENSE_ELEMENTS {
        let elements = format!("the model's sparse tensors have {} elements", count.dense);
        return Err(too_large(&elements, MOST_DENSE_ELEMENTS));
    }
    Ok(())
}

fn too_large(what: &str, most: u64) -> Error {
    Error::new(ErrorKind::ModelCorrupt, format!("{what}, and {most} are allowed"))
        .with_hint("use a model from a source that you trust; one that needs so much reads no text")
}

/// Returns the nested messages in the fields with this number.
fn messages(message: Message<'_>, number: u32) -> impl Iterator<Item = Result<Message<'_>>> {
    message.filter_map(move |field| match field.map(|field| (field.number, field.value)) {
        Ok((found, Value::Bytes(inner))) if found == number => Some(Ok(inner)),
        Ok(_) => None,
        Err(error) => Some(Err(error)),
    })
}

/// A function of the model.
struct Function<'a> {
    body: Message<'a>,
    nodes: Nodes,
}

/// The number of nodes of a function once the functions that it calls are put in.
#[derive(Clone, Copy)]
enum Nodes {
    Unknown,
    /// It is being counted: whoever calls it now is called by it.
    BeingCounted,
    Known(u64),
}

/// Counts nodes. Each function is counted once, however often it is called.
struct Count<'a> {
    functions: Vec<Function<'a>>,
    /// Functions by domain and name. Of several with the same ones, which differ in what they take, all are counted.
    named: HashMap<(&'a str, &'a str), Vec<usize>>,
    /// Elements of all sparse tensors.
    dense: u64,
}

impl<'a> Count<'a> {
    fn of(model: Message<'a>) -> Result<Self> {
        use schema::function::{DOMAIN, NAME};
        let mut count = Self { functions: Vec::new(), named: HashMap::new(), dense: 0 };
        for body in messages(model, schema::model::FUNCTIONS) {
            let body = body?;
            let name = (domain(text(body, DOMAIN)?), text(body, NAME)?);
            count.named.entry(name).or_default().push(count.functions.len());
            count.functions.push(Function { body, nodes: Nodes::Unknown });
        }
        Ok(count)
    }

    fn function(&mut self, index: usize, depth: usize) -> Result<u64> {
        let Some(&Function { body, nodes }) = self.functions.get(index) else { return Ok(0) };
        match nodes {
            Nodes::Known(nodes) => return Ok(nodes),
            Nodes::BeingCounted => return Err(body.malformed("a function calls itself")),
            Nodes::Unknown => {}
        }
        self.note(index, Nodes::BeingCounted);
        let mut nodes = 0_u64;
        for node in messages(body, schema::function::NODE) {
            nodes = nodes.saturating_add(self.node(node?, depth + 1)?);
        }
        self.note(index, Nodes::Known(nodes));
        Ok(nodes)
    }

    fn note(&mut self, index: usize, nodes: Nodes) {
        if let Some(function) = self.functions.get_mut(index) {
            function.nodes = nodes;
        }
    }

    fn graph(&mut self, graph: Message<'a>, depth: usize) -> Result<u64> {
        let mut nodes = 0_u64;
        for field in graph {
            let field = field?;
            match (field.number, field.value) {
                (schema::graph::NODE, Value::Bytes(node)) => nodes = nodes.saturating_add(self.node(node, depth)?),
                (schema::graph::SPARSE_INITIALIZER, Value::Bytes(sparse)) => self.sparse_tensor(sparse)?,
                _ => {}
            }
        }
        Ok(nodes)
    }

    /// Counts the node itself, the graphs in its attributes, and what it calls.
    fn node(&mut self, node: Message<'a>, depth: usize) -> Result<u64> {
        if depth > DEEPEST {
            return Err(node.malformed(&format!("functions or graphs are nested more than {DEEPEST} deep")));
        }
        let mut nodes = 1_u64;
        for attribute in messages(node, schema::node::ATTRIBUTE) {
            nodes = nodes.saturating_add(self.attribute(attribute?, depth)?);
        }
        if !self.functions.is_empty() {
            let called = (domain(text(node, schema::node::DOMAIN)?), text(node, schema::node::OP_TYPE)?);
            for index in self.named.get(&called).cloned().unwrap_or_default() {
                nodes = nodes.saturating_add(self.function(index, depth)?);
            }
        }
        Ok(nodes)
    }

    fn attribute(&mut self, attribute: Message<'a>, depth: usize) -> Result<u64> {
        use schema::attribute::{G, GRAPHS, SPARSE_TENSOR, SPARSE_TENSORS};
        let mut nodes = 0_u64;
        for field in attribute {
            let field = field?;
            match (field.number, field.value) {
                (G | GRAPHS, Value::Bytes(graph)) => nodes = nodes.saturating_add(self.graph(graph, depth + 1)?),
                (SPARSE_TENSOR | SPARSE_TENSORS, Value::Bytes(sparse)) => self.sparse_tensor(sparse)?,
                _ => {}
            }
        }
        Ok(nodes)
    }

    fn sparse_tensor(&mut self, sparse: Message<'a>) -> Result<()> {
        let mut elements = 1_u64;
        for field in sparse {
            let field = field?;
            match (field.number, field.value) {
                (schema::sparse_tensor::DIMS, Value::Varint(side)) => elements = elements.saturating_mul(side),
                (schema::sparse_tensor::DIMS, Value::Bytes(sides)) => {
                    for side in sides.varints() {
                        elements = elements.saturating_mul(side?);
                    }
                }
                _ => {}
            }
        }
        self.dense = self.dense.saturating_add(elements);
        Ok(())
    }
}

/// Returns the text of a field; empty where there is none. Of a field that is there twice, the last one counts.
fn text(message: Message<'_>, number: u32) -> Result<&str> {
    messages(message, number).last().map_or(Ok(""), |text| text?.text())
}

/// Returns a domain by the shorter of its names, where it has two.
fn domain(name: &str) -> &str {
    if name == "ai.onnx" { "" } else { name }
}

#[cfg(test)]
mod tests;
