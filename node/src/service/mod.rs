//! The full node: from a configuration to running tasks.
//!
//! [`new_partial`] opens the database and builds everything that needs no network; [`new_full`] adds the
//! network, RPC, block production, finality, authority discovery and off-chain workers, one module each.

mod authoring;
mod discovery;
mod finality;
mod hardware;
mod network;
mod offchain;
mod partial;
mod proving;
mod storing;

use std::path::Path;

use opensand_primitives::{Hash, Header};
use opensand_runtime::RuntimeApi;
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState};
use sc_network::{config::NetworkBackendType, Litep2pNetworkBackend, NetworkBackend, NetworkWorker};
use sc_service::{Configuration, Error, SpawnTasksParams, TaskManager};
use sc_storage_monitor::{StorageMonitorParams, StorageMonitorService};
use sp_consensus_babe::inherents::BabeCreateInherentDataProviders;
use sp_runtime::{generic, OpaqueExtrinsic};

pub use self::{
	partial::{new_partial, ConsensusLinks, PartialComponents},
	proving::start as start_prover,
};
use crate::{executor::RuntimeExecutor, prover::ProverService, rpc};

/// A block whose extrinsics the node does not look into.
pub type Block = generic::Block<Header, OpaqueExtrinsic>;
/// The chain: storage, execution and import.
pub type FullClient = sc_service::TFullClient<Block, RuntimeApi, RuntimeExecutor>;
/// The database.
pub type FullBackend = sc_service::TFullBackend<Block>;
/// The longest chain is the best; BABE lets primary blocks count for length.
pub type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub type FullPool = sc_transaction_pool::TransactionPoolHandle<Block, FullClient>;
/// Import with GRANDPA's bookkeeping.
pub type GrandpaBlockImport =
	sc_consensus_grandpa::GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
/// Import with BABE's and GRANDPA's bookkeeping: the one that blocks must take.
pub type BabeBlockImport = sc_consensus_babe::BabeBlockImport<
	Block,
	FullClient,
	GrandpaBlockImport,
	BabeCreateInherentDataProviders<Block>,
	FullSelectChain,
>;

/// What a node is told beside its [`Configuration`].
pub struct Options {
	/// When to stop for lack of disk space.
	pub storage_monitor: StorageMonitorParams,
	/// Whether to measure the machine at start.
	pub measure_hardware: bool,
	/// What off-chain workers reach through the bridge. `None` where the node does not prove, whereupon the bridge
	/// answers `Unavailable`.
	pub prover: Option<ProverService>,
	/// How the node stores data for others, if it does.
	pub storage: Option<opensand_storage::Config>,
}

/// Builds a node and starts its tasks.
///
/// # Errors
///
/// When the database, the network or the RPC server does not open, or the disk has less room than
/// [`Options::storage_monitor`] asks for.
pub async fn new_full(config: Configuration, options: Options) -> Result<TaskManager, Error> {
	let database_path = config.database.path().map(Path::to_path_buf);
	let storage_monitor = options.storage_monitor.clone();

	let task_manager = match config.network.network_backend {
		NetworkBackendType::Libp2p => start::<NetworkWorker<Block, Hash>>(config, options).await?,
		NetworkBackendType::Litep2p => start::<Litep2pNetworkBackend>(config, options).await?,
	};

	if let Some(path) = database_path {
		StorageMonitorService::try_spawn(storage_monitor, path, &task_manager.spawn_essential_handle())
			.map_err(|error| Error::Application(error.into()))?;
	}
	Ok(task_manager)
}

async fn start<N: NetworkBackend<Block, Hash>>(
	config: Configuration,
	options: Options,
) -> Result<TaskManager, Error> {
	let hardware = options.measure_hardware.then(|| hardware::measure(&config));

	let PartialComponents {
		client,
		backend,
		mut task_manager,
		import_queue,
		keystore_container,
		select_chain,
		transaction_pool,
		other:
			ConsensusLinks {
				block_import,
				babe_link,
				babe_worker,
				grandpa_link,
				mut telemetry,
			},
	} = new_partial(&config)?;

	let network = network::build::<N>(network::Dependencies {
		config: &config,
		task_manager: &task_manager,
		client: client.clone(),
		backend: backend.clone(),
		transaction_pool: transaction_pool.clone(),
		import_queue,
		authority_set: grandpa_link.shared_authority_set().clone(),
	})?;

	let role = config.role;
	let force_authoring = config.force_authoring;
	let votes = !config.disable_grandpa;
	let runs_offchain_workers = config.offchain_worker.enabled;
	let node_name = config.network.node_name.clone();
	let discovery_config = discovery::worker_config(&config.network);
	let prometheus = config.prometheus_registry().cloned();
	let keystore = keystore_container.keystore();
	let voter_state = SharedVoterState::empty();

	let storage = match options.storage {
		Some(storage) => Some(
			storing::spawn(
				&task_manager,
				storage,
				storing::Dependencies {
					client: client.clone(),
					transaction_pool: transaction_pool.clone(),
					keystore: keystore.clone(),
					prometheus: prometheus.clone(),
				},
			)
			.await?,
		),
		None => None,
	};

	let rpc_builder = {
		let prover = options.prover.as_ref().map(ProverService::handle);
		let client = client.clone();
		let pool = transaction_pool.clone();
		let select_chain = select_chain.clone();
		let chain_spec = config.chain_spec.cloned_box();
		let keystore = keystore.clone();
		let voter_state = voter_state.clone();
		let authority_set = grandpa_link.shared_authority_set().clone();
		let justifications = grandpa_link.justification_stream();
		let finality_proofs =
			FinalityProofProvider::new_for_service(backend.clone(), Some(authority_set.clone()));
		move |executor| {
			let dependencies = rpc::Dependencies {
				client: client.clone(),
				pool: pool.clone(),
				select_chain: select_chain.clone(),
				chain_spec: chain_spec.cloned_box(),
				keystore: keystore.clone(),
				babe_worker: babe_worker.clone(),
				prover: prover.clone(),
				storage: storage.clone(),
				grandpa: rpc::GrandpaDependencies {
					voter_state: voter_state.clone(),
					authority_set: authority_set.clone(),
					justifications: justifications.clone(),
					finality_proofs: finality_proofs.clone(),
				},
			};
			rpc::methods(dependencies, executor).map_err(Error::Application)
		}
	};

	sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: client.clone(),
		backend: backend.clone(),
		task_manager: &mut task_manager,
		keystore: keystore.clone(),
		transaction_pool: transaction_pool.clone(),
		rpc_builder: Box::new(rpc_builder),
		network: network.service.clone(),
		system_rpc_tx: network.system_rpc_tx,
		tx_handler_controller: network.tx_handler_controller,
		sync_service: network.sync_service.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;

	let telemetry_handle = telemetry.as_ref().map(|telemetry| telemetry.handle());
	if let Some(measured) = hardware {
		hardware::report(
			&task_manager,
			measured,
			role.is_authority(),
			telemetry_handle.clone(),
		);
	}

	if role.is_authority() {
		authoring::spawn(
			&task_manager,
			authoring::Dependencies {
				client: client.clone(),
				transaction_pool: transaction_pool.clone(),
				select_chain,
				block_import,
				babe_link,
				keystore: keystore.clone(),
				sync_service: network.sync_service.clone(),
				force_authoring,
				prometheus: prometheus.clone(),
				telemetry: telemetry_handle.clone(),
			},
		)?;
		discovery::spawn(
			&task_manager,
			discovery_config,
			client.clone(),
			network.service.clone(),
			keystore.clone(),
			prometheus.clone(),
		);
	}

	if votes {
		finality::spawn(
			&task_manager,
			finality::Dependencies {
				role,
				node_name,
				keystore: role.is_authority().then(|| keystore.clone()),
				link: grandpa_link,
				network: network.service.clone(),
				sync_service: network.sync_service,
				protocol_name: network.grandpa_protocol_name,
				notification_service: network.grandpa_notifications,
				voter_state,
				transaction_pool: transaction_pool.clone(),
				prometheus,
				telemetry: telemetry_handle,
			},
		)?;
	}

	let prover_extensions = options
		.prover
		.map(|prover| proving::spawn(&mut task_manager, client.clone(), prover));
	if runs_offchain_workers {
		offchain::spawn(
			&task_manager,
			offchain::Dependencies {
				client,
				backend,
				keystore,
				transaction_pool,
				network: network.service,
				is_validator: role.is_authority(),
				prover_extensions,
			},
		)?;
	}

	task_manager.keep_alive(telemetry);
	Ok(task_manager)
}
