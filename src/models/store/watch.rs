//! Ending a wait for other processes.

use std::fmt;
use std::sync::Arc;

use crate::error::Result;

/// Tells whoever waits for other processes whether to wait on: its error ends the wait.
#[derive(Clone, Default)]
pub(in crate::models) struct Watch(Option<Arc<dyn Fn() -> Result<()> + Send + Sync>>);

impl Watch {
    pub(super) fn new(look: impl Fn() -> Result<()> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(look)))
    }

    pub(super) fn look(&self) -> Result<()> {
        self.0.as_ref().map_or(Ok(()), |look| look())
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Watch").field(&self.0.is_some()).finish()
    }
}
