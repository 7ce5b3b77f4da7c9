//! Length and SHA-256 of a stream, in one pass.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// Large enough that the calls cost nothing beside the hash, small enough for the second-level cache.
const CHUNK: usize = 64 * 1024;

/// Length and hash of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::models) struct Digest {
    /// Bytes read.
    pub(in crate::models) bytes: u64,
    /// SHA-256 of them, in lower-case hexadecimal digits.
    pub(in crate::models) sha256: String,
}

impl Digest {
    /// Reads `source` to its end, or to the first chunk beyond `limit`, as [`Hasher::read`] does.
    pub(in crate::models) fn read(source: &mut dyn Read, limit: Option<u64>) -> io::Result<Self> {
        Self::pour(source, limit, |error| error, |_| Ok(()))
    }

    /// Reads `source` as [`Hasher::pour`] does.
    pub(in crate::models) fn pour<E>(
        source: &mut dyn Read,
        limit: Option<u64>,
        failed: impl Fn(io::Error) -> E,
        sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let mut hasher = Hasher::default();
        hasher.pour(source, limit, failed, sink)?;
        Ok(hasher.finish())
    }
}

/// Length and hash of what has been read so far.
#[derive(Default)]
pub(in crate::models) struct Hasher {
    hash: Sha256,
    bytes: u64,
}

impl Hasher {
    /// Reads `source` to its end and gives each chunk to `sink`.
    ///
    /// With a `limit` for all that was ever read, reading ends at the first chunk that goes beyond it: what comes after
    /// cannot make it right, and an endless source would fill the disk. The digest then says more than `limit` bytes.
    pub(in crate::models) fn read(
        &mut self,
        source: &mut dyn Read,
        limit: Option<u64>,
        sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<()> {
        self.pour(source, limit, |error| error, sink)
    }

    /// Reads as [`Hasher::read`] does, for a sink with errors of its own; `failed` makes one of them from what the
    /// source said.
    pub(in crate::models) fn pour<E>(
        &mut self,
        source: &mut dyn Read,
        limit: Option<u64>,
        failed: impl Fn(io::Error) -> E,
        mut sink: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut buffer = vec![0; CHUNK];
        while limit.is_none_or(|limit| self.bytes <= limit) {
            let chunk = match source.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => buffer.get(..read.map_err(&failed)?).unwrap_or_default(),
            };
            if chunk.is_empty() {
                break;
            }
            self.update(chunk);
            sink(chunk)?;
        }
        Ok(())
    }

    /// Adds bytes.
    pub(in crate::models) fn update(&mut self, bytes: &[u8]) {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        self.hash.update(bytes);
    }

    /// Returns the digest of all that was read.
    pub(in crate::models) fn finish(self) -> Digest {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Digest { bytes: self.bytes, sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_text_has_its_known_hash_also_in_parts() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let known = Digest { bytes: 3, sha256: expected.to_owned() };
        assert_eq!(Digest::read(&mut &b"abc"[..], None).unwrap(), known);
        let mut hasher = Hasher::default();
        let mut copy = Vec::new();
        for part in ["ab", "c"] {
            let sink = |chunk: &[u8]| {
                copy.extend_from_slice(chunk);
                Ok(())
            };
            hasher.read(&mut part.as_bytes(), None, sink).unwrap();
        }
        assert_eq!((hasher.finish(), copy), (known, b"abc".to_vec()));
    }

    #[test]
    fn an_endless_source_is_left_at_the_limit() {
        let digest = Digest::read(&mut io::repeat(7), Some(1000)).unwrap();
        assert!(digest.bytes > 1000 && digest.bytes <= CHUNK as u64);
    }

    #[test]
    fn a_failing_sink_ends_it() {
        let failed = Hasher::default().read(&mut &b"abc"[..], None, |_| Err(io::ErrorKind::StorageFull.into()));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
