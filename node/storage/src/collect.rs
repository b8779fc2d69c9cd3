//! Removes shards that the chain has moved away.
//!
//! No counters of references are kept: what belongs to a shard stands in its list of blocks, and a block may go if no list
//! of a shard that stays names it. Blocks are accounted to a shard before they are stored, under the lock that is held
//! here, so a block is never taken from a shard that is just being fetched. A crash in between leaves the record of the
//! released shard, and the next run goes on.

use std::collections::HashSet;

use cid::Cid;
use log::{info, warn};
use opensand_blocks::StoreError;
use opensand_primitives::BlockNumber;
use thiserror::Error;

use crate::{
	chain::ShardId,
	commitments::{blocks_of, StoreFetcher},
	context::Context,
	record::{Blocks, Phase, RecordsError, ShardRecord},
	TARGET,
};

/// Why nothing was removed. It is tried again at a later block.
#[derive(Debug, Error)]
pub(crate) enum CollectError {
	#[error("{0}")]
	Records(#[from] RecordsError),
	#[error("{0}")]
	Store(#[from] StoreError),
	/// It is not known what belongs to a shard that stays: it is healed first.
	#[error("the list of blocks of shard {0} is damaged; nothing is removed until it is restored")]
	Unaccounted(ShardId),
}

/// Removes the shards that were released `grace` blocks ago or earlier. `busy` ones stay. Answers how many there were.
pub(crate) fn collect(
	context: &Context,
	now: BlockNumber,
	grace: BlockNumber,
	busy: &HashSet<ShardId>,
) -> Result<u64, CollectError> {
	let _references = context.references.lock();
	let is_due = |id: &ShardId, record: &ShardRecord| match record.phase {
		Phase::Released { since } => since.saturating_add(grace) <= now && !busy.contains(id),
		_ => false,
	};
	let (leaving, staying): (Vec<_>, Vec<_>) = context
		.records
		.all()
		.into_iter()
		.partition(|(id, record)| is_due(id, record));
	if leaving.is_empty() {
		return Ok(0);
	}
	let mut blocks: HashSet<Cid> = HashSet::new();
	for (id, record) in &leaving {
		match context.records.blocks(*id)? {
			Blocks::Known(known) => blocks.extend(known),
			Blocks::None => {}
			Blocks::Damaged => match blocks_of_tree(context, record) {
				Some(found) => blocks.extend(found),
				None => {
					warn!(target: TARGET, "shard {id}: neither its list of blocks nor its tree can be read; its blocks stay on disk")
				}
			},
		}
	}
	for (id, record) in &staying {
		if blocks.is_empty() {
			break;
		}
		let known = match context.records.blocks(*id)? {
			Blocks::Known(known) => known,
			Blocks::None => continue,
			Blocks::Damaged => blocks_of_tree(context, record).ok_or(CollectError::Unaccounted(*id))?,
		};
		for block in known {
			blocks.remove(&block);
		}
	}
	for block in &blocks {
		context.store.remove(block)?;
	}
	for (id, _) in &leaving {
		context.records.remove(*id)?;
		info!(target: TARGET, "shard {id} was removed: the chain has moved it away");
	}
	Ok(leaving.len() as u64)
}

/// The blocks that a shard's tree in the store names.
fn blocks_of_tree(context: &Context, record: &ShardRecord) -> Option<Vec<Cid>> {
	blocks_of(
		StoreFetcher(&context.store),
		record.manifest,
		record.root,
		record.bytes,
	)
	.ok()
}
