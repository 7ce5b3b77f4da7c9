//! Names and paths in messages and reports.

use std::path::{MAIN_SEPARATOR, Path};

/// Returns a path as a report prints it: in one line, and with nothing in it that a terminal would obey.
///
/// Escapes have the form of Python's `repr`, so that a path can be had back from them. A byte that is no UTF-8 is
/// `\udc` and its two hexadecimal digits.
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        chunk.valid().chars().for_each(|letter| push_letter(&mut text, letter));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\udc{byte:02x}")));
    }
    text
}

fn push_letter(text: &mut String, letter: char) {
    match (letter, u32::from(letter)) {
        // The escapes begin with it. Where it separates folders, it is in no name.
        ('\\', _) if MAIN_SEPARATOR != '\\' => text.push_str("\\\\"),
        ('\n' | '\r' | '\t', _) => text.extend(letter.escape_default()),
        (_, code @ ..=0xff) if is_unsafe(letter) => text.push_str(&format!("\\x{code:02x}")),
        (_, code) if is_unsafe(letter) => text.push_str(&format!("\\u{code:04x}")),
        _ => text.push(letter),
    }
}

/// Returns true if a terminal or a reader of lines may take it for something else than a letter.
pub(crate) fn is_unsafe(letter: char) -> bool {
    // Beside control characters: what cannot be seen, what ends a line, and what turns the direction of writing.
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}')
}
