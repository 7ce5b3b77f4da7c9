//! The page turn: the quarters by which a whole page is turned, as a classifier sees it.

use crate::error::{Error, ErrorKind, Result};
use crate::image::Picture;
use crate::image::tensor::{Scaling, Window, resize, to_imagenet_planes};
use crate::models::Role;
use crate::models::spec;
use crate::runtime::{Model, Tensor};
use crate::stop::Stop;

/// The input of PaddleClas's classifiers, where the file leaves it open.
const DEFAULT_SIDE: usize = 224;

/// The part of the shorter side that the classifier sees, in the middle of the picture, as it was trained.
const SEEN: f64 = 224.0 / 256.0;

/// A classifier of page turns. PULC's text_image_orientation is one.
pub struct PageOrienter {
    model: Box<dyn Model>,
    height: usize,
    width: usize,
}

/// The turn of a page, as a classifier sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PageTurn {
    /// The quarters clockwise by which its text is turned, 0 to 3.
    pub quarters: usize,
    /// The probability of this.
    pub probability: f32,
}

impl PageOrienter {
    /// Takes a model after checking that it is a classifier of four turns.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] when inputs or outputs are not `[N, 3, H, W]` and `[N, 4]`.
    pub fn new(model: Box<dyn Model>) -> Result<Self> {
        spec::check(model.spec(), Role::PageOrienter)?;
        let side = |axis| spec::input_side(model.spec(), axis, DEFAULT_SIDE);
        let (height, width) = (side(2), side(3));
        Ok(Self { model, height, width })
    }

    /// Counts its sessions.
    pub fn sessions(&self) -> usize {
        self.model.sessions()
    }

    /// Tells how the page is turned, by the square in its middle.
    ///
    /// # Errors
    /// The errors of the model's run; [`ErrorKind::ModelMismatch`] when its output has another shape than `[1, 4]`, or
    /// holds no number.
    pub fn turn(&mut self, picture: &Picture, stop: &Stop) -> Result<PageTurn> {
        let shown = resize(picture, middle(picture), self.width as u32, self.height as u32, Scaling::Smooth)?;
        let data = to_imagenet_planes(&shown)?;
        let mut turn = None;
        self.model.run(Tensor { shape: &[1, 3, self.height, self.width], data: &data }, stop, &mut |output| {
            let (&[1, 4], [_, _, _, _]) = (output.shape, output.data) else {
                let message = format!("a page classifier's output has shape {:?}, expected [1, 4]", output.shape);
                return Err(Error::new(ErrorKind::ModelMismatch, message));
            };
            let best = output.data.iter().enumerate().filter(|(_, value)| value.is_finite());
            turn = best.max_by(|(_, a), (_, b)| a.total_cmp(b)).map(|(i, &p)| PageTurn { quarters: i, probability: p });
            Ok(())
        })?;
        turn.ok_or_else(|| Error::new(ErrorKind::ModelMismatch, "a page classifier's output holds no number"))
    }
}

/// Returns the square in the middle.
fn middle(picture: &Picture) -> Window {
    let (width, height) = (f64::from(picture.width()), f64::from(picture.height()));
    let side = width.min(height) * SEEN;
    Window { left: (width - side) / 2.0, top: (height - side) / 2.0, width: side, height: side }
}
