//! Runtime APIs of the project's pallets.

use alloc::vec::Vec;

use crate::{
	inference::{Quote, RequestInput, RequestState, ResultFault, WorkerRecord},
	market::{Listing, Purchase},
	models::{ArchitectureRecord, FamilyRecord, InferenceTerms, KeyRecord, ModelRecord, TrainingSet},
	storage::{
		Challenge, DatasetEvent, Grant, OpenSlot, OrderRecord, ProviderRecord, ShardIndex, ShardView,
		StorageTerms,
	},
	AccountId, ArchitectureId, KeyId, ListingId, ModelId, OrderId, PurchaseId, RequestId,
};

sp_api::decl_runtime_apis! {
	/// Questions about the model registry.
	pub trait ModelsApi {
		/// What is recorded of a model.
		fn model(model: ModelId) -> Option<ModelRecord>;

		/// The models of an owner, at most `limit` of them.
		fn models_of(owner: AccountId, limit: u32) -> Vec<ModelId>;

		/// The terms of a model that can be asked now; `None` if it is inactive, has no accepted key, or has committed
		/// weights that are not activated.
		fn inference_terms(model: ModelId) -> Option<InferenceTerms>;

		/// What is recorded of an architecture.
		fn architecture(architecture: ArchitectureId) -> Option<ArchitectureRecord>;

		/// The encoded architecture.
		fn architecture_bytes(architecture: ArchitectureId) -> Option<Vec<u8>>;

		/// What is recorded of a verifying key.
		fn key(key: KeyId) -> Option<KeyRecord>;

		/// The encoded verifying key: a model's own, or a family's for inferences.
		fn verifying_key(key: KeyId) -> Option<Vec<u8>>;

		/// What is recorded of a family, by its inference key.
		fn family(family: KeyId) -> Option<FamilyRecord>;

		/// The encoded registration key of a family, by its inference key.
		fn registration_key(family: KeyId) -> Option<Vec<u8>>;

		/// The datasets that a model was declared to be trained on.
		fn training_sets(model: ModelId) -> Vec<TrainingSet>;
	}

	/// Questions about workers and requests.
	pub trait InferenceApi {
		/// What is recorded of a worker.
		fn worker(worker: AccountId) -> Option<WorkerRecord>;

		/// The workers that offer a model.
		fn providers(model: ModelId) -> Vec<AccountId>;

		/// What an inference would cost now, by the named worker, or by the one that an unnamed request would get.
		fn quote(model: ModelId, worker: Option<AccountId>) -> Option<Quote>;

		/// Where a request stands; `None` if it never was, or closed too long ago.
		fn request(request: RequestId) -> Option<RequestState>;

		/// The input of an open request.
		fn request_input(request: RequestId) -> Option<RequestInput>;

		/// The open requests of a requester, at most `limit` of them.
		fn requests_of(requester: AccountId, limit: u32) -> Vec<RequestId>;

		/// The open requests that await a worker's result.
		fn assigned_to(worker: AccountId) -> Vec<RequestId>;

		/// Whether this result would settle this open request, without submitting it. `None` if the request is not open.
		fn check_result(request: RequestId, output: Vec<u8>, proof: Vec<u8>) -> Option<Result<(), ResultFault>>;
	}

	/// Questions about storage orders, their providers, access to the data, and its sale.
	pub trait StorageApi {
		/// The market's parameters now.
		fn storage_terms() -> StorageTerms;

		/// What is recorded of a provider.
		fn storage_provider(provider: AccountId) -> Option<ProviderRecord>;

		/// The provider whose agent an account is.
		fn provider_of_agent(agent: AccountId) -> Option<AccountId>;

		/// An order.
		fn order(order: OrderId) -> Option<OrderRecord>;

		/// The shards of an order, by index.
		fn shards(order: OrderId) -> Vec<ShardView>;

		/// The segment roots of a shard.
		fn segment_roots(order: OrderId, shard: ShardIndex) -> Vec<[u8; 32]>;

		/// The orders of an owner from `from` on, in the order of their ids, at most `limit` of them.
		fn orders_of(owner: AccountId, from: OrderId, limit: u32) -> Vec<OrderId>;

		/// Slots that `provider` could take now, of orders from `from` on, at most `limit` of them.
		fn open_slots(provider: AccountId, from: OrderId, limit: u32) -> Vec<OpenSlot>;

		/// The shards that a provider has accepted, repairs or holds, from `from` on, at most `limit` of them.
		fn shards_of(provider: AccountId, from: (OrderId, ShardIndex), limit: u32) -> Vec<ShardView>;

		/// What a provider has to prove in the current window; `None` if nothing, or nothing any more.
		fn challenge(provider: AccountId) -> Option<Challenge>;

		/// What the first proof of an accepted or repaired shard has to show; `None` until its leaves are drawn.
		fn first_challenge(order: OrderId, shard: ShardIndex) -> Option<Challenge>;

		/// The X25519 key to which an account wants file keys sealed.
		fn access_key(account: AccountId) -> Option<[u8; 32]>;

		/// The access that an account has to a dataset.
		fn grant(order: OrderId, grantee: AccountId) -> Option<Grant>;

		/// Who has access to a dataset.
		fn grantees(order: OrderId, limit: u32) -> Vec<AccountId>;

		/// A dataset's record from entry `from` on, at most `limit` entries.
		fn dataset_events(order: OrderId, from: u32, limit: u32) -> Vec<DatasetEvent>;

		/// A listing; `None` if it never was, or was withdrawn and nothing is pending.
		fn listing(listing: ListingId) -> Option<Listing>;

		/// The open listings of all sellers from `from` on, in the order of their ids, at most `limit` of them.
		fn listings(from: ListingId, limit: u32) -> Vec<(ListingId, Listing)>;

		/// The listings of a seller from `from` on, in the order of their ids, at most `limit` of them.
		fn listings_of(seller: AccountId, from: ListingId, limit: u32) -> Vec<(ListingId, Listing)>;

		/// A purchase; `None` if it never was, or was refunded or surrendered.
		fn purchase(purchase: PurchaseId) -> Option<Purchase>;

		/// The purchases of a buyer from `from` on, in the order of their ids, at most `limit` of them.
		fn purchases_of(buyer: AccountId, from: PurchaseId, limit: u32) -> Vec<(PurchaseId, Purchase)>;

		/// The purchases that await a seller's delivery from `from` on, in the order of their ids, at most `limit` of them.
		fn deliveries_due(seller: AccountId, from: PurchaseId, limit: u32) -> Vec<(PurchaseId, Purchase)>;

		/// A buyer's purchase of a licence for a dataset, pending or licensed.
		fn licence(order: OrderId, buyer: AccountId) -> Option<PurchaseId>;
	}
}
