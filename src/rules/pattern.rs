//! A regular expression that a text follows as a whole.
//!
//! The crate `regex-syntax` reads it. The machine that it makes over characters (`nfa.rs`) is turned into one over the
//! characters of a recogniser that is in one state at a time. Both may become large, which a budget of work bounds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use regex_syntax::ParserBuilder;

use super::automaton::{Automaton, Characters, Edge};
use super::names::Source;
use super::nfa::{Nfa, Node, Place, Unfit, Visited};
use crate::error::{Error, ErrorKind, Result};

/// The longest pattern in bytes. `\w` has 770 ranges of characters, and there may be one for every two bytes.
const LONGEST: usize = 4096;

/// The most parts of a pattern that lie in each other.
const DEEPEST: u32 = 50;

/// The most states: a pattern of a page number has ten, `\w{1,1000}` has thousand.
const MOST_STATES: usize = 20_000;

/// The most steps of work for one pattern, each of some nanoseconds. `[\w ]{1,200}` over 18,710 classes takes 60,000.
const MOST_WORK: u64 = 20_000_000;

/// A pattern that was understood.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    text: String,
    machine: Nfa,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// The work that is left.
struct Budget(u64);

impl Budget {
    fn spend(&mut self, work: usize) -> Result<()> {
        self.0 = self.0.checked_sub(work as u64).ok_or_else(too_large)?;
        Ok(())
    }
}

fn too_large() -> Error {
    Error::new(ErrorKind::InvalidArgument, "`pattern` is too large: it would take too much memory or time")
        .with_hint("use smaller counts in `{}`, or fewer of them inside of each other")
}

impl Pattern {
    /// Understands a pattern.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for what is no pattern, too large, or looks at more than the text.
    pub(super) fn new(text: &str) -> Result<Self> {
        if text.len() > LONGEST {
            let message = format!("`pattern` has {} bytes, and at most {LONGEST} are taken", text.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("list many words with `words`"));
        }
        let parsed = ParserBuilder::new().nest_limit(DEEPEST).build().parse(text);
        let parsed = parsed.map_err(|error| refused(text, &reason(&error)))?;
        let machine = Nfa::of(&parsed).map_err(|unfit| match unfit {
            Unfit::TooLarge => too_large(),
            Unfit::Looks => refused(text, "only `^` and `$` may look around, at the ends of a text"),
        })?;
        Ok(Self { text: text.to_owned(), machine })
    }

    /// Returns an automaton for these characters.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names what is missing, and for what is too large.
    pub(super) fn bind(
        &self,
        characters: &Characters<'_>,
        writable: &BTreeSet<char>,
        source: Source<'_>,
    ) -> Result<Automaton> {
        let missing = self.machine.literals.iter().copied().filter(|sign| !writable.contains(sign));
        source.check("pattern", missing)?;
        for set in 0..self.machine.sets.len() {
            if !self.machine.ranges(set).any(|range| writable.range(range).next().is_some()) {
                source.check("pattern", self.machine.ranges(set).flatten())?;
            }
        }
        let mut budget = Budget(MOST_WORK);
        let signs = Signs::of(&self.machine, writable, &mut budget)?;
        let states = States::of(&self.machine, &signs, &mut budget)?;
        let automaton = states.automaton(characters, &signs, &mut budget)?;
        if automaton.is_empty() { Err(source.nothing_fits("pattern")) } else { Ok(automaton) }
    }
}

fn refused(text: &str, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("the pattern {text:?} cannot be used: {reason}"))
        .with_hint("patterns are those of Rust's crate `regex`, without what looks around or back")
}

/// Returns the reason alone: the crate's own text shows the pattern over several lines.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => format!("{}, at byte {}", error.kind(), error.span().start.offset),
        regex_syntax::Error::Translate(error) => format!("{}, at byte {}", error.kind(), error.span().start.offset),
        _ => error.to_string().replace('\n', " "),
    }
}

/// Characters that a recogniser can write, by the sets of a pattern that they are in: those of one kind are in the
/// same ones.
struct Signs {
    kinds: BTreeMap<char, u32>,
    /// The kinds in each set.
    of_set: Vec<Vec<u32>>,
}

impl Signs {
    fn of(machine: &Nfa, writable: &BTreeSet<char>, budget: &mut Budget) -> Result<Self> {
        // Characters of no set stay of kind 0. A set parts those that it has from those that it lacks.
        let mut kinds: BTreeMap<char, u32> = writable.iter().map(|&sign| (sign, 0)).collect();
        let mut count = 1;
        for set in 0..machine.sets.len() {
            let mut parted = HashMap::new();
            for range in machine.ranges(set) {
                for (_, kind) in kinds.range_mut(range) {
                    budget.spend(1)?;
                    *kind = *parted.entry(*kind).or_insert_with(|| {
                        count += 1;
                        count - 1
                    });
                }
                budget.spend(1)?;
            }
        }
        // One of each kind stands for all.
        let examples: BTreeMap<u32, char> = kinds.iter().map(|(&sign, &kind)| (kind, sign)).collect();
        let examples: BTreeMap<char, u32> = examples.into_iter().map(|(kind, sign)| (sign, kind)).collect();
        let mut of_set = Vec::with_capacity(machine.sets.len());
        for set in 0..machine.sets.len() {
            let mut own = Vec::new();
            for range in machine.ranges(set) {
                own.extend(examples.range(range).map(|(_, &kind)| kind));
            }
            budget.spend(own.len())?;
            of_set.push(own);
        }
        Ok(Self { kinds, of_set })
    }
}

/// States of a machine that is in one at a time: in each, what the other machine may be in.
struct States {
    /// For each state the states that the kinds of characters lead to.
    next: Vec<BTreeMap<u32, u32>>,
    accepts: Vec<bool>,
}

impl States {
    fn of(machine: &Nfa, signs: &Signs, budget: &mut Budget) -> Result<Self> {
        let (mut made, mut visited) = (Self { next: Vec::new(), accepts: Vec::new() }, Visited::default());
        let mut start = Vec::new();
        let first = Place { is_start: true, is_end: false };
        budget.spend(machine.close(&[machine.root], first, &mut visited, &mut start))?;
        let mut numbers = HashMap::from([(start.clone(), 0)]);
        let mut left = vec![start];
        while let Some(own) = left.get(made.next.len()).cloned() {
            // By kind, what may be next.
            let mut reached: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            for &node in &own {
                if let Node::Take { set, next } = machine.nodes[node as usize] {
                    let kinds = &signs.of_set[set as usize];
                    budget.spend(1 + kinds.len())?;
                    kinds.iter().for_each(|&kind| reached.entry(kind).or_default().push(next));
                }
            }
            let mut next = BTreeMap::new();
            for (kind, from) in reached {
                let mut closed = Vec::new();
                let looks = machine.close(&from, Place::default(), &mut visited, &mut closed);
                budget.spend(looks + closed.len())?;
                let number = numbers.len() as u32;
                let number = *numbers.entry(closed).or_insert_with_key(|closed| {
                    left.push(closed.clone());
                    number
                });
                if left.len() > MOST_STATES {
                    return Err(too_large());
                }
                next.insert(kind, number);
            }
            let mut ends = Vec::new();
            let end = Place { is_start: made.next.is_empty(), is_end: true };
            budget.spend(machine.close(&own, end, &mut visited, &mut ends))?;
            made.accepts.push(ends.iter().any(|&node| machine.nodes[node as usize] == Node::Match));
            made.next.push(next);
        }
        Ok(made)
    }

    /// Returns the automaton over the classes of these characters.
    fn automaton(&self, characters: &Characters<'_>, signs: &Signs, budget: &mut Budget) -> Result<Automaton> {
        // A group for the classes of one character of each kind, and one for each longer class.
        let (mut groups, mut group_of) = (Vec::<Vec<usize>>::new(), HashMap::<u32, u32>::new());
        let mut longer = Vec::new();
        for &(class, text) in characters {
            let kinds: Vec<u32> = text.chars().filter_map(|sign| signs.kinds.get(&sign).copied()).collect();
            if let &[kind] = kinds.as_slice() {
                let group = *group_of.entry(kind).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() as u32 - 1
                });
                groups[group as usize].push(class);
            } else {
                longer.push((groups.len() as u32, kinds));
                groups.push(vec![class]);
            }
        }
        let (mut counts, mut edges) = (Vec::with_capacity(self.next.len()), Vec::new());
        for (state, next) in self.next.iter().enumerate() {
            let before = edges.len();
            let of_kind = |(kind, &to): (&u32, &u32)| Some(Edge { group: *group_of.get(kind)?, to });
            edges.extend(next.iter().filter_map(of_kind));
            for (group, kinds) in &longer {
                let step = |at: u32, kind: &u32| self.next[at as usize].get(kind).copied();
                let end = kinds.iter().try_fold(state as u32, step);
                edges.extend(end.map(|to| Edge { group: *group, to }));
            }
            budget.spend(next.len() + longer.len())?;
            counts.push((edges.len() - before) as u32);
        }
        Automaton::new(&counts, &edges, |at| self.accepts[at], groups)
    }
}
