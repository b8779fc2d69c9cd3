//! One node as a process.

use std::{
	env,
	fs::{self, File},
	path::{Path, PathBuf},
	process::Stdio,
	time::Duration,
};

use anyhow::{anyhow, bail, Context, Result};
use serde_json::Value;
use subxt::rpcs::client::{RpcClient, RpcParams};
use tempfile::TempDir;
use tokio::{
	io::{AsyncReadExt, AsyncWriteExt},
	net::TcpStream,
	process::{Child, Command},
};

use crate::{client::Client, eventually};

/// How long a node may take from its start to its first answer, on a machine that is busy with other nodes.
const START_LIMIT: Duration = Duration::from_secs(120);
/// The end of a node's log that goes into an error message, in bytes.
const LOG_TAIL: usize = 4_000;
/// What stands in the log before the address of the RPC server.
const RPC_ANNOUNCEMENT: &str = "Running JSON-RPC server: addr=";
/// What stands in the log before the address at which metrics are offered.
const METRICS_ANNOUNCEMENT: &str = "Prometheus exporter started at ";

/// Where the compiled node is: `$OPENSAND_NODE`, or beside the running test or example.
///
/// # Errors
/// When there is none in either place; the message says how to build it.
pub fn binary(name: &str) -> Result<PathBuf> {
	if name == "opensand-node" {
		if let Some(path) = env::var_os("OPENSAND_NODE") {
			return Ok(path.into());
		}
	}
	let this = env::current_exe().context("the path of this program")?;
	this.ancestors()
		.skip(1)
		.map(|directory| directory.join(name))
		.find(|path| path.is_file())
		.ok_or_else(|| {
			anyhow!(
				"no `{name}` beside {}: build the workspace first (`make build`)",
				this.display()
			)
		})
}

/// Where a node logs: in its directory, or in `$OPENSAND_LOGS`, which outlives a test that fails.
fn log_path(directory: &Path, name: &str) -> Result<PathBuf> {
	let Some(logs) = env::var_os("OPENSAND_LOGS") else {
		return Ok(directory.join(format!("{name}.log")));
	};
	let logs = PathBuf::from(logs);
	fs::create_dir_all(&logs).with_context(|| logs.display().to_string())?;
	let network = directory.file_name().unwrap_or_default().to_string_lossy();
	Ok(logs.join(format!("{network}-{name}.log")))
}

/// A directory that goes with the node, or one that the caller keeps.
enum Directory {
	Temporary(TempDir),
	Kept(PathBuf),
}

impl Directory {
	fn path(&self) -> &Path {
		match self {
			Directory::Temporary(directory) => directory.path(),
			Directory::Kept(path) => path,
		}
	}
}

/// A node that is not running: its command line and its directory, which survives restarts.
pub struct StoppedNode {
	name: String,
	chain: String,
	arguments: Vec<String>,
	variables: Vec<(String, String)>,
	directory: Directory,
}

impl StoppedNode {
	/// A node of `chain`, a built-in one or the path of a specification, in a new temporary directory that is removed with
	/// it.
	///
	/// # Errors
	/// When the temporary directory cannot be made.
	pub fn new(name: &str, chain: &str) -> Result<Self> {
		let directory = tempfile::Builder::new()
			.prefix("opensand-")
			.tempdir()
			.context("a temporary directory")?;
		Ok(Self::with_directory(name, chain, Directory::Temporary(directory)))
	}

	/// A node of `chain` whose database and keys stay in `directory`.
	pub fn in_directory(name: &str, chain: &str, directory: &Path) -> Self {
		Self::with_directory(name, chain, Directory::Kept(directory.to_owned()))
	}

	fn with_directory(name: &str, chain: &str, directory: Directory) -> Self {
		// Port 0 lets the system choose, so that networks of several tests can stand side by side.
		let arguments = [
			"--chain",
			chain,
			"--name",
			name,
			"--rpc-port",
			"0",
			"--listen-addr",
			"/ip4/127.0.0.1/tcp/0",
			"--rpc-methods",
			"unsafe",
			"--no-mdns",
			"--no-telemetry",
			"--no-prometheus",
			"--no-hardware-benchmarks",
		];
		Self {
			name: name.to_owned(),
			chain: chain.to_owned(),
			arguments: arguments.into_iter().map(str::to_owned).collect(),
			variables: Vec::new(),
			directory,
		}
	}

	/// Adds words to the command line.
	pub fn with(mut self, arguments: &[&str]) -> Self {
		self.arguments
			.extend(arguments.iter().copied().map(str::to_owned));
		self
	}

	/// Lets the node offer its metrics, see [`Node::metrics`].
	pub fn with_metrics(mut self) -> Self {
		self.arguments.retain(|argument| argument != "--no-prometheus");
		self.with(&["--prometheus-port", "0"])
	}

	/// Sets an environment variable of the process.
	pub fn with_variable(mut self, name: &str, value: &str) -> Self {
		self.variables.push((name.to_owned(), value.to_owned()));
		self
	}

	/// Where the node keeps its database and keys.
	pub fn directory(&self) -> &Path {
		self.directory.path()
	}

	/// Starts the process and waits until it answers RPC calls.
	///
	/// # Errors
	/// When the program is missing, ends by itself or does not answer in time; the message carries the end of its log.
	pub async fn start(self) -> Result<Node> {
		let log_path = log_path(self.directory(), &self.name)?;
		let log = File::create(&log_path).with_context(|| log_path.display().to_string())?;
		let program = binary("opensand-node")?;
		let mut process = Command::new(&program)
			.args(&self.arguments)
			.arg("--base-path")
			.arg(self.directory())
			.envs(self.variables.iter().cloned())
			.stdin(Stdio::null())
			.stdout(log.try_clone().context("a second handle of the log")?)
			.stderr(log)
			.kill_on_drop(true)
			.spawn()
			.with_context(|| program.display().to_string())?;

		let what = format!("the first answer of node {}", self.name);
		let started = eventually(&what, START_LIMIT, || {
			let ended = process.try_wait();
			let (name, log_path) = (&self.name, &log_path);
			async move {
				if let Some(status) = ended.context("the process's status")? {
					return Ok(Some(Err(anyhow!("node {name} ended: {status}"))));
				}
				let Some(port) = announced_port(&fs::read_to_string(log_path)?, RPC_ANNOUNCEMENT) else {
					return Ok(None);
				};
				let rpc = RpcClient::from_insecure_url(format!("ws://127.0.0.1:{port}")).await?;
				Ok(Some(Ok((port, rpc))))
			}
		})
		.await
		.and_then(|outcome| outcome)
		.with_context(|| tail(&log_path));
		let (rpc_port, rpc) = started?;
		Ok(Node {
			process,
			rpc_port,
			rpc,
			log_path,
			stopped: self,
		})
	}
}

/// A running node. Dropping it kills the process.
pub struct Node {
	process: Child,
	rpc_port: u16,
	rpc: RpcClient,
	log_path: PathBuf,
	stopped: StoppedNode,
}

impl Node {
	/// A development chain of one validator, Alice, that makes and finalises blocks alone.
	///
	/// # Errors
	/// As [`StoppedNode::start`].
	pub async fn dev() -> Result<Self> {
		Self::alone("dev").await
	}

	/// A chain of one validator, Alice, that makes and finalises blocks alone: `dev`, or one that was made from it.
	///
	/// # Errors
	/// As [`StoppedNode::start`].
	pub async fn alone(chain: &str) -> Result<Self> {
		StoppedNode::new("alice", chain)?
			.with(&["--alice", "--force-authoring"])
			.start()
			.await
	}

	/// The node's name.
	pub fn name(&self) -> &str {
		&self.stopped.name
	}

	/// Where the node keeps its database and keys.
	pub fn directory(&self) -> &Path {
		self.stopped.directory()
	}

	/// The chain that it was started on.
	pub fn chain(&self) -> &str {
		&self.stopped.chain
	}

	/// The process's id.
	pub fn process_id(&self) -> Option<u32> {
		self.process.id()
	}

	/// The port of its RPC server.
	pub fn rpc_port(&self) -> u16 {
		self.rpc_port
	}

	/// The address of its RPC server, for WebSocket clients.
	pub fn url(&self) -> String {
		format!("ws://127.0.0.1:{}", self.rpc_port)
	}

	/// Everything that it has logged since its last start.
	///
	/// # Errors
	/// When the log cannot be read.
	pub fn log(&self) -> Result<String> {
		fs::read_to_string(&self.log_path).with_context(|| self.log_path.display().to_string())
	}

	/// Calls an RPC method.
	///
	/// # Errors
	/// When the connection broke, the method is unknown or refused the parameters.
	pub async fn call(&self, method: &str, parameters: &[Value]) -> Result<Value> {
		let mut list = RpcParams::new();
		for parameter in parameters {
			list.push(parameter)?;
		}
		self.rpc
			.request(method, list)
			.await
			.with_context(|| format!("{method} on node {}", self.name()))
	}

	/// The metrics that the node offers to Prometheus, as text; [`metric`] finds one in it.
	///
	/// # Errors
	/// When the node was started without [`StoppedNode::with_metrics`] or does not answer.
	pub async fn metrics(&self) -> Result<String> {
		let port = announced_port(&self.log()?, METRICS_ANNOUNCEMENT)
			.with_context(|| format!("node {} offers no metrics", self.name()))?;
		let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
		// This version's answers are in one piece and end with the connection.
		connection.write_all(b"GET /metrics HTTP/1.0\r\n\r\n").await?;
		let mut answer = String::new();
		connection.read_to_string(&mut answer).await?;
		Ok(answer)
	}

	/// A `subxt` client of this node.
	///
	/// # Errors
	/// When the node does not answer or its metadata does not decode.
	pub async fn client(&self) -> Result<Client> {
		Client::new(self.rpc.clone()).await
	}

	/// Its best block's number.
	///
	/// # Errors
	/// As [`Self::call`].
	pub async fn best_number(&self) -> Result<u32> {
		number(&self.call("chain_getHeader", &[]).await?)
	}

	/// Its finalised block's number.
	///
	/// # Errors
	/// As [`Self::call`].
	pub async fn finalized_number(&self) -> Result<u32> {
		let hash = self.call("chain_getFinalizedHead", &[]).await?;
		number(&self.call("chain_getHeader", &[hash]).await?)
	}

	/// The hash of its block `number` on the best chain; `None` where it has no such block.
	///
	/// # Errors
	/// As [`Self::call`].
	pub async fn block_hash(&self, number: u32) -> Result<Option<String>> {
		Ok(self
			.call("chain_getBlockHash", &[number.into()])
			.await?
			.as_str()
			.map(str::to_owned))
	}

	/// The address by which other nodes reach it.
	///
	/// # Errors
	/// As [`Self::call`], and when it listens nowhere on the loopback.
	pub async fn multiaddress(&self) -> Result<String> {
		let peer = self.call("system_localPeerId", &[]).await?;
		let peer = peer.as_str().context("a peer id is a string")?;
		let addresses = self.call("system_localListenAddresses", &[]).await?;
		let address = addresses
			.as_array()
			.into_iter()
			.flatten()
			.filter_map(Value::as_str)
			.find(|address| address.starts_with("/ip4/127.0.0.1/tcp/"))
			.with_context(|| format!("a loopback address among {addresses}"))?;
		Ok(if address.contains("/p2p/") {
			address.to_owned()
		} else {
			format!("{address}/p2p/{peer}")
		})
	}

	/// Ends the process as `kill -9` does: it gets no chance to save anything.
	///
	/// # Errors
	/// When the process cannot be signalled.
	pub async fn kill(mut self) -> Result<StoppedNode> {
		self.process
			.kill()
			.await
			.with_context(|| format!("killing node {}", self.name()))?;
		Ok(self.stopped)
	}

	/// Leaves the process running when this value is dropped, and returns its id.
	///
	/// # Errors
	/// When the process has ended.
	pub fn detach(mut self) -> Result<u32> {
		if let Some(status) = self.process.try_wait()? {
			bail!("node {} ended: {status}", self.name());
		}
		let id = self.process.id().context("a running process has an id")?;
		if let Directory::Temporary(directory) = self.stopped.directory {
			// The node goes on using it.
			let _ = directory.keep();
		}
		std::mem::forget(self.process);
		Ok(id)
	}
}

/// The value of a metric among a node's [`metrics`](Node::metrics): that of the first series with this label, such as
/// `status="best"`, which may be empty.
pub fn metric(metrics: &str, name: &str, label: &str) -> Option<f64> {
	metrics
		.lines()
		.filter_map(|line| line.strip_prefix(name))
		.filter(|rest| rest.starts_with(['{', ' ']) && rest.contains(label))
		.find_map(|rest| rest.rsplit(' ').next()?.parse().ok())
}

/// The port that a server announces in the log.
fn announced_port(log: &str, announcement: &str) -> Option<u16> {
	let (_, addresses) = log.split_once(announcement)?;
	let (_, port) = addresses.lines().next()?.split_once("127.0.0.1:")?;
	port.split(|character: char| !character.is_ascii_digit())
		.next()?
		.parse()
		.ok()
}

/// The number in a header as RPC renders it.
fn number(header: &Value) -> Result<u32> {
	let text = header["number"]
		.as_str()
		.with_context(|| format!("a header, not {header}"))?;
	Ok(u32::from_str_radix(text.trim_start_matches("0x"), 16)?)
}

/// The last part of a log.
fn tail(path: &Path) -> String {
	let log = fs::read(path).unwrap_or_default();
	let start = log.len().saturating_sub(LOG_TAIL);
	format!(
		"end of {}:\n{}",
		path.display(),
		String::from_utf8_lossy(&log[start..])
	)
}

#[cfg(test)]
mod tests {
	use super::{announced_port, metric, number, METRICS_ANNOUNCEMENT, RPC_ANNOUNCEMENT};

	#[test]
	fn the_port_is_read_from_the_announcement() {
		let log = "x\n2026-01-01 Running JSON-RPC server: addr=127.0.0.1:45123,[::1]:40001\ny";
		assert_eq!(announced_port(log, RPC_ANNOUNCEMENT), Some(45123));
		assert_eq!(announced_port("still starting", RPC_ANNOUNCEMENT), None);
		let log = "2026-01-01 〽️ Prometheus exporter started at 127.0.0.1:9615\nx";
		assert_eq!(announced_port(log, METRICS_ANNOUNCEMENT), Some(9615));
	}

	#[test]
	fn a_metric_is_found_by_name_and_label() {
		let metrics =
			"# TYPE height gauge\nheight{chain=\"x\",status=\"best\"} 7\nheight{status=\"final\"} 5\n\
			height_total 9\npeers 3\n";
		assert_eq!(metric(metrics, "height", "status=\"final\""), Some(5.0));
		assert_eq!(metric(metrics, "height", ""), Some(7.0));
		assert_eq!(metric(metrics, "peers", ""), Some(3.0));
		assert_eq!(metric(metrics, "peer", ""), None);
	}

	#[test]
	fn a_header_s_number_is_hexadecimal() {
		assert_eq!(number(&serde_json::json!({ "number": "0x1f" })).unwrap(), 31);
		assert!(number(&serde_json::Value::Null).is_err());
	}
}
