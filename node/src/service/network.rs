//! Peer-to-peer networking: block sync with warp proofs, transaction gossip, and GRANDPA's protocol.

use std::sync::Arc;

use opensand_primitives::{BlockNumber, Hash};
use sc_client_api::HeaderBackend;
use sc_consensus::DefaultImportQueue;
use sc_consensus_grandpa::{warp_proof, SharedAuthoritySet};
use sc_network::{
	config::FullNetworkConfiguration,
	service::traits::{NetworkService, NotificationService},
	NetworkBackend, ProtocolName,
};
use sc_network_sync::{SyncingService, WarpSyncConfig};
use sc_service::{BuildNetworkParams, Configuration, Error, TaskManager};
use sc_utils::mpsc::TracingUnboundedSender;

use super::{Block, FullBackend, FullClient, FullPool};

/// What the network is built from.
pub struct Dependencies<'a> {
	pub config: &'a Configuration,
	pub task_manager: &'a TaskManager,
	pub client: Arc<FullClient>,
	pub backend: Arc<FullBackend>,
	pub transaction_pool: Arc<FullPool>,
	pub import_queue: DefaultImportQueue<Block>,
	/// Who votes; warp proofs are checked against it.
	pub authority_set: SharedAuthoritySet<Hash, BlockNumber>,
}

/// The running network and its handles.
pub struct Network {
	pub service: Arc<dyn NetworkService>,
	pub sync_service: Arc<SyncingService<Block>>,
	pub system_rpc_tx: TracingUnboundedSender<sc_rpc::system::Request<Block>>,
	pub tx_handler_controller: sc_network_transactions::TransactionsHandlerController<Hash>,
	pub grandpa_protocol_name: ProtocolName,
	pub grandpa_notifications: Box<dyn NotificationService>,
}

/// Builds the network on the backend `N` and spawns its tasks.
pub fn build<N: NetworkBackend<Block, Hash>>(dependencies: Dependencies) -> Result<Network, Error> {
	let Dependencies {
		config,
		task_manager,
		client,
		backend,
		transaction_pool,
		import_queue,
		authority_set,
	} = dependencies;

	let registry = config.prometheus_registry().cloned();
	let metrics = N::register_notification_metrics(registry.as_ref());
	let mut net_config = FullNetworkConfiguration::<Block, Hash, N>::new(&config.network, registry);

	let grandpa_protocol_name =
		sc_consensus_grandpa::protocol_standard_name(&client.info().genesis_hash, &config.chain_spec);
	let (grandpa_protocol, grandpa_notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<Block, N>(
		grandpa_protocol_name.clone(),
		metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(grandpa_protocol);

	let warp_proofs = warp_proof::NetworkProvider::new(backend, authority_set, Vec::new());
	let (service, system_rpc_tx, tx_handler_controller, sync_service, _bitswap) =
		sc_service::build_network(BuildNetworkParams {
			config,
			net_config,
			client,
			transaction_pool,
			spawn_handle: task_manager.spawn_handle(),
			spawn_essential_handle: task_manager.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(Arc::new(warp_proofs))),
			block_relay: None,
			metrics,
			gap_sync_body_policy: None,
		})?;

	Ok(Network {
		service,
		sync_service,
		system_rpc_tx,
		tx_handler_controller,
		grandpa_protocol_name,
		grandpa_notifications,
	})
}
