//! A file is stored with providers, proven window after window, read back, shared, and withstands `kill -9`.

use std::{fs, os::unix::fs::PermissionsExt, time::Duration};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	eventually,
	node::Node,
	storage::{address_text, grantee, write_noise, StorageMarket, GRANTEE, OWNER},
};
use serde_json::json;
use subxt_signer::{sr25519::Keypair, SecretUri};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Bytes of the file: several stripes, and a tail.
const FILE_BYTES: usize = 5 * 1024 * 1024 + 321;
/// The recovery phrase of the development accounts, and the path of [`OWNER`] behind it.
const OWNERS_PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk//Ferdie";
/// A provider that runs no node, and therefore takes no shards. The development chain endows it.
const IDLE: &str = "//Eve";
/// How long two windows may take, proofs included.
const WINDOWS_LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_stored_proven_shared_and_survives_kills() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
	let (file, restored) = (path("data.bin"), path("restored.bin"));
	let (key_file, by_key) = (path("data.key"), path("by-key.bin"));
	let data = write_noise(file.as_ref(), FILE_BYTES, 1)?;
	let chain = Node::dev().await?;
	let mut market = StorageMarket::join(&chain, 3).await?;

	// The client dies in the middle of a put; the next run goes on with the same order.
	let put = [
		"store",
		"put",
		&file,
		"--code",
		"2/3",
		"--windows",
		"60",
		"--regions",
		"eu-west",
		"--key-file",
		&key_file,
	];
	let mut client = market.start(OWNER, &put)?;
	let mut lines = BufReader::new(client.stdout.take().context("a pipe")?).lines();
	let (mut placed, mut phases) = (None, Vec::new());
	while let Some(line) = lines.next_line().await? {
		let event: serde_json::Value = serde_json::from_str(&line)?;
		if event["event"] == "progress" {
			phases.push(event["phase"].clone());
		}
		if event["event"] == "order" {
			placed = event["order"].as_u64();
			break;
		}
	}
	let placed = placed.context("the client tells its order")?;
	ensure!(phases.contains(&json!("encoding")), "{phases:?}");
	client.kill().await?;
	// A provider dies while it has shards to fetch.
	let provider = market.providers.remove(0).kill_and_restart().await?;
	market.providers.insert(0, provider);
	let stored = market.opensand(OWNER, &put).await?;
	let order = stored["order"].as_u64().context("an order")?;
	ensure!(order == placed, "order {order} was placed beside {placed}");
	ensure!(stored["regions"] == json!(["eu-west"]), "{stored}");
	let id = order.to_string();

	// Its owner reads it from what the chain and the providers have.
	market.opensand(OWNER, &["store", "get", &id, &restored]).await?;
	ensure!(fs::read(&restored)? == data, "the owner gets what it stored");
	market
		.anybody(&["store", "get", &id, &by_key, "--key-file", &key_file])
		.await?;
	ensure!(fs::read(&by_key)? == data, "so does whoever has the key's file");

	// Others do not, until they are granted access, and again when it is withdrawn.
	let (theirs, again) = (path("theirs.bin"), path("again.bin"));
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

	// Two accounts, so that one need not wait for the other's blocks.
	let phrase = path("phrase");
	tokio::try_join!(
		change_order(&market, &id, phrase.as_ref()),
		join_and_drain(&market)
	)?;

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

	// The order ends with the present window.
	let before = market.anybody(&["store", "show", &id]).await?;
	let cancelled = market.opensand(OWNER, &["store", "cancel", &id]).await?;
	let left = cancelled["windows_left"].as_u64().context("windows")?;
	ensure!(left <= 1, "{cancelled}");
	ensure!(
		amount(&cancelled)? < amount(&before)?,
		"{cancelled} after {before}"
	);
	Ok(())
}

/// What is held for an order.
fn amount(order: &serde_json::Value) -> Result<u128> {
	Ok(order["escrow"].as_str().context("an amount")?.parse()?)
}

/// The owner pays for longer, tips, and opens its data to licensees; with its phrase in a file instead of a development key.
async fn change_order(market: &StorageMarket, id: &str, phrase: &std::path::Path) -> Result<()> {
	let before = market.anybody(&["store", "show", id]).await?;
	let renewed = market
		.opensand(OWNER, &["store", "renew", id, "--windows", "7"])
		.await?;
	let end = |order: &serde_json::Value| order["end_window"].as_u64().context("an end");
	ensure!(end(&renewed)? == end(&before)? + 7, "{renewed} after {before}");
	ensure!(amount(&renewed)? > 0 && renewed["windows"] == 67, "{renewed}");

	let tipped = market.opensand(OWNER, &["store", "topup", id, "20mSAND"]).await?;
	ensure!(tipped["status"] == "active", "{tipped}");

	fs::write(phrase, OWNERS_PHRASE)?;
	fs::set_permissions(phrase, fs::Permissions::from_mode(0o600))?;
	let phrase = phrase.to_str().context("a path in UTF-8")?;
	let set = [
		"access",
		"set",
		id,
		"--visibility",
		"licensed",
		"--training",
		"allowed",
	];
	let changed = market.opensand(phrase, &set).await?;
	let number: u64 = id.parse()?;
	ensure!(
		changed["order"] == number && changed["visibility"] == "licensed" && changed["training"] == true,
		"{changed}"
	);
	let listed = market.opensand(phrase, &["store", "ls"]).await?;
	let orders = listed["orders"].as_array().context("orders")?;
	let is_there = orders
		.iter()
		.any(|order| order["order"] == number && order["visibility"] == "licensed");
	ensure!(is_there, "{listed}");
	Ok(())
}

/// An account becomes a provider without a node, stops, and cannot leave before its time.
async fn join_and_drain(market: &StorageMarket) -> Result<()> {
	let other = market.providers.first().context("a provider")?;
	let status = other.status().await?;
	let peer = status["peer"].as_str().context("a peer")?;
	let agent = Keypair::from_uri(&format!("{IDLE}//agent").parse::<SecretUri>()?)?;
	let agent = address_text(&agent);
	let register = [
		"provider",
		"register",
		"--collateral",
		"100",
		"--quota",
		"1GiB",
		"--region",
		"us-east",
		"--address",
		"/ip4/127.0.0.1/tcp/1",
		"--peer",
		peer,
		"--agent",
		&agent,
	];
	let registered = market.opensand(IDLE, &register).await?;
	ensure!(
		registered["status"] == "active" && registered["regions"] == json!(["us-east"]),
		"{registered}"
	);
	let draining = market.opensand(IDLE, &["provider", "drain"]).await?;
	ensure!(draining["status"] == "draining", "{draining}");
	let refused = market.failure(Some(IDLE), &["provider", "exit"]).await?;
	ensure!(refused.code == 3, "{refused:?}");
	Ok(())
}

/// The last window that a provider has proven.
fn proven(status: &serde_json::Value) -> u64 {
	status["provider"]["lastProvenWindow"]
		.as_u64()
		.unwrap_or_default()
}
