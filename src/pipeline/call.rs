//! One call, as the stages see it.

use crate::options::RecognizeOptions;
use crate::stop::Stop;
use crate::timings::Watch;

/// A picture's place among those that are read at the same time: the lower one is served first, so that the picture
/// whose turn it is does not wait for those that are read ahead of need.
pub(crate) type Turn = u64;

/// A call's place among others, its end, its options, and its clocks.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) turn: Turn,
    /// Ends the call early.
    pub(crate) stop: &'a Stop,
    pub(crate) options: &'a RecognizeOptions,
    /// Counts its time.
    pub(crate) watch: &'a Watch,
}
