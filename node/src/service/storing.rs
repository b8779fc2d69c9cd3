//! The storage provider beside the chain: how it opens and how long it runs.

use std::sync::Arc;

use opensand_storage::{Config, StorageHandle, StorageService};
use sc_service::{Error, TaskManager};
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;

use super::{FullClient, FullPool};
use crate::storage::agent::Agent;

/// What the storage provider reaches for.
pub struct Dependencies {
	pub client: Arc<FullClient>,
	pub transaction_pool: Arc<FullPool>,
	pub keystore: KeystorePtr,
	pub prometheus: Option<Registry>,
}

/// Opens the service and spawns its task, which ends with the node.
///
/// # Errors
///
/// When the directory or the network does not open.
pub async fn spawn(
	task_manager: &TaskManager,
	config: Config,
	dependencies: Dependencies,
) -> Result<StorageHandle, Error> {
	let Dependencies {
		client,
		transaction_pool,
		keystore,
		prometheus,
	} = dependencies;
	let agent = Agent::new(client, transaction_pool, keystore);
	let service = StorageService::open(config, Arc::new(agent), prometheus.as_ref())
		.await
		.map_err(|error| Error::Application(error.into()))?;
	let handle = service.handle();
	// Not essential: a validator goes on making blocks when its storage has failed.
	task_manager
		.spawn_handle()
		.spawn("storage", Some("storage"), service.run());
	Ok(handle)
}
