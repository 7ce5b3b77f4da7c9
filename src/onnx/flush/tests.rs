use proptest::prelude::*;

use super::super::testing::Writer;
use super::*;
use schema::{attribute, function, graph, model, node, sparse_tensor, tensor};

const DOUBLE: u64 = 11;
const TINY: f32 = 1e-40;

#[derive(Debug, Clone, Copy)]
enum Storage {
    Raw,
    Packed,
    Unpacked,
}

/// The place in which a model keeps a tensor.
#[derive(Debug, Clone, Copy)]
enum Place {
    Initializer,
    SparseInitializer,
    Attribute,
    SparseAttribute,
    Subgraph,
    Function,
}

#[derive(Debug, Clone)]
struct Tensor {
    place: Place,
    storage: Storage,
    data_type: u64,
    type_first: bool,
    values: Vec<f32>,
}

impl Tensor {
    fn floats(place: Place, storage: Storage, values: &[f32]) -> Self {
        Self { place, storage, data_type: tensor::FLOAT, type_first: true, values: values.to_vec() }
    }

    /// Returns the tensor after the flush, and the number of values that changed.
    fn flushed(&self) -> (Self, usize) {
        let mut flushed = self.clone();
        if self.data_type != tensor::FLOAT || self.values.len() == 1 {
            return (flushed, 0);
        }
        let is_tiny = |value: &&mut f32| **value != 0.0 && value.abs() < SMALLEST_WEIGHT;
        let changed = flushed.values.iter_mut().filter(is_tiny).map(|value| *value = 0.0).count();
        (flushed, changed)
    }

    fn data(&self, writer: Writer) -> Writer {
        match self.storage {
            Storage::Raw => writer.floats(tensor::RAW_DATA, &self.values),
            Storage::Packed => writer.floats(tensor::FLOAT_DATA, &self.values),
            Storage::Unpacked => {
                self.values.iter().fold(writer, |writer, value| writer.float(tensor::FLOAT_DATA, *value))
            }
        }
    }

    fn write(&self) -> Writer {
        let writer = Writer::new().bytes(tensor::NAME, b"w");
        if self.type_first {
            self.data(writer.varint(tensor::DATA_TYPE, self.data_type))
        } else {
            self.data(writer).varint(tensor::DATA_TYPE, self.data_type)
        }
    }

    fn in_node(&self, number: u32, message: Writer) -> Writer {
        Writer::new().message(node::ATTRIBUTE, Writer::new().message(number, message))
    }

    fn sparse(&self) -> Writer {
        Writer::new().message(sparse_tensor::VALUES, self.write())
    }

    fn in_model(&self) -> Writer {
        let in_graph = |number, message| Writer::new().message(model::GRAPH, Writer::new().message(number, message));
        match self.place {
            Place::Initializer => in_graph(graph::INITIALIZER, self.write()),
            Place::SparseInitializer => in_graph(graph::SPARSE_INITIALIZER, self.sparse()),
            Place::Attribute => in_graph(graph::NODE, self.in_node(attribute::T, self.write())),
            Place::SparseAttribute => in_graph(graph::NODE, self.in_node(attribute::SPARSE_TENSORS, self.sparse())),
            Place::Subgraph => {
                let subgraph = Writer::new().message(graph::NODE, self.in_node(attribute::TENSORS, self.write()));
                in_graph(graph::NODE, self.in_node(attribute::G, subgraph))
            }
            Place::Function => {
                let nodes = Writer::new().message(function::NODE, self.in_node(attribute::T, self.write()));
                Writer::new().message(model::FUNCTIONS, nodes)
            }
        }
    }
}

fn encode(tensors: &[Tensor]) -> Vec<u8> {
    let header = Writer::new().varint(model::IR_VERSION, 10).finish();
    tensors.iter().fold(header, |mut bytes, tensor| {
        bytes.extend(tensor.in_model().finish());
        bytes
    })
}

#[test]
fn tiny_weights_become_zero_wherever_they_are() {
    use Place::*;
    for place in [Initializer, SparseInitializer, Attribute, SparseAttribute, Subgraph, Function] {
        for storage in [Storage::Raw, Storage::Packed, Storage::Unpacked] {
            let mut bytes = encode(&[Tensor::floats(place, storage, &[TINY, 1.0, -TINY, 0.0, 9e-31])]);
            assert_eq!(flush_denormals(&mut bytes).unwrap(), 3, "{place:?} {storage:?}");
            assert_eq!(bytes, encode(&[Tensor::floats(place, storage, &[0.0, 1.0, 0.0, 0.0, 0.0])]));
        }
    }
}

#[test]
fn other_values_stay() {
    let values = [SMALLEST_WEIGHT, -1.0, -0.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX];
    let mut bytes = encode(&[Tensor::floats(Place::Initializer, Storage::Raw, &values)]);
    let before = bytes.clone();
    assert_eq!(flush_denormals(&mut bytes).unwrap(), 0);
    assert_eq!(bytes, before);
}

#[test]
fn a_scalar_is_no_weight() {
    let mut bytes = encode(&[Tensor::floats(Place::Attribute, Storage::Raw, &[TINY])]);
    assert_eq!(flush_denormals(&mut bytes).unwrap(), 0);
}

#[test]
fn external_weights_are_refused_with_advice() {
    let external = Writer::new().bytes(tensor::NAME, b"conv.w").varint(tensor::DATA_LOCATION, tensor::EXTERNAL);
    let first = Tensor::floats(Place::Initializer, Storage::Raw, &[TINY, TINY]);
    let mut bytes = encode(&[first]);
    bytes.extend(Writer::new().message(model::GRAPH, Writer::new().message(graph::INITIALIZER, external)).finish());
    let before = bytes.clone();
    let error = flush_denormals(&mut bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelMismatch);
    assert!(error.to_string().contains("\"conv.w\"") && error.hint().is_some());
    assert_eq!(bytes, before, "an error leaves the bytes as they were");
}

#[test]
fn raw_data_has_to_be_whole_floats() {
    let odd = Writer::new().varint(tensor::DATA_TYPE, tensor::FLOAT).bytes(tensor::RAW_DATA, &[0; 7]);
    let mut bytes = Writer::new().message(model::GRAPH, Writer::new().message(graph::INITIALIZER, odd)).finish();
    assert_eq!(flush_denormals(&mut bytes).unwrap_err().kind(), ErrorKind::ModelCorrupt);
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth| {
        let inner = (0..depth).fold(Writer::new(), |inner, _| {
            let in_node = Writer::new().message(node::ATTRIBUTE, Writer::new().message(attribute::G, inner));
            Writer::new().message(graph::NODE, in_node)
        });
        Writer::new().message(model::GRAPH, inner).finish()
    };
    assert_eq!(flush_denormals(&mut nested(DEEPEST_GRAPH)).unwrap(), 0);
    for depth in [DEEPEST_GRAPH + 1, 2000] {
        let error = flush_denormals(&mut nested(depth)).unwrap_err();
        assert!(error.to_string().contains("nested too deeply"), "{error}");
    }
}

#[test]
fn an_ort_file_is_left_alone() {
    let mut bytes = *b"\x18\0\0\0ORTM\xff\xff\xff\xff";
    assert_eq!(flush_denormals(&mut bytes).unwrap(), 0);
}

#[test]
fn every_prefix_of_a_model_is_an_error_or_a_shorter_model() {
    let whole = encode(&[Tensor::floats(Place::Subgraph, Storage::Packed, &[TINY, 1.0])]);
    for end in 0..whole.len() {
        let mut prefix = whole[..end].to_vec();
        if let Ok(changed) = flush_denormals(&mut prefix) {
            assert_eq!((changed, prefix), (0, whole[..end].to_vec()));
        }
    }
}

fn any_tensor() -> impl Strategy<Value = Tensor> {
    use Place::*;
    let place =
        prop::sample::select(vec![Initializer, SparseInitializer, Attribute, SparseAttribute, Subgraph, Function]);
    let storage = prop::sample::select(vec![Storage::Raw, Storage::Packed, Storage::Unpacked]);
    let value = prop_oneof![any::<u32>().prop_map(f32::from_bits), -1e-29f32..1e-29, Just(TINY), Just(-0.0)];
    let data_type = prop::sample::select(vec![tensor::FLOAT, tensor::FLOAT, DOUBLE]);
    (place, storage, data_type, any::<bool>(), prop::collection::vec(value, 0..20)).prop_map(
        |(place, storage, data_type, type_first, values)| Tensor { place, storage, data_type, type_first, values },
    )
}

proptest! {
    #[test]
    fn only_tiny_floats_change(tensors in prop::collection::vec(any_tensor(), 0..6)) {
        let (flushed, changed): (Vec<_>, Vec<_>) = tensors.iter().map(Tensor::flushed).unzip();
        let mut bytes = encode(&tensors);
        prop_assert_eq!(flush_denormals(&mut bytes).unwrap(), changed.into_iter().sum::<usize>());
        prop_assert_eq!(&bytes, &encode(&flushed));
        prop_assert_eq!(flush_denormals(&mut bytes).unwrap(), 0);
    }

    #[test]
    fn any_bytes_give_an_answer(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let length = bytes.len();
        let _ = flush_denormals(&mut bytes);
        prop_assert_eq!(bytes.len(), length);
    }

    #[test]
    fn a_damaged_model_gives_an_answer(tensors in prop::collection::vec(any_tensor(), 1..4), at: prop::sample::Index, byte: u8) {
        let mut bytes = encode(&tensors);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let before = bytes.clone();
        if flush_denormals(&mut bytes).is_err() {
            prop_assert_eq!(bytes, before);
        }
    }
}
