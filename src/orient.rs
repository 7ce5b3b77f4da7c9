//! Orientation: the way up of lines, as a classifier and the vote of a page's lines tell it, and of whole pages.

pub mod page;
pub(crate) mod spots;
pub(crate) mod vote;

use crate::error::{Error, ErrorKind, Result};
use crate::image::Picture;
use crate::image::tensor::to_bgr_planes;
use crate::models::Role;
use crate::models::spec;
use crate::runtime::{Model, ModelSpec, Tensor};
use crate::stop::Stop;

/// The input of PP-OCR's line classifiers up to version 4; later ones fix 80x160 in the file.
const DEFAULT_SIZE: (usize, usize) = (48, 192);

/// The input size of a line orientation classifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Orienter {
    height: usize,
    width: usize,
}

impl Orienter {
    /// Reads it from a model's description.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] when the model is no classifier with two classes.
    pub fn of(spec: &ModelSpec) -> Result<Self> {
        spec::check(spec, Role::Orienter)?;
        let height = spec::input_side(spec, 2, DEFAULT_SIZE.0);
        Ok(Self { height, width: spec::input_side(spec, 3, DEFAULT_SIZE.1) })
    }

    /// Returns the widest part of a line, in multiples of its height, that fits into the model's input without
    /// squeezing. On squeezed lines of typescript the classifier is wrong so often that token F1 fell from .95 to .90.
    pub fn max_aspect(&self) -> f32 {
        self.width as f32 / self.height as f32
    }

    /// Returns the width and height of the strip that [`Orienter::upside_down`] takes of a line so many times as wide
    /// as high. What is wider than the model's input is squeezed into it.
    pub fn strip_size(&self, aspect: f32) -> (u32, u32) {
        let natural = (self.height as f32 * aspect).ceil() as usize;
        (natural.clamp(1, self.width) as u32, self.height as u32)
    }

    /// Returns the probability that the strip's text is upside down.
    ///
    /// # Errors
    /// The errors of the model's run; [`ErrorKind::ModelMismatch`] when its output has another shape than `[1, 2]`.
    pub fn upside_down(&self, model: &mut dyn Model, strip: &Picture, stop: &Stop) -> Result<f32> {
        let data = to_bgr_planes(strip, self.width)?;
        let mut probability = 0.0;
        model.run(Tensor { shape: &[1, 3, self.height, self.width], data: &data }, stop, &mut |output| {
            let (&[1, 2], &[_, turned]) = (output.shape, output.data) else {
                let message = format!("a line classifier's output has shape {:?}, expected [1, 2]", output.shape);
                return Err(Error::new(ErrorKind::ModelMismatch, message));
            };
            probability = turned;
            Ok(())
        })?;
        Ok(probability)
    }
}
