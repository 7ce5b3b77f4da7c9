//! The process that a value belongs to. A forked child has copies of its parent's values, and none of the threads that
//! they wait for or that hold their locks.

use std::process;
use std::sync::OnceLock;

use crate::error::{Error, ErrorKind, Result};

/// The process that made a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Owner(u32);

impl Owner {
    pub(crate) fn this_process() -> Self {
        Self(process::id())
    }

    /// Returns the owner that a child finds that was forked just now.
    #[cfg(test)]
    pub(crate) fn parent() -> Self {
        Self(0)
    }

    /// Returns true if this is that process, and not one that was forked from it.
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

/// A value of which a forked child has one of its own, where the one it inherited allows that.
///
/// A child never changes its parent's, nor waits for a lock of it: the next one stands beside, and is found without a
/// lock.
#[derive(Debug)]
pub(crate) struct PerProcess<T> {
    owner: Owner,
    value: T,
    child: OnceLock<Box<Self>>,
}

impl<T> PerProcess<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { owner: Owner::this_process(), value, child: OnceLock::new() }
    }

    /// Returns the value of this process. A child has what `anew` makes of the inherited one, or else the inherited
    /// one.
    pub(crate) fn get(&self, anew: impl FnOnce(&T) -> Option<T>) -> &T {
        let mut last = self;
        while !last.owner.is_here() {
            match last.child.get() {
                Some(next) => last = next,
                None => {
                    let Some(value) = anew(&last.value) else { break };
                    return &last.child.get_or_init(|| Box::new(Self::new(value))).value;
                }
            }
        }
        &last.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A child's own in place of a value that its parent made.
    fn inherited(value: &'static str) -> PerProcess<&'static str> {
        PerProcess { owner: Owner::parent(), value, child: OnceLock::new() }
    }

    #[test]
    fn a_child_has_a_value_of_its_own_where_it_may() {
        let (own, inherited) = (PerProcess::new("own"), inherited("inherited"));
        assert_eq!(*own.get(|_| panic!("it is here")), "own");
        assert_eq!(*inherited.get(|_| None), "inherited");
        assert_eq!(*inherited.get(|former| (*former == "inherited").then_some("anew")), "anew");
        assert_eq!(*inherited.get(|_| panic!("it is here")), "anew");
        assert_eq!(inherited.value, "inherited");
    }

    #[test]
    fn a_child_s_child_looks_at_its_parent_s() {
        let chain = inherited("first");
        chain.child.set(Box::new(inherited("second"))).unwrap();
        assert_eq!(*chain.get(|former| (*former == "second").then_some("third")), "third");
        assert_eq!(*chain.get(|_| None), "third");
    }

    #[test]
    fn only_the_owner_is_let_in() {
        Owner::this_process().check("this engine").unwrap();
        let error = Owner::parent().check("this engine").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Forked);
        assert!(error.to_string().starts_with("this engine belongs to process 0, which forked this one"), "{error}");
    }
}
