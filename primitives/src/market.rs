//! The sale of licences for stored datasets: what the chain records of listings and purchases.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

use crate::{storage::SealedKeyBytes, AccountId, Balance, BlockNumber, ListingId, OrderId};

/// An offer to sell licences for a dataset. It never changes: withdraw it and list anew instead.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Listing {
	/// The dataset.
	pub order: OrderId,
	/// Who is paid, and delivers: the order's owner.
	pub seller: AccountId,
	/// What a licence costs, in the smallest unit.
	pub price: Balance,
	/// Whether the licensee may train models on the data.
	pub training: bool,
	/// Hash of the licence's text, opaque to the chain.
	pub terms: [u8; 32],
	/// Whether it takes purchases. A withdrawn one stays until nothing of it is pending.
	pub open: bool,
	/// Purchases that are paid or delivered, and not yet settled.
	pub pending: u32,
	/// Licences sold.
	pub sold: u32,
}

/// The X25519 key that a buyer made for one purchase alone.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct PurchaseKey {
	/// The key to which the seller seals the file key: a Montgomery u-coordinate, little endian.
	pub public: [u8; 32],
	/// What the buyer derives the secret from again, with its account's own. Opaque to the chain.
	pub salt: [u8; 16],
}

/// Where a purchase stands.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum PurchaseStatus {
	/// The price is held from the buyer, and the seller owes the key.
	Paid {
		/// The last block in which a delivery is taken. After it the buyer gets its money back.
		deliver_by: BlockNumber,
	},
	/// The seller delivered. The buyer confirms, disputes, or lets time run out.
	Delivered {
		/// The file key, sealed to the purchase's key.
		sealed_key: SealedKeyBytes,
		/// The last block in which a dispute is taken. After it the seller is paid.
		dispute_by: BlockNumber,
	},
	/// The seller was paid. The licence, with the sealed key, is the buyer's grant.
	Licensed,
}

/// A purchase of a licence. What can change later is copied, so that it is settled by what the buyer agreed to.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct Purchase {
	/// The listing.
	pub listing: ListingId,
	/// The dataset.
	pub order: OrderId,
	/// Who is paid, and delivers.
	pub seller: AccountId,
	/// Who pays, and gets the licence.
	pub buyer: AccountId,
	/// What it costs, in the smallest unit; held from the buyer until it is licensed.
	pub price: Balance,
	/// Whether the licensee may train models on the data.
	pub training: bool,
	/// Hash of the licence's text.
	pub terms: [u8; 32],
	/// SHA2-256 digest of the dataset's manifest, which the sealing is tied to.
	pub manifest: [u8; 32],
	/// Commitment to the file key, with which a delivery is compared.
	pub key_commitment: [u8; 32],
	/// The key to which the file key is sealed.
	pub key: PurchaseKey,
	/// Where it stands.
	pub status: PurchaseStatus,
	/// The block of the purchase.
	pub bought_at: BlockNumber,
}

/// Why a buyer got its money back.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum RefundReason {
	/// The seller delivered nothing in time.
	Undelivered,
	/// The buyer proved that what was delivered is not the file's key.
	WrongDelivery,
	/// The dataset was lost before the purchase was settled.
	DataLost,
}
