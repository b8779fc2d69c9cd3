//! The sale of licences, with real keys: sealed, delivered and opened by `opensand-sealing`.

use frame_support::{assert_ok, BoundedVec};
use opensand_primitives::{
	currency::SAND,
	market::{Listing, Purchase, PurchaseKey, PurchaseStatus},
	storage::{DatasetOperation, OrderStatus, OrderTerms, Visibility},
	AccountId, Balance, ListingId, OrderId, PurchaseId,
};
use opensand_sealing::{commitment, seal_key, Context, EphemeralSecret, SecretKey, FILE_KEY_BYTES};
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use sp_runtime::DispatchResult;

use crate::{mock::*, HoldReason, SealedKey};

mod disputes;
mod listings;
mod purchases;

/// The price of tests' licences.
pub const LICENCE: Balance = 50 * SAND + 7;
/// The hash of their text.
pub const TEXT: [u8; 32] = [6; 32];
/// Buys.
pub const BUYER: AccountId = READER;

/// The key of the dataset that is sold.
pub fn file_key() -> [u8; FILE_KEY_BYTES] {
	core::array::from_fn(|index| index as u8)
}

/// The terms of an order whose data can be sold.
pub fn sale_terms() -> OrderTerms {
	OrderTerms {
		visibility: Visibility::Licensed,
		training: true,
		key_commitment: commitment(&file_key(), sp_io::hashing::blake2_256),
		..order_terms()
	}
}

pub fn list(order: OrderId, price: Balance, training: bool) -> DispatchResult {
	Dsm::list_dataset(signed(&OWNER), order, price, training, TEXT)
}

/// An active order in its first paid window, and a listing of it that allows training.
pub fn on_sale() -> (OrderId, ListingId) {
	register_all(8);
	let order = place_with(&OWNER, sale_terms()).unwrap();
	fill(order, 0);
	next_window();
	let listing = crate::NextListingId::<Test>::get();
	assert_ok!(list(order, LICENCE, true));
	(order, listing)
}

/// The one-time secret of the buyer's purchases.
pub fn secret() -> SecretKey {
	SecretKey::from_bytes([9; 32])
}

pub fn key() -> PurchaseKey {
	PurchaseKey {
		public: secret().public_key(),
		salt: [4; 16],
	}
}

/// Buys for the buyer; returns the purchase.
pub fn bought(listing: ListingId) -> PurchaseId {
	let purchase = crate::NextPurchaseId::<Test>::get();
	assert_ok!(Dsm::buy(signed(&BUYER), listing, LICENCE, key()));
	purchase
}

pub fn record(purchase: PurchaseId) -> Purchase {
	Dsm::purchase(purchase).unwrap()
}

/// What a purchase's delivery has to be sealed for.
pub fn context(purchase: &Purchase) -> Context {
	Context {
		genesis: System::block_hash(0).0,
		manifest: purchase.manifest,
		grantee: purchase.buyer.clone().into(),
	}
}

pub fn seal(context: &Context, key: &[u8; FILE_KEY_BYTES], recipient: &[u8; 32]) -> SealedKey {
	let ephemeral = EphemeralSecret::random_from_rng(ChaCha20Rng::seed_from_u64(now().into()));
	let sealed = seal_key(context, key, recipient, ephemeral).unwrap();
	BoundedVec::truncate_from(sealed.to_vec())
}

/// The delivery that a purchase's buyer is owed.
pub fn right(purchase: PurchaseId) -> SealedKey {
	let purchase = record(purchase);
	seal(&context(&purchase), &file_key(), &purchase.key.public)
}

pub fn deliver(purchase: PurchaseId, sealed_key: SealedKey) -> DispatchResult {
	Dsm::deliver(signed(&OWNER), purchase, sealed_key)
}

/// Buys, delivers and confirms.
pub fn licensed(listing: ListingId) -> PurchaseId {
	let purchase = bought(listing);
	assert_ok!(deliver(purchase, right(purchase)));
	assert_ok!(Dsm::confirm(signed(&BUYER), purchase));
	purchase
}

pub fn operations(order: OrderId) -> Vec<DatasetOperation> {
	Dsm::dataset_events(order, 0, 100)
		.into_iter()
		.map(|event| event.operation)
		.collect()
}

pub fn last_operation(order: OrderId) -> DatasetOperation {
	operations(order).pop().unwrap()
}

/// What is held from an account for purchases and deliveries.
pub fn at_stake(who: &AccountId) -> Balance {
	held(HoldReason::Purchase, who) + held(HoldReason::DeliveryBond, who)
}

/// Lets an order lose three of its four shards, and waits until that is found.
pub fn lose_data(order: OrderId) {
	answer_all();
	for shard in 0..3 {
		assert_ok!(Dsm::declare_lost(signed(&agent(shard)), order, shard));
	}
	run_proving_to(now() + 31);
	assert_ok!(Dsm::open_repair(signed(&READER), order, 0));
	assert_eq!(Dsm::order(order).unwrap().status, OrderStatus::Lost);
}
