//! One text read in several ways: which of them it is.

use crate::orient::spots::Trust;
use crate::page::Line;

/// Letters and digits that are others, or themselves, upside down, and are read as surely either way: `6` and `9`, or
/// `SOS`. Signs count as well.
const ROTATABLE: &str = "0125689OoIlSsZzXxHN";

/// A reading is far better than another one that is so many times as far from certain. Of 260 drawn lines of small
/// print those that read poorly upside down are at least 5.2 times as far as they are upright. Of 60 upright texts of
/// up to three characters those that read poorly are at most 2.5 times as far as they are upside down.
const FAR: f32 = 4.0;

/// Regions that score so much are text as surely as any.
const SURE_REGION: f32 = 0.8;

/// The rise of the least score with a region's distance from `SURE_REGION`: at the detector's threshold, which is .5,
/// it is 1.6 times as high.
const RISE: f32 = 2.0;

/// The least score of a reading that is text, whatever the detector says.
const SURE_READING: f32 = 0.95;

/// Returns the least score at which a reading of a region is kept: `min_score`, or more where the region is in doubt.
/// docs/decisions.md has what was tried.
pub(super) fn least_score(trust: Trust, min_score: f32) -> f32 {
    if trust.is_doubtful {
        return min_score.max(SURE_READING);
    }
    let raised = min_score * (1.0 + RISE * (SURE_REGION - trust.score).max(0.0));
    min_score.max(raised.min(SURE_READING))
}

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
    is_far_surer(other.score, line.score)
}

/// Returns true if one score is far better than another.
pub(super) fn is_far_surer(other: f32, score: f32) -> bool {
    FAR * (1.0 - other) < 1.0 - score
}

/// Returns true if a line reads so surely that it is text, whatever the detector says.
pub(super) fn is_sure(line: &Line) -> bool {
    line.score >= SURE_READING
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
    fn doubtful_regions_have_to_read_surely() {
        let least = |score, is_doubtful, min_score| least_score(Trust { score, is_doubtful }, min_score);
        struct Case {
            name: &'static str,
            region: (f32, bool),
            min_score: f32,
            least: f32,
        }
        let cases = [
            Case { name: "sure", region: (0.8, false), min_score: 0.5, least: 0.5 },
            Case { name: "surer", region: (1.0, false), min_score: 0.5, least: 0.5 },
            Case { name: "less sure", region: (0.7, false), min_score: 0.5, least: 0.6 },
            Case { name: "as little sure as is kept", region: (0.5, false), min_score: 0.5, least: 0.8 },
            Case { name: "never more than sure", region: (0.5, false), min_score: 0.7, least: SURE_READING },
            Case { name: "unless that was asked for", region: (0.5, false), min_score: 0.99, least: 0.99 },
            Case { name: "all of it", region: (0.5, false), min_score: 0.0, least: 0.0 },
            Case { name: "in doubt", region: (0.4, true), min_score: 0.5, least: SURE_READING },
            Case { name: "in doubt, and all of it", region: (0.4, true), min_score: 0.0, least: SURE_READING },
            Case { name: "in doubt, and more is asked for", region: (0.4, true), min_score: 0.99, least: 0.99 },
        ];
        for case in cases {
            let found = least(case.region.0, case.region.1, case.min_score);
            assert!((found - case.least).abs() < 1e-6, "{}: {found}", case.name);
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
