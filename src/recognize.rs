//! Recognition: a strip with one line of text to characters.

pub(crate) mod bidi;
pub mod charset;
pub(crate) mod column;
pub mod ctc;
pub mod decoder;
pub mod head;
pub mod ink;
pub mod place;
mod ruled;
mod search;
pub mod spaces;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::image::Picture;
use crate::image::tensor::to_bgr_planes;
use crate::language::Languages;
use crate::models::Role;
use crate::models::spec;
use crate::onnx::LinearHead;
use crate::rules::Rules;
use crate::runtime::{Model, ModelSpec, Sides, Tensor};
use crate::stop::Stop;
use charset::Charset;
use ctc::Decoded;
use decoder::{Decoder, Greedy, Part, Steps};
use head::Head;
use ruled::Ruled;

/// Strips of PP-OCR recognisers of version 3 and later are this high; a model that fixes another height gets that.
const DEFAULT_HEIGHT: usize = 48;

/// The narrowest input. Narrower strips are padded on the right: the network halves widths several times. PaddleOCR
/// pads to 320; on 40 labelled pages that was 13 % slower and its token F1 .938 instead of .939.
const MIN_WIDTH: usize = 48;

/// The narrowest input for a runtime that is best given few shapes: about three words.
const PLANNED_WIDTH: usize = 160;

/// The strips and classes of a recogniser, and the reading of its output: shared by all sessions of one model.
#[derive(Debug, Clone)]
pub struct Alphabet {
    /// Its number, which no other one of the process has.
    number: u64,
    /// The recogniser's name, for messages.
    name: String,
    height: u32,
    charset: Arc<Charset>,
    /// Computed here where the model gives its features instead of probabilities.
    head: Option<Arc<Head>>,
    /// The number of classes where the model gives of each step the best one alone.
    picked_of: Option<usize>,
    /// The classes that can come out; all, where there is no list. A head has no others.
    allowed: Option<Arc<[usize]>>,
    /// The factors of probabilities of a model that has its head, by class. A head has them in it.
    factors: Option<Arc<[f32]>>,
    decoder: Arc<dyn Decoder>,
    takes_additions: bool,
}

impl Alphabet {
    /// Reads it from a model's description. `head` is what was cut off the model, if that was done, and `languages`
    /// narrow the characters that can come out.
    ///
    /// # Errors
    /// [`ErrorKind::ModelMismatch`] when the model is no recogniser, carries no characters, or their number does not
    /// fit its classes; [`ErrorKind::InvalidArgument`] when it does not know one of the languages.
    pub fn of(spec: &ModelSpec, head: Option<&LinearHead>, languages: Option<&Languages>) -> Result<Self> {
        spec::check(spec, Role::Recognizer)?;
        let classes = head.map_or(spec.outputs[0].shape[2], |head| Some(head.classes));
        let charset = Self::charset_of(spec, classes)?;
        let allowed = languages.map(|languages| charset.classes_of(languages, &spec.name)).transpose()?;
        let allowed: Option<Arc<[usize]>> = allowed.map(Into::into);
        let leaning = languages.and_then(|languages| charset.leaning_to(languages)).unwrap_or_default();
        let head = head.map(|head| Arc::new(Head::new(head, allowed.as_deref()).leaning_to(&leaning)));
        let factors = (head.is_none() && !leaning.is_empty()).then(|| leaning.into_iter().map(f32::exp).collect());
        let alphabet = Self { head, allowed, factors, ..Self::plain(spec, charset) };
        let decoder = Arc::new(alphabet.greedy());
        Ok(alphabet.with_decoder(decoder))
    }

    fn greedy(&self) -> Greedy {
        let can_come_out = |class: &usize| self.allowed.as_ref().is_none_or(|some| some.binary_search(class).is_ok());
        let space = self.charset.space().filter(|class| self.picked_of.is_none() && can_come_out(class));
        Greedy::new(space.map(|space| Part::new(vec![space], self.head.as_deref())))
    }

    /// Reads it from the description of a model that gives of each step the best of so many classes, and its
    /// probability.
    ///
    /// # Errors
    /// Those of [`Alphabet::of`].
    pub fn of_picked(spec: &ModelSpec, classes: usize) -> Result<Self> {
        spec::check(spec, Role::Recognizer)?;
        let charset = Self::charset_of(spec, Some(classes))?;
        Ok(Self { picked_of: Some(classes), ..Self::plain(spec, charset) })
    }

    fn plain(spec: &ModelSpec, charset: Charset) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            name: spec.name.clone(),
            height: spec::input_side(spec, 2, DEFAULT_HEIGHT) as u32,
            charset: Arc::new(charset),
            head: None,
            picked_of: None,
            allowed: None,
            factors: None,
            decoder: Arc::new(Greedy::default()),
            takes_additions: true,
        }
    }

    fn charset_of(spec: &ModelSpec, classes: Option<usize>) -> Result<Charset> {
        let Some(characters) = &spec.characters else {
            let message = format!("{} does not say which characters it knows", spec.name);
            return Err(Error::new(ErrorKind::ModelMismatch, message).with_hint(
                "add them to the file as metadata property `character`, one a line, or put them beside it in a file of \
                 the same name with suffix .txt, or .yml as PaddlePaddle has it",
            ));
        };
        Charset::new(characters, classes).map_err(|error| error.named(&spec.name))
    }

    /// Makes text with another decoder than [`Greedy`].
    #[must_use]
    pub fn with_decoder(self, decoder: Arc<dyn Decoder>) -> Self {
        Self { decoder, ..self }
    }

    /// Reads texts that follow the rules. Only characters that can come out without them can come out with them.
    ///
    /// # Errors
    /// Those of [`Rules::bind`].
    pub fn with_rules(&self, rules: &Rules) -> Result<Self> {
        let class = |class: usize| (class, self.charset.character(class));
        let characters: Vec<_> = match &self.allowed {
            Some(allowed) => allowed.iter().copied().map(class).collect(),
            None => (0..self.charset.len()).map(class).collect(),
        };
        let bound = rules.bind(self.number, &characters, &self.name)?;
        // The blank is the first class, and no character.
        let classes = std::iter::once(0).chain(bound.classes.iter().copied()).collect();
        let decoder = Arc::new(Ruled::new(bound, Part::new(classes, self.head.as_deref()), self.greedy()));
        Ok(Self { decoder, takes_additions: rules.takes_additions(), ..self.clone() })
    }

    /// Returns true if a line may have characters that its recogniser left out.
    pub(crate) fn takes_additions(&self) -> bool {
        self.takes_additions
    }

    /// Returns the height of a strip in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the characters.
    pub fn charset(&self) -> &Charset {
        &self.charset
    }

    /// Reads the text of a strip of [`Alphabet::height`], with its characters at the steps in which they were seen;
    /// [`place::fit`] moves them to where their ink is.
    ///
    /// # Errors
    /// The errors of the model's run; [`ErrorKind::ModelMismatch`] when its output does not fit the characters.
    pub fn read(&self, model: &mut dyn Model, strip: &Picture, stop: &Stop) -> Result<Decoded> {
        let (own, height) = (strip.width() as usize, strip.height() as usize);
        let sides = model.spec().sides;
        let width = sides.padded(own.max(MIN_WIDTH), PLANNED_WIDTH);
        let data = to_bgr_planes(strip, width)?;
        let (mut decoded, mut seen) = (Decoded::default(), width as f32);
        model.run(Tensor { shape: &[1, 3, height, width], data: &data }, stop, &mut |output| {
            let weighed = self.weighed(output)?;
            let mut steps = self.steps(Tensor { data: weighed.as_deref().unwrap_or(output.data), ..output })?;
            if sides == Sides::Few {
                seen *= steps.cut(own as f32 / width as f32);
            }
            decoded = self.decoder.decode(&steps, &self.charset)?;
            Ok(())
        })?;
        decoded.stretch(seen / own as f32);
        Ok(decoded)
    }

    /// Returns the probabilities times their factors; `None` where there are no factors. They are shared out among the
    /// allowed classes after that.
    fn weighed(&self, output: Tensor<'_>) -> Result<Option<Vec<f32>>> {
        let Some(factors) = &self.factors else { return Ok(None) };
        let mut weighed = buffer::copied(output.data, "the probabilities of a line")?;
        let classes = output.shape.last().map_or(1, |&classes| classes.max(1));
        for row in weighed.chunks_exact_mut(classes) {
            row.iter_mut().zip(factors.iter()).for_each(|(probability, factor)| *probability *= factor);
        }
        Ok(Some(weighed))
    }

    /// Returns what a decoder sees of the model's output.
    fn steps<'a>(&'a self, output: Tensor<'a>) -> Result<Steps<'a>> {
        let &[1, _, values] = output.shape else {
            let message = format!("a recogniser's output has shape {:?}, expected [1, T, classes]", output.shape);
            return Err(Error::new(ErrorKind::ModelMismatch, message));
        };
        match &self.head {
            None if self.picked_of.is_some() && values == 2 => {}
            None => self.charset.check_classes(values)?,
            Some(head) if values != head.inputs() => {
                let inputs = head.inputs();
                let message = format!("a recogniser gives {values} values a step, and its head takes {inputs}");
                return Err(Error::new(ErrorKind::ModelMismatch, message));
            }
            Some(_) => {}
        }
        let (head, picked_of) = (self.head.as_deref(), self.picked_of);
        Ok(Steps { output: output.data, values, head, picked_of, allowed: self.allowed.as_deref() })
    }
}

#[cfg(test)]
mod tests;
