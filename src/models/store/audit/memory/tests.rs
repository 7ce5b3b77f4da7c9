use std::fs;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use proptest::prelude::*;

use super::*;

fn content(file: u64, bytes: u64) -> Content {
    let key = Key { file: (1, file), bytes, written: (1000, 5), changed: (1001, 5) };
    Content { bytes, sha256: "ab".repeat(32), structure: None, is_changing: false, key: Some(key) }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn path() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/memory");
    (dir, path)
}

#[test]
fn what_is_learned_is_recalled_with_the_whole_key_only() {
    let (_dir, path) = path();
    let learned = content(7, 3);
    let mut memory = Memory::load(Some(&path));
    memory.learn(&learned, at(2000));
    memory.save();
    let mut memory = Memory::load(Some(&path));
    let key = learned.key.unwrap();
    assert_eq!(memory.recall(&key), Some(learned));
    let others = [
        Key { file: (2, 7), ..key },
        Key { file: (1, 8), ..key },
        Key { bytes: 4, ..key },
        Key { written: (1000, 6), ..key },
        Key { changed: (1002, 5), ..key },
    ];
    for other in others {
        assert_eq!(memory.recall(&other), None, "{other:?}");
    }
}

#[test]
fn a_file_is_remembered_once_it_has_been_left_alone() {
    for (now, is_remembered) in [(at(900), false), (at(1003), false), (at(1004), true)] {
        let (_dir, path) = path();
        let mut memory = Memory::load(Some(&path));
        memory.learn(&content(7, 3), now);
        memory.save();
        assert_eq!(path.exists(), is_remembered, "{now:?}");
    }
    let mut memory = Memory::load(Some(Path::new("none")));
    memory.learn(&Content { key: None, ..content(7, 3) }, at(2000));
    assert!(!memory.has_news, "it changed while it was read");
}

#[test]
fn a_file_s_newer_content_takes_the_place_of_the_older() {
    let (_dir, path) = path();
    let mut memory = Memory::load(Some(&path));
    memory.learn(&content(7, 3), at(2000));
    memory.learn(&content(7, 4), at(2000));
    assert_eq!(memory.lines.len(), 1);
    assert_eq!(memory.recall(&content(7, 3).key.unwrap()), None);
}

#[test]
fn nothing_new_is_not_written() {
    let (_dir, path) = path();
    let mut memory = Memory::load(Some(&path));
    memory.learn(&content(7, 3), at(2000));
    memory.save();
    fs::write(&path, fs::read_to_string(&path).unwrap() + "else\n").unwrap();
    let mut memory = Memory::load(Some(&path));
    memory.learn(&content(7, 3), at(2000));
    memory.save();
    assert!(fs::read_to_string(&path).unwrap().ends_with("else\n"));
}

#[test]
fn where_it_cannot_be_written_nothing_happens() {
    let (dir, _) = path();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    for path in [file.join("memory"), dir.path().to_owned()] {
        let mut memory = Memory::load(Some(&path));
        memory.learn(&content(7, 3), at(2000));
        memory.save();
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn it_does_not_grow_without_end_and_forgets_the_unseen_first() {
    let (_dir, path) = path();
    let mut memory = Memory::load(Some(&path));
    for file in 0..MOST as u64 + 10 {
        memory.learn(&content(file, 3), at(2000));
    }
    memory.save();
    let mut memory = Memory::load(Some(&path));
    assert_eq!(memory.lines.len(), MOST);
    for file in MOST as u64 * 2..MOST as u64 * 2 + 20 {
        memory.learn(&content(file, 3), at(2000));
    }
    memory.save();
    let memory = Memory::load(Some(&path));
    let newest = memory.lines.keys().filter(|file| file.1 >= MOST as u64 * 2).count();
    assert_eq!((memory.lines.len(), newest), (MOST, 20));
}

fn any_structure() -> impl Strategy<Value = Option<Structure>> {
    let words = "[^\\p{C}\\p{Z}]{1,20}";
    let role = prop::option::of(prop::sample::select(Role::ALL.to_vec()));
    prop_oneof![
        Just(None),
        Just(Some(Structure::Ort)),
        (role, prop::option::of(words)).prop_map(|(role, version)| Some(Structure::Onnx { role, version })),
        words.prop_map(|why| Some(Structure::Neither(why))),
    ]
}

fn any_content() -> impl Strategy<Value = Content> {
    let time = || (0i64..1_000_000, 0i64..1_000_000_000);
    let key = (any::<(u64, u64)>(), any::<u64>(), time(), time());
    let key = key.prop_map(|(file, bytes, written, changed)| Key { file, bytes, written, changed });
    ("[0-9a-f]{64}", any_structure(), key).prop_map(|(sha256, structure, key)| Content {
        bytes: key.bytes,
        sha256,
        structure,
        is_changing: false,
        key: Some(key),
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(contents in prop::collection::vec(any_content(), 0..5)) {
        let mut memory = Memory { path: Some("memory".into()), ..Memory::default() };
        for content in &contents {
            memory.learn(content, at(2_000_000));
        }
        prop_assert_eq!(parse(&memory.text()), memory.lines);
    }

    #[test]
    fn any_text_is_read_without_harm(text: String, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(parse(&text).is_empty());
        let text = format!("{HEADER}\n{text}\n{}", String::from_utf8_lossy(&bytes));
        prop_assert!(parse(&text).is_empty());
    }

    #[test]
    fn a_damaged_line_is_left_out(
        contents in prop::collection::vec(any_content(), 1..4),
        at_byte: prop::sample::Index,
        byte: u8,
        is_cut: bool,
    ) {
        let mut memory = Memory { path: Some("memory".into()), ..Memory::default() };
        for content in &contents {
            memory.learn(content, at(2_000_000));
        }
        let mut bytes = memory.text().into_bytes();
        let place = at_byte.index(bytes.len());
        match is_cut {
            true => bytes.truncate(place),
            false => bytes[place] = byte,
        }
        for (file, line) in parse(&String::from_utf8_lossy(&bytes)) {
            prop_assert_eq!(Some(&line), memory.lines.get(&file));
        }
    }
}
