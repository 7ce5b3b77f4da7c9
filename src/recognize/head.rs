//! The last layer of a recogniser together with its softmax and the search for the best class.
//!
//! Greedy decoding needs of every step the best class and its probability, not the 18,710 scores of PP-OCRv6. So the
//! scores are computed in blocks that stay in registers: of each block the maximum and the sum of exponentials go on,
//! the scores themselves never reach memory. The sum is kept relative to the largest score so far and scaled when a
//! larger one comes (Milakov and Gimelshein, "Online normalizer calculation for softmax", 2018).

mod kernel;

use std::iter::repeat_n;

use super::ctc::BestClass;
use crate::buffer;
use crate::error;
use crate::onnx::LinearHead;
use kernel::{All, Best, COLUMNS, Row, Run};

/// The weights of a head in the order in which they are used.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    inputs: usize,
    /// Number of classes that the layer has.
    all: usize,
    /// The class of each column.
    classes: Vec<u32>,
    /// Blocks of [`COLUMNS`] columns: all inputs of the first block, then those of the next.
    weights: Vec<Row>,
    /// A block's biases. Columns beyond the last class have minus infinity, which no score beats or adds to.
    bias: Vec<Row>,
}

impl Head {
    /// Packs the columns of the classes in `kept`, from the lowest to the highest, or all.
    ///
    /// A number in `kept` that is no class is left out; so is what weights and bias have too little of.
    pub fn new(layer: &LinearHead, kept: Option<&[usize]>) -> Self {
        let classes: Vec<u32> = match kept {
            Some(kept) => kept.iter().filter(|&&class| class < layer.classes).map(|&class| class as u32).collect(),
            None => (0..layer.classes as u32).collect(),
        };
        let blocks = classes.chunks(COLUMNS);
        let (mut weights, mut bias) = (Vec::with_capacity(blocks.len() * layer.inputs), Vec::new());
        for block in blocks {
            let rows = layer.weights.chunks_exact(layer.classes.max(1)).take(layer.inputs);
            weights.extend(rows.map(|row| columns(block, 0.0, |class| row.get(class).copied().unwrap_or(0.0))));
            bias.push(columns(block, f32::NEG_INFINITY, |class| layer.bias.get(class).copied().unwrap_or(0.0)));
        }
        Self { inputs: layer.inputs, all: layer.classes, classes, weights, bias }
    }

    /// Adds to the score of each class; classes beyond the end of `leaning` stay as they are.
    #[must_use]
    pub fn leaning_to(mut self, leaning: &[f32]) -> Self {
        let biases = self.bias.iter_mut().flat_map(|row| &mut row.0);
        for (bias, &class) in biases.zip(&self.classes) {
            *bias += leaning.get(class as usize).copied().unwrap_or(0.0);
        }
        self
    }

    /// Returns true if it is fast on this processor: without vectors, the runtime's own way is faster.
    pub fn is_fast() -> bool {
        kernel::has_vectors()
    }

    /// Returns the number of values that a step has.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Returns the number of classes of the layer, with those that are left out.
    pub fn classes(&self) -> usize {
        self.all
    }

    /// Returns for each step the best class and its softmax probability; of equal scores the first.
    ///
    /// `features` has [`Head::inputs`] values for each step. Where they or the weights give a score that is no number,
    /// or infinite, the step's answer is class 0 with probability 0.
    pub fn best(&self, features: &[f32]) -> Vec<BestClass> {
        let mut best = vec![Best::default(); self.steps(features)];
        self.run(features, &mut best).start();
        best.iter().map(|best| self.answer(best)).collect()
    }

    /// Returns the softmax probabilities of all classes, a row for each step: 0 for those that are left out, and where
    /// [`Head::best`] has no answer.
    ///
    /// # Errors
    /// [`crate::ErrorKind::OutOfMemory`] when there is no memory for them.
    pub fn probabilities(&self, features: &[f32]) -> error::Result<Vec<f32>> {
        let (steps, columns) = (self.steps(features), self.bias.len() * COLUMNS);
        let mut scores = buffer::filled(steps * columns, 0.0, "the scores of a line")?;
        let mut rows: Vec<_> = scores.chunks_exact_mut(columns.max(1)).map(All).collect();
        self.run(features, &mut rows).start();
        let mut probabilities = buffer::filled(steps * self.all, 0.0, "the probabilities of a line")?;
        for (All(scores), row) in rows.iter().zip(probabilities.chunks_exact_mut(self.all.max(1))) {
            let top = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers: Vec<f32> = scores.iter().map(|score| (score - top).exp()).collect();
            let sum: f32 = powers.iter().sum();
            // False for what is no number.
            if sum > 0.0 {
                self.classes.iter().zip(powers).for_each(|(&class, power)| row[class as usize] = power / sum);
            }
        }
        Ok(probabilities)
    }

    /// Returns a head of some of its classes, sorted ones, for [`Head::best_with`].
    #[must_use]
    pub fn part(&self, classes: &[usize]) -> Self {
        let place = |class: &usize| self.classes.binary_search(&(*class as u32)).ok();
        let places: Vec<usize> = classes.iter().filter_map(place).collect();
        let (mut weights, mut bias) = (Vec::new(), Vec::new());
        for block in places.chunks(COLUMNS) {
            let block: Vec<u32> = block.iter().map(|&place| place as u32).collect();
            let at = |place: usize, row: usize| self.weights[place / COLUMNS * self.inputs + row].0[place % COLUMNS];
            weights.extend((0..self.inputs).map(|row| columns(&block, 0.0, |place| at(place, row))));
            let own = |place: usize| self.bias[place / COLUMNS].0[place % COLUMNS];
            bias.push(columns(&block, f32::NEG_INFINITY, own));
        }
        let classes = places.iter().map(|&place| self.classes[place]).collect();
        Self { inputs: self.inputs, all: self.all, classes, weights, bias }
    }

    /// Returns [`Head::best`], and the softmax probabilities among all its classes of those that a [`Head::part`] of it
    /// has, a row for each step; 0 where there is no answer. The best class has the same probability in both.
    ///
    /// # Errors
    /// [`crate::ErrorKind::OutOfMemory`] when there is no memory for them.
    pub fn best_with(&self, part: &Self, features: &[f32]) -> error::Result<(Vec<BestClass>, Vec<f32>)> {
        let (steps, columns, own) = (self.steps(features), part.bias.len() * COLUMNS, part.classes.len());
        let mut best = vec![Best::default(); steps];
        self.run(features, &mut best).start();
        let mut scores = buffer::filled(steps * columns, 0.0, "the scores of a line")?;
        let mut rows: Vec<_> = scores.chunks_exact_mut(columns.max(1)).map(All).collect();
        part.run(features, &mut rows).start();
        let mut probabilities = buffer::empty(steps * own, "the probabilities of a line")?;
        let answers: Vec<_> = best.iter().map(|best| self.answer(best)).collect();
        for ((best, &(_, share)), All(scores)) in best.iter().zip(&answers).zip(&rows) {
            probabilities.extend(scores[..own].iter().map(|score| match share > 0.0 {
                true => (score - best.score).exp() * share,
                false => 0.0,
            }));
        }
        Ok((answers, probabilities))
    }

    fn steps(&self, features: &[f32]) -> usize {
        features.len().checked_div(self.inputs).unwrap_or(0)
    }

    fn run<'a, T>(&'a self, features: &'a [f32], steps: &'a mut [T]) -> Run<'a, T> {
        Run { features, inputs: self.inputs, weights: &self.weights, bias: &self.bias, steps }
    }

    fn answer(&self, best: &Best) -> (usize, f32) {
        match (best.column.and_then(|column| self.classes.get(column)), best.sum()) {
            // False for what is no number.
            (Some(&class), sum) if sum > 0.0 => (class as usize, 1.0 / sum),
            _ => (0, 0.0),
        }
    }
}

/// Returns one value for each class of a block, filled up.
fn columns(block: &[u32], otherwise: f32, value: impl Fn(usize) -> f32) -> Row {
    let mut values = block.iter().map(|&class| value(class as usize)).chain(repeat_n(otherwise, COLUMNS));
    Row(std::array::from_fn(|_| values.next().unwrap_or(otherwise)))
}

#[cfg(test)]
mod tests;
