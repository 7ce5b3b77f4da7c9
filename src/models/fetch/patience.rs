//! How often one source is tried, and how long it is left alone between two tries.

use std::time::Duration;

use super::PullOptions;

/// Tries at one source for one file, however well they get on: a server that gives a few bytes at a time must not hold
/// a pull up for ever. A line that breaks every few megabytes still brings the largest model with these.
const MOST_TRIES: u32 = 20;

/// The longest pause: whoever waits for a prompt takes a longer silence for a hang, and there are other sources.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Counts the tries at one source.
#[derive(Debug)]
pub(super) struct Patience {
    /// Tries in a row that may bring nothing.
    tries: u32,
    /// The first pause.
    pause: Duration,
    /// Tries in a row that brought nothing.
    in_vain: u32,
    /// All tries.
    pub(super) tried: u32,
}

impl Patience {
    pub(super) fn new(options: &PullOptions) -> Self {
        Self { tries: options.tries, pause: options.pause, in_vain: 0, tried: 0 }
    }

    /// Notes a try that failed and may do better next time. Gives the pause before the next try, or none when it was
    /// the last; `asked` is the pause that the server wants.
    pub(super) fn after_failure(&mut self, brought_some: bool, asked: Option<Duration>) -> Option<Duration> {
        self.tried += 1;
        self.in_vain = if brought_some { 1 } else { self.in_vain + 1 };
        let pause = self.pause.saturating_mul(1 << (self.in_vain - 1).min(16));
        let goes_on = self.tried < MOST_TRIES && self.in_vain < self.tries;
        goes_on.then(|| asked.unwrap_or(pause).min(LONGEST_PAUSE))
    }

    /// Notes a try that showed that what was there before was worth nothing; whether it may start anew.
    pub(super) fn after_misfit(&mut self) -> bool {
        self.tried += 1;
        self.tried < MOST_TRIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(tries: u32) -> Patience {
        Patience::new(&PullOptions { tries, pause: Duration::from_secs(1), ..PullOptions::default() })
    }

    #[test]
    fn pauses_grow_and_tries_end() {
        let mut patience = patience(4);
        let pauses: Vec<_> = (0..4).map(|_| patience.after_failure(false, None)).collect();
        assert_eq!(
            pauses,
            [1, 2, 4].map(|seconds| Some(Duration::from_secs(seconds))).into_iter().chain([None]).collect::<Vec<_>>()
        );
        assert_eq!(patience.tried, 4);
    }

    #[test]
    fn new_bytes_start_the_count_again_within_a_bound() {
        let mut patience = patience(2);
        let tries = 1 + (0..100).take_while(|_| patience.after_failure(true, None).is_some()).count();
        assert_eq!(tries, MOST_TRIES as usize);
    }

    #[test]
    fn a_server_says_how_long_to_wait_within_a_bound() {
        assert_eq!(patience(3).after_failure(false, Some(Duration::from_secs(7))), Some(Duration::from_secs(7)));
        assert_eq!(patience(3).after_failure(false, Some(Duration::from_secs(9999))), Some(LONGEST_PAUSE));
        assert_eq!(patience(100).after_failure(false, Some(Duration::ZERO)), Some(Duration::ZERO));
    }

    #[test]
    fn one_try_or_none_is_one() {
        for tries in [0, 1] {
            assert_eq!(patience(tries).after_failure(false, None), None);
        }
    }

    #[test]
    fn a_misfit_costs_no_try_but_does_not_go_on_for_ever() {
        let mut patience = patience(2);
        assert!(patience.after_misfit());
        assert!(patience.after_failure(false, None).is_some());
        assert!((0..100).any(|_| !patience.after_misfit()));
    }
}
