//! Decoding: from the output of a recogniser to text.
//!
//! A decoder asks for what it needs: the best class of each step, which costs least, the probabilities of some classes,
//! or those of all.

use std::fmt::Debug;

use super::charset::Charset;
use super::ctc::{self, BestClass, Decoded};
use super::head::Head;
use crate::buffer;
use crate::error::{Error, ErrorKind, Result};

/// The steps of a strip as the recogniser sees them. They are lent: the model's output does not outlive its run.
#[derive(Debug, Clone, Copy)]
pub struct Steps<'a> {
    /// A row for each step: the probabilities of all classes, or the features that the head makes them of.
    pub(super) output: &'a [f32],
    /// The length of a row.
    pub(super) values: usize,
    /// Cut off the model.
    pub(super) head: Option<&'a Head>,
    /// The number of classes, if a row is the best of them and its probability.
    pub(super) picked_of: Option<usize>,
    /// The classes that can come out; all, where there is no list. A head has no others.
    pub(super) allowed: Option<&'a [usize]>,
}

impl Steps<'_> {
    /// Leaves only the steps that begin in the first `part` of the input, at least one: beyond it is padding. Returns
    /// the part that is left.
    pub(super) fn cut(&mut self, part: f32) -> f32 {
        let all = self.output.len() / self.values.max(1);
        let kept = ((part * all as f32).ceil() as usize).clamp(1, all.max(1));
        self.output = self.output.get(..kept * self.values).unwrap_or(self.output);
        kept as f32 / all.max(1) as f32
    }

    /// Returns the number of classes.
    pub fn classes(&self) -> usize {
        self.picked_of.unwrap_or_else(|| self.head.map_or(self.values, Head::classes))
    }

    /// Returns the best class of each step, with its probability.
    pub fn best(&self) -> Vec<BestClass> {
        match (self.head, self.picked_of) {
            (Some(head), _) => head.best(self.output),
            (None, Some(classes)) => {
                let (rows, _) = self.output.as_chunks();
                // What is no number is class 0.
                rows.iter().map(|&[class, probability]| ((class as usize).min(classes - 1), probability)).collect()
            }
            (None, None) => ctc::best_classes(self.output, self.values, self.allowed),
        }
    }

    /// Returns [`Steps::best`], and the probabilities of some classes, a row for each step: their shares among all that
    /// can come out, not among themselves. The best class has the same one in both.
    ///
    /// # Errors
    /// Those of [`Steps::probabilities`].
    pub fn best_with(&self, part: &Part) -> Result<(Vec<BestClass>, Vec<f32>)> {
        if self.picked_of.is_some() {
            return Err(picked());
        }
        if let (Some(head), Some(own)) = (self.head, &part.head) {
            return head.best_with(own, self.output);
        }
        let steps = self.output.len() / self.values.max(1);
        let mut some = buffer::empty(steps * part.classes.len(), "the probabilities of a line")?;
        for row in self.output.chunks_exact(self.values.max(1)) {
            let own = part.classes.iter().map(|&class| row.get(class).copied().unwrap_or(0.0));
            match self.allowed {
                None => some.extend(own),
                Some(allowed) => {
                    let sum = ctc::sum_of(row, allowed);
                    // False for what is no number.
                    some.extend(own.map(|one| if sum > 0.0 { (f64::from(one) / sum) as f32 } else { 0.0 }));
                }
            }
        }
        Ok((self.best(), some))
    }

    /// Returns the probabilities of all classes, a row for each step. Classes that cannot come out have 0.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] when there is no memory for them: 18,710 classes take 3 MB for 40 steps.
    /// [`ErrorKind::Internal`] where the model gives the best class alone: whoever asks for them has to load it whole.
    pub fn probabilities(&self) -> Result<Vec<f32>> {
        if self.picked_of.is_some() {
            return Err(picked());
        }
        if let Some(head) = self.head {
            return head.probabilities(self.output);
        }
        let mut all = buffer::copied(self.output, "the probabilities of a line")?;
        if let Some(allowed) = self.allowed {
            all.chunks_exact_mut(self.values.max(1)).for_each(|row| ctc::share_out(row, allowed));
        }
        Ok(all)
    }
}

fn picked() -> Error {
    Error::new(ErrorKind::Internal, "the recogniser gives the best class of each step alone")
}

/// Some classes of a recogniser, for [`Steps::best_with`].
#[derive(Debug)]
pub struct Part {
    /// Sorted.
    classes: Vec<usize>,
    /// Their columns of the head, where there is one.
    head: Option<Head>,
}

impl Part {
    /// Takes sorted classes that can come out, with their columns of `head`, if that was cut off the model.
    pub(super) fn new(classes: Vec<usize>, head: Option<&Head>) -> Self {
        let head = head.map(|head| head.part(&classes));
        Self { classes, head }
    }

    /// Returns the classes.
    pub fn classes(&self) -> &[usize] {
        &self.classes
    }
}

/// Makes text of a strip's steps.
pub trait Decoder: Debug + Send + Sync {
    /// Returns the text, with its characters at the steps in which they were seen.
    ///
    /// # Errors
    /// Those of [`Steps::probabilities`], if it asks for them.
    fn decode(&self, steps: &Steps<'_>, charset: &Charset) -> Result<Decoded>;
}

/// Takes the best class of each step.
#[derive(Debug, Default)]
pub struct Greedy {
    /// The space, where it can come out.
    space: Option<Part>,
}

impl Greedy {
    /// Takes the part of a recogniser that is its space; `None` where that cannot come out.
    pub(super) fn new(space: Option<Part>) -> Self {
        Self { space }
    }

    /// Returns the best class of each step, with its probability, and the probability of a space; none where that is
    /// not known.
    pub(super) fn seen(&self, steps: &Steps<'_>) -> Result<(Vec<BestClass>, Vec<f32>)> {
        match &self.space {
            Some(space) => steps.best_with(space),
            None => Ok((steps.best(), Vec::new())),
        }
    }
}

impl Decoder for Greedy {
    fn decode(&self, steps: &Steps<'_>, charset: &Charset) -> Result<Decoded> {
        let (best, spaces) = self.seen(steps)?;
        Ok(ctc::decode(&best, &spaces, charset))
    }
}
