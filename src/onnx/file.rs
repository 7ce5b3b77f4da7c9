//! Reading a model's file, and refusing what is none before all of it is in memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

use super::format::Format;
use super::{schema, wire};
use crate::error::{Error, ErrorKind, Result};
use crate::files::read_bounded;

/// The longest model: ONNX is a protobuf message, and none of these can be longer.
pub(crate) const LONGEST_MODEL: u64 = 2 << 30;

/// Begins a file in ONNX Runtime's own format, with its identifier.
const HEAD: u64 = 8;

/// Reads a model's file, which its structure has to allow: a file that was cut off, has holes in it or holds something
/// else is refused without being read.
///
/// # Errors
/// Those of reading it; inside, [`ErrorKind::ModelCorrupt`] for what is no model.
pub(crate) fn read_model(mut file: File) -> io::Result<Result<Vec<u8>>> {
    match look_over(&mut file)? {
        Err(error) => Ok(Err(error)),
        Ok(()) => read_bounded(file, LONGEST_MODEL).map(Ok),
    }
}

/// Looks over the fields of a model without reading its weights, and leaves the file at its start.
///
/// # Errors
/// As [`read_model`].
pub(crate) fn look_over(file: &mut File) -> io::Result<Result<()>> {
    let length = file.metadata()?.len();
    let outcome = outline(BufReader::new(&mut *file), length);
    file.seek(SeekFrom::Start(0))?;
    match outcome {
        Ok(()) => Ok(Ok(())),
        Err(Fault::Model(error)) => Ok(Err(error)),
        // The file has become shorter meanwhile.
        Err(Fault::File(error)) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Err(corrupt(length, "it ends"))),
        Err(Fault::File(error)) => Err(error),
    }
}

/// Why a look ends early.
enum Fault {
    Model(Error),
    File(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

fn corrupt(at: u64, what: &str) -> Error {
    Error::new(ErrorKind::ModelCorrupt, format!("the model is malformed at byte {at}: {what}"))
}

/// Goes through the messages that a summary of the model looks into.
fn outline(mut source: impl BufRead + Seek, length: u64) -> std::result::Result<(), Fault> {
    if length > LONGEST_MODEL {
        let message = format!("no ONNX model: it is longer than {LONGEST_MODEL} bytes, which none can be");
        return Err(Fault::Model(Error::new(ErrorKind::ModelCorrupt, message)));
    }
    let mut head = Vec::new();
    source.by_ref().take(HEAD).read_to_end(&mut head)?;
    if Format::of(&head) == Format::Ort {
        return Ok(());
    }
    source.seek(SeekFrom::Start(0))?;
    let mut walk = Walk { source, at: 0 };
    let has_graph = walk.message(length, Level::Model)?;
    has_graph.then_some(()).ok_or_else(|| {
        let message = format!("the {length} bytes are no ONNX model: there is no graph in them");
        Fault::Model(Error::new(ErrorKind::ModelCorrupt, message))
    })
}

/// A message whose fields are looked at.
#[derive(Clone, Copy)]
enum Level {
    Model,
    Graph,
    Tensor,
}

impl Level {
    /// Returns the message in a field with this number, if that is looked into too.
    fn inner(self, number: u64) -> Option<Self> {
        match self {
            Self::Model if number == u64::from(schema::model::GRAPH) => Some(Self::Graph),
            Self::Graph if number == u64::from(schema::graph::INITIALIZER) => Some(Self::Tensor),
            _ => None,
        }
    }
}

struct Walk<R> {
    source: R,
    at: u64,
}

impl<R: BufRead + Seek> Walk<R> {
    /// Goes to the end of a message, and tells whether a message was in it that is looked into.
    fn message(&mut self, end: u64, level: Level) -> std::result::Result<bool, Fault> {
        let mut has_inner = false;
        while self.at < end {
            let start = self.at;
            let tag = self.varint(end)?;
            if !(1..1 << 29).contains(&(tag >> 3)) {
                return Err(Fault::Model(corrupt(start, "a field has an impossible number")));
            }
            let length = match tag & 7 {
                0 => {
                    self.varint(end)?;
                    continue;
                }
                1 => 8,
                2 => self.varint(end)?,
                5 => 4,
                _ => return Err(Fault::Model(corrupt(start, "a field has a type that ONNX does not use"))),
            };
            let left = end.saturating_sub(self.at);
            if length > left {
                let what = format!("a field of {length} bytes goes beyond the {left} that are left");
                return Err(Fault::Model(corrupt(self.at, &what)));
            }
            match level.inner(tag >> 3).filter(|_| tag & 7 == 2) {
                Some(inner) => {
                    has_inner = true;
                    self.message(self.at.saturating_add(length), inner)?;
                }
                None => self.skip(length)?,
            }
        }
        Ok(has_inner)
    }

    fn varint(&mut self, end: u64) -> std::result::Result<u64, Fault> {
        let start = self.at;
        let number = wire::number_of(|| {
            if self.at >= end {
                return Err(Fault::Model(corrupt(start, "the bytes end inside a number")));
            }
            let mut byte = [0];
            self.source.read_exact(&mut byte)?;
            self.at = self.at.saturating_add(1);
            let [byte] = byte;
            Ok(byte)
        })?;
        number.ok_or_else(|| Fault::Model(corrupt(start, "a number has more than 64 bits")))
    }

    /// Goes on behind so many bytes, which are not read if they are many.
    fn skip(&mut self, length: u64) -> io::Result<()> {
        self.at = self.at.saturating_add(length);
        let here = self.source.fill_buf()?.len();
        match usize::try_from(length).ok().filter(|&length| length <= here) {
            Some(length) => self.source.consume(length),
            None => drop(self.source.seek(SeekFrom::Start(self.at))?),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::super::testing::{Writer, picture_model};
    use super::*;
    use crate::onnx::summary;

    fn look(bytes: &[u8]) -> Option<String> {
        match outline(Cursor::new(bytes), bytes.len() as u64) {
            Ok(()) => None,
            Err(Fault::Model(error)) => Some(error.to_string()),
            Err(Fault::File(error)) => panic!("{error}"),
        }
    }

    fn sparse(head: &[u8], length: u64) -> (tempfile::TempDir, File) {
        use std::io::Write;

        let dir = tempfile::tempdir().unwrap();
        let mut file = File::options().read(true).write(true).create_new(true).open(dir.path().join("a")).unwrap();
        file.write_all(head).unwrap();
        file.set_len(length).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        (dir, file)
    }

    #[test]
    fn a_model_is_read_and_what_is_none_is_told_why() {
        let model = picture_model(&[None, Some(3), None, None], &[None, Some(1)]).finish();
        for bytes in [model.as_slice(), b"\0\0\0\0ORTM whatever"] {
            let (_dir, file) = sparse(bytes, bytes.len() as u64);
            assert_eq!(read_model(file).unwrap().unwrap(), bytes);
        }
        let cut = &model[..model.len() - 1];
        for (bytes, says) in [(&b""[..], "no graph"), (b"<html>", "malformed at byte"), (cut, "goes beyond")] {
            let (_dir, file) = sparse(bytes, bytes.len() as u64);
            let error = read_model(file).unwrap().unwrap_err();
            assert!(error.kind() == ErrorKind::ModelCorrupt && error.to_string().contains(says), "{error}");
        }
    }

    /// Their content would not fit into memory.
    #[test]
    fn holes_in_the_place_of_a_model_are_not_read() {
        let model = picture_model(&[None, Some(3), None, None], &[None, Some(1)]).finish();
        // A graph, and a tensor in one, that goes on to the end of the file.
        let graph = [&[0x3a][..], &[0xf0, 0xff, 0xff, 0xff, 0x03]].concat();
        let tensor = [graph.as_slice(), &[0x2a, 0xe0, 0xff, 0xff, 0xff, 0x03]].concat();
        for head in [&b""[..], &model, &graph, &tensor] {
            for length in [1 << 30, LONGEST_MODEL, LONGEST_MODEL + 1, 1 << 40] {
                let (_dir, mut file) = sparse(head, length);
                look_over(&mut file).unwrap().unwrap_err();
                assert_eq!(file.stream_position().unwrap(), 0);
                read_model(file).unwrap().unwrap_err();
            }
        }
    }

    proptest! {
        #[test]
        fn what_a_summary_reads_is_not_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if summary(&bytes).is_ok() {
                prop_assert_eq!(look(&bytes), None);
            }
        }

        #[test]
        fn bytes_in_a_graph_are_looked_at_as_a_summary_does(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let model = Writer::new().bytes(7, &bytes).finish();
            if summary(&model).is_ok() {
                prop_assert_eq!(look(&model), None);
            }
        }
    }
}
