//! A development chain whose storage market has short periods, so that a test can see how they end.

use std::path::Path;

use anyhow::{ensure, Context, Result};
use serde_json::json;
use tokio::process::Command;

use crate::node::{binary, Node};

/// Blocks from an order to the deadline for all its shards.
pub const PLACING_BLOCKS: u32 = 40;
/// Blocks after which an order that has too few shards, of which one was opened for repair, is lost.
pub const REPAIR_BLOCKS: u32 = 6;
/// Collateral that a shard reserves for each MiB.
pub const COLLATERAL_PER_MIB: u64 = 100_000_000;

/// Where the plain specification takes what differs from a genesis preset.
const PATCH: &str = "\"patch\": {";

/// Starts a chain of one validator, as [`Node::dev`]; its specification is written to `directory`.
///
/// # Errors
/// When the node does not start.
pub async fn start(directory: &Path) -> Result<Node> {
	let exported = Command::new(binary("opensand-node")?)
		.args(["export-chain-spec", "--chain", "dev"])
		.output()
		.await?;
	ensure!(
		exported.status.success(),
		"export-chain-spec: {}",
		String::from_utf8_lossy(&exported.stderr)
	);
	let plain = String::from_utf8(exported.stdout)?;
	let parameters = json!({
		"samples": 32,
		"collateralPerMib": COLLATERAL_PER_MIB,
		"activationBlocks": 20,
		"placingBlocks": PLACING_BLOCKS,
		"repairBlocks": REPAIR_BLOCKS,
		"jailBlocks": 100,
		"exitBlocks": 50,
		"repairFloor": 100_000_000,
		"handOverShare": 100_000_000,
		"lapseShare": 10_000_000,
		"faultSlash": 10_000_000,
		"faultLimit": 2,
		"maxWindows": 17_532,
		"targetUtilisation": 700_000_000,
		"priceStep": 10_000_000,
		"priceMin": 10_000,
		"priceMax": 10_000_000_000_u64,
	});
	// As text: balances do not fit the numbers of a JSON library.
	let (before, after) = plain
		.split_once(PATCH)
		.context("the specification is a preset's patch")?;
	let spec = format!("{before}{PATCH}\"dsm\": {{\"parameters\": {parameters}}},{after}");
	let path = directory.join("hurried.json");
	std::fs::write(&path, spec).with_context(|| path.display().to_string())?;
	Node::alone(path.to_str().context("a path in UTF-8")?).await
}
