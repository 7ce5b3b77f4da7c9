//! Directories of a TIFF file, each of which describes one picture.

use std::io::{self, Read, Seek, SeekFrom};

/// A file that can be read anywhere.
pub(in crate::image::decode) trait Stored: Read + Seek + Send {}

impl<T: Read + Seek + Send> Stored for T {}

/// Most entries that a directory may say to have: as many as the older form can count. Others have some dozens.
const MOST_ENTRIES: u64 = 65_535;

/// Numbers of an entry that are one number of 8, 16, 32 or 64 bits without a sign, by the entry's kind.
const WHOLE_NUMBERS: [(u64, usize); 7] = [(1, 1), (3, 2), (4, 4), (7, 1), (13, 4), (16, 8), (18, 8)];

const SHORT: u64 = 3;

/// Two numbers of 32 bits, of which the second divides the first.
const RATIO: u64 = 5;

/// The form of numbers in a file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::image::decode) struct Form {
    pub(in crate::image::decode) is_big_endian: bool,
    /// Offsets of 64 bits instead of 32.
    pub(in crate::image::decode) is_long: bool,
}

impl Form {
    /// Tells it from the header, which leads to the first directory.
    pub(in crate::image::decode) fn of(stored: &mut dyn Stored) -> io::Result<(Self, u64)> {
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

    /// Returns the next number of `bytes`, at most 8.
    fn number(self, stored: &mut dyn Stored, bytes: usize) -> io::Result<u64> {
        let mut read = [0; 8];
        let read = &mut read[..bytes];
        stored.read_exact(read)?;
        Ok(self.value(read))
    }

    fn offset(self, stored: &mut dyn Stored) -> io::Result<u64> {
        self.number(stored, if self.is_long { 8 } else { 4 })
    }

    /// Returns a number that is all there.
    pub(super) fn value(self, bytes: &[u8]) -> u64 {
        let add = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
        if self.is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) }
    }
}

/// A directory: what the file says of one picture.
pub(in crate::image::decode) struct Directory {
    form: Form,
    entries: Vec<Entry>,
    /// The place of the next directory; 0 at the end.
    pub(in crate::image::decode) next: u64,
}

struct Entry {
    tag: u64,
    kind: u64,
    count: u64,
    /// The values themselves where they fit, otherwise their offset.
    field: [u8; 8],
}

impl Directory {
    /// Reads the directory at `offset`, and no more than `most` of its entries: they are in the order of their tags.
    pub(in crate::image::decode) fn read(
        stored: &mut dyn Stored,
        form: Form,
        offset: u64,
        most: u64,
    ) -> io::Result<Self> {
        stored.seek(SeekFrom::Start(offset))?;
        let (head, size) = if form.is_long { (8, 20) } else { (2, 12) };
        let count = form.number(stored, head)?;
        if count == 0 || count > MOST_ENTRIES {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let mut block = vec![0; (size * count.min(most)) as usize];
        stored.read_exact(&mut block)?;
        let end = offset.saturating_add(head as u64).saturating_add(count * size);
        stored.seek(SeekFrom::Start(end))?;
        // Some writers end the file without saying that there is no other.
        let next = form.offset(stored).unwrap_or(0);
        let entries = block.chunks_exact(size as usize).map(|bytes| Entry::of(form, bytes)).collect();
        Ok(Self { form, entries, next })
    }

    pub(super) fn form(&self) -> Form {
        self.form
    }

    pub(super) fn has(&self, tag: u64) -> bool {
        self.entry(tag).is_some()
    }

    fn entry(&self, tag: u64) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.tag == tag)
    }

    /// Returns the first value of an entry; `None` where there is none that is a whole number, or where it cannot be
    /// read.
    pub(in crate::image::decode) fn number(&self, stored: &mut dyn Stored, tag: u64) -> Option<u64> {
        self.numbers(stored, tag, 1).ok()?.first().copied()
    }

    /// Returns the value of an entry of 16 bits, as the standard wants most of them.
    pub(super) fn short(&self, stored: &mut dyn Stored, tag: u64) -> Option<u64> {
        self.entry(tag).filter(|entry| entry.kind == SHORT)?;
        self.number(stored, tag)
    }

    /// Returns the values of an entry, at most `most`; none where it is missing or has no whole numbers.
    pub(super) fn numbers(&self, stored: &mut dyn Stored, tag: u64, most: u64) -> io::Result<Vec<u64>> {
        let size_of = |entry: &Entry| WHOLE_NUMBERS.iter().find(|(kind, _)| *kind == entry.kind).map(|found| found.1);
        let Some((entry, size)) = self.entry(tag).and_then(|entry| Some((entry, size_of(entry)?))) else {
            return Ok(Vec::new());
        };
        let bytes = self.bytes(stored, entry, size as u64, most)?;
        Ok(bytes.chunks_exact(size).map(|value| self.form.value(value)).collect())
    }

    /// Returns the values of an entry that are ratios or whole numbers, at most `most`; none where it is missing or
    /// cannot be read.
    pub(in crate::image::decode) fn ratios(&self, stored: &mut dyn Stored, tag: u64, most: u64) -> Vec<f64> {
        let Some(entry) = self.entry(tag).filter(|entry| entry.kind == RATIO) else {
            let numbers = self.numbers(stored, tag, most).unwrap_or_default();
            return numbers.into_iter().map(|number| number as f64).collect();
        };
        let bytes = self.bytes(stored, entry, 8, most).unwrap_or_default();
        let ratio = |pair: &[u8]| self.form.value(&pair[..4]) as f64 / self.form.value(&pair[4..]) as f64;
        bytes.chunks_exact(8).map(ratio).take_while(|ratio| ratio.is_finite()).collect()
    }

    /// Returns the bytes of an entry's first values. Room is made only for what the file has.
    fn bytes(&self, stored: &mut dyn Stored, entry: &Entry, size: u64, most: u64) -> io::Result<Vec<u8>> {
        let inline = if self.form.is_long { 8 } else { 4 };
        let wanted = size.saturating_mul(entry.count.min(most));
        if size.saturating_mul(entry.count) <= inline {
            return Ok(entry.field[..wanted as usize].to_vec());
        }
        let mut bytes = Vec::new();
        stored.seek(SeekFrom::Start(self.form.value(&entry.field[..inline as usize])))?;
        if stored.take(wanted).read_to_end(&mut bytes)? as u64 != wanted {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(bytes)
    }
}

impl Entry {
    fn of(form: Form, bytes: &[u8]) -> Self {
        let (count, values) = bytes[4..].split_at(if form.is_long { 8 } else { 4 });
        let mut field = [0; 8];
        field[..values.len()].copy_from_slice(values);
        Self { tag: form.value(&bytes[..2]), kind: form.value(&bytes[2..4]), count: form.value(count), field }
    }
}
