//! A node that keeps every block and state is asked for them by height; one that does not, does not pretend to.

use std::time::Duration;

use anyhow::{Context, Result};
use opensand_tests::{
	network::wait_for_finality,
	node::{Node, StoppedNode},
};
use serde_json::{json, Value as Json};

/// How long a finalised block may take: a block comes in a third of the slots, with a long tail.
const FINALITY_LIMIT: Duration = Duration::from_secs(180);

/// The names of the node's `archive_…` methods.
async fn archive_methods(node: &Node) -> Result<Vec<String>> {
	let served = node.call("rpc_methods", &[]).await?;
	let methods = served["methods"].as_array().context("a list of methods")?;
	let names = methods.iter().filter_map(Json::as_str);
	Ok(names
		.filter(|name| name.starts_with("archive_"))
		.map(str::to_owned)
		.collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_asked_by_height() -> Result<()> {
	let archive = StoppedNode::new("alice", "dev")?
		.with(&["--alice", "--force-authoring"])
		.with(&["--state-pruning", "archive", "--blocks-pruning", "archive"])
		.start()
		.await?;
	wait_for_finality(&archive, 1, FINALITY_LIMIT).await?;
	for height in [0, 1] {
		let hash = archive.block_hash(height).await?.context("a finalised block")?;
		let answer = archive.call("archive_v1_hashByHeight", &[json!(height)]).await?;
		assert_eq!(answer, json!([hash]));
	}
	let beyond = archive
		.call("archive_v1_hashByHeight", &[json!(1u32 << 31)])
		.await?;
	assert_eq!(beyond, json!([]));
	let height = archive.call("archive_v1_finalizedHeight", &[]).await?;
	assert!(height.as_u64() >= Some(1), "{height}");

	let pruned = Node::dev().await?;
	assert_eq!(archive_methods(&pruned).await?, Vec::<String>::new());
	assert!(!archive_methods(&archive).await?.is_empty());
	Ok(())
}
