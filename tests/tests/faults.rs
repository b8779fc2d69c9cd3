//! Processes are killed in the middle of a proof, and the request is settled nevertheless.

use std::{path::Path, process::Command, time::Duration};

use anyhow::{bail, ensure, Context, Result};
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
/// How long the provers run between two looks: a fraction of the tens of milliseconds that a proof takes.
const STEP: Duration = Duration::from_millis(4);
/// How long the node has to hear what a prover said before it was halted.
const HEARING: Duration = Duration::from_millis(50);

/// The node's prover processes, halted. Who drops this lets them run on.
struct HaltedProvers(Vec<u32>);

impl HaltedProvers {
	async fn halt(node: &Node) -> Result<Self> {
		let processes = prover_processes(node).await?;
		ensure!(!processes.is_empty(), "the node has no prover");
		let halted = Self(processes);
		halted.signal("STOP")?;
		Ok(halted)
	}

	/// Lets them run for one [`STEP`].
	async fn step(&self) -> Result<()> {
		self.signal("CONT")?;
		sleep(STEP).await;
		self.signal("STOP")?;
		sleep(HEARING).await;
		Ok(())
	}

	fn signal(&self, name: &str) -> Result<()> {
		self.0.iter().try_for_each(|process| signal(*process, name))
	}
}

impl Drop for HaltedProvers {
	fn drop(&mut self) {
		// Those that were killed meanwhile cannot be asked.
		for process in &self.0 {
			let _ = signal(*process, "CONT");
		}
	}
}

/// Asks until a request is being proven. Returns it with the provers, halted in the middle of the proof.
///
/// They are halted before the request is made, because a proof takes less time than a client needs to look.
async fn catch_in_proof(market: &Market, input: &[i8]) -> Result<(u64, HaltedProvers)> {
	for _ in 0..ATTEMPTS {
		let provers = HaltedProvers::halt(&market.node).await?;
		let request = market.ask(input).await?;
		loop {
			let Some(job) = job(&market.node, request).await? else {
				sleep(HEARING).await;
				continue;
			};
			match (job["status"].as_str(), job["stage"].as_str()) {
				(Some("running"), Some("proving")) => return Ok((request, provers)),
				(Some("running"), _) => provers.step().await?,
				(Some("done"), _) => break,
				(Some("failed"), _) => bail!("request {request} failed"),
				_ => sleep(HEARING).await,
			}
		}
	}
	bail!("{ATTEMPTS} proofs were over before they were seen")
}

/// Sends a signal to a process that the node started.
fn signal(process: u32, name: &str) -> Result<()> {
	let status = Command::new("kill")
		.args(["-s", name, &process.to_string()])
		.status()?;
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
	let (request, provers) = catch_in_proof(&market, &input).await?;
	provers.signal("KILL")?;
	let killed = provers.0.clone();
	drop(provers);
	settled(&market.node, &market.client, request).await?;
	let replaced = prover_processes(&market.node).await?;
	assert!(
		replaced.iter().all(|process| !killed.contains(process)),
		"{replaced:?} after {killed:?}"
	);

	// The node dies, and its prover with it: after the restart the job is still there.
	let (request, halted) = catch_in_proof(&market, &input).await?;
	let stopped = market.node.kill().await?;
	let provers = halted.0.clone();
	drop(halted);
	let node = stopped.start().await?;
	let client = node.client().await?;
	let orphans: Vec<_> = provers.iter().filter(|process| runs(**process)).collect();
	assert!(orphans.is_empty(), "provers outlived their node: {orphans:?}");
	job(&node, request)
		.await?
		.context("the restarted node remembers the job")?;
	settled(&node, &client, request).await
}
