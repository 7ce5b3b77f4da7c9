//! Any bytes are a model or an error. Conditioning them changes no length and is done after one pass; a head that comes
//! off leaves a model and weights that fit.
#![no_main]

use ferrocr::models::onnx::{cut_head, flush_denormals, summary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = summary(bytes);
    if let Some(cut) = cut_head(bytes) {
        assert!(summary(&cut.model).is_ok() || summary(bytes).is_err());
        assert_eq!(cut.head.weights.len(), cut.head.inputs * cut.head.classes);
    }
    let mut conditioned = bytes.to_vec();
    match flush_denormals(&mut conditioned) {
        Ok(_) => assert_eq!(flush_denormals(&mut conditioned).ok(), Some(0)),
        Err(_) => assert_eq!(conditioned, bytes, "an error leaves the bytes alone"),
    }
});
