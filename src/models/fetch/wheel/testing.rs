//! Wheels and interpreters for tests.
#![allow(clippy::unwrap_used, reason = "a test ends at what it did not expect")]

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// A wheel in `dir` with these members.
pub(in crate::models::fetch) fn wheel_file(dir: &Path, members: &[(&str, &str)]) -> PathBuf {
    wheel_of(dir, &members.iter().map(|(name, content)| (*name, content.as_bytes())).collect::<Vec<_>>())
}

/// The same for content that is no text.
pub(in crate::models::fetch) fn wheel_of(dir: &Path, members: &[(&str, &[u8])]) -> PathBuf {
    let path = dir.join("box-1.0-py3-none-any.whl");
    let mut writer = ZipWriter::new(File::create(&path).unwrap());
    for (name, content) in members {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap();
    path
}

/// A program in `dir` that runs these lines of shell. Its eleventh argument is the folder that pip is told.
///
/// Another process writes it: a file that this one ever had open for writing cannot be run while a test beside it
/// starts a process.
pub(in crate::models::fetch) fn interpreter(dir: &Path, script: &str) -> PathBuf {
    let path = dir.join("python");
    let write = r#"printf '#!/bin/sh\n%s\n' "$1" > "$2" && chmod +x "$2""#;
    let status = Command::new("sh").args(["-c", write, "sh", script]).arg(&path).status();
    assert!(status.unwrap().success());
    path
}
