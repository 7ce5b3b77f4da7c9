use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

fn pull_with_space(store: &Store, entry: &Entry, free: u64, options: &PullOptions) -> Result<Vec<PathBuf>> {
    pull_to(Place::with_space(store, &|_: &Path| Some(free)), &[entry], options, &mut |_| true)
}

#[test]
fn a_disk_without_room_is_told_before_anything_is_asked() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Serve]);
    let error = pull_with_space(&store, &MODEL, 1_000_000, &server.options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("for model.onnx: 1.3 MB are needed, 1.0 MB are free"), "{error}");
    assert_eq!(server.requests().len(), 0);
    assert!(is_untouched(&store));
}

#[test]
fn only_the_rest_needs_room() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Serve]);
    let left = CONTENT.len() - 1000;
    leave_part(&store, &MODEL, &CONTENT[..left]);
    pull_with_space(&store, &MODEL, (1 << 20) + 1000, &server.options()).unwrap();
    assert_eq!(server.ranges(), [Some(left)]);
}

#[test]
fn the_length_that_a_server_names_needs_room_too() {
    let (_dir, store) = store();
    let first = Server::playing(&CONTENT, [Step::Serve]);
    let model = Entry { bytes: None, ..*MODEL };
    let error = pull_with_space(&store, &model, 1_000_000, &first.options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(is_untouched(&store));
}

#[test]
fn a_disk_that_says_nothing_is_tried() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Serve]);
    let asked = AtomicU64::new(0);
    let unknown = |path: &Path| {
        assert_eq!(path, store.dir());
        asked.fetch_add(1, Ordering::SeqCst);
        None
    };
    pull_to(Place::with_space(&store, &unknown), &[&MODEL], &server.options(), &mut |_| true).unwrap();
    assert!(asked.load(Ordering::SeqCst) > 0);
}

/// The system lets the child write no file beyond 64 or 128 KiB, whichever its shell counts in.
#[cfg(unix)]
#[test]
fn a_disk_that_gets_full_ends_the_pull_and_keeps_what_arrived() {
    let (_dir, store) = store();
    let server = Server::playing(&CONTENT, [Step::Serve]);
    let mut command = child::limited(&store, &server.address, "trap '' XFSZ; ulimit -f 128; exec \"$@\"");
    let said = child::run(&mut command);
    assert!(said.contains("Err Io: "), "{said}");
    assert!(said.contains("free some space there"), "{said}");
    assert_eq!(server.requests().len(), 1, "no other source and no other try");
    let (_, there) = unfinished(&store)[0].clone();
    assert!(there > 0, "{said}");
    pull_quietly(&store, &[&MODEL], &server.options()).unwrap();
    assert_eq!(server.ranges()[1], Some(there as usize));
    has_exactly(&store, &MODEL);
}
