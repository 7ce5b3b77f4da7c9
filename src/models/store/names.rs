//! Names of files in the model directory.

use std::path::Path;

/// Suffixes of a model file. Other suites name theirs `.bin`; what a file really is, only its content says.
pub(super) const SUFFIXES: [&str; 3] = ["onnx", "ort", "bin"];

/// Returns why `name` cannot name a model file, on any platform: a directory may be shared between them.
pub(super) fn fault(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("it is empty"),
        _ if name.contains(['/', '\\']) => Some("it has a separator"),
        _ if name.contains('\0') => Some("it has a NUL"),
        // The keep-list and the leases have a name a line, and a terminal may obey the others.
        _ if name.contains(['\n', '\r']) => Some("it has a line break"),
        _ if name.contains(char::is_control) => Some("it has a control character"),
        // On Windows `c:x` is a file on another drive, and `x:y` a hidden stream of x.
        _ if name.contains(':') => Some("it has a colon"),
        _ if name.starts_with('.') => Some("it starts with a dot"),
        _ => None,
    }
}

pub(super) fn is_model_name(name: &str) -> bool {
    let suffix = Path::new(name).extension().and_then(|suffix| suffix.to_str());
    let is_known = |suffix: &str| SUFFIXES.iter().any(|known| known.eq_ignore_ascii_case(suffix));
    fault(name).is_none() && suffix.is_some_and(is_known)
}
