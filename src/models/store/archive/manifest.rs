//! The list of an archive's files.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::super::characters::Lists;
use super::super::names::is_model_name;
use super::rules::{MOST_FILES, longest, name_fault, shown};

/// The list's name for its format.
const FORMAT: &str = "ferrocr-models";

/// The version of the format that is written, and the only one that is read.
const VERSION: u64 = 1;

/// The content that a file of an archive has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content in lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why a list cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is no list of this format.
    Foreign(String),
    /// It is one that only another version of this crate can read.
    Version(String),
    /// It says something that cannot be.
    Wrong(String),
}

/// Returns the list of `files` as text.
pub(super) fn text(files: &[ArchiveFile]) -> String {
    let files: Vec<_> =
        files.iter().map(|file| json!({ "name": file.name, "bytes": file.bytes, "sha256": file.sha256 })).collect();
    json!({ "format": FORMAT, "version": VERSION, "files": files }).to_string()
}

/// Reads a list, and checks all that can be checked without the archive.
pub(super) fn parse(text: &[u8]) -> Result<Vec<ArchiveFile>, Fault> {
    let list: Value = serde_json::from_slice(text).map_err(|error| Fault::Foreign(format!("no JSON: {error}")))?;
    if list.get("format").and_then(Value::as_str) != Some(FORMAT) {
        return Err(Fault::Foreign(format!("it does not say that its format is {FORMAT:?}")));
    }
    match list.get("version").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(version) => {
            return Err(Fault::Version(format!("its format has version {version}, and version {VERSION} can be read")));
        }
        None => return Err(Fault::Wrong("it has no version".to_owned())),
    }
    let rows = list.get("files").and_then(Value::as_array).ok_or_else(|| wrong("it has no list of files"))?;
    if rows.len() > MOST_FILES {
        return Err(wrong(format!("it lists {} files, more than {MOST_FILES}", rows.len())));
    }
    let files = rows.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    check_names(&files)?;
    Ok(files)
}

fn wrong(why: impl Into<String>) -> Fault {
    Fault::Wrong(why.into())
}

fn row(row: &Value) -> Result<ArchiveFile, Fault> {
    let name = row.get("name").and_then(Value::as_str).ok_or_else(|| wrong("a file has no name"))?;
    let of = |why: &str| wrong(format!("{}: {why}", shown(name)));
    if let Some(fault) = name_fault(name) {
        return Err(of(fault));
    }
    let bytes = row.get("bytes").and_then(Value::as_u64).ok_or_else(|| of("it has no length"))?;
    if bytes > longest(name) {
        return Err(of(&format!("it has {bytes} bytes, more than {}", longest(name))));
    }
    let sha256 = row.get("sha256").and_then(Value::as_str).unwrap_or_default();
    if sha256.len() != 64 || !sha256.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(of("it has no SHA-256"));
    }
    Ok(ArchiveFile { name: name.to_owned(), bytes, sha256: sha256.to_ascii_lowercase() })
}

/// Checks that each name is there once, also where case does not count, and nothing but models and their lists of
/// characters.
fn check_names(files: &[ArchiveFile]) -> Result<(), Fault> {
    let lists = Lists::of(files.iter().map(|file| file.name.as_str()));
    let mut seen = HashSet::new();
    for file in files {
        if !is_model_name(&file.name) && lists.models_of(&file.name).is_empty() {
            return Err(wrong(format!("{} is neither a model nor the characters of one", shown(&file.name))));
        }
        if !seen.insert(file.name.to_lowercase()) {
            return Err(wrong(format!("{} is there twice; case does not count", shown(&file.name))));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(name: &str) -> ArchiveFile {
        ArchiveFile { name: name.to_owned(), bytes: 3, sha256: "0a".repeat(32) }
    }

    #[test]
    fn what_is_written_is_read() {
        let files = [file("a.onnx"), file("a.txt"), file("b.BIN"), file("\u{e9}.ort")];
        assert_eq!(parse(text(&files).as_bytes()).unwrap(), files);
        assert_eq!(parse(text(&[]).as_bytes()).unwrap(), []);
    }

    #[test]
    fn wrong_lists_are_told_apart() {
        struct Case {
            text: String,
            fault: fn(String) -> Fault,
            says: &'static str,
        }
        let good = text(&[file("a.onnx")]);
        let swap = |from: &str, to: &str| good.replace(from, to);
        let cases = [
            Case { text: String::new(), fault: Fault::Foreign, says: "no JSON" },
            Case { text: "[".repeat(100_000), fault: Fault::Foreign, says: "no JSON" },
            Case { text: "7".to_owned(), fault: Fault::Foreign, says: "does not say" },
            Case { text: swap("ferrocr-models", "wheel"), fault: Fault::Foreign, says: "does not say" },
            Case {
                text: swap(r#""version":1"#, r#""version":2"#),
                fault: Fault::Version,
                says: "version 1 can be read",
            },
            Case { text: swap(r#""version":1"#, r#""version":"1""#), fault: Fault::Wrong, says: "no version" },
            Case { text: swap("files", "file"), fault: Fault::Wrong, says: "no list of files" },
            Case { text: swap("\"name\"", "\"nom\""), fault: Fault::Wrong, says: "has no name" },
            Case { text: swap("a.onnx", "../a.onnx"), fault: Fault::Wrong, says: "separator" },
            Case { text: swap("a.onnx", ".a.onnx"), fault: Fault::Wrong, says: "starts with a dot" },
            Case { text: swap("a.onnx", "a\\u001b.onnx"), fault: Fault::Wrong, says: "control character" },
            Case { text: swap("a.onnx", "a.exe"), fault: Fault::Wrong, says: "neither a model" },
            Case { text: swap("a.onnx", "a.txt"), fault: Fault::Wrong, says: "neither a model" },
            Case { text: swap(":3", ":-3"), fault: Fault::Wrong, says: "no length" },
            Case { text: swap(":3", ":3.5"), fault: Fault::Wrong, says: "no length" },
            Case { text: swap(":3", ":2147483649"), fault: Fault::Wrong, says: "more than 2147483648" },
            Case { text: swap("0a0a", "0a0"), fault: Fault::Wrong, says: "no SHA-256" },
            Case { text: swap("0a0a", "0a0g"), fault: Fault::Wrong, says: "no SHA-256" },
            Case { text: text(&[file("a.onnx"), file("A.onnx")]), fault: Fault::Wrong, says: "twice" },
        ];
        for case in cases {
            let fault = parse(case.text.as_bytes()).unwrap_err();
            let (Fault::Foreign(why) | Fault::Version(why) | Fault::Wrong(why)) = &fault;
            assert!(why.contains(case.says), "{why}");
            assert_eq!(fault, (case.fault)(why.clone()));
        }
    }

    #[test]
    fn too_many_files_are_refused() {
        let files: Vec<_> = (0..=MOST_FILES).map(|number| file(&format!("{number}.onnx"))).collect();
        parse(text(&files[1..]).as_bytes()).unwrap();
        assert!(matches!(parse(text(&files).as_bytes()), Err(Fault::Wrong(why)) if why.contains("1001 files")));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_or_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes);
        }
    }
}
