//! Authority discovery: validators publish their addresses under their keys, and find each other by them.

use std::sync::Arc;

use futures::StreamExt;
use sc_authority_discovery::{Role, WorkerConfig};
use sc_network::{config::NetworkConfiguration, service::traits::NetworkService, Event, NetworkEventStream};
use sc_service::TaskManager;
use sp_keystore::KeystorePtr;
use substrate_prometheus_endpoint::Registry;

use super::FullClient;

/// How this node publishes and looks up addresses.
pub fn worker_config(network: &NetworkConfiguration) -> WorkerConfig {
	WorkerConfig {
		publish_non_global_ips: network.allow_non_globals_in_dht,
		public_addresses: network.public_addresses.clone(),
		// Every node of this chain has signed its records from the first release on.
		strict_record_validation: true,
		persisted_cache_directory: network.net_config_path.clone(),
		..Default::default()
	}
}

/// Spawns the task that publishes this authority and discovers the others.
pub fn spawn(
	task_manager: &TaskManager,
	config: WorkerConfig,
	client: Arc<FullClient>,
	network: Arc<dyn NetworkService>,
	keystore: KeystorePtr,
	prometheus: Option<Registry>,
) {
	let dht_events = network
		.event_stream("authority-discovery")
		.filter_map(|event| async move {
			match event {
				Event::Dht(event) => Some(event),
				_ => None,
			}
		});
	let (worker, _service) = sc_authority_discovery::new_worker_and_service_with_config(
		config,
		client,
		Arc::new(network),
		Box::pin(dht_events),
		Role::PublishAndDiscover(keystore),
		prometheus,
		task_manager.spawn_handle(),
	);
	task_manager
		.spawn_handle()
		.spawn("authority-discovery-worker", Some("networking"), worker.run());
}
