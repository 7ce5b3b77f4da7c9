use super::*;

fn from_file(path: PathBuf) -> PullOptions {
    PullOptions { file: Some(path), offline: true, ..PullOptions::default() }
}

#[test]
fn a_named_file_is_taken_without_any_network() {
    let (dir, store) = store();
    let path = dir.path().join("download (1)");
    fs::write(&path, &*CONTENT).unwrap();
    let server = Server::playing(&CONTENT, [Step::Serve]);
    let mut told = Vec::new();
    let options = PullOptions { mirror: Some(server.address.clone()), ..from_file(path.clone()) };
    leave_part(&store, &MODEL, b"an earlier download");
    pull(&store, &[&MODEL, &MODEL], &options, &mut |progress| {
        told.push((progress.source, progress.done));
        true
    })
    .unwrap();
    assert_eq!(told.last(), Some(&(Source::File, CONTENT.len() as u64)));
    assert_eq!(server.requests().len(), 0);
    has_exactly(&store, &MODEL);
    assert!(path.exists());
}

#[test]
fn a_named_file_that_will_not_do_is_named_in_the_error() {
    struct Case {
        content: Option<&'static [u8]>,
        kind: ErrorKind,
        says: &'static str,
    }
    let cases = [
        Case { content: None, kind: ErrorKind::Io, says: "No such file" },
        Case { content: Some(b"xyz"), kind: ErrorKind::ModelCorrupt, says: "expected SHA-256" },
        Case { content: Some(b"ab"), kind: ErrorKind::ModelCorrupt, says: "expected 3 bytes, found 2" },
        Case { content: Some(b"abcd"), kind: ErrorKind::ModelCorrupt, says: "longer than 3 bytes" },
    ];
    for case in cases {
        let (dir, store) = store();
        let path = dir.path().join("mine");
        if let Some(content) = case.content {
            fs::write(&path, content).unwrap();
        }
        let error = pull_quietly(&store, &[&ABC], &from_file(path.clone())).unwrap_err();
        assert_eq!(error.kind(), case.kind, "{error}");
        let text = error.to_string();
        assert!(text.contains(&path.display().to_string()) && text.contains(case.says), "{text}");
        assert!(is_untouched(&store));
    }
}

#[test]
fn a_folder_is_no_named_file() {
    let (dir, store) = store();
    let error = pull_quietly(&store, &[&ABC], &from_file(dir.path().to_owned())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("no regular file"), "{error}");
}

#[test]
fn a_named_file_is_for_exactly_one_model() {
    let (dir, store) = store();
    let path = dir.path().join("mine");
    fs::write(&path, "abc").unwrap();
    for entries in [vec![], vec![&ABC, &*MODEL]] {
        let error = pull_quietly(&store, &entries, &from_file(path.clone())).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert!(!store.dir().exists());
}

#[test]
fn a_right_model_needs_no_named_file() {
    let (dir, store) = store();
    store.admit_from("abc.onnx", &Expected::from(&ABC), &mut &b"abc"[..]).unwrap();
    pull_quietly(&store, &[&ABC], &from_file(dir.path().join("not there"))).unwrap();
}
