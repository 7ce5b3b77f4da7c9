//! Running models: the contract between a stage and a model, and ONNX Runtime behind it.

mod session;

pub use session::{
    Keep, Model, ModelSpec, OrtModel, Port, Provider, SessionOptions, Tensor, load_runtime, runtime_path,
};
