use proptest::prelude::*;

use super::*;
use crate::runtime::{Element, Named, Port, ReadOutputs};

const INPUTS: usize = 5;

/// Latin letters, Chinese ones, digits and signs.
fn characters() -> Vec<String> {
    ('a'..='z').chain('0'..='9').chain(['.', '。', 'λ']).chain('\u{4e00}'..'\u{4e20}').map(String::from).collect()
}

fn spec(values: usize) -> ModelSpec {
    let port = |shape: &[Option<usize>]| Port { name: "x".into(), shape: shape.to_vec(), element: Element::F32 };
    ModelSpec {
        name: "m.onnx".into(),
        inputs: vec![port(&[None, Some(3), Some(48), None])],
        outputs: vec![port(&[None, None, Some(values)])],
        characters: Some(characters().join("\n")),
        ..ModelSpec::default()
    }
}

/// With the space.
fn classes() -> usize {
    characters().len() + 2
}

/// Computes the whole model's output from the features that a cut one gives.
fn probabilities(head: &LinearHead, features: &[f32]) -> Vec<f32> {
    let row = |step: &[f32]| {
        let score = |class: usize| {
            let products = step.iter().enumerate().map(|(i, value)| value * head.weights[i * head.classes + class]);
            products.sum::<f32>() + head.bias[class]
        };
        let scores: Vec<f32> = (0..head.classes).map(score).collect();
        let top = scores.iter().copied().fold(f32::MIN, f32::max);
        let powers: Vec<f32> = scores.iter().map(|score| (score - top).exp()).collect();
        let sum: f32 = powers.iter().sum();
        powers.into_iter().map(move |power| power / sum)
    };
    features.chunks_exact(INPUTS).flat_map(row).collect()
}

fn any_head() -> impl Strategy<Value = LinearHead> {
    let values = |count| prop::collection::vec(-3f32..3.0, count);
    (values(INPUTS * classes()), values(classes())).prop_map(|(weights, bias)| LinearHead {
        inputs: INPUTS,
        classes: classes(),
        weights,
        bias,
    })
}

proptest! {
    #[test]
    fn a_cut_model_reads_what_the_whole_one_reads(
        head in any_head(),
        features in prop::collection::vec(-1f32..1.0, INPUTS * 30),
        codes in prop::sample::select(vec![None, Some(vec!["en"]), Some(vec!["zh"]), Some(vec!["zh", "id"])]),
    ) {
        let languages = codes.map(|codes| Languages::of(&codes).unwrap());
        let of = |head, values| Alphabet::of(&spec(values), head, languages.as_ref()).unwrap();
        let (whole, cut) = (of(None, classes()), of(Some(&head), INPUTS));
        let given = probabilities(&head, &features);
        let whole = whole.steps(Tensor { shape: &[1, 30, classes()], data: &given }).unwrap().best();
        let cut = cut.steps(Tensor { shape: &[1, 30, INPUTS], data: &features }).unwrap().best();
        for (step, (whole, cut)) in whole.iter().zip(&cut).enumerate() {
            prop_assert!((whole.1 - cut.1).abs() < 1e-4, "step {step}: {whole:?} {cut:?}");
            // Two classes may be as good as each other.
            let row = &given[step * classes()..][..classes()];
            prop_assert!(whole.0 == cut.0 || (row[whole.0] / row[cut.0] - 1.0).abs() < 1e-4, "{whole:?} {cut:?}");
        }
    }
}

proptest! {
    #[test]
    fn the_probabilities_of_all_classes_agree_with_the_best_one(
        head in any_head(),
        features in prop::collection::vec(-1f32..1.0, INPUTS * 30),
        codes in prop::sample::select(vec![None, Some(vec!["en"]), Some(vec!["zh", "id"])]),
        some in prop::collection::btree_set(0..classes(), 0..4),
    ) {
        let languages = codes.map(|codes| Languages::of(&codes).unwrap());
        let of = |head, values| Alphabet::of(&spec(values), head, languages.as_ref()).unwrap();
        let (whole, cut) = (of(None, classes()), of(Some(&head), INPUTS));
        let given = probabilities(&head, &features);
        let shape = [1, 30, classes()];
        let whole = whole.steps(Tensor { shape: &shape, data: &given }).unwrap();
        let cut = cut.steps(Tensor { shape: &[1, 30, INPUTS], data: &features }).unwrap();
        prop_assert_eq!((whole.classes(), cut.classes()), (classes(), classes()));
        let rows = whole.probabilities().unwrap();
        for (one, other) in rows.iter().zip(cut.probabilities().unwrap()) {
            prop_assert!((one - other).abs() < 1e-4, "{one} {other}");
        }
        for steps in [whole, cut] {
            let rows = steps.probabilities().unwrap();
            let allowed = steps.allowed.unwrap_or_default();
            let some: Vec<usize> = some.iter().copied().filter(|class| allowed.is_empty() || allowed.contains(class)).collect();
            let (best, shares) = steps.best_with(&Part::new(some.clone(), steps.head)).unwrap();
            prop_assert_eq!(best, steps.best());
            for (shares, row) in shares.chunks_exact(some.len().max(1)).zip(rows.chunks_exact(classes())) {
                prop_assert!(some.iter().zip(shares).all(|(&class, share)| (row[class] - share).abs() < 1e-4));
            }
            prop_assert_eq!(rows.len(), 30 * classes());
            for (row, (class, score)) in rows.chunks_exact(classes()).zip(steps.best()) {
                prop_assert!((row[class] - score).abs() < 1e-4, "{} {score}", row[class]);
                prop_assert!(row.iter().all(|&other| other <= row[class] + 1e-6), "{row:?} {class}");
                prop_assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{row:?}");
                let is_there = |class| allowed.is_empty() || allowed.contains(&class);
                prop_assert!(row.iter().enumerate().all(|(class, &share)| share == 0.0 || is_there(class)));
            }
        }
    }
}

/// Takes the best of a few classes, as an allow-list of a call would.
#[derive(Debug)]
struct Only(&'static [usize]);

impl Decoder for Only {
    fn decode(&self, steps: &Steps<'_>, charset: &Charset) -> Result<Decoded> {
        let rows = steps.probabilities()?;
        Ok(ctc::decode(&ctc::best_classes(&rows, steps.classes(), Some(self.0)), &[], charset))
    }
}

/// Sees an `a` in each strip, and next to it a `b`.
struct Unsure(ModelSpec);

impl Model for Unsure {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, _: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        read(&[Named::f32("y", &[1, 1, 4], &[0.1, 0.6, 0.2, 0.1])])
    }
}

#[test]
fn another_decoder_sees_the_probabilities_of_all_classes() {
    let spec = ModelSpec { characters: Some("a\nb".into()), ..spec(4) };
    let strip = Picture::from_rgb(48, 48, vec![0; 48 * 48 * 3]).unwrap();
    let read = |alphabet: Alphabet| alphabet.read(&mut Unsure(spec.clone()), &strip, &Stop::new()).unwrap();
    let alphabet = Alphabet::of(&spec, None, None).unwrap();
    let greedy = read(alphabet.clone());
    assert_eq!((greedy.text.as_str(), greedy.score), ("a", 0.6));
    let listed = read(alphabet.with_decoder(Arc::new(Only(&[0, 2]))));
    assert_eq!(listed.text, "b");
    assert!((listed.score - 2.0 / 3.0).abs() < 1e-6, "{}", listed.score);
}

#[test]
fn characters_know_of_a_space_before_them_if_one_can_come_out() {
    let spec = ModelSpec { characters: Some("a\nb".into()), ..spec(4) };
    let rows = [0.05, 0.9, 0.0, 0.05, 0.05, 0.0, 0.7, 0.25];
    let read = |alphabet: &Alphabet| -> Vec<f32> {
        let steps = alphabet.steps(Tensor { shape: &[1, 2, 4], data: &rows }).unwrap();
        alphabet.decoder.decode(&steps, alphabet.charset()).unwrap().glyphs.iter().map(|glyph| glyph.space).collect()
    };
    let alphabet = Alphabet::of(&spec, None, None).unwrap();
    assert_eq!(read(&alphabet), vec![0.0, 0.25]);
    let without = Alphabet { allowed: Some([0, 1, 2].into()), ..alphabet };
    let decoder = Arc::new(without.greedy());
    assert_eq!(read(&without.with_decoder(decoder)), vec![0.0, 0.0]);
}

/// Sees one step with these probabilities, or features.
struct Step(ModelSpec, Vec<f32>);

impl Model for Step {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, _: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        read(&[Named::f32("y", &[1, 1, self.1.len()], &self.1)])
    }
}

#[test]
fn a_language_settles_which_accent_a_letter_has_with_and_without_a_head() {
    let latin = ('a'..='z').chain('\u{c0}'..='\u{17f}').filter(|letter| letter.is_alphabetic());
    let known: Vec<char> = latin.chain('\u{4e00}'..'\u{4e20}').collect();
    // The blank before them, the space after them.
    let mut shares = vec![1e-6_f32; known.len() + 2];
    for (letter, share) in [('e', 0.45), ('é', 0.3), ('ě', 0.15), ('ö', 0.09)] {
        shares[known.iter().position(|&other| other == letter).unwrap() + 1] = share;
    }
    shares[0] = 1.0 - shares[1..].iter().sum::<f32>();
    let classes = shares.len();
    let head =
        LinearHead { inputs: 1, classes, weights: shares.iter().map(|share| share.ln()).collect(), bias: Vec::new() };
    let characters = known.iter().map(char::to_string).collect::<Vec<_>>().join("\n");
    let spec = |values| ModelSpec { characters: Some(characters.clone()), ..spec(values) };
    let strip = Picture::from_rgb(48, 48, vec![0; 48 * 48 * 3]).unwrap();
    for (codes, read) in [
        (None, "e"),
        (Some(&["fr"][..]), "é"),
        (Some(&["cs"]), "é"),
        (Some(&["lt"]), "e"),
        (Some(&["en"]), "e"),
        (Some(&["zh", "fr"]), "e"),
    ] {
        let languages = codes.map(|codes| Languages::of(codes).unwrap());
        let decoded = |head: Option<&LinearHead>, step: Vec<f32>| {
            let spec = spec(step.len());
            let alphabet = Alphabet::of(&spec, head, languages.as_ref()).unwrap();
            alphabet.read(&mut Step(spec, step), &strip, &Stop::new()).unwrap()
        };
        let (whole, cut) = (decoded(None, shares.clone()), decoded(Some(&head), vec![1.0]));
        assert_eq!((whole.text.as_str(), cut.text.as_str()), (read, read), "{codes:?}");
        assert!((whole.score - cut.score).abs() < 1e-4, "{codes:?}: {} {}", whole.score, cut.score);
    }
}

#[test]
fn only_characters_of_the_languages_are_classes() {
    let languages = Languages::of(&["en"]).unwrap();
    let alphabet = Alphabet::of(&spec(classes()), None, Some(&languages)).unwrap();
    let allowed: String = alphabet.allowed.unwrap().iter().map(|&class| alphabet.charset.character(class)).collect();
    assert_eq!(allowed, "abcdefghijklmnopqrstuvwxyz0123456789. ");
    let error = Alphabet::of(&spec(classes()), None, Some(&Languages::of(&["ru"]).unwrap())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn an_output_that_does_not_fit_is_refused() {
    let head = LinearHead { inputs: INPUTS, classes: classes(), weights: vec![0.0; INPUTS * classes()], bias: vec![] };
    let cut = Alphabet::of(&spec(INPUTS), Some(&head), None).unwrap();
    for (shape, text) in [(&[1, 1, 6][..], "6 values"), (&[2, 1, 5], "[2, 1, 5]"), (&[1, 5], "[1, 5]")] {
        let error = cut.steps(Tensor { shape, data: &[0.0; 10] }).unwrap_err();
        assert!(error.kind() == ErrorKind::ModelMismatch && error.to_string().contains(text), "{error}");
    }
    let short = LinearHead { classes: 9, ..head };
    assert!(Alphabet::of(&spec(INPUTS), Some(&short), None).unwrap_err().to_string().contains("9 classes"));
}

/// An `a` where a strip is black, in steps of 8 pixels.
struct Ruler(ModelSpec, Vec<usize>);

impl Model for Ruler {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let width = input.shape[3];
        self.1.push(width);
        let row = &input.data[..width];
        let output: Vec<_> =
            row.chunks(8).flat_map(|part| if part[0] < -0.9 { [0.0, 1.0, 0.0] } else { [1.0, 0.0, 0.0] }).collect();
        read(&[Named::f32("y", &[1, width.div_ceil(8), 3], &output)])
    }
}

/// Padding is grey, and seen as a `b`.
#[test]
fn what_is_read_in_the_padding_of_a_planned_width_is_cut_off() {
    struct Everywhere(ModelSpec);

    impl Model for Everywhere {
        fn spec(&self) -> &ModelSpec {
            &self.0
        }

        fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
            let input = inputs[0].tensor().expect("floats");
            let is_padding = |part: &[f32]| part[0] == 0.0;
            let row = input.data[..input.shape[3]].chunks(8);
            let read_as = |part| if is_padding(part) { [0.0, 0.0, 0.9, 0.0] } else { [0.1, 0.9, 0.0, 0.0] };
            let output: Vec<_> = row.flat_map(read_as).collect();
            read(&[Named::f32("y", &[1, output.len() / 4, 4], &output)])
        }
    }

    let strip = Picture::from_rgb(170, 48, vec![0; 170 * 48 * 3]).unwrap();
    let spec = |sides| ModelSpec { sides, characters: Some("a\nb".into()), ..spec(4) };
    let read = |sides| {
        let alphabet = Alphabet::of(&spec(sides), None, None).unwrap();
        alphabet.read(&mut Everywhere(spec(sides)), &strip, &Stop::new()).unwrap()
    };
    let (plain, planned) = (read(Sides::Any), read(Sides::Few));
    assert_eq!((planned.text.as_str(), planned.score), (plain.text.as_str(), plain.score));
    assert_eq!(planned.glyphs[0].end, 1.0);
}

#[test]
fn a_strip_that_is_padded_to_a_step_has_its_characters_where_they_were() {
    let pixels: Vec<u8> = (0..48 * 100 * 3).map(|i| if (40..56).contains(&(i / 3 % 100)) { 0 } else { 255 }).collect();
    let strip = Picture::from_rgb(100, 48, pixels).unwrap();
    for (sides, width) in [(Sides::Any, 100), (Sides::Steps(50), 100), (Sides::Steps(64), 128), (Sides::Few, 160)] {
        let spec = ModelSpec { sides, characters: Some("a".into()), ..spec(3) };
        let alphabet = Alphabet::of(&spec, None, None).unwrap();
        let mut model = Ruler(spec, Vec::new());
        let decoded = alphabet.read(&mut model, &strip, &Stop::new()).unwrap();
        assert_eq!((decoded.text.as_str(), model.1), ("a", vec![width]));
        let (start, end) = (decoded.glyphs[0].start * 100.0, decoded.glyphs[0].end * 100.0);
        let steps = width.div_ceil(8) as f32;
        assert!((decoded.step * 100.0 - width as f32 / steps).abs() < 1e-3, "{}", decoded.step);
        assert!((start - 40.0).abs() < 8.0 && (end - 56.0).abs() < 8.0, "{start} to {end}");
    }
}

#[test]
fn the_best_classes_that_a_device_picked_are_read_like_all_probabilities() {
    let alphabet = Alphabet::of_picked(&spec(2), classes()).unwrap();
    let output = [1.0, 0.9, 0.0, 0.5, 2.0, 0.75, f32::NAN, 0.1, 1e9, 0.2];
    let steps = alphabet.steps(Tensor { shape: &[1, 5, 2], data: &output }).unwrap();
    assert_eq!(steps.best(), [(1, 0.9), (0, 0.5), (2, 0.75), (0, 0.1), (classes() - 1, 0.2)]);
    assert_eq!(steps.classes(), classes());
    assert_eq!(steps.probabilities().unwrap_err().kind(), ErrorKind::Internal);
    let decoded = alphabet.decoder.decode(&steps, alphabet.charset()).unwrap();
    assert!(decoded.text.starts_with("ab"), "{}", decoded.text);
    assert!(alphabet.steps(Tensor { shape: &[1, 5, 3], data: &[0.0; 15] }).is_err());
    assert!(Alphabet::of_picked(&spec(2), 9).is_err(), "as many characters as classes");
}
