//! Types that only this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{traits::ConstU32, BoundedVec};
use opensand_primitives::{
	market::{Listing, Purchase},
	storage::{OrderRecord, ProviderRecord, ProviderStatus, ShardIndex, ShardStatus, WindowIndex},
	AccountId, Balance, BlockNumber, OrderId,
};
use opensand_storage_proof::{Hasher, PossessionError};
use scale_info::TypeInfo;

/// The longest encoded possession proof.
pub const MAX_PROOF_BYTES: u32 = 32_768;
/// Changes of a provider's tree that may wait for its answer; with more waiting it gets no new shards. As many are
/// applied when it answers.
pub const MAX_WAITING: u64 = 32;
/// Entries of a node of a provider's tree.
pub const FAN_OUT: u32 = 64;
/// The most shards that a provider's tree holds: one level of entries below three of sums.
pub const MAX_TREE_SHARDS: u32 = FAN_OUT * FAN_OUT * FAN_OUT * FAN_OUT;
/// Windows whose outcome one entry of a provider's history tells.
pub const HISTORY_WINDOWS: u32 = 256;
/// Entries of a provider's history that are kept: 16,384 windows, nearly two years of hours.
pub const HISTORY_LENGTH: u32 = 64;
/// Bytes in which collateral and pay are reckoned.
pub const MIB: u64 = 1 << 20;

/// An encoded possession proof.
pub type ProofBytes = BoundedVec<u8, ConstU32<MAX_PROOF_BYTES>>;
/// A sealed file key.
pub type SealedKey = opensand_primitives::storage::SealedKeyBytes;

/// BLAKE2-256 by the runtime's host function.
pub struct HostHasher;

impl Hasher for HostHasher {
	fn hash(input: &[u8]) -> [u8; 32] {
		sp_io::hashing::blake2_256(input)
	}
}

/// An id as a storage key: big-endian, so that keys are sorted as ids are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct IdKey([u8; 8]);

impl IdKey {
	/// The key of an order, a listing or a purchase.
	pub fn new(id: u64) -> Self {
		Self(id.to_be_bytes())
	}

	/// Whose key it is.
	pub fn id(self) -> u64 {
		u64::from_be_bytes(self.0)
	}
}

/// An order's id as a storage key.
pub type OrderKey = IdKey;

/// A shard as a storage key: sorted by order, then by index.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct ShardKey(OrderKey, ShardIndex);

impl ShardKey {
	/// The key of a shard.
	pub fn new(order: OrderId, shard: ShardIndex) -> Self {
		Self(OrderKey::new(order), shard)
	}

	/// The shard's order and index.
	pub fn shard(self) -> (OrderId, ShardIndex) {
		(self.0.id(), self.1)
	}
}

/// An order with what only the pallet needs to know of it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Order {
	/// What others may know.
	pub record: OrderRecord,
	/// Held from the owner beside the escrow; its providers get it in equal parts at the next settlement.
	pub tip: Balance,
	/// Held from the owner for the order's room in the state.
	pub deposit: Balance,
	/// Shards that are active.
	pub active: u8,
}

/// A shard with what only the pallet needs to know of it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Shard {
	/// Where it stands.
	pub status: ShardStatus,
	/// Collateral that its provider has reserved for it; zero without provider.
	pub reserve: Balance,
	/// The first window that its provider has not been paid for.
	pub paid_to: WindowIndex,
	/// While it is repaired, the block in which its auction was opened.
	pub opened_at: BlockNumber,
	/// Leaves that its first proof has to show.
	pub samples: u32,
	/// The provider that lost it last, which may not be paid for repairing it.
	pub lost_by: Option<AccountId>,
}

impl Shard {
	/// A shard that nobody has yet.
	pub fn open() -> Self {
		Self {
			status: ShardStatus::Open,
			reserve: 0,
			paid_to: 0,
			opened_at: 0,
			samples: 0,
			lost_by: None,
		}
	}

	/// What the pallet's account keeps for its repair.
	pub fn pot(&self) -> Balance {
		match self.status {
			ShardStatus::Repair { pot, .. } | ShardStatus::Repairing { pot, .. } => pot,
			ShardStatus::Open | ShardStatus::Accepted { .. } | ShardStatus::Active { .. } => 0,
		}
	}

	/// The block whose hash draws the first proof's leaves and the last block for that proof, if one is owed.
	pub fn first_proof_blocks(&self) -> Option<(BlockNumber, BlockNumber)> {
		match self.status {
			ShardStatus::Accepted {
				drawn_at, deadline, ..
			}
			| ShardStatus::Repairing {
				drawn_at, deadline, ..
			} => Some((drawn_at, deadline)),
			ShardStatus::Open | ShardStatus::Active { .. } | ShardStatus::Repair { .. } => None,
		}
	}
}

/// A provider with what only the pallet needs to know of it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Provider {
	/// What others may know.
	pub record: ProviderRecord,
	/// Its place in the order in which providers are judged.
	pub place: u32,
	/// The last window whose outcome has been judged.
	pub judged: WindowIndex,
	/// The last window that it answered, well or badly.
	pub answered: Option<WindowIndex>,
	/// The last window in which a shard left while an answer was owed, so that an answer under way asks too much.
	pub disturbed: Option<WindowIndex>,
	/// The tree over its shards.
	pub tree: TreeState,
	/// Changes of the tree that wait for its answer.
	pub waiting: QueueRange,
	/// Windows that it has proven in all.
	pub proofs: u32,
	/// When it was told to drain.
	pub draining_since: Option<BlockNumber>,
}

impl Provider {
	/// Whether it failed too often.
	pub fn is_jailed(&self) -> bool {
		matches!(self.record.status, ProviderStatus::Jailed { .. })
	}

	/// Whether `window` asks it for a proof that it has not given.
	///
	/// A window asks only for what was in the tree before its seed was drawn, so one in which the tree changed asks for
	/// nothing: the change came when nothing was owed any more.
	pub fn owes(&self, window: WindowIndex) -> bool {
		!self.is_jailed()
			&& self.tree.leaves > 0
			&& self.tree.changed < window
			&& self.answered != Some(window)
	}

	/// What counts towards the market's utilisation: those who take shards.
	pub fn supply(&self) -> Supply {
		match self.record.status {
			ProviderStatus::Active => Supply {
				quota: self.record.terms.quota.into(),
				committed: self.record.committed.into(),
			},
			ProviderStatus::Draining | ProviderStatus::Jailed { .. } => Supply::default(),
		}
	}
}

/// Size of a provider's tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct TreeState {
	/// Shards in it.
	pub shards: u32,
	/// Leaves of these shards.
	pub leaves: u64,
	/// The last window in which it changed.
	pub changed: WindowIndex,
}

/// A shard in a provider's tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct TreeEntry {
	/// Its order.
	pub order: OrderId,
	/// Its index.
	pub shard: ShardIndex,
	/// Its leaves, at least one.
	pub leaves: u32,
}

/// A change of a provider's tree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub enum TreeChange {
	/// The provider has proven a shard for the first time.
	Add(TreeEntry),
	/// It does not hold its shard of an order any more.
	Remove(OrderId),
}

/// The part of a queue that is in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct QueueRange {
	/// Position of the oldest entry.
	pub first: u64,
	/// Position of the next entry to come.
	pub next: u64,
}

impl QueueRange {
	/// Entries in the queue.
	pub fn len(&self) -> u64 {
		self.next.saturating_sub(self.first)
	}

	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}
}

/// Which windows out of [`HISTORY_WINDOWS`] a provider has proven.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct HistoryEntry {
	/// Windows that it had proven before.
	pub before: u32,
	/// A bit for each window, the first lowest.
	pub bits: [u128; 2],
}

/// The seed of a window, and how much it asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct WindowSeed {
	/// The window.
	pub window: WindowIndex,
	/// From which each provider's leaves are drawn.
	pub seed: [u8; 32],
	/// Leaves that it asks of each provider.
	pub samples: u32,
}

/// Bytes offered and taken, over the providers that take shards.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct Supply {
	/// Bytes offered.
	pub quota: u128,
	/// Bytes taken.
	pub committed: u128,
}

/// Access that was given, and who paid for its room.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct GrantEntry {
	/// What others may know.
	pub grant: opensand_primitives::storage::Grant,
	/// Who gave it.
	pub by: AccountId,
	/// Held from that account.
	pub deposit: Balance,
}

/// A listing, and what its room costs.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct ListingEntry {
	/// What others may know.
	pub listing: Listing,
	/// Held from the seller.
	pub deposit: Balance,
}

/// A purchase with what is held for it besides the price.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, MaxEncodedLen)]
pub struct PurchaseEntry {
	/// What others may know.
	pub purchase: Purchase,
	/// Held from the buyer for its room, and for that of the licence.
	pub deposit: Balance,
	/// Held from the seller since it delivered.
	pub bond: Balance,
}

/// What a provider failed to do.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Fault {
	/// No answer came in the window.
	Missed,
	/// The answer did not show what was asked for.
	WrongProof(PossessionError),
}

/// Why a slot lost the provider that was to give a first proof.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum LapseReason {
	/// No first proof came in time.
	Late,
	/// The first proof did not show what was asked for.
	WrongProof(PossessionError),
	/// The provider was jailed meanwhile.
	Jailed,
	/// The chain has forgotten the hash that would have drawn the leaves. The provider loses nothing.
	DrawForgotten,
}
