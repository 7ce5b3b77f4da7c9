use proptest::prelude::*;

use crate::error::ErrorKind;
use crate::language::Languages;
use crate::onnx::LinearHead;
use crate::recognize::Alphabet;
use crate::recognize::ctc::Decoded;
use crate::rules::Rules;
use crate::runtime::{Element, ModelSpec, Port, Tensor};

/// Classes: the blank, these, and the space.
const SIGNS: [&str; 8] = ["O", "0", "B", "8", "1", "t", "é", "П"];

const CLASSES: usize = SIGNS.len() + 2;

fn spec(values: usize) -> ModelSpec {
    let port = |shape: &[Option<usize>]| Port { name: "x".into(), shape: shape.to_vec(), element: Element::F32 };
    ModelSpec {
        name: "m.onnx".into(),
        inputs: vec![port(&[None, Some(3), Some(48), None])],
        outputs: vec![port(&[None, None, Some(values)])],
        characters: Some(SIGNS.join("\n")),
        ..ModelSpec::default()
    }
}

fn rules(allow: Option<&str>, pattern: Option<&str>, words: Option<&[&str]>) -> Rules {
    let words = words.map(|words| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
    Rules::new(allow, pattern, words.as_deref()).unwrap().unwrap()
}

fn class(sign: &str) -> usize {
    if sign == " " { CLASSES - 1 } else { SIGNS.iter().position(|own| *own == sign).map_or(0, |at| at + 1) }
}

/// A row for each step, of the classes that are likely in it: `"O0"` is an `O` that may be a `0`, and `_` nothing.
fn rows(steps: &[&[(&str, f32)]]) -> Vec<f32> {
    let row = |step: &&[(&str, f32)]| {
        let mut row = vec![1e-4; CLASSES];
        step.iter().for_each(|&(sign, share)| row[class(sign)] = share);
        row
    };
    steps.iter().flat_map(row).collect()
}

fn decoded(alphabet: &Alphabet, rows: &[f32]) -> Decoded {
    let values = alphabet.head.as_ref().map_or(CLASSES, |head| head.inputs());
    let shape = [1, rows.len() / values, values];
    let steps = alphabet.steps(Tensor { shape: &shape, data: rows }).unwrap();
    alphabet.decoder.decode(&steps, alphabet.charset()).unwrap()
}

fn read(rules: &Rules, rows: &[f32]) -> Decoded {
    decoded(&Alphabet::of(&spec(CLASSES), None, None).unwrap().with_rules(rules).unwrap(), rows)
}

/// `1O t8B`, in which both letters could be digits.
fn line() -> Vec<f32> {
    rows(&[
        &[("1", 0.9)],
        &[("_", 0.9)],
        &[("O", 0.8), ("0", 0.1)],
        &[("O", 0.6), ("0", 0.3), ("8", 0.01)],
        &[(" ", 0.9), ("8", 0.05)],
        &[("t", 0.97), ("_", 0.02), ("1", 0.002)],
        &[("8", 0.9)],
        &[("B", 0.7), ("8", 0.2)],
    ])
}

#[test]
fn what_may_not_occur_becomes_what_is_likeliest_or_nothing() {
    let plain = decoded(&Alphabet::of(&spec(CLASSES), None, None).unwrap(), &line());
    assert_eq!(plain.text, "1O t8B");
    let digits = read(&rules(Some("018"), None, None), &line());
    // The space is not missed, the t is nothing, and the B is another 8 than the one before it.
    assert_eq!(digits.text, "1088");
    let scores: Vec<_> = digits.glyphs.iter().map(|glyph| glyph.score).collect();
    for (score, expected) in scores.iter().zip([0.9, 0.2, 0.9, 0.2]) {
        assert!((score - expected).abs() < 1e-6, "{scores:?}");
    }
    // It counts that something was left out.
    assert!((digits.score - (0.9 + 0.2 + 0.02 + 0.9 + 0.2) / 5.0).abs() < 1e-6, "{}", digits.score);
    let places: Vec<_> = digits.glyphs.iter().map(|glyph| (glyph.start * 8.0, glyph.end * 8.0)).collect();
    assert_eq!(places, [(0.0, 1.0), (2.0, 4.0), (6.0, 7.0), (7.0, 8.0)]);
    assert_eq!(read(&rules(Some("018 "), None, None), &line()).text, "10 88");
}

#[test]
fn a_line_of_something_else_scores_low() {
    let letters = rows(&[&[("t", 0.99)], &[("é", 0.99)], &[("П", 0.99)], &[("t", 0.99)]]);
    for rules in [rules(Some("018"), None, None), rules(None, Some("[018]+"), None), rules(None, None, Some(&["1"]))] {
        let read = read(&rules, &letters);
        assert!(read.score < 0.01, "{read:?}");
    }
}

#[test]
fn a_pattern_is_met_as_a_whole() {
    for (pattern, text) in [
        (r"1\d \w8\d", "10 t88"),
        (r"[0-9]{4}", "1088"),
        (r"1O t8B", "1O t8B"),
        (r"\d+", "1088"),
        (r"\D+", "O tB"),
        (r"O t", "O t"),
    ] {
        let read = read(&rules(None, Some(pattern), None), &line());
        assert_eq!(read.text, text, "{pattern}");
        assert!(read.score > 0.0 && read.score < 0.9, "{pattern} {}", read.score);
    }
    let impossible = read(&rules(None, Some("(0O){9}"), None), &line());
    assert_eq!((impossible.text.as_str(), impossible.score), ("", 0.0));
}

#[test]
fn words_are_read_as_words() {
    let words = &["10", "1O", "t88", "t8", "8"];
    assert_eq!(read(&rules(None, None, Some(words)), &line()).text, "1O t88");
    assert_eq!(read(&rules(Some("018t"), None, Some(&words[..1])), &line()).text, "10");
}

#[test]
fn a_line_that_follows_the_rules_is_as_without_them() {
    let plain = decoded(&Alphabet::of(&spec(CLASSES), None, None).unwrap(), &line());
    for rules in [
        rules(Some("1O t8B"), None, None),
        rules(None, Some(r"\w\w \w+"), None),
        rules(None, None, Some(&["1O", "t8B", "B"])),
    ] {
        assert_eq!(read(&rules, &line()), plain);
    }
    // Spaces at the ends are none of the text's.
    let spaced = rows(&[&[(" ", 0.9)], &[("1", 0.9)], &[(" ", 0.8)]]);
    assert_eq!(read(&rules(None, Some(r"\d"), None), &spaced).text.trim(), "1");
    assert_eq!(read(&rules(Some("1"), None, None), &spaced).text, "1");
}

#[test]
fn languages_leave_out_what_rules_cannot_bring_back() {
    let languages = Languages::of(&["en"]).unwrap();
    let spec = ModelSpec {
        characters: Some(('a'..='z').map(|c| format!("{c}\n")).chain(["П".into()]).collect()),
        ..spec(29)
    };
    let alphabet = Alphabet::of(&spec, None, Some(&languages)).unwrap();
    let error = alphabet.with_rules(&rules(Some("aП"), None, None)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    let text = format!("{error} {:?}", error.hint());
    assert!(text.contains("'П'") && !text.contains("'a'") && text.contains("languages"), "{text}");
    assert!(alphabet.with_rules(&rules(Some("a"), None, None)).is_ok());
}

proptest! {
    /// A head that is computed here, with and without languages, against the whole model's probabilities.
    #[test]
    fn a_cut_model_reads_by_rules_what_the_whole_one_reads(
        weights in prop::collection::vec(-3f32..3.0, 5 * CLASSES),
        features in prop::collection::vec(-1f32..1.0, 5 * 12),
        rules in prop::sample::select(vec![
            (Some("018 "), None), (None, Some(r"\w{2,3}")), (None, Some(".*")), (Some("0B1tO"), Some("[0t]+.?")),
        ]),
        is_latin in any::<bool>(),
    ) {
        let languages = is_latin.then(|| Languages::of(&["en"]).unwrap());
        let head = LinearHead { inputs: 5, classes: CLASSES, weights, bias: vec![0.0; CLASSES] };
        // Too few letters for any language.
        let of = |head, values| {
            let mut alphabet = Alphabet::of(&spec(values), head, None).unwrap();
            if let Some(languages) = &languages {
                let is_kept = |class: &usize| languages.write(alphabet.charset.character(*class));
                let kept: Vec<usize> = (0..CLASSES).filter(is_kept).collect();
                alphabet.head = head.map(|head| std::sync::Arc::new(crate::recognize::Head::new(head, Some(&kept))));
                alphabet.allowed = Some(kept.into());
            }
            alphabet.with_rules(&self::rules(rules.0, rules.1, None)).unwrap()
        };
        let given: Vec<f32> = features.chunks_exact(5).flat_map(|step| {
            let score = |class: usize| (0..5).map(|i| step[i] * head.weights[i * CLASSES + class]).sum::<f32>();
            let powers: Vec<f32> = (0..CLASSES).map(|class| score(class).exp()).collect();
            let sum: f32 = powers.iter().sum();
            powers.into_iter().map(move |power| power / sum)
        }).collect();
        let (whole, cut) = (decoded(&of(None, CLASSES), &given), decoded(&of(Some(&head), 5), &features));
        // Two texts may be as likely as each other.
        prop_assert!(whole.text == cut.text || (whole.score - cut.score).abs() < 0.2, "{whole:?} {cut:?}");
        if whole.text == cut.text {
            prop_assert!((whole.score - cut.score).abs() < 1e-3, "{whole:?} {cut:?}");
        }
    }
}
