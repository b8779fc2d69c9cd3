//! Finality with GRANDPA.

use std::{sync::Arc, time::Duration};

use sc_consensus_grandpa::{Config, GrandpaParams, LinkHalf, SharedVoterState, VotingRulesBuilder};
use sc_network::{
	service::traits::{NetworkService, NotificationService},
	ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_service::{Error, Role, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;

use super::{Block, FullClient, FullPool, FullSelectChain};

/// A justification is made and kept at least every so many blocks, and at every change of the authorities.
pub(super) const JUSTIFICATION_PERIOD: u32 = 512;

/// How long a vote is expected to take to reach every voter.
const GOSSIP_DURATION: Duration = Duration::from_millis(333);

/// What the voter needs.
pub struct Dependencies {
	pub role: Role,
	pub node_name: String,
	/// The keys to vote with; `None` follows the votes of others.
	pub keystore: Option<KeystorePtr>,
	pub link: LinkHalf<Block, FullClient, FullSelectChain>,
	pub network: Arc<dyn NetworkService>,
	pub sync_service: Arc<SyncingService<Block>>,
	pub protocol_name: ProtocolName,
	pub notification_service: Box<dyn NotificationService>,
	pub voter_state: SharedVoterState,
	/// Where reports of equivocation go.
	pub transaction_pool: Arc<FullPool>,
	pub prometheus: Option<Registry>,
	pub telemetry: Option<TelemetryHandle>,
}

/// Spawns the voter. Every node runs it, with keys or without: it also follows finality and serves catch-up
/// requests. The node stops when it fails.
pub fn spawn(task_manager: &TaskManager, dependencies: Dependencies) -> Result<(), Error> {
	let Dependencies {
		role,
		node_name,
		keystore,
		link,
		network,
		sync_service,
		protocol_name,
		notification_service,
		voter_state,
		transaction_pool,
		prometheus,
		telemetry,
	} = dependencies;

	let voter = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
		config: Config {
			gossip_duration: GOSSIP_DURATION,
			justification_generation_period: JUSTIFICATION_PERIOD,
			observer_enabled: false,
			local_role: role,
			name: Some(node_name),
			keystore,
			telemetry: telemetry.clone(),
			protocol_name,
		},
		link,
		network,
		sync: sync_service,
		notification_service,
		voting_rule: VotingRulesBuilder::default().build(),
		prometheus_registry: prometheus,
		shared_voter_state: voter_state,
		telemetry,
		offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(transaction_pool),
	})?;
	task_manager
		.spawn_essential_handle()
		.spawn_blocking("grandpa-voter", None, voter);
	Ok(())
}
