//! Patience with one source: how often it is tried, the pause between two tries, and how slow it may be.

use std::time::{Duration, Instant};

use super::options::PullOptions;

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

/// Notices a source that delivers too little to ever be done.
#[derive(Debug)]
pub(super) struct Pace {
    /// The time that is looked at as a whole: within it a source may be silent for a while.
    window: Duration,
    /// Bytes that it has to bring.
    least: u64,
    /// Bytes that it has brought since its start.
    brought: u64,
    since: Instant,
}

impl Pace {
    pub(super) fn new(options: &PullOptions, now: Instant) -> Self {
        let least = (options.least_rate as f64 * options.rate_window.as_secs_f64()) as u64;
        Self { window: options.rate_window, least, brought: 0, since: now }
    }

    /// Notes bytes that have come. Gives the reason to leave the source, when a window of time is over that brought too
    /// little.
    pub(super) fn note(&mut self, now: Instant, bytes: u64) -> Option<String> {
        self.brought = self.brought.saturating_add(bytes);
        let passed = now.saturating_duration_since(self.since);
        if passed < self.window {
            return None;
        }
        let brought = std::mem::take(&mut self.brought);
        self.since = now;
        // Late bytes count for the time that they took.
        let least = self.least as f64 * passed.as_secs_f64() / self.window.as_secs_f64().max(f64::MIN_POSITIVE);
        let is_slow = (brought as f64) < least;
        is_slow.then(|| format!("it is too slow: {brought} bytes came in {:.1} seconds", passed.as_secs_f64()))
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
    fn a_byte_a_second_is_too_slow_and_a_pause_is_not() {
        struct Case {
            name: &'static str,
            /// Seconds since the start, and the bytes that come then.
            steps: &'static [(u64, u64)],
            is_slow: bool,
        }
        let cases = [
            Case { name: "a byte a second", steps: &[(1, 1), (15, 1), (29, 1), (30, 1)], is_slow: true },
            Case { name: "just enough", steps: &[(10, 15_000), (30, 15_000), (60, 30_000)], is_slow: false },
            Case { name: "a little less", steps: &[(10, 14_999), (30, 15_000)], is_slow: true },
            Case { name: "much and then a pause", steps: &[(1, 60_000), (29, 1), (31, 1)], is_slow: false },
            Case { name: "slow after a good start", steps: &[(1, 9_000_000), (30, 1), (61, 1)], is_slow: true },
            Case { name: "enough after a long silence", steps: &[(59, 59_000)], is_slow: false },
            Case { name: "too little after a long silence", steps: &[(59, 58_000)], is_slow: true },
            Case { name: "slow, but not for long", steps: &[(29, 1)], is_slow: false },
        ];
        for case in cases {
            let start = Instant::now();
            let mut pace = Pace::new(&PullOptions::default(), start);
            let slow: Vec<_> = case
                .steps
                .iter()
                .filter_map(|&(second, bytes)| pace.note(start + Duration::from_secs(second), bytes))
                .collect();
            assert_eq!(!slow.is_empty(), case.is_slow, "{}: {slow:?}", case.name);
        }
    }

    #[test]
    fn the_reason_says_how_slow_it_was() {
        let start = Instant::now();
        let why = Pace::new(&PullOptions::default(), start).note(start + Duration::from_secs(40), 40);
        assert_eq!(why.as_deref(), Some("it is too slow: 40 bytes came in 40.0 seconds"));
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
