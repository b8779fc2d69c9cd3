//! A file is stored with providers, proven window after window, read back, shared, and withstands `kill -9`.

use std::{fs, time::Duration};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	eventually,
	storage::{address_text, grantee, Scene, GRANTEE, OWNER},
};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Bytes of the file: several stripes, and a tail.
const FILE_BYTES: usize = 5 * 1024 * 1024 + 321;
/// How long two windows may take, proofs included.
const WINDOWS_LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_proven_shared_and_survives_kills() -> Result<()> {
	let scene = Scene::open(FILE_BYTES, 1, 3).await?;
	let Scene {
		mut market,
		chain: _chain,
		data,
		file,
		files,
	} = scene;
	let restored = files.path("restored.bin");

	// The client dies in the middle of a put; the next run goes on with the same order.
	let put = ["store", "put", &file, "--code", "2/3", "--windows", "60"];
	let mut client = market.start(OWNER, &put)?;
	let mut lines = BufReader::new(client.stdout.take().context("a pipe")?).lines();
	let mut placed = None;
	while let Some(line) = lines.next_line().await? {
		let event: serde_json::Value = serde_json::from_str(&line)?;
		if event["event"] == "order" {
			placed = event["order"].as_u64();
			break;
		}
	}
	let placed = placed.context("the client tells its order")?;
	client.kill().await?;
	// A provider dies while it has shards to fetch.
	let provider = market.providers.remove(0).kill_and_restart().await?;
	market.providers.insert(0, provider);
	let stored = market.opensand(OWNER, &put).await?;
	let order = stored["order"].as_u64().context("an order")?;
	ensure!(order == placed, "order {order} was placed beside {placed}");
	let id = order.to_string();

	// Its owner reads it from what the chain and the providers have.
	market.opensand(OWNER, &["store", "get", &id, &restored]).await?;
	ensure!(fs::read(&restored)? == data, "the owner gets what it stored");

	// Others do not, until they are granted access, and again when it is withdrawn.
	let (theirs, again) = (files.path("theirs.bin"), files.path("again.bin"));
	let get = ["store", "get", &id, &theirs];
	market.opensand(GRANTEE, &["access", "register"]).await?;
	ensure!(
		market.opensand(GRANTEE, &get).await.is_err(),
		"read without a grant"
	);
	let account = address_text(&grantee());
	market
		.opensand(OWNER, &["access", "grant", &id, &account])
		.await?;
	market.opensand(GRANTEE, &get).await?;
	ensure!(fs::read(&theirs)? == data, "the grantee gets what was stored");
	market
		.opensand(OWNER, &["access", "revoke", &id, &account])
		.await?;
	let get = ["store", "get", &id, &again];
	ensure!(
		market.opensand(GRANTEE, &get).await.is_err(),
		"read after revocation"
	);
	let record = market.anybody(&["access", "ls", &id]).await?;
	let operations: Vec<_> = record["events"]
		.as_array()
		.context("events")?
		.iter()
		.filter_map(|event| event["operation"].as_str())
		.collect();
	ensure!(operations == ["placed", "granted", "revoked"], "{operations:?}");

	// A provider that was killed goes on proving what it had acknowledged.
	let provider = market.providers.remove(1).kill_and_restart().await?;
	let window = proven(&provider.status().await?);
	eventually("two more windows are proven", WINDOWS_LIMIT, || async {
		let status = provider.status().await?;
		ensure!(proven(&status) >= window + 2, "{status}");
		Ok(Some(()))
	})
	.await?;
	let status = provider.status().await?;
	ensure!(status["provider"]["faults"] == 0, "{status}");
	ensure!(status["shards"]["stored"] == 1, "{status}");

	// Prometheus is told the same. What is counted is counted since the restart.
	ensure!(
		provider.metric("shards", "phase=\"stored\"").await? == 1.0,
		"one shard is stored"
	);
	ensure!(
		provider.metric("last_proven_window", "").await? >= (window + 2) as f64,
		"windows are proven"
	);
	ensure!(
		provider.metric("windows_proven", "").await? >= 2.0,
		"proofs are taken"
	);
	ensure!(provider.metric("faults", "").await? == 0.0, "there are no faults");
	let (used, quota) = (
		provider.metric("bytes_used", "").await?,
		provider.metric("quota_bytes", "").await?,
	);
	ensure!(
		used > (FILE_BYTES / 2) as f64 && used < quota,
		"{used} bytes of {quota}"
	);
	Ok(())
}

/// The last window that a provider has proven.
fn proven(status: &serde_json::Value) -> u64 {
	status["provider"]["lastProvenWindow"]
		.as_u64()
		.unwrap_or_default()
}
