use proptest::prelude::*;
use pulp::{Arch, Scalar, Simd, WithSimd};

use super::*;

/// Computes the same as [`Head::best`], written down without any thought of speed, in twice the precision.
fn plain(layer: &LinearHead, kept: &[usize], features: &[f32]) -> Vec<(usize, f64)> {
    let score = |step: &[f32], class: usize| {
        let bias = layer.bias.get(class).map_or(0.0, |&bias| f64::from(bias));
        let products = step
            .iter()
            .enumerate()
            .map(|(input, &value)| f64::from(value) * f64::from(layer.weights[input * layer.classes + class]));
        products.sum::<f64>() + bias
    };
    let answer = |step: &[f32]| {
        let scores: Vec<f64> = kept.iter().map(|&class| score(step, class)).collect();
        let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = scores.iter().map(|score| (score - top).exp()).sum();
        match scores.iter().position(|&score| score == top) {
            Some(place) if sum.is_finite() => (kept[place], 1.0 / sum),
            _ => (0, 0.0),
        }
    };
    features.chunks_exact(layer.inputs).map(answer).collect()
}

/// Returns true if `found` is the answer: another class only where the two have nearly the same score.
fn agrees(layer: &LinearHead, kept: &[usize], features: &[f32], found: &[(usize, f32)]) -> Result<(), TestCaseError> {
    let expected = plain(layer, kept, features);
    prop_assert_eq!(found.len(), expected.len());
    for (step, (found, expected)) in found.iter().zip(&expected).enumerate() {
        prop_assert!((f64::from(found.1) - expected.1).abs() < 1e-4, "step {step}: {found:?}, expected {expected:?}");
        if found.0 != expected.0 {
            let values = &features[step * layer.inputs..][..layer.inputs];
            let of_found = plain(layer, &[found.0, expected.0], values)[0];
            prop_assert!((of_found.1 - 0.5).abs() < 1e-3, "step {step}: {found:?}, expected {expected:?}");
        }
    }
    Ok(())
}

fn layer(inputs: usize, classes: usize, weights: &[f32], bias: &[f32]) -> LinearHead {
    LinearHead { inputs, classes, weights: weights.to_vec(), bias: bias.to_vec() }
}

/// One input, whose weight is each class's score for a feature of 1.
fn scores(scores: &[f32]) -> LinearHead {
    layer(1, scores.len(), scores, &[])
}

#[test]
fn the_first_of_equal_scores_wins_wherever_they_are() {
    for classes in [2, 31, 32, 33, 64, 200] {
        for (first, second) in [(0, 1), (0, classes - 1), (classes / 2, classes - 1), (classes - 2, classes - 1)] {
            let mut values = vec![-3.0; classes];
            (values[first], values[second]) = (5.0, 5.0);
            let best = Head::new(&scores(&values), None).best(&[1.0; 13]);
            let tops = 1 + usize::from(first != second);
            let sum = tops as f32 + (classes - tops) as f32 * (-8f32).exp();
            assert!(best.iter().all(|&(class, _)| class == first), "{classes}: {first} {second}: {best:?}");
            assert!(best.iter().all(|&(_, score)| (score - 1.0 / sum).abs() < 1e-4), "{best:?}");
        }
    }
}

#[test]
fn a_step_without_a_finite_answer_is_a_blank_and_touches_no_other() {
    const INFINITE: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];
    for bad in INFINITE {
        let head = Head::new(&scores(&[1.0, 2.0, 4.0]), None);
        let mut features = [1.0; 29];
        features[17] = bad;
        let best = head.best(&features);
        for (step, answer) in best.iter().enumerate() {
            let expected = if step == 17 { (0, 0.0) } else { best[0] };
            assert_eq!(*answer, expected, "{bad} at step {step}");
        }
        assert_eq!(best[0].0, 2);
    }
    // One class that is minus infinity is only never the answer; one that is no number spoils the sum.
    for (bad, class) in [(f32::NEG_INFINITY, 1), (f32::NAN, 0), (f32::INFINITY, 0)] {
        for classes in [3, 70] {
            let mut bias = vec![0.0; classes];
            (bias[1], bias[classes - 1]) = (1.0, bad);
            let best = Head::new(&layer(1, classes, &vec![0.0; classes], &bias), None).best(&[1.0]);
            assert_eq!(best[0].0, class, "{bad} {best:?}");
            assert_eq!(best[0].1 == 0.0, class == 0, "{bad} {best:?}");
        }
    }
    let nothing = Head::new(&scores(&[f32::NEG_INFINITY; 5]), None).best(&[1.0; 2]);
    assert_eq!(nothing, [(0, 0.0); 2]);
}

#[test]
fn odd_layers_have_an_answer() {
    assert_eq!(Head::new(&scores(&[]), None).best(&[1.0; 3]), [(0, 0.0); 3]);
    assert_eq!(Head::new(&scores(&[7.0]), None).best(&[]), []);
    assert_eq!(Head::new(&layer(0, 3, &[], &[]), None).best(&[1.0]), []);
    assert_eq!(Head::new(&scores(&[7.0, 8.0]), Some(&[])).best(&[1.0]), [(0, 0.0)]);
    assert_eq!(Head::new(&scores(&[7.0, 8.0]), Some(&[0, 99])).best(&[1.0]), [(0, 1.0)]);
}

#[test]
fn many_classes_far_below_the_best_are_left_out_within_the_bound() {
    // The worst: as many as PP-OCRv6 has, each a little above what counts for nothing, and a little below.
    for far in [20.0, 21.0, 21.3, 21.4, 22.0, 30.0] {
        let mut values = vec![0.0; 18_710];
        values[77] = far;
        let found = Head::new(&scores(&values), None).best(&[1.0])[0];
        let expected = plain(&scores(&values), &(0..18_710).collect::<Vec<_>>(), &[1.0])[0];
        assert_eq!(found.0, 77);
        assert!((f64::from(found.1) - expected.1).abs() < 3e-5, "{far}: {found:?} {expected:?}");
    }
}

/// Powers of e with the vectors of `simd`.
struct Powers(Vec<f32>);

impl WithSimd for Powers {
    type Output = Vec<f32>;

    fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
        self.0.resize(self.0.len().next_multiple_of(S::F32_LANES), 0.0);
        for x in S::as_mut_simd_f32s(&mut self.0).0 {
            *x = kernel::exp(simd, *x);
        }
        self.0
    }
}

#[test]
fn the_power_is_as_near_as_it_says() {
    let xs: Vec<f32> = (0..=86_000).map(|step| -step as f32 / 1000.0).collect();
    let ends = vec![0.0, -0.0, -87.0, -1e30, f32::NEG_INFINITY, f32::NAN];
    for powers in [Arch::new().dispatch(Powers(xs.clone())), Scalar::new().vectorize(Powers(xs.clone()))] {
        for (x, power) in xs.iter().zip(powers) {
            assert!((f64::from(power) / f64::from(*x).exp() - 1.0).abs() < 1e-5, "{x}: {power}");
        }
    }
    for powers in [Arch::new().dispatch(Powers(ends.clone())), Scalar::new().vectorize(Powers(ends.clone()))] {
        assert_eq!(powers[..5], [1.0, 1.0, 0.0, 0.0, 0.0]);
        assert!(powers[5].is_nan());
    }
}

/// A layer, some of its classes, and features for it.
fn any_case() -> impl Strategy<Value = (LinearHead, Vec<usize>, Vec<f32>)> {
    let sizes = (1usize..9, 1usize..140, 0usize..40);
    sizes.prop_flat_map(|(inputs, classes, steps)| {
        let scale = prop_oneof![Just(1.0f32), Just(0.0), Just(10.0), Just(1e-20)];
        let values = |count| prop::collection::vec(prop_oneof![4 => -1f32..1.0, 1 => Just(0.5)], count);
        let kept = prop::collection::vec(any::<bool>(), classes);
        let bias = prop_oneof![Just(0), Just(classes)].prop_flat_map(values);
        (values(inputs * classes), bias, kept, values(inputs * steps), scale).prop_map(
            move |(weights, bias, kept, mut features, scale)| {
                features.iter_mut().for_each(|value| *value *= scale);
                let kept = (0..classes).filter(|&class| kept[class]).collect();
                (LinearHead { inputs, classes, weights, bias }, kept, features)
            },
        )
    })
}

#[test]
fn where_there_is_no_best_class_all_probabilities_are_zero() {
    for bad in [f32::NAN, f32::INFINITY] {
        let head = Head::new(&scores(&[1.0, bad, 4.0]), None);
        assert_eq!(head.best(&[1.0; 2]), [(0, 0.0); 2]);
        assert_eq!(head.probabilities(&[1.0; 2]).unwrap(), [0.0; 6]);
    }
    let head = Head::new(&scores(&[1.0, f32::NEG_INFINITY, 1.0]), Some(&[1, 2]));
    assert_eq!(head.probabilities(&[1.0]).unwrap(), [0.0, 0.0, 1.0]);
    assert_eq!(Head::new(&scores(&[]), None).probabilities(&[1.0; 3]).unwrap(), [0.0; 0]);
    assert_eq!(Head::new(&layer(0, 3, &[], &[]), None).probabilities(&[1.0]).unwrap(), [0.0; 0]);
    assert_eq!(Head::new(&scores(&[7.0, 8.0]), Some(&[])).probabilities(&[1.0]).unwrap(), [0.0; 2]);
}

proptest! {
    #[test]
    fn all_vectors_give_the_same((layer, _, features) in any_case()) {
        let head = Head::new(&layer, None);
        let all: Vec<usize> = (0..layer.classes).collect();
        let mut starts: Vec<fn(Run<'_>)> = vec![|run| Scalar::new().vectorize(run)];
        #[cfg(target_arch = "x86_64")]
        {
            starts.push(|run| match pulp::x86::V3::try_new() {
                Some(v3) => Simd::vectorize(v3, run),
                None => Scalar::new().vectorize(run),
            });
            starts.push(|run| match pulp::x86::V4::try_new() {
                Some(v4) => Simd::vectorize(v4, run),
                None => Scalar::new().vectorize(run),
            });
        }
        for start in starts {
            let mut best = vec![Best::default(); features.len() / layer.inputs];
            start(head.run(&features, &mut best));
            let found: Vec<_> = best.iter().map(|best| head.answer(best)).collect();
            agrees(&layer, &all, &features, &found)?;
        }
    }

    #[test]
    fn the_best_classes_equal_those_of_the_plain_twin((layer, kept, features) in any_case()) {
        let all: Vec<usize> = (0..layer.classes).collect();
        agrees(&layer, &all, &features, &Head::new(&layer, None).best(&features))?;
        agrees(&layer, &kept, &features, &Head::new(&layer, Some(&kept)).best(&features))?;
    }

    #[test]
    fn a_leaning_is_part_of_the_bias((layer, kept, features) in any_case(), lean in prop::collection::vec(-3f32..3.0, 60)) {
        let leaning: Vec<f32> = lean.into_iter().cycle().take(layer.classes).collect();
        let bias = layer.bias.iter().copied().chain(repeat_n(0.0, layer.classes)).zip(&leaning).map(|(a, b)| a + b);
        let leant = LinearHead { bias: bias.collect(), ..layer.clone() };
        agrees(&leant, &kept, &features, &Head::new(&layer, Some(&kept)).leaning_to(&leaning).best(&features))?;
        prop_assert_eq!(Head::new(&layer, Some(&kept)).leaning_to(&[]), Head::new(&layer, Some(&kept)));
    }

    #[test]
    fn any_values_have_an_answer(
        weights in prop::collection::vec(any::<f32>(), 0..200),
        bias in prop::collection::vec(any::<f32>(), 0..9),
        features in prop::collection::vec(any::<f32>(), 0..60),
        inputs in 0usize..5,
        classes in 0usize..50,
    ) {
        let layer = LinearHead { inputs, classes, weights, bias };
        let head = Head::new(&layer, None);
        for (class, score) in head.best(&features) {
            prop_assert!(class < classes.max(1) && (0.0..=1.0).contains(&score), "{class} {score}");
        }
        for share in head.probabilities(&features).unwrap() {
            prop_assert!((0.0..=1.0).contains(&share), "{share}");
        }
    }
}
