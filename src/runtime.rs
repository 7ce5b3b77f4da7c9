//! Running models: the contract between a stage and a model, and ONNX Runtime behind it.

mod model;
mod provider;
mod session;

pub use model::{Element, Model, ModelSpec, Named, Port, ReadOutputs, Tensor, Value};
pub use provider::Provider;
pub use session::{Keep, OrtModel, SessionOptions, built_in, load_runtime, runtime_path};
