//! The shapes that a runtime is given where each one that is new costs it a preparation.
//!
//! ONNX Runtime's CUDA provider chooses an algorithm for every convolution anew whenever an input's shape changes, and
//! remembers the last shape alone. On an H200 that took 0.4 s for a single strip and 2.5 s for sixteen, and the run
//! itself 2.5 and 10 ms. So inputs are padded to few shapes there, and each shape has a session of its own.

/// The sides that inputs are padded to where these differ between runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sides {
    /// Any will do.
    #[default]
    Any,
    /// Multiples of this are best: the runtime prepares itself for each shape that is new, and remembers it.
    Steps(usize),
    /// As few as can be: the runtime remembers the last shape alone.
    Few,
}

impl Sides {
    /// Returns the side that `own` is padded to. Of [`Sides::Few`] the smallest is `unit`.
    pub fn padded(self, own: usize, unit: usize) -> usize {
        match self {
            Self::Any => own,
            Self::Steps(step) => own.next_multiple_of(step.max(1)),
            Self::Few => planned(own, unit),
        }
    }
}

/// Returns the smallest of 1, 2, 3, 4, 6, 8, 12, 16, 24 and so on times `unit` that is not less than `own`. Of more
/// than two units at most a third is padding, and of two at most half.
fn planned(own: usize, unit: usize) -> usize {
    let units = own.div_ceil(unit.max(1)).max(1);
    let above = units.next_power_of_two();
    // Three quarters of a power of two lie halfway between two of them.
    let between = above / 4 * 3;
    (if between >= units && between > 0 { between } else { above }).saturating_mul(unit.max(1))
}

/// The most inputs in one run, and the numbers in all of them: those of sixteen strips of 640 pixels at a height of 48,
/// which an H200 read in 10 ms, and 32 of them in 26 ms.
const MOST_ROWS: usize = 16;
const MOST_NUMBERS: usize = MOST_ROWS * 3 * 48 * 640;

/// A run in which no more than this part of the inputs is real costs more than these one by one: a strip took 2.5 ms
/// and sixteen 6.5 to 10.
const LEAST_PART: usize = 4;

/// Returns the inputs of a full run of inputs that have so many numbers each.
pub(super) fn full(numbers: usize) -> usize {
    (MOST_NUMBERS / numbers.max(1)).clamp(1, MOST_ROWS)
}

/// Inputs that go together in one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    /// Their places among those that wait, in order.
    pub(super) taken: Vec<usize>,
    /// The inputs of the run: those that are taken, and padding.
    pub(super) rows: usize,
}

/// Chooses the next run of those that wait, the first come first: either one input alone or a full run of inputs of one
/// shape, so that there are two shapes of runs for each shape of inputs. `numbers` counts an input's numbers.
pub(super) fn next_group<S: PartialEq>(waiting: &[S], numbers: impl Fn(&S) -> usize) -> Option<Group> {
    let first = waiting.first()?;
    let rows = full(numbers(first));
    let same = waiting.iter().enumerate().filter(|(_, shape)| *shape == first);
    let taken: Vec<_> = same.map(|(at, _)| at).take(rows).collect();
    if taken.len() == 1 || taken.len() * LEAST_PART <= rows {
        return Some(Group { taken: vec![0], rows: 1 });
    }
    Some(Group { taken, rows })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn strips_and_pages_have_few_widths() {
        let all = |most: usize, unit| (1..=most).map(|own| Sides::Few.padded(own, unit)).collect::<BTreeSet<_>>();
        let strips = [160, 320, 480, 640, 960, 1280, 1920, 2560, 3840, 5120];
        assert_eq!(all(4800, 160), BTreeSet::from(strips));
        assert_eq!(all(1280, 320), BTreeSet::from([320, 640, 960, 1280]));
        assert_eq!(strips.map(|width| full(3 * 48 * width)), [16, 16, 16, 16, 10, 8, 5, 4, 2, 2]);
        assert_eq!(full(3 * 960 * 1280), 1);
    }

    #[test]
    fn other_runtimes_take_what_they_took() {
        for own in [1, 63, 64, 65, 4800] {
            assert_eq!(Sides::Any.padded(own, 160), own);
            assert_eq!(Sides::Steps(64).padded(own, 160), own.next_multiple_of(64));
        }
    }

    proptest! {
        #[test]
        fn every_side_has_a_place_and_little_of_it_is_padding(own in 0usize..100_000, unit in 1usize..2_000) {
            let side = Sides::Few.padded(own, unit);
            prop_assert!(side >= own && side.is_multiple_of(unit));
            prop_assert!(side == unit || 2 * own > side, "{own} in {side}");
            prop_assert!(side <= 2 * unit || 3 * own > 2 * side, "{own} in {side}");
            prop_assert_eq!(Sides::Few.padded(side, unit), side, "what has a place keeps it");
            prop_assert!(Sides::Few.padded(own + 1, unit) >= side);
        }

        #[test]
        fn groups_take_all_that_wait_once_in_full_runs_of_one_shape(
            shapes in prop::collection::vec(0usize..6, 0..80),
        ) {
            let widths = [160, 320, 640, 1280, 2560, 5120];
            let numbers = |shape: &usize| 3 * 48 * widths[*shape];
            let (mut waiting, mut runs, mut rows_of) = (shapes.clone(), 0usize, BTreeSet::new());
            while let Some(Group { taken, rows }) = next_group(&waiting, numbers) {
                prop_assert_eq!(taken[0], 0, "the first come is the first served");
                prop_assert!(taken.windows(2).all(|pair| pair[0] < pair[1]) && taken.len() <= rows);
                prop_assert!(taken.iter().all(|&at| waiting[at] == waiting[0]));
                prop_assert!(rows == 1 || taken.len() * LEAST_PART > rows);
                let left = waiting.iter().filter(|shape| **shape == waiting[0]).count();
                prop_assert!(left <= rows || taken.len() == rows || rows == 1);
                rows_of.insert((waiting[0], rows));
                taken.iter().rev().for_each(|&at| { waiting.remove(at); });
                runs += 1;
            }
            prop_assert!(waiting.is_empty());
            let mut least = 0;
            for shape in 0..6 {
                let (count, full) = (shapes.iter().filter(|one| **one == shape).count(), full(numbers(&shape)));
                prop_assert!(rows_of.iter().filter(|(one, _)| *one == shape).count() <= 2);
                // Full runs, and what is left of them alone or in one more.
                least += count / full + if count % full * LEAST_PART <= full { count % full } else { 1 };
            }
            prop_assert_eq!(runs, least);
        }
    }
}
