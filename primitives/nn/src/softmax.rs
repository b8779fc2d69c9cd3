//! Softmax by a table of exponentials and a reciprocal.

use crate::{error::ModelError, limits::MAX_SOFTMAX_BITS, shape::Shape};
use alloc::{boxed::Box, vec::Vec};
use codec::{Decode, Encode};

/// Softmax over the last axis: shares of 127, so that one step of the output is 1/127.
///
/// For a row x with the maximum m: `e_i = exponentials[m - x_i]`, `S = Σ e_i`, `R = ⌊2^bits / S⌋` and
/// `y_i = (127 · e_i · R + 2^(bits-1)) >> bits`, which lies in 0..=127.
///
/// With `exponentials[d]` the rounded `M · exp(-d · scale)` and rows of n, y is within 1/2 of 127 times the softmax of `scale · x`
/// for the last rounding, `127 · (n + 1) / (2 · M)` for the table's and `127 · M / 2^bits` for the reciprocal's.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Softmax {
	/// Entry `d` is the exponential of a value `d` steps below the maximum. Entry 0, which every row has, is at least 1.
	pub exponentials: Box<[u16; 256]>,
	/// The reciprocal's bits, 1..=26; the greatest exponential times the row's length is at most `2^bits`, so that R is at least 1.
	pub bits: u8,
}

impl Softmax {
	/// What the shares add up to, but for rounding.
	pub const WHOLE: u32 = 127;

	/// Checks the table and the bits for rows of `from`.
	pub(crate) fn check(&self, layer: usize, from: Shape) -> Result<(), ModelError> {
		let greatest = self.exponentials.iter().copied().max().unwrap_or(0);
		let sum = u64::from(greatest).saturating_mul(from.width.into());
		let first = self.exponentials.first().copied().unwrap_or(0);
		let valid = (1..=MAX_SOFTMAX_BITS).contains(&self.bits) && first > 0 && sum <= self.one();
		valid.then_some(()).ok_or(ModelError::BadSoftmax { layer })
	}

	/// 2^bits.
	fn one(&self) -> u64 {
		1u64.wrapping_shl(self.bits.into())
	}

	/// The exponential of a value `distance` below the maximum, 0..=255.
	pub fn exponential(&self, distance: i32) -> u16 {
		let index = usize::try_from(distance).ok();
		index
			.and_then(|index| self.exponentials.get(index))
			.copied()
			.unwrap_or(0)
	}

	/// `⌊2^bits / sum⌋`; 0 for a sum of 0, which no row has.
	pub fn reciprocal(&self, sum: u64) -> u64 {
		self.one().checked_div(sum).unwrap_or(0)
	}

	/// The outputs for rows of `width` elements.
	pub(crate) fn outputs(&self, x: &[i8], width: u32) -> Vec<i8> {
		let width = usize::try_from(width).unwrap_or(usize::MAX).max(1);
		let mut outputs = Vec::with_capacity(x.len());
		for row in x.chunks(width) {
			let maximum = i32::from(row.iter().copied().max().unwrap_or(0));
			let exponentials = row
				.iter()
				.map(|x| u64::from(self.exponential(maximum.wrapping_sub((*x).into()))));
			let sum = exponentials.clone().fold(0u64, u64::wrapping_add);
			let factor = self.reciprocal(sum).wrapping_mul(Self::WHOLE.into());
			let half = self.one().wrapping_shr(1);
			let shares = exponentials.map(|exponential| {
				let share = exponential.wrapping_mul(factor).wrapping_add(half);
				i8::try_from(share.wrapping_shr(self.bits.into())).unwrap_or(i8::MAX)
			});
			outputs.extend(shares);
		}
		outputs
	}
}
