//! Processes are killed in the middle of a proof, and the request is settled nevertheless.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	digits::Digits,
	inference::{job, prover_processes, wait_for_settlement},
	market::Market,
	node::Node,
};
use tokio::time::sleep;

/// How long a request may take: a few blocks, a proof, and a restart.
const LIMIT: Duration = Duration::from_secs(300);
/// Requests that are made until one is caught in the middle of its proof.
const ATTEMPTS: usize = 20;

/// Asks until a request is being proven, and returns it.
async fn catch_in_proof(market: &Market, input: &[i8]) -> Result<u64> {
	for _ in 0..ATTEMPTS {
		let request = market.ask(input).await?;
		loop {
			let status = job(&market.node, request).await?.map(|job| job["status"].clone());
			match status.as_ref().and_then(|status| status.as_str()) {
				Some("running") => return Ok(request),
				Some("done") => break,
				Some("failed") => anyhow::bail!("request {request} failed"),
				_ => sleep(Duration::from_millis(2)).await,
			}
		}
	}
	anyhow::bail!("{ATTEMPTS} proofs were over before they were seen")
}

/// Kills a process that the node started.
fn kill(process: u32) -> Result<()> {
	let status = Command::new("kill").args(["-9", &process.to_string()]).status()?;
	ensure!(status.success(), "process {process} was gone");
	Ok(())
}

/// Whether a process runs.
fn runs(process: u32) -> bool {
	Path::new("/proc").join(process.to_string()).exists()
}

async fn settled(node: &Node, market_client: &opensand_tests::client::Client, request: u64) -> Result<()> {
	let settlement = wait_for_settlement(node, market_client, request, 1, LIMIT).await?;
	ensure!(settlement.worker.1 > 0, "the worker was paid");
	Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_prover_and_a_killed_node_do_not_lose_the_request() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let digits = Digits::import(&directory.path().join("digits"))?;
	let market = Market::open(&digits).await?;
	let input = digits.input(0)?;

	// The prover dies: the node replaces it and proves again.
	let request = catch_in_proof(&market, &input).await?;
	let killed = prover_processes(&market.node).await?;
	for process in &killed {
		kill(*process)?;
	}
	settled(&market.node, &market.client, request).await?;
	let replaced = prover_processes(&market.node).await?;
	assert!(
		replaced.iter().all(|process| !killed.contains(process)),
		"{replaced:?} after {killed:?}"
	);

	// The node dies, and its prover with it: after the restart the job is still there.
	let request = catch_in_proof(&market, &input).await?;
	let provers = prover_processes(&market.node).await?;
	let stopped = market.node.kill().await?;
	let node = stopped.start().await?;
	let client = node.client().await?;
	let orphans: Vec<_> = provers.iter().filter(|process| runs(**process)).collect();
	assert!(orphans.is_empty(), "provers outlived their node: {orphans:?}");
	job(&node, request)
		.await?
		.context("the restarted node remembers the job")?;
	settled(&node, &client, request).await
}
