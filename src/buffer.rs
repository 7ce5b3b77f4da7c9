//! Buffers whose size input decides: where the system has no memory for one, that is an error and not the end of the
//! process.
//!
//! Small ones, and those whose size is fixed, are made as usual.

use crate::error::{Error, ErrorKind, Remedy, Result};

/// Returns an empty buffer with room for `count` elements.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`], saying that `what` does not fit.
pub(crate) fn empty<T>(count: usize, what: &str) -> Result<Vec<T>> {
    let mut buffer = Vec::new();
    reserve(&mut buffer, count, what)?;
    Ok(buffer)
}

/// Returns a buffer with `count` elements that are `value`.
///
/// # Errors
/// As [`empty`].
pub(crate) fn filled<T: Copy>(count: usize, value: T, what: &str) -> Result<Vec<T>> {
    let mut buffer = empty(count, what)?;
    buffer.resize(count, value);
    Ok(buffer)
}

/// Returns a buffer with what `elements` gives, of which there are `count`.
///
/// # Errors
/// As [`empty`].
pub(crate) fn collected<T>(count: usize, elements: impl Iterator<Item = T>, what: &str) -> Result<Vec<T>> {
    let mut buffer = empty(count, what)?;
    buffer.extend(elements.take(count));
    Ok(buffer)
}

/// Returns a copy of `elements`.
///
/// # Errors
/// As [`empty`].
pub(crate) fn copied<T: Copy>(elements: &[T], what: &str) -> Result<Vec<T>> {
    let mut buffer = empty(elements.len(), what)?;
    buffer.extend_from_slice(elements);
    Ok(buffer)
}

/// Makes room for `count` elements more, in growing steps as [`Vec::push`] does.
///
/// # Errors
/// As [`empty`].
pub(crate) fn reserve<T>(buffer: &mut Vec<T>, count: usize, what: &str) -> Result<()> {
    // The first time exactly what is asked for, since most buffers do not grow.
    let reserved = if buffer.capacity() == 0 { buffer.try_reserve_exact(count) } else { buffer.try_reserve(count) };
    reserved.map_err(|_| out_of_memory(size_of::<T>() as u64 * count as u64, what))
}

/// Makes room for `count` elements more and for no others, for callers that grow in steps of their own.
///
/// # Errors
/// As [`empty`].
pub(crate) fn reserve_exactly<T>(buffer: &mut Vec<T>, count: usize, what: &str) -> Result<()> {
    buffer.try_reserve_exact(count).map_err(|_| out_of_memory(size_of::<T>() as u64 * count as u64, what))
}

/// Asks the system for so many bytes and gives them back at once: for code of others that would end the process where
/// it gets none. Another thread may be faster, so this makes that rare and not impossible.
///
/// # Errors
/// As [`empty`].
pub(crate) fn check_room(bytes: u64, what: &str) -> Result<()> {
    if has_room(bytes) { Ok(()) } else { Err(out_of_memory(bytes, what)) }
}

/// Returns true if [`check_room`] finds as much.
pub(crate) fn has_room(bytes: u64) -> bool {
    usize::try_from(bytes).is_ok_and(|bytes| std::hint::black_box(Vec::<u8>::new()).try_reserve_exact(bytes).is_ok())
}

pub(crate) fn out_of_memory(bytes: u64, what: &str) -> Error {
    let message = format!("there is no memory for {what}: {} MB were asked for", bytes.div_ceil(1 << 20));
    Error::new(ErrorKind::OutOfMemory, message).with_hint(HINT)
}

/// The advice that goes with a lack of memory.
pub(crate) const HINT: [Remedy; 4] = [
    Remedy::text("give it smaller pictures, the engine fewer threads"),
    Remedy::InCode(" or low_memory=True"),
    Remedy::text(", or the process more memory"),
    Remedy::InCode("; a lower max_pixels refuses pictures that are too large for it"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_an_error() {
        let kinds = [
            empty::<u8>(usize::MAX, "a test").map(drop),
            filled(usize::MAX / 8, 0u64, "a test").map(drop),
            collected(usize::MAX, std::iter::repeat(0u8), "a test").map(drop),
            reserve(&mut vec![1u8], usize::MAX - 1, "a test"),
            reserve_exactly(&mut vec![1u8], usize::MAX - 1, "a test"),
            check_room(u64::MAX, "a test"),
        ];
        for outcome in kinds {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::OutOfMemory);
            assert!(error.to_string().starts_with("there is no memory for a test: "), "{error}");
            assert!(error.hint().is_some());
        }
    }

    #[test]
    fn the_advice_names_keywords_to_users_of_the_library_alone() {
        let error = check_room(u64::MAX, "a test").unwrap_err();
        assert!(
            error.hint().is_some_and(|hint| hint.contains(" or low_memory=True, or ") && hint.contains("max_pixels"))
        );
        let shell = "give it smaller pictures, the engine fewer threads, or the process more memory";
        assert_eq!(error.shell_hint().as_deref(), Some(shell));
    }

    #[test]
    fn what_fits_is_as_usual() {
        assert_eq!(filled(3, 7u8, "a test").unwrap(), [7; 3]);
        assert_eq!(collected(2, [1, 2, 3].into_iter(), "a test").unwrap(), [1, 2]);
        assert_eq!(copied(&[1, 2], "a test").unwrap(), [1, 2]);
        check_room(1 << 20, "a test").unwrap();
        let mut grown = empty::<u8>(0, "a test").unwrap();
        reserve(&mut grown, 2, "a test").unwrap();
        assert!(grown.capacity() >= 2);
    }
}
