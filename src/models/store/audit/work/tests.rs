use std::time::Duration;

use super::*;
use crate::models::store::Store;

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path().join("models")).unwrap();
    fs::create_dir(store.dir()).unwrap();
    (dir, store)
}

#[test]
fn what_cannot_be_read_is_unreadable_and_what_has_gone_is_left_out() {
    let (_dir, store) = store();
    for name in ["a.onnx", "b.onnx", "b.txt"] {
        fs::write(store.dir().join(name), "abc").unwrap();
    }
    let options = AuditOptions::default();
    let auditor = Auditor::new(&store.layout, &options, &[], SystemTime::now());
    let outcomes = [Outcome::Gone, Outcome::Failed("no".to_owned()), Outcome::Failed("nor this".to_owned())];
    let looked = survey(&store.layout).unwrap().into_iter().zip(outcomes.map(Some)).collect();
    let entries = auditor.judge_all(looked);
    let found: Vec<_> = entries.iter().map(|entry| (entry.name.as_str(), entry.state, entry.detail.as_str())).collect();
    assert_eq!(found, [("b.onnx", State::Unreadable, "no"), ("b.txt", State::Unreadable, "nor this")]);
    let action = Some("make it readable for this user".into());
    assert!(entries.iter().all(|entry| entry.action == action && entry.bytes == Some(3)));
}

/// Only a memory that says something wrong shows whether it was asked.
#[cfg(unix)]
#[test]
fn what_is_remembered_is_not_read_again_unless_that_is_wanted() {
    let (dir, store) = store();
    let path = store.dir().join("a.onnx");
    fs::write(&path, "abc").unwrap();
    let later = SystemTime::now() + Duration::from_secs(60);
    let options = AuditOptions { memory: Some(dir.path().join("memory")), ..AuditOptions::default() };
    let remember = |structure| {
        let key = survey(&store.layout).unwrap()[0].key;
        let content = Content { bytes: 3, sha256: "wrong".to_owned(), structure, is_changing: false, key };
        let mut memory = Memory::load(options.memory.as_deref());
        memory.learn(&content, later);
        memory.save();
    };
    let hash = |options: &AuditOptions| {
        let audit = Auditor::new(&store.layout, options, &[], later).audit().unwrap();
        audit.entries[0].sha256.clone().unwrap()
    };
    remember(Some(Structure::Ort));
    assert_eq!(hash(&options), "wrong");
    assert!(hash(&AuditOptions { memory: None, ..options.clone() }).starts_with("ba78"));
    assert!(hash(&AuditOptions { rehash: true, ..options.clone() }).starts_with("ba78"));
    assert!(hash(&options).starts_with("ba78"), "what is learned then is remembered");
    // Its name was known when it was remembered, so nobody looked what it is.
    remember(None);
    assert!(hash(&options).starts_with("ba78"));
    remember(Some(Structure::Ort));
    // Longer than a file system's clock takes for its next tick.
    std::thread::sleep(Duration::from_millis(20));
    fs::write(&path, "abd").unwrap();
    assert!(hash(&options).starts_with("a52d"), "it has changed");
}

#[test]
fn nothing_is_remembered_inside_of_the_directory() {
    let (dir, store) = store();
    let memory = |path: PathBuf| {
        let options = AuditOptions { memory: Some(path), ..AuditOptions::default() };
        Auditor::new(&store.layout, &options, &[], SystemTime::now()).memory()
    };
    let outside = dir.path().join("cache/memory");
    assert_eq!(memory(outside.clone()), Some(outside));
    assert_eq!(memory(store.dir().join("memory")), None);
    assert_eq!(memory(store.dir().join("none/memory")), None);
    assert_eq!(memory(store.dir().to_owned()), None);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(store.dir(), dir.path().join("link")).unwrap();
        assert_eq!(memory(dir.path().join("link/memory")), None);
    }
}
