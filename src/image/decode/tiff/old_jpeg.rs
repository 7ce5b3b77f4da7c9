//! JPEG in TIFF as it was before the form that is in use: strips are bare data, and what a JPEG file says at its
//! beginning is told by the directory, or by a piece of a JPEG file elsewhere.

use std::io::{Read, SeekFrom};

use super::directory::{Directory, Stored};
use super::fault::unsupported;
use crate::buffer;
use crate::error::Result;
use crate::image::decode::jpeg::Walk;
use crate::image::decode::pixels;

const STRIPS: u64 = 273;
const SAMPLES: u64 = 277;
const FILE: u64 = 513;
const FILE_LENGTH: u64 = 514;
const RESTART: u64 = 515;
const QUANTISATION: u64 = 519;
const FIRST_CODES: u64 = 520;
const OTHER_CODES: u64 = 521;
const SUBSAMPLING: u64 = 530;

/// Bytes of a JPEG file in which its head is looked for: four tables of each kind take less than 3000.
const MOST_HEAD: u64 = 1 << 16;

const START: [u8; 2] = [0xff, 0xd8];

/// The parts that all strips have in common.
pub(super) struct OldJpeg {
    /// Segments with tables.
    tables: Vec<u8>,
    /// Of each colour its number, its blocks across and down, and its table.
    components: Vec<u8>,
    /// The words of a file right before its data: which tables are for which colour.
    scan: Option<Vec<u8>>,
    /// The place where the data of the JPEG file begins, which is the one strip's if there is one: writers often told
    /// that wrongly.
    pub(super) data: Option<u64>,
}

impl OldJpeg {
    pub(super) fn of(stored: &mut dyn Stored, directory: &Directory) -> Result<Self> {
        let file = directory.number(stored, FILE).filter(|place| *place != 0);
        let length = directory.number(stored, FILE_LENGTH).filter(|length| *length != 0).unwrap_or(MOST_HEAD);
        let head = file.and_then(|place| read(stored, place, length.min(MOST_HEAD)));
        let old = head.and_then(|head| Self::of_file(&head)).or_else(|| Self::of_tags(stored, directory));
        let mut old =
            old.ok_or_else(|| unsupported("it is compressed with JPEG of the older form, without the tables for it"))?;
        // The first strip may begin with what comes right before the data.
        let first =
            directory.number(stored, STRIPS).and_then(|place| read(stored, place, MOST_HEAD)).unwrap_or_default();
        let (segment, _) = split_head(&first);
        old.scan = segment.map(<[u8]>::to_vec).or(old.scan);
        old.data = old.data.zip(file).and_then(|(data, file)| file.checked_add(data));
        Ok(old)
    }

    /// Takes what a JPEG file says before its data.
    fn of_file(file: &[u8]) -> Option<Self> {
        let mut old = Self { tables: Vec::new(), components: Vec::new(), scan: None, data: None };
        let mut walk = Walk::of(file);
        while let Some((marker, segment)) = walk.next() {
            match marker {
                0xdb | 0xc4 | 0xdd => put(&mut old.tables, marker, segment),
                0xc0 | 0xc1 => old.components = segment.get(6..)?.to_vec(),
                0xda => {
                    old.scan = Some(segment.to_vec());
                    old.data = Some((file.len() - walk.rest.len()) as u64);
                    break;
                }
                _ => {}
            }
        }
        (!old.components.is_empty()).then_some(old)
    }

    /// Takes what the directory says.
    fn of_tags(stored: &mut dyn Stored, directory: &Directory) -> Option<Self> {
        let count = directory.number(stored, SAMPLES).unwrap_or(1).clamp(1, 4) as u8;
        let mut tables = Vec::new();
        for (index, place) in (0..).zip(directory.numbers(stored, QUANTISATION, count.into()).ok()?) {
            put(&mut tables, 0xdb, &[vec![index], read(stored, place, 64)?].concat());
        }
        for (kind, tag) in [(0, FIRST_CODES), (0x10, OTHER_CODES)] {
            for (index, place) in (0..).zip(directory.numbers(stored, tag, count.into()).ok()?) {
                let counts = read(stored, place, 16)?;
                let symbols = read(stored, place + 16, counts.iter().map(|count| u64::from(*count)).sum())?;
                put(&mut tables, 0xc4, &[vec![kind | index], counts, symbols].concat());
            }
        }
        if let Some(interval) = directory.number(stored, RESTART).filter(|interval| *interval != 0) {
            put(&mut tables, 0xdd, &(interval as u16).to_be_bytes());
        }
        let blocks = directory.numbers(stored, SUBSAMPLING, 2).unwrap_or_default();
        let blocks = match blocks[..] {
            _ if count != 3 => 0x11,
            [across @ 1..=4, down @ 1..=4] => (across << 4 | down) as u8,
            _ => 0x22,
        };
        let component = |index: u8| [index + 1, if index == 0 { blocks } else { 0x11 }, index];
        let components = (0..count).flat_map(component).collect();
        let mut scan = vec![count];
        scan.extend((0..count).flat_map(|index| [index + 1, index << 4 | index]));
        scan.extend([0, 63, 0]);
        (!tables.is_empty()).then_some(Self { tables, components, scan: Some(scan), data: None })
    }

    /// Returns the strip or tile as a JPEG file.
    ///
    /// # Errors
    /// [`crate::ErrorKind::OutOfMemory`].
    pub(super) fn file(&self, data: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
        let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX).to_be_bytes();
        let mut frame = vec![8];
        frame.extend(side(height));
        frame.extend(side(width));
        frame.push((self.components.len() / 3) as u8);
        frame.extend(&self.components);
        let mut file = START.to_vec();
        file.extend(&self.tables);
        put(&mut file, 0xc0, &frame);
        put(&mut file, 0xda, &self.scan.clone().unwrap_or_else(|| self.usual_scan()));
        let data = split_head(data).1;
        buffer::reserve(&mut file, data.len(), pixels::WHAT)?;
        file.extend_from_slice(data);
        Ok(file)
    }

    /// Returns a scan in which the first colour has the first tables, and the others have the second ones.
    fn usual_scan(&self) -> Vec<u8> {
        let numbers = self.components.chunks_exact(3).map(|component| component[0]);
        let mut scan = vec![(self.components.len() / 3) as u8];
        scan.extend(numbers.enumerate().flat_map(|(index, number)| [number, if index == 0 { 0 } else { 0x11 }]));
        scan.extend([0, 63, 0]);
        scan
    }
}

/// Splits a strip that is a whole JPEG file, or the end of one, into what it says right before its data, and the data.
fn split_head(strip: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let mut walk = match strip {
        [0xff, 0xd8, ..] => Walk::of(strip),
        [0xff, 0xda, ..] => Walk { rest: strip },
        _ => return (None, strip),
    };
    while let Some((marker, segment)) = walk.next() {
        if marker == 0xda {
            return (Some(segment), walk.rest);
        }
    }
    (None, strip)
}

fn put(file: &mut Vec<u8>, marker: u8, segment: &[u8]) {
    let length = u16::try_from(segment.len() + 2).unwrap_or(u16::MAX);
    file.extend([0xff, marker]);
    file.extend(length.to_be_bytes());
    file.extend(segment);
}

fn read(stored: &mut dyn Stored, place: u64, length: u64) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    stored.seek(SeekFrom::Start(place)).ok()?;
    stored.take(length).read_to_end(&mut bytes).ok()?;
    (!bytes.is_empty()).then_some(bytes)
}
