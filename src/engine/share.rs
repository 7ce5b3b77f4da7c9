//! One list of work for several threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;

use crate::error::Result;

/// Does `work` on every item, each worker taking the next one as soon as it is free, the first worker on this thread.
/// Results come in the order of the items. The first error ends all workers after their current item.
///
/// # Errors
/// What `work` returns.
pub(super) fn share<W: Send, I: Sync, O: Send>(
    workers: &mut [W],
    items: &[I],
    work: impl Fn(&mut W, &I) -> Result<O> + Sync,
) -> Result<Vec<O>> {
    let next = AtomicUsize::new(0);
    let part = |worker: &mut W| -> Result<Vec<(usize, O)>> {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(index) else { return Ok(done) };
            match work(worker, item) {
                Ok(output) => done.push((index, output)),
                Err(error) => {
                    next.store(items.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    let Some((own, others)) = workers.split_first_mut() else { return Ok(Vec::new()) };
    let mut outputs = std::thread::scope(|scope| {
        let needed = items.len().saturating_sub(1);
        let threads: Vec<_> = others.iter_mut().take(needed).map(|worker| scope.spawn(|| part(worker))).collect();
        let mut outputs = part(own);
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

/// A scoped thread's result; its panic goes on in this thread, as if the work had been done here.
pub(super) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Error, ErrorKind};

    #[test]
    fn results_come_in_order_whoever_made_them() {
        for workers in 1..5 {
            let mut counts = vec![0; workers];
            let items: Vec<_> = (0..100).collect();
            let squares = share(&mut counts, &items, |count, &item| {
                *count += 1;
                Ok(item * item)
            });
            assert_eq!(squares.expect("no error"), items.iter().map(|i| i * i).collect::<Vec<_>>());
            assert_eq!(counts.iter().sum::<i32>(), 100);
        }
        assert_eq!(share(&mut [0; 3], &[] as &[u8], |_, _| Ok(())).expect("nothing to do").len(), 0);
    }

    #[test]
    fn the_first_error_ends_the_work() {
        let items: Vec<_> = (0..1000).collect();
        let mut counts = [0; 2];
        let failed = share(&mut counts, &items, |count, &item| {
            *count += 1;
            if item < 5 { Ok(()) } else { Err(Error::new(ErrorKind::Inference, "no")) }
        });
        assert_eq!(failed.expect_err("item 5").kind(), ErrorKind::Inference);
        assert!(counts.iter().sum::<i32>() < 1000);
    }
}
