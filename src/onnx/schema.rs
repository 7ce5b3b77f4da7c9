//! The numbers of the fields that are looked at, one module for each message of ONNX's protobuf schema.

/// `ModelProto`, the file.
pub(crate) mod model {
    pub(crate) const IR_VERSION: u32 = 1;
    pub(crate) const PRODUCER_NAME: u32 = 2;
    pub(crate) const PRODUCER_VERSION: u32 = 3;
    pub(crate) const GRAPH: u32 = 7;
    pub(crate) const OPSET_IMPORT: u32 = 8;
    pub(crate) const METADATA_PROPS: u32 = 14;
    pub(crate) const FUNCTIONS: u32 = 25;
}

/// `GraphProto`.
pub(crate) mod graph {
    pub(crate) const NODE: u32 = 1;
    pub(crate) const INITIALIZER: u32 = 5;
    pub(crate) const INPUT: u32 = 11;
    pub(crate) const OUTPUT: u32 = 12;
    pub(crate) const VALUE_INFO: u32 = 13;
    pub(crate) const SPARSE_INITIALIZER: u32 = 15;
}

/// `FunctionProto`: a subgraph with a name, called like an operator.
pub(crate) mod function {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const NODE: u32 = 7;
    pub(crate) const DOMAIN: u32 = 10;
    pub(crate) const ATTRIBUTE_PROTO: u32 = 11;
}

/// `NodeProto`.
pub(crate) mod node {
    pub(crate) const INPUT: u32 = 1;
    pub(crate) const OUTPUT: u32 = 2;
    pub(crate) const OP_TYPE: u32 = 4;
    pub(crate) const ATTRIBUTE: u32 = 5;
    pub(crate) const DOMAIN: u32 = 7;
}

/// `AttributeProto`.
pub(crate) mod attribute {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const I: u32 = 3;
    pub(crate) const T: u32 = 5;
    pub(crate) const G: u32 = 6;
    pub(crate) const TENSORS: u32 = 10;
    pub(crate) const GRAPHS: u32 = 11;
    pub(crate) const TYPE: u32 = 20;
    pub(crate) const SPARSE_TENSOR: u32 = 22;
    pub(crate) const SPARSE_TENSORS: u32 = 23;

    /// `AttributeType.INT`.
    pub(crate) const INT: u64 = 2;
}

/// `SparseTensorProto`.
pub(crate) mod sparse_tensor {
    pub(crate) const VALUES: u32 = 1;
    pub(crate) const DIMS: u32 = 3;
}

/// `TensorProto`.
pub(crate) mod tensor {
    pub(crate) const DIMS: u32 = 1;
    pub(crate) const DATA_TYPE: u32 = 2;
    pub(crate) const FLOAT_DATA: u32 = 4;
    pub(crate) const INT32_DATA: u32 = 5;
    pub(crate) const STRING_DATA: u32 = 6;
    pub(crate) const INT64_DATA: u32 = 7;
    pub(crate) const NAME: u32 = 8;
    pub(crate) const RAW_DATA: u32 = 9;
    pub(crate) const DOUBLE_DATA: u32 = 10;
    pub(crate) const UINT64_DATA: u32 = 11;
    pub(crate) const DATA_LOCATION: u32 = 14;

    /// `DataType.FLOAT`.
    pub(crate) const FLOAT: u64 = 1;
    /// `DataLocation.EXTERNAL`.
    pub(crate) const EXTERNAL: u64 = 1;
}

/// `ValueInfoProto`: an input or output.
pub(crate) mod value_info {
    pub(crate) const NAME: u32 = 1;
    pub(crate) const TYPE: u32 = 2;
}

/// `TypeProto`, and its `Tensor`.
pub(crate) mod value_type {
    pub(crate) const TENSOR: u32 = 1;
    pub(crate) const ELEM_TYPE: u32 = 1;
    pub(crate) const TENSOR_SHAPE: u32 = 2;
}

/// `TensorShapeProto`, and its `Dimension`.
pub(crate) mod shape {
    pub(crate) const DIM: u32 = 1;
    pub(crate) const DIM_VALUE: u32 = 1;
}

/// `OperatorSetIdProto`.
pub(crate) mod opset {
    pub(crate) const DOMAIN: u32 = 1;
    pub(crate) const VERSION: u32 = 2;
}

/// `StringStringEntryProto`.
pub(crate) mod entry {
    pub(crate) const KEY: u32 = 1;
    pub(crate) const VALUE: u32 = 2;
}
