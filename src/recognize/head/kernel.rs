//! The product, a block of scores at a time.
//!
//! One source serves every processor: a version of it is made for each kind of vectors, and the best that the processor
//! has is chosen at run time. Vectors are named instead of left to the compiler to find. That was tried first: it found
//! them in one build and not in another of the same source, which took up to a hundred times as long.

use pulp::{Arch, Simd, WithSimd};

/// Columns of weights that lie together: what the widest tile takes.
pub(super) const COLUMNS: usize = 32;

/// Lanes of the widest vectors.
const MOST_LANES: usize = 16;

/// One value for each of some columns. It begins where a cache line does: a vector then lies in one of them, which took
/// a tenth of the time away.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct Row(pub(super) [f32; COLUMNS]);

/// The best class of a step so far.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Best {
    /// Sums of exponentials relative to `score`, one a lane.
    sums: [f32; MOST_LANES],
    /// The largest score.
    pub(super) score: f32,
    /// Its column; none before the first finite score.
    pub(super) column: Option<usize>,
}

impl Default for Best {
    fn default() -> Self {
        // A finite number: minus infinity less minus infinity is no number.
        Self { sums: [0.0; MOST_LANES], score: f32::MIN, column: None }
    }
}

impl Best {
    /// Returns the sum of all exponentials relative to the best score.
    pub(super) fn sum(&self) -> f32 {
        self.sums.iter().sum()
    }

    /// Makes the first of the largest scores the best one. That is seldom: a few times for each step.
    #[cold]
    fn raise(&mut self, scores: &[f32], column: usize) {
        let before = self.score;
        for (place, &score) in scores.iter().enumerate() {
            if score > self.score {
                (self.score, self.column) = (score, Some(column + place));
            }
        }
        let scale = (before - self.score).exp();
        self.sums.iter_mut().for_each(|sum| *sum *= scale);
    }
}

/// Takes the scores of one step in, a few columns at a time.
pub(super) trait Step {
    /// Takes the scores of the columns from `column` on. Those farther below the best than `skip` count for nothing.
    fn take<S: Simd>(&mut self, simd: S, scores: [S::f32s; 2], column: usize, skip: f32);
}

impl Step for Best {
    #[inline(always)]
    fn take<S: Simd>(&mut self, simd: S, scores: [S::f32s; 2], column: usize, skip: f32) {
        let [left, right] = scores;
        let floor = simd.splat_f32s(self.score - skip);
        let are_below = simd.and_m32s(simd.less_than_f32s(left, floor), simd.less_than_f32s(right, floor));
        // A value that is no number is not below, and so reaches the sum.
        if simd.first_true_m32s(simd.not_m32s(are_below)) >= S::F32_LANES {
            return;
        }
        let top = simd.splat_f32s(self.score);
        let is_above = simd.or_m32s(simd.greater_than_f32s(left, top), simd.greater_than_f32s(right, top));
        if simd.first_true_m32s(is_above) < S::F32_LANES {
            self.raise(pulp::bytemuck::cast_slice(&scores), column);
        }
        let top = simd.splat_f32s(self.score);
        let powers = simd.add_f32s(exp(simd, simd.sub_f32s(left, top)), exp(simd, simd.sub_f32s(right, top)));
        let sum = &mut S::as_mut_simd_f32s(&mut self.sums).0[0];
        *sum = simd.add_f32s(*sum, powers);
    }
}

/// All scores of a step, by column.
pub(super) struct All<'a>(pub(super) &'a mut [f32]);

impl Step for All<'_> {
    #[inline(always)]
    fn take<S: Simd>(&mut self, _: S, scores: [S::f32s; 2], column: usize, _: f32) {
        let columns = self.0.iter_mut().skip(column);
        columns.zip(pulp::bytemuck::cast_slice::<_, f32>(&scores)).for_each(|(place, &score)| *place = score);
    }
}

/// Returns true if this processor has vectors that are made use of.
pub(super) fn has_vectors() -> bool {
    struct Lanes;
    impl WithSimd for Lanes {
        type Output = usize;

        fn with_simd<S: Simd>(self, _: S) -> usize {
            S::F32_LANES
        }
    }
    Arch::new().dispatch(Lanes) > 1
}

/// A head and the steps that it is for.
pub(super) struct Run<'a, T = Best> {
    /// A number of values for each step.
    pub(super) features: &'a [f32],
    pub(super) inputs: usize,
    /// As many rows for each block of columns.
    pub(super) weights: &'a [Row],
    /// One row for each block.
    pub(super) bias: &'a [Row],
    /// One for each step.
    pub(super) steps: &'a mut [T],
}

impl<T: Step> Run<'_, T> {
    /// Does the work with the best vectors that the processor has.
    pub(super) fn start(self) {
        Arch::new().dispatch(self);
    }

    /// Computes all blocks of weights, each for all steps while it lies in the nearest cache.
    #[inline(always)]
    fn blocks<S: Simd, const STEPS: usize, const FEW: usize>(self, simd: S) {
        let (inputs, steps) = (self.inputs, self.steps.len());
        let whole = steps - steps % STEPS;
        let packed = pack::<STEPS>(self.features, inputs, 0, whole);
        let rest = pack::<FEW>(self.features, inputs, whole, steps);
        let (taking, taking_rest) = self.steps.split_at_mut(whole);
        let skip = negligible(self.bias.len() * COLUMNS);
        for (block, (weights, bias)) in self.weights.chunks_exact(inputs.max(1)).zip(self.bias).enumerate() {
            for first in (0..COLUMNS / S::F32_LANES).step_by(2) {
                let tile = Tile { weights, bias, column: block * COLUMNS + first * S::F32_LANES, first, skip };
                tile.steps::<S, STEPS, T>(simd, &packed, inputs, taking);
                tile.steps::<S, FEW, T>(simd, &rest, inputs, taking_rest);
            }
        }
    }
}

impl<T: Step> WithSimd for Run<'_, T> {
    type Output = ();

    /// Computes with vectors. With 32 registers, as AVX-512 and NEON have, the sums of a tile take 24 of them; with 16,
    /// as AVX2 has, 12.
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 { self.blocks::<S, 12, 4>(simd) } else { self.blocks::<S, 6, 2>(simd) }
    }
}

/// Returns the values of some steps side by side, as many steps as a tile has. What the last tile lacks is zero.
fn pack<const STEPS: usize>(features: &[f32], inputs: usize, from: usize, to: usize) -> Vec<[f32; STEPS]> {
    let mut packed = vec![[0.0; STEPS]; (to - from).div_ceil(STEPS) * inputs];
    for (tile, first) in packed.chunks_exact_mut(inputs.max(1)).zip((from..to).step_by(STEPS)) {
        for (lane, step) in (first..to.min(first + STEPS)).enumerate() {
            let Some(values) = features.get(step * inputs..(step + 1) * inputs) else { continue };
            for (row, &value) in tile.iter_mut().zip(values) {
                row[lane] = value;
            }
        }
    }
    packed
}

/// Two vectors of columns of a block.
struct Tile<'a> {
    weights: &'a [Row],
    bias: &'a Row,
    /// The first of the columns, counted from the first block.
    column: usize,
    /// The same in this block, counted in vectors; an even number.
    first: usize,
    /// The distance below the best score at which a score counts for nothing.
    skip: f32,
}

impl Tile<'_> {
    #[inline(always)]
    fn steps<S: Simd, const STEPS: usize, T: Step>(
        &self,
        simd: S,
        features: &[[f32; STEPS]],
        inputs: usize,
        taking: &mut [T],
    ) {
        for (features, taking) in features.chunks_exact(inputs.max(1)).zip(taking.chunks_mut(STEPS)) {
            let scores = self.scores::<S, STEPS>(simd, features);
            for (step, scores) in taking.iter_mut().zip(scores) {
                step.take(simd, scores, self.column, self.skip);
            }
        }
    }

    /// Returns the scores of a few steps. The sums stay in registers.
    #[inline(always)]
    fn scores<S: Simd, const STEPS: usize>(&self, simd: S, features: &[[f32; STEPS]]) -> [[S::f32s; 2]; STEPS] {
        let mut sums = [self.pair::<S>(self.bias); STEPS];
        for (values, row) in features.iter().zip(self.weights) {
            let [left, right] = self.pair::<S>(row);
            for step in 0..STEPS {
                let value = simd.splat_f32s(values[step]);
                sums[step][0] = simd.mul_add_e_f32s(value, left, sums[step][0]);
                sums[step][1] = simd.mul_add_e_f32s(value, right, sums[step][1]);
            }
        }
        sums
    }

    /// Returns the columns' part of a row. There is no sum in it that could overflow: a check in the innermost loop is
    /// dear.
    #[inline(always)]
    fn pair<S: Simd>(&self, row: &Row) -> [S::f32s; 2] {
        let vectors = S::as_simd_f32s(&row.0).0;
        [vectors[self.first % (COLUMNS / S::F32_LANES)], vectors[(self.first | 1) % (COLUMNS / S::F32_LANES)]]
    }
}

/// Returns the distance below the best score at which a score counts for nothing: if all of `columns` do, that takes
/// less than 1e-5 of a probability away. On a line of English, four of five blocks of PP-OCRv6's classes are that far
/// below.
fn negligible(columns: usize) -> f32 {
    const SHARE: f32 = 1e-5;
    (columns as f32 / SHARE).ln()
}

/// Returns e to the power of numbers of at most 0: with a relative error below 1e-5 down to -86, and 0 from -87 on; no
/// number for what is none. 1 for 0.
///
/// The number in units of ln 2 is split into a whole part, which becomes the exponent, and a rest of at most a half, of
/// which a polynomial takes the power. Its coefficients are a Chebyshev fit to 2^x with 1 held at 0, error 3.1e-6.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: S::f32s) -> S::f32s {
    /// Adding it leaves no bit for fractions, so the whole part stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const MANTISSA_BITS: u32 = f32::MANTISSA_DIGITS - 1;
    const EXPONENT_OF_ONE: u32 = 127;
    let x = simd.mul_f32s(x, simd.splat_f32s(std::f32::consts::LOG2_E));
    let round = simd.splat_f32s(ROUND);
    let shifted = simd.add_f32s(x, round);
    let rest = simd.sub_f32s(x, simd.sub_f32s(shifted, round));
    let mut power = simd.splat_f32s(9.600_395e-3);
    for coefficient in [5.591_689_4e-2, 2.402_371_9e-1, 6.931_22e-1, 1.0] {
        power = simd.mul_add_e_f32s(power, rest, simd.splat_f32s(coefficient));
    }
    let exponent = simd.add_u32s(simd.transmute_u32s_f32s(shifted), simd.splat_u32s(EXPONENT_OF_ONE));
    let whole = simd.transmute_f32s_u32s(simd.wrapping_dyn_shl_u32s(exponent, simd.splat_u32s(MANTISSA_BITS)));
    // A product with what is no number is none, whatever the other factor's bits are.
    let result = simd.mul_f32s(power, whole);
    simd.select_f32s(simd.less_than_f32s(x, simd.splat_f32s(-125.0)), simd.splat_f32s(0.0), result)
}
