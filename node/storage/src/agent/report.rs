//! Status and metrics.

use opensand_primitives::storage::StorageTerms;

use super::{Agent, View};
use crate::{
	chain::BestBlock,
	status::{provider_status, ProofDue, ProviderView, ShardName},
};

impl Agent {
	/// Brings the status and the metrics up to date.
	pub(super) async fn show(&self, best: BestBlock, terms: &StorageTerms, view: Option<&View>) {
		let counts = self.context.count_phases();
		let used = self.context.store.used_bytes();
		let quota = self.context.config.quota;
		let metrics = &self.context.metrics;
		metrics.set_bytes(used, quota);
		metrics.set_shards(&counts);
		if let Some(view) = view {
			metrics.set_last_proven(view.record.proven);
			metrics.set_faults(view.record.faults);
		}

		let exchange = &self.context.exchange;
		let connected = exchange.connected_peers().len();
		let mut status = self.context.status.write();
		status.connected_peers = connected;
		status.agent = self.context.chain.agent().map(|agent| agent.to_string());
		status.best_block = best.number;
		status.window = terms.window;
		status.used_bytes = used;
		status.quota_bytes = quota;
		status.shards = counts
			.into_iter()
			.map(|(phase, count)| (phase.as_str().to_owned(), count))
			.collect();
		status.fetching = self
			.jobs
			.keys()
			.map(|id| ShardName {
				order: id.order,
				shard: id.shard,
			})
			.collect();
		status.fetching.sort_unstable();
		status.proof_due = self.due.map(|due| ProofDue {
			window: due.window,
			deadline: due.deadline,
		});
		status.provider = view.map(|view| {
			let (name, jailed_until) = provider_status(&view.record.status);
			ProviderView {
				account: view.provider.to_string(),
				status: name.into(),
				jailed_until,
				collateral: view.record.collateral.to_string(),
				reserved: view.record.reserved.to_string(),
				committed_bytes: view.record.committed,
				quota_bytes: view.record.terms.quota,
				last_proven_window: view.record.proven,
				faults: view.record.faults,
				peer_matches: self.peer_matches(view),
			}
		});
	}
}
