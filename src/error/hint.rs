//! Advice to the reader of a message or report.

use super::remedy::Remedy;
use super::{call, command};

/// Advice as parts that follow each other in one sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint(Vec<Remedy>);

impl Hint {
    /// Returns the words for somebody who uses the library: methods and their keywords.
    pub fn for_library(&self) -> String {
        self.0.iter().map(call::words).collect()
    }

    /// Returns the words for somebody who uses the command line: commands and their options.
    pub fn for_shell(&self) -> String {
        self.0.iter().map(command::words).collect()
    }
}

impl<T: Into<Remedy>> From<T> for Hint {
    fn from(part: T) -> Self {
        Self(vec![part.into()])
    }
}

impl<const PARTS: usize> From<[Remedy; PARTS]> for Hint {
    fn from(parts: [Remedy; PARTS]) -> Self {
        Self(parts.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Action;

    #[test]
    fn an_action_is_a_call_or_a_command_with_its_directory() {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let restore = Action::Restore { name: Some("a b".to_owned()), removal: Some("7".to_owned()) };
        let cases = [
            (None, Action::Pull(names(&["a.onnx"])), "ModelStore().pull(\"a.onnx\")", "pull a.onnx"),
            (None, Action::Pull(names(&["a", "b"])), "ModelStore().pull([\"a\", \"b\"])", "pull a b"),
            (None, Action::Purge, "ModelStore().purge()", "purge"),
            (None, Action::Prune(Some("partial")), "ModelStore().prune(states=\"partial\")", "prune --state partial"),
            (None, Action::Unkeep("-a*".to_owned()), "ModelStore().unkeep(\"-a*\")", "keep --remove='-a*'"),
            (
                Some("/srv/my \"models\"".into()),
                restore,
                "ModelStore(\"/srv/my \\\"models\\\"\").restore(\"a b\", removal=\"7\")",
                "restore 'a b' --removal 7 --dir '/srv/my \"models\"'",
            ),
        ];
        for (dir, action, call, command) in cases {
            let hint = Hint::from([Remedy::Models { dir, action }]);
            assert_eq!(hint.for_library(), format!("`{call}`"));
            assert_eq!(hint.for_shell(), format!("`ferrocr models {command}`"));
        }
        let hint = Hint::from([Remedy::Models { dir: None, action: Action::Remove("a\n.onnx".to_owned()) }]);
        assert!(hint.for_library().ends_with(".remove(...)`"), "{hint:?}");
    }
}
