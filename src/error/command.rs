//! Remedies in the words of the command line: commands and flags, as a POSIX shell takes them.

use std::path::Path;

use super::remedy::{Action, Remedy};
use crate::text::is_unsafe;

/// Returns a remedy as a shell has it.
pub(super) fn words(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Text(text) => text.to_string(),
        Remedy::InCode(_) => String::new(),
        Remedy::Option { flag, .. } => format!("`{flag}`"),
        Remedy::Catalog => "`ferrocr models list --available` shows".to_owned(),
        Remedy::Export => "`ferrocr models export`".to_owned(),
        Remedy::Models { dir, action } => command(dir.as_deref(), action),
    }
}

fn command(dir: Option<&Path>, action: &Action) -> String {
    let plain = |verb: &str| phrase(dir, verb, None, "");
    let named = |verb: &str, name: &str, options: &str| phrase(dir, verb, Some(name), options);
    match action {
        Action::Audit => plain("audit"),
        Action::List => plain("list"),
        Action::Keep => plain("keep"),
        Action::Purge => plain("purge"),
        Action::Prune(None) => plain("prune"),
        Action::Prune(Some(state)) => plain(&format!("prune --state {state}")),
        Action::PullDefault => plain("pull"),
        Action::Pull(names) => match names.as_slice() {
            [name] => named("pull", name, ""),
            // Names of the catalog, which no shell takes for anything else.
            names => plain(&format!("pull {}", names.join(" "))),
        },
        Action::Verify(name) => named("verify", name, "--sha256 HASH"),
        Action::Remove(name) => named("remove", name, ""),
        // The option takes several values, so that one that begins with a dash has to be part of it.
        Action::Unkeep(entry) => match quoted(entry).filter(|_| entry.starts_with('-')) {
            Some(entry) => plain(&format!("keep --remove={entry}")),
            None => named("keep --remove", entry, ""),
        },
        Action::Restore { name, removal } => {
            let option = removal.as_ref().map_or(String::new(), |removal| format!("--removal {removal}"));
            phrase(dir, "restore", name.as_deref(), &option)
        }
    }
}

/// Returns a phrase that says what to run. A name with characters that cannot be shown is never part of a command:
/// what stands there would be another name.
fn phrase(dir: Option<&Path>, verb: &str, name: Option<&str>, options: &str) -> String {
    let dir = dir.map_or(Some(String::new()), |dir| Some(format!("--dir {}", dir.to_str().and_then(quoted)?)));
    let Some(dir) = dir else {
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

/// Returns a name as a POSIX shell takes it; none for one with characters that cannot be shown.
fn quoted(name: &str) -> Option<String> {
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

    fn on(dir: &str, action: Action) -> String {
        command(Some(Path::new(dir)), &action)
    }

    fn here(action: Action) -> String {
        command(None, &action)
    }

    fn remove(name: &str) -> Action {
        Action::Remove(name.to_owned())
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

    #[test]
    fn a_command_names_the_directory_unless_it_is_the_default() {
        assert_eq!(on("/srv/models", Action::Prune(None)), "`ferrocr models prune --dir '/srv/models'`");
        let verify = on("/it's/here", Action::Verify("a b.onnx".to_owned()));
        assert_eq!(verify, "`ferrocr models verify 'a b.onnx' --sha256 HASH --dir '/it'\\''s/here'`");
        assert_eq!(here(Action::Prune(Some("partial"))), "`ferrocr models prune --state partial`");
        assert_eq!(here(Action::Pull(vec!["a.onnx".to_owned()])), "`ferrocr models pull a.onnx`");
    }

    #[test]
    fn a_name_that_looks_like_an_option_is_none() {
        assert_eq!(here(remove("-x.onnx")), "`ferrocr models remove -- -x.onnx`");
        let restore = Action::Restore { name: Some("-x y".to_owned()), removal: Some("1".to_owned()) };
        let command = on("/srv/models", restore);
        assert_eq!(command, "`ferrocr models restore --removal 1 --dir '/srv/models' -- '-x y'`");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_cannot_be_shown_is_in_no_command() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let phrase = on("/srv/models", remove("a\n.onnx"));
        assert_eq!(phrase, "the command remove of ferrocr models, with a name that cannot be shown");
        for dir in [OsStr::from_bytes(b"/srv/\xff"), OsStr::new("/srv/\u{202e}x")] {
            let phrase = command(Some(Path::new(dir)), &remove("a.onnx"));
            assert!(phrase.ends_with("in a directory whose name cannot be shown"), "{phrase}");
        }
    }
}
