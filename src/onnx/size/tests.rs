#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]
use proptest::prelude::*;

use super::super::testing::{Writer, picture_model};
use super::*;

const OWN: &[u8] = b"own";

fn call(function: &str) -> Writer {
    Writer::new().bytes(schema::node::OP_TYPE, function.as_bytes()).bytes(schema::node::DOMAIN, OWN)
}

fn relu() -> Writer {
    Writer::new().bytes(schema::node::OP_TYPE, b"Relu")
}

fn function(name: &str, nodes: Vec<Writer>) -> Writer {
    let named = Writer::new().bytes(schema::function::NAME, name.as_bytes()).bytes(schema::function::DOMAIN, OWN);
    nodes.into_iter().fold(named, |function, node| function.message(schema::function::NODE, node))
}

fn graph(nodes: Vec<Writer>) -> Writer {
    nodes.into_iter().fold(Writer::new(), |graph, node| graph.message(schema::graph::NODE, node))
}

fn with_graphs(graphs: Vec<Writer>) -> Writer {
    let attribute =
        graphs.into_iter().fold(Writer::new(), |attribute, graph| attribute.message(schema::attribute::GRAPHS, graph));
    relu().message(schema::node::ATTRIBUTE, attribute)
}

fn model(nodes: Vec<Writer>, functions: Vec<Writer>) -> Vec<u8> {
    let model = Writer::new().message(schema::model::GRAPH, graph(nodes));
    functions.into_iter().fold(model, |model, function| model.message(schema::model::FUNCTIONS, function)).finish()
}

/// Functions that each call the one before so many times; the first has one node.
fn tower(levels: usize, times: usize) -> Vec<Writer> {
    let higher = (1..levels).map(|level| {
        let calls = (0..times).map(|_| call(&format!("F{}", level - 1))).collect();
        function(&format!("F{level}"), calls)
    });
    std::iter::once(function("F0", vec![relu()])).chain(higher).collect()
}

fn refusal(model: &[u8]) -> String {
    let error = check_size(model).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
    error.to_string()
}

#[test]
fn usual_models_are_of_a_usual_size() {
    check_size(&picture_model(&[None, Some(3)], &[None]).finish()).unwrap();
    check_size(&model(vec![relu(), call("F1"), call("F1")], tower(2, 3))).unwrap();
    check_size(&model(vec![with_graphs(vec![graph(vec![relu()]), graph(vec![call("F4")])])], tower(5, 2))).unwrap();
    check_size(b"1234ORTM, whose content is not looked into").unwrap();
}

#[test]
fn functions_that_multiply_are_refused_before_anybody_puts_them_in() {
    for levels in [16, 30, 32] {
        let text = refusal(&model(vec![call(&format!("F{}", levels - 1))], tower(levels, 2)));
        assert!(text.contains(", and 10000 are allowed"), "{text}");
    }
    let text = refusal(&model(vec![call("F31")], tower(32, 5)));
    assert!(text.contains("are more than can be counted, and 10000"), "{text}");
    // Also where only a graph in an attribute calls them, or nobody.
    refusal(&model(vec![with_graphs(vec![graph(vec![call("F29")])])], tower(30, 2)));
    refusal(&model(vec![relu()], tower(30, 2)));
    // Also where a file names the same operator set in two ways.
    let twice = |_: usize| Writer::new().bytes(schema::node::OP_TYPE, b"F").bytes(schema::node::DOMAIN, b"ai.onnx");
    let f = Writer::new().bytes(schema::function::NAME, b"F");
    let f = (0..200).map(|_| relu()).fold(f, |f, node| f.message(schema::function::NODE, node));
    refusal(&model((0..200).map(twice).collect(), vec![f]));
}

#[test]
fn many_nodes_are_refused_and_not_quite_as_many_are_not() {
    let nodes = |count: usize| (0..count).map(|_| relu()).collect::<Vec<_>>();
    check_size(&model(nodes(10_000), vec![])).unwrap();
    assert!(refusal(&model(nodes(10_001), vec![])).contains("functions are 10001, and 10000"));
}

#[test]
fn deep_chains_and_rings_of_functions_are_refused() {
    check_size(&model(vec![call("F30")], tower(31, 1))).unwrap();
    assert!(refusal(&model(vec![call("F999")], tower(1000, 1))).contains("nested more than 32 deep"));
    let ring = vec![function("A", vec![call("B"), call("B")]), function("B", vec![call("A"), call("A")])];
    assert!(refusal(&model(vec![relu()], ring)).contains("a function calls itself"));
    let deep = (0..33).fold(relu(), |node, _| with_graphs(vec![graph(vec![node])]));
    assert!(refusal(&model(vec![deep], vec![])).contains("nested more than 32 deep"));
}

#[test]
fn sparse_tensors_are_as_large_as_their_sides_say() {
    let sparse = |sides: &[u64]| {
        let tensor = sides.iter().fold(Writer::new(), |tensor, &side| tensor.varint(schema::sparse_tensor::DIMS, side));
        Writer::new().message(schema::graph::SPARSE_INITIALIZER, tensor)
    };
    let with = |graph: Writer| Writer::new().message(schema::model::GRAPH, graph).finish();
    check_size(&with(sparse(&[8192, 8192]))).unwrap();
    assert!(refusal(&with(sparse(&[8192, 8193]))).contains("have 67117056 elements, and 67108864 are allowed"));
    refusal(&with(sparse(&[1 << 40, 1 << 40, 1 << 40])));
    let packed = Writer::new().bytes(schema::sparse_tensor::DIMS, &[0x80, 0x80, 0x80, 0x80, 0x10]);
    let attribute = Writer::new().message(schema::attribute::SPARSE_TENSOR, packed);
    refusal(&model(vec![relu().message(schema::node::ATTRIBUTE, attribute)], vec![]));
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = check_size(&bytes);
    }

    #[test]
    fn a_damaged_tower_gets_an_answer(at: prop::sample::Index, byte: u8) {
        let mut bytes = model(vec![call("F5")], tower(6, 2));
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = check_size(&bytes);
    }
}
