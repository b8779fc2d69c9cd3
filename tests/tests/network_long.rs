//! A fifth validator joins a running network: it warp-syncs across a change of the authority set, bonds, registers
//! session keys with their proof of ownership, by the call that the key tool prints, is elected and authors.
//!
//! Elections take several sessions even under `fast-runtime`, so this takes about a quarter of an hour.

use std::time::Duration;

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	client::{encoded_argument, submit, Call, Client, SAND},
	eventually,
	network::{block_by, stash, validator_index, wait_for_finality, Network},
	node::{binary, Node, StoppedNode},
};
use subxt::dynamic::Value;
use subxt_signer::sr25519::{dev, Keypair};
use tokio::process::Command;

/// A session is 40 slots of 2 s; a change of authorities takes effect two sessions after it was asked for.
const SESSIONS_LIMIT: Duration = Duration::from_secs(900);
/// How long syncing a short chain may take.
const SYNC_LIMIT: Duration = Duration::from_secs(300);

/// The id of GRANDPA's authority set in the node's last finalised block.
async fn authority_set(node: &Node) -> Result<u64> {
	let hash = node.call("chain_getFinalizedHead", &[]).await?;
	let id = node
		.call(
			"state_call",
			&["GrandpaApi_current_set_id".into(), "0x".into(), hash],
		)
		.await?;
	let bytes = hex::decode(id.as_str().context("an encoded number")?.trim_start_matches("0x"))?;
	Ok(u64::from_le_bytes(bytes.as_slice().try_into()?))
}

/// Lets `node` make session keys and registers them for `account`, with the proof that the node holds them.
async fn register_session_keys(node: &Node, client: &Client, account: &Keypair) -> Result<()> {
	let owner = format!("0x{}", hex::encode(account.public_key().0));
	let generated = node.call("author_rotateKeysWithOwner", &[owner.into()]).await?;
	let part = |name: &str| {
		let text = generated[name]
			.as_str()
			.with_context(|| format!("{name} in {generated}"))?;
		hex::decode(text.trim_start_matches("0x")).with_context(|| format!("{name} in {generated}"))
	};
	let at = client.at_best().await?;
	let keys = encoded_argument(&at, "Session", "set_keys", 0, &part("keys")?)?;
	let call = Call::new(
		"Session",
		"set_keys",
		vec![keys, Value::from_bytes(part("proof")?)],
	);
	submit(client, call, account).await?;
	Ok(())
}

/// As [`register_session_keys`], as an operator does it: by signing the call that `opensand-node key set-keys-call` prints.
async fn sign_printed_call(node: &Node, client: &Client, account: &Keypair) -> Result<()> {
	let owner = format!("0x{}", hex::encode(account.public_key().0));
	let output = Command::new(binary("opensand-node")?)
		.args(["key", "set-keys-call", "--account", &owner])
		.args(["--url", &node.url(), "--output-type", "json"])
		.output()
		.await?;
	ensure!(
		output.status.success(),
		"set-keys-call: {}",
		String::from_utf8_lossy(&output.stderr)
	);
	let printed: serde_json::Value = serde_json::from_slice(&output.stdout)?;
	let call = printed["call"]
		.as_str()
		.with_context(|| format!("a call in {printed}"))?;
	let call = hex::decode(call.trim_start_matches("0x"))?;
	let call = Call::decode(&client.at_best().await?, &call)?;
	assert_eq!((&*call.pallet, &*call.name), ("Session", "set_keys"));
	submit(client, call, account).await?;
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fifth_validator_warp_syncs_is_elected_and_authors() -> Result<()> {
	let network = Network::local().await?;
	let alice = &network.nodes[0];
	let client = alice.client().await?;

	// New session keys of one validator are a change of the authority set, which a warp proof must bridge.
	register_session_keys(alice, &client, &stash("alice")?).await?;
	eventually("the authority set changes", SESSIONS_LIMIT, || async {
		Ok((authority_set(alice).await? > 0).then_some(()))
	})
	.await?;
	let changed_at = alice.finalized_number().await?;

	let fifth = StoppedNode::new("eve", "local")?.with(&[
		"--validator",
		"--sync",
		"warp",
		"--state-pruning",
		"256",
		"--blocks-pruning",
		"256",
		"--bootnodes",
		&network.entrance,
	]);
	let eve_node = fifth.start().await?;
	wait_for_finality(&eve_node, changed_at, SYNC_LIMIT).await?;
	assert!(
		eve_node.log()?.contains("Warp sync is complete"),
		"the node took another way to sync"
	);
	assert_eq!(authority_set(&eve_node).await?, authority_set(alice).await?);
	// Blocks before the one that it jumped to are fetched afterwards.
	let block = eventually("the block of the change is fetched", SYNC_LIMIT, || {
		eve_node.block_hash(changed_at)
	});
	assert_eq!(Some(block.await?), alice.block_hash(changed_at).await?);

	let eve = dev::eve();
	let payee = Value::unnamed_variant("Staked", []);
	submit(
		&client,
		Call::new("Staking", "bond", vec![Value::u128(200_000 * SAND), payee]),
		&eve,
	)
	.await?;
	sign_printed_call(&eve_node, &client, &eve).await?;
	let preferences =
		Value::named_composite([("commission", Value::u128(0)), ("blocked", Value::bool(false))]);
	submit(&client, Call::new("Staking", "validate", vec![preferences]), &eve).await?;

	let account = eve.public_key().0;
	let elected = eventually("the fifth validator is elected", SESSIONS_LIMIT, || async {
		let best = alice.best_number().await?;
		Ok(validator_index(&client, best, &account).await?.map(|_| best))
	})
	.await?;
	let authored = eventually("a block by the fifth validator", SESSIONS_LIMIT, || {
		block_by(alice, &client, &account, elected)
	})
	.await?;
	for node in network.nodes.iter().chain([&eve_node]) {
		wait_for_finality(node, authored, SESSIONS_LIMIT).await?;
	}
	assert_eq!(
		eve_node.block_hash(authored).await?,
		alice.block_hash(authored).await?
	);
	Ok(())
}
