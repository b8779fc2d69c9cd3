//! What the storage market's hooks cost in a block, with any number of active orders in the state.
//!
//! The runtime's pallet runs natively on a state in RocksDB, without the node's caches: every read walks the trie from its
//! root. All providers that there can be are registered, and every other one that is judged missed its window, which
//! slashes it.

mod accesses;
mod state;
mod trie;

use std::time::{Duration, Instant};

use anyhow::{anyhow, Result};
use frame_support::traits::Hooks;
use opensand_primitives::{BlockNumber, OrderId};
use opensand_runtime::Dsm;
use sp_core::{Blake2Hasher, H256};
use sp_externalities::set_and_run_with_externalities;
use sp_state_machine::{Ext, OverlayedChanges, TrieBackendBuilder};

use accesses::Accesses;
use state::{begin_block, State, MEASURED_IN};
use trie::Nodes;

pub use state::{providers, CODE};

/// Numbers of orders.
pub const ORDERS: [OrderId; 3] = [1_000, 100_000, 1_000_000];
/// Up to so many orders all of the pallet's invariants are checked before it is measured.
const CHECKED: OrderId = 1_000;
/// Blocks that are measured, from the first of a window.
const BLOCKS: BlockNumber = 10;
/// Runs of a block of which the median counts.
const RUNS: usize = 101;

/// What the hooks took in one block.
#[derive(Clone, PartialEq, Debug)]
pub struct Block {
	/// Accesses to the storage by kind.
	pub accesses: Accesses,
	/// Nodes of the trie that were read for them.
	pub nodes: usize,
	/// The time.
	pub time: Duration,
}

impl Block {
	/// Accesses of any kind.
	pub fn accesses(&self) -> usize {
		self.accesses.values().sum()
	}
}

/// What the hooks took with one number of orders.
pub struct Cost {
	/// Active orders.
	pub orders: OrderId,
	/// Entries of the state.
	pub entries: u64,
	/// Bytes of its database.
	pub bytes: u64,
	/// The first blocks of a window; in the very first one the window begins.
	pub blocks: Vec<Block>,
}

impl Cost {
	/// The mean time of the blocks after the first one.
	pub fn mean_time(&self) -> Duration {
		let others = &self.blocks[1..];
		others.iter().map(|block| block.time).sum::<Duration>() / others.len() as u32
	}
}

/// Measures the hooks with `orders` active orders.
///
/// # Errors
/// When the state cannot be written, or is not one that the pallet could have made.
pub fn measure(orders: OrderId) -> Result<Cost> {
	let directory = tempfile::tempdir()?;
	let mut entries = 0;
	let state = State::with(orders)?;
	let counted = state.entries().inspect(|_| entries += 1);
	let (nodes, root) = Nodes::write(directory.path(), counted)?;
	drop(state);
	let first = MEASURED_IN * state::window_blocks();
	if orders <= CHECKED {
		on(&nodes, root, || {
			begin_block(first);
			Dsm::try_state(first)
		})
		.map_err(|error| anyhow!("the state is not one that the pallet could have made: {error:?}"))?;
	}
	let blocks = (first..first + BLOCKS)
		.map(|number| {
			nodes.reads();
			let mut read = 0;
			let accesses = on(&nodes, root, || {
				begin_block(number);
				nodes.reads();
				let accesses = accesses::accesses(|| {
					Dsm::on_initialize(number);
				});
				read = nodes.reads();
				accesses
			});
			let mut times = [Duration::ZERO; RUNS];
			for time in &mut times {
				*time = on(&nodes, root, || {
					begin_block(number);
					let start = Instant::now();
					Dsm::on_initialize(number);
					start.elapsed()
				});
			}
			times.sort_unstable();
			Block {
				accesses,
				nodes: read,
				time: times[RUNS / 2],
			}
		})
		.collect();
	Ok(Cost {
		orders,
		entries,
		bytes: nodes.bytes()?,
		blocks,
	})
}

/// Runs `work` on the state; what it changes is forgotten.
fn on<R>(nodes: &Nodes, root: H256, work: impl FnOnce() -> R) -> R {
	let backend = TrieBackendBuilder::<_, Blake2Hasher>::new(nodes, root).build();
	let mut changes = OverlayedChanges::default();
	set_and_run_with_externalities(&mut Ext::new(&mut changes, &backend, None), work)
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Also that the state is one that the pallet could have made, which is checked for so few.
	#[test]
	fn hooks_do_the_same_with_more_orders() {
		let few = measure(100).unwrap();
		let more = measure(1_000).unwrap();
		assert!(more.entries > few.entries + 900 * 17);
		let accesses = |cost: &Cost| {
			cost.blocks
				.iter()
				.map(|block| block.accesses.clone())
				.collect::<Vec<_>>()
		};
		assert_eq!(accesses(&few), accesses(&more));
		// In the first block a window begins, and in each one providers are slashed.
		assert!(few.blocks[0].accesses["Get"] > few.blocks[9].accesses["Get"]);
		assert!(few.blocks[9].accesses["Put"] > 10);
	}
}
