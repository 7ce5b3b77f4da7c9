//! Running models: the contract between a stage and a model, and ONNX Runtime behind it.

mod model;
mod provider;
mod session;

pub use model::{Model, ModelSpec, Port, Tensor};
pub use provider::Provider;
pub use session::{Keep, OrtModel, SessionOptions, built_in, load_runtime, runtime_path};
