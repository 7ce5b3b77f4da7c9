//! A TIFF picture of any variety decodes within the limits, or is refused with an error.
//!
//! The input chooses tags and their values, mostly such as occur, and the bytes of strips or tiles: mere damage to
//! files hardly ever leads from one variety to another.
#![no_main]

use ferrocr::image::decode::decode;
use ferrocr::options::DecodeLimits;
use libfuzzer_sys::arbitrary::{Arbitrary, Result, Unstructured};
use libfuzzer_sys::fuzz_target;

/// Tags that decide about a picture, and values that mean something in them.
const TAGS: [(u16, &[u32]); 21] = [
    (254, &[0, 1, 4]),
    (258, &[1, 2, 4, 8, 10, 12, 16, 24, 32, 64]),
    (259, &[1, 2, 3, 4, 5, 6, 7, 8, 32773, 32946, 50000]),
    (262, &[0, 1, 2, 3, 4, 5, 6, 8]),
    (266, &[1, 2]),
    (274, &[1, 2, 3, 4, 5, 6, 7, 8]),
    (277, &[1, 2, 3, 4, 5]),
    (278, &[1, 2, 8, 16, 1000]),
    (284, &[1, 2]),
    (292, &[0, 1, 4, 5]),
    (317, &[1, 2, 3]),
    (322, &[1, 8, 16, 64]),
    (323, &[1, 8, 16, 64]),
    (332, &[1, 2]),
    (338, &[0, 1, 2]),
    (339, &[1, 2, 3, 4]),
    (513, &[8, 16]),
    (519, &[8, 16]),
    (520, &[8, 16]),
    (521, &[8, 16]),
    (530, &[1, 2, 4]),
];

#[derive(Debug)]
struct Tiff(Vec<u8>);

impl<'a> Arbitrary<'a> for Tiff {
    fn arbitrary(input: &mut Unstructured<'a>) -> Result<Self> {
        let mut file = File { is_big_endian: input.arbitrary()?, is_long: input.arbitrary()?, ..File::default() };
        file.begin();
        file.tag(256, vec![input.int_in_range(1..=300)?]);
        file.tag(257, vec![input.int_in_range(1..=300)?]);
        for (tag, values) in TAGS {
            if input.ratio(1, 3)? {
                continue;
            }
            let count = *input.choose(&[1, 1, 1, 2, 3, 4])?;
            let value = |input: &mut Unstructured<'a>| {
                if input.ratio(1, 20)? { input.arbitrary() } else { input.choose(values).copied() }
            };
            let first = value(input)?;
            // All samples alike, but for a few.
            let values = if input.ratio(1, 10)? {
                (0..count).map(|_| value(input)).collect::<Result<Vec<_>>>()?
            } else {
                vec![first; count]
            };
            file.tag(tag, values);
        }
        if input.arbitrary()? {
            file.tag(320, (0..768).map(|value| value * 85).collect());
        }
        if input.arbitrary()? {
            let tables = input.arbitrary::<&[u8]>()?;
            file.tag(347, tables.iter().map(|byte| u32::from(*byte)).collect());
        }
        let strips = input.int_in_range(1..=8)?;
        let length = input.len() / strips;
        let (mut places, mut lengths) = (Vec::new(), Vec::new());
        for _ in 0..strips {
            let bytes = input.bytes(length)?;
            places.push(file.bytes.len() as u32);
            lengths.push(bytes.len() as u32);
            file.bytes.extend(bytes);
        }
        let is_tiled = file.tags.iter().any(|(tag, _)| *tag == 322);
        file.tag(if is_tiled { 324 } else { 273 }, places);
        file.tag(if is_tiled { 325 } else { 279 }, lengths);
        Ok(Self(file.end()))
    }
}

/// A file that is being made.
#[derive(Default)]
struct File {
    is_big_endian: bool,
    is_long: bool,
    bytes: Vec<u8>,
    tags: Vec<(u16, Vec<u32>)>,
}

impl File {
    fn begin(&mut self) {
        self.bytes.extend(if self.is_big_endian { b"MM" } else { b"II" });
        if self.is_long {
            [(43, 2), (8, 2), (0, 2), (0, 8)].into_iter().for_each(|(value, size)| self.put(value, size));
        } else {
            [(42, 2), (0, 4)].into_iter().for_each(|(value, size)| self.put(value, size));
        }
    }

    fn tag(&mut self, tag: u16, values: Vec<u32>) {
        self.tags.push((tag, values));
    }

    fn put(&mut self, value: u64, size: usize) {
        let (big, little) = (value.to_be_bytes(), value.to_le_bytes());
        self.bytes.extend(if self.is_big_endian { &big[8 - size..] } else { &little[..size] });
    }

    /// Writes the directory, with numbers of 32 bits.
    fn end(mut self) -> Vec<u8> {
        let word = if self.is_long { 8 } else { 4 };
        let mut tags = std::mem::take(&mut self.tags);
        tags.sort_by_key(|(tag, _)| *tag);
        let mut fields = Vec::new();
        for (_, values) in &tags {
            let place = self.bytes.len() as u64;
            let start = self.bytes.len();
            values.iter().for_each(|value| self.put(u64::from(*value), 4));
            let is_inline = values.len() * 4 <= word;
            let mut field = if is_inline { self.bytes.split_off(start) } else { Vec::new() };
            if !is_inline {
                let end = self.bytes.len();
                self.put(place, word);
                field = self.bytes.split_off(end);
            }
            field.resize(word, 0);
            fields.push(field);
        }
        let directory = self.bytes.len() as u64;
        self.put(tags.len() as u64, if self.is_long { 8 } else { 2 });
        for ((tag, values), field) in tags.iter().zip(fields) {
            self.put(u64::from(*tag), 2);
            self.put(4, 2);
            self.put(values.len() as u64, word);
            self.bytes.extend(field);
        }
        self.put(0, word);
        let header = self.bytes.len();
        self.put(directory, word);
        let place = self.bytes.split_off(header);
        self.bytes[word..2 * word].copy_from_slice(&place);
        self.bytes
    }
}

fuzz_target!(|tiff: Tiff| {
    let limits = DecodeLimits { max_pixels: 1 << 18, max_side: 1024, max_bytes: 1 << 20 };
    match decode(&tiff.0, &limits) {
        Ok(picture) => assert!(u64::from(picture.width()) * u64::from(picture.height()) <= limits.max_pixels),
        Err(error) => assert!(error.hint().is_some(), "{error}"),
    }
});
