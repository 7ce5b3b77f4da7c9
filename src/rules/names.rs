//! Errors that name the characters which a recogniser cannot write.

use crate::error::{Error, ErrorKind, Result};

/// So many characters are named.
const NAMED: usize = 12;

/// The recogniser that lacks characters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    /// The recogniser's name.
    pub(super) model: &'a str,
    /// True if `allow` leaves characters of it out.
    pub(super) is_narrowed: bool,
}

/// Refuses an option that has characters which are missing, if there are any.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`].
pub(super) fn check(option: &str, missing: impl Iterator<Item = char>, model: &str) -> Result<()> {
    Source { model, is_narrowed: false }.check(option, missing)
}

impl Source<'_> {
    /// Refuses an option that has characters which are missing, if there are any.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`].
    pub(super) fn check(self, option: &str, mut missing: impl Iterator<Item = char>) -> Result<()> {
        let first: Vec<String> = missing.by_ref().take(NAMED).map(named).collect();
        if first.is_empty() {
            return Ok(());
        }
        let more = missing.count();
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let (named, model) = (first.join(", "), self.model);
        let message = if self.is_narrowed {
            format!("`{option}` needs {named}{more}, which `allow` leaves out or {model} cannot write")
        } else {
            format!("`{option}` has {named}{more}, which {model} cannot write here")
        };
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(
            "leave them out, or choose a recogniser that knows them; where `languages` are given, only characters of \
             these can come out",
        ))
    }

    /// Returns the error for rules that nothing can follow.
    pub(super) fn nothing_fits(self, option: &str) -> Error {
        let by_allow = if self.is_narrowed { " with the characters in `allow`" } else { "" };
        let message = format!("nothing that {} can write{by_allow} follows `{option}`", self.model);
        Error::new(ErrorKind::InvalidArgument, message)
    }
}

/// Returns a character as a message shows it.
fn named(character: char) -> String {
    format!("{character:?} (U+{:04X})", u32::from(character))
}
