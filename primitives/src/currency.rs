//! Denominations of SAND and the price of occupying state.

use crate::Balance;

/// Decimal places of SAND.
pub const DECIMALS: u8 = 12;
/// One SAND.
pub const SAND: Balance = 1_000_000_000_000;
/// A thousandth of a SAND.
pub const MILLISAND: Balance = SAND / 1_000;
/// A millionth of a SAND.
pub const MICROSAND: Balance = MILLISAND / 1_000;

/// Deposit per stored item.
pub const DEPOSIT_PER_ITEM: Balance = 100 * MILLISAND;
/// Deposit per stored byte.
pub const DEPOSIT_PER_BYTE: Balance = 100 * MICROSAND;

/// The deposit for `items` entries that hold `bytes` bytes together.
pub const fn deposit(items: u32, bytes: u32) -> Balance {
	(items as Balance)
		.saturating_mul(DEPOSIT_PER_ITEM)
		.saturating_add((bytes as Balance).saturating_mul(DEPOSIT_PER_BYTE))
}
