//! What else an owner and a provider do by the command line: regions and key files, renewal, tips, visibility, cancelling,
//! draining; with progress and answers for machines.

use std::{fs, os::unix::fs::PermissionsExt};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	node::Node,
	storage::{address_text, write_noise, StorageMarket, OWNER},
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

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_changed_and_ended_by_the_command_line() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
	let (file, key_file, by_key) = (path("data.bin"), path("data.key"), path("by-key.bin"));
	let data = write_noise(file.as_ref(), FILE_BYTES, 1)?;
	let chain = Node::dev().await?;
	let market = StorageMarket::join(&chain, 3).await?;

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
	let (mut stored, mut phases) = (None, Vec::new());
	while let Some(line) = lines.next_line().await? {
		let event: serde_json::Value = serde_json::from_str(&line)?;
		if event["event"] == "progress" {
			phases.push(event["phase"].clone());
		}
		stored = Some(event);
	}
	ensure!(client.wait().await?.success(), "the put fails");
	ensure!(phases.contains(&json!("encoding")), "{phases:?}");
	let stored = stored.context("the client tells what it stored")?;
	ensure!(stored["regions"] == json!(["eu-west"]), "{stored}");
	let id = stored["order"].as_u64().context("an order")?.to_string();

	// Whoever has the key's file needs no account.
	market
		.anybody(&["store", "get", &id, &by_key, "--key-file", &key_file])
		.await?;
	ensure!(fs::read(&by_key)? == data, "the key's file opens the data");

	change_order(&market, &id, path("phrase").as_ref()).await?;
	join_and_drain(&market).await?;

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
