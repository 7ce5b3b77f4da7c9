use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::*;

fn job(path: &Path, is_unknown: bool) -> Job {
    let bytes = fs::metadata(path).map_or(0, |meta| meta.len());
    Job { path: path.to_owned(), bytes, is_unknown }
}

fn content(outcome: &Outcome) -> &Content {
    match outcome {
        Outcome::Read(content) => content,
        other => panic!("{other:?}"),
    }
}

#[test]
fn many_files_are_read_as_each_by_itself() {
    let dir = tempfile::tempdir().unwrap();
    let lengths = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 7];
    let mut jobs = Vec::new();
    for (index, length) in lengths.iter().cycle().take(50).enumerate() {
        let path = dir.path().join(index.to_string());
        fs::write(&path, vec![index as u8; *length]).unwrap();
        jobs.push(job(&path, index % 2 == 0));
    }
    for (index, outcome) in read_all(&jobs, &[]).iter().enumerate() {
        let bytes = vec![index as u8; lengths[index % lengths.len()]];
        let digest = Digest::read(&mut bytes.as_slice(), None).unwrap();
        let found = content(outcome);
        assert_eq!((found.bytes, &found.sha256), (digest.bytes, &digest.sha256), "{index}");
        let structure = (index % 2 == 0).then(|| Structure::of(&bytes));
        assert_eq!((&found.structure, found.is_changing), (&structure, false), "{index}");
    }
}

#[test]
fn a_short_file_after_a_long_one_sees_nothing_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let (long, short) = (dir.path().join("long"), dir.path().join("short"));
    fs::write(&long, vec![0; 1000]).unwrap();
    fs::write(&short, b"\x18\0\0\0ORT").unwrap();
    let mut buffer = Vec::new();
    read(&job(&long, true), &[], &mut buffer);
    let outcome = read(&job(&short, true), &[], &mut buffer);
    assert_eq!(content(&outcome).structure, Some(Structure::of(b"\x18\0\0\0ORT")));
}

#[test]
fn what_cannot_be_read_is_told_from_what_has_gone() {
    let dir = tempfile::tempdir().unwrap();
    let jobs = [job(dir.path(), true), job(&dir.path().join("none"), true)];
    let outcomes = read_all(&jobs, &[]);
    assert!(matches!(&outcomes[0], Outcome::Failed(why) if !why.is_empty()));
    assert_eq!(outcomes[1], Outcome::Gone);
    assert!(read_all(&[], &[]).is_empty());
}

#[cfg(target_os = "linux")]
#[test]
fn a_pipe_in_the_place_of_a_file_holds_nobody_up() {
    use rustix::fs::{CWD, FileType, Mode, mknodat};

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("pipe");
    mknodat(CWD, &path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert!(matches!(&read_all(&[job(&path, true)], &[])[0], Outcome::Failed(why) if why.contains("no regular file")));
}

#[test]
fn a_file_that_does_not_stop_growing_is_read_to_an_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("log");
    fs::write(&path, vec![7; 4 << 20]).unwrap();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = File::options().append(true).open(&path).unwrap();
            while !is_done.load(Ordering::Relaxed) {
                file.write_all(b"more").unwrap();
            }
        });
        for is_unknown in [false, true] {
            let outcomes = read_all(&[job(&path, is_unknown)], &[]);
            let found = content(&outcomes[0]);
            assert!(found.is_changing && found.key.is_none());
        }
        is_done.store(true, Ordering::Relaxed);
    });
}

#[test]
fn what_no_onnx_file_can_be_is_only_hashed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge");
    File::create(&path).unwrap().set_len(LARGE + 1).unwrap();
    let mut buffer = Vec::new();
    let mut file = File::open(&path).unwrap();
    let (digest, structure) = read_unknown(&mut file, LARGE + 1, &[], &mut buffer).unwrap();
    assert!(matches!(structure, Some(Structure::Neither(why)) if why.contains("malformed at byte 0")));
    assert_eq!((digest.bytes, buffer.len()), (LARGE + 1, 0), "it is hashed and was never in memory");
}

#[test]
fn what_is_longer_than_any_model_is_not_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("huge");
    File::create(&path).unwrap().set_len(1 << 42).unwrap();
    for is_unknown in [true, false] {
        let job = Job { path: path.clone(), bytes: 1 << 42, is_unknown };
        let Outcome::Read(content) = read(&job, &[], &mut Vec::new()) else { panic!("it can be read") };
        assert!(matches!(content.structure, Some(Structure::Neither(why)) if why.contains("2 GiB")));
        assert!(content.bytes == 1 << 42 && content.sha256.is_empty() && content.key.is_none());
    }
}

/// Written through a mapping into memory, a file there changes and its times do not.
#[cfg(target_os = "linux")]
#[test]
fn a_file_in_memory_has_no_key_to_be_remembered_by() {
    let Ok(dir) = tempfile::tempdir_in("/dev/shm") else { return };
    let path = dir.path().join("a.onnx");
    fs::write(&path, "abc").unwrap();
    let outcomes = read_all(&[job(&path, true)], &[]);
    assert_eq!((content(&outcomes[0]).bytes, content(&outcomes[0]).key), (3, None));
}
