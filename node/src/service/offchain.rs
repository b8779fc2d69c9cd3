//! Off-chain workers: runtime code that runs beside the chain on every new best block.

use std::sync::Arc;

use futures::FutureExt;
use opensand_primitives::Hash;
use sc_client_api::Backend;
use sc_network::service::traits::NetworkService;
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{Error, TaskManager};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_externalities::Extension;
use sp_keystore::KeystorePtr;

use super::{FullBackend, FullClient, FullPool};

/// Makes the extensions that one run of the off-chain worker gets beside the standard ones; called with the
/// hash of the block that it runs on.
pub type ExtensionFactory = Box<dyn Fn(Hash) -> Vec<Box<dyn Extension>> + Send + Sync>;

/// What off-chain workers reach for.
pub struct Dependencies {
	pub client: Arc<FullClient>,
	pub backend: Arc<FullBackend>,
	pub keystore: KeystorePtr,
	pub transaction_pool: Arc<FullPool>,
	pub network: Arc<dyn NetworkService>,
	pub is_validator: bool,
	/// How they reach this node's prover, if it has one.
	pub prover_extensions: Option<ExtensionFactory>,
}

/// Spawns the task that runs the off-chain worker on every new best block.
pub fn spawn(task_manager: &TaskManager, dependencies: Dependencies) -> Result<(), Error> {
	let Dependencies {
		client,
		backend,
		keystore,
		transaction_pool,
		network,
		is_validator,
		prover_extensions,
	} = dependencies;

	let workers = OffchainWorkers::new(OffchainWorkerOptions {
		runtime_api_provider: client.clone(),
		keystore: Some(keystore),
		offchain_db: backend.offchain_storage(),
		transaction_pool: Some(OffchainTransactionPoolFactory::new(transaction_pool)),
		network_provider: Arc::new(network),
		is_validator,
		enable_http_requests: true,
		custom_extensions: move |block| {
			prover_extensions
				.as_ref()
				.map(|extensions| extensions(block))
				.unwrap_or_default()
		},
	})?;
	task_manager.spawn_handle().spawn(
		"offchain-workers-runner",
		Some("offchain-worker"),
		workers.run(client, task_manager.spawn_handle()).boxed(),
	);
	Ok(())
}
