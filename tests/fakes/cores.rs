//! Cores that are not there: models that take time on a clock of their own, which goes on when nothing else can.
//!
//! An engine's threads run as they always do. What a model computes is replaced by work on simulated cores, and the
//! clock stands still as long as any thread of the process has something to do besides: so a machine with one core
//! shows how a schedule does on sixty-four, however busy that machine is.

use std::fs;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// Work that counts as done: time is a sum of fractions.
const NOTHING: f64 = 1e-9;

/// Simulated cores, shared by all that work on them.
pub(crate) struct Cores {
    count: f64,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    now: f64,
    busy: f64,
    jobs: Vec<Job>,
    next: u64,
    is_over: bool,
}

struct Job {
    id: u64,
    left: f64,
    /// Cores that it can use.
    width: f64,
}

impl Cores {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        Arc::new(Self { count: count as f64, state: Mutex::default(), changed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `seconds` of work on up to `width` cores: fewer where others work too.
    pub(crate) fn work(&self, seconds: f64, width: usize) {
        let mut state = self.lock();
        let id = state.next;
        state.next += 1;
        state.jobs.push(Job { id, left: seconds, width: width as f64 });
        while state.jobs.iter().any(|job| job.id == id) {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Runs `scene`, and returns the simulated seconds that it took with the share of the cores that was used.
    pub(crate) fn time(self: &Arc<Self>, scene: impl FnOnce()) -> (f64, f64) {
        let clock = {
            let own = Arc::clone(self);
            thread::spawn(move || own.drive())
        };
        scene();
        self.lock().is_over = true;
        clock.join().expect("the clock does not fail");
        let state = self.lock();
        (state.now, state.busy / (state.now * self.count))
    }

    /// Lets the clock go on whenever all other threads wait.
    fn drive(&self) {
        let own = thread_id();
        loop {
            let (jobs, is_over) = {
                let state = self.lock();
                (state.next, state.is_over)
            };
            if is_over {
                return;
            }
            if !are_waiting(&own) {
                thread::yield_now();
                continue;
            }
            let mut state = self.lock();
            if state.next == jobs && state.step(self.count) {
                self.changed.notify_all();
            } else {
                drop(state);
                thread::sleep(Duration::from_micros(50));
            }
        }
    }
}

impl State {
    /// Goes on to the next end of a job; false where there is none.
    fn step(&mut self, cores: f64) -> bool {
        if self.jobs.is_empty() {
            return false;
        }
        let speeds = self.speeds(cores);
        let after = self.jobs.iter().zip(&speeds).map(|(job, speed)| job.left / speed).fold(f64::INFINITY, f64::min);
        for (job, speed) in self.jobs.iter_mut().zip(&speeds) {
            job.left -= after * speed;
        }
        self.now += after;
        self.busy += after * speeds.iter().sum::<f64>();
        self.jobs.retain(|job| job.left > NOTHING);
        true
    }

    /// Returns the cores that each job has: what it can use where there is enough, else an equal share of the rest.
    fn speeds(&self, cores: f64) -> Vec<f64> {
        let mut narrow_first: Vec<usize> = (0..self.jobs.len()).collect();
        narrow_first.sort_by(|&a, &b| self.jobs[a].width.total_cmp(&self.jobs[b].width));
        let (mut left, mut speeds) = (cores, vec![0.0; self.jobs.len()]);
        for (place, &index) in narrow_first.iter().enumerate() {
            let others = (narrow_first.len() - place) as f64;
            // A thread gets a core at most: it is the system that shares cores among threads.
            speeds[index] = self.jobs[index].width.min(left / others);
            left -= speeds[index];
        }
        speeds
    }
}

fn thread_id() -> String {
    let link = fs::read_link("/proc/thread-self").expect("Linux");
    link.file_name().expect("a number").to_string_lossy().into_owned()
}

/// Returns true if every other thread of the process waits for something.
fn are_waiting(own: &str) -> bool {
    let threads = fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let others = threads.filter(|entry| entry.file_name().to_string_lossy() != own);
    others.map(|entry| fs::read_to_string(entry.path().join("stat"))).all(|stat| {
        // The state follows the name, which may have anything in it. A thread that has ended has no file.
        stat.map_or(true, |stat| {
            stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['S', 'Z', 'X']))
        })
    })
}
