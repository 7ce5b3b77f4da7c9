//! The file that an archive is written to.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};

use super::super::disk;

/// A file that never fails while it is written: the first error is kept for [`Output::finish`], and nothing is written
/// after it.
///
/// The writer of archives finishes what it began also when it is dropped, and prints when that fails. A library prints
/// nothing.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    position: u64,
    length: u64,
    failed: Option<io::Error>,
}

impl Output {
    /// Writes to `file`, which is empty.
    pub(super) fn new(file: File) -> Self {
        Self { file, position: 0, length: 0, failed: None }
    }

    /// Returns true if something failed: the rest is not worth reading then.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Returns the file, or what failed first.
    pub(super) fn finish(self) -> io::Result<File> {
        match self.failed {
            Some(error) => Err(error),
            None => Ok(self.file),
        }
    }

    fn attempt(&mut self, change: impl FnOnce(&mut File) -> io::Result<()>) {
        if self.failed.is_none() {
            self.failed = change(&mut self.file).err();
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.attempt(|file| disk::write(file, bytes));
        self.position = self.position.saturating_add(bytes.len() as u64);
        self.length = self.length.max(self.position);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for Output {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
            SeekFrom::End(distance) => self.length.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        self.attempt(|file| file.seek(SeekFrom::Start(position.unwrap_or_default())).map(drop));
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_writes_where_it_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let mut output = Output::new(File::create_new(&path).unwrap());
        output.write_all(b"abcdef").unwrap();
        assert_eq!(output.seek(SeekFrom::Start(1)).unwrap(), 1);
        output.write_all(b"B").unwrap();
        assert_eq!(output.seek(SeekFrom::Current(1)).unwrap(), 3);
        output.write_all(b"D").unwrap();
        assert_eq!(output.seek(SeekFrom::End(0)).unwrap(), 6);
        output.seek(SeekFrom::Current(-7)).unwrap_err();
        output.write_all(b"g").unwrap();
        output.finish().unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"aBcDefg");
    }

    #[test]
    fn the_first_error_is_kept_and_nothing_is_said_before_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        std::fs::write(&path, "").unwrap();
        // Opened for reading only.
        let mut output = Output::new(File::open(&path).unwrap());
        output.write_all(b"abc").unwrap();
        assert!(output.has_failed());
        output.write_all(b"def").unwrap();
        assert_eq!(output.stream_position().unwrap(), 6);
        assert!(output.finish().unwrap_err().raw_os_error().is_some());
    }
}
