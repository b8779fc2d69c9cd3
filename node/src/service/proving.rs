//! The prover beside the chain: how it starts, follows the best block and reaches off-chain workers.

use std::sync::Arc;

use futures::{future::ready, StreamExt};
use sc_client_api::{BlockchainEvents, HeaderBackend};
use sc_service::{Configuration, Error, TaskManager};
use sp_runtime::traits::Header;

use super::{offchain::ExtensionFactory, FullClient};
use crate::prover::{params::ProverParams, ProverService};

/// Starts the prover of the node that `config` describes.
///
/// # Errors
///
/// When the key or the queue cannot be opened.
pub fn start(config: &Configuration, params: &ProverParams) -> Result<ProverService, Error> {
	let chain = config.base_path.config_dir(config.chain_spec.id());
	let prover = params
		.config(config.base_path.path(), &chain)
		.map_err(|error| Error::Application(error.into()))?;
	ProverService::start(prover, config.prometheus_registry())
		.map_err(|error| Error::Application(error.into()))
}

/// Keeps `prover` alive with the node and tells it of every new best block. Answers what makes the extensions by which
/// off-chain workers, and they alone, reach it.
pub fn spawn(
	task_manager: &mut TaskManager,
	client: Arc<FullClient>,
	prover: ProverService,
) -> ExtensionFactory {
	let handle = prover.handle();
	let deadlines = {
		let handle = handle.clone();
		async move {
			handle.note_best_block(client.info().best_number);
			let mut imports = client
				.import_notification_stream()
				.filter(|block| ready(block.is_new_best));
			while let Some(block) = imports.next().await {
				handle.note_best_block(*block.header.number());
			}
		}
	};
	// Blocking, because ending a job waits for the disk.
	task_manager
		.spawn_handle()
		.spawn_blocking("prover-deadlines", Some("prover"), deadlines);
	task_manager.keep_alive(prover);
	Box::new(move |_| vec![Box::new(handle.extension())])
}
