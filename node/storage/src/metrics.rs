//! What Prometheus can ask of the storage service.

use std::collections::BTreeMap;

use opensand_primitives::storage::WindowIndex;
use substrate_prometheus_endpoint::{
	register, Counter, Gauge, GaugeVec, Opts, PrometheusError, Registry, U64,
};

use crate::record::PhaseName;

/// Handles of the registered metrics; does nothing on a node without Prometheus.
#[derive(Clone, Default)]
pub struct Metrics(Option<Registered>);

#[derive(Clone)]
struct Registered {
	bytes_used: Gauge<U64>,
	quota: Gauge<U64>,
	shards: GaugeVec<U64>,
	last_proven_window: Gauge<U64>,
	proofs_sent: Counter<U64>,
	windows_proven: Counter<U64>,
	windows_missed: Counter<U64>,
	slots_accepted: Counter<U64>,
	fetched_bytes: Counter<U64>,
	scrubbed_bytes: Counter<U64>,
	shards_rebuilt: Counter<U64>,
	shards_lost: Counter<U64>,
	shards_removed: Counter<U64>,
	shards_damaged: Counter<U64>,
	corrupt_blocks: Counter<U64>,
	faults: Gauge<U64>,
}

impl Metrics {
	/// Registers the metrics, if there is a registry.
	///
	/// Errors: a metric of the same name is registered already.
	pub fn register(registry: Option<&Registry>) -> Result<Self, PrometheusError> {
		registry.map(Registered::register).transpose().map(Self)
	}

	/// Bytes on disk, and how many there may be.
	pub fn set_bytes(&self, used: u64, quota: u64) {
		self.with(|metrics| {
			metrics.bytes_used.set(used);
			metrics.quota.set(quota);
		});
	}

	/// Numbers of shards by phase.
	pub fn set_shards(&self, counts: &BTreeMap<PhaseName, u64>) {
		self.with(|metrics| {
			for phase in PhaseName::ALL {
				let count = counts.get(&phase).copied().unwrap_or(0);
				metrics.shards.with_label_values(&[phase.as_str()]).set(count);
			}
		});
	}

	/// Faults in a row, as the chain counts them.
	pub fn set_faults(&self, faults: u32) {
		self.with(|metrics| metrics.faults.set(faults.into()));
	}

	/// The last window that is proven on chain.
	pub fn set_last_proven(&self, window: WindowIndex) {
		self.with(|metrics| metrics.last_proven_window.set(window.into()));
	}

	/// A proof was handed to the pool.
	pub fn proof_sent(&self) {
		self.with(|metrics| metrics.proofs_sent.inc());
	}

	/// The chain has taken a window's proof.
	pub fn window_proven(&self) {
		self.with(|metrics| metrics.windows_proven.inc());
	}

	/// A window that asked for something has ended without a proof on chain.
	pub fn window_missed(&self) {
		self.with(|metrics| metrics.windows_missed.inc());
	}

	/// A slot was bid for.
	pub fn slot_accepted(&self) {
		self.with(|metrics| metrics.slots_accepted.inc());
	}

	/// Bytes came from the network.
	pub fn fetched(&self, bytes: u64) {
		self.with(|metrics| metrics.fetched_bytes.inc_by(bytes));
	}

	/// Bytes were read by the scrubber.
	pub fn scrubbed(&self, bytes: u64) {
		self.with(|metrics| metrics.scrubbed_bytes.inc_by(bytes));
	}

	/// A shard was rebuilt from others.
	pub fn shard_rebuilt(&self) {
		self.with(|metrics| metrics.shards_rebuilt.inc());
	}

	/// A shard was given up.
	pub fn shard_lost(&self) {
		self.with(|metrics| metrics.shards_lost.inc());
	}

	/// `count` shards were removed from disk.
	pub fn shards_removed(&self, count: u64) {
		self.with(|metrics| metrics.shards_removed.inc_by(count));
	}

	/// A stored shard was found to have missing or corrupt blocks.
	pub fn shard_damaged(&self) {
		self.with(|metrics| metrics.shards_damaged.inc());
	}

	/// A block on disk was missing or not what its CID says.
	pub fn block_corrupt(&self) {
		self.with(|metrics| metrics.corrupt_blocks.inc());
	}

	fn with(&self, change: impl FnOnce(&Registered)) {
		if let Some(metrics) = &self.0 {
			change(metrics);
		}
	}
}

impl Registered {
	fn register(registry: &Registry) -> Result<Self, PrometheusError> {
		let gauge = |name: &str, help: &str| {
			register(Gauge::new(format!("opensand_storage_{name}"), help)?, registry)
		};
		let counter = |name: &str, help: &str| {
			register(Counter::new(format!("opensand_storage_{name}"), help)?, registry)
		};
		Ok(Self {
			bytes_used: gauge("bytes_used", "Bytes of blocks on disk")?,
			quota: gauge("quota_bytes", "Bytes that blocks may take on disk")?,
			shards: register(
				GaugeVec::new(
					Opts::new(
						"opensand_storage_shards",
						"Shards by where they stand on this machine",
					),
					&["phase"],
				)?,
				registry,
			)?,
			last_proven_window: gauge(
				"last_proven_window",
				"The last window whose proof the chain has taken",
			)?,
			proofs_sent: counter("proofs_sent", "Proofs of possession handed to the pool")?,
			windows_proven: counter("windows_proven", "Windows whose proof the chain has taken")?,
			windows_missed: counter(
				"windows_missed",
				"Windows that ended without the proof that was due",
			)?,
			slots_accepted: counter("slots_accepted", "Slots and repairs that were bid for")?,
			fetched_bytes: counter("fetched_bytes", "Bytes of blocks that came from the network")?,
			scrubbed_bytes: counter("scrubbed_bytes", "Bytes of blocks that the scrubber has read")?,
			shards_rebuilt: counter("shards_rebuilt", "Shards that were rebuilt from others")?,
			shards_lost: counter("shards_lost", "Shards that were given up")?,
			shards_removed: counter("shards_removed", "Shards that were removed from disk")?,
			shards_damaged: counter("shards_damaged", "Stored shards that were found to be damaged")?,
			corrupt_blocks: counter(
				"corrupt_blocks",
				"Blocks that the scrubber found missing or damaged on disk",
			)?,
			faults: gauge("faults", "Windows missed in a row, as the chain counts them")?,
		})
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn metrics_register_once_and_show_what_happened() {
		let registry = Registry::new();
		let metrics = Metrics::register(Some(&registry)).unwrap();
		metrics.set_bytes(5, 10);
		metrics.set_shards(&BTreeMap::from([(PhaseName::Stored, 3)]));
		metrics.set_last_proven(7);
		metrics.set_faults(2);
		metrics.proof_sent();
		metrics.fetched(100);

		let value = |name: &str| {
			let families = registry.gather();
			let family = families
				.iter()
				.find(|family| family.get_name() == format!("opensand_storage_{name}"))
				.expect(name);
			family
				.get_metric()
				.iter()
				.map(|metric| metric.get_gauge().get_value() + metric.get_counter().get_value())
				.sum::<f64>()
		};
		assert_eq!(value("bytes_used"), 5.0);
		assert_eq!(value("quota_bytes"), 10.0);
		assert_eq!(value("shards"), 3.0);
		assert_eq!(value("last_proven_window"), 7.0);
		assert_eq!(value("faults"), 2.0);
		assert_eq!(value("proofs_sent"), 1.0);
		assert_eq!(value("fetched_bytes"), 100.0);
		assert!(Metrics::register(Some(&registry)).is_err());
		// Without a registry it does nothing, and does not fail.
		Metrics::register(None).unwrap().proof_sent();
	}
}
