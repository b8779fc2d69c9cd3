//! Storage orders (DSM): what the chain records of providers, orders, shards and access, and what others may ask.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};

use crate::{market::RefundReason, AccountId, Balance, BlockNumber, ListingId, OrderId, PurchaseId};

/// Index of a shard within its order, from 0.
pub type ShardIndex = u8;
/// Number of a possession window, counted from the first block of the chain.
pub type WindowIndex = u32;

/// The most shards that an order has: the largest code is 29 of 80.
pub const MAX_SHARDS: u32 = 80;
/// The most segments that a shard has. A segment has at most 8 MiB, so a shard has at most 1 GiB.
pub const MAX_SEGMENTS: u32 = 128;
/// The most regions that an order allows or a provider declares.
pub const MAX_REGIONS: u32 = 8;
/// The longest network address of a provider, in bytes of its text.
pub const MAX_ADDRESS_BYTES: u32 = 128;
/// The most network addresses of a provider.
pub const MAX_ADDRESSES: u32 = 4;
/// The longest file key sealed to a grantee, in bytes.
pub const MAX_SEALED_KEY_BYTES: u32 = 128;
/// The most leaves that one window asks of a provider: as many as one proof answers.
pub use opensand_storage_proof::MAX_SAMPLES;

/// The key of a provider's agent: an account that bids, proves and repairs for it, and pays its fees.
pub mod agent_key {
	mod app {
		use sp_application_crypto::{app_crypto, sr25519};
		use sp_core::crypto::KeyTypeId;
		app_crypto!(sr25519, KeyTypeId(*b"stor"));
	}

	/// Keystore type of agent keys.
	pub const KEY_TYPE: sp_core::crypto::KeyTypeId = sp_core::crypto::KeyTypeId(*b"stor");

	sp_application_crypto::with_pair! {
		/// An agent's key pair.
		pub type Pair = app::Pair;
	}
	/// An agent's public key.
	pub type Public = app::Public;
	/// An agent's signature.
	pub type Signature = app::Signature;
}

/// A region tag: lower-case ASCII letters, digits and `-`, padded with zeroes, for example `eu-west`.
///
/// Providers declare their regions and governance can strike false ones; the chain cannot measure where a disk stands.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	TypeInfo,
	MaxEncodedLen,
)]
pub struct Region(pub [u8; 8]);

impl Region {
	/// The tag that `text` names; `None` unless it has 1 to 8 of the allowed characters.
	pub fn new(text: &str) -> Option<Self> {
		let bytes = text.as_bytes();
		let mut tag = [0; 8];
		tag.get_mut(..bytes.len())?.copy_from_slice(bytes);
		let region = Self(tag);
		region.is_valid().then_some(region)
	}

	/// Whether it is a tag that [`Self::new`] makes.
	pub fn is_valid(&self) -> bool {
		let length = self.0.iter().position(|byte| *byte == 0).unwrap_or(self.0.len());
		let (text, padding) = self.0.split_at(length);
		!text.is_empty()
			&& text
				.iter()
				.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-')
			&& padding.iter().all(|byte| *byte == 0)
	}
}

/// A Reed–Solomon code: any `data` of `total` shards restore the file.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct ErasureCode {
	/// Shards that suffice (k).
	pub data: u8,
	/// Shards in all (n).
	pub total: u8,
}

impl ErasureCode {
	/// 10 of 16: what orders use unless told otherwise.
	pub const DEFAULT: Self = Self { data: 10, total: 16 };

	/// Whether 1 ≤ k < n ≤ [`MAX_SHARDS`].
	pub fn is_valid(&self) -> bool {
		self.data >= 1 && self.data < self.total && u32::from(self.total) <= MAX_SHARDS
	}
}

/// Who may be given a dataset's key.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum Visibility {
	/// Those whom the owner grants access.
	Private,
	/// Those who hold a licence, that is a grant that was sold or given.
	Licensed,
	/// Everybody: the file key stands on chain.
	Public,
}

/// What an owner asks for when it places an order.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct OrderTerms {
	/// SHA2-256 digest of the manifest: its CID is CIDv1, codec `raw`, this digest.
	pub manifest: [u8; 32],
	/// The code. Each shard goes to another provider.
	pub code: ErasureCode,
	/// Bytes of each shard, all alike: a multiple of 256.
	pub shard_bytes: u64,
	/// What a provider is paid for each proven window, per MiB or part of one.
	pub price: Balance,
	/// Windows that are paid for, counted from the window after the one in which the order becomes active.
	pub windows: WindowIndex,
	/// Where shards may be; empty: anywhere.
	pub regions: BoundedVec<Region, ConstU32<MAX_REGIONS>>,
	/// Who may be given the key.
	pub visibility: Visibility,
	/// Whether models may be trained on it by those who have access.
	pub training: bool,
	/// Commitment to the file key, as `opensand-slices` computes it.
	pub key_commitment: [u8; 32],
}

/// The commitments to one shard, in the order of its segments.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ShardCommitment {
	/// SHA2-256 digest of the shard's root block: its CID is CIDv1, codec `dag-pb`, this digest.
	pub cid: [u8; 32],
	/// A root for each segment (`opensand-storage-proof`).
	pub segments: BoundedVec<[u8; 32], ConstU32<MAX_SEGMENTS>>,
}

/// Where an order stands.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum OrderStatus {
	/// Slots are being filled; if not all are active at the deadline, the order can be closed and is refunded.
	Placing {
		/// The last block in which shards can become active.
		deadline: BlockNumber,
	},
	/// All shards were active at once. Storage is paid in the windows from `start` up to, but without, `end`.
	Active {
		/// First paid window.
		start: WindowIndex,
		/// First window that is not paid any more.
		end: WindowIndex,
	},
	/// More shards are lost than the code bears. The owner is compensated.
	Lost,
}

/// An order as it is recorded.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct OrderRecord {
	/// Who pays, grants access, and is compensated.
	pub owner: AccountId,
	/// What was asked for; `windows` grows by renewal.
	pub terms: OrderTerms,
	/// Held from the owner for the windows to come.
	pub escrow: Balance,
	/// Where it stands.
	pub status: OrderStatus,
	/// The block in which it was placed.
	pub placed_at: BlockNumber,
	/// The dataset that this one replaces under a new key, if any.
	pub supersedes: Option<OrderId>,
}

/// Where a shard stands.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum ShardStatus {
	/// No provider has it yet.
	Open,
	/// A provider fetches it and owes the first proof.
	Accepted {
		/// The provider.
		provider: AccountId,
		/// The block whose hash, once known, draws the first proof's leaves.
		drawn_at: BlockNumber,
		/// The last block in which the first proof is taken.
		deadline: BlockNumber,
	},
	/// Held and proven.
	Active {
		/// The provider.
		provider: AccountId,
		/// First window in which the provider is paid for it.
		since: WindowIndex,
	},
	/// Its provider lost it. Whoever rebuilds it is paid the reward, which rises from block to block.
	Repair {
		/// The first block of the auction.
		opened_at: BlockNumber,
		/// What the whole auction can pay: slashed collateral.
		pot: Balance,
	},
	/// A repairer has taken the auction, rebuilds the shard and owes the first proof.
	Repairing {
		/// The repairer.
		provider: AccountId,
		/// What it will be paid.
		reward: Balance,
		/// As for an accepted shard.
		drawn_at: BlockNumber,
		/// As for an accepted shard.
		deadline: BlockNumber,
		/// Slashed collateral still in the pot, the reward included.
		pot: Balance,
	},
}

impl ShardStatus {
	/// The provider that holds it or owes its first proof.
	pub fn provider(&self) -> Option<&AccountId> {
		match self {
			Self::Open | Self::Repair { .. } => None,
			Self::Accepted { provider, .. }
			| Self::Active { provider, .. }
			| Self::Repairing { provider, .. } => Some(provider),
		}
	}
}

/// A shard, as it is told to those who ask.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct ShardView {
	/// Its order.
	pub order: OrderId,
	/// Its place in the order.
	pub index: ShardIndex,
	/// SHA2-256 digest of its root block.
	pub cid: [u8; 32],
	/// Where it stands.
	pub status: ShardStatus,
}

/// Whether a provider takes shards.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum ProviderStatus {
	/// It takes shards while quota and collateral last.
	Active,
	/// It takes nothing new, goes on proving what it holds, and leaves when that has moved or expired.
	Draining,
	/// It failed too often: it takes nothing, earns nothing, and what it held is repaired by others.
	Jailed {
		/// First block in which it may come back.
		until: BlockNumber,
	},
}

/// A network address, as text of a multiaddress without the peer's id.
pub type AddressBytes = BoundedVec<u8, ConstU32<MAX_ADDRESS_BYTES>>;

/// What a provider says of itself.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ProviderTerms {
	/// The account of its agent: the sr25519 key of [`agent_key`].
	pub agent: AccountId,
	/// Its Ed25519 peer key: the peer id is the identity multihash of this key's protobuf form.
	pub peer: [u8; 32],
	/// Where it can be reached.
	pub addresses: BoundedVec<AddressBytes, ConstU32<MAX_ADDRESSES>>,
	/// Where its disks are.
	pub regions: BoundedVec<Region, ConstU32<MAX_REGIONS>>,
	/// Bytes that it is willing to hold.
	pub quota: u64,
}

/// What the chain records of a provider.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ProviderRecord {
	/// What it says of itself.
	pub terms: ProviderTerms,
	/// Held under `Collateral`.
	pub collateral: Balance,
	/// The part of the collateral that shards have reserved.
	pub reserved: Balance,
	/// Bytes of the shards that it has accepted or holds.
	pub committed: u64,
	/// Whether it takes shards.
	pub status: ProviderStatus,
	/// The last window that it has proven, or in which it registered.
	pub proven: WindowIndex,
	/// Windows missed or answered wrongly in a row.
	pub faults: u32,
}

/// A leaf that a provider has to show.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Sample {
	/// The order.
	pub order: OrderId,
	/// The shard of that order.
	pub shard: ShardIndex,
	/// The segment of that shard.
	pub segment: u32,
	/// The leaf of that segment.
	pub leaf: u32,
}

/// What a provider has to prove now.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct Challenge {
	/// The window, whose number the answer carries.
	pub window: WindowIndex,
	/// The last block in which the answer is taken.
	pub deadline: BlockNumber,
	/// The leaves, in the order in which the proof shows them; a leaf may occur twice.
	pub samples: Vec<Sample>,
}

/// A slot that waits for a provider.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct OpenSlot {
	/// The order.
	pub order: OrderId,
	/// The shard.
	pub shard: ShardIndex,
	/// Bytes of the shard.
	pub bytes: u64,
	/// What the order pays per MiB and window.
	pub price: Balance,
	/// Collateral that taking it reserves.
	pub collateral: Balance,
	/// What taking it pays once it is proven: for a repair what the auction stands at now, else zero.
	pub reward: Balance,
	/// Whether the shard has to be rebuilt from others.
	pub repair: bool,
	/// Where it may be; empty: anywhere.
	pub regions: BoundedVec<Region, ConstU32<MAX_REGIONS>>,
}

/// Parameters of the storage market as they stand.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct StorageTerms {
	/// The current window.
	pub window: WindowIndex,
	/// Blocks of a window.
	pub window_blocks: BlockNumber,
	/// The least price per MiB and window that an order may offer now.
	pub price_floor: Balance,
	/// Collateral per MiB or part of one.
	pub collateral_per_mib: Balance,
	/// Leaves that a window asks of a provider.
	pub samples: u32,
	/// Blocks from an acceptance to the deadline of its first proof.
	pub activation_blocks: BlockNumber,
	/// Blocks from an order to the deadline for all its shards.
	pub placing_blocks: BlockNumber,
	/// Blocks in which a repair's reward rises to the whole pot; after that an order that has too few shards is lost.
	pub repair_blocks: BlockNumber,
}

/// A file key, sealed to an X25519 key.
pub type SealedKeyBytes = BoundedVec<u8, ConstU32<MAX_SEALED_KEY_BYTES>>;

/// Access to a dataset that an account was given, or has bought.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Grant {
	/// The file key, sealed to the grantee's access key; if it was sold, to the key of the purchase.
	pub sealed_key: SealedKeyBytes,
	/// Whether the grantee may train models on the data.
	pub training: bool,
	/// The block of the grant.
	pub granted_at: BlockNumber,
	/// The purchase, if it was sold. The owner cannot withdraw such a grant.
	pub sold: Option<PurchaseId>,
}

/// What was done with a dataset.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum DatasetOperation {
	/// The order was placed.
	Placed,
	/// It was paid for a longer time.
	Renewed {
		/// Windows added.
		windows: WindowIndex,
	},
	/// Its owner ended it.
	Cancelled,
	/// An account was given access.
	Granted {
		/// The account.
		grantee: AccountId,
		/// Whether it may train.
		training: bool,
	},
	/// An account's access was withdrawn. What it has read it keeps: rotate the key to protect what comes.
	Revoked {
		/// The account.
		grantee: AccountId,
	},
	/// Visibility or permission to train changed.
	Changed {
		/// The new visibility.
		visibility: Visibility,
		/// The new permission.
		training: bool,
	},
	/// It was replaced by the same data under a new key.
	Rotated {
		/// The order that replaces it.
		by: OrderId,
	},
	/// Another pallet used it, for example to train a model.
	Used {
		/// By whom.
		by: AccountId,
		/// The purpose, as that pallet encodes it.
		purpose: [u8; 32],
	},
	/// Licences for it were put up for sale.
	Listed {
		/// The listing.
		listing: ListingId,
		/// What a licence costs.
		price: Balance,
		/// Whether the licensee may train.
		training: bool,
		/// Hash of the licence's text.
		terms: [u8; 32],
	},
	/// A listing takes no more purchases.
	Withdrawn {
		/// The listing.
		listing: ListingId,
	},
	/// A licence was paid for, into escrow.
	Bought {
		/// The purchase.
		purchase: PurchaseId,
		/// Who buys.
		buyer: AccountId,
		/// The listing.
		listing: ListingId,
		/// What is held from the buyer.
		price: Balance,
	},
	/// The seller delivered the sealed file key.
	Delivered {
		/// The purchase.
		purchase: PurchaseId,
	},
	/// The seller was paid, and the buyer has its licence.
	Licensed {
		/// The purchase.
		purchase: PurchaseId,
		/// Who has the licence.
		buyer: AccountId,
		/// Whether it may train.
		training: bool,
	},
	/// The buyer has its money back, and no licence.
	Refunded {
		/// The purchase.
		purchase: PurchaseId,
		/// Who bought.
		buyer: AccountId,
		/// Why.
		reason: RefundReason,
	},
	/// The buyer gave its licence up.
	Surrendered {
		/// The purchase.
		purchase: PurchaseId,
		/// Who had it.
		buyer: AccountId,
	},
}

/// An entry of a dataset's record.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct DatasetEvent {
	/// When.
	pub block: BlockNumber,
	/// Who.
	pub by: AccountId,
	/// What.
	pub operation: DatasetOperation,
}

/// What communities and models ask of stored data.
pub trait DataView<AccountId> {
	/// Who owns the dataset; `None` if there is none or it is lost.
	fn owner(order: OrderId) -> Option<AccountId>;

	/// Whether all its shards are held and proven now.
	fn is_available(order: OrderId) -> bool;

	/// Whether `account` may train models on it.
	fn may_train(order: OrderId, account: &AccountId) -> bool;

	/// The digest of its manifest.
	fn manifest(order: OrderId) -> Option<[u8; 32]>;

	/// Puts a use into its record, if it exists.
	fn record_use(order: OrderId, by: &AccountId, purpose: [u8; 32]);
}

/// Sets datasets up for the benchmarks of the pallets that ask for them.
pub trait BenchmarkDatasets {
	/// Stores a dataset that everybody may train on, of an owner that nobody else is: the kind of which it costs most to
	/// find out. No two calls give the same.
	fn benchmark_dataset() -> OrderId;
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_region_has_one_form() {
		assert_eq!(Region::new("eu-west").unwrap().0, *b"eu-west\0");
		for bad in ["", "EU", "a b", "too-long-by-far", "a\0b"] {
			assert_eq!(Region::new(bad), None, "{bad:?}");
		}
		assert!(!Region(*b"a\0b\0\0\0\0\0").is_valid());
	}

	#[test]
	fn codes_have_parity_and_fit() {
		assert!(ErasureCode::DEFAULT.is_valid());
		assert!(ErasureCode { data: 29, total: 80 }.is_valid());
		for (data, total) in [(0, 4), (4, 4), (5, 4), (10, 81)] {
			assert!(!ErasureCode { data, total }.is_valid(), "{data} of {total}");
		}
	}
}
