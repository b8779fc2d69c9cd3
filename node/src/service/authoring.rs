//! Block production with BABE.

use std::sync::Arc;

use sc_basic_authorship::ProposerFactory;
use sc_consensus_babe::{BabeLink, BabeParams, SlotProportion};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network_sync::SyncingService;
use sc_service::{Error, TaskManager};
use sc_telemetry::TelemetryHandle;
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;

use super::{
	partial::inherent_data_providers, BabeBlockImport, Block, FullClient, FullPool, FullSelectChain,
};

/// The share of a slot that goes into making a block; the rest is for spreading it.
const PROPOSAL_SHARE: f32 = 2.0 / 3.0;

/// The most that making a block may take after empty slots, in slots.
///
/// The client takes empty slots for a sign of trouble and doubles the time for every two of them. With primary
/// slots only, two slots in three are empty by design, so that lenience stops at one whole slot.
const LONGEST_PROPOSAL: f32 = 1.0;

/// What authoring needs.
pub struct Dependencies {
	pub client: Arc<FullClient>,
	pub transaction_pool: Arc<FullPool>,
	pub select_chain: FullSelectChain,
	pub block_import: BabeBlockImport,
	pub babe_link: BabeLink<Block>,
	pub keystore: KeystorePtr,
	pub sync_service: Arc<SyncingService<Block>>,
	/// Author without peers and while syncing: for a chain of one node.
	pub force_authoring: bool,
	pub prometheus: Option<Registry>,
	pub telemetry: Option<TelemetryHandle>,
}

/// Spawns the task that claims slots and makes blocks. The node stops when it fails.
pub fn spawn(task_manager: &TaskManager, dependencies: Dependencies) -> Result<(), Error> {
	let Dependencies {
		client,
		transaction_pool,
		select_chain,
		block_import,
		babe_link,
		keystore,
		sync_service,
		force_authoring,
		prometheus,
		telemetry,
	} = dependencies;

	let proposer = ProposerFactory::new(
		task_manager.spawn_handle(),
		client.clone(),
		transaction_pool,
		prometheus.as_ref(),
		telemetry.clone(),
	);
	let babe = sc_consensus_babe::start_babe(BabeParams {
		keystore,
		client,
		select_chain,
		env: proposer,
		block_import,
		sync_oracle: sync_service.clone(),
		justification_sync_link: sync_service,
		create_inherent_data_providers: inherent_data_providers(babe_link.config().slot_duration()),
		force_authoring,
		backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
		babe_link,
		block_proposal_slot_portion: SlotProportion::new(PROPOSAL_SHARE),
		max_block_proposal_slot_portion: Some(SlotProportion::new(LONGEST_PROPOSAL)),
		telemetry,
	})?;
	task_manager
		.spawn_essential_handle()
		.spawn_blocking("babe-proposer", Some("block-authoring"), babe);
	Ok(())
}
