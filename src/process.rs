//! Which process a value belongs to. A forked child has copies of its parent's values, and none of the threads that
//! they wait for or that hold their locks.

use std::process;

use crate::error::{Error, ErrorKind, Result};

/// The process that made a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u32);

impl Owner {
    pub(crate) fn this_process() -> Self {
        Self(process::id())
    }

    /// What a child finds that was forked just now.
    #[cfg(test)]
    pub(crate) fn parent() -> Self {
        Self(0)
    }

    /// Whether this is that process, and not one that was forked from it.
    pub(crate) fn is_here(self) -> bool {
        self == Self::this_process()
    }

    /// Refuses a forked child the use of `what`.
    ///
    /// # Errors
    /// [`ErrorKind::Forked`].
    pub(crate) fn check(self, what: &str) -> Result<()> {
        if self.is_here() {
            return Ok(());
        }
        let message = format!("{what} belongs to process {}, which forked this one", self.0);
        Err(Error::new(ErrorKind::Forked, message).with_hint("make a new engine in the child process"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_owner_is_let_in() {
        Owner::this_process().check("this engine").unwrap();
        let error = Owner::parent().check("this engine").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forked);
        assert!(error.to_string().starts_with("this engine belongs to process 0, which forked this one"), "{error}");
    }
}
