use std::fs;
use std::path::PathBuf;

use super::*;
use crate::error::ErrorKind;
use crate::models::Role;
use crate::models::store::Store;
use crate::stop::Reason;

#[test]
fn each_load_has_a_lease_and_waits_for_it_no_longer_than_its_call() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, recognizer) = (dir.path().join("x.onnx"), dir.path().join("y.onnx"));
    fs::write(&detector, "").unwrap();
    let files = ModelFiles::from_iter([(Role::Detector, detector), (Role::Recognizer, recognizer)]);
    let store = Store::open(dir.path()).unwrap();
    let first = Protection::of(&files, &store).unwrap();
    assert!(first.files() == 2 && first.fault().is_none());
    let protections = Protections::new(files, Some(first));
    assert_eq!(protections.next(None).unwrap().unwrap().files(), 2);
    assert!(store.in_use().unwrap().is_empty(), "it went with its load");
    let second = protections.next(None).unwrap().unwrap();
    assert_eq!(store.in_use().unwrap().len(), 2);
    drop(second);

    let lock = fs::File::open(dir.path().join(".ferrocr/lock")).unwrap();
    lock.lock().unwrap();
    let stop = Stop::new();
    stop.fire(Reason::Cancelled);
    assert_eq!(protections.next(Some(&stop)).unwrap_err().kind(), ErrorKind::Cancelled);
    let unprotected = protections.next(Some(&Stop::new())).unwrap().unwrap();
    assert!(unprotected.files() == 0 && unprotected.fault().is_some_and(|fault| fault.hint().is_some()));
}

#[cfg(unix)]
#[test]
fn models_of_the_store_are_known_by_whatever_way_they_are_reached() {
    use std::os::unix::fs::symlink;

    let outer = tempfile::tempdir().unwrap();
    let (dir, link) = (outer.path().join("models"), outer.path().join("link"));
    fs::create_dir_all(dir.join("sub")).unwrap();
    symlink(&dir, &link).unwrap();
    for name in ["models/x.onnx", "models/y.onnx", "elsewhere.onnx"] {
        fs::write(outer.path().join(name), "").unwrap();
    }
    symlink(dir.join("y.onnx"), outer.path().join("to y")).unwrap();
    let names = |detector: PathBuf, recognizer: PathBuf, dir: &Path| {
        let files = ModelFiles::from_iter([(Role::Detector, detector), (Role::Recognizer, recognizer)]);
        files.names_in(&Store::open(dir).unwrap())
    };
    assert_eq!(names(dir.join("x.onnx"), outer.path().join("elsewhere.onnx"), &dir), ["x.onnx"]);
    assert_eq!(names(link.join("x.onnx"), outer.path().join("to y"), &dir), ["x.onnx", "y.onnx"]);
    assert_eq!(names(dir.join("sub/../x.onnx"), dir.join("y.onnx"), &link), ["x.onnx", "y.onnx"]);
    assert!(names("x.onnx".into(), outer.path().to_owned(), &outer.path().join("missing")).is_empty());
}
