//! The pages of a TIFF file, decoded one by one.
//!
//! A TIFF file is a chain of directories, one a picture. The chain is followed when the file is opened; a page's own
//! directory is read again when it is decoded, so that no more than one page is in memory.

use std::collections::HashSet;
use std::io::{self, Cursor};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::source::open_picture;
use super::tiff;
use super::tiff::directory::{Directory, Form, Stored};
use crate::error::{Error, ErrorKind, Result};
use crate::image::Picture;
use crate::options::DecodeLimits;
use crate::process::Owner;

/// Most directories of a file that are followed, so that one of 512 MB that has nothing else takes neither minutes nor
/// gigabytes. Scans of whole archives have some thousands.
const MOST: usize = 100_000;

/// Entries that are looked at where the chain is followed. They are in the order of their tags, and scans have about 20
/// in all.
const MOST_SEEN: u64 = 64;

/// Entries that are looked at where a page is decoded. Cameras write some hundreds.
const MOST_USED: u64 = 4096;

/// The tag that says whether a directory is a page, a smaller copy of one, or a mask.
const NEW_SUBFILE_TYPE: u64 = 254;

/// Pixels to the unit, across and down, and which unit that is.
const X_RESOLUTION: u64 = 282;
const Y_RESOLUTION: u64 = 283;
const RESOLUTION_UNIT: u64 = 296;

/// Pixels to the inch that are believed; outside of this are files whose writer did not know.
const DPI: RangeInclusive<f64> = 10.0..=10_000.0;

/// A TIFF file whose pages can be decoded in any order, from any thread, one at a time.
pub struct Frames {
    stored: Mutex<Option<Box<dyn Stored>>>,
    owner: Owner,
    form: Form,
    pages: Vec<Page>,
    /// Why the chain ends before its end.
    broken: Option<&'static str>,
}

impl Frames {
    /// Opens a file. It is read where a page needs it, and stays open until [`Frames::close`].
    ///
    /// # Errors
    /// [`ErrorKind::ImageNotFound`] or [`ErrorKind::Io`] when it cannot be opened, [`ErrorKind::Image`] when it is no
    /// TIFF file or has no page.
    pub fn of_file(path: &Path) -> Result<Self> {
        Self::of(Box::new(open_picture(path)?)).map_err(|error| error.named(&path.display().to_string()))
    }

    /// Takes a file's content.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] when it is no TIFF file or has no page.
    pub fn of_bytes(bytes: impl AsRef<[u8]> + Send + 'static) -> Result<Self> {
        Self::of(Box::new(Cursor::new(bytes)))
    }

    fn of(mut stored: Box<dyn Stored>) -> Result<Self> {
        let (form, first) = Form::of(&mut *stored).map_err(no_header)?;
        let (directories, broken) = follow(&mut *stored, form, first);
        if directories.is_empty() {
            let why = broken.unwrap_or("it has no directory");
            return Err(Error::new(ErrorKind::Image, format!("the TIFF picture is damaged: {why}"))
                .with_hint("fetch or save the file again"));
        }
        // A file that says of no directory that it is a page has them all as pages.
        let (asides, pages): (Vec<_>, Vec<_>) = directories.into_iter().partition(|found| found.is_aside);
        let pages = if pages.is_empty() { asides } else { pages };
        Ok(Self { stored: Mutex::new(Some(stored)), owner: Owner::this_process(), form, pages, broken })
    }

    /// Counts the pages: directories that are neither smaller copies of others nor masks. Where the chain is
    /// broken there is one more, which cannot be decoded, so that nobody takes the rest for the whole.
    pub fn count(&self) -> usize {
        self.pages.len() + usize::from(self.broken.is_some())
    }

    /// Returns the pixels to the inch of a page, counted from 0 on; `None` where it says nothing that can be true, or
    /// other numbers across and down, as faxes have.
    pub fn dpi(&self, index: usize) -> Option<f64> {
        self.pages.get(index)?.dpi
    }

    /// Decodes a page, counted from 0 on, as [`super::decode`] decodes a picture.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] when it is damaged or exceeds `limits`, [`ErrorKind::InvalidArgument`] when there is no
    /// such page, [`ErrorKind::ResourcesFreed`] after [`Frames::close`], [`ErrorKind::Forked`] in a forked child.
    pub fn decode(&self, index: usize, limits: &DecodeLimits) -> Result<Picture> {
        let Some(&Page { offset, .. }) = self.pages.get(index) else {
            return Err(self.missing(index));
        };
        self.owner.check("this document")?;
        let mut stored = self.lock();
        let Some(stored) = stored.as_deref_mut() else {
            let message = "the document was closed, because its engine was freed";
            return Err(Error::new(ErrorKind::ResourcesFreed, message));
        };
        decode_directory(stored, self.form, offset, limits)
    }

    /// Closes the file, whoever still has this. A page that is being decoded comes first. In a forked child it stays
    /// open until this is dropped: a thread that holds the lock may not exist there.
    pub fn close(&self) {
        if self.owner.is_here() {
            *self.lock() = None;
        }
    }

    fn missing(&self, index: usize) -> Error {
        match self.broken.filter(|_| index == self.pages.len()) {
            Some(why) => Error::new(ErrorKind::Image, format!("the TIFF picture is damaged: {why}"))
                .with_hint("the pages before this one can be read; save the file anew from where it came"),
            None => Error::new(ErrorKind::InvalidArgument, format!("there is no frame {index}")),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Box<dyn Stored>>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A directory of the chain.
struct Page {
    offset: u64,
    /// It is a smaller copy or a mask of another one.
    is_aside: bool,
    dpi: Option<f64>,
}

impl Page {
    /// Returns a page, and where the next one is; 0 at the end.
    fn of(stored: &mut dyn Stored, form: Form, offset: u64) -> io::Result<(Self, u64)> {
        let directory = Directory::read(stored, form, offset, MOST_SEEN)?;
        // Bit 0: a smaller copy. Bit 2: a mask.
        let is_aside = directory.number(stored, NEW_SUBFILE_TYPE).is_some_and(|kind| kind & 0b101 != 0);
        let sides = [X_RESOLUTION, Y_RESOLUTION].map(|tag| directory.ratios(stored, tag, 1).first().copied());
        // A mere ratio, inches and centimetres.
        let units = match directory.number(stored, RESOLUTION_UNIT) {
            Some(0) | None => 1.0,
            Some(1) => 0.0,
            Some(3) => 2.54,
            Some(_) => 1.0,
        };
        Ok((Self { offset, is_aside, dpi: dpi(sides, units) }, directory.next))
    }
}

/// Returns the pixels to the inch, if they are as many across as down.
fn dpi(sides: [Option<f64>; 2], units: f64) -> Option<f64> {
    let [across, down] = [sides[0]? * units, sides[1]? * units];
    (DPI.contains(&across) && (across - down).abs() <= 0.01 * across).then_some(across)
}

fn no_header(error: io::Error) -> Error {
    Error::new(ErrorKind::Image, "the TIFF picture is damaged")
        .with_source(error)
        .with_hint("fetch or save the file again")
}

/// Decodes the first page of a file that is in memory, without looking at the others.
pub(super) fn decode_first(bytes: &[u8], limits: &DecodeLimits) -> Result<Picture> {
    let mut stored = Cursor::new(bytes);
    let (form, first) = Form::of(&mut stored).map_err(no_header)?;
    let (mut next, mut seen) = (first, HashSet::new());
    // The first one where none is a page, or where the chain is broken before.
    let mut found = first;
    while next != 0 && seen.len() < MOST && seen.insert(next) {
        let Ok((page, after)) = Page::of(&mut stored, form, next) else { break };
        if !page.is_aside {
            found = next;
            break;
        }
        next = after;
    }
    decode_directory(&mut stored, form, found, limits)
}

fn decode_directory(stored: &mut dyn Stored, form: Form, offset: u64, limits: &DecodeLimits) -> Result<Picture> {
    let directory = Directory::read(stored, form, offset, MOST_USED).map_err(|error| {
        let message = "the TIFF picture is damaged: its directory is not all there";
        Error::new(ErrorKind::Image, message).with_source(error).with_hint("fetch or save the file again")
    })?;
    tiff::decode(stored, &directory, limits)
}

/// Returns the directories from `first` on, and why there may be more.
fn follow(stored: &mut dyn Stored, form: Form, first: u64) -> (Vec<Page>, Option<&'static str>) {
    let (mut found, mut seen, mut next) = (Vec::new(), HashSet::new(), first);
    while next != 0 {
        if !seen.insert(next) {
            return (found, Some("its chain of pages leads back to an earlier one"));
        }
        if found.len() == MOST {
            return (found, Some("it has more than 100000 pages"));
        }
        let Ok((page, after)) = Page::of(stored, form, next) else {
            return (found, Some("its chain of pages leads out of the file"));
        };
        found.push(page);
        next = after;
    }
    (found, None)
}

#[cfg(test)]
mod tests;
