//! What an operator sees of a network: metrics, and a validator with the database that is not the default, killed and back.

use std::{fs, time::Duration};

use anyhow::{Context, Result};
use opensand_tests::{
	eventually,
	network::{wait_for_finality, Network, PARITYDB_VALIDATOR},
	node::{metric, Node},
};

/// Blocks come every 6 s on average; this bounds the wait for a few of them far in the distribution's tail.
const FINALITY_LIMIT: Duration = Duration::from_secs(300);

/// Waits until one of the node's metrics is at least this.
async fn wait_for_metric(node: &Node, name: &str, label: &str, least: f64) -> Result<()> {
	let what = format!("{name} of {} is {least}", node.name());
	eventually(&what, FINALITY_LIMIT, || async {
		let value =
			metric(&node.metrics().await?, name, label).with_context(|| format!("no metric {name}"))?;
		Ok((value >= least).then_some(()))
	})
	.await
}

/// Whether a node's chain is in ParityDB.
fn has_paritydb(node: &Node) -> Result<bool> {
	for chain in fs::read_dir(node.directory().join("chains"))? {
		if chain?.path().join("paritydb").is_dir() {
			return Ok(true);
		}
	}
	Ok(false)
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_of_finality_and_a_validator_on_paritydb_survives_kill_9() -> Result<()> {
	let mut network = Network::local_observed().await?;
	for node in &network.nodes {
		wait_for_finality(node, 3, FINALITY_LIMIT).await?;
		assert_eq!(
			has_paritydb(node)?,
			node.name() == PARITYDB_VALIDATOR,
			"{}",
			node.name()
		);
	}
	let alice = &network.nodes[0];
	wait_for_metric(alice, "substrate_block_height", "status=\"finalized\"", 3.0).await?;
	let known = "substrate_authority_discovery_known_authorities_count";
	wait_for_metric(alice, known, "", 1.0).await?;

	let dave = network.nodes.pop().context("four nodes")?;
	let finalised = dave.finalized_number().await?;
	let dave = dave.kill().await?.start().await?;
	wait_for_finality(&dave, finalised + 2, FINALITY_LIMIT).await
}
