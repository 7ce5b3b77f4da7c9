//! The sessions that an engine's threads are shared among.

use crate::options::EngineOptions;

/// The most readers with a thread each; with more threads, each reader has several. A reader takes about 17 MB for its
/// copy of the default recogniser, and some more once it has read.
const MOST_READERS: usize = 32;

/// The most readers where sessions have threads, memory or a device of their own. More were not tried.
const FEW_READERS: usize = 4;

/// The number of threads from which on one detector leaves some of them idle while several pages are read.
const SEVERAL_DETECTORS: usize = 4;

/// The number of threads for each detector beside the first. A detector takes about 20 MB, and 200 MB more once it has
/// seen a page of 960x1280 pixels.
const THREADS_A_DETECTOR: usize = 8;

/// The most threads of a detector that works beside others. Its time falls little with more of them: on AMD's Zen 4 a
/// fifth of it goes to what one thread does alone.
const MOST_NARROW_THREADS: usize = 8;

/// Callers of a recogniser on a device: while one full run of sixteen is under way, the next one comes together.
const DEVICE_READERS: usize = 32;

/// Callers of a detector on a device. One page is there at a time, and of the others boxes are made of maps meanwhile.
const DEVICE_DETECTORS: usize = 4;

/// The number of sessions of each kind, and the threads of each.
///
/// A page needs one detector, and then as many readers as there are. Of several pages in work, some are with a detector
/// while the lines of others are read. On simulated machines, pages a second of one engine compared with those of as
/// many engines for two threads each as the machine has room for (`cargo bench --bench schedule`; docs/decisions.md):
/// one detector and four readers reach 0.94 with 4 cores, 0.83 with 8 and 0.61 with 16, and this plan at least 1.04
/// with each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Threads of each detector: first one for a page that is alone, then narrower ones.
    pub detectors: Vec<usize>,
    /// Threads of each recogniser and its orienter.
    pub readers: Vec<usize>,
    /// Pictures that are best begun before the one in front of them is done.
    pub ahead: usize,
}

impl Plan {
    /// Returns the plan for an engine whose models run on a device that takes one run at a time. There is one model of
    /// each role, and so many callers of it.
    pub fn of_device(options: &EngineOptions) -> Self {
        let own = Self::of(options, false);
        let callers = |most: usize| vec![options.thread_count(); if options.low_memory { 1 } else { most }];
        Self { detectors: callers(DEVICE_DETECTORS), readers: callers(DEVICE_READERS), ..own }
    }

    /// Returns the plan for an engine with these options. `is_shared` is true where sessions share a processor as
    /// threads do; other sessions have threads, memory or a device of their own.
    pub fn of(options: &EngineOptions, is_shared: bool) -> Self {
        let threads = options.thread_count();
        if options.low_memory {
            return Self { detectors: vec![threads], readers: vec![threads], ahead: 0 };
        }
        let readers = threads.min(if is_shared { MOST_READERS } else { FEW_READERS });
        let mut detectors = vec![threads];
        if is_shared && threads >= SEVERAL_DETECTORS {
            let least = if threads >= THREADS_A_DETECTOR { 2 } else { 1 };
            let narrow = (threads / THREADS_A_DETECTOR).max(least);
            detectors.extend(vec![(threads / 2).min(MOST_NARROW_THREADS); narrow]);
        }
        // On two cores a second and a third picture in work fill the moments in which one alone leaves a core idle:
        // decoding, the detector's boxes, the last line. More only take memory, since the readers are busy then.
        let ahead = if threads == 1 { 0 } else { 2 + threads / 4 };
        Self { detectors, readers: vec![(threads / readers).max(1); readers], ahead }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(threads: usize, is_shared: bool) -> Plan {
        Plan::of(&EngineOptions { threads: Some(threads), ..EngineOptions::default() }, is_shared)
    }

    #[test]
    fn threads_are_shared_among_sessions() {
        for (threads, detectors, readers, ahead) in [
            (1, vec![1], vec![1], 0),
            (2, vec![2], vec![1; 2], 2),
            (4, vec![4, 2], vec![1; 4], 3),
            (8, vec![8, 4, 4], vec![1; 8], 4),
            (16, vec![16, 8, 8], vec![1; 16], 6),
            (64, [vec![64], vec![8; 8]].concat(), vec![2; 32], 18),
        ] {
            assert_eq!(plan(threads, true), Plan { detectors, readers, ahead }, "{threads}");
        }
    }

    #[test]
    fn a_device_has_callers_enough_for_full_runs() {
        let options = EngineOptions { threads: Some(2), ..EngineOptions::default() };
        assert_eq!(Plan::of_device(&options), Plan { detectors: vec![2; 4], readers: vec![2; 32], ahead: 2 });
        let options = EngineOptions { low_memory: true, ..options };
        assert_eq!(Plan::of_device(&options), Plan { detectors: vec![2], readers: vec![2], ahead: 0 });
    }

    #[test]
    fn an_accelerator_and_little_memory_have_few_sessions() {
        assert_eq!(plan(16, false), Plan { detectors: vec![16], readers: vec![4; 4], ahead: 6 });
        let options = EngineOptions { threads: Some(16), low_memory: true, ..EngineOptions::default() };
        assert_eq!(Plan::of(&options, true), Plan { detectors: vec![16], readers: vec![16], ahead: 0 });
    }
}
