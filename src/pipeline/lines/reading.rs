//! One text read in several ways: which of them it is.

use crate::page::Line;

/// Letters and digits that are others, or themselves, upside down, and are read as surely either way: `6` and `9`, or
/// `SOS`. Signs count as well.
const ROTATABLE: &str = "0125689OoIlSsZzXxHN";

/// A reading is far better than another one that is so many times as far from certain. Of 260 drawn lines of small
/// print those that read poorly upside down are at least 5.2 times as far as they are upright. Of 60 upright texts of
/// up to three characters those that read poorly are at most 2.5 times as far as they are upside down.
const FAR: f32 = 4.0;

/// Returns true if a text upside down is a text again.
fn is_rotatable(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|character| !character.is_alphanumeric() || ROTATABLE.contains(character))
}

/// Returns true if scores tell nothing of which of two readings is upside down.
pub(super) fn are_rotatable(one: &Line, other: &Line) -> bool {
    is_rotatable(&one.text) && is_rotatable(&other.text)
}

/// Returns true if `other` is read so much more surely that it stands against what else is known.
pub(super) fn is_far_better(other: &Line, line: &Line) -> bool {
    FAR * (1.0 - other.score) < 1.0 - line.score
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;

    fn line(text: &str, score: f32) -> Line {
        Line { text: text.to_owned(), score, quad: Quad::upright(0.0, 0.0, 9.0, 9.0), words: Vec::new() }
    }

    #[test]
    fn texts_that_are_texts_upside_down_are_told() {
        for (one, other, told) in [
            ("6", "9", true),
            (".99", "66", true),
            ("NO", "ON", true),
            ("-1.50", "05.1-", true),
            ("42", "42", false),
            ("7", "L", false),
            ("", "66", false),
            ("seven", "suədo", false),
        ] {
            assert_eq!(are_rotatable(&line(one, 1.0), &line(other, 1.0)), told, "{one} {other}");
        }
    }

    #[test]
    fn a_little_better_is_not_far_better() {
        assert!(is_far_better(&line("opens", 1.0), &line("suədo", 0.976)));
        assert!(is_far_better(&line("totel", 0.933), &line("9201", 0.411)));
        assert!(!is_far_better(&line("L", 1.0), &line("7", 1.0)));
        assert!(!is_far_better(&line("4", 0.704), &line("A", 0.564)));
    }
}
