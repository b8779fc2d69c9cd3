//! Four validators finalise blocks together, go on without one of them, and take it back.

use std::time::Duration;

use anyhow::{Context, Result};
use opensand_tests::{
	eventually,
	network::{block_by, stash, wait_for_finality, wait_for_peers, Network},
	node::Node,
};

/// Blocks come every 6 s on average; this bounds the wait for a few of them far in the distribution's tail.
const FINALITY_LIMIT: Duration = Duration::from_secs(300);

/// Checks that all nodes hold the same block at `number`.
async fn assert_same_block(nodes: &[Node], number: u32) -> Result<()> {
	let (first, others) = nodes.split_first().context("a network has nodes")?;
	let expected = first.block_hash(number).await?;
	assert!(
		expected.is_some(),
		"{} finalised block {number} and does not have it",
		first.name()
	);
	for node in others {
		assert_eq!(
			node.block_hash(number).await?,
			expected,
			"block {number} of {}",
			node.name()
		);
	}
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn four_validators_finalise_and_a_killed_one_comes_back() -> Result<()> {
	let mut network = Network::local().await?;
	for node in &network.nodes {
		wait_for_finality(node, 3, FINALITY_LIMIT).await?;
	}
	assert_same_block(&network.nodes, 3).await?;

	// Three of four are more than two thirds: finality goes on without the fourth.
	let dave = network.nodes.pop().context("four nodes")?;
	let stopped = dave.kill().await?;
	let before = network.nodes[0].finalized_number().await?;
	let without_dave = before + 3;
	for node in &network.nodes {
		wait_for_finality(node, without_dave, FINALITY_LIMIT).await?;
	}
	assert_same_block(&network.nodes, without_dave).await?;

	// The database survived, so the node continues from where it stood, and authors again.
	let dave = stopped.start().await?;
	wait_for_peers(&dave, 1).await?;
	wait_for_finality(&dave, without_dave, FINALITY_LIMIT).await?;
	let first = dave.best_number().await? + 1;
	let alice = &network.nodes[0];
	let client = alice.client().await?;
	let account = stash("dave")?.public_key().0;
	let authored = eventually("a block by the returned validator", FINALITY_LIMIT, || {
		block_by(alice, &client, &account, first)
	})
	.await?;
	network.nodes.push(dave);
	for node in &network.nodes {
		wait_for_finality(node, authored, FINALITY_LIMIT).await?;
	}
	assert_same_block(&network.nodes, authored).await
}
