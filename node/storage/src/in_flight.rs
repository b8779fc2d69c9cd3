//! Calls that were sent and have not shown their effect yet.
//!
//! What to do is derived from the chain's state at every best block, so the same need is found again until its call is
//! included. This book keeps it from being sent with every block, and lets it be sent again if it got lost.

use std::collections::HashMap;

use opensand_primitives::{storage::WindowIndex, BlockNumber, OrderId};

use crate::chain::{ShardId, StorageCall};

/// Blocks after which a call that shows no effect is sent again.
pub const PATIENCE_BLOCKS: BlockNumber = 5;
/// How often the patience doubles at most.
const DOUBLINGS: u32 = 4;
/// Blocks after which a call that nobody asks for any more is forgotten.
const MEMORY_BLOCKS: BlockNumber = 1024;

/// What a call is to bring about. Two calls of one purpose are not sent at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
	/// Take a slot.
	Accept(ShardId),
	/// Give a first proof whose leaves are drawn after this block.
	FirstProof(ShardId, BlockNumber),
	/// Prove a window.
	Possession(WindowIndex),
	/// Settle an order.
	Settle(OrderId),
	/// End an order.
	Close(OrderId),
	/// Give a shard up.
	DeclareLost(ShardId),
	/// Hand a shard over.
	HandOver(ShardId),
	/// Open an auction.
	OpenRepair(ShardId),
	/// Have an order found lost.
	FindLost(OrderId),
	/// Take an auction.
	TakeRepair(ShardId),
}

impl Purpose {
	/// The purpose of a call; `drawn_at` is used by first proofs.
	pub fn of(call: &StorageCall, drawn_at: BlockNumber) -> Self {
		match call {
			StorageCall::Accept(shard) => Self::Accept(*shard),
			StorageCall::FirstProof { shard, .. } => Self::FirstProof(*shard, drawn_at),
			StorageCall::SubmitPossession { window, .. } => Self::Possession(*window),
			StorageCall::Settle(order) => Self::Settle(*order),
			StorageCall::Close(order) => Self::Close(*order),
			StorageCall::DeclareLost(shard) => Self::DeclareLost(*shard),
			StorageCall::HandOver(shard) => Self::HandOver(*shard),
			StorageCall::OpenRepair(shard) => Self::OpenRepair(*shard),
			StorageCall::FindLost(shard) => Self::FindLost(shard.order),
			StorageCall::TakeRepair(shard) => Self::TakeRepair(*shard),
		}
	}
}

/// When a call was sent, and when it may be sent again.
#[derive(Clone, Copy, Debug)]
struct Sent {
	at: BlockNumber,
	again_at: BlockNumber,
	attempts: u32,
}

/// See the module's description.
#[derive(Debug, Default)]
pub struct InFlight {
	calls: HashMap<Purpose, Sent>,
}

impl InFlight {
	/// Whether a call of this purpose may be sent at block `now`.
	pub fn may_send(&self, purpose: &Purpose, now: BlockNumber) -> bool {
		self.calls.get(purpose).is_none_or(|sent| {
			// A best block far below that of the call means another fork: what was sent there does not count.
			now >= sent.again_at || now.saturating_add(PATIENCE_BLOCKS) < sent.at
		})
	}

	/// Whether a call of this purpose is out and may still show its effect.
	pub fn is_waiting(&self, purpose: &Purpose, now: BlockNumber) -> bool {
		self.calls.contains_key(purpose) && !self.may_send(purpose, now)
	}

	/// A call was sent, or refused, at block `now`: there is no other before `patience` blocks, twice as many after the
	/// next attempt, and so on.
	pub fn sent(&mut self, purpose: Purpose, now: BlockNumber, patience: BlockNumber) {
		let sent = self.calls.entry(purpose).or_insert(Sent {
			at: now,
			again_at: now,
			attempts: 0,
		});
		sent.at = now;
		sent.again_at = now.saturating_add(patience.max(1) << sent.attempts.min(DOUBLINGS));
		sent.attempts = sent.attempts.saturating_add(1);
	}

	/// The effect has shown, or is not wanted any more.
	pub fn forget(&mut self, purpose: &Purpose) {
		self.calls.remove(purpose);
	}

	/// Forgets calls that nobody has asked for in a long time.
	pub fn prune(&mut self, now: BlockNumber) {
		self.calls
			.retain(|_, sent| sent.again_at.saturating_add(MEMORY_BLOCKS) >= now);
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_call_is_sent_again_after_growing_pauses() {
		let mut calls = InFlight::default();
		let purpose = Purpose::Settle(3);
		assert!(calls.may_send(&purpose, 10));
		assert!(!calls.is_waiting(&purpose, 10));
		calls.sent(purpose, 10, 5);
		assert!(!calls.may_send(&purpose, 14));
		assert!(calls.is_waiting(&purpose, 14));
		assert!(calls.may_send(&purpose, 15));
		calls.sent(purpose, 15, 5);
		assert!(!calls.may_send(&purpose, 24));
		assert!(calls.may_send(&purpose, 25));
		for _ in 0..100 {
			calls.sent(purpose, 100, 5);
		}
		assert!(
			calls.may_send(&purpose, 100 + (5 << DOUBLINGS)),
			"the pauses are bounded"
		);
		assert!(calls.may_send(&Purpose::Settle(4), 10), "another purpose is free");
	}

	#[test]
	fn another_fork_starts_over_and_memory_ends() {
		let mut calls = InFlight::default();
		let purpose = Purpose::Possession(7);
		calls.sent(purpose, 100, 5);
		assert!(!calls.may_send(&purpose, 99), "a fork of the same height");
		assert!(calls.may_send(&purpose, 50), "a fork far below");
		calls.prune(200);
		assert_eq!(calls.calls.len(), 1);
		calls.prune(100 + PATIENCE_BLOCKS + MEMORY_BLOCKS + 1);
		assert!(calls.calls.is_empty());
		calls.sent(purpose, u32::MAX, u32::MAX / 4);
		calls.forget(&purpose);
		assert!(calls.may_send(&purpose, 0));
	}
}
