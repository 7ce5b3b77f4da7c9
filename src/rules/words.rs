//! A list of words: a text is some of them with a space between each two.

use std::collections::{BTreeMap, BTreeSet};

use super::automaton::{Automaton, Characters, Edge, ROOT};
use super::names::Source;
use crate::buffer;
use crate::error::{Error, ErrorKind, Result};

/// The most characters of all words together: those of a large dictionary, 200,000 words of ten letters. So many take
/// about 0.2 GB while they are prepared.
const MOST_CHARACTERS: usize = 2_000_000;

/// The name of the memory that is taken here, for an error.
const ROOM: &str = "the list of words";

/// Words, sorted, each once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// Takes a list of words. A word may have spaces in it, as `New York` has: one at a time.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an empty list, an empty word, and for more than [`MOST_CHARACTERS`].
    pub(super) fn new(words: &[String]) -> Result<Self> {
        let refused = |message: String| Err(Error::new(ErrorKind::InvalidArgument, message));
        if words.is_empty() {
            return refused("`words` names no word".to_owned());
        }
        let mut characters = 0;
        let mut kept = buffer::empty(words.len(), ROOM)?;
        for word in words {
            characters += word.chars().count();
            if characters > MOST_CHARACTERS {
                return refused(format!("`words` has more than {MOST_CHARACTERS} characters in all"));
            }
            kept.push(word.split_whitespace().collect::<Vec<_>>().join(" "));
            if kept.last().is_none_or(String::is_empty) {
                return refused("`words` has a word without any character".to_owned());
            }
        }
        kept.sort_unstable();
        kept.dedup();
        Ok(Self(kept))
    }

    /// Returns an automaton for these characters.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names what is missing.
    pub(super) fn bind(
        &self,
        characters: &Characters<'_>,
        writable: &BTreeSet<char>,
        source: Source<'_>,
    ) -> Result<Automaton> {
        let needed: BTreeSet<char> = self.0.iter().flat_map(|word| word.chars()).collect();
        source.check("words", needed.difference(writable).copied())?;
        let tree = Tree::of(&self.0)?;
        let Edges { counts, edges, groups } = tree.edges(characters)?;
        let automaton = Automaton::new(&counts, &edges, |at| tree.nodes[at].is_end, groups)?;
        if automaton.is_empty() { Err(source.nothing_fits("words")) } else { Ok(automaton) }
    }
}

#[derive(Debug, Clone, Copy)]
struct Node {
    /// The character that leads here.
    character: char,
    /// The place of its first child, and the place after its last one.
    children: (u32, u32),
    is_end: bool,
}

/// The edges of all nodes.
struct Edges {
    /// The number of edges of each node.
    counts: Vec<u32>,
    edges: Vec<Edge>,
    /// The classes that the edges take.
    groups: Vec<Vec<usize>>,
}

/// A prefix tree. The children of a node lie side by side, sorted.
struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Makes a tree of sorted words.
    fn of(words: &[String]) -> Result<Self> {
        let longest: usize = words.iter().map(|word| word.chars().count()).sum();
        let mut nodes = buffer::empty(longest + 1, ROOM)?;
        nodes.push(Node { character: ' ', children: (0, 0), is_end: false });
        // Nodes whose children are still to be found: the node, and the words that begin with what leads to it.
        let mut left = buffer::empty(longest + 1, ROOM)?;
        left.push((0_usize, 0..words.len(), 0_usize));
        let mut next = 0;
        while let Some((node, range, depth)) = left.get(next).cloned() {
            next += 1;
            let mut from = range.start;
            if words.get(from).is_some_and(|word| range.start < range.end && word.len() == depth && depth > 0) {
                nodes[node].is_end = true;
                from += 1;
            }
            let first = nodes.len() as u32;
            while from < range.end {
                let Some(character) = words[from][depth..].chars().next() else { break };
                let is_other = |word: &String| !word[depth..].starts_with(character);
                let to = words[from..range.end].iter().position(is_other).map_or(range.end, |at| from + at);
                left.push((nodes.len(), from..to, depth + character.len_utf8()));
                nodes.push(Node { character, children: (0, 0), is_end: false });
                from = to;
            }
            nodes[node].children = (first, nodes.len() as u32);
        }
        Ok(Self { nodes })
    }

    fn children(&self, node: u32) -> &[Node] {
        let (from, to) = self.nodes[node as usize].children;
        &self.nodes[from as usize..to as usize]
    }

    fn child(&self, node: u32, character: char) -> Option<u32> {
        let place = self.children(node).binary_search_by_key(&character, |child| child.character).ok()?;
        Some(self.nodes[node as usize].children.0 + place as u32)
    }

    /// Returns the steps from each node to others.
    fn edges(&self, characters: &Characters<'_>) -> Result<Edges> {
        // Classes of one character by it, and longer ones by their first.
        let mut singles: BTreeMap<char, Vec<usize>> = BTreeMap::new();
        let mut longer: BTreeMap<char, Vec<(usize, &str)>> = BTreeMap::new();
        for &(class, text) in characters {
            let mut signs = text.chars();
            match (signs.next(), signs.next()) {
                (Some(sign), None) => singles.entry(sign).or_default().push(class),
                (Some(sign), Some(_)) => longer.entry(sign).or_default().push((class, text)),
                (None, _) => {}
            }
        }
        let mut groups = Vec::new();
        let mut numbered = |classes: Vec<usize>| {
            groups.push(classes);
            groups.len() as u32 - 1
        };
        let singles: BTreeMap<char, u32> = singles.into_iter().map(|(sign, own)| (sign, numbered(own))).collect();
        let longer: BTreeMap<char, Vec<(u32, &str)>> = longer
            .into_iter()
            .map(|(sign, own)| (sign, own.into_iter().map(|(class, text)| (numbered(vec![class]), text)).collect()))
            .collect();
        let mut counts = buffer::empty(self.nodes.len(), ROOM)?;
        let mut edges = buffer::empty(2 * self.nodes.len(), ROOM)?;
        for node in 0..self.nodes.len() as u32 {
            let before = edges.len();
            for (to, child) in (self.nodes[node as usize].children.0..).zip(self.children(node)) {
                buffer::reserve(&mut edges, 1, ROOM)?;
                edges.extend(singles.get(&child.character).map(|&group| Edge { group, to }));
                for &(group, text) in longer.get(&child.character).into_iter().flatten() {
                    let end = text.chars().try_fold(node, |at, sign| self.child(at, sign));
                    buffer::reserve(&mut edges, 1, ROOM)?;
                    edges.extend(end.map(|to| Edge { group, to }));
                }
            }
            let space = singles.get(&' ').filter(|_| self.nodes[node as usize].is_end);
            buffer::reserve(&mut edges, 1, ROOM)?;
            edges.extend(space.map(|&group| Edge { group, to: ROOT }));
            counts.push((edges.len() - before) as u32);
        }
        Ok(Edges { counts, edges, groups })
    }
}
