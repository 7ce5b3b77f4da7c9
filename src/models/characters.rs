//! The list of characters that lies beside a model.
//!
//! A recogniser of PaddleOCR gives numbers of classes. Models that RapidOCR publishes have the characters in themselves;
//! those that PaddlePaddle publishes come as a folder with `inference.onnx` and `inference.yml`, older ones with a text
//! file.

use std::io::{self, ErrorKind as IoKind};
use std::path::{Path, PathBuf};

use saphyr_parser::{Event, Parser};

use super::LONGEST_LIST;
use crate::error::{Error, Result};
use crate::files::{open_regular, read_bounded};

/// The name of a model in a folder of its own, as PaddlePaddle publishes them.
pub(super) const MODEL_IN_FOLDER: &str = "inference.onnx";

/// The place of the list in such a folder's description.
const KEYS: [&str; 2] = ["PostProcess", "character_dict"];

/// Returns the list of characters beside a model, one a line, if there is one: in the file of the same name with suffix
/// `.txt`, in that with suffix `.yml`, or, beside an `inference.onnx`, in the only text file there.
///
/// # Errors
/// [`crate::ErrorKind::Io`] for what cannot be read, is too long, or no list.
pub(crate) fn beside(model: &Path) -> Result<Option<String>> {
    let text = model.with_extension("txt");
    if let Some(list) = read(&text)? {
        return Ok(Some(list));
    }
    let description = model.with_extension("yml");
    if let Some(content) = read(&description)?
        && let Some(list) = described(&content).map_err(|error| unfit(&description, error))?
    {
        return Ok(Some(list));
    }
    match only_text(model) {
        Some(text) => read(&text),
        None => Ok(None),
    }
}

/// Reads a text file, if it is there.
fn read(path: &Path) -> Result<Option<String>> {
    let text = |bytes| String::from_utf8(bytes).map_err(|_| invalid("it is no text in UTF-8"));
    match open_regular(path).and_then(|file| read_bounded(file, LONGEST_LIST)).and_then(text) {
        Ok(list) => Ok(Some(list)),
        Err(error) if error.kind() == IoKind::NotFound => Ok(None),
        Err(error) => Err(unfit(path, error)),
    }
}

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(IoKind::InvalidData, why.into())
}

fn unfit(path: &Path, error: io::Error) -> Error {
    Error::io("read the list of characters", path, error)
        .with_hint("put a text file there with a character a line, or move away what is there")
}

/// Returns the only text file beside a model that has a folder of its own.
fn only_text(model: &Path) -> Option<PathBuf> {
    if model.file_name()? != MODEL_IN_FOLDER {
        return None;
    }
    let names = model.parent()?.read_dir().ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut texts = names.filter(|path| path.extension().is_some_and(|suffix| suffix == "txt") && path.is_file());
    let text = texts.next()?;
    texts.next().is_none().then_some(text)
}

/// Returns the characters of a description in YAML, one a line; none where it has no list.
fn described(description: &str) -> io::Result<Option<String>> {
    let mut events = Parser::new_from_str(description);
    let mut next = move || match events.next_event() {
        Some(event) => event.map(|(event, _)| event).map_err(|error| invalid(format!("it is no YAML: {error}"))),
        None => Ok(Event::StreamEnd),
    };
    for key in KEYS {
        if !enter(key, &mut next)? {
            return Ok(None);
        }
    }
    if !matches!(next()?, Event::SequenceStart(..)) {
        return Err(invalid(format!("{} is no list", KEYS.join("."))));
    }
    let mut list = String::new();
    loop {
        match next()? {
            Event::SequenceEnd => return Ok(Some(list)),
            Event::Scalar(character, ..) if !character.contains('\n') => {
                list.push_str(&character);
                list.push('\n');
            }
            _ => return Err(invalid(format!("{} has something else than characters", KEYS.join(".")))),
        }
    }
}

/// Goes on to the value of a key in the mapping that comes next, if there is one.
fn enter<'a>(key: &str, next: &mut impl FnMut() -> io::Result<Event<'a>>) -> io::Result<bool> {
    // The number of collections that what comes next lies in, from the mapping on, and in the mapping itself the number
    // of keys and values that came.
    let (mut depth, mut seen) = (0usize, 0usize);
    loop {
        let event = next()?;
        if depth == 1 && seen.is_multiple_of(2) && matches!(&event, Event::Scalar(text, ..) if text == key) {
            return Ok(true);
        }
        match event {
            Event::StreamEnd => return Ok(false),
            Event::MappingStart(..) | Event::SequenceStart(..) => {
                if depth == 0 && !matches!(event, Event::MappingStart(..)) {
                    return Ok(false);
                }
                depth += 1;
                continue;
            }
            Event::MappingEnd | Event::SequenceEnd => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok(false);
                }
            }
            Event::Scalar(..) | Event::Alias(_) if depth == 0 => return Ok(false),
            Event::Scalar(..) | Event::Alias(_) => {}
            _ => continue,
        }
        seen += usize::from(depth == 1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_of_characters_is_read_where_there_is_one() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join("mine.onnx");
        assert_eq!(beside(&model).unwrap(), None);
        std::fs::write(dir.path().join("mine.txt"), "x\ny\n").unwrap();
        assert_eq!(beside(&model).unwrap().as_deref(), Some("x\ny\n"));
    }

    /// None of them ends, or ever gives control back.
    #[cfg(unix)]
    #[test]
    fn what_is_no_list_of_characters_is_refused_at_once() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        mknodat(CWD, at("pipe.txt"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        symlink("/dev/zero", at("zero.txt")).unwrap();
        std::fs::File::create(at("holes.txt")).unwrap().set_len(1 << 40).unwrap();
        std::fs::create_dir(at("folder.txt")).unwrap();
        std::fs::write(at("binary.txt"), b"\xff\xfe").unwrap();
        let cases = [
            ("pipe", "no regular file"),
            ("zero", "no regular file"),
            ("holes", "longer than"),
            ("folder", "no regular file"),
            ("binary", "no text in UTF-8"),
        ];
        for (name, why) in cases {
            let error = beside(&at(&format!("{name}.onnx"))).unwrap_err();
            assert!(error.to_string().contains(why) && error.hint().is_some(), "{error}");
            assert!(error.to_string().contains(&at(&format!("{name}.txt")).display().to_string()), "{error}");
        }
    }

    /// A description as PaddlePaddle publishes them, in short.
    const DESCRIPTION: &str = "Global:
  model_name: PP-OCRv5_mobile_rec
Hpi:
  backend_configs:
    character_dict: [no]
    trt:
      x:
      - - 1
        - 3
PreProcess:
  transform_ops:
  - DecodeImage:
      img_mode: BGR
  - RecResizeImg:
      image_shape: [3, 48, 320]
PostProcess:
  name: CTCLabelDecode
  character_dict:
  - '\u{3000}'
  - \u{4e00}
  - '!'
  - '\'\''
  - \"\\\"\"
  - '#'
  - '-'
  - '~'
  - 1
";

    #[test]
    fn a_folder_of_paddlepaddle_has_its_characters_in_its_description() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join(MODEL_IN_FOLDER);
        std::fs::write(dir.path().join("inference.yml"), DESCRIPTION).unwrap();
        let list = beside(&model).unwrap().unwrap();
        assert_eq!(list.lines().collect::<Vec<_>>(), ["\u{3000}", "\u{4e00}", "!", "'", "\"", "#", "-", "~", "1"]);
        std::fs::write(dir.path().join("inference.txt"), "x\n").unwrap();
        assert_eq!(beside(&model).unwrap().as_deref(), Some("x\n"), "it comes first");
    }

    #[test]
    fn a_description_without_a_list_is_none() {
        for text in [
            "",
            "# nothing",
            "character_dict: [a]",
            "PostProcess: character_dict",
            "- PostProcess",
            "PostProcess: [character_dict]",
            "a: PostProcess\ncharacter_dict: [x]",
            "a:\n  PostProcess:\n    character_dict: [x]",
            "PostProcess: {name: DBPostProcess, thresh: 0.3}\nother: {character_dict: [x]}",
            "PostProcess: {a: character_dict, b: {character_dict: [x]}}",
        ] {
            assert_eq!(described(text).unwrap(), None, "{text}");
        }
        for (text, why) in [
            ("PostProcess: {character_dict: abc}", "is no list"),
            ("PostProcess: {character_dict: [[a]]}", "something else than characters"),
            ("PostProcess: {character_dict: [\"a\\nb\"]}", "something else than characters"),
            ("PostProcess: {character_dict: [a", "no YAML"),
            ("PostProcess: \"", "no YAML"),
        ] {
            assert!(described(text).unwrap_err().to_string().contains(why), "{text}");
        }
    }

    #[test]
    fn the_only_text_beside_a_model_with_a_folder_of_its_own_is_its_list() {
        let dir = tempfile::tempdir().unwrap();
        let model = dir.path().join(MODEL_IN_FOLDER);
        std::fs::write(dir.path().join("ppocrv5_dict.txt"), "a\nb\n").unwrap();
        assert_eq!(beside(&model).unwrap().as_deref(), Some("a\nb\n"));
        assert_eq!(beside(&dir.path().join("other.onnx")).unwrap(), None, "a directory of many models");
        std::fs::write(dir.path().join("LICENCE.txt"), "a").unwrap();
        assert_eq!(beside(&model).unwrap(), None, "which one?");
    }

    #[test]
    fn deep_and_long_descriptions_end() {
        for part in ["[", "{a: ", "- ", "? ", "&a ", "PostProcess: "] {
            let _ = described(&part.repeat(100_000));
        }
        let list: String = "PostProcess: {character_dict: [".to_owned() + &"x, ".repeat(200_000) + "]}";
        assert_eq!(described(&list).unwrap().unwrap().lines().count(), 200_000);
    }

    proptest! {
        #[test]
        fn any_text_is_a_list_or_an_error(text in "[a-cPostProcess:character_dict \\[\\]{}\"'\n,&*!|>%@-]{0,60}") {
            let _ = described(&text);
            let _ = described(&format!("PostProcess:\n  character_dict:\n{text}"));
        }

        #[test]
        fn quoted_characters_come_back(characters in prop::collection::vec("[^\n\r\u{85}\u{2028}\u{2029}\u{feff}\\p{Cc}]{1,2}", 0..20)) {
            let quoted = |one: &String| format!("  - '{}'\n", one.replace('\'', "''"));
            let items: String = characters.iter().map(quoted).collect();
            let items = if items.is_empty() { "    []\n".to_owned() } else { items };
            let list = described(&format!("PostProcess:\n  character_dict:\n{items}")).unwrap().unwrap();
            prop_assert_eq!(list.split_terminator('\n').collect::<Vec<_>>(), characters);
        }
    }
}
