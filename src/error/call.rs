//! Remedies in the words of the library: methods and keywords of Python.

use super::remedy::{Action, Remedy};
use crate::text::is_unsafe;

/// Returns a remedy as Python has it.
pub(super) fn words(remedy: &Remedy) -> String {
    match remedy {
        Remedy::Text(text) => text.to_string(),
        Remedy::InCode(text) => (*text).to_owned(),
        Remedy::Option { keyword, .. } => format!("`{keyword}`"),
        Remedy::Catalog => "`ferrocr.catalog()` has".to_owned(),
        Remedy::Export => "`ModelStore.export`".to_owned(),
        Remedy::Models { dir, action } => {
            // With bytes that are no UTF-8, the directory is only named in the message.
            let dir = dir.as_deref().map_or(String::new(), |dir| dir.to_str().map_or("...".to_owned(), literal));
            format!("`ModelStore({dir}).{}`", method(action))
        }
    }
}

fn method(action: &Action) -> String {
    match action {
        Action::Audit => "audit()".to_owned(),
        Action::List => "list_local()".to_owned(),
        Action::Keep => "kept()".to_owned(),
        Action::Purge => "purge()".to_owned(),
        Action::Prune(None) => "prune()".to_owned(),
        Action::Prune(Some(state)) => format!("prune(states={})", literal(state)),
        Action::PullDefault => "pull(\"ppocrv6-small\")".to_owned(),
        Action::Pull(names) => match names.iter().map(|name| literal(name)).collect::<Vec<_>>().as_slice() {
            [name] => format!("pull({name})"),
            names => format!("pull([{}])", names.join(", ")),
        },
        Action::Verify(name) => format!("verify({}, sha256=...)", literal(name)),
        Action::Remove(name) => format!("remove({})", literal(name)),
        Action::Unkeep(entry) => format!("unkeep({})", literal(entry)),
        Action::Restore { name, removal } => {
            let name = name.iter().map(|name| literal(name));
            let removal = removal.iter().map(|removal| format!("removal={}", literal(removal)));
            format!("restore({})", name.chain(removal).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Returns a name as Python takes it; dots for one with characters that cannot be shown.
fn literal(name: &str) -> String {
    match name.chars().any(is_unsafe) {
        true => "...".to_owned(),
        false => format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\"")),
    }
}
