//! Protobuf's wire format: a message is a row of numbered fields, each a number or a run of bytes.

use std::ops::Range;
use std::str;

use crate::error::{Error, ErrorKind, Result};

/// A message, or any other run of bytes, that knows where in the file it lies.
///
/// As an iterator it reads one field after the other, without looking into nested messages. After an error it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'a> {
    bytes: &'a [u8],
    offset: usize,
}

/// A field of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field<'a> {
    pub(super) number: u32,
    pub(super) value: Value<'a>,
}

/// The value of a field. The schema says what a number means and whether bytes are text or a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Varint(u64),
    Fixed64,
    Bytes(Message<'a>),
    /// Four bytes, by their place: they are wanted where they can be changed.
    Fixed32(Message<'a>),
}

impl<'a> Message<'a> {
    /// Returns the message that is the whole file.
    pub(super) fn whole(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Returns the number of bytes.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns its place in the file.
    pub(super) fn range(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.bytes.len())
    }

    /// Returns the bytes.
    pub(super) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Returns the fields, each with all of its bytes: what is to be copied as it stands needs these.
    pub(super) fn whole_fields(mut self) -> impl Iterator<Item = Result<(Field<'a>, &'a [u8])>> {
        std::iter::from_fn(move || {
            let before = self.bytes;
            let field = self.next()?;
            let length = before.len().saturating_sub(self.bytes.len());
            Some(field.map(|field| (field, before.get(..length).unwrap_or_default())))
        })
    }

    /// Returns the numbers of a packed list.
    pub(super) fn varints(mut self) -> impl Iterator<Item = Result<u64>> {
        std::iter::from_fn(move || {
            if self.bytes.is_empty() {
                return None;
            }
            let number = self.varint();
            if number.is_err() {
                self.bytes = &[];
            }
            Some(number)
        })
    }

    /// Returns the bytes as text.
    pub(super) fn text(&self) -> Result<&'a str> {
        str::from_utf8(self.bytes).map_err(|error| self.malformed("a text is not UTF-8").with_source(error))
    }

    /// Returns an error about what begins here.
    pub(super) fn malformed(&self, what: &str) -> Error {
        Error::new(ErrorKind::ModelCorrupt, format!("the model is malformed at byte {}: {what}", self.offset))
    }

    fn field(&mut self) -> Result<Field<'a>> {
        let start = *self;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or_else(|| start.malformed("a field has an impossible number"))?;
        let value = match tag & 7 {
            0 => Value::Varint(self.varint()?),
            1 => self.take(8).map(|_| Value::Fixed64)?,
            2 => {
                let length = self.varint()?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Fixed32(self.take(4)?),
            // 3 and 4 are groups, which ONNX never had; 6 and 7 mean nothing.
            _ => return Err(start.malformed("a field has a type that ONNX does not use")),
        };
        Ok(Field { number, value })
    }

    /// Returns the number that begins here.
    fn varint(&mut self) -> Result<u64> {
        let start = *self;
        let number = number_of(|| {
            let ended = || start.malformed("the bytes end inside a number");
            let (&byte, rest) = self.bytes.split_first().ok_or_else(ended)?;
            (self.bytes, self.offset) = (rest, self.offset.saturating_add(1));
            Ok(byte)
        })?;
        number.ok_or_else(|| start.malformed("a number has more than 64 bits"))
    }

    fn take(&mut self, length: u64) -> Result<Self> {
        let split = usize::try_from(length).ok().and_then(|length| self.bytes.split_at_checked(length));
        let Some((bytes, rest)) = split else {
            let what = format!("a field of {length} bytes goes beyond the {} that are left", self.bytes.len());
            return Err(self.malformed(&what));
        };
        let taken = Self { bytes, offset: self.offset };
        (self.bytes, self.offset) = (rest, self.offset.saturating_add(bytes.len()));
        Ok(taken)
    }
}

impl<'a> Iterator for Message<'a> {
    type Item = Result<Field<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let field = self.field();
        if field.is_err() {
            self.bytes = &[];
        }
        Some(field)
    }
}

/// Returns the number of up to 64 bits in the bytes that `next` gives, seven bits in a byte, the lowest first; none for
/// one that has more bits.
pub(super) fn number_of<E>(
    mut next: impl FnMut() -> std::result::Result<u8, E>,
) -> std::result::Result<Option<u64>, E> {
    let mut value = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let byte = next()?;
        let bits = u64::from(byte & 0x7f);
        // Of the tenth byte only one bit is left.
        if shift == 63 && bits > 1 {
            break;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::Writer;
    use super::*;

    fn first_error(bytes: &[u8]) -> String {
        Message::whole(bytes).find_map(Result::err).unwrap().to_string()
    }

    #[test]
    fn malformed_fields_are_named_with_their_place() {
        struct Case {
            bytes: &'static [u8],
            says: &'static str,
        }
        let cases = [
            Case { bytes: &[0x08], says: "at byte 1: the bytes end inside a number" },
            Case { bytes: &[0x08, 0x80], says: "at byte 1: the bytes end inside a number" },
            Case { bytes: &[0x00, 0x00], says: "at byte 0: a field has an impossible number" },
            Case { bytes: &[0x08, 1, 0x0b], says: "at byte 2: a field has a type" },
            Case { bytes: &[0x0a, 5, 1], says: "at byte 2: a field of 5 bytes goes beyond the 1" },
            Case { bytes: &[0x0d, 1, 2, 3], says: "at byte 1: a field of 4 bytes goes beyond the 3" },
            Case { bytes: &[0x09, 1, 2, 3], says: "at byte 1: a field of 8 bytes goes beyond the 3" },
        ];
        for case in cases {
            let error = first_error(case.bytes);
            assert!(error.contains(case.says), "{:?}: {error}", case.bytes);
        }
    }

    #[test]
    fn numbers_and_lengths_that_overflow_are_refused() {
        let mut eleven = vec![0x08];
        eleven.extend([0xff; 10]);
        assert!(first_error(&eleven).contains("more than 64 bits"));
        let mut longest = vec![0x0a];
        longest.extend([0xff; 9]);
        longest.push(1);
        assert!(first_error(&longest).contains(&u64::MAX.to_string()));
    }

    #[test]
    fn text_has_to_be_utf8() {
        let error = Message { bytes: &[0xff], offset: 9 }.text().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
        assert!(error.to_string().contains("at byte 9"));
    }

    proptest! {
        #[test]
        fn any_bytes_end_and_every_field_lies_inside(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let mut end = 0;
            for field in Message::whole(&bytes) {
                let Ok(Field { value: Value::Bytes(inner) | Value::Fixed32(inner), .. }) = field else { continue };
                prop_assert!(inner.range().start > end && inner.range().end <= bytes.len());
                prop_assert_eq!(&bytes[inner.range()], inner.bytes);
                end = inner.range().end - 1;
            }
        }

        #[test]
        fn written_fields_are_read_back(number in 1u32..1 << 29, value: u64, text: String) {
            let bytes = Writer::new().varint(number, value).bytes(number, text.as_bytes()).finish();
            let fields: Vec<_> = Message::whole(&bytes).collect::<Result<_>>().unwrap();
            prop_assert!(fields.iter().all(|field| field.number == number) && fields.len() == 2);
            prop_assert!(matches!(fields[0].value, Value::Varint(read) if read == value));
            prop_assert!(matches!(fields[1].value, Value::Bytes(read) if read.text().unwrap() == text));
        }
    }
}
