//! One pass over a picture's blocks, with the codes of their coefficients and without their values.

use super::bits::{Bits, Codes, Trouble};
use super::frame::{Component, Frame};

type Outcome = Result<(), Trouble>;

/// The end of a scan's data.
#[derive(Debug, PartialEq)]
pub(super) enum End {
    Whole,
    /// Before this row of pixels.
    CutOff(usize),
    /// The bits are no code any more from this row of pixels on.
    Nonsense(usize),
}

/// The colours of a scan, and their coefficients in it.
pub(super) struct Scan {
    /// The component, and its codes for the first coefficient and for the others.
    parts: Vec<(usize, usize, usize)>,
    first: usize,
    last: usize,
    /// It adds a bit to what earlier scans brought.
    is_refining: bool,
    interval: usize,
}

impl Scan {
    /// Reads the head of a scan, and notes in `frame` what it brings; `None` where it makes no sense.
    pub(super) fn of(segment: &[u8], frame: &mut Frame, interval: usize) -> Option<Self> {
        let (count, rest) = segment.split_first()?;
        let (list, rest) = rest.split_at_checked(2 * usize::from(*count))?;
        let [first, last, bits, ..] = rest else { return None };
        let (first, last) = if frame.is_progressive { ((*first).into(), usize::from(*last)) } else { (0, 63) };
        let (is_refining, missing) = if frame.is_progressive { (bits >> 4 != 0, bits & 15) } else { (false, 0) };
        let place = |pair: &[u8]| {
            let component = frame.components.iter().position(|component| component.id == pair[0])?;
            Some((component, usize::from(pair[1] >> 4), usize::from(pair[1] & 15)))
        };
        let parts = list.chunks_exact(2).map(place).collect::<Option<Vec<_>>>()?;
        if parts.is_empty() || first > last || last > 63 || first > 0 && parts.len() > 1 {
            return None;
        }
        for (component, ..) in &parts {
            frame.components[*component].missing_bits[first..=last].fill(Some(missing));
        }
        Some(Self { parts, first, last, is_refining, interval })
    }

    /// Goes through the data, and gives what follows it.
    pub(super) fn run<'a>(
        &self,
        frame: &mut Frame,
        codes: &[[Option<Codes>; 4]; 2],
        data: &'a [u8],
    ) -> (End, &'a [u8]) {
        let mut bits = Bits::of(data);
        let (across, down, rows) = self.units(frame);
        let (mut unit, mut run) = (0, 0);
        while unit < across * down {
            let outcome = self.unit(frame, codes, &mut bits, (unit % across, unit / across), &mut run);
            let row = (unit / across * rows).min(frame.height);
            unit += 1;
            match outcome {
                Ok(()) if self.interval == 0 || !unit.is_multiple_of(self.interval) || unit == across * down => {
                    continue;
                }
                Ok(()) => {}
                Err(Trouble::Ended) => return (End::CutOff(row), bits.rest()),
                Err(Trouble::Nonsense) => return (End::Nonsense(row), bits.rest()),
            }
            run = 0;
            if unit < across * down && !bits.take_up() {
                return (End::CutOff(row), bits.rest());
            }
        }
        (End::Whole, bits.rest())
    }

    /// Units across and down, and rows of pixels of each. A scan of one colour has its blocks alone.
    fn units(&self, frame: &Frame) -> (usize, usize, usize) {
        let (width, height) = frame.unit();
        let [(index, ..)] = self.parts[..] else {
            let (across, down) = frame.units();
            return (across, down, height);
        };
        let component = &frame.components[index];
        let blocks = |side: usize, share: usize, unit: usize| (side * share * 8).div_ceil(unit).div_ceil(8);
        let across = blocks(frame.width, component.across, width);
        let down = blocks(frame.height, component.down, height);
        (across, down, height / component.down)
    }

    fn unit(
        &self,
        frame: &mut Frame,
        codes: &[[Option<Codes>; 4]; 2],
        bits: &mut Bits<'_>,
        (x, y): (usize, usize),
        run: &mut u32,
    ) -> Outcome {
        let is_alone = self.parts.len() == 1;
        for &(index, first, others) in &self.parts {
            let component = &mut frame.components[index];
            let (across, down) = if is_alone { (1, 1) } else { (component.across, component.down) };
            let codes = (codes[0].get(first).and_then(Option::as_ref), codes[1].get(others).and_then(Option::as_ref));
            for block in 0..across * down {
                let at = (y * down + block / across) * component.stride + x * across + block % across;
                self.block(component, at, codes, bits, run, frame.is_progressive)?;
            }
        }
        Ok(())
    }

    fn block(
        &self,
        component: &mut Component,
        at: usize,
        (first, others): (Option<&Codes>, Option<&Codes>),
        bits: &mut Bits<'_>,
        run: &mut u32,
        is_progressive: bool,
    ) -> Outcome {
        let mut from = self.first;
        if from == 0 {
            if self.is_refining {
                bits.take(1)?;
            } else {
                let size = bits.code(first.ok_or(Trouble::Nonsense)?)?;
                bits.take(u32::from(size).min(16))?;
            }
            from = 1;
        }
        if self.last == 0 {
            return Ok(());
        }
        let others = others.ok_or(Trouble::Nonsense)?;
        let mut unused = 0;
        let nonzero = component.nonzero.get_mut(at).unwrap_or(&mut unused);
        match (is_progressive, self.is_refining) {
            (true, true) => refine(others, bits, run, nonzero, from..=self.last),
            (has_runs, _) => begin(others, bits, run, nonzero, from..=self.last, has_runs),
        }
    }
}

/// Goes through a block's coefficients. A run of blocks may have no more of them.
fn begin(
    codes: &Codes,
    bits: &mut Bits<'_>,
    run: &mut u32,
    nonzero: &mut u64,
    range: std::ops::RangeInclusive<usize>,
    has_runs: bool,
) -> Outcome {
    if *run > 0 {
        *run -= 1;
        return Ok(());
    }
    let mut place = *range.start();
    while place <= *range.end() {
        let code = bits.code(codes)?;
        let (zeros, size) = (code >> 4, code & 15);
        match (zeros, size) {
            (15, 0) => place += 16,
            (_, 0) => {
                if has_runs {
                    *run = (1 << zeros) - 1 + bits.take(zeros.into())?;
                }
                break;
            }
            _ => {
                place += usize::from(zeros);
                bits.take(size.into())?;
                *nonzero |= 1u64.checked_shl(place as u32).unwrap_or(0);
                place += 1;
            }
        }
    }
    Ok(())
}

/// Goes through bits that are added to a block's coefficients: one for each that is not zero already.
fn refine(
    codes: &Codes,
    bits: &mut Bits<'_>,
    run: &mut u32,
    nonzero: &mut u64,
    range: std::ops::RangeInclusive<usize>,
) -> Outcome {
    let mut place = *range.start();
    let last = *range.end();
    while *run == 0 && place <= last {
        let code = bits.code(codes)?;
        let (mut zeros, size) = (code >> 4, code & 15);
        if size == 0 && zeros < 15 {
            *run = (1 << zeros) + bits.take(zeros.into())?;
            break;
        }
        if size != 0 {
            bits.take(1)?;
        }
        while place <= last {
            if *nonzero >> place & 1 == 1 {
                bits.take(1)?;
            } else if zeros == 0 {
                break;
            } else {
                zeros -= 1;
            }
            place += 1;
        }
        if size != 0 && place <= last {
            *nonzero |= 1 << place;
        }
        place += 1;
    }
    if *run > 0 {
        let left = (place..=last).filter(|place| *nonzero >> place & 1 == 1).count();
        for _ in 0..left {
            bits.take(1)?;
        }
        *run -= 1;
    }
    Ok(())
}
