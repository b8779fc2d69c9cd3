//! The tree over a provider's shards: a dense array of shards below three levels of sums, with nodes of 64. Finding the
//! shard in which a leaf lies, adding a shard and removing one each touch one path from top to bottom, two to remove,
//! whatever the number of shards.

use frame_support::BoundedVec;
use opensand_primitives::{AccountId, OrderId};

use crate::{
	Config, Pallet, TreeEntries, TreeEntry, TreePositions, TreeState, TreeSums, FAN_OUT, MAX_TREE_SHARDS,
};

/// Levels of sums above the entries.
const SUM_LEVELS: u8 = 3;

/// The node and the place in it of the item at `position` of a level.
fn place(position: u32) -> (u32, usize) {
	let node = position.checked_div(FAN_OUT).unwrap_or(0);
	let slot = position.checked_rem(FAN_OUT).unwrap_or(0);
	(node, slot as usize)
}

/// The item in which the `leaf`-th leaf lies, and that leaf's number in it.
fn find(sizes: impl Iterator<Item = u64>, mut leaf: u64) -> Option<(u32, u64)> {
	for (slot, size) in (0u32..).zip(sizes) {
		match leaf.checked_sub(size) {
			Some(rest) => leaf = rest,
			None => return Some((slot, leaf)),
		}
	}
	None
}

impl<T: Config> Pallet<T> {
	/// The shard in which the `leaf`-th leaf of a provider's tree lies, and that leaf's number in the shard. `None` if the
	/// tree has not so many.
	pub(crate) fn find_leaf(who: &AccountId, leaf: u64) -> Option<(TreeEntry, u64)> {
		let (mut node, mut leaf) = (0u32, leaf);
		for level in (1..=SUM_LEVELS).rev() {
			let sums = TreeSums::<T>::get(who, (level, node));
			let (slot, rest) = find(sums.iter().copied(), leaf)?;
			node = node.saturating_mul(FAN_OUT).saturating_add(slot);
			leaf = rest;
		}
		let entries = TreeEntries::<T>::get(who, node);
		let (slot, rest) = find(entries.iter().map(|entry| entry.leaves.into()), leaf)?;
		let entry = entries.get(slot as usize)?;
		Some((*entry, rest))
	}

	/// Appends a shard to a provider's tree. A full tree stays as it is; `accept` does not let it fill.
	pub(crate) fn append_to_tree(who: &AccountId, tree: &mut TreeState, entry: TreeEntry) {
		let position = tree.shards;
		if position >= MAX_TREE_SHARDS {
			frame_support::defensive!("no shard is accepted for a full tree");
			return;
		}
		let (node, _) = place(position);
		let sum = TreeEntries::<T>::mutate(who, node, |entries| {
			let pushed = entries.try_push(entry);
			frame_support::defensive_assert!(pushed.is_ok(), "all nodes before the last are full");
			leaves_of(entries)
		});
		Self::update_sums(who, node, sum);
		TreePositions::<T>::insert(who, entry.order, position);
		tree.shards = position.saturating_add(1);
		tree.leaves = tree.leaves.saturating_add(entry.leaves.into());
	}

	/// Removes a provider's shard of an order from its tree: the last entry takes its place.
	pub(crate) fn remove_from_tree(who: &AccountId, tree: &mut TreeState, order: OrderId) {
		let Some(position) = TreePositions::<T>::take(who, order) else {
			frame_support::defensive!("what is removed was in the tree");
			return;
		};
		let last = tree.shards.saturating_sub(1);
		let (last_node, _) = place(last);
		let mut popped = None;
		let sum = TreeEntries::<T>::mutate_exists(who, last_node, |stored| {
			let mut entries = stored.take().unwrap_or_default();
			popped = entries.pop();
			let sum = leaves_of(&entries);
			*stored = Some(entries).filter(|entries| !entries.is_empty());
			sum
		});
		Self::update_sums(who, last_node, sum);
		let Some(moved) = popped else {
			frame_support::defensive!("a tree with entries has a last one");
			return;
		};
		let mut removed = moved;
		if position != last {
			let (node, slot) = place(position);
			let sum = TreeEntries::<T>::mutate(who, node, |entries| {
				if let Some(entry) = entries.get_mut(slot) {
					removed = core::mem::replace(entry, moved);
				}
				leaves_of(entries)
			});
			Self::update_sums(who, node, sum);
			TreePositions::<T>::insert(who, moved.order, position);
		}
		tree.shards = last;
		tree.leaves = tree.leaves.saturating_sub(removed.leaves.into());
	}

	/// Carries the sum of the lowest node `node` up to the top.
	fn update_sums(who: &AccountId, node: u32, mut sum: u64) {
		let mut position = node;
		for level in 1..=SUM_LEVELS {
			let (above, slot) = place(position);
			sum = TreeSums::<T>::mutate_exists(who, (level, above), |stored| {
				let mut sums = stored.take().unwrap_or_default();
				match sums.get_mut(slot) {
					Some(present) => *present = sum,
					None => {
						let pushed = sums.try_push(sum);
						frame_support::defensive_assert!(pushed.is_ok(), "nodes fill from left to right");
					}
				}
				// Entries are dense, so only the last nodes can be empty.
				while sums.last() == Some(&0) {
					sums.pop();
				}
				let total = sums.iter().fold(0, |total: u64, sum| total.saturating_add(*sum));
				*stored = Some(sums).filter(|sums: &BoundedVec<u64, _>| !sums.is_empty());
				total
			});
			position = above;
		}
	}
}

fn leaves_of(entries: &[TreeEntry]) -> u64 {
	entries
		.iter()
		.fold(0, |sum: u64, entry| sum.saturating_add(entry.leaves.into()))
}
