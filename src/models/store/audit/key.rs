//! Keys, which tell a file's content from a later one without reading it.

use std::fs::{File, Metadata};
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds that a file has to be left alone before it is remembered. Within the grain of its clock, which is two
/// seconds on FAT, a file system cannot tell a second change from the first.
const REST: i64 = 2;

/// Seconds and nanoseconds since 1970.
pub(super) type Time = (i64, i64);

/// A value that changes when the content of a file does.
///
/// The time of the last change cannot be set by hand, unlike the time of the last writing. Where a file system does not
/// note every change in it, see [`notes_changes`], a key says nothing of the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::models::store) struct Key {
    /// Device and inode.
    pub(super) file: (u64, u64),
    pub(super) bytes: u64,
    pub(super) written: Time,
    pub(super) changed: Time,
}

impl Key {
    /// Returns the key of a file; none on systems that do not tell enough.
    #[cfg(unix)]
    pub(in crate::models::store) fn of(meta: &Metadata) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        Some(Self {
            file: (meta.dev(), meta.ino()),
            bytes: meta.len(),
            written: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        })
    }

    /// Returns none: without an inode and the time of the last change, nothing is remembered.
    #[cfg(not(unix))]
    pub(in crate::models::store) fn of(_: &Metadata) -> Option<Self> {
        None
    }

    /// Returns true if any later change of the file gives another key.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let Ok(now) = now.duration_since(UNIX_EPOCH) else { return false };
        let now = (i64::try_from(now.as_secs()).unwrap_or(i64::MAX), i64::from(now.subsec_nanos()));
        [self.written, self.changed].iter().all(|&(seconds, rest)| (seconds.saturating_add(REST), rest) <= now)
    }
}

/// Returns true if the times of `file` tell of every change. File systems in memory do not note what is written through
/// a mapping into memory: it gets to no disk, and so past what would note it.
#[cfg(target_os = "linux")]
pub(super) fn notes_changes(file: &File) -> bool {
    /// The system's numbers for the kinds tmpfs and ramfs.
    const IN_MEMORY: [u32; 2] = [0x0102_1994, 0x8584_58f6];
    // The field's type differs between processors; the kinds have 32 bits on all of them.
    rustix::fs::fstatfs(file).is_ok_and(|system| !IN_MEMORY.contains(&(system.f_type as u32)))
}

/// Returns true: nothing else is known to go unnoted.
#[cfg(not(target_os = "linux"))]
pub(super) fn notes_changes(_: &File) -> bool {
    true
}
