use std::fs;

use std::path::PathBuf;

use super::*;
use crate::models::store::Store;

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
        ModelFiles { detector, recognizer, orienter: None }.names_in(&Store::open(dir).unwrap())
    };
    assert_eq!(names(dir.join("x.onnx"), outer.path().join("elsewhere.onnx"), &dir), ["x.onnx"]);
    assert_eq!(names(link.join("x.onnx"), outer.path().join("to y"), &dir), ["x.onnx", "y.onnx"]);
    assert_eq!(names(dir.join("sub/../x.onnx"), dir.join("y.onnx"), &link), ["x.onnx", "y.onnx"]);
    assert!(names("x.onnx".into(), outer.path().to_owned(), &outer.path().join("missing")).is_empty());
}
