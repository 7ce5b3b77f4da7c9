//! Rules that the text of a line follows: characters that may occur, a pattern, or a list of words.
//!
//! A user's rules know nothing of a recogniser. [`Rules::bind`] makes of them what a decoder needs: the classes that
//! may come out and, for a pattern or a list, an [`Automaton`] over these classes. Whatever the pattern or the list is,
//! that takes a bounded amount of memory and work; more is an error.

mod automaton;
mod names;
mod nfa;
mod pattern;
mod words;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

pub use automaton::{Automaton, Characters, Edge, ROOT};
use pattern::Pattern;
use words::Words;

use crate::error::{Error, ErrorKind, Result};

/// Rules of one call.
#[derive(Debug, Default)]
pub struct Rules {
    allow: Option<BTreeSet<char>>,
    form: Option<Form>,
    /// The rules for the recogniser that was used last, by its number.
    bound: Mutex<Option<(u64, Arc<Bound>)>>,
}

/// A form that a line has as a whole.
#[derive(Debug, Clone, PartialEq)]
enum Form {
    Pattern(Pattern),
    Words(Words),
}

/// Rules for the classes of one recogniser.
#[derive(Debug)]
pub struct Bound {
    /// The classes that may come out, sorted; the blank is not among them.
    pub classes: Vec<usize>,
    /// Says which sequences of them may; all, where there is none.
    pub automaton: Option<Automaton>,
}

impl PartialEq for Rules {
    fn eq(&self, other: &Self) -> bool {
        (&self.allow, &self.form) == (&other.allow, &other.form)
    }
}

impl Rules {
    /// Makes rules; `None` where nothing is given.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a list without any character or word, for a pattern that cannot be
    /// understood, for what is too large, and for a pattern together with words.
    pub fn new(allow: Option<&str>, pattern: Option<&str>, words: Option<&[String]>) -> Result<Option<Self>> {
        if allow.is_some_and(str::is_empty) {
            return Err(Error::new(ErrorKind::InvalidArgument, "`allow` names no character")
                .with_hint("leave it out for all characters"));
        }
        let form = match (pattern, words) {
            (Some(_), Some(_)) => {
                return Err(Error::new(ErrorKind::InvalidArgument, "`pattern` and `words` are both given")
                    .with_hint("give one of them; a pattern may have words in it: \"(red|green)( (red|green))*\""));
            }
            (Some(pattern), None) => Some(Form::Pattern(Pattern::new(pattern)?)),
            (None, Some(words)) => Some(Form::Words(Words::new(words)?)),
            (None, None) => None,
        };
        let allow = allow.map(|allow| allow.chars().collect());
        let is_any = allow.is_some() || form.is_some();
        Ok(is_any.then_some(Self { allow, form, bound: Mutex::default() }))
    }

    /// Returns true if a line may have more characters than the recogniser saw: a space in a gap, a mark in a column.
    pub fn takes_additions(&self) -> bool {
        self.form.is_none() && self.allow.as_ref().is_none_or(|allow| allow.contains(&' '))
    }

    /// Returns the rules for a recogniser's characters. `recognizer` is a number that no other one has, for which they
    /// are kept; `model` is named in errors.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] that names the characters which the recogniser cannot write, or says that nothing
    /// which it can write follows the rules; [`ErrorKind::OutOfMemory`] when there is no memory for them.
    pub fn bind(&self, recognizer: u64, characters: &Characters<'_>, model: &str) -> Result<Arc<Bound>> {
        // Whoever comes meanwhile would do the same work.
        let mut kept = self.bound.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bound)) = kept.as_ref().filter(|(of, _)| *of == recognizer) {
            return Ok(Arc::clone(bound));
        }
        let bound = Arc::new(self.made_for(characters, model)?);
        *kept = Some((recognizer, Arc::clone(&bound)));
        Ok(bound)
    }

    fn made_for(&self, characters: &Characters<'_>, model: &str) -> Result<Bound> {
        let may = |text: &str| self.allow.as_ref().is_none_or(|allow| text.chars().all(|one| allow.contains(&one)));
        let kept: Vec<_> = characters.iter().copied().filter(|(_, text)| !text.is_empty() && may(text)).collect();
        let writable: BTreeSet<char> = kept.iter().flat_map(|(_, text)| text.chars()).collect();
        if let Some(allow) = &self.allow {
            names::check("allow", allow.difference(&writable).copied(), model)?;
        }
        let source = names::Source { model, is_narrowed: self.allow.is_some() };
        let automaton = match &self.form {
            None => return Ok(Bound { classes: kept.iter().map(|(class, _)| *class).collect(), automaton: None }),
            Some(Form::Pattern(pattern)) => pattern.bind(&kept, &writable, source)?,
            Some(Form::Words(words)) => words.bind(&kept, &writable, source)?,
        };
        let (classes, automaton) = automaton.with_classes_by_place();
        Ok(Bound { classes, automaton: Some(automaton) })
    }
}

#[cfg(test)]
mod tests;
