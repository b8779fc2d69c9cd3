//! The runtime APIs: what the node, its RPC and clients may ask the runtime.

// The macro expands to code that none of the lints for runtime code is meant for.
#![allow(
	clippy::indexing_slicing,
	clippy::arithmetic_side_effects,
	clippy::expect_used,
	clippy::unwrap_used
)]

use alloc::vec::Vec;

use codec::Encode;
use frame_support::{
	genesis_builder_helper::{build_state, get_preset},
	traits::KeyOwnerProofSystem,
	view_functions::{ViewFunctionDispatchError, ViewFunctionId},
	weights::Weight,
};
use opensand_primitives::{
	inference::{Quote, RequestInput, RequestState, ResultFault, WorkerRecord},
	market::{Listing, Purchase},
	models::{ArchitectureRecord, FamilyRecord, InferenceTerms, KeyRecord, ModelRecord, TrainingSet},
	storage::{
		Challenge, DatasetEvent, Grant, OpenSlot, OrderRecord, ProviderRecord, ShardIndex, ShardView,
		StorageTerms,
	},
	AccountId, ArchitectureId, Balance, KeyId, ListingId, ModelId, Nonce, OrderId, PurchaseId, RequestId,
};
use pallet_nomination_pools::PoolId;
use pallet_transaction_payment::{FeeDetails, RuntimeDispatchInfo};
use sp_authority_discovery::AuthorityId as AuthorityDiscoveryId;
use sp_consensus_babe::{
	AuthorityId as BabeId, BabeConfiguration, Epoch, EquivocationProof as BabeEquivocationProof,
	OpaqueKeyOwnershipProof as BabeKeyOwnershipProof, Slot,
};
use sp_consensus_grandpa::{
	AuthorityId as GrandpaId, AuthorityList, EquivocationProof as GrandpaEquivocationProof,
	OpaqueKeyOwnershipProof as GrandpaKeyOwnershipProof, SetId,
};
use sp_core::{crypto::KeyTypeId, OpaqueMetadata};
use sp_genesis_builder::PresetId;
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::{
	traits::{Block as BlockT, NumberFor},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult, ExtrinsicInclusionMode,
};
use sp_session::OpaqueGeneratedSessionKeys;
use sp_staking::{EraIndex, Page};
use sp_version::RuntimeVersion;

use crate::{
	configs::consensus::{EpochDuration, SessionKeys, BABE_GENESIS_EPOCH_CONFIG},
	AuthorityDiscovery, Babe, Block, Dsm, Executive, Grandpa, Historical, Inference, InherentDataExt, Models,
	NominationPools, Runtime, RuntimeCall, RuntimeGenesisConfig, Staking, System, TransactionPayment,
	VERSION,
};

sp_api::impl_runtime_apis! {
	impl sp_api::Core<Block> for Runtime {
		fn version() -> RuntimeVersion {
			VERSION
		}

		fn execute_block(block: <Block as BlockT>::LazyBlock) {
			Executive::execute_block(block)
		}

		fn initialize_block(header: &<Block as BlockT>::Header) -> ExtrinsicInclusionMode {
			Executive::initialize_block(header)
		}
	}

	impl sp_api::Metadata<Block> for Runtime {
		fn metadata() -> OpaqueMetadata {
			OpaqueMetadata::new(Runtime::metadata().into())
		}

		fn metadata_at_version(version: u32) -> Option<OpaqueMetadata> {
			Runtime::metadata_at_version(version)
		}

		fn metadata_versions() -> Vec<u32> {
			Runtime::metadata_versions()
		}
	}

	impl frame_support::view_functions::runtime_api::RuntimeViewFunction<Block> for Runtime {
		fn execute_view_function(
			id: ViewFunctionId,
			input: Vec<u8>,
		) -> Result<Vec<u8>, ViewFunctionDispatchError> {
			Runtime::execute_view_function(id, input)
		}
	}

	impl sp_block_builder::BlockBuilder<Block> for Runtime {
		fn apply_extrinsic(extrinsic: <Block as BlockT>::Extrinsic) -> ApplyExtrinsicResult {
			Executive::apply_extrinsic(extrinsic)
		}

		fn finalize_block() -> <Block as BlockT>::Header {
			Executive::finalize_block()
		}

		fn inherent_extrinsics(data: InherentData) -> Vec<<Block as BlockT>::Extrinsic> {
			data.create_extrinsics()
		}

		fn check_inherents(block: <Block as BlockT>::LazyBlock, data: InherentData) -> CheckInherentsResult {
			data.check_extrinsics(&block)
		}
	}

	impl sp_transaction_pool::runtime_api::TaggedTransactionQueue<Block> for Runtime {
		fn validate_transaction(
			source: TransactionSource,
			transaction: <Block as BlockT>::Extrinsic,
			block_hash: <Block as BlockT>::Hash,
		) -> TransactionValidity {
			Executive::validate_transaction(source, transaction, block_hash)
		}
	}

	impl sp_offchain::OffchainWorkerApi<Block> for Runtime {
		fn offchain_worker(header: &<Block as BlockT>::Header) {
			Executive::offchain_worker(header)
		}
	}

	impl sp_consensus_babe::BabeApi<Block> for Runtime {
		fn configuration() -> BabeConfiguration {
			let epoch_config = Babe::epoch_config().unwrap_or(BABE_GENESIS_EPOCH_CONFIG);
			BabeConfiguration {
				slot_duration: Babe::slot_duration(),
				epoch_length: EpochDuration::get(),
				c: epoch_config.c,
				authorities: Babe::authorities().to_vec(),
				randomness: Babe::randomness(),
				allowed_slots: epoch_config.allowed_slots,
			}
		}

		fn current_epoch_start() -> Slot {
			Babe::current_epoch_start()
		}

		fn current_epoch() -> Epoch {
			Babe::current_epoch()
		}

		fn next_epoch() -> Epoch {
			Babe::next_epoch()
		}

		fn generate_key_ownership_proof(_slot: Slot, authority: BabeId) -> Option<BabeKeyOwnershipProof> {
			Historical::prove((sp_consensus_babe::KEY_TYPE, authority))
				.map(|proof| BabeKeyOwnershipProof::new(proof.encode()))
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation: BabeEquivocationProof<<Block as BlockT>::Header>,
			key_owner: BabeKeyOwnershipProof,
		) -> Option<()> {
			Babe::submit_unsigned_equivocation_report(equivocation, key_owner.decode()?)
		}
	}

	impl sp_consensus_grandpa::GrandpaApi<Block> for Runtime {
		fn grandpa_authorities() -> AuthorityList {
			Grandpa::grandpa_authorities()
		}

		fn current_set_id() -> SetId {
			Grandpa::current_set_id()
		}

		fn generate_key_ownership_proof(_set: SetId, authority: GrandpaId) -> Option<GrandpaKeyOwnershipProof> {
			Historical::prove((sp_consensus_grandpa::KEY_TYPE, authority))
				.map(|proof| GrandpaKeyOwnershipProof::new(proof.encode()))
		}

		fn submit_report_equivocation_unsigned_extrinsic(
			equivocation: GrandpaEquivocationProof<<Block as BlockT>::Hash, NumberFor<Block>>,
			key_owner: GrandpaKeyOwnershipProof,
		) -> Option<()> {
			Grandpa::submit_unsigned_equivocation_report(equivocation, key_owner.decode()?)
		}
	}

	impl sp_authority_discovery::AuthorityDiscoveryApi<Block> for Runtime {
		fn authorities() -> Vec<AuthorityDiscoveryId> {
			AuthorityDiscovery::authorities()
		}
	}

	impl sp_session::SessionKeys<Block> for Runtime {
		fn generate_session_keys(owner: Vec<u8>, seed: Option<Vec<u8>>) -> OpaqueGeneratedSessionKeys {
			SessionKeys::generate(&owner, seed).into()
		}

		fn decode_session_keys(encoded: Vec<u8>) -> Option<Vec<(Vec<u8>, KeyTypeId)>> {
			SessionKeys::decode_into_raw_public_keys(&encoded)
		}
	}

	impl frame_system_rpc_runtime_api::AccountNonceApi<Block, AccountId, Nonce> for Runtime {
		fn account_nonce(account: AccountId) -> Nonce {
			System::account_nonce(account)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentApi<Block, Balance> for Runtime {
		fn query_info(extrinsic: <Block as BlockT>::Extrinsic, len: u32) -> RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_info(extrinsic, len)
		}

		fn query_fee_details(extrinsic: <Block as BlockT>::Extrinsic, len: u32) -> FeeDetails<Balance> {
			TransactionPayment::query_fee_details(extrinsic, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_transaction_payment_rpc_runtime_api::TransactionPaymentCallApi<Block, Balance, RuntimeCall>
		for Runtime
	{
		fn query_call_info(call: RuntimeCall, len: u32) -> RuntimeDispatchInfo<Balance> {
			TransactionPayment::query_call_info(call, len)
		}

		fn query_call_fee_details(call: RuntimeCall, len: u32) -> FeeDetails<Balance> {
			TransactionPayment::query_call_fee_details(call, len)
		}

		fn query_weight_to_fee(weight: Weight) -> Balance {
			TransactionPayment::weight_to_fee(weight)
		}

		fn query_length_to_fee(length: u32) -> Balance {
			TransactionPayment::length_to_fee(length)
		}
	}

	impl pallet_staking_runtime_api::StakingApi<Block, Balance, AccountId> for Runtime {
		fn nominations_quota(balance: Balance) -> u32 {
			Staking::api_nominations_quota(balance)
		}

		fn eras_stakers_page_count(era: EraIndex, account: AccountId) -> Page {
			Staking::api_eras_stakers_page_count(era, account)
		}

		fn pending_rewards(era: EraIndex, account: AccountId) -> bool {
			Staking::api_pending_rewards(era, account)
		}
	}

	impl pallet_nomination_pools_runtime_api::NominationPoolsApi<Block, AccountId, Balance> for Runtime {
		fn pending_rewards(member: AccountId) -> Balance {
			NominationPools::api_pending_rewards(member).unwrap_or_default()
		}

		fn points_to_balance(pool: PoolId, points: Balance) -> Balance {
			NominationPools::api_points_to_balance(pool, points)
		}

		fn balance_to_points(pool: PoolId, new_funds: Balance) -> Balance {
			NominationPools::api_balance_to_points(pool, new_funds)
		}

		fn pool_pending_slash(pool: PoolId) -> Balance {
			NominationPools::api_pool_pending_slash(pool)
		}

		fn member_pending_slash(member: AccountId) -> Balance {
			NominationPools::api_member_pending_slash(member)
		}

		fn pool_needs_delegate_migration(pool: PoolId) -> bool {
			NominationPools::api_pool_needs_delegate_migration(pool)
		}

		fn member_needs_delegate_migration(member: AccountId) -> bool {
			NominationPools::api_member_needs_delegate_migration(member)
		}

		fn member_total_balance(member: AccountId) -> Balance {
			NominationPools::api_member_total_balance(member)
		}

		fn pool_balance(pool: PoolId) -> Balance {
			NominationPools::api_pool_balance(pool)
		}

		fn pool_accounts(pool: PoolId) -> (AccountId, AccountId) {
			NominationPools::api_pool_accounts(pool)
		}
	}

	impl opensand_primitives::apis::ModelsApi<Block> for Runtime {
		fn model(model: ModelId) -> Option<ModelRecord> {
			Models::model(model)
		}

		fn models_of(owner: AccountId, limit: u32) -> Vec<ModelId> {
			Models::models_of(owner, limit)
		}

		fn inference_terms(model: ModelId) -> Option<InferenceTerms> {
			Models::inference_terms(model)
		}

		fn architecture(architecture: ArchitectureId) -> Option<ArchitectureRecord> {
			Models::architecture(architecture)
		}

		fn architecture_bytes(architecture: ArchitectureId) -> Option<Vec<u8>> {
			Models::architecture_bytes(architecture)
		}

		fn key(key: KeyId) -> Option<KeyRecord> {
			Models::key(key)
		}

		fn verifying_key(key: KeyId) -> Option<Vec<u8>> {
			Models::verifying_key(key)
		}

		fn family(family: KeyId) -> Option<FamilyRecord> {
			Models::family(family)
		}

		fn registration_key(family: KeyId) -> Option<Vec<u8>> {
			Models::registration_key(family)
		}

		fn training_sets(model: ModelId) -> Vec<TrainingSet> {
			Models::training_sets(model)
		}
	}

	impl opensand_primitives::apis::InferenceApi<Block> for Runtime {
		fn worker(worker: AccountId) -> Option<WorkerRecord> {
			Inference::worker(worker)
		}

		fn providers(model: ModelId) -> Vec<AccountId> {
			Inference::providers(model)
		}

		fn quote(model: ModelId, worker: Option<AccountId>) -> Option<Quote> {
			Inference::quote(model, worker)
		}

		fn request(request: RequestId) -> Option<RequestState> {
			Inference::request(request)
		}

		fn request_input(request: RequestId) -> Option<RequestInput> {
			Inference::request_input(request)
		}

		fn requests_of(requester: AccountId, limit: u32) -> Vec<RequestId> {
			Inference::requests_of(requester, limit)
		}

		fn assigned_to(worker: AccountId) -> Vec<RequestId> {
			Inference::assigned_to(worker)
		}

		fn check_result(
			request: RequestId,
			output: Vec<u8>,
			proof: Vec<u8>,
		) -> Option<Result<(), ResultFault>> {
			Inference::check_result(request, output, proof)
		}
	}

	impl opensand_primitives::apis::StorageApi<Block> for Runtime {
		fn storage_terms() -> StorageTerms {
			Dsm::storage_terms()
		}

		fn storage_provider(provider: AccountId) -> Option<ProviderRecord> {
			Dsm::storage_provider(provider)
		}

		fn provider_of_agent(agent: AccountId) -> Option<AccountId> {
			Dsm::provider_of_agent(agent)
		}

		fn order(order: OrderId) -> Option<OrderRecord> {
			Dsm::order(order)
		}

		fn shards(order: OrderId) -> Vec<ShardView> {
			Dsm::shards(order)
		}

		fn segment_roots(order: OrderId, shard: ShardIndex) -> Vec<[u8; 32]> {
			Dsm::segment_roots(order, shard)
		}

		fn orders_of(owner: AccountId, from: OrderId, limit: u32) -> Vec<OrderId> {
			Dsm::orders_of(owner, from, limit)
		}

		fn open_slots(provider: AccountId, from: OrderId, limit: u32) -> Vec<OpenSlot> {
			Dsm::open_slots(provider, from, limit)
		}

		fn shards_of(provider: AccountId, from: (OrderId, ShardIndex), limit: u32) -> Vec<ShardView> {
			Dsm::shards_of(provider, from, limit)
		}

		fn challenge(provider: AccountId) -> Option<Challenge> {
			Dsm::challenge(provider)
		}

		fn first_challenge(order: OrderId, shard: ShardIndex) -> Option<Challenge> {
			Dsm::first_challenge(order, shard)
		}

		fn access_key(account: AccountId) -> Option<[u8; 32]> {
			Dsm::access_key(account)
		}

		fn grant(order: OrderId, grantee: AccountId) -> Option<Grant> {
			Dsm::grant_of(order, grantee)
		}

		fn grantees(order: OrderId, limit: u32) -> Vec<AccountId> {
			Dsm::grantees(order, limit)
		}

		fn dataset_events(order: OrderId, from: u32, limit: u32) -> Vec<DatasetEvent> {
			Dsm::dataset_events(order, from, limit)
		}

		fn listing(listing: ListingId) -> Option<Listing> {
			Dsm::listing(listing)
		}

		fn listings(from: ListingId, limit: u32) -> Vec<(ListingId, Listing)> {
			Dsm::listings(from, limit)
		}

		fn listings_of(seller: AccountId, from: ListingId, limit: u32) -> Vec<(ListingId, Listing)> {
			Dsm::listings_of(seller, from, limit)
		}

		fn purchase(purchase: PurchaseId) -> Option<Purchase> {
			Dsm::purchase(purchase)
		}

		fn purchases_of(buyer: AccountId, from: PurchaseId, limit: u32) -> Vec<(PurchaseId, Purchase)> {
			Dsm::purchases_of(buyer, from, limit)
		}

		fn deliveries_due(seller: AccountId, from: PurchaseId, limit: u32) -> Vec<(PurchaseId, Purchase)> {
			Dsm::deliveries_due(seller, from, limit)
		}

		fn licence(order: OrderId, buyer: AccountId) -> Option<PurchaseId> {
			Dsm::licence(order, buyer)
		}
	}

	impl sp_genesis_builder::GenesisBuilder<Block> for Runtime {
		fn build_state(config: Vec<u8>) -> sp_genesis_builder::Result {
			build_state::<RuntimeGenesisConfig>(config)
		}

		fn get_preset(id: &Option<PresetId>) -> Option<Vec<u8>> {
			get_preset::<RuntimeGenesisConfig>(id, crate::genesis::get_preset)
		}

		fn preset_names() -> Vec<PresetId> {
			crate::genesis::preset_names()
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	impl frame_benchmarking::Benchmark<Block> for Runtime {
		fn benchmark_metadata(
			extra: bool,
		) -> (Vec<frame_benchmarking::BenchmarkList>, Vec<frame_support::traits::StorageInfo>) {
			use frame_benchmarking::BenchmarkList;
			use frame_support::traits::StorageInfoTrait;
			use frame_system_benchmarking::Pallet as SystemBench;

			let mut list = Vec::<BenchmarkList>::new();
			list_benchmarks!(list, extra);
			(list, crate::AllPalletsWithSystem::storage_info())
		}

		fn dispatch_benchmark(
			config: frame_benchmarking::BenchmarkConfig,
		) -> Result<Vec<frame_benchmarking::BenchmarkBatch>, alloc::string::String> {
			use frame_benchmarking::BenchmarkBatch;
			use frame_support::traits::WhitelistedStorageKeys;
			use frame_system_benchmarking::Pallet as SystemBench;

			let whitelist = crate::AllPalletsWithSystem::whitelisted_storage_keys();
			let mut batches = Vec::<BenchmarkBatch>::new();
			let parameters = (&config, &whitelist);
			add_benchmarks!(parameters, batches);
			Ok(batches)
		}
	}

	#[cfg(feature = "try-runtime")]
	impl frame_try_runtime::TryRuntime<Block> for Runtime {
		fn on_runtime_upgrade(checks: frame_try_runtime::UpgradeCheckSelect) -> (Weight, Weight) {
			// A panic is how this API reports a failed check.
			let weight = Executive::try_runtime_upgrade(checks).expect("the upgrade's checks pass");
			(weight, crate::configs::RuntimeBlockWeights::get().max_block)
		}

		fn execute_block(
			block: <Block as BlockT>::LazyBlock,
			state_root_check: bool,
			signature_check: bool,
			select: frame_try_runtime::TryStateSelect,
		) -> Weight {
			Executive::try_execute_block(block, state_root_check, signature_check, select)
				.expect("the block and the state after it pass every check")
		}
	}
}
