//! The pages of a TIFF file, decoded one by one.
//!
//! A TIFF file is a chain of directories, one a picture, and the decoder that all pictures go through takes the first.
//! So it is shown the file with another header, by which the directory that is wanted is the first one: limits, kinds
//! of pixels and turns are the same for every page, and no more than one page is in memory.

use std::collections::HashSet;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use image::ImageFormat;

use super::{decode_from, open_picture};
use crate::error::{Error, ErrorKind, Result};
use crate::image::Picture;
use crate::options::DecodeLimits;
use crate::process::Owner;

/// Most directories of a file that are followed, so that one of 512 MB that has nothing else takes neither minutes nor
/// gigabytes. Scans of whole archives have some thousands.
const MOST: usize = 100_000;

/// Most entries of a directory: as many as the older form can count. Others have some dozens.
const MOST_ENTRIES: u64 = 65_535;

/// Entries that are looked at. They are in the order of their tags, and scans have about 20 in all.
const MOST_SEEN: u64 = 64;

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
    pages: Vec<Directory>,
    /// Why the chain ends before its end.
    broken: Option<&'static str>,
}

trait Stored: Read + Seek + Send {}

impl<T: Read + Seek + Send> Stored for T {}

impl Frames {
    /// Opens a file. It is read where a page needs it, and stays open until [`Frames::close`].
    ///
    /// # Errors
    /// [`ErrorKind::ImageNotFound`] or [`ErrorKind::Io`] when it cannot be opened, [`ErrorKind::Image`] when it is no TIFF
    /// file or has no page.
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
        let (form, first) = Form::of(&mut *stored)
            .map_err(|error| Error::new(ErrorKind::Image, "the TIFF picture is damaged").with_source(error))?;
        let (directories, broken) = follow(&mut *stored, form, first);
        if directories.is_empty() {
            let why = broken.unwrap_or("it has no directory");
            return Err(Error::new(ErrorKind::Image, format!("the TIFF picture is damaged: {why}")));
        }
        // A file that says of no directory that it is a page has them all as pages.
        let (asides, pages): (Vec<_>, Vec<_>) = directories.into_iter().partition(|found| found.is_aside);
        let pages = if pages.is_empty() { asides } else { pages };
        Ok(Self { stored: Mutex::new(Some(stored)), owner: Owner::this_process(), form, pages, broken })
    }

    /// How many pages there are: directories that are neither smaller copies of others nor masks. Where the chain is
    /// broken there is one more, which cannot be decoded, so that nobody takes the rest for the whole.
    pub fn count(&self) -> usize {
        self.pages.len() + usize::from(self.broken.is_some())
    }

    /// What a page, counted from 0 on, says of its pixels to the inch; `None` where it says nothing that can be true, or
    /// other numbers across and down, as faxes have.
    pub fn dpi(&self, index: usize) -> Option<f64> {
        self.pages.get(index)?.dpi
    }

    /// Decodes a page, counted from 0 on, as [`super::decode`] decodes a picture.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] when it is damaged or exceeds `limits`, [`ErrorKind::InvalidArgument`] when there is no such
    /// page, [`ErrorKind::ResourcesFreed`] after [`Frames::close`], [`ErrorKind::Forked`] in a forked child.
    pub fn decode(&self, index: usize, limits: &DecodeLimits) -> Result<Picture> {
        let Some(&Directory { offset, .. }) = self.pages.get(index) else {
            return Err(self.missing(index));
        };
        self.owner.check("this document")?;
        let mut stored = self.lock();
        let Some(stored) = stored.as_deref_mut() else {
            let message = "the document was closed, because its engine was freed";
            return Err(Error::new(ErrorKind::ResourcesFreed, message));
        };
        let shown = Reheaded { stored, header: self.form.header(offset), position: 0 };
        decode_from(BufReader::new(shown), ImageFormat::Tiff, limits)
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

/// How numbers are written in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Form {
    is_big_endian: bool,
    /// Offsets of 64 bits instead of 32.
    is_long: bool,
}

/// A directory of the chain.
struct Directory {
    offset: u64,
    /// It is a smaller copy or a mask of another one.
    is_aside: bool,
    dpi: Option<f64>,
}

impl Form {
    /// Tells it from the header, which leads to the first directory.
    fn of(stored: &mut dyn Stored) -> io::Result<(Self, u64)> {
        stored.seek(SeekFrom::Start(0))?;
        let mut mark = [0; 4];
        stored.read_exact(&mut mark)?;
        let (is_big_endian, is_long) = match &mark {
            b"II*\0" => (false, false),
            b"MM\0*" => (true, false),
            b"II+\0" => (false, true),
            b"MM\0+" => (true, true),
            _ => return Err(io::Error::new(io::ErrorKind::InvalidData, "it does not begin as one")),
        };
        let form = Self { is_big_endian, is_long };
        stored.seek(SeekFrom::Start(if is_long { 8 } else { 4 }))?;
        let first = form.offset(stored)?;
        Ok((form, first))
    }

    /// A header that leads to the directory at `offset`.
    fn header(self, offset: u64) -> Vec<u8> {
        let mut header = if self.is_big_endian { b"MM".to_vec() } else { b"II".to_vec() };
        let mut push = |value: u64, bytes: usize| {
            let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
            header.extend(if self.is_big_endian { &big[8 - bytes..] } else { &little[..bytes] });
        };
        if self.is_long {
            push(43, 2);
            push(8, 2);
            push(0, 2);
            push(offset, 8);
        } else {
            push(42, 2);
            push(offset, 4);
        }
        header
    }

    /// The next number of `bytes`, at most 8.
    fn number(self, stored: &mut dyn Stored, bytes: usize) -> io::Result<u64> {
        let mut read = [0; 8];
        let read = &mut read[..bytes];
        stored.read_exact(read)?;
        Ok(self.value(read))
    }

    fn offset(self, stored: &mut dyn Stored) -> io::Result<u64> {
        self.number(stored, if self.is_long { 8 } else { 4 })
    }

    /// The directory at `offset`, and where the next one is; 0 at the end.
    fn directory(self, stored: &mut dyn Stored, offset: u64) -> io::Result<(Directory, u64)> {
        stored.seek(SeekFrom::Start(offset))?;
        let (head, entry) = if self.is_long { (8, 20) } else { (2, 12) };
        let entries = self.number(stored, head)?;
        if entries == 0 || entries > MOST_ENTRIES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut block = vec![0; (entry * entries.min(MOST_SEEN)) as usize];
        stored.read_exact(&mut block)?;
        let end = offset.saturating_add(head as u64).saturating_add(entries * entry);
        stored.seek(SeekFrom::Start(end))?;
        let next = self.offset(stored)?;
        let (mut is_aside, mut sides, mut units) = (false, [None, None], 1.0);
        for entry in block.chunks_exact(entry as usize) {
            match (self.value(&entry[..2]), self.short_or_long(entry)) {
                // Bit 0: a smaller copy. Bit 2: a mask.
                (NEW_SUBFILE_TYPE, kind) => is_aside = kind & 0b101 != 0,
                (X_RESOLUTION, _) => sides[0] = self.ratio(stored, entry),
                (Y_RESOLUTION, _) => sides[1] = self.ratio(stored, entry),
                // A mere ratio, inches and centimetres.
                (RESOLUTION_UNIT, unit) => units = [1.0, 0.0, 1.0, 2.54].get(unit as usize).copied().unwrap_or(1.0),
                _ => {}
            }
        }
        Ok((Directory { offset, is_aside, dpi: dpi(sides, units) }, next))
    }

    /// A number that is all there.
    fn value(self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }

    /// The value of an entry that is one number of 16 or 32 bits, which lies in the entry itself.
    fn short_or_long(self, entry: &[u8]) -> u64 {
        let start = if self.is_long { 12 } else { 8 };
        let bytes = if self.value(&entry[2..4]) == 3 { 2 } else { 4 };
        self.value(&entry[start..start + bytes])
    }

    /// The value of an entry that is two numbers of 32 bits, of which the second divides the first. In the older form
    /// they lie elsewhere.
    fn ratio(self, stored: &mut dyn Stored, entry: &[u8]) -> Option<f64> {
        let mut pair = [0; 8];
        if self.is_long {
            pair.copy_from_slice(&entry[12..20]);
        } else {
            stored.seek(SeekFrom::Start(self.value(&entry[8..12]))).ok()?;
            stored.read_exact(&mut pair).ok()?;
        }
        let (above, below) = (self.value(&pair[..4]), self.value(&pair[4..]));
        (below != 0).then(|| above as f64 / below as f64)
    }
}

/// Pixels to the inch, if they are as many across as down.
fn dpi(sides: [Option<f64>; 2], units: f64) -> Option<f64> {
    let [across, down] = [sides[0]? * units, sides[1]? * units];
    (DPI.contains(&across) && (across - down).abs() <= 0.01 * across).then_some(across)
}

/// The directories from `first` on, and why there may be more.
fn follow(stored: &mut dyn Stored, form: Form, first: u64) -> (Vec<Directory>, Option<&'static str>) {
    let (mut found, mut seen, mut next) = (Vec::new(), HashSet::new(), first);
    while next != 0 {
        if !seen.insert(next) {
            return (found, Some("its chain of pages leads back to an earlier one"));
        }
        if found.len() == MOST {
            return (found, Some("it has more than 100000 pages"));
        }
        let Ok((directory, after)) = form.directory(stored, next) else {
            return (found, Some("its chain of pages leads out of the file"));
        };
        found.push(directory);
        next = after;
    }
    (found, None)
}

/// A file with another header.
struct Reheaded<'a> {
    stored: &'a mut dyn Stored,
    header: Vec<u8>,
    position: u64,
}

impl Read for Reheaded<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let header = usize::try_from(self.position).ok().and_then(|start| self.header.get(start..));
        let read = match header {
            Some(mut header) if !header.is_empty() => header.read(buffer)?,
            _ => {
                self.stored.seek(SeekFrom::Start(self.position))?;
                self.stored.read(buffer)?
            }
        };
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for Reheaded<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
            SeekFrom::End(by) => self.stored.seek(SeekFrom::End(0))?.checked_add_signed(by),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests;
