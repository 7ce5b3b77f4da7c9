//! Any bytes decode to a picture within the limits, or to an error.
#![no_main]

use ferrocr::image::decode::decode;
use ferrocr::options::DecodeLimits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = DecodeLimits { max_pixels: 1 << 20, max_side: 4096, max_bytes: 1 << 20 };
    if let Ok(picture) = decode(bytes, &limits) {
        assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels);
    }
});
