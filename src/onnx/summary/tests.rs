use proptest::prelude::*;

use super::super::testing::Writer;
use super::*;
use schema::{entry, graph, model, opset, shape, tensor, value_type};

const FIXED: u32 = shape::DIM_VALUE;
const SYMBOL: u32 = 2;

fn value(name: &str, dims: Option<&[Option<u64>]>) -> Writer {
    let writer = Writer::new().bytes(schema::value_info::NAME, name.as_bytes());
    let Some(dims) = dims else { return writer };
    let shape = dims.iter().fold(Writer::new(), |shape, dim| {
        let dim = match dim {
            Some(size) => Writer::new().varint(FIXED, *size),
            None => Writer::new().bytes(SYMBOL, b"batch"),
        };
        shape.message(shape::DIM, dim)
    });
    let tensor = Writer::new().message(value_type::TENSOR_SHAPE, shape);
    writer.message(schema::value_info::TYPE, Writer::new().message(value_type::TENSOR, tensor))
}

fn pair(key: &str, value: &str) -> Writer {
    Writer::new().bytes(entry::KEY, key.as_bytes()).bytes(entry::VALUE, value.as_bytes())
}

fn small_model() -> Vec<u8> {
    let weights = Writer::new().bytes(tensor::NAME, b"w").bytes(tensor::RAW_DATA, &[0; 12]);
    let graph = Writer::new()
        .message(graph::INITIALIZER, weights)
        .message(graph::INPUT, value("x", Some(&[None, Some(3), Some(48), Some(u64::MAX)])))
        .message(graph::INPUT, value("w", None))
        .message(graph::OUTPUT, value("y", None));
    Writer::new()
        .varint(model::IR_VERSION, 10)
        .bytes(model::PRODUCER_NAME, b"maker")
        .bytes(model::PRODUCER_VERSION, b"1.2")
        .message(model::GRAPH, graph)
        .message(model::OPSET_IMPORT, Writer::new().varint(opset::VERSION, 17))
        .message(model::OPSET_IMPORT, Writer::new().bytes(opset::DOMAIN, b"custom").varint(opset::VERSION, 1))
        .message(model::METADATA_PROPS, pair("character", "a\nb\u{4e2d}"))
        .finish()
}

#[test]
fn a_model_tells_what_it_is() {
    let read = summary(&small_model()).unwrap();
    assert_eq!((read.format, read.ir_version), (Format::Onnx, 10));
    assert_eq!((read.producer.as_str(), read.producer_version.as_str()), ("maker", "1.2"));
    assert_eq!(read.opsets.into_iter().collect::<Vec<_>>(), [(String::new(), 17), ("custom".to_owned(), 1)]);
    assert_eq!(read.metadata["character"], "a\nb\u{4e2d}");
    assert_eq!((read.initializers, read.initializer_bytes), (1, 12));
}

#[test]
fn inputs_are_what_has_to_be_fed() {
    let read = summary(&small_model()).unwrap();
    // -1 says that a size varies, as a name does; w has a default.
    let dims = Some(vec![None, Some(3), Some(48), None]);
    assert_eq!(read.inputs, [ValueInfo { name: "x".to_owned(), dims }]);
    assert_eq!(read.outputs, [ValueInfo { name: "y".to_owned(), dims: None }]);
}

#[test]
fn bytes_without_a_graph_are_no_model() {
    for bytes in [&b""[..], &Writer::new().varint(model::IR_VERSION, 10).finish()] {
        let error = summary(bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
        assert!(error.to_string().contains("no graph"), "{error}");
    }
}

#[test]
fn a_truncated_model_says_where_it_ends() {
    let bytes = small_model();
    let error = summary(&bytes[..bytes.len() - 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
    assert!(error.to_string().contains("at byte"), "{error}");
}

#[test]
fn of_an_ort_file_only_the_format_is_known() {
    assert_eq!(summary(b"\x18\0\0\0ORTM").unwrap(), Summary::empty(Format::Ort));
    assert_eq!(Format::of(b"ORTM"), Format::Onnx);
}

proptest! {
    #[test]
    fn any_bytes_give_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = summary(&bytes);
    }

    #[test]
    fn a_damaged_model_gives_an_answer(at: prop::sample::Index, byte: u8) {
        let mut bytes = small_model();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = summary(&bytes);
    }

    #[test]
    fn names_and_properties_come_back(names in prop::collection::vec(any::<String>(), 0..5), value_: String) {
        let graph = names.iter().fold(Writer::new(), |graph, name| graph.message(graph::OUTPUT, value(name, Some(&[]))));
        let bytes = Writer::new().message(model::GRAPH, graph).message(model::METADATA_PROPS, pair("k", &value_));
        let read = summary(&bytes.finish()).unwrap();
        prop_assert_eq!(read.outputs.iter().map(|output| output.name.clone()).collect::<Vec<_>>(), names);
        prop_assert!(read.outputs.iter().all(|output| output.dims == Some(Vec::new())));
        prop_assert_eq!(&read.metadata["k"], &value_);
    }
}
