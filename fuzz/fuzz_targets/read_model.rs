//! Any bytes are a model or an error, and conditioning them changes no length and is done after one pass.
#![no_main]

use ferrocr::models::onnx::{flush_denormals, summary};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = summary(bytes);
    let mut conditioned = bytes.to_vec();
    match flush_denormals(&mut conditioned) {
        Ok(_) => assert_eq!(flush_denormals(&mut conditioned).ok(), Some(0)),
        Err(_) => assert_eq!(conditioned, bytes, "an error leaves the bytes alone"),
    }
});
