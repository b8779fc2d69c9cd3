//! Layer normalisation by an integer reciprocal square root.

use crate::{
	bounds::Interval, error::ModelError, limits::MAX_NORMALISED, shape::Shape, weights::LayerWeights,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Layer normalisation over the last axis, with a weight and a bias for each place on it, then requantisation.
///
/// For a row x of n: `d_i = n · x_i - Σ x`, `V = Σ d_i² + epsilon`, R is the integer nearest to `2^23 / √V`, exactly the one with
/// `(2R - 1)² · V <= 2^48 < (2R + 1)² · V`, and `acc_i = weight[i] · d_i · R + bias[i]`. A standard deviation is
/// `2^23 / √n` steps of `d_i · R`.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LayerNormalization {
	/// What is added to the sum of squares, at least 1: `epsilon · n³ / scale²` for an epsilon beside the variance of real values.
	pub epsilon: u32,
	/// Requantisation shift of all elements, 0..=31.
	pub shift: u8,
}

impl LayerNormalization {
	/// The product `R · √V` is about 2^23.
	pub const RECIPROCAL_BITS: u32 = 23;

	/// Checks epsilon and the length of rows of `from`; the shift is not checked.
	pub(crate) fn check(&self, layer: usize, from: Shape) -> Result<(), ModelError> {
		let valid = self.epsilon > 0 && from.width <= MAX_NORMALISED;
		valid
			.then_some(())
			.ok_or(ModelError::BadLayerNormalization { layer })
	}

	/// The integer nearest to `2^23 / √squares` for `squares = V`, at least 1 and below 2^48.
	pub fn reciprocal_root(squares: u64) -> u64 {
		let twice = Self::RECIPROCAL_BITS.saturating_add(1);
		let ratio = 1u64
			.wrapping_shl(twice.saturating_mul(2))
			.checked_div(squares)
			.unwrap_or(0);
		ratio.isqrt().saturating_add(1).wrapping_shr(1)
	}

	/// Where `d_i · R` lies on every row of `width`: `|d_i| <= √V` and R is at most half a step above `2^23 / √V`.
	pub fn normalised_bounds(width: u32) -> Interval {
		let distance = width.saturating_sub(1).saturating_mul(255);
		let reach = 1u32
			.wrapping_shl(Self::RECIPROCAL_BITS)
			.saturating_add(distance.div_ceil(2));
		let reach = i32::try_from(reach).unwrap_or(i32::MAX);
		Interval::new(reach.saturating_neg(), reach)
	}

	/// `d_i · R` for one row.
	fn normalised<'a>(&self, row: &'a [i8]) -> impl Iterator<Item = i32> + use<'a> {
		let len = i64::try_from(row.len()).unwrap_or(i64::MAX);
		let sum = row.iter().fold(0i64, |sum, x| sum.wrapping_add((*x).into()));
		let distances = row
			.iter()
			.map(move |x| i64::from(*x).wrapping_mul(len).wrapping_sub(sum));
		let squares = distances.clone().fold(u64::from(self.epsilon), |squares, d| {
			squares.wrapping_add(d.wrapping_mul(d).unsigned_abs())
		});
		let root = i64::try_from(Self::reciprocal_root(squares)).unwrap_or(0);
		// Within `normalised_bounds`.
		distances.map(move |d| i32::try_from(d.wrapping_mul(root)).unwrap_or(0))
	}

	/// The accumulators for rows of `width` elements.
	pub(crate) fn accumulators(&self, weights: &LayerWeights, x: &[i8], width: u32) -> Vec<i32> {
		let width = usize::try_from(width).unwrap_or(usize::MAX).max(1);
		let rows = x.chunks(width).flat_map(|row| {
			let parameters = weights.weights.iter().zip(&weights.biases);
			self.normalised(row)
				.zip(parameters)
				.map(|(x, (weight, bias))| bias.wrapping_add(x.wrapping_mul((*weight).into())))
		});
		rows.collect()
	}
}
