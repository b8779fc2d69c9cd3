//! Whatever ends the demonstration ends its nodes.

use std::{fs, process::Stdio, time::Duration};

use anyhow::{ensure, Context, Result};
use opensand_tests::{eventually, node::binary};
use tokio::{process::Command, time::timeout};

/// How long the demonstration may take to start a node, and to end.
const LIMIT: Duration = Duration::from_secs(120);

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
		let sent = Command::new("kill")
			.args([format!("-{signal}"), id.to_string()])
			.status()
			.await?;
		ensure!(sent.success(), "kill -{signal}: {sent}");
		let status = timeout(LIMIT, demo.wait())
			.await
			.with_context(|| format!("{signal} does not end the demonstration"))??;
		ensure!(status.success(), "{signal}: {status}");
		eventually("its nodes have ended", LIMIT, || async {
			let ended = |node: &u32| parent_and_state(*node).is_none_or(|(_, state)| state == 'Z');
			Ok(nodes.iter().all(ended).then_some(()))
		})
		.await?;
	}
	Ok(())
}
