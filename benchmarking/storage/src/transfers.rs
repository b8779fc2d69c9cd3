//! What putting a file and getting it back takes with real nodes: a chain, a provider for each shard, and the command
//! line, each a process of its own, all on this machine.

use std::{
	fs::File,
	io::{self, BufReader, BufWriter, Read, Write},
	path::Path,
	time::{Duration, Instant},
};

use anyhow::{bail, ensure, Context, Result};
use opensand_measure::peak_kib;
use opensand_slices::Code;
use opensand_tests::{
	node::Node,
	storage::{StorageMarket, OWNER},
};
use rand::RngCore;
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use serde_json::Value as Json;
use tokio::{
	io::{AsyncBufReadExt, AsyncReadExt},
	time::interval,
};

/// Windows that the order is paid for.
const WINDOWS: &str = "500";
/// What a command is at when its last phase is over.
const CLEANING_UP: &str = "cleaning up";
/// How often the client's memory is looked at.
const LOOK: Duration = Duration::from_millis(50);
const MIB: u64 = 1 << 20;

/// What one command took.
pub struct Transfer {
	/// From its start to its end.
	pub time: Duration,
	/// Most resident memory of the client, in KiB.
	pub peak_kib: u64,
	/// What it was at, and from when to when after its start, in the order in which it began.
	pub phases: Vec<(String, Duration, Duration)>,
}

impl Transfer {
	/// Megabytes of the file a second.
	pub fn rate(&self, file_bytes: u64) -> f64 {
		file_bytes as f64 / 1e6 / self.time.as_secs_f64()
	}
}

/// A file through real nodes.
pub struct Transfers {
	/// Bytes of the file.
	pub file_bytes: u64,
	/// Its code; each shard is with a provider of its own.
	pub code: Code,
	/// From the command to all shards being held and proven in a finalised block.
	pub put: Transfer,
	/// With all providers.
	pub get: Transfer,
	/// After those of the first shards, as many as may be lost, were killed.
	pub get_lossy: Transfer,
}

/// Measures a file of `mib` MiB.
///
/// # Errors
/// When a node or a command fails, or the file does not come back as it was.
pub async fn measure(mib: u64, code: Code) -> Result<Transfers> {
	let directory = tempfile::tempdir()?;
	let path = |name: &str| directory.path().join(name).to_string_lossy().into_owned();
	let (file, restored, again) = (path("file"), path("restored"), path("again"));
	write_noise(file.as_ref(), mib)?;
	let chain = Node::dev().await?;
	let mut market = StorageMarket::join(&chain, code.total().into()).await?;

	let shape = format!("{}/{}", code.data(), code.total());
	let arguments = ["store", "put", &file, "--code", &shape, "--windows", WINDOWS];
	let (put, result) = run(&market, &arguments).await?;
	let order = result["order"].as_u64().context("an order")?;
	let id = order.to_string();
	let (get, _) = run(&market, &["store", "get", &id, &restored]).await?;
	check_same(file.as_ref(), restored.as_ref())?;

	let mut first = market.holders(order).await?;
	first.truncate(code.parity().into());
	first.sort_unstable();
	for holder in first.into_iter().rev() {
		market.providers.remove(holder).node.kill().await?;
	}
	let (get_lossy, _) = run(&market, &["store", "get", &id, &again]).await?;
	check_same(file.as_ref(), again.as_ref())?;
	Ok(Transfers {
		file_bytes: mib * MIB,
		code,
		put,
		get,
		get_lossy,
	})
}

/// Runs the client as the owner; returns what it took, and its result.
async fn run(market: &StorageMarket, arguments: &[&str]) -> Result<(Transfer, Json)> {
	let start = Instant::now();
	let mut client = market.start(OWNER, arguments)?;
	let process = client.id().context("a running process has an id")?;
	let mut lines = tokio::io::BufReader::new(client.stdout.take().context("a pipe")?).lines();
	let mut stderr = client.stderr.take().context("a pipe")?;
	let said = tokio::spawn(async move {
		let mut text = String::new();
		stderr.read_to_string(&mut text).await.map(|_| text)
	});
	let mut looks = interval(LOOK);
	let mut peak = 0;
	let mut phases: Vec<(String, Duration, Duration)> = Vec::new();
	let mut result = Json::Null;
	loop {
		tokio::select! {
			_ = looks.tick() => peak = peak_kib(Some(process)).map_or(peak, |now| peak.max(now)),
			line = lines.next_line() => {
				let Some(line) = line? else { break };
				let event: Json = serde_json::from_str(&line)?;
				match (event["event"].as_str(), event["phase"].as_str()) {
					(Some("progress"), Some(phase)) => {
						let now = start.elapsed();
						match phases.iter_mut().find(|(known, ..)| known == phase) {
							Some((.., until)) => *until = now,
							None => phases.push((phase.to_owned(), now, now)),
						}
					}
					(Some("result"), _) => result = event,
					_ => (),
				}
			}
		}
	}
	let status = client.wait().await?;
	let time = start.elapsed();
	if !status.success() {
		bail!("opensand {}: {status}\n{}", arguments.join(" "), said.await??);
	}
	// Nothing announces what follows the last phase: what was kept for it is deleted.
	if let Some(last) = phases.iter().map(|(.., until)| *until).max() {
		phases.push((CLEANING_UP.to_owned(), last, time));
	}
	let transfer = Transfer {
		time,
		peak_kib: peak,
		phases,
	};
	Ok((transfer, result))
}

/// Writes a file that does not compress.
fn write_noise(path: &Path, mib: u64) -> Result<()> {
	let mut file = BufWriter::new(File::create(path)?);
	let mut random = ChaCha8Rng::seed_from_u64(1);
	let mut chunk = vec![0; MIB as usize];
	for _ in 0..mib {
		random.fill_bytes(&mut chunk);
		file.write_all(&chunk)?;
	}
	Ok(file.flush()?)
}

fn check_same(left: &Path, right: &Path) -> Result<()> {
	let open = |path| io::Result::Ok(BufReader::with_capacity(MIB as usize, File::open(path)?));
	let (mut left, mut right) = (open(left)?, open(right)?);
	let (mut expected, mut found) = (vec![0; MIB as usize], vec![0; MIB as usize]);
	loop {
		let length = left.read(&mut expected)?;
		right.read_exact(&mut found[..length])?;
		ensure!(
			expected[..length] == found[..length],
			"what was put is not what was got"
		);
		if length == 0 {
			ensure!(right.read(&mut found)? == 0, "more was got than was put");
			return Ok(());
		}
	}
}
