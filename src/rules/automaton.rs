//! Automata over classes of a recogniser: which sequences of them follow the rules.

use std::collections::BTreeMap;

use crate::buffer;
use crate::error::Result;

/// The characters of a recogniser that can come out, with the class of each.
pub type Characters<'a> = [(usize, &'a str)];

/// The state before the first character.
pub const ROOT: u32 = 0;

/// The number of characters to go where there is no way.
const NEVER: u32 = u32::MAX;

/// The name of the memory that is taken here, for an error.
const ROOM: &str = "the rules for a text";

/// A step from one state to another, by any class of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// Its place in [`Automaton::group`].
    pub group: u32,
    /// The state that it leads to.
    pub to: u32,
}

#[derive(Debug, Clone, Copy)]
struct State {
    /// The place after its last edge; they begin where those of the state before end.
    edges_end: u32,
    /// The fewest characters from here to a text that is whole; 0 for a state that accepts.
    to_go: u32,
}

/// A deterministic automaton. Groups may have classes in common only where these are several characters long.
#[derive(Debug)]
pub struct Automaton {
    states: Vec<State>,
    edges: Vec<Edge>,
    groups: Vec<Vec<usize>>,
}

impl Automaton {
    /// Makes one of the edges of each state, so many of each and one state after the other, and of the states that
    /// accept. What leads to no whole text is left out.
    pub(super) fn new(
        counts: &[u32],
        edges: &[Edge],
        accepts: impl Fn(usize) -> bool,
        groups: Vec<Vec<usize>>,
    ) -> Result<Self> {
        let accepting: Vec<u32> = (0..counts.len() as u32).filter(|&at| accepts(at as usize)).collect();
        let ways = ways(counts, edges, &accepting)?;
        let (mut states, mut kept) = (buffer::empty(counts.len(), ROOM)?, buffer::empty(edges.len(), ROOM)?);
        let mut from = 0;
        for (&count, &to_go) in counts.iter().zip(&ways) {
            let own = &edges[from..from + count as usize];
            kept.extend(own.iter().filter(|edge| ways[edge.to as usize] != NEVER));
            from += count as usize;
            states.push(State { edges_end: kept.len() as u32, to_go });
        }
        Ok(Self { states, edges: kept, groups })
    }

    /// Returns the edges that lead on from a state.
    pub fn edges(&self, state: u32) -> &[Edge] {
        let from = if state == ROOT { 0 } else { self.states[state as usize - 1].edges_end };
        &self.edges[from as usize..self.states[state as usize].edges_end as usize]
    }

    /// Returns the classes of a group.
    pub fn group(&self, group: u32) -> &[usize] {
        &self.groups[group as usize]
    }

    /// Returns the number of groups.
    pub fn groups(&self) -> usize {
        self.groups.len()
    }

    /// Returns true if a text that leads to the state is whole.
    pub fn accepts(&self, state: u32) -> bool {
        self.to_go(state) == 0
    }

    /// Returns the fewest characters from a state to a text that is whole; a large number where there is no way.
    pub fn to_go(&self, state: u32) -> u32 {
        self.states[state as usize].to_go
    }

    /// Returns true if nothing follows the rules.
    pub(super) fn is_empty(&self) -> bool {
        self.to_go(ROOT) == NEVER
    }

    /// Returns true if the classes make a whole text.
    pub fn takes(&self, classes: impl Iterator<Item = usize>) -> bool {
        let mut states = vec![ROOT];
        for class in classes {
            // More than one only where classes have several characters.
            let mut next: Vec<u32> = states
                .iter()
                .flat_map(|&state| self.edges(state))
                .filter(|edge| self.group(edge.group).binary_search(&class).is_ok())
                .map(|edge| edge.to)
                .collect();
            next.sort_unstable();
            next.dedup();
            states = next;
        }
        states.iter().any(|&state| self.accepts(state))
    }

    /// Returns the classes that its edges take, sorted, and the automaton with their places in that list instead of
    /// their numbers.
    pub(super) fn with_classes_by_place(mut self) -> (Vec<usize>, Self) {
        let mut is_used = vec![false; self.groups.len()];
        self.edges.iter().for_each(|edge| is_used[edge.group as usize] = true);
        for (group, is_used) in self.groups.iter_mut().zip(is_used) {
            if !is_used {
                group.clear();
            }
        }
        let mut places: BTreeMap<usize, usize> = self.groups.iter().flatten().map(|&class| (class, 0)).collect();
        places.values_mut().enumerate().for_each(|(at, place)| *place = at);
        self.groups.iter_mut().flatten().for_each(|class| *class = places[class]);
        (places.into_keys().collect(), self)
    }
}

/// Returns the fewest characters that lead from each state to one that accepts.
fn ways(counts: &[u32], edges: &[Edge], accepting: &[u32]) -> Result<Vec<u32>> {
    // The sources of edges, by the states that these lead to.
    let mut ends = buffer::filled(counts.len() + 1, 0_usize, ROOM)?;
    edges.iter().for_each(|edge| ends[edge.to as usize + 1] += 1);
    (1..ends.len()).for_each(|at| ends[at] += ends[at - 1]);
    let mut places = buffer::copied(&ends, ROOM)?;
    let mut sources = buffer::filled(edges.len(), 0_u32, ROOM)?;
    let mut left = edges.iter();
    for (source, &count) in (0..).zip(counts) {
        for edge in left.by_ref().take(count as usize) {
            sources[places[edge.to as usize]] = source;
            places[edge.to as usize] += 1;
        }
    }
    let mut ways = buffer::filled(counts.len(), NEVER, ROOM)?;
    accepting.iter().for_each(|&at| ways[at as usize] = 0);
    let mut reached = buffer::empty(counts.len(), ROOM)?;
    reached.extend_from_slice(accepting);
    let mut next = 0;
    while let Some(&at) = reached.get(next) {
        next += 1;
        let (at, further) = (at as usize, ways[at as usize] + 1);
        for &source in &sources[ends[at]..ends[at + 1]] {
            if ways[source as usize] == NEVER {
                ways[source as usize] = further;
                reached.push(source);
            }
        }
    }
    Ok(ways)
}
