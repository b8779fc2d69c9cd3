//! Whether an order can be restored from what is held of it, and what has to be called if not.
//!
//! The chain acts on no order by itself: somebody has to call that a jailed provider's shard is opened for repair, that a
//! repairer which is overdue loses its claim, and that an order which nobody repaired in time is lost, so that its owner is
//! compensated. Providers do it for the orders that they meet, and owners can where no provider is left.

use alloc::vec::Vec;

use crate::{
	storage::{ShardIndex, ShardStatus, ShardView},
	AccountId, BlockNumber,
};

/// What anybody can call for an order in distress. To the chain both are `open_repair`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rescue {
	/// The shard is put up for repair: its provider is in jail, or its repairer is late.
	OpenRepair(ShardIndex),
	/// The order is found lost: this shard's repair has been open for too long, and too few others are held.
	FindLost(ShardIndex),
}

/// Shards that the chain counts as held: by providers out of jail, or still to be proven by them.
pub fn live_shards(shards: &[ShardView], is_jailed: impl Fn(&AccountId) -> bool, now: BlockNumber) -> usize {
	shards
		.iter()
		.filter(|shard| !is_overdue(&shard.status, now))
		.filter_map(|shard| shard.status.provider())
		.filter(|provider| !is_jailed(provider))
		.count()
}

/// What can be called at block `now` for an active order of which `needed` shards suffice. `own` is left out: to a
/// provider's own shards others see.
pub fn rescues(
	shards: &[ShardView],
	is_jailed: impl Fn(&AccountId) -> bool,
	own: Option<&AccountId>,
	needed: usize,
	now: BlockNumber,
	repair_blocks: BlockNumber,
) -> Vec<Rescue> {
	let is_restorable = live_shards(shards, &is_jailed, now) >= needed;
	let mut calls: Vec<Rescue> = shards
		.iter()
		.filter(|shard| match &shard.status {
			ShardStatus::Active { provider, .. } => own != Some(provider) && is_jailed(provider),
			// As long as enough are held, whoever takes the repair next sees to it.
			ShardStatus::Repairing { provider, .. } => {
				!is_restorable
					&& own != Some(provider)
					&& (is_jailed(provider) || is_overdue(&shard.status, now))
			}
			_ => false,
		})
		.map(|shard| Rescue::OpenRepair(shard.index))
		.collect();
	let expired = shards.iter().find(|shard| {
		matches!(shard.status, ShardStatus::Repair { opened_at, .. }
			if now > opened_at.saturating_add(repair_blocks))
	});
	if let (false, Some(shard)) = (is_restorable, expired) {
		calls.push(Rescue::FindLost(shard.index));
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
	use super::{
		Rescue::{FindLost as lost, OpenRepair as open},
		*,
	};

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

	fn jailed(bytes: &[u8]) -> impl Fn(&AccountId) -> bool + '_ {
		|provider| bytes.iter().any(|byte| account(*byte) == *provider)
	}

	/// What provider 1 calls at block 100 for an order of which two shards suffice.
	fn called(statuses: impl IntoIterator<Item = ShardStatus>, in_jail: &[u8]) -> Vec<Rescue> {
		rescues(
			&order(statuses),
			jailed(in_jail),
			Some(&account(1)),
			2,
			100,
			REPAIR_BLOCKS,
		)
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
		assert_eq!(live_shards(&order(in_time.clone()), jailed(&[]), 100), 2);
		assert_eq!(called(in_time, &[]), []);
		let late = [active(1), repairing(2, 99), opened_long_ago];
		assert_eq!(live_shards(&order(late.clone()), jailed(&[]), 100), 1);
		assert_eq!(called(late, &[]), [open(1), lost(2)]);
		assert_eq!(
			called([active(1), active(3), repairing(2, 99)], &[]),
			[],
			"the next repairer sees to it"
		);
	}

	#[test]
	fn an_owner_sees_to_all_shards() {
		let all_lost = [active(1), active(2), repair(1)];
		let called = rescues(&order(all_lost), jailed(&[1, 2]), None, 2, 100, REPAIR_BLOCKS);
		assert_eq!(called, [open(0), open(1), lost(2)]);
	}
}
