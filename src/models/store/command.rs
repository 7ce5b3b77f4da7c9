//! Suggestions of messages and reports: commands as a shell takes them, and calls as Python does.

use std::path::Path;

use super::place::{absolute, default_dir};
use crate::error::Audience;
use crate::text::is_unsafe;

/// Something that can be done with the model directory.
#[derive(Debug, Clone, Copy)]
pub(in crate::models) enum Action<'a> {
    Audit,
    List,
    Keep,
    Purge,
    PullDefault,
    Pull(&'a [&'a str]),
    Remove(&'a str),
    /// Take an entry off the keep-list.
    Unkeep(&'a str),
    /// Bring back a removal, or of it the one file.
    Restore(&'a str, Option<&'a str>),
}

/// Words for what can be done with one model directory.
pub(in crate::models) struct Advice<'a> {
    dir: &'a Path,
}

impl<'a> Advice<'a> {
    pub(super) fn of(dir: &'a Path) -> Self {
        Self { dir }
    }

    /// Returns words for an action, for whoever is to do it, about this directory.
    pub(in crate::models) fn how_to(&self, reader: Audience, action: Action<'_>) -> String {
        match reader {
            Audience::Programmer => self.call_on(action),
            Audience::Shell => self.command_to(action),
        }
    }

    fn command_to(&self, action: Action<'_>) -> String {
        match action {
            Action::Audit => self.command("audit"),
            Action::List => self.command("list"),
            Action::Keep => self.command("keep"),
            Action::Purge => self.command("purge"),
            Action::PullDefault => self.command("pull"),
            Action::Pull([name]) => self.command_for("pull", name, ""),
            // Names of the catalog, which no shell takes for anything else.
            Action::Pull(names) => self.command(&format!("pull {}", names.join(" "))),
            Action::Remove(name) => self.command_for("remove", name, ""),
            Action::Unkeep(entry) => self.unkeep_command(entry),
            Action::Restore(id, None) => self.command(&format!("restore --removal {id}")),
            Action::Restore(id, Some(name)) => self.command_for("restore", name, &format!("--removal {id}")),
        }
    }

    /// Returns the command that takes an entry off. The option takes several values, so that one that begins with a
    /// dash has to be part of it.
    fn unkeep_command(&self, entry: &str) -> String {
        match quoted(entry).filter(|_| entry.starts_with('-')) {
            Some(entry) => self.command(&format!("keep --remove={entry}")),
            None => self.command_for("keep --remove", entry, ""),
        }
    }

    fn call_on(&self, action: Action<'_>) -> String {
        let name = |name: &str| literal(name).unwrap_or_else(|| "...".to_owned());
        let call = match action {
            Action::Audit => "audit()".to_owned(),
            Action::List => "list_local()".to_owned(),
            Action::Keep => "kept()".to_owned(),
            Action::Purge => "purge()".to_owned(),
            Action::PullDefault => "pull(\"ppocrv6-small\")".to_owned(),
            Action::Pull([model]) => format!("pull({})", name(model)),
            Action::Pull(models) => {
                format!("pull([{}])", models.iter().map(|model| name(model)).collect::<Vec<_>>().join(", "))
            }
            Action::Remove(file) => format!("remove({})", name(file)),
            Action::Unkeep(entry) => format!("unkeep({})", name(entry)),
            Action::Restore(id, None) => format!("restore(removal={})", name(id)),
            Action::Restore(id, Some(file)) => format!("restore({}, removal={})", name(file), name(id)),
        };
        // With bytes that are no UTF-8, or with what cannot be shown, the directory is only named in the message.
        let dir =
            self.named_dir().map_or(String::new(), |dir| dir.to_str().and_then(literal).unwrap_or("...".to_owned()));
        format!("`ModelStore({dir}).{call}`")
    }

    /// Returns the directory, unless it is the one that is meant when none is named.
    fn named_dir(&self) -> Option<&'a Path> {
        let default = default_dir().and_then(|dir| absolute(&dir));
        (!default.is_ok_and(|default| default == self.dir)).then_some(self.dir)
    }

    /// Returns the command `ferrocr models` with these `words`, for this directory.
    pub(super) fn command(&self, words: &str) -> String {
        self.command_on(words, None, "")
    }

    /// Returns the command `verb` for what is called `name`, with these options.
    pub(super) fn command_for(&self, verb: &str, name: &str, options: &str) -> String {
        self.command_on(verb, Some(name), options)
    }

    /// Returns a phrase that says what to run. A name with characters that cannot be shown is never part of a command:
    /// what stands there would be another name.
    fn command_on(&self, verb: &str, name: Option<&str>, options: &str) -> String {
        let Some(dir) = self.dir_option() else {
            return format!("the command {verb} of ferrocr models, in a directory whose name cannot be shown");
        };
        let is_like_an_option = name.is_some_and(|name| name.starts_with('-'));
        let Some(name) = name.map_or(Some(String::new()), quoted) else {
            return format!("the command {verb} of ferrocr models, with a name that cannot be shown");
        };
        // A name that looks like an option stands where nothing is taken for one.
        let words = match is_like_an_option {
            true => [verb, options, &dir, "--", &name],
            false => [verb, &name, options, &dir, ""],
        };
        let words: Vec<_> = words.into_iter().filter(|word| !word.is_empty()).collect();
        format!("`ferrocr models {}`", words.join(" "))
    }

    /// Names the directory, unless it is the one that is meant when none is named; none if that cannot be written.
    fn dir_option(&self) -> Option<String> {
        match self.named_dir() {
            None => Some(String::new()),
            Some(dir) => dir.to_str().and_then(quoted).map(|dir| format!("--dir {dir}")),
        }
    }

    /// Says where the names of models are shown.
    pub(super) fn how_to_list(&self, reader: Audience) -> String {
        format!("{} shows the names", self.how_to(reader, Action::List))
    }
}

/// Returns a name as a POSIX shell takes it; none for one with characters that cannot be shown.
pub(super) fn quoted(name: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-+@%,=".contains(letter);
    if name.chars().any(is_unsafe) {
        None
    } else if !name.is_empty() && name.chars().all(is_plain) {
        Some(name.to_owned())
    } else {
        Some(format!("'{}'", name.replace('\'', "'\\''")))
    }
}

/// Returns a name as Python takes it; none for one with characters that cannot be shown.
fn literal(name: &str) -> Option<String> {
    let is_shown = !name.chars().any(is_unsafe);
    is_shown.then(|| format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::store::Store;

    #[cfg(unix)]
    #[test]
    fn an_action_is_a_call_or_a_command_with_its_directory() {
        let store = Store::open("/srv/my \"models\"").unwrap();
        let default = Store::open(Store::default_dir().unwrap()).unwrap();
        let cases = [
            (&default, Action::Pull(&["a.onnx"]), "ModelStore().pull(\"a.onnx\")", "pull a.onnx"),
            (&default, Action::Pull(&["a", "b"]), "ModelStore().pull([\"a\", \"b\"])", "pull a b"),
            (&default, Action::Purge, "ModelStore().purge()", "purge"),
            (&default, Action::Unkeep("-a*"), "ModelStore().unkeep(\"-a*\")", "keep --remove='-a*'"),
            (
                &store,
                Action::Restore("7", Some("a b")),
                "ModelStore(\"/srv/my \\\"models\\\"\").restore(\"a b\", removal=\"7\")",
                "restore 'a b' --removal 7 --dir '/srv/my \"models\"'",
            ),
        ];
        for (store, action, call, command) in cases {
            assert_eq!(store.how_to(Audience::Programmer, action), format!("`{call}`"));
            assert_eq!(store.how_to(Audience::Shell, action), format!("`ferrocr models {command}`"));
        }
        let call = store.how_to(Audience::Programmer, Action::Remove("a\n.onnx"));
        assert!(call.ends_with(".remove(...)`"), "{call}");
    }

    #[test]
    fn names_are_quoted_as_a_shell_needs_it() {
        for (name, text) in [("a-b_1.onnx", "a-b_1.onnx"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''")] {
            assert_eq!(quoted(name).as_deref(), Some(text));
        }
        for name in ["\n", "a\u{1b}[1m", "a\u{202e}b"] {
            assert_eq!(quoted(name), None, "{name:?}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_command_names_the_directory_unless_it_is_the_default() {
        let store = Store::open("/srv/models").unwrap();
        assert_eq!(store.layout.advice().command("prune"), "`ferrocr models prune --dir '/srv/models'`");
        let store = Store::open("/it's/here").unwrap();
        let verify = store.layout.advice().command_for("verify", "a b.onnx", "--sha256 HASH");
        assert_eq!(verify, "`ferrocr models verify 'a b.onnx' --sha256 HASH --dir '/it'\\''s/here'`");
        let default = Store::open(Store::default_dir().unwrap()).unwrap();
        assert_eq!(default.layout.advice().command("prune"), "`ferrocr models prune`");
        assert_eq!(default.layout.advice().command_for("pull", "a.onnx", ""), "`ferrocr models pull a.onnx`");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        let default = Store::open(Store::default_dir().unwrap()).unwrap();
        assert_eq!(default.layout.advice().command_for("remove", "-x.onnx", ""), "`ferrocr models remove -- -x.onnx`");
        let store = Store::open("/srv/models").unwrap();
        let restore = store.layout.advice().command_for("restore", "-x y", "--removal 1");
        assert_eq!(restore, "`ferrocr models restore --removal 1 --dir '/srv/models' -- '-x y'`");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_shown_is_in_no_command() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let store = Store::open("/srv/models").unwrap();
        let phrase = store.layout.advice().command_for("remove", "a\n.onnx", "");
        assert_eq!(phrase, "the command remove of ferrocr models, with a name that cannot be shown");
        for dir in [OsStr::from_bytes(b"/srv/\xff"), OsStr::new("/srv/\u{202e}x")] {
            let phrase = Store::open(dir).unwrap().layout.advice().command_for("remove", "a.onnx", "");
            assert!(phrase.ends_with("in a directory whose name cannot be shown"), "{phrase}");
        }
    }
}
