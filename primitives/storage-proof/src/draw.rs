//! Drawing leaves.

use crate::hash::{self, Hasher};

/// The leaf, counted over everything that `provider` holds, that sample `index` of the window or block with this `seed`
/// asks for: uniform below `total_leaves`, but for a bias of at most `total_leaves` / 2^128. 0 if there are no leaves.
///
/// The provider's account is drawn in, so that no provider can answer with the leaves that another one shows.
pub fn draw<H: Hasher>(seed: &[u8; 32], provider: &[u8; 32], index: u32, total_leaves: u64) -> u64 {
	let digest = hash::draw::<H>(seed, provider, index);
	let uniform = digest
		.first_chunk()
		.map_or(0, |bytes| u128::from_le_bytes(*bytes));
	uniform
		.checked_rem(u128::from(total_leaves))
		.and_then(|leaf| leaf.try_into().ok())
		.unwrap_or(0)
}

#[cfg(all(test, feature = "std"))]
mod tests {
	use super::*;
	use crate::Native;

	#[test]
	fn draws_are_below_the_total() {
		for total in [1, 2, 3, 1 << 42, u64::MAX] {
			for index in 0..100 {
				assert!(draw::<Native>(&[1; 32], &[2; 32], index, total) < total);
			}
		}
		assert_eq!(draw::<Native>(&[1; 32], &[2; 32], 0, 0), 0);
	}

	#[test]
	fn every_input_changes_the_draw() {
		let total = 1 << 60;
		let draws = [
			draw::<Native>(&[1; 32], &[2; 32], 0, total),
			draw::<Native>(&[3; 32], &[2; 32], 0, total),
			draw::<Native>(&[1; 32], &[3; 32], 0, total),
			draw::<Native>(&[1; 32], &[2; 32], 1, total),
			draw::<Native>(&[2; 32], &[1; 32], 0, total),
		];
		for (position, one) in draws.iter().enumerate() {
			assert!(!draws[..position].contains(one), "draw {position}");
		}
	}

	/// Pearson's chi-squared test over 97 cells: 96 degrees of freedom, of which 160 is the 0.99996 quantile.
	#[test]
	fn draws_are_uniform() {
		const CELLS: usize = 97;
		const DRAWS: u32 = 97_000;
		let mut counts = [0u32; CELLS];
		for index in 0..DRAWS {
			counts[draw::<Native>(&[7; 32], &[8; 32], index, CELLS as u64) as usize] += 1;
		}
		let expected = f64::from(DRAWS) / CELLS as f64;
		let statistic: f64 = counts
			.iter()
			.map(|count| (f64::from(*count) - expected).powi(2) / expected)
			.sum();
		assert!(statistic < 160.0, "{statistic}");
	}
}
