//! Any bytes are no archive, or one whose files are copied as its list says or not at all.
#![no_main]

use std::io::Cursor;

use ferrocr::models::store::Archive;
use libfuzzer_sys::fuzz_target;
use sha2::{Digest, Sha256};

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut archive) = Archive::open("it", Cursor::new(bytes)) else { return };
    for (index, file) in archive.files().to_vec().iter().enumerate() {
        let (mut hash, mut length) = (Sha256::new(), 0);
        let copied = archive.copy(index, &mut |chunk| {
            hash.update(chunk);
            length += chunk.len() as u64;
            Ok(())
        });
        if copied.is_ok() {
            let hash: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((length, hash), (file.bytes, file.sha256.clone()));
        }
    }
});
