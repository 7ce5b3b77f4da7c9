//! Scripts whose models are not at hand, on a recogniser that says what it is told: text in the order in which it is
//! read, with words and characters where they stand.
#![allow(clippy::expect_used, reason = "a test ends at what it did not expect")]

use ferrocr::engine::Stages;
use ferrocr::image::Picture;
use ferrocr::models::session::{Model, ModelSpec, Named, ReadOutputs};
use ferrocr::options::{EngineOptions, RecognizeOptions};
use ferrocr::page::Line;
use ferrocr::{Engine, Result, Stop};

mod fakes;

use fakes::{FakeDetector, spec};

/// Sees these characters one after the other from left to right, whatever the strip, each in a step and a blank one. An
/// empty one is nothing seen.
struct Saying(ModelSpec, Vec<usize>);

impl Saying {
    fn new(characters: &[&str]) -> Self {
        let mut known: Vec<&str> = characters.iter().copied().filter(|one| !one.trim().is_empty()).collect();
        known.sort_unstable();
        known.dedup();
        // The blank comes first, and the space last.
        let classes = known.len() + 2;
        let seen = |one: &&str| known.iter().position(|other| other == one).map_or(classes - 1, |at| at + 1);
        let class = |one: &&str| if one.is_empty() { 0 } else { seen(one) };
        let said = characters.iter().map(class).collect();
        Self(spec(&[None, None, Some(classes)], Some(&known.join("\n"))), said)
    }
}

impl Model for Saying {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, _: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let classes = self.0.outputs[0].shape[2].expect("known");
        let steps = 2 * self.1.len();
        let mut data = vec![0.0; steps * classes];
        for (at, &class) in self.1.iter().enumerate() {
            data[2 * at * classes + class] = 0.9;
            data[(2 * at + 1) * classes] = 0.9;
        }
        read(&[Named::f32("y", &[1, steps, classes], &data)])
    }
}

/// Reads a picture with one grey bar, of which the recogniser says this.
fn line(characters: &[&str]) -> Line {
    line_with_ink(characters, &[])
}

/// Does the same, with strokes on the bar: the first and the last column of each.
fn line_with_ink(characters: &[&str], strokes: &[(usize, usize)]) -> Line {
    let mut pixels = vec![255; 600 * 200 * 3];
    for y in 80..110 {
        pixels[(y * 600 + 50) * 3..(y * 600 + 550) * 3].fill(if strokes.is_empty() { 90 } else { 220 });
        for &(start, end) in strokes {
            pixels[(y * 600 + start) * 3..(y * 600 + end) * 3].fill(40);
        }
    }
    let picture = Picture::from_rgb(600, 200, pixels).expect("a picture");
    let said: Vec<String> = characters.iter().map(|&one| one.to_owned()).collect();
    let engine = Engine::new(EngineOptions::default());
    let open = move || {
        let detector = Box::new(FakeDetector(spec(&[None, Some(1), None, None], None)));
        let said: Vec<&str> = said.iter().map(String::as_str).collect();
        Stages::new(detector, vec![Box::new(Saying::new(&said))], vec![])
    };
    engine.load_with(open).expect("fakes load");
    let options = RecognizeOptions { characters: true, ..RecognizeOptions::default() };
    let mut page = engine.recognize(&picture, &options, &Stop::new()).expect("fakes do not fail");
    assert_eq!(page.lines.len(), 1);
    page.lines.remove(0)
}

fn words(line: &Line) -> Vec<&str> {
    line.words.iter().map(|word| word.text.as_str()).collect()
}

/// Left edges of words.
fn lefts(line: &Line) -> Vec<f32> {
    line.words.iter().map(|word| word.quad.bounds().0).collect()
}

#[test]
fn hebrew_and_arabic_lines_are_in_logical_order_with_their_places() {
    // As they stand from left to right: two words with a number between them.
    for (seen, read) in [
        (["ג", "ב", "א", " ", "1", "9", " ", "ה", "ד"], ["דה", "19", "אבג"]),
        (["ت", "ب", "ا", " ", "١", "٩", " ", "ج", "ث"], ["ثج", "١٩", "ابت"]),
    ] {
        let line = line(&seen);
        assert_eq!(line.text, read.join(" "));
        assert_eq!(words(&line), read);
        assert!(lefts(&line).is_sorted_by(|one, next| one > next), "the first word is on the right: {line:?}");
        for word in &line.words {
            let (left, _, right, _) = word.quad.bounds();
            assert!(left < right && word.characters.len() == word.text.chars().count(), "{word:?}");
            assert_eq!(word.characters.iter().map(|one| one.text.as_str()).collect::<String>(), word.text);
            for character in &word.characters {
                let (own_left, _, own_right, _) = character.quad.bounds();
                assert!(left - 0.1 <= own_left && own_right <= right + 0.1, "{word:?}");
            }
        }
        let first = &line.words[0].characters;
        assert!(first[0].quad.bounds().0 > first[1].quad.bounds().0, "letters run to the left: {first:?}");
        let number = &line.words[1].characters;
        assert!(number[0].quad.bounds().0 < number[1].quad.bounds().0, "and digits to the right: {number:?}");
    }
}

#[test]
fn what_runs_to_the_right_stays_and_marks_stay_with_their_letters() {
    struct Case {
        name: &'static str,
        seen: &'static [&'static str],
        words: &'static [&'static str],
    }
    let cases = [
        Case {
            name: "Thai without spaces", seen: &["ก", "า", "ร", "ท", "ี", "่"], words: &["การที่"]
        },
        Case {
            name: "Devanagari", seen: &["ह", "ि", "न", "्", "द", "ी", " ", "क"], words: &["हिन्दी", "क"]
        },
        Case {
            name: "clusters of several code points", seen: &["क्ष", "त्र", " ", "ज्ञ"], words: &["क्षत्र", "ज्ञ"]
        },
        Case { name: "Korean", seen: &["한", "글", " ", "은"], words: &["한글", "은"] },
        Case { name: "Cyrillic", seen: &["й", "ё", " ", "ж"], words: &["йё", "ж"] },
        Case { name: "Greek with accents", seen: &["ά", "ΐ", " ", "ώ"], words: &["άΐ", "ώ"] },
        Case { name: "a vowel after its letter", seen: &["ב", "\u{5b8}", "א"], words: &["א\u{5b8}ב"] },
    ];
    for case in cases {
        let line = line(case.seen);
        assert_eq!(words(&line), case.words, "{}", case.name);
        assert_eq!(line.text, case.words.join(" "), "{}", case.name);
    }
}

#[test]
fn words_that_are_seen_as_one_are_parted_by_their_ink() {
    // A slot of 50 pixels for each character.
    let strokes = |slots: &[usize]| slots.iter().map(|slot| (57 + 50 * slot, 93 + 50 * slot)).collect::<Vec<_>>();
    let apart = line_with_ink(&["a", "b", "c", "d", "", "", "e", "f", "g", "h"], &strokes(&[0, 1, 2, 3, 6, 7, 8, 9]));
    assert_eq!(words(&apart), ["abcd", "efgh"]);
    let close =
        line_with_ink(&["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"], &strokes(&(0..10).collect::<Vec<_>>()));
    assert_eq!(words(&close), ["abcdefghij"]);
}
