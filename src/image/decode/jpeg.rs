//! JPEG files that end too early.
//!
//! The decoder fills what is missing with grey or with what zeros happen to mean, and says nothing. So the file's data
//! is gone through before, with its codes and without its pixels ([`scan`]): each block of each scan has to be there.

mod bits;
mod frame;
mod scan;
mod walk;

use std::borrow::Cow;

use self::bits::Codes;
use self::frame::Frame;
use self::scan::{End, Scan};
pub(super) use self::walk::Walk;
use super::fault::{CONVERT, cut_off};
use crate::error::{Error, ErrorKind, Result};

/// Scans that are looked at, as many as the decoder takes; encoders write about ten.
const MOST_SCANS: usize = 100;

const END: [u8; 2] = [0xff, 0xd9];

/// The facts known of a file on the way through it.
#[derive(Default)]
struct Known {
    frame: Option<Frame>,
    /// For the first coefficient and for the others, four of each.
    codes: [[Option<Codes>; 4]; 2],
    /// Units between two marks at which the data may be taken up again; 0 for none.
    interval: usize,
    scans: usize,
}

/// Goes through the data of a JPEG file, and gives the file with a mark at its end if it has none.
///
/// Files that the decoder refuses anyway are left to it: its errors say more.
///
/// # Errors
/// [`ErrorKind::Image`] when the data ends too early, makes no sense from some row on, or is of a kind that is not
/// read.
pub(super) fn completed<'a>(file: &'a [u8], name: &str, max_pixels: u64) -> Result<Cow<'a, [u8]>> {
    let (mut walk, mut known) = (Walk::of(file), Known::default());
    while let Some((marker, segment)) = walk.next() {
        match marker {
            0xc0..=0xc2 if segment.first().is_some_and(|bits| *bits != 8) => {
                return Err(unsupported(name, &format!("samples of {} bits", segment[0])));
            }
            0xc0..=0xc2 if known.frame.is_none() => match Frame::of(marker, segment, max_pixels) {
                Some(frame) => known.frame = Some(frame),
                None => return Ok(file.into()),
            },
            0xc3 => return Err(unsupported(name, "the lossless process")),
            0xf7 => return Err(unsupported(name, "the process of JPEG-LS")),
            0xc9 | 0xca => return Err(unsupported(name, "arithmetic coding")),
            0xc5..=0xc7 | 0xcb | 0xcd..=0xcf => return Err(unsupported(name, "a process that is hardly used")),
            0xc4 => known.read_codes(segment),
            0xdd => known.interval = segment.get(..2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]).into()),
            0xda => match known.follow(segment, &mut walk, name)? {
                Some(()) => {}
                None => return Ok(file.into()),
            },
            0xd9 => return known.check(name).map(|()| file.into()),
            _ => {}
        }
    }
    known.check(name)?;
    // The decoder refuses data that has neither pixels nor an end.
    Ok(if known.scans > 0 { [file, &END].concat().into() } else { file.into() })
}

impl Known {
    /// Goes through a scan's data; `None` for a scan that the decoder refuses.
    fn follow(&mut self, segment: &[u8], walk: &mut Walk<'_>, name: &str) -> Result<Option<()>> {
        self.scans += 1;
        let Some(frame) = self.frame.as_mut().filter(|_| self.scans <= MOST_SCANS) else { return Ok(None) };
        let Some(scan) = Scan::of(segment, frame, self.interval) else { return Ok(None) };
        let (end, after) = scan.run(frame, &self.codes, walk.rest);
        walk.rest = after;
        match end {
            End::Whole => Ok(Some(())),
            End::CutOff(row) => Err(cut_off(name, row as u64, frame.height as u64)),
            End::Nonsense(row) => {
                let message = format!("the {name} picture is damaged: its JPEG data makes no sense from row {row} on");
                Err(Error::new(ErrorKind::Image, message).with_hint("fetch or save the file again"))
            }
        }
    }

    /// Refuses a file of which scans are missing.
    fn check(&self, name: &str) -> Result<()> {
        match &self.frame {
            Some(frame) if self.scans == 0 => Err(cut_off(name, 0, frame.height as u64)),
            Some(frame) if !frame.is_complete() => {
                let message =
                    format!("the {name} picture is damaged: it is cut off after pass {} of several", self.scans);
                Err(Error::new(ErrorKind::Image, message)
                    .with_hint("fetch or save the file again: the end of it is missing"))
            }
            _ => Ok(()),
        }
    }

    fn read_codes(&mut self, mut segment: &[u8]) {
        while let [place, rest @ ..] = segment {
            let Some((codes, after)) = Codes::read(rest) else { return };
            let kind = self.codes.get_mut(usize::from(place >> 4));
            if let Some(kept) = kind.and_then(|kind| kind.get_mut(usize::from(place & 15))) {
                *kept = Some(codes);
            }
            segment = after;
        }
    }
}

fn unsupported(name: &str, what: &str) -> Error {
    Error::new(ErrorKind::Image, format!("the {name} picture is of an unsupported variety: JPEG with {what}"))
        .with_hint(CONVERT)
}

#[cfg(test)]
mod tests;
