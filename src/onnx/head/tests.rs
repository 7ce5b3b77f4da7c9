use proptest::prelude::*;

use super::super::summary;
use super::super::testing::Writer;
use super::*;
use schema::{attribute, graph, model, node, opset, shape, tensor, value_info, value_type};

const WEIGHTS: [f32; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
const BIAS: [f32; 3] = [0.5, 0.25, -1.0];

fn node(operator: &str, inputs: &[&str], output: &str) -> Writer {
    let writer = inputs.iter().fold(Writer::new(), |writer, input| writer.bytes(node::INPUT, input.as_bytes()));
    writer.bytes(node::OUTPUT, output.as_bytes()).bytes(node::OP_TYPE, operator.as_bytes())
}

fn softmax(input: &str, axis: Option<i64>) -> Writer {
    let writer = node("Softmax", &[input], "y");
    let Some(axis) = axis else { return writer };
    let axis = Writer::new().bytes(attribute::NAME, b"axis").varint(attribute::I, axis.cast_unsigned());
    writer.message(node::ATTRIBUTE, axis)
}

fn values(name: &str, dims: &[u64], values: &[f32]) -> Writer {
    let writer = dims.iter().fold(Writer::new(), |writer, &dim| writer.varint(tensor::DIMS, dim));
    writer
        .varint(tensor::DATA_TYPE, tensor::FLOAT)
        .bytes(tensor::NAME, name.as_bytes())
        .floats(tensor::RAW_DATA, values)
}

fn constant(name: &str, dims: &[u64], data: &[f32]) -> Writer {
    let held = Writer::new().bytes(attribute::NAME, b"value").message(attribute::T, values("", dims, data));
    node("Constant", &[], name).message(node::ATTRIBUTE, held)
}

fn port(name: &str, last: Option<u64>) -> Writer {
    let dims = [None, None, last];
    let all = dims.into_iter().fold(Writer::new(), |all, dim| {
        all.message(shape::DIM, dim.map_or_else(Writer::new, |dim| Writer::new().varint(shape::DIM_VALUE, dim)))
    });
    let tensor = Writer::new().varint(value_type::ELEM_TYPE, tensor::FLOAT).message(value_type::TENSOR_SHAPE, all);
    let value_type = Writer::new().message(value_type::TENSOR, tensor);
    Writer::new().bytes(value_info::NAME, name.as_bytes()).message(value_info::TYPE, value_type)
}

/// A model of these fields of a graph.
fn model_of(fields: Vec<(u32, Writer)>, version: u64) -> Vec<u8> {
    let graph = fields.into_iter().fold(Writer::new(), |graph, (number, field)| graph.message(number, field));
    Writer::new()
        .varint(model::IR_VERSION, 8)
        .message(model::GRAPH, graph)
        .message(model::OPSET_IMPORT, Writer::new().varint(opset::VERSION, version))
        .finish()
}

/// A network `x -> f` that is kept, and what is kept with it.
fn body() -> Vec<(u32, Writer)> {
    vec![
        (graph::NODE, node("Relu", &["x"], "f")),
        (graph::INITIALIZER, values("other", &[1], &[7.0])),
        (graph::INPUT, port("x", None)),
    ]
}

/// As PP-OCRv6 ends.
fn whole() -> Vec<(u32, Writer)> {
    let mut fields = body();
    fields.extend([
        (graph::NODE, node("MatMul", &["f", "w"], "m")),
        (graph::NODE, node("Add", &["m", "b"], "s")),
        (graph::NODE, node("Identity", &["s"], "i")),
        (graph::NODE, softmax("i", Some(2))),
        (graph::INITIALIZER, values("w", &[2, 3], &WEIGHTS)),
        (graph::INITIALIZER, values("b", &[3], &BIAS)),
        (graph::OUTPUT, port("y", Some(3))),
        (graph::VALUE_INFO, port("f", Some(2))),
        (graph::VALUE_INFO, port("m", Some(3))),
    ]);
    fields
}

/// [`body`] as a model of its own, which gives what the head takes.
fn headless() -> Vec<u8> {
    let mut fields = body();
    fields.push((graph::OUTPUT, port("f", Some(2))));
    model_of(fields, 11)
}

fn head() -> LinearHead {
    LinearHead { inputs: 2, classes: 3, weights: WEIGHTS.to_vec(), bias: BIAS.to_vec() }
}

#[test]
fn the_head_of_a_recogniser_comes_off() {
    assert_eq!(cut_head(&model_of(whole(), 11)), Some(Cut { model: headless(), head: head() }));
}

#[test]
fn weights_may_be_constants_and_a_bias_may_be_missing_or_come_first() {
    let with = |nodes: Vec<Writer>| {
        let mut fields = body();
        fields.extend(nodes.into_iter().map(|node| (graph::NODE, node)));
        fields.push((graph::OUTPUT, port("y", Some(3))));
        cut_head(&model_of(fields, 13)).expect("a head").head
    };
    let held = with(vec![
        constant("w", &[2, 3], &WEIGHTS),
        constant("b", &[3], &BIAS),
        node("MatMul", &["f", "w"], "m"),
        node("Add", &["b", "m"], "s"),
        softmax("s", None),
    ]);
    assert_eq!(held, head());
    let plain = with(vec![constant("w", &[2, 3], &WEIGHTS), node("MatMul", &["f", "w"], "m"), softmax("m", Some(-1))]);
    assert_eq!(plain, LinearHead { bias: Vec::new(), ..head() });
}

#[test]
fn what_ends_in_another_way_stays_whole() {
    type Change = fn(&mut Vec<(u32, Writer)>);
    let cases: [(&str, Change); 14] = [
        ("another operator", |fields| fields[4].1 = node("Sub", &["m", "b"], "s")),
        ("another axis", |fields| fields[6].1 = softmax("i", Some(1))),
        ("an old softmax without an axis", |fields| fields[6].1 = softmax("i", None)),
        ("weights for other classes", |fields| fields[7].1 = values("w", &[2, 4], &WEIGHTS)),
        ("weights with one side", |fields| fields[7].1 = values("w", &[6], &WEIGHTS)),
        ("a side of nothing", |fields| fields[7].1 = values("w", &[0, 3], &[])),
        ("sides beyond all numbers", |fields| fields[7].1 = values("w", &[1 << 63, 1 << 63], &WEIGHTS)),
        ("a bias for other classes", |fields| fields[8].1 = values("b", &[1], &[0.5])),
        ("weights that something else uses", |fields| fields.push((graph::NODE, node("Relu", &["w"], "z")))),
        ("scores that something else uses", |fields| fields.push((graph::NODE, node("Relu", &["s"], "z")))),
        ("features that something else uses", |fields| fields.push((graph::NODE, node("Relu", &["f"], "z")))),
        ("a second output", |fields| fields.push((graph::OUTPUT, port("s", Some(3))))),
        ("weights that may be fed", |fields| fields.push((graph::INPUT, port("w", None)))),
        ("a nested graph", |fields| {
            let nested = Writer::new().message(attribute::G, Writer::new());
            fields.push((graph::NODE, node("If", &["c"], "z").message(node::ATTRIBUTE, nested)));
        }),
    ];
    for (name, change) in cases {
        let mut fields = whole();
        change(&mut fields);
        assert_eq!(cut_head(&model_of(fields, 11)), None, "{name}");
    }
    let mut two = model_of(whole(), 11);
    two.extend(Writer::new().message(model::GRAPH, Writer::new()).finish());
    assert_eq!(cut_head(&two), None, "two graphs");
    assert_eq!(cut_head(b"\x18\0\0\0ORTM"), None);
}

#[test]
fn a_ring_of_nodes_ends() {
    let mut fields = body();
    fields.extend([
        (graph::NODE, node("Identity", &["b"], "a")),
        (graph::NODE, node("Identity", &["a"], "b")),
        (graph::NODE, softmax("b", Some(2))),
        (graph::OUTPUT, port("y", Some(3))),
    ]);
    assert_eq!(cut_head(&model_of(fields, 11)), None);
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = cut_head(&bytes);
    }

    #[test]
    fn a_damaged_model_stays_whole_or_gives_two_whole_parts(at: prop::sample::Index, byte: u8) {
        let mut bytes = model_of(whole(), 11);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Some(cut) = cut_head(&bytes) {
            prop_assert!(summary(&cut.model).is_ok() || summary(&bytes).is_err());
            prop_assert_eq!(cut.head.weights.len(), cut.head.inputs * cut.head.classes);
        }
    }
}

#[test]
fn the_best_class_is_picked_at_the_end_of_a_recogniser() {
    let picked = pick_best(&model_of(whole(), 13)).expect("a recogniser");
    assert_eq!(picked.classes, Some(3));
    let attribute = |name: &str, value: u64| {
        let name = Writer::new().bytes(attribute::NAME, name.as_bytes()).varint(attribute::I, value);
        name.varint(attribute::TYPE, attribute::INT)
    };
    let axis = || attribute("axis", 2);
    let mut expected = whole();
    expected[9] = (graph::OUTPUT, port("ferrocr.best", Some(2)));
    let arg_max = node("ArgMax", &["y"], "ferrocr.class").message(node::ATTRIBUTE, axis());
    let gather = node("GatherElements", &["y", "ferrocr.class"], "ferrocr.probability");
    let concat = node("Concat", &["ferrocr.number", "ferrocr.probability"], "ferrocr.best");
    let cast = node("Cast", &["ferrocr.class"], "ferrocr.number");
    expected.extend([
        (graph::NODE, arg_max.message(node::ATTRIBUTE, attribute("keepdims", 1))),
        (graph::NODE, cast.message(node::ATTRIBUTE, attribute("to", tensor::FLOAT))),
        (graph::NODE, gather.message(node::ATTRIBUTE, axis())),
        (graph::NODE, concat.message(node::ATTRIBUTE, axis())),
    ]);
    assert_eq!(picked.model, model_of(expected, 13));
    assert_eq!(pick_best(&picked.model), None, "once is enough");
    assert_eq!(pick_best(&model_of(whole(), 10)), None, "an operator is missing");
    let mut two = whole();
    two.push((graph::OUTPUT, port("s", Some(3))));
    assert_eq!(pick_best(&model_of(two, 13)), None);
    assert_eq!(pick_best(b"no model"), None);
    let mut open = whole();
    open[9] = (graph::OUTPUT, port("y", None));
    assert_eq!(pick_best(&model_of(open, 13)).expect("a recogniser").classes, None);
}

proptest! {
    #[test]
    fn a_damaged_model_is_picked_from_or_not(at: prop::sample::Index, byte: u8) {
        let mut model = model_of(whole(), 13);
        let at = at.index(model.len());
        model[at] = byte;
        if let (Some(picked), Ok(_)) = (pick_best(&model), summary(&model)) {
            prop_assert!(summary(&picked.model).is_ok());
        }
    }
}
