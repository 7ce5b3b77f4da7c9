//! The way through a JPEG file, from mark to mark.

/// A place in a JPEG file.
pub(in crate::image::decode) struct Walk<'a> {
    /// The file from there on.
    pub(in crate::image::decode) rest: &'a [u8],
}

impl<'a> Walk<'a> {
    /// Begins behind the mark at the start of a file.
    pub(in crate::image::decode) fn of(file: &'a [u8]) -> Self {
        Self { rest: file.get(2..).unwrap_or_default() }
    }

    /// Goes to the next mark, and gives it with what belongs to it, without its length.
    pub(in crate::image::decode) fn next(&mut self) -> Option<(u8, &'a [u8])> {
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
}
