//! Recognition: a strip with one line of text to characters.

pub mod charset;
pub mod ctc;
pub mod head;

use crate::error::{Error, ErrorKind, Result};
use crate::image::Picture;
use crate::image::tensor::to_bgr_planes;
use crate::models::Role;
use crate::models::session::{Model, ModelSpec};
use crate::models::spec;
use crate::stop::Stop;
use charset::Charset;
use ctc::Decoded;

/// Strips of PP-OCR recognisers of version 3 and later are this high; a model that fixes another height gets that.
const DEFAULT_HEIGHT: usize = 48;

/// The narrowest input. Narrower strips are padded on the right: the network halves widths several times. PaddleOCR
/// pads to 320; on 40 labelled pages that was 13 % slower and its token F1 .938 instead of .939.
const MIN_WIDTH: usize = 48;

/// What a recogniser's strips and classes are, shared by all sessions of one model.
#[derive(Debug, Clone)]
pub struct Alphabet {
    height: u32,
    charset: Charset,
}

impl Alphabet {
    /// Reads it from a model's description.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] when the model is no recogniser, carries no characters, or their number does not
    /// fit its classes.
    pub fn of(spec: &ModelSpec) -> Result<Self> {
        spec::check(spec, Role::Recognizer)?;
        let classes = spec.outputs[0].shape[2];
        let Some(characters) = &spec.characters else {
            let message = format!("{} does not say which characters it knows", spec.name);
            return Err(Error::new(ErrorKind::ModelMismatch, message).with_hint(
                "add them to the file as metadata property `character`, one a line, or put them beside it in a file of \
                 the same name with suffix .txt",
            ));
        };
        let charset = Charset::new(characters, classes).map_err(|error| error.named(&spec.name))?;
        Ok(Self { height: spec::input_side(spec, 2, DEFAULT_HEIGHT) as u32, charset })
    }

    /// Height of a strip in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// The characters.
    pub fn charset(&self) -> &Charset {
        &self.charset
    }

    /// Reads the text of a strip of [`Alphabet::height`].
    ///
    /// # Errors
    /// What the model's run returns; [`ErrorKind::ModelMismatch`] when its output does not fit the characters.
    pub fn read(&self, model: &mut dyn Model, strip: &Picture, stop: &Stop) -> Result<Decoded> {
        let (own, height) = (strip.width() as usize, strip.height() as usize);
        let width = own.max(MIN_WIDTH);
        let data = to_bgr_planes(strip, width)?;
        let mut decoded = Decoded::default();
        model.run(spec::input(&[1, 3, height, width], &data), stop, &mut |output| {
            let &[1, steps, classes] = output.shape else {
                let message = format!("a recogniser's output has shape {:?}, expected [1, T, classes]", output.shape);
                return Err(Error::new(ErrorKind::ModelMismatch, message));
            };
            self.charset.check_classes(classes)?;
            decoded = ctc::decode(output.data, steps, classes, &self.charset);
            Ok(())
        })?;
        decoded.stretch(width as f32 / own as f32);
        Ok(decoded)
    }
}
