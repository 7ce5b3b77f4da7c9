//! One list of work for several threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::call::Turn;
use super::pool::Pool;
use crate::error::Result;
use crate::stop::Stop;
use crate::threads::{begin, joined};
use crate::timings::{Stage, Watch};

/// Those who do the work of one picture: they are lent for one item at a time, so several pictures share them.
pub(super) struct Workers<'a, W> {
    pub(super) pool: &'a Pool<W>,
    pub(super) turn: Turn,
    pub(super) stop: &'a Stop,
    /// Counts the time of all threads.
    pub(super) busy: &'a Watch,
}

/// Does `work` on every item, on as many threads as there are workers, the first of them this one; on fewer where the
/// system gives no more. Results come in the order of the items. The first error ends all threads after their current
/// item.
///
/// # Errors
/// The errors of `work`, and [`Stop::check`].
pub(super) fn share<W: Send, I: Sync, O: Send>(
    workers: &Workers<'_, W>,
    items: &[I],
    work: impl Fn(&mut W, &I) -> Result<O> + Sync,
) -> Result<Vec<O>> {
    let next = AtomicUsize::new(0);
    let part = || -> Result<Vec<(usize, O)>> {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(done) };
            let worker = workers.busy.time(Stage::Wait, || workers.pool.take(workers.turn, workers.stop));
            let output = worker.and_then(|mut worker| work(&mut worker, item));
            match output {
                Ok(output) => done.push((index, output)),
                Err(error) => {
                    next.store(items.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let mut outputs = std::thread::scope(|scope| {
        let others = workers.pool.size().min(items.len()).saturating_sub(1);
        let threads: Vec<_> = (0..others).map_while(|_| begin(scope, part)).collect();
        let mut outputs = part();
        for thread in threads {
            let more = joined(thread);
            outputs = outputs.and_then(|mut outputs| {
                outputs.extend(more?);
                Ok(outputs)
            });
        }
        outputs
    })?;
    outputs.sort_unstable_by_key(|&(index, _)| index);
    Ok(outputs.into_iter().map(|(_, output)| output).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};
    use crate::threads::without_threads;

    fn shared<I: Sync, O: Send>(
        pool: &Pool<i32>,
        turn: Turn,
        items: &[I],
        work: impl Fn(&mut i32, &I) -> Result<O> + Sync,
    ) -> Result<Vec<O>> {
        share(&Workers { pool, turn, stop: &Stop::new(), busy: &Watch::default() }, items, work)
    }

    fn counted(pool: &Pool<i32>) -> i32 {
        let all: Vec<_> = (0..pool.size()).map(|_| pool.take(0, &Stop::new()).expect("idle")).collect();
        all.iter().map(|count| **count).sum()
    }

    #[test]
    fn results_come_in_order_whoever_made_them() {
        for workers in 1..5 {
            let pool = Pool::new(vec![0; workers]);
            let items: Vec<_> = (0..100).collect();
            let squares = shared(&pool, 0, &items, |count, &item| {
                *count += 1;
                Ok(item * item)
            });
            assert_eq!(squares.expect("no error"), items.iter().map(|i| i * i).collect::<Vec<_>>());
            assert_eq!(counted(&pool), 100);
        }
        assert_eq!(shared(&Pool::new(vec![0; 3]), 0, &[] as &[u8], |_, _| Ok(())).expect("nothing to do").len(), 0);
    }

    #[test]
    fn several_lists_share_the_workers() {
        let pool = Pool::new(vec![0; 2]);
        let items: Vec<_> = (0..200).collect();
        std::thread::scope(|scope| {
            for turn in 0..4 {
                let (pool, items) = (&pool, &items);
                scope.spawn(move || {
                    let same = shared(pool, turn, items, |count, &item| {
                        *count += 1;
                        Ok(item)
                    });
                    assert_eq!(&same.expect("no error"), items);
                });
            }
        });
        assert_eq!(counted(&pool), 800);
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let items: Vec<_> = (0..1000).collect();
        let pool = Pool::new(vec![0; 2]);
        let failed = shared(&pool, 0, &items, |count, &item| {
            *count += 1;
            if item < 5 { Ok(()) } else { Err(Error::new(ErrorKind::Inference, "no")) }
        });
        assert_eq!(failed.expect_err("item 5").kind(), ErrorKind::Inference);
        assert!(counted(&pool) < 1000);
    }

    #[test]
    fn where_no_thread_can_be_started_this_one_does_the_work() {
        let own = std::thread::current().id();
        let pool = Pool::new(vec![0; 4]);
        let items: Vec<_> = (0..100).collect();
        let same = without_threads(|| {
            shared(&pool, 0, &items, |_, &item| {
                assert_eq!(std::thread::current().id(), own);
                Ok(item)
            })
        });
        assert_eq!(same.expect("no error"), items);
    }
}
