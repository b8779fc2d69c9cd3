//! The demonstration shows what it says, and whatever ends it ends its nodes.

use std::{
	fs,
	process::{ExitStatus, Stdio},
	time::Duration,
};

use anyhow::{ensure, Context, Result};
use opensand_tests::{eventually, node::binary};
use tokio::{process::Command, time::timeout};

/// How long the demonstration may take to start a node, and to end.
const LIMIT: Duration = Duration::from_secs(120);
/// How long it may take from its start to its end: storing, registering and answers wait for blocks.
const WHOLE_LIMIT: Duration = Duration::from_secs(900);
/// Images that are asked about.
const IMAGES: usize = 6;
/// The chain's node and three providers.
const NODES: usize = 4;

/// A process's parent and its state, `Z` where it has ended; `None` where there is no such process.
fn parent_and_state(process: u32) -> Option<(u32, char)> {
	let status = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
	// The name before the last bracket may hold anything.
	let mut fields = status.rsplit_once(')')?.1.split_whitespace();
	let state = fields.next()?.chars().next()?;
	Some((fields.next()?.parse().ok()?, state))
}

/// The processes that `parent` has started and that run.
fn children(parent: u32) -> Result<Vec<u32>> {
	let mut children = Vec::new();
	for entry in fs::read_dir("/proc")? {
		let Some(process) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) else {
			continue;
		};
		if parent_and_state(process).is_some_and(|(of, state)| of == parent && state != 'Z') {
			children.push(process);
		}
	}
	Ok(children)
}

/// Whether there is such a process, and it runs.
fn runs(process: u32) -> bool {
	parent_and_state(process).is_some_and(|(_, state)| state != 'Z')
}

async fn kill(signal: &str, process: u32) -> Result<ExitStatus> {
	Ok(Command::new("kill")
		.args([format!("-{signal}"), process.to_string()])
		.status()
		.await?)
}

/// Kills processes when it goes.
struct Killed(Vec<u32>);

impl Drop for Killed {
	fn drop(&mut self) {
		for process in &self.0 {
			let _ = std::process::Command::new("kill")
				.args(["-KILL", &process.to_string()])
				.status();
		}
	}
}

/// The table's rows: request, image, digit shown, answer, time of the proof with its unit, verification with its unit, and what
/// worker, owner, author and treasury got.
fn rows(shown: &str) -> Vec<Vec<&str>> {
	shown
		.lines()
		.skip_while(|line| !line.trim_start().starts_with("request  image"))
		.skip(1)
		.take_while(|line| !line.is_empty())
		.map(|line| line.split_whitespace().collect())
		.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_paid_and_proven_answers_and_keeps_the_chain_if_asked() -> Result<()> {
	let demo = Command::new(binary("demo")?)
		.env("KEEP", "1")
		.stdin(Stdio::null())
		.kill_on_drop(true)
		.output();
	let output = timeout(WHOLE_LIMIT, demo).await.context("it ends")??;
	let shown = String::from_utf8(output.stdout)?;
	let (_, kept) = shown
		.split_once("Stop them with: kill ")
		.with_context(|| format!("{}: {shown}", String::from_utf8_lossy(&output.stderr)))?;
	let processes: Vec<u32> = kept
		.split_whitespace()
		.map(str::parse)
		.collect::<Result<_, _>>()?;
	let nodes = Killed(processes);
	ensure!(output.status.success(), "{}", output.status);
	assert_eq!(nodes.0.len(), NODES, "{kept}");
	assert!(nodes.0.iter().all(|node| runs(*node)), "{kept}");
	assert_eq!(
		shown.matches("https://polkadot.js.org/apps/?rpc=ws://").count(),
		2
	);

	let rows = rows(&shown);
	assert_eq!(rows.len(), IMAGES, "{shown}");
	for row in rows {
		let [_, _, shows, answer, proof, "s", verification, "ms", worker, owner, author, _treasury] = row[..]
		else {
			panic!("a row of another form: {row:?}");
		};
		assert!(answer.parse::<u8>()? < 10 && shows.parse::<u8>()? < 10, "{row:?}");
		for amount in [proof, verification, worker, owner, author] {
			assert!(amount.parse::<f64>()? > 0.0, "{row:?}");
		}
	}
	// Both models are right about these images, as their held-out accuracy says.
	assert!(
		shown.contains(&format!("{IMAGES} of {IMAGES} answers are right")),
		"{shown}"
	);
	assert!(shown.contains("the same as stored"), "{shown}");

	for node in &nodes.0 {
		ensure!(kill("TERM", *node).await?.success(), "node {node} runs no more");
	}
	eventually("the nodes have ended", LIMIT, || async {
		Ok((!nodes.0.iter().any(|node| runs(*node))).then_some(()))
	})
	.await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_signal_that_ends_it_ends_its_nodes() -> Result<()> {
	for signal in ["INT", "TERM", "HUP"] {
		let mut demo = Command::new(binary("demo")?)
			.env_remove("KEEP")
			.stdin(Stdio::null())
			.stdout(Stdio::null())
			.stderr(Stdio::null())
			.kill_on_drop(true)
			.spawn()?;
		let id = demo.id().context("it runs")?;
		let nodes = eventually("the demonstration starts a node", LIMIT, || async {
			Ok(Some(children(id)?).filter(|children| !children.is_empty()))
		})
		.await?;
		let sent = kill(signal, id).await?;
		ensure!(sent.success(), "kill -{signal}: {sent}");
		let status = timeout(LIMIT, demo.wait())
			.await
			.with_context(|| format!("{signal} does not end the demonstration"))??;
		ensure!(status.success(), "{signal}: {status}");
		eventually("its nodes have ended", LIMIT, || async {
			Ok((!nodes.iter().any(|node| runs(*node))).then_some(()))
		})
		.await?;
	}
	Ok(())
}
