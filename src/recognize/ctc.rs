//! Greedy CTC decoding: class probabilities by step to text with positions.
//!
//! After Graves et al., "Connectionist Temporal Classification" (2006): the best class of each step, repeats merged,
//! blanks dropped.

use super::charset::Charset;

/// The best class of a step, with its softmax probability.
pub type BestClass = (usize, f32);

/// One character and where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glyph {
    /// The end of its text in [`Decoded::text`]; it starts where the one before ends.
    pub text_end: usize,
    /// Probability at its first step, 0 to 1.
    pub score: f32,
    /// The largest probability at one of its steps.
    pub surest: f32,
    /// Left edge as a fraction of the strip's width.
    pub start: f32,
    /// Right edge as a fraction of the strip's width.
    pub end: f32,
    /// The largest probability of a space in the steps since the character before; 0 where that is not known.
    pub space: f32,
}

/// A line's text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Decoded {
    /// The characters in order.
    pub text: String,
    /// Mean probability of the characters, 0 without any.
    pub score: f32,
    /// The characters' places in `text` and on the strip.
    pub glyphs: Vec<Glyph>,
    /// The length of a step of the recogniser, as a fraction of the strip's width.
    pub step: f32,
}

impl Decoded {
    /// Multiplies positions by `factor`, up to the strip's end, and the step too.
    pub fn stretch(&mut self, factor: f32) {
        for glyph in &mut self.glyphs {
            glyph.start = (glyph.start * factor).min(1.0);
            glyph.end = (glyph.end * factor).min(1.0);
        }
        self.step *= factor;
    }

    /// Puts a space between characters with nothing read between them over more than `gap`, a fraction of the strip's
    /// width: the dots that lead to a page number are often left out, and so is the space then.
    pub fn part(&mut self, gap: f32) {
        let far = |pair: &[Glyph]| pair[1].start - pair[0].end > gap;
        let apart: Vec<bool> = self.glyphs.windows(2).map(far).collect();
        self.space(|glyph| apart[glyph - 1]);
    }

    /// Puts a space before the glyphs of which `is_apart` is true, from the second on, unless there is one.
    pub fn space(&mut self, is_apart: impl Fn(usize) -> bool) {
        let mut spaced = Self { text: String::with_capacity(self.text.len()), glyphs: Vec::new(), ..*self };
        for (i, glyph) in self.glyphs.iter().enumerate() {
            let text = self.glyph_text(i);
            let before = spaced.glyphs.last().copied();
            let is_blank = |text: &str| text.ends_with(char::is_whitespace);
            if let Some(before) = before.filter(|_| !is_blank(text) && !is_blank(&spaced.text) && is_apart(i)) {
                spaced.text.push(' ');
                let (score, text_end) = (before.score.min(glyph.score), spaced.text.len());
                let (start, end) = (before.end, glyph.start);
                spaced.glyphs.push(Glyph { text_end, score, surest: score, start, end, space: 0.0 });
            }
            spaced.text.push_str(text);
            spaced.glyphs.push(Glyph { text_end: spaced.text.len(), ..*glyph });
        }
        *self = spaced;
    }

    /// Returns the text of a glyph.
    pub fn glyph_text(&self, glyph: usize) -> &str {
        let start = glyph.checked_sub(1).map_or(0, |before| self.glyphs[before].text_end);
        &self.text[start..self.glyphs[glyph].text_end]
    }
}

/// Decodes the best class of each step and its probability. `spaces` are the probabilities of a space, where they are
/// known.
pub fn decode(best: &[BestClass], spaces: &[f32], charset: &Charset) -> Decoded {
    let steps = best.len() as f32;
    let mut decoded = Decoded { step: 1.0 / steps.max(1.0), ..Decoded::default() };
    let (mut before, mut begun) = (0, 0);
    for (step, &(class, score)) in best.iter().enumerate() {
        let (start, end) = (step as f32 / steps, (step + 1) as f32 / steps);
        match decoded.glyphs.last_mut() {
            Some(last) if class == before && class != 0 => {
                last.end = end;
                last.surest = last.surest.max(score);
            }
            _ if class != 0 => {
                decoded.text.push_str(charset.character(class));
                let since = spaces.get(begun..=step).unwrap_or_default();
                let space = since.iter().copied().filter(|_| !decoded.glyphs.is_empty()).fold(0.0, f32::max);
                decoded.glyphs.push(Glyph { text_end: decoded.text.len(), score, surest: score, start, end, space });
                begun = step;
            }
            _ => {}
        }
        before = class;
    }
    if !decoded.glyphs.is_empty() {
        let sum: f32 = decoded.glyphs.iter().map(|glyph| glyph.score).sum();
        decoded.score = sum / decoded.glyphs.len() as f32;
    }
    decoded
}

/// Returns the best class of each row of `classes` probabilities, and its probability; of equal ones the first. Only
/// the classes in `allowed` count, where it is given: the probability is then their share.
pub fn best_classes(probabilities: &[f32], classes: usize, allowed: Option<&[usize]>) -> Vec<BestClass> {
    let rows = probabilities.chunks_exact(classes.max(1));
    match allowed {
        None => rows.map(best).collect(),
        Some(allowed) => rows.map(|row| best_of(row, allowed)).collect(),
    }
}

/// Returns the same as [`best`], of some classes.
fn best_of(row: &[f32], allowed: &[usize]) -> (usize, f32) {
    // In more places than the values have: thousands of them are added one after the other.
    let (mut index, mut value, mut sum) = (0, f32::NEG_INFINITY, 0.0_f64);
    for &class in allowed {
        let Some(&probability) = row.get(class) else { continue };
        sum += f64::from(probability);
        if probability > value {
            (index, value) = (class, probability);
        }
    }
    // False for what is no number.
    if sum > 0.0 { (index, (f64::from(value) / sum) as f32) } else { (0, 0.0) }
}

/// Returns the sum of the probabilities of the classes in `allowed`.
pub(super) fn sum_of(row: &[f32], allowed: &[usize]) -> f64 {
    allowed.iter().filter_map(|&class| row.get(class)).map(|&probability| f64::from(probability)).sum()
}

/// Makes the probabilities of the classes in `allowed` their shares, and all others 0; all of them where there are no
/// shares.
pub(super) fn share_out(row: &mut [f32], allowed: &[usize]) {
    let kept: Vec<_> = allowed.iter().filter_map(|&class| Some((class, *row.get(class)?))).collect();
    let sum: f64 = kept.iter().map(|&(_, probability)| f64::from(probability)).sum();
    row.fill(0.0);
    // False for what is no number.
    if sum > 0.0 {
        kept.iter().for_each(|&(class, probability)| row[class] = (f64::from(probability) / sum) as f32);
    }
}

/// Rows are searched in blocks of this many values: the maximum of a block is a branch-free loop that the compiler
/// turns into vector instructions, and only a block that holds a new maximum is searched for its place.
const BLOCK: usize = 256;

/// Returns the first index of the largest value, and that value; (0, 0) for a row of nothing but NaN.
fn best(row: &[f32]) -> (usize, f32) {
    let (mut index, mut value) = (0, f32::NEG_INFINITY);
    for (i, block) in row.chunks(BLOCK).enumerate() {
        let top = block_max(block);
        if top > value {
            value = top;
            index = i * BLOCK + block.iter().position(|&v| v == top).unwrap_or(0);
        }
    }
    if value == f32::NEG_INFINITY { (0, 0.0) } else { (index, value) }
}

fn block_max(block: &[f32]) -> f32 {
    const LANES: usize = 16;
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = block.chunks_exact(LANES);
    let rest = chunks.remainder();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane = if value > *lane { value } else { *lane };
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |top, &value| if value > top { value } else { top })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn charset() -> Charset {
        Charset::new("a\nb\nß", Some(5)).expect("five classes")
    }

    fn rows(classes: &[usize]) -> Vec<f32> {
        classes.iter().flat_map(|&class| (0..5).map(move |i| if i == class { 0.8 } else { 0.05 })).collect()
    }

    #[test]
    fn wide_gaps_part_words() {
        // "ab" over four of twenty steps, then "a" at the end.
        let classes: Vec<_> = (0..20)
            .map(|step| match step {
                1 | 19 => (1, 0.8),
                3 => (2, 0.9),
                _ => (0, 1.0),
            })
            .collect();
        let plain = decode(&classes, &[], &charset());
        assert_eq!(plain.text, "aba");
        let mut parted = plain.clone();
        parted.part(0.5);
        assert_eq!((parted.text.as_str(), parted.score), ("ab a", plain.score));
        let ends: Vec<_> = parted.glyphs.iter().map(|glyph| glyph.text_end).collect();
        assert_eq!(ends, [1, 2, 3, 4]);
        assert_eq!((parted.glyphs[2].start, parted.glyphs[2].end), (plain.glyphs[1].end, plain.glyphs[2].start));
        let mut again = parted.clone();
        again.part(0.5);
        assert_eq!(again, parted, "there is a space already");
        let mut kept = plain.clone();
        kept.part(0.8);
        assert_eq!(kept, plain);
    }

    #[test]
    fn repeats_merge_and_blanks_part() {
        struct Case {
            name: &'static str,
            classes: &'static [usize],
            text: &'static str,
            spans: &'static [(usize, usize)],
        }
        let cases = [
            Case { name: "nothing", classes: &[], text: "", spans: &[] },
            Case { name: "blanks", classes: &[0, 0], text: "", spans: &[] },
            Case { name: "a repeat", classes: &[1, 1, 2], text: "ab", spans: &[(0, 2), (2, 3)] },
            Case { name: "a double letter", classes: &[1, 0, 1, 0], text: "aa", spans: &[(0, 1), (2, 3)] },
            Case {
                name: "space and a long character",
                classes: &[3, 4, 3, 3],
                text: "ß ß",
                spans: &[(0, 1), (1, 2), (2, 4)],
            },
            Case { name: "blank first", classes: &[0, 2, 2, 2], text: "b", spans: &[(1, 4)] },
        ];
        for case in cases {
            let decoded = decode(&best_classes(&rows(case.classes), 5, None), &[], &charset());
            assert_eq!(decoded.text, case.text, "{}", case.name);
            let steps = case.classes.len() as f32;
            let spans: Vec<_> = decoded.glyphs.iter().map(|g| (g.start, g.end)).collect();
            let expected: Vec<_> = case.spans.iter().map(|&(s, e)| (s as f32 / steps, e as f32 / steps)).collect();
            assert_eq!(spans, expected, "{}", case.name);
            let score = if case.text.is_empty() { 0.0 } else { 0.8 };
            assert!((decoded.score - score).abs() < 1e-6, "{}", case.name);
        }
    }

    #[test]
    fn a_character_has_the_likeliest_space_since_the_one_before() {
        struct Case {
            name: &'static str,
            spaces: &'static [f32],
            found: &'static [f32],
        }
        // "aab" over seven steps.
        let best = [(0, 0.9), (1, 0.9), (1, 0.9), (0, 0.9), (1, 0.9), (2, 0.9), (0, 0.9)];
        let cases = [
            Case { name: "not known", spaces: &[], found: &[0.0, 0.0, 0.0] },
            Case { name: "around all", spaces: &[0.8, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9], found: &[0.0, 0.0, 0.0] },
            Case { name: "between", spaces: &[0.0, 0.0, 0.2, 0.3, 0.0, 0.0, 0.0], found: &[0.0, 0.3, 0.0] },
            Case { name: "in both", spaces: &[0.0, 0.0, 0.0, 0.0, 0.4, 0.1, 0.0], found: &[0.0, 0.4, 0.4] },
        ];
        for case in cases {
            let decoded = decode(&best, case.spaces, &charset());
            let found: Vec<f32> = decoded.glyphs.iter().map(|glyph| glyph.space).collect();
            assert_eq!((decoded.text.as_str(), found.as_slice()), ("aab", case.found), "{}", case.name);
        }
    }

    #[test]
    fn classes_that_are_not_allowed_do_not_count() {
        struct Case {
            name: &'static str,
            row: [f32; 4],
            allowed: &'static [usize],
            best: (usize, f32),
        }
        const NAN: f32 = f32::NAN;
        let cases = [
            Case { name: "a share", row: [0.1, 0.5, 0.3, 0.1], allowed: &[0, 2], best: (2, 0.75) },
            Case { name: "the first of equals", row: [0.25; 4], allowed: &[1, 3], best: (1, 0.5) },
            Case { name: "nothing left", row: [0.0, 1.0, 0.0, 0.0], allowed: &[0, 2], best: (0, 0.0) },
            Case { name: "no class", row: [0.25; 4], allowed: &[], best: (0, 0.0) },
            Case { name: "one that is not there", row: [0.5, 0.5, 0.0, 0.0], allowed: &[1, 4], best: (1, 1.0) },
            Case { name: "no numbers", row: [NAN; 4], allowed: &[0, 1], best: (0, 0.0) },
        ];
        for case in cases {
            assert_eq!(best_classes(&case.row, 4, Some(case.allowed)), [case.best], "{}", case.name);
        }
    }

    /// Computes the same as `decode`, written down without any thought of speed.
    fn plain(classes: &[usize], charset: &Charset) -> String {
        let mut text = String::new();
        for (i, &class) in classes.iter().enumerate() {
            if class != 0 && (i == 0 || classes[i - 1] != class) {
                text.push_str(charset.character(class));
            }
        }
        text
    }

    proptest! {
        #[test]
        fn decoding_equals_its_plain_twin(classes in prop::collection::vec(0usize..5, 0..60)) {
            let charset = charset();
            let decoded = decode(&best_classes(&rows(&classes), 5, None), &[], &charset);
            prop_assert_eq!(&decoded.text, &plain(&classes, &charset));
            prop_assert!(decoded.glyphs.iter().all(|g| 0.0 <= g.start && g.start < g.end && g.end <= 1.0));
            prop_assert!(decoded.glyphs.windows(2).all(|w| w[0].end <= w[1].start && w[0].text_end <= w[1].text_end));
        }

        #[test]
        fn the_best_value_equals_its_plain_twin(
            row in prop::collection::vec(prop_oneof![0f32..1.0, Just(f32::NAN), Just(0.5)], 1..900),
        ) {
            let mut expected = (0, f32::NEG_INFINITY);
            for (i, &value) in row.iter().enumerate() {
                if value > expected.1 {
                    expected = (i, value);
                }
            }
            if expected.1 == f32::NEG_INFINITY {
                expected.1 = 0.0;
            }
            prop_assert_eq!(best(&row), expected);
        }
    }
}
