use std::fs;

use super::*;

fn directory() -> (tempfile::TempDir, Directory) {
    let dir = tempfile::tempdir().unwrap();
    let directory = Directory::open(dir.path()).unwrap();
    (dir, directory)
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let (_dir, directory) = directory();
    for name in ["", ".", "..", "a/b", "../a", "/a"] {
        let at = directory.at(name);
        at.status().unwrap_err();
        at.open(Opening::Make(Access::Usual)).unwrap_err();
        at.make_folder().unwrap_err();
        at.remove().unwrap_err();
        at.remove_folder().unwrap_err();
    }
}

#[test]
fn both_ways_of_reaching_things_say_the_same() {
    let (dir, directory) = directory();
    fs::write(dir.path().join("file"), "abc").unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("folder", dir.path().join("link")).unwrap();
    let path = by_path::open(dir.path()).unwrap();
    let mut names = by_path::names(&path).unwrap();
    names.sort_unstable();
    assert_eq!(directory.names().unwrap(), names);
    for name in &names {
        assert_eq!(directory.at(name).status().unwrap(), by_path::status(&path, name).unwrap(), "{name:?}");
        assert_eq!(directory.folder(name).is_ok(), by_path::open_folder(&path, name).is_ok(), "{name:?}");
        let open = |opening| (directory.at(name).open(opening), by_path::open_file(&path, name, opening));
        for opening in [Opening::Read, Opening::Write, Opening::Make(Access::Usual)] {
            let (one, other) = open(opening);
            assert_eq!(one.is_ok(), other.is_ok(), "{name:?} {opening:?}");
        }
    }
    let names = |from: &str, to: &str| (OsString::from(from), OsString::from(to));
    let (file, other) = names("file", "other");
    fs::write(dir.path().join("other"), "x").unwrap();
    by_path::rename_to_free((&path, &file), (&path, &other)).unwrap_err();
    by_path::remove(&path, &other).unwrap();
    by_path::link((&path, &file), (&path, &other)).unwrap();
    assert!(by_path::is(&path, &other, &fs::File::open(dir.path().join("other")).unwrap()));
    by_path::remove(&path, &file).unwrap();
    by_path::rename_to_free((&path, &other), (&path, &file)).unwrap();
    by_path::rename((&path, &file), (&path, &other)).unwrap();
    by_path::make_folder(&path, &file).unwrap();
    by_path::remove_folder(&path, &file).unwrap();
    by_path::sync(&path).unwrap();
    let file_of = fs::File::open(dir.path().join("other")).unwrap();
    by_path::let_all_read(&file_of).and_then(|()| by_path::make_usual(&file_of)).unwrap();
    by_path::metadata(&path).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("other")).unwrap(), "abc");
}

#[cfg(unix)]
#[test]
fn a_move_without_the_system_s_help_replaces_nothing() {
    let (dir, directory) = directory();
    let handle = &directory.handle;
    let (from, to) = (OsString::from("a"), OsString::from("b"));
    fs::write(dir.path().join("a"), "a").unwrap();
    fs::write(dir.path().join("b"), "b").unwrap();
    unix::rename_if_free((handle, &from), (handle, &to)).unwrap_err();
    fs::remove_file(dir.path().join("b")).unwrap();
    unix::rename_if_free((handle, &from), (handle, &to)).unwrap();
    assert_eq!(fs::read_to_string(dir.path().join("b")).unwrap(), "a");
}

#[test]
fn a_folder_goes_with_all_that_is_in_it() {
    let (dir, directory) = directory();
    fs::create_dir_all(dir.path().join("folder/a/b")).unwrap();
    fs::write(dir.path().join("folder/a/b/c"), "").unwrap();
    fs::write(dir.path().join("folder/d"), "").unwrap();
    directory.at("folder").remove_all().unwrap();
    assert!(directory.names().unwrap().is_empty());
    let deep = vec!["x"; DEEPEST + 1].join("/");
    fs::create_dir_all(dir.path().join(deep)).unwrap();
    assert!(directory.at("x").remove_all().unwrap_err().to_string().contains("folders in folders"));
}

#[cfg(unix)]
#[test]
fn links_are_removed_and_not_followed() {
    use std::os::unix::fs::symlink;

    let (dir, directory) = directory();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("precious"), "x").unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    symlink(outside.path(), dir.path().join("folder/link")).unwrap();
    symlink(outside.path(), dir.path().join("link")).unwrap();
    assert!(directory.folder("link").unwrap_err().to_string().contains("it is a link"));
    assert!(directory.at("link").remove_all().unwrap_err().to_string().contains("it is a link"));
    directory.at("folder").remove_all().unwrap();
    assert!(outside.path().join("precious").exists());
    // The directory itself is where its user says.
    let over_a_link = Directory::open(&dir.path().join("link")).unwrap();
    assert_eq!(over_a_link.names().unwrap(), ["precious"]);
}

#[cfg(unix)]
#[test]
fn a_folder_stays_the_one_that_was_opened() {
    use std::os::unix::fs::symlink;

    let (dir, directory) = directory();
    let outside = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("folder")).unwrap();
    let folder = directory.folder("folder").unwrap();
    fs::rename(dir.path().join("folder"), dir.path().join("away")).unwrap();
    symlink(outside.path(), dir.path().join("folder")).unwrap();
    drop(folder.at("file").open(Opening::MakeNew(Access::Usual)).unwrap());
    folder.at("file").rename(&folder.at("other")).unwrap();
    assert!(dir.path().join("away/other").exists());
    assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[cfg(unix)]
#[test]
fn who_may_write_to_a_folder_may_open_what_is_locked_in_it() {
    use std::os::unix::fs::PermissionsExt;

    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (dir, directory) = directory();
    for (folder, file) in [(0o755, 0o600), (0o700, 0o600), (0o775, 0o660), (0o777, 0o666), (0o750, 0o600)] {
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(folder)).unwrap();
        let (at, path) = (directory.at("file"), dir.path().join("file"));
        drop(at.open(Opening::Make(Access::Writers)).unwrap());
        assert_eq!(mode(&path), file, "new in {folder:o}");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        drop(at.open(Opening::Make(Access::Writers)).unwrap());
        assert_eq!(mode(&path), file, "one of an earlier version in {folder:o}");
        fs::remove_file(&path).unwrap();
        directory.at("inner").make_folder().unwrap();
        assert_eq!(mode(&dir.path().join("inner")), folder);
        fs::remove_dir(dir.path().join("inner")).unwrap();
    }
    let at = directory.at("own");
    let own = at.open(Opening::MakeNew(Access::Owner)).unwrap();
    assert_eq!(mode(&at.path()), 0o600);
    let usual = directory.at("usual");
    drop(usual.open(Opening::MakeNew(Access::Usual)).unwrap());
    make_usual(&own).unwrap();
    assert_eq!(mode(&at.path()), mode(&usual.path()));
}
