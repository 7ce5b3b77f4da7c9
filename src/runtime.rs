//! Running models: the contract between a stage and a model, and ONNX Runtime behind it.

mod batches;
mod model;
mod provider;
mod session;
mod shaped;
mod shapes;

pub use batches::lent_to;
pub use model::{Element, Model, ModelSpec, Named, Port, ReadOutputs, Tensor, Value};
pub use provider::Provider;
pub use session::{Keep, OrtModel, SessionOptions, built_in, load_runtime, runtime_path};
pub use shaped::{Open, Shaped};
pub use shapes::Sides;
