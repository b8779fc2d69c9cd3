//! RPC methods that depend on this chain's consensus and runtime.
//!
//! `sc_service` adds the rest: `system`, `chain`, `state`, `author` and `offchain` of the older interface;
//! `chainHead_v1`, `chainSpec_v1`, `transaction_v1`, `transactionWatch_v1` of the newer; and `archive_v1` on a
//! node that keeps every block and state.

use std::{error::Error, sync::Arc};

use jsonrpsee::RpcModule;
use opensand_primitives::{AccountId, Balance, BlockNumber, Hash, Nonce};
use opensand_storage::StorageHandle;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use pallet_transaction_payment_rpc_runtime_api::RuntimeDispatchInfo;
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use sp_keystore::KeystorePtr;
use sp_runtime::Weight;
use substrate_frame_rpc_system::{System, SystemApiServer};

use crate::{
	prover::{
		rpc::{ProverApiServer, ProverRpc},
		ProverHandle,
	},
	service::{Block, FullBackend, FullClient, FullPool, FullSelectChain},
	storage::rpc::{StorageProviderApiServer, StorageProviderRpc},
};

/// What the methods reach for.
pub struct Dependencies {
	/// The chain.
	pub client: Arc<FullClient>,
	/// Transactions that wait for a block.
	pub pool: Arc<FullPool>,
	/// Which head is best.
	pub select_chain: FullSelectChain,
	/// The specification that the node runs.
	pub chain_spec: Box<dyn sc_service::ChainSpec>,
	/// The node's keys.
	pub keystore: KeystorePtr,
	/// Answers questions on BABE's epochs.
	pub babe_worker: BabeWorkerHandle<Block>,
	/// The node's prover, if it proves.
	pub prover: Option<ProverHandle>,
	/// The node's storage provider, if it stores.
	pub storage: Option<StorageHandle>,
	/// Finality.
	pub grandpa: GrandpaDependencies,
}

/// What the `grandpa` methods reach for.
pub struct GrandpaDependencies {
	/// Where the voter's rounds stand.
	pub voter_state: SharedVoterState,
	/// Who votes.
	pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	/// New justifications.
	pub justifications: GrandpaJustificationStream<Block>,
	/// Proofs of past finality.
	pub finality_proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
}

/// The `system_accountNextIndex`, `payment`, `babe`, `grandpa`, `sync_state` and, where the node proves or
/// stores, `prover` and `storage` methods.
///
/// # Errors
///
/// When two methods share a name, or the chain specification lacks the light-sync extension.
pub fn methods(
	dependencies: Dependencies,
	executor: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn Error + Send + Sync>> {
	let Dependencies {
		client,
		pool,
		select_chain,
		chain_spec,
		keystore,
		babe_worker,
		prover,
		storage,
		grandpa,
	} = dependencies;

	let mut module = RpcModule::new(());
	module.merge(SystemApiServer::<Hash, AccountId, Nonce>::into_rpc(System::new(
		client.clone(),
		pool,
	)))?;
	module.merge(TransactionPaymentApiServer::<
		Hash,
		RuntimeDispatchInfo<Balance, Weight>,
	>::into_rpc(TransactionPayment::<_, Block>::new(client.clone())))?;
	module.merge(Babe::new(client.clone(), babe_worker.clone(), keystore, select_chain).into_rpc())?;
	module.merge(
		Grandpa::new(
			executor,
			grandpa.authority_set.clone(),
			grandpa.voter_state,
			grandpa.justifications,
			grandpa.finality_proofs,
		)
		.into_rpc(),
	)?;
	module.merge(SyncState::new(chain_spec, client, grandpa.authority_set, babe_worker)?.into_rpc())?;
	if let Some(prover) = prover {
		module.merge(ProverRpc::new(prover).into_rpc())?;
	}
	if let Some(storage) = storage {
		module.merge(StorageProviderRpc::new(storage).into_rpc())?;
	}
	Ok(module)
}
