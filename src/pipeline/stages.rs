//! The stages with their models, and the way of a picture through them.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::call::Call;
use super::lines::{Lines, Reader};
use super::pool::{End, Pool, Pooled};
use super::share::Workers;
use crate::buffer;
use crate::detect::{Detector, Region};
use crate::error::{Error, ErrorKind, Result, unless_fatal};
use crate::geometry::Quad;
use crate::image::Picture;
use crate::models::Role;
use crate::onnx::LinearHead;
use crate::options::{EngineOptions, OrientOptions};
use crate::orient::Orienter;
use crate::orient::page::PageOrienter;
use crate::page::{Line, Page};
use crate::recognize::Alphabet;
use crate::runtime::Model;
use crate::stop::Stop;
use crate::timings::{Stage, Watch};

/// The size of a page of A4 in portrait.
const PAGE: (u32, u32) = (904, 1280);

/// Sessions of one model.
#[derive(Default)]
pub struct Sessions {
    /// The sessions.
    pub models: Vec<Box<dyn Model>>,
    /// The part that was cut off the model: the sessions give what it takes instead of what the model does.
    pub head: Option<LinearHead>,
    /// The number of classes, where the sessions pick the best of each step.
    pub picked_of: Option<usize>,
    /// Sessions of the whole model, as many, where the others pick; without them lines cannot follow rules.
    pub whole: Vec<Box<dyn Model>>,
}

impl From<Vec<Box<dyn Model>>> for Sessions {
    fn from(models: Vec<Box<dyn Model>>) -> Self {
        Self { models, ..Self::default() }
    }
}

/// Detection and recognition with loaded models.
pub struct Stages {
    /// The one with the most threads comes first.
    detectors: Pool<Detector>,
    /// Pages that are being read.
    pages: AtomicUsize,
    readers: Pool<Reader>,
    alphabet: Alphabet,
    /// The alphabet for rules, where the other one is for sessions that pick.
    whole: Option<Alphabet>,
    orienter: Option<Orienter>,
    page_orienters: Option<Pool<PageOrienter>>,
}

impl Stages {
    /// Makes stages from models: one detector, and as many recognisers as lines shall be read at once, with an orienter
    /// each or none at all.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelMismatch`] when a model does not fit its role.
    pub fn new(
        detector: Box<dyn Model>,
        recognizers: Vec<Box<dyn Model>>,
        orienters: Vec<Box<dyn Model>>,
    ) -> Result<Self> {
        let models = [(Role::Detector, vec![detector]), (Role::Recognizer, recognizers), (Role::Orienter, orienters)];
        let models = models.into_iter().map(|(role, models)| (role, models.into())).collect();
        Self::with(models, &EngineOptions::default())
    }

    /// Makes stages as [`Stages::new`] does, from the sessions of each role, whose head may have been cut off, for an
    /// engine with these options.
    ///
    /// # Errors
    /// Those of [`Stages::new`], and [`crate::ErrorKind::InvalidArgument`] for a language that the recogniser does not
    /// know.
    pub fn with(mut models: BTreeMap<Role, Sessions>, options: &EngineOptions) -> Result<Self> {
        let mut take = |role| models.remove(&role).unwrap_or_default();
        let detectors = take(Role::Detector).models;
        if detectors.is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "an engine needs a detector"));
        }
        let Sessions { models: recognizers, head, picked_of, whole } = take(Role::Recognizer);
        let orienters = take(Role::Orienter).models;
        let Some(first) = recognizers.first() else {
            return Err(Error::new(ErrorKind::InvalidArgument, "an engine needs at least one recogniser"));
        };
        if !orienters.is_empty() && orienters.len() != recognizers.len() {
            let message = format!("{} orienters for {} recognisers", orienters.len(), recognizers.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("give one to each, or none"));
        }
        let alphabet = match picked_of {
            Some(classes) => Alphabet::of_picked(first.spec(), classes)?,
            None => Alphabet::of(first.spec(), head.as_ref(), options.languages.as_ref())?,
        };
        let whole_alphabet = whole.first().map(|model| Alphabet::of(model.spec(), None, None)).transpose()?;
        let orienter = orienters.first().map(|model| Orienter::of(model.spec())).transpose()?;
        let (mut whole, mut orienters) = (whole.into_iter(), orienters.into_iter());
        let reader = |recognizer| Reader { recognizer, whole: whole.next(), orienter: orienters.next() };
        let readers = recognizers.into_iter().map(reader).collect();
        let detectors = Pool::new(detectors.into_iter().map(Detector::new).collect::<Result<_>>()?);
        let page_orienters = take(Role::PageOrienter).models.into_iter().map(PageOrienter::new);
        let page_orienters = page_orienters.collect::<Result<Vec<_>>>()?;
        let page_orienters = (!page_orienters.is_empty()).then(|| Pool::new(page_orienters));
        let readers = Pool::new(readers);
        let pages = AtomicUsize::new(0);
        Ok(Self { detectors, pages, readers, alphabet, whole: whole_alphabet, orienter, page_orienters })
    }

    /// Returns the number of sessions, while none is in use.
    pub fn sessions(&self) -> usize {
        let page_orienters = self.page_orienters.as_ref().map_or(0, |pool| pool.sum(PageOrienter::sessions));
        self.detectors.sum(Detector::sessions) + self.readers.sum(Reader::sessions) + page_orienters
    }

    /// Reads a picture. Of several that are read at the same time, the one with the lowest turn goes first.
    ///
    /// # Errors
    /// The errors of a model's run, and [`crate::Stop::check`].
    pub(crate) fn read(&self, picture: &Picture, engine: &EngineOptions, call: Call<'_>) -> Result<Page> {
        let Call { turn, stop, watch, .. } = call;
        let _page = Counted::begin(&self.pages);
        let detect = |quarters| {
            let mut detector = watch.wait(|| self.detector(call))?;
            watch.time(Stage::Detect, || detector.detect(picture, quarters, &engine.detect, stop))
        };
        // Before anything is done: the rules may have what the recogniser cannot write.
        let alphabet = watch.time(Stage::Recognize, || self.alphabet(call))?;
        let lines = self.lines(picture, &alphabet, engine.orient, call);
        let readers = Workers { pool: &self.readers, turn, stop, busy: &lines.busy };
        let find = |regions: &[Region], turned_by| {
            watch.divide(Stage::Orient, &lines.busy, || lines.find(&readers, regions, turned_by))
        };
        let turned_by = watch.time(Stage::Orient, || self.turn(picture, engine.orient, call))?;
        let shown = turned_by.unwrap_or(0);
        let mut found = find(&detect(shown)?, turned_by)?;
        let quarters = found.quarters(&engine.orient);
        if quarters != shown {
            // The detector was trained on upright pages. Whatever is done twice is done for turned ones only, or where
            // a turn was taken for sure that the lines do not bear out.
            found = find(&detect(quarters)?, None)?;
        }
        let outcome = watch.divide(Stage::Recognize, &lines.busy, || lines.read(&readers, &found))?;
        let page = watch.time(Stage::Order, || Page::new(picture.width(), picture.height(), outcome.lines));
        Ok(Page { unread: outcome.unread, ..page })
    }

    /// Runs detector and recogniser once, on a blank page and a blank line. A device shows only then that it has all
    /// that it needs, and the first page finds it prepared for these shapes.
    ///
    /// # Errors
    /// The errors of a model's run, and [`crate::Stop::check`].
    pub(crate) fn tried_out(&self, engine: &EngineOptions, stop: &Stop) -> Result<()> {
        let blank = |width: u32, height: u32| {
            let pixels = buffer::filled(3 * width as usize * height as usize, u8::MAX, "a blank picture")?;
            Picture::from_rgb(width, height, pixels)
        };
        let (page, line) = (blank(PAGE.0, PAGE.1)?, blank(self.alphabet.height(), self.alphabet.height())?);
        let call = Call { turn: 0, stop, options: &engine.recognize, watch: &Watch::default() };
        self.read(&page, engine, call)?;
        self.read_whole(&line, engine, call)?;
        Ok(())
    }

    /// Reads a picture that is one line from edge to edge.
    ///
    /// # Errors
    /// The errors of a model's run, and [`crate::Stop::check`].
    pub(crate) fn read_whole(&self, picture: &Picture, engine: &EngineOptions, call: Call<'_>) -> Result<Line> {
        let quad = Quad::upright(0.0, 0.0, picture.width() as f32, picture.height() as f32);
        let alphabet = self.alphabet(call)?;
        let lines = self.lines(picture, &alphabet, engine.orient, call);
        lines.read_one(&mut *self.readers.take(call.turn, call.stop)?, quad)
    }

    /// Returns the quarters clockwise by which the page is turned, where there is a model that tells, and it is sure.
    fn turn(&self, picture: &Picture, orient: OrientOptions, call: Call<'_>) -> Result<Option<usize>> {
        let Some(pool) = &self.page_orienters else { return Ok(None) };
        let mut orienter = pool.take(call.turn, call.stop)?;
        // Its failure costs no page: the lines vote then.
        let turn = unless_fatal(orienter.turn(picture, call.stop))?.ok();
        Ok(turn.filter(|turn| turn.probability >= orient.sure_page).map(|turn| turn.quarters))
    }

    /// Waits for a detector: that with all threads for a page that is alone, one with fewer where others are read too.
    fn detector(&self, call: Call<'_>) -> Result<Pooled<'_, Detector>> {
        let end = if self.pages.load(Ordering::Relaxed) > 1 { End::Last } else { End::First };
        self.detectors.take_from(end, call.turn, call.stop)
    }

    /// Returns the alphabet of a call, which is its own where it has rules.
    fn alphabet(&self, call: Call<'_>) -> Result<Cow<'_, Alphabet>> {
        match &call.options.rules {
            None => Ok(Cow::Borrowed(&self.alphabet)),
            Some(rules) => self.whole.as_ref().unwrap_or(&self.alphabet).with_rules(rules).map(Cow::Owned),
        }
    }

    fn lines<'a>(
        &'a self,
        picture: &'a Picture,
        alphabet: &'a Alphabet,
        orient: OrientOptions,
        call: Call<'a>,
    ) -> Lines<'a> {
        let Call { options, stop, .. } = call;
        Lines { picture, alphabet, orienter: self.orienter.as_ref(), orient, options, stop, busy: Watch::default() }
    }
}

/// A page that is being read, from here to the drop.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn begin(pages: &'a AtomicUsize) -> Self {
        pages.fetch_add(1, Ordering::Relaxed);
        Self(pages)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
