//! The storage pallet's calls, as this client sends them.

use codec::Encode;
use opensand_primitives::{
	market::PurchaseKey,
	storage::{OrderTerms, ProviderTerms, ShardCommitment, ShardIndex, Visibility, WindowIndex},
	AccountId, Balance, ListingId, OrderId, PurchaseId,
};

/// A call by its name, with its arguments encoded in order.
#[derive(Debug)]
pub struct Call {
	/// Name of the call in the pallet.
	pub name: &'static str,
	/// The encoded arguments.
	pub arguments: Vec<u8>,
}

impl Call {
	fn new(name: &'static str, arguments: impl Encode) -> Self {
		Self {
			name,
			arguments: arguments.encode(),
		}
	}

	/// Becomes a provider.
	pub fn register_provider(terms: &ProviderTerms, collateral: Balance) -> Self {
		Self::new("register_provider", (terms, collateral))
	}

	/// Replaces what a provider says of itself.
	pub fn update_provider(terms: &ProviderTerms) -> Self {
		Self::new("update_provider", (terms,))
	}

	/// Puts more at stake.
	pub fn add_collateral(amount: Balance) -> Self {
		Self::new("add_collateral", (amount,))
	}

	/// Takes back what no shard needs.
	pub fn withdraw_collateral(amount: Balance) -> Self {
		Self::new("withdraw_collateral", (amount,))
	}

	/// Takes nothing new.
	pub fn drain() -> Self {
		Self::new("drain", ())
	}

	/// Leaves, once nothing is held.
	pub fn exit() -> Self {
		Self::new("exit", ())
	}

	/// Comes back from jail.
	pub fn unjail() -> Self {
		Self::new("unjail", ())
	}

	/// Orders storage for shards that are ready to be fetched.
	pub fn place_order(
		terms: &OrderTerms,
		shards: &[ShardCommitment],
		sealed_key: &[u8],
		supersedes: Option<OrderId>,
		max_escrow: Balance,
	) -> Self {
		Self::new("place_order", (terms, shards, sealed_key, supersedes, max_escrow))
	}

	/// Pays for more windows.
	pub fn renew(order: OrderId, windows: WindowIndex) -> Self {
		Self::new("renew", (order, windows))
	}

	/// Tips the order's providers.
	pub fn top_up(order: OrderId, tip: Balance) -> Self {
		Self::new("top_up", (order, tip))
	}

	/// Ends an order.
	pub fn cancel(order: OrderId) -> Self {
		Self::new("cancel", (order,))
	}

	/// Clears an order that has expired or failed to be placed.
	pub fn close(order: OrderId) -> Self {
		Self::new("close", (order,))
	}

	/// Opens a shard's repair, or has the order found lost by a shard that nobody has repaired.
	pub fn open_repair(order: OrderId, shard: ShardIndex) -> Self {
		Self::new("open_repair", (order, shard))
	}

	/// Publishes the key to which others seal file keys.
	pub fn set_access_key(key: &[u8; 32]) -> Self {
		Self::new("set_access_key", (key,))
	}

	/// Gives access.
	pub fn grant(order: OrderId, grantee: &AccountId, sealed_key: &[u8], training: bool) -> Self {
		Self::new("grant", (order, grantee, sealed_key, training))
	}

	/// Withdraws access.
	pub fn revoke(order: OrderId, grantee: &AccountId) -> Self {
		Self::new("revoke", (order, grantee))
	}

	/// Changes visibility and the permission to train.
	pub fn set_access(order: OrderId, visibility: Visibility, training: bool) -> Self {
		Self::new("set_access", (order, visibility, training))
	}

	/// Offers licences for a dataset.
	pub fn list_dataset(order: OrderId, price: Balance, training: bool, terms: &[u8; 32]) -> Self {
		Self::new("list_dataset", (order, price, training, terms))
	}

	/// Takes no more purchases.
	pub fn withdraw_listing(listing: ListingId) -> Self {
		Self::new("withdraw_listing", (listing,))
	}

	/// Pays for a licence, into escrow.
	pub fn buy(listing: ListingId, max_price: Balance, key: &PurchaseKey) -> Self {
		Self::new("buy", (listing, max_price, key))
	}

	/// Gives the buyer the sealed file key.
	pub fn deliver(purchase: PurchaseId, sealed_key: &[u8]) -> Self {
		Self::new("deliver", (purchase, sealed_key))
	}

	/// Says that the delivery is right: the seller is paid.
	pub fn confirm(purchase: PurchaseId) -> Self {
		Self::new("confirm", (purchase,))
	}

	/// Settles a purchase whose time is over.
	pub fn finish(purchase: PurchaseId) -> Self {
		Self::new("finish", (purchase,))
	}

	/// Proves that a delivery is wrong, by disclosing the secret of the purchase's key.
	pub fn dispute(purchase: PurchaseId, secret: &[u8; 32]) -> Self {
		Self::new("dispute", (purchase, secret))
	}

	/// Gives a licence up.
	pub fn surrender(purchase: PurchaseId) -> Self {
		Self::new("surrender", (purchase,))
	}
}

#[cfg(test)]
mod tests {
	use codec::{DecodeAll, Encode};
	use opensand_primitives::storage::{ErasureCode, MAX_SEALED_KEY_BYTES, MAX_SHARDS};
	use sp_core::{bounded::BoundedVec, ConstU32};

	use super::*;

	/// The pallet decodes bounded vectors where slices are encoded here.
	#[test]
	fn an_order_decodes_as_the_pallet_takes_it() {
		let terms = OrderTerms {
			manifest: [1; 32],
			code: ErasureCode::DEFAULT,
			shard_bytes: 512,
			price: 3,
			windows: 4,
			regions: Default::default(),
			visibility: Visibility::Private,
			training: false,
			key_commitment: [2; 32],
		};
		let shard = ShardCommitment {
			cid: [3; 32],
			segments: vec![[4; 32]].try_into().unwrap(),
		};
		let call = Call::place_order(&terms, std::slice::from_ref(&shard), &[5; 113], Some(9), 1_000);

		type Arguments = (
			OrderTerms,
			BoundedVec<ShardCommitment, ConstU32<MAX_SHARDS>>,
			BoundedVec<u8, ConstU32<MAX_SEALED_KEY_BYTES>>,
			Option<OrderId>,
			Balance,
		);
		let arguments = Arguments::decode_all(&mut &call.arguments[..]).unwrap();
		assert_eq!(arguments.0, terms);
		assert_eq!(arguments.1.into_inner(), [shard]);
		assert_eq!(arguments.2.into_inner(), [5; 113]);
		assert_eq!((arguments.3, arguments.4), (Some(9), 1_000));
	}

	#[test]
	fn calls_without_arguments_are_empty() {
		for call in [Call::drain(), Call::exit(), Call::unjail()] {
			assert!(call.arguments.is_empty(), "{}", call.name);
		}
		assert_eq!(Call::cancel(7).arguments, 7u64.encode());
		assert_eq!(Call::open_repair(7, 3).arguments, (7u64, 3u8).encode());
	}
}
