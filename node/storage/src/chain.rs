//! What the service asks of a chain, and what it does there.
//!
//! The node implements [`Chain`] over its client and its transaction pool. Every question names the block whose state is
//! asked, so that one decision is taken on one state, whatever is imported meanwhile.

use async_trait::async_trait;
use futures::stream::BoxStream;
use opensand_primitives::{
	storage::{
		Challenge, OpenSlot, OrderRecord, ProviderRecord, ShardIndex, ShardView, StorageTerms, WindowIndex,
	},
	AccountId, BlockNumber, Hash, OrderId,
};
use thiserror::Error;

/// A block that is the best one at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BestBlock {
	/// Its number.
	pub number: BlockNumber,
	/// Its hash.
	pub hash: Hash,
}

/// A shard among all shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId {
	/// Its order.
	pub order: OrderId,
	/// Its place in the order.
	pub shard: ShardIndex,
}

impl ShardId {
	/// The place after it in the order of lists.
	pub(crate) fn next(self) -> Self {
		match self.shard.checked_add(1) {
			Some(shard) => Self { shard, ..self },
			None => Self {
				order: self.order.saturating_add(1),
				shard: 0,
			},
		}
	}
}

impl std::fmt::Display for ShardId {
	fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(formatter, "{}-{}", self.order, self.shard)
	}
}

/// A call of the storage pallet that the provider's agent signs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StorageCall {
	/// Take an open slot.
	Accept(ShardId),
	/// Show the leaves that an acceptance or a repair owes.
	FirstProof {
		/// The shard.
		shard: ShardId,
		/// The SCALE encoding of the proof.
		proof: Vec<u8>,
	},
	/// Show the leaves of a window.
	SubmitPossession {
		/// The window.
		window: WindowIndex,
		/// The SCALE encoding of the proof.
		proof: Vec<u8>,
	},
	/// Have an order's providers paid for the windows that they have proven.
	Settle(OrderId),
	/// End an order that has expired, or that did not become active in time: it frees its providers' collateral.
	Close(OrderId),
	/// Give a shard up.
	DeclareLost(ShardId),
	/// Have somebody else take a shard over, at the provider's cost.
	HandOver(ShardId),
	/// Open the auction of a jailed provider's shard, or of one whose repairer is overdue.
	OpenRepair(ShardId),
	/// Have an order found lost, of which this shard's auction has found nobody in time: its owner is compensated.
	FindLost(ShardId),
	/// Take a shard's repair.
	TakeRepair(ShardId),
}

/// The chain could not be asked. The service asks again at the next block.
#[derive(Clone, Debug, Error)]
#[error("the chain does not answer ({0}); it is asked again at the next block")]
pub struct ChainError(pub String);

/// Why a call was not taken.
#[derive(Clone, Debug, Error)]
pub enum SubmitError {
	/// It is invalid in the present state: the state is looked at again before it is sent again.
	#[error("the transaction pool refuses the call: {0}")]
	Invalid(String),
	/// The node cannot send now: insert the agent's key (type `stor`), give the agent funds for fees, or wait until the
	/// node is in sync.
	#[error("the node cannot send the call: {0}; check the agent's key and its funds for fees")]
	Unavailable(String),
}

/// What the service asks of the chain.
#[async_trait]
pub trait Chain: Send + Sync + 'static {
	/// The best blocks from now on, the present one first. None while the node is syncing: what it sees then is old.
	fn best_blocks(&self) -> BoxStream<'static, BestBlock>;

	/// The account of the agent key that this node has; `None` if the keystore has none of type `stor`.
	fn agent(&self) -> Option<AccountId>;

	/// The provider whose agent this node has the key of; `None` while none is registered.
	async fn provider(&self, at: Hash) -> Result<Option<AccountId>, ChainError>;

	/// The market's parameters.
	async fn storage_terms(&self, at: Hash) -> Result<StorageTerms, ChainError>;

	/// What is recorded of a provider.
	async fn storage_provider(
		&self,
		at: Hash,
		provider: &AccountId,
	) -> Result<Option<ProviderRecord>, ChainError>;

	/// An order.
	async fn order(&self, at: Hash, order: OrderId) -> Result<Option<OrderRecord>, ChainError>;

	/// The shards of an order, by index.
	async fn shards(&self, at: Hash, order: OrderId) -> Result<Vec<ShardView>, ChainError>;

	/// The segment roots of a shard.
	async fn segment_roots(&self, at: Hash, shard: ShardId) -> Result<Vec<[u8; 32]>, ChainError>;

	/// Slots that `provider` could take, of orders from `from` on, at most `limit` of them.
	async fn open_slots(
		&self,
		at: Hash,
		provider: &AccountId,
		from: OrderId,
		limit: u32,
	) -> Result<Vec<OpenSlot>, ChainError>;

	/// The shards that a provider has accepted, repairs or holds, from `from` on, at most `limit` of them.
	async fn shards_of(
		&self,
		at: Hash,
		provider: &AccountId,
		from: ShardId,
		limit: u32,
	) -> Result<Vec<ShardView>, ChainError>;

	/// What a provider has to prove in the current window.
	async fn challenge(&self, at: Hash, provider: &AccountId) -> Result<Option<Challenge>, ChainError>;

	/// What the first proof of an accepted or repaired shard has to show.
	async fn first_challenge(&self, at: Hash, shard: ShardId) -> Result<Option<Challenge>, ChainError>;

	/// Signs a call with the agent's key and hands it to the transaction pool. Returns when the pool has it, not when it
	/// has shown effect.
	async fn submit(&self, call: StorageCall) -> Result<(), SubmitError>;
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn lists_go_on_after_the_last_shard() {
		let id = |order, shard| ShardId { order, shard };
		assert_eq!(id(1, 2).next(), id(1, 3));
		assert_eq!(id(1, 255).next(), id(2, 0));
		assert_eq!(id(u64::MAX, 255).next(), id(u64::MAX, 0));
	}
}
