//! Measures of the process, and giving freed memory back to the system.

/// Returns the resident memory of this process in bytes, where the system tells.
pub fn resident_bytes() -> Option<u64> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    Some(pages * page_size())
}

/// Counts the threads of this process, where the system tells.
pub fn thread_count() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/task").ok()?.count())
}

/// Gives memory that is free in the allocator back to the system. glibc keeps most of a dropped session otherwise:
/// 447 of 519 MB were measured with RapidOCR after its deletion, 138 MB after this call.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn trim() {
    // SAFETY: malloc_trim takes a number, may be called at any time from any thread, and only touches free memory.
    unsafe {
        libc::malloc_trim(0);
    }
}

/// Makes glibc map every block of 4 MiB or more by itself, so that [`trim`] finds it gone. Called once, before the
/// first session.
///
/// Left to itself, glibc raises that bound to 32 MiB as it sees blocks freed. The memory of sessions made on several
/// threads then lies in arenas whose ends are never given back: six cycles of load, read and free left 119 to 231 MB,
/// and with a fixed bound of 0.5, 1 or 4 MiB 98 to 110 MB. It holds for the whole process; a user's own setting stays.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn keep_large_blocks_apart() {
    const BOUND: libc::c_int = 4 << 20;
    static ONCE: std::sync::Once = std::sync::Once::new();
    let is_set = |name| std::env::var_os(name).is_some();
    if is_set("MALLOC_MMAP_THRESHOLD_") || is_set("GLIBC_TUNABLES") {
        return;
    }
    ONCE.call_once(|| {
        // SAFETY: mallopt takes two numbers, locks the allocator, and only changes how later blocks are made.
        unsafe {
            libc::mallopt(libc::M_MMAP_THRESHOLD, BOUND);
        }
    });
}

/// Does nothing: other allocators have no such bound.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_large_blocks_apart() {}

/// Does nothing: other allocators give freed memory back by themselves or have no call for it.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn trim() {}

#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
fn page_size() -> u64 {
    // SAFETY: sysconf reads a constant of the system.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}

#[cfg(not(target_os = "linux"))]
fn page_size() -> u64 {
    4096
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_process_has_memory_and_threads() {
        assert!(resident_bytes().is_some_and(|bytes| bytes > 100_000));
        assert!(thread_count().is_some_and(|count| count >= 1));
        trim();
    }
}
