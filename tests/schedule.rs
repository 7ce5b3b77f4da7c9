//! The use that an engine makes of a machine's cores, on machines that have more of them than this one.
#![cfg(target_os = "linux")]
#![allow(clippy::expect_used, reason = "a test ends at what it did not expect")]

mod fakes;

use fakes::machine::{compare, pages};

/// Pages a second of one engine, in proportion to those of separate processes with two threads each.
const LEAST: f64 = 0.9;

#[test]
fn one_engine_reads_as_fast_as_several_that_share_the_machine() {
    for cores in [4, 16] {
        let outcome = compare(cores, &pages(24));
        for (way, (seconds, used)) in [("ahead", outcome.many), ("many callers", outcome.together)] {
            let ratio = outcome.apart.0 / seconds;
            assert!(
                ratio > LEAST,
                "{cores} cores, {way}: {ratio:.2} of separate processes, {used:.2} of the cores used"
            );
        }
    }
}
