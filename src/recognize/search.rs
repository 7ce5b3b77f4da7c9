//! The search for the most likely text that an automaton takes.
//!
//! Among all ways through a strip's steps, each a class or the blank, the one with the largest product of
//! probabilities is looked for whose text is taken (Viterbi's algorithm over pairs of the automaton's state and the
//! last class). Ways that are at the same place with the same last class differ in nothing that is still to come, so
//! the best of them stands for all. Of places only the best are kept at each step, and no place from which there are
//! too few steps left to a whole text: where few can be reached, as with most patterns, the answer is exact.
//!
//! Two equal characters have a blank between them in CTC. Where the recogniser saw two different ones without any,
//! which may become equal by the rules, they need none.

use crate::buffer;
use crate::error::Result;
use crate::rules::{Automaton, ROOT};

/// The most places that are kept at a step.
const KEPT: usize = 256;

/// The most classes of a group that are tried at a step, the likeliest: what comes after them does not depend on which
/// of them it was.
const TRIED: usize = 4;

/// Places that are collected at a step before the worse ones of them are given up.
const COLLECTED: usize = 16 * KEPT;

/// Logarithms of smaller probabilities are no longer told apart.
const LEAST: f32 = 1e-30;

/// A step of a text's way through a strip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pass {
    /// The class, by its place in a row; 0 is the blank.
    pub(super) place: usize,
    /// True if a character begins here.
    pub(super) begins: bool,
}

/// A way that ends at a place.
#[derive(Debug, Clone, Copy)]
struct Way {
    state: u32,
    /// The class of the last step, 0 for the blank.
    last: u32,
    /// True if it began there.
    begins: bool,
    /// The logarithm of its probability.
    score: f32,
    /// Its place among those of the step before.
    from: u32,
}

/// Returns the most likely way through a strip. `rows` have `width` probabilities each, of the blank and the
/// automaton's classes, and `is_new` tells of each step if another character was seen in it than in the step before. `None` where
/// there is no way, as for a text that is longer than the strip.
///
/// # Errors
/// [`crate::ErrorKind::OutOfMemory`].
pub(super) fn most_likely(
    automaton: &Automaton,
    rows: &[f32],
    width: usize,
    is_new: impl Fn(usize) -> bool,
) -> Result<Option<Vec<Pass>>> {
    let steps = rows.len() / width.max(1);
    let mut history = buffer::empty(steps * KEPT, "the search of a text")?;
    let mut ends = buffer::empty(steps, "the search of a text")?;
    let mut ways = vec![Way { state: ROOT, last: 0, begins: false, score: 0.0, from: 0 }];
    let mut step = Step::new(automaton);
    for (at, row) in rows.chunks_exact(width.max(1)).enumerate() {
        ways = step.taken(&ways, row, is_new(at), steps - at - 1);
        history.extend(ways.iter().map(|way| (way.from, way.last, way.begins)));
        ends.push(history.len());
    }
    let whole = ways.iter().enumerate().filter(|(_, way)| automaton.accepts(way.state));
    let Some((mut place, _)) = whole.max_by(|(_, one), (_, other)| one.score.total_cmp(&other.score)) else {
        return Ok(None);
    };
    let mut path = vec![Pass { place: 0, begins: false }; steps];
    for at in (0..steps).rev() {
        let start = if at == 0 { 0 } else { ends[at - 1] };
        let (from, last, begins): (u32, u32, bool) = history[start + place];
        (place, path[at]) = (from as usize, Pass { place: last as usize, begins });
    }
    Ok(Some(path))
}

/// One step after the other.
struct Step<'a> {
    automaton: &'a Automaton,
    /// The likeliest classes of each group, and the step that they belong to.
    likeliest: Vec<(usize, Vec<u32>)>,
    count: usize,
    found: Vec<Way>,
    /// The least score among the best.
    floor: f32,
}

impl<'a> Step<'a> {
    fn new(automaton: &'a Automaton) -> Self {
        let likeliest = vec![(0, Vec::new()); automaton.groups()];
        Self { automaton, likeliest, count: 0, found: Vec::new(), floor: f32::NEG_INFINITY }
    }

    /// Returns where the ways lead by one more step, after which there are `left` ones.
    fn taken(&mut self, ways: &[Way], row: &[f32], is_new: bool, left: usize) -> Vec<Way> {
        self.count += 1;
        self.floor = f32::NEG_INFINITY;
        let logarithm = |place: u32| row[place as usize].max(LEAST).ln();
        let blank = logarithm(0);
        for (from, way) in (0..).zip(ways) {
            let way = Way { begins: false, from, ..*way };
            self.add(Way { last: 0, score: way.score + blank, ..way }, left);
            for edge in self.automaton.edges(way.state) {
                if self.automaton.to_go(edge.to) as usize > left {
                    continue;
                }
                for nth in 0..TRIED {
                    let Some(last) = self.likely(edge.group, nth, row) else { break };
                    if last != way.last || is_new {
                        let score = way.score + logarithm(last);
                        self.add(Way { state: edge.to, last, begins: true, score, from }, left);
                    }
                }
            }
            // Of two that are as likely, the one with more characters came first, and stays.
            if way.last != 0 {
                self.add(Way { score: way.score + logarithm(way.last), ..way }, left);
            }
        }
        self.give_up();
        std::mem::take(&mut self.found)
    }

    /// Returns the place in a row of a group's class that is the nth likeliest at this step.
    fn likely(&mut self, group: u32, nth: usize, row: &[f32]) -> Option<u32> {
        let (of, likeliest) = &mut self.likeliest[group as usize];
        if *of != self.count {
            *of = self.count;
            likeliest.clear();
            let worse = |one: u32, other: u32| row[one as usize] < row[other as usize];
            for class in self.automaton.group(group).iter().map(|&class| class as u32 + 1) {
                if likeliest.len() == TRIED && !likeliest.last().is_some_and(|&last| worse(last, class)) {
                    continue;
                }
                let at = likeliest.partition_point(|&better| !worse(better, class));
                likeliest.insert(at, class);
                likeliest.truncate(TRIED);
            }
        }
        likeliest.get(nth).copied()
    }

    fn add(&mut self, way: Way, left: usize) {
        if way.score < self.floor || self.automaton.to_go(way.state) as usize > left {
            return;
        }
        self.found.push(way);
        if self.found.len() >= COLLECTED {
            self.give_up();
        }
    }

    /// Leaves of ways that are at the same place the best one, and of all places the best.
    fn give_up(&mut self) {
        let better_first = |one: &Way, other: &Way| other.score.total_cmp(&one.score);
        self.found.sort_by(|one, other| {
            (one.state, one.last).cmp(&(other.state, other.last)).then_with(|| better_first(one, other))
        });
        self.found.dedup_by_key(|way| (way.state, way.last));
        if self.found.len() > KEPT {
            self.found.sort_by(better_first);
            self.found.truncate(KEPT);
            self.floor = self.found.last().map_or(self.floor, |way| way.score);
        }
    }
}

#[cfg(test)]
mod tests;
