//! What else an owner and a provider do by the command line: regions and key files, renewal, tips, visibility, cancelling,
//! draining; with progress and answers for machines.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use anyhow::{ensure, Context, Result};
use opensand_tests::storage::{address_text, Files, Scene, StorageMarket, OWNER};
use serde_json::json;
use subxt_signer::{sr25519::Keypair, SecretUri};
use tokio::io::{AsyncBufReadExt, BufReader};

/// Bytes of the file: several stripes, and a tail.
const FILE_BYTES: usize = 5 * 1024 * 1024 + 321;
/// The recovery phrase of the development accounts, and the path of [`OWNER`] behind it.
const OWNERS_PHRASE: &str = "bottom drive obey lake curtain smoke basket hold race lonely fit walk//Ferdie";
/// The development account Alice as polkadot.js exports it, and its password.
const EXPORTED: &str = include_str!("../../node/client/fuzz/corpus/keystore/alice");
const EXPORTED_PASSWORD: &str = "whoisalice";
/// A provider that runs no node, and therefore takes no shards. The development chain endows it.
const IDLE: &str = "//Eve";

#[tokio::test(flavor = "multi_thread")]
async fn an_order_is_changed_and_ended_by_the_command_line() -> Result<()> {
	let scene = Scene::open(FILE_BYTES, 1, 3).await?;
	let Scene {
		market,
		chain: _chain,
		data,
		file,
		files,
	} = scene;
	let (key_file, by_key) = (files.path("data.key"), files.path("by-key.bin"));

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

	change_order(&market, &id, files.path("phrase").as_ref()).await?;
	tip_by_keystore(&market, &id, &files).await?;
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

/// The owner pays for longer, and opens its data to licensees; with its phrase in a file instead of a development key.
async fn change_order(market: &StorageMarket, id: &str, phrase: &Path) -> Result<()> {
	let before = market.anybody(&["store", "show", id]).await?;
	let renewed = market
		.opensand(OWNER, &["store", "renew", id, "--windows", "7"])
		.await?;
	let end = |order: &serde_json::Value| order["end_window"].as_u64().context("an end");
	ensure!(end(&renewed)? == end(&before)? + 7, "{renewed} after {before}");
	ensure!(amount(&renewed)? > 0 && renewed["windows"] == 67, "{renewed}");

	write_secret(phrase, OWNERS_PHRASE)?;
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

/// Somebody whose key polkadot.js has exported tips the providers; the password is in another file.
async fn tip_by_keystore(market: &StorageMarket, id: &str, files: &Files) -> Result<()> {
	let (exported, password) = (files.path("alice.json"), files.path("password"));
	fs::write(&exported, EXPORTED)?;
	write_secret(password.as_ref(), "whoisbob\n")?;
	let tip = ["store", "topup", id, "20mSAND", "--password-file", &password];
	let refused = market.failure(Some(&exported), &tip).await?;
	ensure!(
		refused.code == 2 && refused.message.contains("password is wrong"),
		"{refused:?}"
	);

	write_secret(password.as_ref(), EXPORTED_PASSWORD)?;
	let tipped = market.opensand(&exported, &tip).await?;
	ensure!(tipped["status"] == "active", "{tipped}");
	Ok(())
}

/// Writes a file that nobody else can read.
fn write_secret(path: &Path, secret: &str) -> Result<()> {
	fs::write(path, secret)?;
	Ok(fs::set_permissions(path, fs::Permissions::from_mode(0o600))?)
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
