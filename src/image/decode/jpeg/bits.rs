//! The bits of a JPEG file's data, and the codes that they are.

/// Bits that are looked up at once; most codes are shorter.
const LOOKED_UP: u32 = 9;

/// Longest code.
const LONGEST: usize = 16;

/// The data ends before what was asked for.
#[derive(Debug, PartialEq)]
pub(super) enum Trouble {
    Ended,
    /// The bits are no code.
    Nonsense,
}

/// The bits up to the next mark.
pub(super) struct Bits<'a> {
    rest: &'a [u8],
    /// The next bits, the first one highest.
    held: u64,
    count: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn of(rest: &'a [u8]) -> Self {
        Self { rest, held: 0, count: 0 }
    }

    /// Holds 48 bits, or as many as there are.
    fn fill(&mut self) {
        while self.count <= 56 {
            let byte = match self.rest {
                // 255 is written with a zero behind it; with something else it is a mark.
                [0xff, 0, after @ ..] => {
                    self.rest = after;
                    0xff
                }
                [0xff, ..] | [] => return,
                [byte, after @ ..] => {
                    self.rest = after;
                    *byte
                }
            };
            self.held |= u64::from(byte) << (56 - self.count);
            self.count += 8;
        }
    }

    /// Takes the next bits, at most 16.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, Trouble> {
        if self.count < count {
            self.fill();
            if self.count < count {
                return Err(Trouble::Ended);
            }
        }
        let value = (self.held >> 32 >> (32 - count)) as u32;
        self.held <<= count;
        self.count -= count;
        Ok(value)
    }

    /// Takes the next code and gives what it stands for.
    pub(super) fn code(&mut self, codes: &Codes) -> Result<u8, Trouble> {
        if self.count < LONGEST as u32 {
            self.fill();
        }
        let next = (self.held >> 48) as u16;
        let (length, symbol) =
            codes.find(next).ok_or(if self.count < LONGEST as u32 { Trouble::Ended } else { Trouble::Nonsense })?;
        self.take(length)?;
        Ok(symbol)
    }

    /// Goes on behind the mark that ends these bits, if it is one for that.
    pub(super) fn take_up(&mut self) -> bool {
        // Whole bytes that were not needed are fill.
        let at = self.rest.windows(2).position(|pair| pair[0] == 0xff && !matches!(pair[1], 0 | 0xff));
        let Some(after) = at.filter(|at| matches!(self.rest[at + 1], 0xd0..=0xd7)).map(|at| &self.rest[at + 2..])
        else {
            return false;
        };
        *self = Self::of(after);
        true
    }

    /// Returns the bytes that follow.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

/// Codes of up to 16 bits, the shorter ones lower.
pub(super) struct Codes {
    /// Length and symbol by the first bits; length 0 for longer codes.
    short: Box<[(u8, u8); 1 << LOOKED_UP]>,
    /// For each length the first code that is longer, filled up to 16 bits.
    ends: [u32; LONGEST + 1],
    /// For each length, by how much the number of a code differs from the place of its symbol.
    shifts: [i32; LONGEST + 1],
    symbols: Vec<u8>,
}

impl Codes {
    /// Reads how many codes there are of each length and what they stand for, and gives what follows.
    pub(super) fn read(segment: &[u8]) -> Option<(Self, &[u8])> {
        let (counts, rest) = segment.split_at_checked(LONGEST)?;
        let total = counts.iter().map(|count| usize::from(*count)).sum();
        let (symbols, rest) = rest.split_at_checked(total)?;
        let mut codes = Self {
            short: Box::new([(0, 0); 1 << LOOKED_UP]),
            ends: [0; LONGEST + 1],
            shifts: [0; LONGEST + 1],
            symbols: symbols.to_vec(),
        };
        let (mut code, mut place) = (0u32, 0usize);
        for length in 1..=LONGEST {
            code <<= 1;
            codes.shifts[length] = place as i32 - code as i32;
            let count = usize::from(counts[length - 1]);
            for symbol in &symbols[place..place + count] {
                codes.put(code, length as u32, *symbol);
                code += 1;
            }
            place += count;
            codes.ends[length] = code << (LONGEST - length);
        }
        Some((codes, rest))
    }

    fn put(&mut self, code: u32, length: u32, symbol: u8) {
        if length <= LOOKED_UP {
            let first = (code << (LOOKED_UP - length)) as usize;
            let last = first + (1 << (LOOKED_UP - length));
            // More codes than bits can tell apart are no codes.
            self.short.iter_mut().take(last).skip(first).for_each(|entry| *entry = (length as u8, symbol));
        }
    }

    /// Returns the length of the code that these bits begin with, and what it stands for.
    fn find(&self, next: u16) -> Option<(u32, u8)> {
        let (length, symbol) = self.short[usize::from(next >> (LONGEST as u32 - LOOKED_UP))];
        if length != 0 {
            return Some((length.into(), symbol));
        }
        let length = (LOOKED_UP as usize + 1..=LONGEST).find(|length| u32::from(next) < self.ends[*length])?;
        let place = i32::from(next >> (LONGEST - length)) + self.shifts[length];
        let symbol = self.symbols.get(usize::try_from(place).ok()?)?;
        Some((length as u32, *symbol))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_their_bits() {
        // One code of one bit, one of two, and one of each length from 10 to 12: 0, 10, 1100000000, 11000000010, ...
        let mut segment = vec![1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0];
        segment.extend([1, 2, 10, 11, 12, 99]);
        let (codes, rest) = Codes::read(&segment).expect("codes");
        assert_eq!(rest, [99]);
        for (bits, found) in [
            (0b0111_1111_1111_1111, Some((1, 1))),
            (0b1011_1111_1111_1111, Some((2, 2))),
            (0b1100_0000_0011_1111, Some((10, 10))),
            (0b1100_0000_0101_1111, Some((11, 11))),
            (0b1100_0000_0110_1111, Some((12, 12))),
            (0b1111_1111_1111_1111, None),
        ] {
            assert_eq!(codes.find(bits), found, "{bits:b}");
        }
        assert!(Codes::read(&segment[..20]).is_none(), "symbols are missing");
        let too_many = [[255; 16].to_vec(), vec![0; 16 * 255]].concat();
        assert!(Codes::read(&too_many).is_some_and(|(codes, _)| codes.find(0xffff).is_some()));
    }

    #[test]
    fn bits_end_at_marks_and_at_the_end() {
        let mut bits = Bits::of(&[0xab, 0xff, 0x00, 0xff, 0xd3, 0x80, 0xff, 0xd9]);
        assert_eq!((bits.take(4), bits.take(12)), (Ok(0xa), Ok(0xbff)));
        assert_eq!(bits.take(1), Err(Trouble::Ended));
        assert!(bits.take_up());
        assert_eq!((bits.take(0), bits.take(1), bits.take(16)), (Ok(0), Ok(1), Err(Trouble::Ended)));
        assert!(!bits.take_up());
        assert_eq!(bits.rest(), [0xff, 0xd9]);
    }
}
