//! Any bytes are a TIFF file whose pages decode within the limits, or an error.
#![no_main]

use ferrocr::image::decode::frames::Frames;
use ferrocr::options::DecodeLimits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = DecodeLimits { max_pixels: 1 << 20, max_side: 4096, max_bytes: 1 << 20 };
    let Ok(frames) = Frames::of_bytes(bytes.to_vec()) else { return };
    // Each directory takes bytes of the input, so there are not many.
    for index in 0..frames.count().min(16) {
        if let Ok(picture) = frames.decode(index, &limits) {
            assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels);
        }
    }
});
