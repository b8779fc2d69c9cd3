//! A provider is lost for good, and another rebuilds what it held.

use std::{fs, time::Duration};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	node::Node,
	storage::{write_noise, StorageMarket, OWNER},
};

/// Bytes of the file.
const FILE_BYTES: usize = 3 * 1024 * 1024;
/// How long it may take until a silent provider is jailed, its shard auctioned, rebuilt and proven.
const REPAIR_LIMIT: Duration = Duration::from_secs(900);

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_shard_is_rebuilt_by_another_provider() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
	let (file, restored) = (path("data.bin"), path("restored.bin"));
	let data = write_noise(file.as_ref(), FILE_BYTES, 2)?;
	let chain = Node::dev().await?;
	let mut market = StorageMarket::join(&chain, 4).await?;

	let put = ["store", "put", &file, "--code", "2/3", "--windows", "120"];
	let stored = market.opensand(OWNER, &put).await?;
	let order = stored["order"].as_u64().context("an order")?;
	let id = order.to_string();
	let shown = market.wait_until_whole(order, REPAIR_LIMIT).await?;

	let first = shown["shards"][0]["provider"]
		.as_str()
		.context("a provider")?
		.to_owned();
	let mut lost = None;
	for (position, provider) in market.providers.iter().enumerate() {
		let status = provider.status().await?;
		if status["provider"]["account"] == first.as_str() {
			lost = Some(position);
		}
	}
	let lost = market
		.providers
		.remove(lost.context("the provider is one of ours")?);
	drop(lost.node.kill().await?);

	// With one shard of three gone the file can still be read.
	market.opensand(OWNER, &["store", "get", &id, &restored]).await?;
	ensure!(
		fs::read(&restored)? == data,
		"two of three shards restore the file"
	);

	let whole = market
		.wait_until_whole_and(order, REPAIR_LIMIT, |shown| {
			shown["shards"][0]["provider"] != first.as_str()
		})
		.await?;
	ensure!(whole["status"] == "active", "{whole}");
	market
		.opensand(OWNER, &["store", "get", &id, &restored, "--force"])
		.await?;
	ensure!(fs::read(&restored)? == data, "the repaired file is the file");
	Ok(())
}
