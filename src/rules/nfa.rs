//! A pattern as a machine that may be in several states at once, over characters.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// The most nodes: a counted repetition is as many copies. So many take about 2 MB.
const MOST_NODES: usize = 50_000;

/// Ranges of characters, sorted.
pub(super) type Set = Vec<(char, char)>;

/// A part of the machine, and what comes after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    /// A character of a set.
    Take { set: u32, next: u32 },
    /// Any of several ways, without a character.
    Any(Vec<u32>),
    /// On, at the start of the text alone.
    Start(u32),
    /// On, at the end of the text alone.
    End(u32),
    /// The end of the pattern.
    Match,
}

/// The reason why a pattern is no machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    TooLarge,
    /// It looks at what is beside the text, at words' edges or at lines' ends.
    Looks,
}

/// The machine of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Nfa {
    pub(super) nodes: Vec<Node>,
    pub(super) sets: Vec<Set>,
    /// Characters that the pattern names one by one.
    pub(super) literals: Vec<char>,
    pub(super) root: u32,
}

impl Nfa {
    /// Makes a pattern's machine.
    pub(super) fn of(pattern: &Hir) -> Result<Self, Unfit> {
        let mut builder = Builder { nodes: vec![Node::Match], sets: BTreeMap::new(), literals: Vec::new(), calls: 0 };
        let root = builder.put(pattern, 0)?;
        let mut sets = vec![Set::new(); builder.sets.len()];
        builder.sets.into_iter().for_each(|(set, number)| sets[number as usize] = set);
        builder.literals.sort_unstable();
        builder.literals.dedup();
        Ok(Self { nodes: builder.nodes, sets, literals: builder.literals, root })
    }

    /// Adds to `reached` the nodes that are reached from one of `from` without a character, of those that wait for
    /// one, for the end, or are the end. Returns the number of nodes that it looked at.
    pub(super) fn close(&self, from: &[u32], at: Place, visited: &mut Visited, reached: &mut Vec<u32>) -> usize {
        visited.begin(self.nodes.len());
        let (mut left, mut looks) = (from.to_vec(), 0);
        while let Some(node) = left.pop() {
            looks += 1;
            if !visited.is_new(node) {
                continue;
            }
            match &self.nodes[node as usize] {
                Node::Any(ways) => left.extend_from_slice(ways),
                Node::Start(next) if at.is_start => left.push(*next),
                Node::Start(_) => {}
                Node::End(next) if at.is_end => left.push(*next),
                Node::Take { .. } | Node::End(_) | Node::Match => reached.push(node),
            }
        }
        reached.sort_unstable();
        looks
    }

    /// Returns the characters' ranges of a set.
    pub(super) fn ranges(&self, set: usize) -> impl Iterator<Item = RangeInclusive<char>> {
        self.sets[set].iter().map(|&(first, last)| first..=last)
    }
}

/// A place in a text.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) is_start: bool,
    pub(super) is_end: bool,
}

/// Nodes that a search has seen.
#[derive(Debug, Default)]
pub(super) struct Visited {
    in_search: Vec<u64>,
    search: u64,
}

impl Visited {
    fn begin(&mut self, nodes: usize) {
        self.in_search.resize(nodes, 0);
        self.search += 1;
    }

    fn is_new(&mut self, node: u32) -> bool {
        std::mem::replace(&mut self.in_search[node as usize], self.search) != self.search
    }
}

struct Builder {
    nodes: Vec<Node>,
    sets: BTreeMap<Set, u32>,
    literals: Vec<char>,
    /// Parts that were put in: of what is empty there may be as many as of anything else.
    calls: usize,
}

impl Builder {
    /// Puts a part in before `next`, and returns its first node.
    fn put(&mut self, part: &Hir, next: u32) -> Result<u32, Unfit> {
        self.calls += 1;
        if self.calls > MOST_NODES {
            return Err(Unfit::TooLarge);
        }
        match part.kind() {
            HirKind::Empty => Ok(next),
            HirKind::Literal(literal) => {
                let text = str::from_utf8(&literal.0).map_err(|_| Unfit::Looks)?;
                text.chars().rev().try_fold(next, |next, sign| {
                    self.literals.push(sign);
                    self.take(vec![(sign, sign)], next)
                })
            }
            HirKind::Class(Class::Unicode(class)) => {
                self.take(class.ranges().iter().map(|range| (range.start(), range.end())).collect(), next)
            }
            HirKind::Class(Class::Bytes(class)) => {
                let range = |range: &regex_syntax::hir::ClassBytesRange| (range.start().into(), range.end().into());
                self.take(class.ranges().iter().map(range).collect(), next)
            }
            HirKind::Look(Look::Start) => self.add(Node::Start(next)),
            HirKind::Look(Look::End) => self.add(Node::End(next)),
            HirKind::Look(_) => Err(Unfit::Looks),
            HirKind::Capture(capture) => self.put(&capture.sub, next),
            HirKind::Concat(parts) => parts.iter().rev().try_fold(next, |next, part| self.put(part, next)),
            HirKind::Alternation(parts) => {
                let ways = parts.iter().map(|part| self.put(part, next)).collect::<Result<_, _>>()?;
                self.add(Node::Any(ways))
            }
            HirKind::Repetition(repetition) => self.repeat(&repetition.sub, (repetition.min, repetition.max), next),
        }
    }

    /// Puts a part in so many times.
    fn repeat(&mut self, part: &Hir, (least, most): (u32, Option<u32>), next: u32) -> Result<u32, Unfit> {
        let mut first = next;
        match most {
            None => {
                first = self.add(Node::Any(vec![next]))?;
                let again = self.put(part, first)?;
                self.nodes[first as usize] = Node::Any(vec![again, next]);
            }
            Some(most) => {
                for _ in least..most {
                    let once = self.put(part, first)?;
                    first = self.add(Node::Any(vec![once, next]))?;
                }
            }
        }
        (0..least).try_fold(first, |first, _| self.put(part, first))
    }

    fn take(&mut self, set: Set, next: u32) -> Result<u32, Unfit> {
        let number = self.sets.len() as u32;
        let set = *self.sets.entry(set).or_insert(number);
        self.add(Node::Take { set, next })
    }

    fn add(&mut self, node: Node) -> Result<u32, Unfit> {
        if self.nodes.len() >= MOST_NODES {
            return Err(Unfit::TooLarge);
        }
        self.nodes.push(node);
        Ok(self.nodes.len() as u32 - 1)
    }
}
