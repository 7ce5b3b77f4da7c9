//! The product, a block of scores at a time.
//!
//! One source serves every processor: the loops over lanes have fixed lengths, from which the compiler makes the vector
//! instructions of the processor that a version is for. The sizes are those with which the sums of a tile just fill its
//! registers.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;

/// Columns of weights that lie together: what the widest tile takes.
pub(super) const COLUMNS: usize = 32;

/// One value for each of some columns. It begins where a cache line does: a vector then lies in one of them, which took
/// a tenth of the time away.
#[derive(Debug, Clone, Copy, PartialEq)]
#[repr(align(64))]
pub(super) struct Row(pub(super) [f32; COLUMNS]);

/// Lanes of the widest vectors.
const MOST_LANES: usize = 16;

/// What is known of a step so far.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(super) struct Best {
    /// The largest score.
    score: f32,
    /// Its column; none before the first finite score.
    pub(super) column: Option<usize>,
    /// Sums of exponentials relative to `score`, one a lane.
    sums: [f32; MOST_LANES],
}

impl Default for Best {
    fn default() -> Self {
        // A finite number: minus infinity less minus infinity is no number.
        Self { score: f32::MIN, column: None, sums: [0.0; MOST_LANES] }
    }
}

impl Best {
    /// The sum of all exponentials relative to the best score.
    pub(super) fn sum(&self) -> f32 {
        self.sums.iter().sum()
    }
}

/// The largest number of lanes, steps and steps of the remainder for each kind of processor. On a Xeon with AVX-512 the
/// first does 24 multiply-adds for two loads of weights, and its sums take 24 of 32 registers; the second and the last
/// have 16 registers.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+avx2+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn run(features: &[f32], inputs: usize, weights: &[Row], bias: &[Row], best: &mut [Best]) {
    // Each is a constant in each version.
    let has_wide = target_cfg_f!(target_feature = "avx512f");
    let has_fused = target_cfg_f!(target_feature = "fma");
    let has_neon = target_cfg_f!(target_feature = "neon");
    match (has_wide, has_fused, has_neon) {
        (true, _, _) => blocks::<16, 12, 4, true>(features, inputs, weights, bias, best),
        (_, true, _) => blocks::<8, 6, 2, true>(features, inputs, weights, bias, best),
        (_, _, true) => blocks::<4, 12, 4, true>(features, inputs, weights, bias, best),
        _ => blocks::<4, 6, 2, false>(features, inputs, weights, bias, best),
    }
}

/// All blocks of weights, each for all steps while it lies in the nearest cache.
#[inline(always)]
pub(super) fn blocks<const LANES: usize, const STEPS: usize, const FEW: usize, const FUSED: bool>(
    features: &[f32],
    inputs: usize,
    weights: &[Row],
    bias: &[Row],
    best: &mut [Best],
) {
    let whole = best.len() / STEPS * STEPS;
    let (packed, rest) = (pack::<STEPS>(features, inputs, 0..whole), pack::<FEW>(features, inputs, whole..best.len()));
    let (best, best_of_rest) = best.split_at_mut(whole);
    let skip = negligible(bias.len() * COLUMNS);
    for (block, (weights, bias)) in weights.chunks_exact(inputs.max(1)).zip(bias).enumerate() {
        for first in (0..COLUMNS / LANES).step_by(2) {
            let tile = Tile { weights, bias, column: block * COLUMNS + first * LANES, first, skip };
            tile.rows::<LANES, STEPS, FUSED>(&packed, inputs, best);
            tile.rows::<LANES, FEW, FUSED>(&rest, inputs, best_of_rest);
        }
    }
}

/// Some steps with their values side by side, as many steps as a tile has. What the last tile lacks is zero.
#[inline(always)]
fn pack<const STEPS: usize>(features: &[f32], inputs: usize, steps: std::ops::Range<usize>) -> Vec<[f32; STEPS]> {
    let mut packed = vec![[0.0; STEPS]; steps.len().div_ceil(STEPS) * inputs];
    for (tile, first) in packed.chunks_exact_mut(inputs.max(1)).zip(steps.clone().step_by(STEPS)) {
        for (lane, step) in (first..steps.end.min(first + STEPS)).enumerate() {
            let Some(values) = features.get(step * inputs..(step + 1) * inputs) else { continue };
            for (row, &value) in tile.iter_mut().zip(values) {
                row[lane] = value;
            }
        }
    }
    packed
}

/// Some columns of a block.
struct Tile<'a> {
    weights: &'a [Row],
    bias: &'a Row,
    /// The first of them, counted from the first block.
    column: usize,
    /// The first of them in this block, counted in vectors; an even number.
    first: usize,
    /// How far below the best score a score counts for nothing.
    skip: f32,
}

impl Tile<'_> {
    #[inline(always)]
    fn rows<const LANES: usize, const STEPS: usize, const FUSED: bool>(
        &self,
        features: &[[f32; STEPS]],
        inputs: usize,
        best: &mut [Best],
    ) {
        for (features, best) in features.chunks_exact(inputs.max(1)).zip(best.chunks_mut(STEPS)) {
            let scores = self.scores::<LANES, STEPS, FUSED>(features);
            for (best, scores) in best.iter_mut().zip(&scores) {
                self.update::<LANES, FUSED>(best, scores);
            }
        }
    }

    /// The scores of a few steps. The sums stay in registers.
    #[inline(always)]
    fn scores<const LANES: usize, const STEPS: usize, const FUSED: bool>(
        &self,
        features: &[[f32; STEPS]],
    ) -> [[[f32; LANES]; 2]; STEPS] {
        let mut sums = [two::<LANES>(self.bias, self.first); STEPS];
        for (values, row) in features.iter().zip(self.weights) {
            let row = two::<LANES>(row, self.first);
            for step in 0..STEPS {
                for half in 0..2 {
                    for lane in 0..LANES {
                        let sum = &mut sums[step][half][lane];
                        *sum = multiply_add::<FUSED>(values[step], row[half][lane], *sum);
                    }
                }
            }
        }
        sums
    }

    /// Takes the scores of one step in.
    #[inline(always)]
    fn update<const LANES: usize, const FUSED: bool>(&self, best: &mut Best, scores: &[[f32; LANES]; 2]) {
        let (top, floor) = (best.score, best.score - self.skip);
        // What is no number counts, and so reaches the sum.
        if !any(scores, |score| score >= floor || score.is_nan()) {
            return;
        }
        if any(scores, |score| score > top) {
            self.raise(best, scores.as_flattened());
        }
        for half in scores {
            let powers = exp::<LANES, FUSED>(half, best.score);
            for (sum, power) in best.sums.iter_mut().zip(powers) {
                *sum += power;
            }
        }
    }

    /// Makes the first of the largest scores the best one. That is seldom: a few times for each step.
    #[inline(never)]
    fn raise(&self, best: &mut Best, scores: &[f32]) {
        let before = best.score;
        for (column, &score) in scores.iter().enumerate() {
            if score > best.score {
                (best.score, best.column) = (score, Some(self.column + column));
            }
        }
        let scale = (before - best.score).exp();
        best.sums.iter_mut().for_each(|sum| *sum *= scale);
    }
}

/// Two vectors of a row. It has no sum that could overflow: a check in the innermost loop took a factor of ten.
#[inline(always)]
fn two<const LANES: usize>(row: &Row, first: usize) -> [[f32; LANES]; 2] {
    let (halves, _) = row.0.as_chunks();
    [halves[first % halves.len()], halves[(first | 1) % halves.len()]]
}

/// Whether any score is so. It looks at all of them: that is one vector instruction, and ending early would be a branch
/// for each.
#[inline(always)]
fn any<const LANES: usize>(scores: &[[f32; LANES]; 2], is_so: impl Fn(f32) -> bool) -> bool {
    let mut found = [0_u32; LANES];
    for (lane, found) in found.iter_mut().enumerate() {
        *found = u32::from(is_so(scores[0][lane])) | u32::from(is_so(scores[1][lane]));
    }
    found.iter().fold(0, |all, found| all | found) != 0
}

/// Rounded once where the processor has an instruction for that; elsewhere rounding once would be a slow function.
#[inline(always)]
fn multiply_add<const FUSED: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// How far below the best score a score counts for nothing: if all of `columns` do, that takes less than 1e-5 of a
/// probability away. On a line of English, four of five blocks of PP-OCRv6's classes are that far below.
#[inline(always)]
fn negligible(columns: usize) -> f32 {
    const SHARE: f32 = 1e-5;
    (columns as f32 / SHARE).ln()
}

/// e to the power of `x - less` where that is at most 0: with a relative error below 1e-5 down to -86, and 0 from -87
/// on; no number for what is none. 1 for 0.
///
/// The number in units of ln 2 is split into a whole part, which becomes the exponent, and a rest of at most a half, of
/// which a polynomial takes the power. Its coefficients are a Chebyshev fit to 2^x with 1 held at 0, error 3.1e-6.
/// Every step is a loop of its own over the lanes, for then each becomes one instruction.
#[inline(always)]
pub(super) fn exp<const LANES: usize, const FUSED: bool>(x: &[f32; LANES], less: f32) -> [f32; LANES] {
    /// Adding it leaves no bit for fractions, so the whole part stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    const MANTISSA_BITS: u32 = f32::MANTISSA_DIGITS - 1;
    const EXPONENT_OF_ONE: u32 = 127;
    let x = x.map(|x| (x - less) * std::f32::consts::LOG2_E);
    let shifted = x.map(|x| x + ROUND);
    let rest: [f32; LANES] = std::array::from_fn(|lane| x[lane] - (shifted[lane] - ROUND));
    let mut power = [9.600_395e-3; LANES];
    for coefficient in [5.591_689_4e-2, 2.402_371_9e-1, 6.931_22e-1, 1.0] {
        power = std::array::from_fn(|lane| multiply_add::<FUSED>(power[lane], rest[lane], coefficient));
    }
    let whole = shifted.map(|shifted| f32::from_bits(shifted.to_bits().wrapping_add(EXPONENT_OF_ONE) << MANTISSA_BITS));
    // A product with what is no number is none, whatever the other factor's bits are.
    std::array::from_fn(|lane| if x[lane] < -125.0 { 0.0 } else { power[lane] * whole[lane] })
}
