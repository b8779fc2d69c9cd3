//! How many transfers per second one development node imports.
//!
//! A node makes real blocks out of signed transfers. They are exported and imported again into an empty database, which is
//! what a node does that catches up: it checks every signature and executes every block.

use std::{
	path::Path,
	process::Command,
	time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use futures::{stream, StreamExt, TryStreamExt};
use opensand_tests::{
	client::{address, Call, Client, SAND},
	eventually,
	node::{binary, StoppedNode},
};
use subxt::{
	config::DefaultExtrinsicParamsBuilder,
	dynamic::{self, Value},
};
use subxt_signer::sr25519::dev;

/// Transfers that are sent.
pub const TRANSFERS: u32 = 12_000;
/// Imports of which the median counts.
const IMPORTS: usize = 3;
/// Transactions that are on their way to the node at once.
const IN_FLIGHT: usize = 64;
/// How long the node may take to put all of them into blocks.
const INCLUSION_LIMIT: Duration = Duration::from_secs(600);

/// What an import took.
pub struct Import {
	/// Transfers in the blocks.
	pub transfers: u32,
	/// Blocks.
	pub blocks: u32,
	/// Import of all blocks, less the import of the first one, which has none of the transfers.
	pub elapsed: Duration,
}

/// Makes the blocks and imports them.
///
/// # Errors
/// When the node does not start, refuses a transfer or does not import its own blocks.
pub async fn measure() -> Result<Import> {
	let directory = tempfile::tempdir()?;
	let author = directory.path().join("author");
	std::fs::create_dir_all(&author)?;
	let node = StoppedNode::in_directory("alice", "dev", &author)
		.with(&[
			"--alice",
			"--force-authoring",
			"--state-pruning",
			"archive",
			"--pool-limit",
			"20000",
		])
		.start()
		.await?;
	let client = node.client().await?;
	let last = send_transfers(&client).await?;
	drop(client);
	node.kill().await?;

	let blocks = directory.path().join("blocks");
	let first = directory.path().join("first");
	command(
		&[
			"export-blocks",
			"--chain",
			"dev",
			"--binary",
			"--to",
			&last.to_string(),
		],
		&author,
		&blocks,
	)?;
	command(
		&["export-blocks", "--chain", "dev", "--binary", "--to", "1"],
		&author,
		&first,
	)?;
	let median = |file: &Path| -> Result<Duration> {
		let mut times = Vec::with_capacity(IMPORTS);
		for _ in 0..IMPORTS {
			let database = tempfile::tempdir_in(directory.path())?;
			times.push(command(
				&["import-blocks", "--chain", "dev", "--binary"],
				database.path(),
				file,
			)?);
		}
		times.sort_unstable();
		Ok(times[IMPORTS / 2])
	};
	let base = median(&first)?;
	let all = median(&blocks)?;
	ensure!(
		all > base,
		"other work on this machine hides what the import takes; measure again without it"
	);
	Ok(Import {
		transfers: TRANSFERS,
		blocks: last,
		elapsed: all - base,
	})
}

/// Sends the transfers and returns the block that has the last of them.
async fn send_transfers(client: &Client) -> Result<u32> {
	let senders = [
		dev::alice(),
		dev::bob(),
		dev::charlie(),
		dev::dave(),
		dev::eve(),
		dev::ferdie(),
	];
	let at = client.at_best().await?;
	let mut nonces = Vec::with_capacity(senders.len());
	for sender in &senders {
		nonces.push(
			at.tx()
				.account_nonce(&sender.public_key().to_account_id())
				.await?,
		);
	}
	let per_sender = u64::from(TRANSFERS) / senders.len() as u64;
	let mut transactions = Vec::with_capacity(TRANSFERS as usize);
	for offset in 0..per_sender {
		for (sender, nonce) in senders.iter().zip(&nonces) {
			transactions.push((sender, nonce + offset));
		}
	}
	let at = &at;
	stream::iter(transactions)
		.map(|(sender, nonce)| async move {
			let parameters = DefaultExtrinsicParamsBuilder::new()
				.nonce(nonce)
				.immortal()
				.build();
			let call = transfer();
			let payload = dynamic::tx(call.pallet, call.name, call.arguments);
			at.tx()
				.create_signed(&payload, sender, parameters)
				.await?
				.submit()
				.await?;
			anyhow::Ok(())
		})
		.buffer_unordered(IN_FLIGHT)
		.try_collect::<Vec<()>>()
		.await?;

	eventually("all transfers are in blocks", INCLUSION_LIMIT, || async {
		let at = client.at_best().await?;
		for (sender, nonce) in senders.iter().zip(&nonces) {
			if at
				.tx()
				.account_nonce(&sender.public_key().to_account_id())
				.await? < nonce + per_sender
			{
				return Ok(None);
			}
		}
		Ok(Some(u32::try_from(at.block_number())?))
	})
	.await
}

/// A transfer of a thousandth of a SAND to an account that exists.
fn transfer() -> Call {
	Call::new(
		"Balances",
		"transfer_keep_alive",
		vec![address(&dev::one()), Value::u128(SAND / 1_000)],
	)
}

/// Runs the node with `arguments` on the database in `directory`; returns how long it took.
fn command(arguments: &[&str], directory: &Path, file: &Path) -> Result<Duration> {
	let start = Instant::now();
	let output = Command::new(binary("opensand-node")?)
		.args(arguments)
		.arg("--base-path")
		.arg(directory)
		.arg(file)
		.output()
		.with_context(|| arguments.join(" "))?;
	let elapsed = start.elapsed();
	ensure!(
		output.status.success(),
		"{}: {}",
		arguments.join(" "),
		String::from_utf8_lossy(&output.stderr)
	);
	Ok(elapsed)
}
