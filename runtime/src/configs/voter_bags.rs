//! The bags in which the voter list keeps stakers roughly sorted by stake.

use frame_election_provider_support::VoteWeight;

/// Number of bags.
pub const BAGS: usize = 200;
/// Upper bound of the first bag: about the existential deposit of a supply of 10^9 SAND, which a vote weight
/// counts in units of 54 (the supply over 2^64).
const LOWEST: u128 = 100_000_000;
/// Each bag reaches this many ten-thousandths of the bag below it, which spans `LOWEST` to 2^64 in `BAGS` steps.
const RATIO: u128 = 11_392;

/// Upper bounds of the bags, ascending: a geometric series that ends at the largest vote weight.
pub const BAG_THRESHOLDS: [VoteWeight; BAGS] = thresholds();

// Evaluated by the compiler alone, where an overflow or a bad index is a compile error.
#[allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]
const fn thresholds() -> [VoteWeight; BAGS] {
	let mut thresholds = [VoteWeight::MAX; BAGS];
	let mut upper = LOWEST;
	let mut bag = 0;
	while bag < BAGS - 1 {
		assert!(upper < VoteWeight::MAX as u128);
		thresholds[bag] = upper as VoteWeight;
		upper = upper * RATIO / 10_000;
		bag += 1;
	}
	thresholds
}
