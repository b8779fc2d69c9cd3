//! The operators of transformers in integers.

use super::quantise::quantise;
use crate::float::Parameters;
use opensand_nn::{limits::MAX_SHIFT, LayerNormalization, LayerWeights, Softmax};

/// Exponentials at the maximum are at least this times a row's length, so that their rounding is a fraction of a step of the output.
const EXPONENTIAL_STEPS: u32 = 256;

/// Bits of the reciprocal beyond those of an exponential, for the same.
const RECIPROCAL_BITS: u32 = 10;

/// Powers of two by which the steps of a product may differ from those that were wanted.
const MAX_APART: f64 = 16.0;

/// The greatest magnitude of a weight, in steps, that still rounds into int8.
const WEIGHT_STEPS: f64 = 127.49;

/// The real value of one step of every Softmax's output.
pub fn softmax_scale() -> f64 {
	1.0 / f64::from(Softmax::WHOLE)
}

/// Softmax of rows of `width` elements, one step of which is worth `scale`. For up to 256 elements, and with the best that there is beyond,
/// it is within a step of the real one.
pub fn softmax(width: u32, scale: f64) -> Softmax {
	let limit = u32::from(u16::MAX) + 1;
	let mut steps = EXPONENTIAL_STEPS
		.saturating_mul(width)
		.next_power_of_two()
		.min(limit);
	let most = 1u64 << opensand_nn::limits::MAX_SOFTMAX_BITS;
	// Long rows leave fewer bits to each exponential.
	while u64::from(steps) * u64::from(width) > most && steps > 2 {
		steps /= 2;
	}
	let greatest = f64::from(steps - 1);
	let exponentials = Box::new(std::array::from_fn(|distance| {
		(greatest * (-(distance as f64) * scale).exp()).round() as u16
	}));
	let sum = (u64::from(steps) * u64::from(width)).next_power_of_two().ilog2();
	let bits = (steps.ilog2() + RECIPROCAL_BITS).max(sum);
	Softmax {
		exponentials,
		bits: bits.min(opensand_nn::limits::MAX_SOFTMAX_BITS.into()) as u8,
	}
}

/// The shift of a product with steps of `step` at which its steps are nearest to `wanted`, and their value; none where that is so far
/// off that products of scales could leave float64.
pub fn product_shift(step: f64, wanted: f64) -> Option<(u8, f64)> {
	let shift = (wanted / step).log2().round().clamp(0.0, MAX_SHIFT.into());
	let to = step * 2f64.powi(shift as i32);
	(to / wanted).is_normal().then_some(())?;
	let apart = (to / wanted).log2().abs();
	(apart <= MAX_APART).then_some((shift as u8, to))
}

/// Layer normalisation of rows with steps of `from` to steps of `to`, with the largest shift at which weights fit int8 and no accumulator
/// overflows; none where there is no such shift.
pub fn layer_normalization(
	epsilon: f32,
	parameters: &Parameters,
	from: f64,
	to: f64,
) -> Option<(LayerNormalization, LayerWeights)> {
	let len = parameters.weights.len() as f64;
	let epsilon = (f64::from(epsilon) * len.powi(3) / (from * from)).round();
	let epsilon = epsilon.clamp(1.0, u32::MAX.into()) as u32;
	// A standard deviation is this many steps of the normalised values.
	let deviation = 2f64.powi(LayerNormalization::RECIPROCAL_BITS as i32) / len.sqrt();
	let reach = f64::from(LayerNormalization::normalised_bounds(parameters.weights.len() as u32).upper);
	let largest = |values: &[f32]| {
		values
			.iter()
			.fold(0.0, |max, value| f64::from(value.abs()).max(max))
	};
	let (weight, bias) = (largest(&parameters.weights), largest(&parameters.biases));
	let fits = |shift: &u8| {
		let steps = 2f64.powi((*shift).into()) / to;
		let weight = weight * steps / deviation;
		let accumulator = (weight + 0.5) * reach + bias * steps + 2f64.powi((*shift).into());
		weight <= WEIGHT_STEPS && accumulator < f64::from(i32::MAX)
	};
	let shift = (0..=MAX_SHIFT).rev().find(fits)?;
	let steps = 2f64.powi(shift.into()) / to;
	let weights = parameters.weights.iter();
	let biases = parameters.biases.iter();
	let weights = LayerWeights {
		weights: weights
			.map(|weight| quantise((*weight).into(), deviation / steps))
			.collect(),
		biases: biases
			.map(|bias| (f64::from(*bias) * steps + 0.5).floor() as i32)
			.collect(),
	};
	Some((LayerNormalization { epsilon, shift }, weights))
}
