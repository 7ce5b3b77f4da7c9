//! Length and SHA-256 of a stream, in one pass.

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

/// Large enough that the calls cost nothing beside the hash, small enough for the second-level cache.
const CHUNK: usize = 64 * 1024;

/// Length and hash of what was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Digest {
    /// Bytes read.
    pub(super) bytes: u64,
    /// SHA-256 of them, in lower-case hexadecimal digits.
    pub(super) sha256: String,
}

impl Digest {
    /// Reads `source` to its end and gives each chunk to `sink`.
    ///
    /// With a `limit`, reading ends at the first chunk that goes beyond it: what comes after cannot make it right, and
    /// an endless source would fill the disk. The digest then says more than `limit` bytes.
    pub(super) fn read(
        source: &mut dyn Read,
        limit: Option<u64>,
        mut sink: impl FnMut(&[u8]) -> io::Result<()>,
    ) -> io::Result<Self> {
        let mut hash = Sha256::new();
        let mut bytes = 0_u64;
        let mut buffer = vec![0; CHUNK];
        while limit.is_none_or(|limit| bytes <= limit) {
            let chunk = match source.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => buffer.get(..read?).unwrap_or_default(),
            };
            if chunk.is_empty() {
                break;
            }
            bytes = bytes.saturating_add(chunk.len() as u64);
            hash.update(chunk);
            sink(chunk)?;
        }
        let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { bytes, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_text_has_its_known_hash() {
        let mut copy = Vec::new();
        let digest = Digest::read(&mut &b"abc"[..], None, |chunk| {
            copy.extend_from_slice(chunk);
            Ok(())
        });
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.unwrap(), Digest { bytes: 3, sha256: expected.to_owned() });
        assert_eq!(copy, b"abc");
    }

    #[test]
    fn an_endless_source_is_left_at_the_limit() {
        let digest = Digest::read(&mut io::repeat(7), Some(1000), |_| Ok(())).unwrap();
        assert!(digest.bytes > 1000 && digest.bytes <= CHUNK as u64);
    }

    #[test]
    fn a_failing_sink_ends_it() {
        let failed = Digest::read(&mut &b"abc"[..], None, |_| Err(io::ErrorKind::StorageFull.into()));
        assert_eq!(failed.unwrap_err().kind(), io::ErrorKind::StorageFull);
    }
}
