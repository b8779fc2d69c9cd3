//! A storage market: a chain, providers that hold data for others, and the command line by which owners use them.

use std::{
	path::{Path, PathBuf},
	process::{Output, Stdio},
	time::Duration,
};

use anyhow::{bail, ensure, Context, Result};
use futures::{future::try_join_all, stream, StreamExt, TryStreamExt};
use serde_json::Value as Json;
use subxt::{dynamic::Value, utils::AccountId32};
use subxt_signer::{
	sr25519::{dev, Keypair},
	SecretUri,
};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use crate::{
	client::{address, submit, Call, Client, SAND},
	eventually, hurried,
	network::wait_for_peers,
	node::{binary, metric, Node, StoppedNode},
	ports::free_port,
};

/// The accounts of the first providers, in the order in which they join. The development chain endows them.
const PROVIDERS: [&str; 4] = ["//Bob", "//Charlie", "//Dave", "//Eve"];
/// The most providers.
const MOST_PROVIDERS: usize = 16;
/// What a provider without endowment gets.
const PROVIDER_FUNDS: u128 = 1_000 * SAND;
/// What a provider puts at stake.
const COLLATERAL: &str = "100";
/// What a provider offers to hold.
const QUOTA: &str = "1GiB";
/// What an agent gets for fees.
const AGENT_FUNDS: u128 = 100 * SAND;
/// How long a node may take to see its key, or another node.
const STEP_LIMIT: Duration = Duration::from_secs(120);
/// How long one command of the client may take.
const COMMAND_LIMIT: Duration = Duration::from_secs(600);

/// A provider: its node and its account.
pub struct Provider {
	/// The node that holds the data.
	pub node: Node,
	/// The account that has registered it.
	pub account: Keypair,
	uri: String,
}

impl Provider {
	/// What the node says of its storage.
	///
	/// # Errors
	/// When it does not answer.
	pub async fn status(&self) -> Result<Json> {
		self.node.call("storage_status", &[]).await
	}

	/// What the node offers to Prometheus as `opensand_storage_<name>`, of the first series with this label.
	///
	/// # Errors
	/// When there is no such metric.
	pub async fn metric(&self, name: &str, label: &str) -> Result<f64> {
		let metrics = self.node.metrics().await?;
		metric(&metrics, &format!("opensand_storage_{name}"), label)
			.with_context(|| format!("no metric {name} with {label}"))
	}

	/// The account as hexadecimal text.
	pub fn address(&self) -> String {
		address_text(&self.account)
	}

	/// Kills the process without warning and starts it again on the same directory.
	///
	/// # Errors
	/// When it does not come back.
	pub async fn kill_and_restart(self) -> Result<Self> {
		let stopped = self.node.kill().await?;
		Ok(Self {
			node: stopped.start().await?,
			..self
		})
	}
}

/// A test's files, in a directory that goes with them.
pub struct Files(TempDir);

impl Files {
	/// An empty directory.
	///
	/// # Errors
	/// When it cannot be made.
	pub fn new() -> Result<Self> {
		Ok(Self(tempfile::tempdir()?))
	}

	/// The path of a file, which need not be there.
	pub fn path(&self, name: &str) -> String {
		self.0.path().join(name).to_string_lossy().into_owned()
	}

	/// A file of `bytes` bytes of noise that differs with `seed`: its path and its content.
	///
	/// # Errors
	/// When it cannot be written.
	pub fn noise(&self, name: &str, bytes: usize, seed: u64) -> Result<(String, Vec<u8>)> {
		let path = self.path(name);
		let data = write_noise(path.as_ref(), bytes, seed)?;
		Ok((path, data))
	}

	/// A chain with short periods; its specification is among the files.
	///
	/// # Errors
	/// When its node does not start.
	pub async fn hurried_chain(&self) -> Result<Node> {
		hurried::start(self.0.path()).await
	}
}

/// What most tests of storage begin with: a file, a chain, and providers on it.
pub struct Scene {
	/// An owner's machine, and the providers.
	pub market: StorageMarket,
	/// The chain's only validator.
	pub chain: Node,
	/// What stands in `file`.
	pub data: Vec<u8>,
	/// A file to store.
	pub file: String,
	/// The directory that it is in.
	pub files: Files,
}

impl Scene {
	/// A file of `bytes` bytes that differ with `seed`, and a development chain with so many providers.
	///
	/// # Errors
	/// When a step fails.
	pub async fn open(bytes: usize, seed: u64, providers: usize) -> Result<Self> {
		Self::on(Node::dev().await?, Files::new()?, bytes, seed, providers).await
	}

	/// The same on a chain with short periods.
	///
	/// # Errors
	/// When a step fails.
	pub async fn open_hurried(bytes: usize, seed: u64, providers: usize) -> Result<Self> {
		let files = Files::new()?;
		Self::on(files.hurried_chain().await?, files, bytes, seed, providers).await
	}

	async fn on(chain: Node, files: Files, bytes: usize, seed: u64, providers: usize) -> Result<Self> {
		let (file, data) = files.noise("data.bin", bytes, seed)?;
		Ok(Self {
			market: StorageMarket::join(&chain, providers).await?,
			chain,
			data,
			file,
			files,
		})
	}
}

/// Providers on a chain, and an owner's machine.
pub struct StorageMarket {
	/// Who holds data.
	pub providers: Vec<Provider>,
	/// The address of a node of the chain.
	url: String,
	/// A client of it.
	client: Client,
	/// Where the owner's command line keeps unfinished transfers.
	cache: TempDir,
}

impl StorageMarket {
	/// An owner's machine on the chain of `node`, and `count` providers that it starts, at most 16.
	///
	/// # Errors
	/// When a step fails.
	pub async fn join(node: &Node, count: usize) -> Result<Self> {
		ensure!(count <= MOST_PROVIDERS, "at most {MOST_PROVIDERS} providers");
		let entrance = node.multiaddress().await?;
		let client = node.client().await?;
		let starts = (0..count).map(|index| start(uri_of(index), node.chain(), &entrance));
		// A node that starts compiles the runtime, for seconds: more at a time than there are cores only wait for each other.
		let at_a_time = std::thread::available_parallelism().map_or(1, usize::from);
		let providers = stream::iter(starts).buffered(at_a_time).try_collect().await?;
		let market = Self {
			providers,
			url: node.url(),
			client,
			cache: tempfile::tempdir()?,
		};
		market.endow_others().await?;
		// Each waits for some blocks.
		try_join_all(market.providers.iter().map(|provider| market.register(provider))).await?;
		Ok(market)
	}

	/// Gives funds to the providers that have none from the beginning.
	async fn endow_others(&self) -> Result<()> {
		let others = self.providers.iter().skip(PROVIDERS.len());
		let transfers: Vec<_> = others
			.map(|provider| {
				let transfer = [
					("dest", address(&provider.account)),
					("value", Value::u128(PROVIDER_FUNDS)),
				];
				let transfer = Value::named_variant("transfer_keep_alive", transfer);
				Value::unnamed_variant("Balances", [transfer])
			})
			.collect();
		if !transfers.is_empty() {
			let batch = Call::new("Utility", "batch_all", vec![Value::unnamed_composite(transfers)]);
			submit(&self.client, batch, &dev::alice()).await?;
		}
		Ok(())
	}

	async fn register(&self, provider: &Provider) -> Result<()> {
		wait_for_peers(&provider.node, 1).await?;
		let seed = format!("{}//agent", provider.uri);
		let agent = Keypair::from_uri(&seed.parse::<SecretUri>()?)?;
		let public = address_text(&agent);
		provider
			.node
			.call("author_insertKey", &["stor".into(), seed.into(), public.into()])
			.await?;
		let transfer = vec![
			Value::unnamed_variant("Id", [Value::from_bytes(agent.public_key().0)]),
			Value::u128(AGENT_FUNDS),
		];
		submit(
			&self.client,
			Call::new("Balances", "transfer_keep_alive", transfer),
			&provider.account,
		)
		.await?;
		eventually("the node names its agent", STEP_LIMIT, || async {
			Ok(provider.status().await?["agent"].is_string().then_some(()))
		})
		.await?;
		let arguments = [
			"provider",
			"register",
			"--collateral",
			COLLATERAL,
			"--quota",
			QUOTA,
			"--region",
			"eu-west",
		];
		// The provider's own node knows its peer key and addresses.
		self.run(&provider.node.url(), Some(&provider.uri), &arguments)
			.await?;
		Ok(())
	}

	/// Runs the client as `key` and returns its result.
	///
	/// # Errors
	/// When it fails; the message has what it said.
	pub async fn opensand(&self, key: &str, arguments: &[&str]) -> Result<Json> {
		self.run(&self.url, Some(key), arguments).await
	}

	/// Runs the client without a key and returns its result.
	///
	/// # Errors
	/// When it fails; the message has what it said.
	pub async fn anybody(&self, arguments: &[&str]) -> Result<Json> {
		self.run(&self.url, None, arguments).await
	}

	/// Starts the client as `key`, its standard output in a pipe; it is killed when dropped.
	///
	/// # Errors
	/// When there is no client.
	pub fn start(&self, key: &str, arguments: &[&str]) -> Result<Child> {
		Ok(self.command(&self.url, Some(key), arguments)?.spawn()?)
	}

	fn command(&self, url: &str, key: Option<&str>, arguments: &[&str]) -> Result<Command> {
		let mut command = Command::new(client_binary()?);
		command
			.args(["--json", "--yes", "--url", url, "--cache-dir"])
			.arg(self.cache.path())
			.args(key.map(|key| ["--key", key]).into_iter().flatten())
			.args(arguments)
			.stdin(Stdio::null())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped())
			.kill_on_drop(true);
		Ok(command)
	}

	/// Runs the client, which has to fail, and returns how it did.
	///
	/// # Errors
	/// When it succeeds, or does not say what was wrong.
	pub async fn failure(&self, key: Option<&str>, arguments: &[&str]) -> Result<Failure> {
		let what = arguments.join(" ");
		let output = self.output(&self.url, key, arguments).await?;
		ensure!(!output.status.success(), "opensand {what} succeeded");
		let error = last_event(&output, "error").with_context(|| format!("opensand {what}"))?;
		let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
		let code = output.status.code().context("it was killed")?;
		ensure!(error["code"] == code, "exit code {code} and {error}");
		Ok(Failure {
			code,
			message: text("message"),
			remedy: text("remedy"),
			details: error["details"].to_string(),
		})
	}

	async fn run(&self, url: &str, key: Option<&str>, arguments: &[&str]) -> Result<Json> {
		let what = arguments.join(" ");
		let output = self.output(url, key, arguments).await?;
		if !output.status.success() {
			bail!(
				"opensand {what}: {}\n{}{}",
				output.status,
				String::from_utf8_lossy(&output.stdout),
				String::from_utf8_lossy(&output.stderr)
			);
		}
		last_event(&output, "result").with_context(|| format!("opensand {what}"))
	}

	async fn output(&self, url: &str, key: Option<&str>, arguments: &[&str]) -> Result<Output> {
		let running = self.command(url, key, arguments)?.output();
		let output = tokio::time::timeout(COMMAND_LIMIT, running).await;
		Ok(output.with_context(|| {
			format!(
				"opensand {}: no end after {} s",
				arguments.join(" "),
				COMMAND_LIMIT.as_secs()
			)
		})??)
	}

	/// Where the client keeps unfinished transfers.
	pub fn cache(&self) -> &Path {
		self.cache.path()
	}

	/// A client of the chain.
	pub fn client(&self) -> &Client {
		&self.client
	}

	/// The place among [`Self::providers`] of the one that has each shard of `order`, by shard.
	///
	/// # Errors
	/// When a shard has none of them.
	pub async fn holders(&self, order: u64) -> Result<Vec<usize>> {
		let shown = self.anybody(&["store", "show", &order.to_string()]).await?;
		let shards = shown["shards"].as_array().context("shards")?;
		shards
			.iter()
			.map(|shard| {
				let holder: AccountId32 = shard["provider"].as_str().context("a provider")?.parse()?;
				self.providers
					.iter()
					.position(|provider| provider.account.public_key().to_account_id() == holder)
					.with_context(|| format!("none of the providers has {shard}"))
			})
			.collect()
	}

	/// Waits until every shard of `order` is held and proven.
	///
	/// # Errors
	/// When that is not so within `limit`; the message has what is.
	pub async fn wait_until_whole(&self, order: u64, limit: Duration) -> Result<Json> {
		self.wait_until_whole_and(order, limit, |_| true).await
	}

	/// The same, and until what `store show` says of the order is as wanted.
	///
	/// # Errors
	/// As [`Self::wait_until_whole`].
	pub async fn wait_until_whole_and(
		&self,
		order: u64,
		limit: Duration,
		is_wanted: impl Fn(&Json) -> bool,
	) -> Result<Json> {
		let id = order.to_string();
		eventually(&format!("order {order} is whole"), limit, || async {
			let shown = self.anybody(&["store", "show", &id]).await?;
			let shards = shown["shards"].as_array().context("shards")?;
			let whole = shards.iter().all(|shard| shard["status"] == "active");
			ensure!(whole && is_wanted(&shown), "{shown}");
			Ok(Some(shown))
		})
		.await
	}
}

/// How a command of the client failed.
#[derive(Debug)]
pub struct Failure {
	/// Its exit code.
	pub code: i32,
	/// What went wrong.
	pub message: String,
	/// What to do about it.
	pub remedy: String,
	/// More about it, as JSON.
	pub details: String,
}

/// The line of that kind that the client printed last.
fn last_event(output: &Output, kind: &str) -> Result<Json> {
	let text = String::from_utf8_lossy(&output.stdout);
	text.lines()
		.rev()
		.filter_map(|line| serde_json::from_str::<Json>(line).ok())
		.find(|line| line["event"] == kind)
		.with_context(|| format!("no {kind} in\n{text}"))
}

/// An account as hexadecimal text.
pub fn address_text(account: &Keypair) -> String {
	format!("0x{}", hex::encode(account.public_key().0))
}

/// The account that stores files in tests.
pub const OWNER: &str = "//Ferdie";
/// The account that is granted access in tests.
pub const GRANTEE: &str = "//Alice";

/// The key of [`GRANTEE`].
pub fn grantee() -> Keypair {
	dev::alice()
}

fn client_binary() -> Result<PathBuf> {
	binary("opensand")
}

/// The key of the provider that joins at this place.
fn uri_of(index: usize) -> String {
	PROVIDERS
		.get(index)
		.map_or_else(|| format!("//Provider{index}"), |uri| (*uri).to_owned())
}

/// Starts a provider's node, which listens on a port that it keeps over restarts.
async fn start(uri: String, chain: &str, entrance: &str) -> Result<Provider> {
	let name = uri.trim_start_matches('/').to_lowercase();
	let stopped = StoppedNode::new(&name, chain)?;
	let directory = stopped.directory().join("storage");
	let directory = directory.to_str().context("a path in UTF-8")?;
	let address = format!("/ip4/127.0.0.1/tcp/{}", free_port()?);
	let node = stopped
		.with(&[
			"--bootnodes",
			entrance,
			"--storage",
			directory,
			"--storage-quota",
			QUOTA,
			"--storage-regions",
			"eu-west",
			"--storage-listen",
			&address,
		])
		.with_metrics()
		.start()
		.await?;
	Ok(Provider {
		node,
		account: Keypair::from_uri(&uri.parse::<SecretUri>()?)?,
		uri,
	})
}

/// Writes `bytes` bytes that do not compress and differ with `seed`.
///
/// # Errors
/// When the file cannot be written.
pub fn write_noise(path: &Path, bytes: usize, seed: u64) -> Result<Vec<u8>> {
	let mut noise = Vec::with_capacity(bytes + 32);
	let mut block = sp_crypto_hashing::blake2_256(&seed.to_le_bytes());
	while noise.len() < bytes {
		noise.extend_from_slice(&block);
		block = sp_crypto_hashing::blake2_256(&block);
	}
	noise.truncate(bytes);
	std::fs::write(path, &noise).with_context(|| path.display().to_string())?;
	Ok(noise)
}
