//! Whether an order can be restored from what is held of it, and what has to be called if not.
//!
//! The chain acts on no order by itself: somebody has to call that a jailed provider's shard is opened for repair, that a
//! repairer which is overdue loses its claim, and that an order which nobody repaired in time is lost, so that its owner is
//! compensated. Providers do it for the orders that they meet.

use std::collections::HashSet;

use opensand_primitives::{
	storage::{ShardStatus, ShardView},
	AccountId, BlockNumber,
};

use crate::chain::{ShardId, StorageCall};

/// Shards that the chain counts as held: by providers out of jail, or still to be proven by them.
pub(crate) fn live_shards(shards: &[ShardView], jailed: &HashSet<AccountId>, now: BlockNumber) -> usize {
	shards
		.iter()
		.filter(|shard| !is_overdue(&shard.status, now))
		.filter_map(|shard| shard.status.provider())
		.filter(|provider| !jailed.contains(*provider))
		.count()
}

/// What `own` can call for an active order of which `needed` shards suffice. Of its own shards, others see to.
pub(crate) fn calls(
	shards: &[ShardView],
	jailed: &HashSet<AccountId>,
	own: &AccountId,
	needed: usize,
	now: BlockNumber,
	repair_blocks: BlockNumber,
) -> Vec<StorageCall> {
	let is_restorable = live_shards(shards, jailed, now) >= needed;
	let id = |shard: &ShardView| ShardId {
		order: shard.order,
		shard: shard.index,
	};
	let mut calls: Vec<StorageCall> = shards
		.iter()
		.filter(|shard| match &shard.status {
			ShardStatus::Active { provider, .. } => provider != own && jailed.contains(provider),
			// As long as enough are held, whoever takes the repair next sees to it.
			ShardStatus::Repairing { provider, .. } => {
				!is_restorable
					&& provider != own
					&& (jailed.contains(provider) || is_overdue(&shard.status, now))
			}
			_ => false,
		})
		.map(|shard| StorageCall::OpenRepair(id(shard)))
		.collect();
	let expired = shards.iter().find(|shard| {
		matches!(shard.status, ShardStatus::Repair { opened_at, .. }
			if now > opened_at.saturating_add(repair_blocks))
	});
	if let (false, Some(shard)) = (is_restorable, expired) {
		calls.push(StorageCall::FindLost(id(shard)));
	}
	calls
}

/// Whether a first proof is late.
fn is_overdue(status: &ShardStatus, now: BlockNumber) -> bool {
	match status {
		ShardStatus::Accepted { deadline, .. } | ShardStatus::Repairing { deadline, .. } => *deadline < now,
		_ => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const REPAIR_BLOCKS: BlockNumber = 10;

	fn account(byte: u8) -> AccountId {
		AccountId::new([byte; 32])
	}

	fn active(byte: u8) -> ShardStatus {
		ShardStatus::Active {
			provider: account(byte),
			since: 1,
		}
	}

	fn repair(opened_at: BlockNumber) -> ShardStatus {
		ShardStatus::Repair { opened_at, pot: 5 }
	}

	fn repairing(byte: u8, deadline: BlockNumber) -> ShardStatus {
		ShardStatus::Repairing {
			provider: account(byte),
			reward: 5,
			drawn_at: 1,
			deadline,
			pot: 5,
		}
	}

	fn order(statuses: impl IntoIterator<Item = ShardStatus>) -> Vec<ShardView> {
		(0..)
			.zip(statuses)
			.map(|(index, status)| ShardView {
				order: 7,
				index,
				cid: [0; 32],
				status,
			})
			.collect()
	}

	fn jailed(bytes: &[u8]) -> HashSet<AccountId> {
		bytes.iter().copied().map(account).collect()
	}

	/// What provider 1 calls at block 100 for an order of which two shards suffice.
	fn called(statuses: impl IntoIterator<Item = ShardStatus>, in_jail: &[u8]) -> Vec<StorageCall> {
		calls(
			&order(statuses),
			&jailed(in_jail),
			&account(1),
			2,
			100,
			REPAIR_BLOCKS,
		)
	}

	fn open(shard: u8) -> StorageCall {
		StorageCall::OpenRepair(ShardId { order: 7, shard })
	}

	fn lost(shard: u8) -> StorageCall {
		StorageCall::FindLost(ShardId { order: 7, shard })
	}

	#[test]
	fn shards_of_the_jailed_are_opened_by_others() {
		assert_eq!(called([active(1), active(2), active(3)], &[]), []);
		assert_eq!(called([active(1), active(2), active(3)], &[3]), [open(2)]);
		assert_eq!(called([active(1), active(2), active(3)], &[1]), []);
	}

	#[test]
	fn an_order_is_lost_when_its_repairs_were_open_for_long_and_too_few_are_held() {
		let opened_long_ago = || repair(100 - REPAIR_BLOCKS - 1);
		assert_eq!(
			called([active(1), opened_long_ago(), opened_long_ago()], &[]),
			[lost(1)]
		);
		assert_eq!(
			called([active(1), repair(100 - REPAIR_BLOCKS), repair(99)], &[]),
			[],
			"somebody may still repair it"
		);
		assert_eq!(
			called([active(1), active(2), opened_long_ago()], &[]),
			[],
			"it can be restored"
		);
		assert_eq!(
			called([active(1), active(2), opened_long_ago()], &[2]),
			[open(1), lost(2)],
			"what a jailed provider has does not count"
		);
	}

	#[test]
	fn who_repairs_in_time_keeps_an_order_alive() {
		let opened_long_ago = repair(1);
		let in_time = [active(1), repairing(2, 100), opened_long_ago.clone()];
		assert_eq!(live_shards(&order(in_time.clone()), &jailed(&[]), 100), 2);
		assert_eq!(called(in_time, &[]), []);
		let late = [active(1), repairing(2, 99), opened_long_ago];
		assert_eq!(live_shards(&order(late.clone()), &jailed(&[]), 100), 1);
		assert_eq!(called(late, &[]), [open(1), lost(2)]);
		assert_eq!(
			called([active(1), active(3), repairing(2, 99)], &[]),
			[],
			"the next repairer sees to it"
		);
	}
}
