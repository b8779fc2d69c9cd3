//! The commands on a stopped node's database: its blocks are looked at, checked, exported, imported elsewhere, taken back
//! and deleted.

use std::{
	path::Path,
	process::{Command, Output},
	time::Duration,
};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	eventually,
	node::{binary, Node},
};
use serde_json::Value as Json;
use sp_crypto_hashing::twox_128;

/// Blocks that the chain is let to make.
const BLOCKS: u32 = 3;
/// How long that may take: a block comes in a third of the slots, with a long tail.
const BLOCKS_LIMIT: Duration = Duration::from_secs(180);

/// A node's directory, and the commands on the database in it.
struct Database<'a>(&'a Path);

impl Database<'_> {
	fn output(&self, command: &str, arguments: &[&str]) -> Result<Output> {
		Command::new(binary("opensand-node")?)
			.arg(command)
			.args(arguments)
			.args(["--chain", "dev", "--base-path"])
			.arg(self.0)
			.output()
			.with_context(|| command.to_owned())
	}

	/// What a command that succeeds prints.
	fn run(&self, command: &str, arguments: &[&str]) -> Result<Vec<u8>> {
		let output = self.output(command, arguments)?;
		ensure!(
			output.status.success(),
			"{command} {arguments:?}: {}",
			String::from_utf8_lossy(&output.stderr)
		);
		Ok(output.stdout)
	}

	/// What a command that is refused says.
	fn refusal(&self, command: &str, arguments: &[&str]) -> Result<String> {
		let output = self.output(command, arguments)?;
		ensure!(
			!output.status.success(),
			"{command} {arguments:?} should be refused"
		);
		Ok(String::from_utf8_lossy(&output.stderr).into_owned())
	}

	fn info(&self) -> Result<Json> {
		Ok(serde_json::from_slice(&self.run("chain-info", &[])?)?)
	}
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_s_database_is_looked_at_copied_and_purged() -> Result<()> {
	let node = Node::dev().await?;
	eventually("the chain has some blocks", BLOCKS_LIMIT, || async {
		Ok((node.best_number().await? >= BLOCKS).then_some(()))
	})
	.await?;
	let hash = node.block_hash(BLOCKS).await?.context("the block is there")?;
	let genesis = node.block_hash(0).await?.context("the genesis is there")?;
	let stopped = node.kill().await?;

	let original = Database(stopped.directory());
	let info = original.info()?;
	assert_eq!(info["genesis_hash"], genesis.as_str());
	assert!(
		info["best_number"].as_u64() >= Some(BLOCKS.into()),
		"the database lost blocks: {info}"
	);

	original.run("check-block", &["2"])?;
	original.run("check-block", &[&hash])?;
	let refusal = original.refusal("check-block", &["1000000"])?;
	assert!(refusal.contains("Unknown block"), "{refusal}");

	let directory = tempfile::tempdir()?;
	let last = BLOCKS.to_string();
	let formats: [(&str, &[&str]); 2] = [("json", &[]), ("binary", &["--binary"])];
	for (name, format) in formats {
		let file = directory.path().join(name);
		let file = file.to_str().context("a path in UTF-8")?;
		original.run("export-blocks", &[&[file, "--to", &last][..], format].concat())?;

		let elsewhere = directory.path().join(format!("{name}-node"));
		let copy = Database(&elsewhere);
		let refusal = copy.refusal("chain-info", &[])?;
		assert!(refusal.contains("there is no database"), "{refusal}");
		copy.run("import-blocks", &[&[file][..], format].concat())?;
		let info = copy.info()?;
		assert_eq!(info["best_number"], BLOCKS);
		assert_eq!(info["best_hash"], hash.as_str());
		assert_eq!(info["genesis_hash"], genesis.as_str());
	}

	let elsewhere = directory.path().join("json-node");
	let copy = Database(&elsewhere);
	let state: Json = serde_json::from_slice(&copy.run("export-state", &["2"])?)?;
	let number = hex::encode([twox_128(b"System"), twox_128(b"Number")].concat());
	let number = &state["genesis"]["raw"]["top"][format!("0x{number}")];
	assert_eq!(*number, format!("0x{}", hex::encode(2u32.to_le_bytes())));

	// Exported blocks carry no proof of finality, so here they can be taken back.
	assert_eq!(copy.info()?["finalized_number"], 0);
	copy.run("revert", &["1"])?;
	assert_eq!(copy.info()?["best_number"], BLOCKS - 1);
	let refusal = copy.refusal("check-block", &[&last])?;
	assert!(refusal.contains("Unknown block"), "{refusal}");

	copy.run("purge-chain", &["-y"])?;
	let refusal = copy.refusal("chain-info", &[])?;
	assert!(refusal.contains("there is no database"), "{refusal}");
	Ok(())
}
