//! JPEG files that end too early.
//!
//! The decoder fills what is missing with grey or with what zeros happen to mean, and says nothing. So the file's data is
//! gone through before, with its codes and without its pixels ([`scan`]): each block of each scan has to be there.

mod bits;
mod scan;

use std::borrow::Cow;

use self::bits::Codes;
use self::scan::{End, Scan};
use super::cut_off;
use crate::error::{Error, ErrorKind, Result};

/// Scans that are looked at, as many as the decoder takes; encoders write about ten.
const MOST_SCANS: usize = 100;

const END: [u8; 2] = [0xff, 0xd9];

/// What the file says of its picture before the data comes.
struct Frame {
    width: usize,
    height: usize,
    is_progressive: bool,
    components: Vec<Component>,
}

/// One of the colours.
struct Component {
    id: u8,
    /// Blocks of one unit, across and down.
    across: usize,
    down: usize,
    /// Blocks to the row, with those that fill up the last unit.
    stride: usize,
    /// Each block's coefficients that are not zero, of a picture that comes in several passes.
    nonzero: Vec<u64>,
    /// Bits of each coefficient that are still to come; `None` before its first pass.
    missing_bits: [Option<u8>; 64],
}

impl Frame {
    /// Pixels of a unit, across and down: of the blocks of all colours that lie together.
    fn unit(&self) -> (usize, usize) {
        let most = |side: fn(&Component) -> usize| self.components.iter().map(side).max().unwrap_or(1);
        (8 * most(|component| component.across), 8 * most(|component| component.down))
    }

    fn units(&self) -> (usize, usize) {
        let (across, down) = self.unit();
        (self.width.div_ceil(across), self.height.div_ceil(down))
    }

    /// Reads the head of a frame, if it is of a kind that the decoder takes.
    fn of(marker: u8, segment: &[u8], max_pixels: u64) -> Option<Self> {
        let [8, h0, h1, w0, w1, count, list @ ..] = segment else { return None };
        let (height, width) = (u16::from_be_bytes([*h0, *h1]), u16::from_be_bytes([*w0, *w1]));
        let pixels = u64::from(width) * u64::from(height);
        let list = list.get(..3 * usize::from(*count))?;
        let are_known =
            list.chunks_exact(3).all(|of| (1..=4).contains(&(of[1] >> 4)) && (1..=4).contains(&(of[1] & 15)));
        if !(1..=4).contains(count) || !are_known || pixels == 0 || pixels > max_pixels {
            return None;
        }
        let component = |of: &[u8]| Component {
            id: of[0],
            across: usize::from(of[1] >> 4),
            down: usize::from(of[1] & 15),
            stride: 0,
            nonzero: Vec::new(),
            missing_bits: [None; 64],
        };
        let components = list.chunks_exact(3).map(component).collect();
        let mut frame = Self { width: width.into(), height: height.into(), is_progressive: marker == 0xc2, components };
        let (across, down) = frame.units();
        for component in &mut frame.components {
            component.stride = across * component.across;
            if frame.is_progressive {
                // A 64th of the pixels, which are within the limits.
                component.nonzero = vec![0; component.stride * down * component.down];
            }
        }
        Some(frame)
    }

    /// Whether each colour has come, down to the last bit of its coefficients.
    fn is_complete(&self) -> bool {
        let has_detail = |component: &Component| component.missing_bits[1..].iter().all(Option::is_some);
        self.components.iter().all(|component| component.missing_bits[0].is_some())
            // Encoders may leave away details of colours, but hardly those of lightness.
            && (!self.is_progressive || self.components.first().is_none_or(has_detail))
            && self.components.iter().flat_map(|component| component.missing_bits).flatten().all(|bits| bits == 0)
    }
}

/// Goes through the data of a JPEG file, and gives the file with a mark at its end if it has none.
///
/// What the decoder refuses anyway is left to it: its errors say more.
///
/// # Errors
/// [`ErrorKind::Image`] when the data ends too early, or makes no sense from some row on.
pub(super) fn completed<'a>(file: &'a [u8], name: &str, max_pixels: u64) -> Result<Cow<'a, [u8]>> {
    let mut walk =
        Walk { rest: file.get(2..).unwrap_or_default(), frame: None, codes: Default::default(), interval: 0 };
    let mut scans = 0;
    while let Some((marker, segment)) = walk.next() {
        match marker {
            0xc0..=0xc2 if walk.frame.is_none() => match Frame::of(marker, segment, max_pixels) {
                Some(frame) => walk.frame = Some(frame),
                None => return Ok(file.into()),
            },
            0xc4 => walk.read_codes(segment),
            0xdd => walk.interval = segment.get(..2).map_or(0, |pair| u16::from_be_bytes([pair[0], pair[1]]).into()),
            0xda => {
                scans += 1;
                let Some(frame) = walk.frame.as_mut().filter(|_| scans <= MOST_SCANS) else { return Ok(file.into()) };
                let Some(scan) = Scan::of(segment, frame, walk.interval) else { return Ok(file.into()) };
                let (end, after) = scan.run(frame, &walk.codes, walk.rest);
                check(end, frame, name)?;
                walk.rest = after;
            }
            0xd9 => return finished(file.into(), &walk, scans, name),
            // Kinds of frames that are not decoded.
            0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf => return Ok(file.into()),
            _ => {}
        }
    }
    let whole = walk.frame.is_some() && scans > 0;
    finished(if whole { [file, &END].concat().into() } else { file.into() }, &walk, scans, name)
}

fn check(end: End, frame: &Frame, name: &str) -> Result<()> {
    match end {
        End::Whole => Ok(()),
        End::CutOff(row) => Err(cut_off(name, row as u64, frame.height as u64)),
        End::Nonsense(row) => {
            let message = format!("the {name} picture is damaged: its JPEG data makes no sense from row {row} on");
            Err(Error::new(ErrorKind::Image, message).with_hint("fetch or save the file again"))
        }
    }
}

/// Gives the file, unless some of its scans are missing.
fn finished<'a>(file: Cow<'a, [u8]>, walk: &Walk<'_>, scans: usize, name: &str) -> Result<Cow<'a, [u8]>> {
    match &walk.frame {
        Some(frame) if !frame.is_complete() => {
            let message = format!("the {name} picture is cut off: its JPEG data ends after pass {scans} of several");
            Err(Error::new(ErrorKind::Image, message)
                .with_hint("fetch or save the file again: the end of it is missing"))
        }
        _ => Ok(file),
    }
}

/// The way through a file, from mark to mark.
struct Walk<'a> {
    rest: &'a [u8],
    frame: Option<Frame>,
    /// For the first coefficient and for the others, four of each.
    codes: [[Option<Codes>; 4]; 2],
    /// Units between two marks at which the data may be taken up again; 0 for none.
    interval: usize,
}

impl<'a> Walk<'a> {
    /// The next mark and what belongs to it, without its length.
    fn next(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let at = self.rest.iter().position(|byte| *byte == 0xff)?;
            self.rest = &self.rest[at..];
            let fill = self.rest.iter().take_while(|byte| **byte == 0xff).count();
            let marker = *self.rest.get(fill)?;
            self.rest = &self.rest[fill + 1..];
            match marker {
                // No mark; and marks that stand alone.
                0 | 1 | 0xd0..=0xd8 => {}
                0xd9 => return Some((marker, &[])),
                _ => {
                    let length = usize::from(u16::from_be_bytes([*self.rest.first()?, *self.rest.get(1)?]));
                    let segment = self.rest.get(2..length)?;
                    self.rest = &self.rest[length..];
                    return Some((marker, segment));
                }
            }
        }
    }

    fn read_codes(&mut self, mut segment: &[u8]) {
        while let [place, rest @ ..] = segment {
            let Some((codes, after)) = Codes::read(rest) else { return };
            if let Some(table) = self.codes.get_mut(usize::from(place >> 4)) {
                if let Some(kept) = table.get_mut(usize::from(place & 15)) {
                    *kept = Some(codes);
                }
            }
            segment = after;
        }
    }
}

#[cfg(test)]
mod tests;
