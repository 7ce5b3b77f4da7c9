use std::fs;
use std::path::PathBuf;

use super::*;
use crate::error::ErrorKind;
use crate::models::fetch::PullOptions;
use crate::models::store::Store;
use crate::models::{Choice, Role};
use crate::stop::Reason;

/// Nobody's answers: the library is not there.
struct Alone;

impl Host for Alone {
    fn library(&self) -> Result<PathBuf> {
        Ok("/missing/libonnxruntime.so".into())
    }

    fn sources(&self) -> Result<PullOptions> {
        Ok(PullOptions { offline: true, ..PullOptions::default() })
    }
}

#[test]
fn a_load_is_protected_and_waits_for_that_no_longer_than_its_call() {
    let dir = tempfile::tempdir().unwrap();
    let (detector, recognizer) = (dir.path().join("x.onnx"), dir.path().join("y.onnx"));
    fs::write(&detector, "").unwrap();
    let files = ModelFiles::from_iter([(Role::Detector, detector), (Role::Recognizer, recognizer)]);
    let store = Store::open(dir.path()).unwrap();
    let first = Protection::of(&files, &store, |fault| panic!("{fault}")).unwrap();
    assert_eq!(first.files(), 2);
    assert_eq!(store.in_use().unwrap().len(), 2);
    drop(first);
    assert!(store.in_use().unwrap().is_empty(), "it went with its load");

    let lock = fs::File::open(dir.path().join(".ferrocr/lock")).unwrap();
    lock.lock().unwrap();
    let stop = Stop::new();
    let watched = |stop: &Stop| {
        let stop = stop.clone();
        store.watched(move || stop.check())
    };
    let mut hints = Vec::new();
    let unprotected = Protection::of(&files, &watched(&stop), |fault| {
        hints.push(fault.hint());
        Ok(())
    });
    assert!(unprotected.unwrap().files() == 0 && hints.len() == 1 && hints[0].is_some());
    stop.fire(Reason::Cancelled);
    let ended = Protection::of(&files, &watched(&stop), |fault| panic!("{fault}"));
    assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
}

#[test]
fn files_come_before_the_library_is_loaded_and_a_failed_load_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let choice = |name: &str| Choice { path: name.into(), may_be_name: true };
    let choices = [(Role::Detector, choice("x.onnx")), (Role::Recognizer, choice("y.onnx"))].into();
    let loader = Arc::new(Loader::new(Store::open(dir.path()).unwrap(), choices, Vec::new(), Box::new(Alone)));
    let engine = Engine::new(EngineOptions::default());
    let kind = || engine.load(&loader, &Stop::new(), None).unwrap_err().kind();
    assert_eq!(kind(), ErrorKind::ModelNotFound);
    for name in ["x.onnx", "y.onnx"] {
        fs::write(dir.path().join(name), "").unwrap();
    }
    assert_eq!(kind(), ErrorKind::RuntimeUnavailable);
    assert!(loader.provider().is_none() && engine.calls() == 0 && !engine.is_loaded());
    let stop = Stop::new();
    stop.fire(Reason::Cancelled);
    assert_eq!(engine.load(&loader, &stop, None).unwrap_err().kind(), ErrorKind::Cancelled);
    let _ = engine.free(false, None, true);
    assert_eq!(kind(), ErrorKind::ResourcesFreed);
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
