//! Which windows a provider has proven, and how many of them lie between two.

use opensand_primitives::{storage::WindowIndex, AccountId};

use crate::{Config, History, HistoryEntry, Pallet, Provider, HISTORY_LENGTH, HISTORY_WINDOWS};

/// The entry of the history in which a window stands, and its bit there.
fn place(window: WindowIndex) -> (u32, u32) {
	let entry = window.checked_div(HISTORY_WINDOWS).unwrap_or(0);
	let bit = window.checked_rem(HISTORY_WINDOWS).unwrap_or(0);
	(entry, bit)
}

impl HistoryEntry {
	/// Enters the window that has bit `bit`.
	fn set(&mut self, bit: u32) {
		let [low, high] = &mut self.bits;
		match bit.checked_sub(u128::BITS) {
			None => *low |= 1u128.checked_shl(bit).unwrap_or(0),
			Some(bit) => *high |= 1u128.checked_shl(bit).unwrap_or(0),
		}
	}

	/// Windows proven up to, but without, the one that has bit `bit`.
	pub(crate) fn proofs_before(&self, bit: u32) -> u32 {
		let [low, high] = self.bits;
		let below = |bits: u128, bit: u32| match u128::BITS.checked_sub(bit) {
			Some(0) | None => bits.count_ones(),
			Some(above) => bits.checked_shl(above).unwrap_or(0).count_ones(),
		};
		self.before
			.saturating_add(below(low, bit.min(u128::BITS)))
			.saturating_add(below(high, bit.saturating_sub(u128::BITS)))
	}
}

impl<T: Config> Pallet<T> {
	/// Enters a proven window, and forgets windows that are too long ago.
	pub(crate) fn enter_proof(who: &AccountId, provider: &mut Provider, window: WindowIndex) {
		let (index, bit) = place(window);
		let mut entry = History::<T>::get(who, index).unwrap_or_else(|| {
			if let Some(forgotten) = index.checked_sub(HISTORY_LENGTH) {
				History::<T>::remove(who, forgotten);
			}
			HistoryEntry {
				before: provider.proofs,
				bits: [0; 2],
			}
		});
		entry.set(bit);
		History::<T>::insert(who, index, entry);
		provider.proofs = provider.proofs.saturating_add(1);
		provider.record.proven = window;
	}

	/// The number of windows from `from` up to, but without, `to` that a provider has proven.
	///
	/// Exact for windows in which it held a shard, but that windows of which the history is forgotten do not count. A
	/// provider that holds a shard is jailed after at most 128 windows without proof, so of two entries in a row one is
	/// there, up to the last window that it has proven.
	pub(crate) fn proofs_between(who: &AccountId, from: WindowIndex, to: WindowIndex) -> u32 {
		let Some(provider) = crate::Providers::<T>::get(who).filter(|_| from < to) else {
			return 0;
		};
		let (newest, _) = place(provider.record.proven);
		let oldest = newest.saturating_sub(HISTORY_LENGTH.saturating_sub(1));
		let from = from.max(oldest.saturating_mul(HISTORY_WINDOWS));
		let before = |window| Self::proofs_before(who, &provider, window);
		match (before(from), before(to)) {
			(Some(from), Some(to)) => to.saturating_sub(from),
			_ => 0,
		}
	}

	fn proofs_before(who: &AccountId, provider: &Provider, window: WindowIndex) -> Option<u32> {
		if window > provider.record.proven {
			return Some(provider.proofs);
		}
		let (index, bit) = place(window);
		match History::<T>::get(who, index) {
			Some(entry) => Some(entry.proofs_before(bit)),
			None => History::<T>::get(who, index.checked_add(1)?).map(|entry| entry.before),
		}
	}

	/// Forgets a provider that has left. All that is kept of its history is within the limit.
	pub(crate) fn clear_history(who: &AccountId) {
		let _ = History::<T>::clear_prefix(who, HISTORY_LENGTH, None);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn bits_are_counted_below_a_window() {
		let mut entry = HistoryEntry {
			before: 10,
			bits: [0; 2],
		};
		let proven = [0u32, 1, 5, 127, 128, 200, 255];
		for bit in proven {
			entry.set(bit);
		}
		for bit in 0..=256 {
			let expected = proven.iter().filter(|proven| **proven < bit).count() as u32;
			assert_eq!(entry.proofs_before(bit), 10 + expected, "{bit}");
		}
	}

	#[test]
	fn windows_have_their_places() {
		assert_eq!(place(0), (0, 0));
		assert_eq!(place(255), (0, 255));
		assert_eq!(place(256), (1, 0));
		assert_eq!(place(WindowIndex::MAX), (16_777_215, 255));
	}
}
