//! The chain as the storage service sees it: questions go to the runtime, calls are signed with the agent's key.

use std::sync::Arc;

use async_trait::async_trait;
use codec::Encode;
use futures::{future, stream::BoxStream, StreamExt};
use opensand_primitives::{
	apis::StorageApi,
	storage::{agent_key, Challenge, OpenSlot, OrderRecord, ProviderRecord, ShardView, StorageTerms},
	AccountId, Hash, Nonce, OrderId, Signature,
};
use opensand_runtime::{RuntimeCall, SignedPayload, TxExtension, UncheckedExtrinsic, VERSION};
use opensand_storage::{BestBlock, Chain, ChainError, ShardId, StorageCall, SubmitError};
use parking_lot::Mutex;
use sc_client_api::{BlockchainEvents, HeaderBackend};
use sc_transaction_pool_api::{InPoolTransaction, TransactionPool, TransactionSource};
use sp_api::{ApiError, Core, ProvideRuntimeApi};
use sp_core::sr25519;
use sp_keystore::KeystorePtr;
use sp_runtime::{generic::Era, OpaqueExtrinsic};
use substrate_frame_rpc_system::AccountNonceApi;

use crate::service::{FullClient, FullPool};

/// Blocks for which a signed call can enter a block.
const LIFETIME_BLOCKS: u64 = 64;

/// This node's chain and pool, and the agent's key in its keystore.
pub struct Agent {
	client: Arc<FullClient>,
	pool: Arc<FullPool>,
	keystore: KeystorePtr,
	/// Held from the choice of a nonce until the pool has the transaction, so that no two calls get the same one.
	submitting: tokio::sync::Mutex<()>,
	/// The key that a registered provider has named, once it was found.
	key: Mutex<Option<sr25519::Public>>,
}

impl Agent {
	/// An agent that signs with the key of type `stor` in `keystore`.
	pub fn new(client: Arc<FullClient>, pool: Arc<FullPool>, keystore: KeystorePtr) -> Self {
		Self {
			client,
			pool,
			keystore,
			submitting: tokio::sync::Mutex::new(()),
			key: Mutex::new(None),
		}
	}

	/// The next nonce of `account` at `at`, behind the transactions that wait in the pool.
	fn next_nonce(&self, at: Hash, account: &AccountId) -> Result<Nonce, ApiError> {
		let mut nonce: Nonce = self.client.runtime_api().account_nonce(at, account.clone())?;
		// The pool lists an account's transactions in the order of their nonces.
		for transaction in self.pool.ready() {
			if transaction.provides().contains(&(account, nonce).encode()) {
				nonce = nonce.saturating_add(1);
			}
		}
		Ok(nonce)
	}

	/// `call`, signed by `key`.
	fn sign(
		&self,
		call: RuntimeCall,
		key: &sr25519::Public,
		best: BestBlock,
		nonce: Nonce,
	) -> Result<UncheckedExtrinsic, SubmitError> {
		let genesis = self.client.info().genesis_hash;
		let version = self
			.client
			.runtime_api()
			.version(best.hash)
			.map_err(|error| SubmitError::Unavailable(error.to_string()))?;
		if version.transaction_version != VERSION.transaction_version {
			return Err(SubmitError::Unavailable(
				"the chain's runtime has changed how calls are encoded; update this node".into(),
			));
		}
		let birth = self.birth(best);
		let era = Era::mortal(LIFETIME_BLOCKS, birth.number.into());
		let extension: TxExtension = (
			frame_system::AuthorizeCall::new(),
			frame_system::CheckNonZeroSender::new(),
			frame_system::CheckSpecVersion::new(),
			frame_system::CheckTxVersion::new(),
			frame_system::CheckGenesis::new(),
			frame_system::CheckMortality::from(era),
			frame_system::CheckNonce::from(nonce),
			frame_system::CheckWeight::new(),
			pallet_transaction_payment::ChargeTransactionPayment::from(0),
			frame_metadata_hash_extension::CheckMetadataHash::new(false),
			frame_system::WeightReclaim::new(),
		);
		let implicit = (
			(),
			(),
			version.spec_version,
			version.transaction_version,
			genesis,
			birth.hash,
			(),
			(),
			(),
			None,
			(),
		);
		let payload = SignedPayload::from_raw(call, extension, implicit);
		let signature = payload
			.using_encoded(|message| self.keystore.sr25519_sign(agent_key::KEY_TYPE, key, message))
			.map_err(|error| SubmitError::Unavailable(error.to_string()))?
			.ok_or_else(|| SubmitError::Unavailable("the agent's key has left the keystore".into()))?;
		let (call, extension, _) = payload.deconstruct();
		Ok(UncheckedExtrinsic::new_signed(
			call,
			account(key).into(),
			Signature::Sr25519(signature),
			extension,
		))
	}

	/// The block from which a transaction is valid: the finalised one, unless finality has stalled. The pool of a node that is
	/// behind the best block, or on another fork, refuses a transaction that is born in it.
	fn birth(&self, best: BestBlock) -> BestBlock {
		let info = self.client.info();
		if u64::from(best.number.saturating_sub(info.finalized_number)) < LIFETIME_BLOCKS / 2 {
			BestBlock {
				number: info.finalized_number,
				hash: info.finalized_hash,
			}
		} else {
			best
		}
	}

	fn best(&self) -> BestBlock {
		let info = self.client.info();
		BestBlock {
			number: info.best_number,
			hash: info.best_hash,
		}
	}
}

/// The account of an agent's key.
fn account(key: &sr25519::Public) -> AccountId {
	AccountId::new(key.0)
}

/// The runtime's call for what the service wants done.
fn runtime_call(call: StorageCall) -> Result<RuntimeCall, SubmitError> {
	let bounded = |proof: Vec<u8>| {
		proof
			.try_into()
			.map_err(|_| SubmitError::Invalid("the proof is longer than a call can carry".into()))
	};
	use pallet_dsm::Call;
	Ok(RuntimeCall::Dsm(match call {
		StorageCall::Accept(ShardId { order, shard }) => Call::accept { order, shard },
		StorageCall::FirstProof {
			shard: ShardId { order, shard },
			proof,
		} => Call::first_proof {
			order,
			shard,
			proof: bounded(proof)?,
		},
		StorageCall::SubmitPossession { window, proof } => Call::submit_possession {
			window,
			proof: bounded(proof)?,
		},
		StorageCall::Settle(order) => Call::settle { order },
		StorageCall::Close(order) => Call::close { order },
		StorageCall::DeclareLost(ShardId { order, shard }) => Call::declare_lost { order, shard },
		StorageCall::HandOver(ShardId { order, shard }) => Call::hand_over { order, shard },
		StorageCall::OpenRepair(ShardId { order, shard })
		| StorageCall::FindLost(ShardId { order, shard }) => Call::open_repair { order, shard },
		StorageCall::TakeRepair(ShardId { order, shard }) => Call::take_repair { order, shard },
	}))
}

fn silent(error: ApiError) -> ChainError {
	ChainError(error.to_string())
}

#[async_trait]
impl Chain for Agent {
	fn best_blocks(&self) -> BoxStream<'static, BestBlock> {
		let imported = self
			.client
			.import_notification_stream()
			.filter(|block| future::ready(block.is_new_best))
			.map(|block| BestBlock {
				number: block.header.number,
				hash: block.hash,
			});
		futures::stream::iter([self.best()]).chain(imported).boxed()
	}

	fn agent(&self) -> Option<AccountId> {
		let chosen = *self.key.lock();
		let keys = || {
			self.keystore
				.sr25519_public_keys(agent_key::KEY_TYPE)
				.into_iter()
				.next()
		};
		chosen.or_else(keys).as_ref().map(account)
	}

	async fn provider(&self, at: Hash) -> Result<Option<AccountId>, ChainError> {
		let api = self.client.runtime_api();
		for key in self.keystore.sr25519_public_keys(agent_key::KEY_TYPE) {
			let provider = api.provider_of_agent(at, account(&key)).map_err(silent)?;
			if provider.is_some() {
				*self.key.lock() = Some(key);
				return Ok(provider);
			}
		}
		*self.key.lock() = None;
		Ok(None)
	}

	async fn storage_terms(&self, at: Hash) -> Result<StorageTerms, ChainError> {
		self.client.runtime_api().storage_terms(at).map_err(silent)
	}

	async fn storage_provider(
		&self,
		at: Hash,
		provider: &AccountId,
	) -> Result<Option<ProviderRecord>, ChainError> {
		let api = self.client.runtime_api();
		api.storage_provider(at, provider.clone()).map_err(silent)
	}

	async fn order(&self, at: Hash, order: OrderId) -> Result<Option<OrderRecord>, ChainError> {
		self.client.runtime_api().order(at, order).map_err(silent)
	}

	async fn shards(&self, at: Hash, order: OrderId) -> Result<Vec<ShardView>, ChainError> {
		self.client.runtime_api().shards(at, order).map_err(silent)
	}

	async fn segment_roots(&self, at: Hash, shard: ShardId) -> Result<Vec<[u8; 32]>, ChainError> {
		let api = self.client.runtime_api();
		api.segment_roots(at, shard.order, shard.shard).map_err(silent)
	}

	async fn open_slots(
		&self,
		at: Hash,
		provider: &AccountId,
		from: OrderId,
		limit: u32,
	) -> Result<Vec<OpenSlot>, ChainError> {
		let api = self.client.runtime_api();
		api.open_slots(at, provider.clone(), from, limit).map_err(silent)
	}

	async fn shards_of(
		&self,
		at: Hash,
		provider: &AccountId,
		from: ShardId,
		limit: u32,
	) -> Result<Vec<ShardView>, ChainError> {
		let api = self.client.runtime_api();
		api.shards_of(at, provider.clone(), (from.order, from.shard), limit)
			.map_err(silent)
	}

	async fn challenge(&self, at: Hash, provider: &AccountId) -> Result<Option<Challenge>, ChainError> {
		let api = self.client.runtime_api();
		api.challenge(at, provider.clone()).map_err(silent)
	}

	async fn first_challenge(&self, at: Hash, shard: ShardId) -> Result<Option<Challenge>, ChainError> {
		let api = self.client.runtime_api();
		api.first_challenge(at, shard.order, shard.shard).map_err(silent)
	}

	async fn submit(&self, call: StorageCall) -> Result<(), SubmitError> {
		let call = runtime_call(call)?;
		let key = (*self.key.lock()).ok_or_else(|| {
			SubmitError::Unavailable("no provider has named a key of this node as its agent".into())
		})?;
		let _submitting = self.submitting.lock().await;
		let best = self.best();
		let nonce = self
			.next_nonce(best.hash, &account(&key))
			.map_err(|error| SubmitError::Unavailable(error.to_string()))?;
		let extrinsic = self.sign(call, &key, best, nonce)?;
		let opaque = OpaqueExtrinsic::from(extrinsic);
		self.pool
			.submit_one(best.hash, TransactionSource::Local, opaque)
			.await
			.map(|_| ())
			.map_err(|error| SubmitError::Invalid(error.to_string()))
	}
}
