//! Pages a second of one engine on simulated machines with many cores, compared with an engine for every two cores.
//!
//!     cargo bench --bench schedule -- [CORES...]
//!
//! Nothing is computed: models take the time on simulated cores that the real ones took on one. So this is about who
//! works and who waits, not about what a real machine's memory, caches and clock rate do, and it takes the same on any
//! machine, however busy.
#![allow(clippy::expect_used, reason = "a benchmark ends at what it did not expect")]
#![allow(clippy::print_stdout, reason = "it is a program")]

#[path = "../tests/fakes/mod.rs"]
mod fakes;

use std::env;

use fakes::machine::{compare, pages};

fn main() {
    let mut machines: Vec<usize> = env::args().filter_map(|argument| argument.parse().ok()).collect();
    if machines.is_empty() {
        machines = vec![2, 4, 8, 16, 64];
    }
    println!(
        "cores  loop: s a page, cores used  ahead: s, used, of separate processes  a caller a core: s, used, of them"
    );
    for cores in machines {
        let outcome = compare(cores, &pages(3 * cores.max(4)));
        let of_apart = |(seconds, used): (f64, f64)| format!("{seconds:.4} {used:.2} {:.2}", outcome.apart.0 / seconds);
        let (alone, used) = outcome.alone;
        println!("{cores:5}  {alone:.4} {used:.2}  {}  {}", of_apart(outcome.many), of_apart(outcome.together));
    }
}
