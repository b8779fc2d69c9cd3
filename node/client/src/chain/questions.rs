//! Questions to the runtime about one state.

use codec::{DecodeAll, Encode};
use opensand_primitives::{
	market::{Listing, Purchase},
	storage::{DatasetEvent, Grant, OrderRecord, ProviderRecord, ShardIndex, ShardView, StorageTerms},
	AccountId, BlockNumber, ListingId, Nonce, OrderId, PurchaseId,
};
use serde_json::json;

use super::{bytes, disagreement, Chain, ChainError};

/// How many entries are asked for at once.
const PAGE: u32 = 128;

/// The state after one block.
pub struct View<'chain> {
	chain: &'chain Chain,
	hash: String,
	number: BlockNumber,
}

impl<'chain> View<'chain> {
	pub(super) fn new(chain: &'chain Chain, hash: String, number: BlockNumber) -> Self {
		Self { chain, hash, number }
	}

	/// The block's number.
	pub fn number(&self) -> BlockNumber {
		self.number
	}

	/// The block's hash, in hexadecimal digits after `0x`.
	pub fn hash(&self) -> &str {
		&self.hash
	}

	/// The market's parameters.
	pub async fn terms(&self) -> Result<StorageTerms, ChainError> {
		self.ask("StorageApi_storage_terms", ()).await
	}

	/// What is recorded of a provider.
	pub async fn provider(&self, provider: &AccountId) -> Result<Option<ProviderRecord>, ChainError> {
		self.ask("StorageApi_storage_provider", (provider,)).await
	}

	/// An order.
	pub async fn order(&self, order: OrderId) -> Result<Option<OrderRecord>, ChainError> {
		self.ask("StorageApi_order", (order,)).await
	}

	/// The shards of an order, by index.
	pub async fn shards(&self, order: OrderId) -> Result<Vec<ShardView>, ChainError> {
		self.ask("StorageApi_shards", (order,)).await
	}

	/// The orders of an owner from `from` on.
	pub async fn orders_of(&self, owner: &AccountId, from: OrderId) -> Result<Vec<OrderId>, ChainError> {
		let mut all: Vec<OrderId> = Vec::new();
		let mut next = Some(from);
		while let Some(from) = next {
			let page: Vec<OrderId> = self.ask("StorageApi_orders_of", (owner, from, PAGE)).await?;
			next = page
				.last()
				.filter(|last| **last >= from)
				.and_then(|last| last.checked_add(1));
			all.extend(page);
		}
		Ok(all)
	}

	/// The shards that a provider has accepted, repairs or holds.
	pub async fn shards_of(&self, provider: &AccountId) -> Result<Vec<ShardView>, ChainError> {
		let mut all: Vec<ShardView> = Vec::new();
		let mut next: Option<(OrderId, ShardIndex)> = Some((0, 0));
		while let Some(from) = next {
			let page: Vec<ShardView> = self.ask("StorageApi_shards_of", (provider, from, PAGE)).await?;
			next = page
				.last()
				.filter(|last| (last.order, last.index) >= from)
				.and_then(|last| match last.index.checked_add(1) {
					Some(index) => Some((last.order, index)),
					None => last.order.checked_add(1).map(|order| (order, 0)),
				});
			all.extend(page);
		}
		Ok(all)
	}

	/// The X25519 key to which an account wants file keys sealed.
	pub async fn access_key(&self, account: &AccountId) -> Result<Option<[u8; 32]>, ChainError> {
		self.ask("StorageApi_access_key", (account,)).await
	}

	/// The access that an account has to a dataset.
	pub async fn grant(&self, order: OrderId, grantee: &AccountId) -> Result<Option<Grant>, ChainError> {
		self.ask("StorageApi_grant", (order, grantee)).await
	}

	/// Who has access to a dataset, at most `limit` accounts.
	pub async fn grantees(&self, order: OrderId, limit: u32) -> Result<Vec<AccountId>, ChainError> {
		self.ask("StorageApi_grantees", (order, limit)).await
	}

	/// A dataset's record.
	pub async fn events(&self, order: OrderId) -> Result<Vec<DatasetEvent>, ChainError> {
		let mut all: Vec<DatasetEvent> = Vec::new();
		loop {
			let from = u32::try_from(all.len()).unwrap_or(u32::MAX);
			let page: Vec<DatasetEvent> = self.ask("StorageApi_dataset_events", (order, from, PAGE)).await?;
			if page.is_empty() {
				return Ok(all);
			}
			all.extend(page);
		}
	}

	/// A listing.
	pub async fn listing(&self, listing: ListingId) -> Result<Option<Listing>, ChainError> {
		self.ask("StorageApi_listing", (listing,)).await
	}

	/// All open listings.
	pub async fn listings(&self) -> Result<Vec<(ListingId, Listing)>, ChainError> {
		self.pages("StorageApi_listings", |from| (from, PAGE)).await
	}

	/// The listings of a seller.
	pub async fn listings_of(&self, seller: &AccountId) -> Result<Vec<(ListingId, Listing)>, ChainError> {
		self.pages("StorageApi_listings_of", |from| (seller, from, PAGE))
			.await
	}

	/// A purchase.
	pub async fn purchase(&self, purchase: PurchaseId) -> Result<Option<Purchase>, ChainError> {
		self.ask("StorageApi_purchase", (purchase,)).await
	}

	/// The purchases of a buyer.
	pub async fn purchases_of(&self, buyer: &AccountId) -> Result<Vec<(PurchaseId, Purchase)>, ChainError> {
		self.pages("StorageApi_purchases_of", |from| (buyer, from, PAGE))
			.await
	}

	/// The purchases that await a seller's delivery.
	pub async fn deliveries_due(
		&self,
		seller: &AccountId,
	) -> Result<Vec<(PurchaseId, Purchase)>, ChainError> {
		self.pages("StorageApi_deliveries_due", |from| (seller, from, PAGE))
			.await
	}

	/// A buyer's purchase of a dataset, pending or licensed.
	pub async fn licence(&self, order: OrderId, buyer: &AccountId) -> Result<Option<PurchaseId>, ChainError> {
		self.ask("StorageApi_licence", (order, buyer)).await
	}

	/// All entries of a list that is told in pages, in the order of their ids.
	async fn pages<T, Arguments>(
		&self,
		question: &str,
		arguments: impl Fn(u64) -> Arguments,
	) -> Result<Vec<(u64, T)>, ChainError>
	where
		Vec<(u64, T)>: DecodeAll,
		Arguments: Encode,
	{
		let mut all: Vec<(u64, T)> = Vec::new();
		let mut next = Some(0);
		while let Some(from) = next {
			let page: Vec<(u64, T)> = self.ask(question, arguments(from)).await?;
			next = page
				.last()
				.filter(|(last, _)| *last >= from)
				.and_then(|(last, _)| last.checked_add(1));
			all.extend(page);
		}
		Ok(all)
	}

	/// The number of an account's next transaction.
	pub async fn nonce(&self, account: &AccountId) -> Result<Nonce, ChainError> {
		self.ask("AccountNonceApi_account_nonce", (account,)).await
	}

	async fn ask<T: DecodeAll>(&self, question: &str, arguments: impl Encode) -> Result<T, ChainError> {
		let arguments = format!("0x{}", hex::encode(arguments.encode()));
		let parameters = [json!(question), json!(arguments), json!(self.hash)];
		let answer: String =
			self.chain
				.request("state_call", &parameters)
				.await
				.map_err(|error| match error {
					// The executor's words for a function that the runtime does not export.
					ChainError::Request { reason, .. } if reason.contains("is not found") => {
						ChainError::Unknown(question.to_owned())
					}
					error => error,
				})?;
		decoded(question, &answer)
	}
}

/// What the hexadecimal digits of an answer stand for.
///
/// # Errors
/// When they are none, or not of this type.
pub fn decoded<T: DecodeAll>(question: &str, answer: &str) -> Result<T, ChainError> {
	let answer = bytes(answer).ok_or_else(|| disagreement(question, answer))?;
	T::decode_all(&mut &answer[..]).map_err(|error| disagreement(question, &error.to_string()))
}
