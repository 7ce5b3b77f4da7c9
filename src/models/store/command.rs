//! Commands that a message or a report suggests, written so that a shell takes them as they stand.

use super::Store;
use super::audit::is_unsafe;

impl Store {
    /// The command `ferrocr models` with these `words`, for this directory.
    pub(super) fn command(&self, words: &str) -> String {
        self.command_on(words, None, "")
    }

    /// The command `verb` for what is called `name`, with these options.
    pub(super) fn command_for(&self, verb: &str, name: &str, options: &str) -> String {
        self.command_on(verb, Some(name), options)
    }

    /// A phrase that says what to run. A name with characters that cannot be shown is never part of a command: what
    /// stands there would be another name.
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
        let default = Self::default_dir().and_then(Self::open);
        if default.is_ok_and(|default| default.dir == self.dir) {
            return Some(String::new());
        }
        self.dir.to_str().and_then(quoted).map(|dir| format!("--dir {dir}"))
    }
}

/// A name as a POSIX shell takes it; none for one with characters that cannot be shown.
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

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(store.command("prune"), "`ferrocr models prune --dir '/srv/models'`");
        let store = Store::open("/it's/here").unwrap();
        let verify = store.command_for("verify", "a b.onnx", "--sha256 HASH");
        assert_eq!(verify, "`ferrocr models verify 'a b.onnx' --sha256 HASH --dir '/it'\\''s/here'`");
        let default = Store::open(Store::default_dir().unwrap()).unwrap();
        assert_eq!(default.command("prune"), "`ferrocr models prune`");
        assert_eq!(default.command_for("pull", "a.onnx", ""), "`ferrocr models pull a.onnx`");
    }

    #[cfg(unix)]
    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        let default = Store::open(Store::default_dir().unwrap()).unwrap();
        assert_eq!(default.command_for("remove", "-x.onnx", ""), "`ferrocr models remove -- -x.onnx`");
        let store = Store::open("/srv/models").unwrap();
        let restore = store.command_for("restore", "-x y", "--removal 1");
        assert_eq!(restore, "`ferrocr models restore --removal 1 --dir '/srv/models' -- '-x y'`");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_shown_is_in_no_command() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let store = Store::open("/srv/models").unwrap();
        let phrase = store.command_for("remove", "a\n.onnx", "");
        assert_eq!(phrase, "the command remove of ferrocr models, with a name that cannot be shown");
        for dir in [OsStr::from_bytes(b"/srv/\xff"), OsStr::new("/srv/\u{202e}x")] {
            let phrase = Store::open(dir).unwrap().command_for("remove", "a.onnx", "");
            assert!(phrase.ends_with("in a directory whose name cannot be shown"), "{phrase}");
        }
    }
}
