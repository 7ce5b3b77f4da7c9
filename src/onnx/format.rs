//! The two formats of a model's file.

/// The layout of a model's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// A protobuf message: whatever does not say that it is something else.
    Onnx,
    /// ONNX Runtime's own flatbuffer, known by its identifier. Its content is not looked into.
    Ort,
}

impl Format {
    /// Returns the format of `bytes`, by what they begin with.
    pub fn of(bytes: &[u8]) -> Self {
        // A flatbuffer's identifier follows the offset of its root.
        if bytes.get(4..8) == Some(b"ORTM") { Self::Ort } else { Self::Onnx }
    }
}
