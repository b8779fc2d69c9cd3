//! The width of windows, by cost.

/// Cost of one bucket in the sum Σ j·Bⱼ, in additions to a bucket: two additions, in smaller batches.
const BUCKET_COST: f64 = 2.6;
/// The widest window: 2^15 buckets, 3 MiB of G1.
pub(crate) const MAX_WIDTH: usize = 16;

/// How scalars are cut into digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Windows {
	/// Bits in a digit.
	pub width: usize,
	/// Digits of the longest magnitude.
	pub count: usize,
}

impl Windows {
	/// Buckets of a window: one for each absolute value of a digit but zero.
	pub fn buckets(&self) -> usize {
		1 << (self.width - 1)
	}

	/// The cheapest windows for `lengths[b]` magnitudes of b bits. A magnitude of b bits has b + 1 with its sign.
	pub fn cheapest(lengths: &[usize]) -> Self {
		let longest = lengths.iter().rposition(|count| *count > 0).unwrap_or(0);
		let cost = |width: usize| {
			let additions: usize = lengths
				.iter()
				.enumerate()
				.skip(1)
				.map(|(bits, count)| count * (bits + 1).div_ceil(width))
				.sum();
			let windows = (longest + 1).div_ceil(width);
			additions as f64 + BUCKET_COST * (windows << (width - 1)) as f64
		};
		let width = (2..=MAX_WIDTH)
			.min_by(|a, b| cost(*a).total_cmp(&cost(*b)))
			.unwrap_or(MAX_WIDTH);
		Self {
			width,
			count: (longest + 1).div_ceil(width),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn windows_fit_the_magnitudes() {
		let with = |bits: usize, count: usize| {
			let mut lengths = [0; 129];
			lengths[bits] = count;
			Windows::cheapest(&lengths)
		};
		assert_eq!(with(1, 1 << 16), Windows { width: 2, count: 1 });
		assert_eq!(with(8, 1 << 16), Windows { width: 9, count: 1 });
		assert!(with(127, 1 << 18).width > with(127, 1 << 12).width);
		assert_eq!(with(127, 1 << 24), Windows { width: 16, count: 8 });
	}
}
