//! `opensand-node prover`: look after a node's prover.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use opensand_primitives::proving::JobId;
use sc_cli::SubstrateCli;
use sc_service::BasePath;
use serde::Serialize;
use serde_json::json;

use super::{
	bundles::BundleStore,
	devices, keys,
	params::{queue_directory, DeviceParams, Places},
	queue::{JobSummary, Queue},
	rpc::{DeviceView, DrivenView, JobView, StatusView},
	worker,
};

/// What can be done with a node's prover. Start the node with `--worker` to have it prove.
#[derive(Debug, Subcommand)]
pub enum ProverCmd {
	/// List the devices that can prove, with their drivers and memory.
	///
	/// Loads the plug-in and asks the driver; nothing is computed.
	Devices {
		/// Which devices.
		#[command(flatten)]
		device: DeviceParams,
		/// How to print them.
		#[command(flatten)]
		output: Output,
	},

	/// Install an artifact bundle, which `opensand-zk setup` makes.
	///
	/// The bundle is checked file by file and copied. A node that runs finds it at once.
	Install {
		/// Directory of the bundle.
		bundle: PathBuf,
		/// Where to install it.
		#[command(flatten)]
		location: Location,
		/// How to print its key.
		#[command(flatten)]
		output: Output,
	},

	/// List the verifying keys whose bundles are installed.
	Bundles {
		/// Where they are installed.
		#[command(flatten)]
		location: Location,
		/// How to print them.
		#[command(flatten)]
		output: Output,
	},

	/// Print the public key that clients seal private inputs to; makes the key if there is none.
	///
	/// Register this key with the worker. The secret is in `prover/x25519.key` in the base path: back it up.
	Keys {
		/// Where the key is.
		#[command(flatten)]
		location: Location,
		/// How to print it.
		#[command(flatten)]
		output: Output,
	},

	/// Look into the queue of proving jobs, and mend it.
	#[command(subcommand)]
	Queue(QueueCmd),

	/// Prove what standard input asks for. The node starts this itself.
	#[command(hide = true)]
	Worker {
		/// Directory of the bundles.
		#[arg(long, value_name = "DIRECTORY")]
		prover_bundles: PathBuf,
		/// What to prove on.
		#[command(flatten)]
		device: DeviceParams,
		/// Which of several GPUs.
		#[arg(long, value_name = "NUMBER", default_value_t = 0)]
		prover_place: usize,
	},
}

/// What can be done with the queue.
#[derive(Debug, Subcommand)]
pub enum QueueCmd {
	/// List the jobs. This works while the node runs.
	List {
		/// Whose queue.
		#[command(flatten)]
		location: QueueLocation,
		/// How to print the jobs.
		#[command(flatten)]
		output: Output,
	},

	/// Let a failed job wait again. Stop the node first.
	Retry {
		/// The job: 64 hexadecimal digits.
		#[arg(value_parser = parse_job)]
		job: JobId,
		/// Whose queue.
		#[command(flatten)]
		location: QueueLocation,
	},

	/// Cancel an unfinished job. Stop the node first.
	Cancel {
		/// The job: 64 hexadecimal digits.
		#[arg(value_parser = parse_job)]
		job: JobId,
		/// Whose queue.
		#[command(flatten)]
		location: QueueLocation,
	},
}

/// How to print.
#[derive(Clone, Copy, Debug, Args)]
pub struct Output {
	/// Print JSON.
	#[arg(long)]
	json: bool,
}

impl Output {
	/// Prints `value` as JSON, or `lines` one by one.
	fn print(self, value: &impl Serialize, lines: impl IntoIterator<Item = String>) -> sc_cli::Result<()> {
		if self.json {
			let text = serde_json::to_string_pretty(value).map_err(application)?;
			println!("{text}");
		} else {
			lines.into_iter().for_each(|line| println!("{line}"));
		}
		Ok(())
	}
}

/// Which node's prover.
#[derive(Clone, Debug, Args)]
pub struct Location {
	/// The node's base path.
	#[arg(long, short = 'd', value_name = "PATH")]
	base_path: Option<PathBuf>,

	/// Directory of the bundles, if the node has it elsewhere than in its base path.
	#[arg(long, value_name = "DIRECTORY")]
	prover_bundles: Option<PathBuf>,
}

impl Location {
	fn places<C: SubstrateCli>(&self, _: &C) -> Places {
		Places::new(
			base_path::<C>(&self.base_path).path(),
			self.prover_bundles.as_deref(),
		)
	}
}

/// Which queue: each chain has its own.
#[derive(Clone, Debug, Args)]
pub struct QueueLocation {
	/// The node's base path.
	#[arg(long, short = 'd', value_name = "PATH")]
	base_path: Option<PathBuf>,

	/// The chain: its name or the file of its specification.
	#[arg(long, value_name = "CHAIN_SPEC", conflicts_with = "dev")]
	chain: Option<String>,

	/// The development chain.
	#[arg(long)]
	dev: bool,
}

impl QueueLocation {
	fn directory<C: SubstrateCli>(&self, cli: &C) -> sc_cli::Result<PathBuf> {
		let id = match (&self.chain, self.dev) {
			(Some(chain), _) => chain,
			(None, true) => "dev",
			(None, false) => "",
		};
		let chain = base_path::<C>(&self.base_path).config_dir(cli.load_spec(id)?.id());
		Ok(queue_directory(&chain))
	}
}

/// The base path that was given, or the one that a node has by default.
fn base_path<C: SubstrateCli>(given: &Option<PathBuf>) -> BasePath {
	match given {
		Some(path) => BasePath::new(path.clone()),
		None => BasePath::from_project("", "", &C::executable_name()),
	}
}

impl ProverCmd {
	/// Does what the command asks for.
	///
	/// # Errors
	///
	/// When a file, the bundle or the database is not as it should be; the text says what to do.
	pub fn run(&self, cli: &impl SubstrateCli) -> sc_cli::Result<()> {
		match self {
			Self::Devices { device, output } => {
				let (devices, missing) = devices::list(device);
				let devices: Vec<_> = devices.iter().map(DeviceView::from).collect();
				output.print(&devices, devices.iter().map(device_line))?;
				match missing {
					Some(reason) if devices.is_empty() => {
						Err(format!("there is no GPU to prove on: {reason}").into())
					}
					Some(reason) => {
						eprintln!("No GPU: {reason}");
						Ok(())
					}
					None => Ok(()),
				}
			}
			Self::Install {
				bundle,
				location,
				output,
			} => {
				let store = BundleStore::new(location.places(cli).bundles);
				let name = store.install(bundle).map_err(application)?;
				let path = store.path(&name);
				let commitment = name.commitment.map(|commitment| prefixed(&commitment));
				output.print(
					&json!({ "key": prefixed(&name.key.0), "commitment": commitment, "path": path }),
					[format!(
						"Installed the bundle of key {} in {}",
						prefixed(&name.key.0),
						path.display()
					)],
				)
			}
			Self::Bundles { location, output } => {
				let store = BundleStore::new(location.places(cli).bundles);
				let keys: Vec<_> = store.keys().iter().map(|key| prefixed(&key.0)).collect();
				output.print(&keys, keys.clone())
			}
			Self::Keys { location, output } => {
				let file = location.places(cli).key;
				let public = prefixed(&keys::load_or_generate(&file).map_err(application)?.public_key());
				output.print(&json!({ "public": public, "file": file }), [public.clone()])
			}
			Self::Queue(command) => command.run(cli),
			Self::Worker {
				prover_bundles,
				device,
				prover_place,
			} => Ok(worker::run(worker::Options {
				bundles: prover_bundles.clone(),
				device: device.clone(),
				place: *prover_place,
			})?),
		}
	}
}

impl QueueCmd {
	fn run(&self, cli: &impl SubstrateCli) -> sc_cli::Result<()> {
		match self {
			Self::List { location, output } => {
				let directory = location.directory(cli)?;
				// RocksDB would make the directory even for reading.
				let jobs = match directory.is_dir() {
					true => Queue::open_read_only(&directory).map_err(application)?.jobs(),
					false => Vec::new(),
				};
				let views: Vec<_> = jobs.iter().map(JobView::from).collect();
				output.print(&views, jobs.iter().map(line))
			}
			Self::Retry { job, location } => {
				open(&location.directory(cli)?)?.revive(job).map_err(application)
			}
			Self::Cancel { job, location } => {
				open(&location.directory(cli)?)?.cancel(job).map_err(application)
			}
		}
	}
}

/// Opens an existing queue for a change. No job is added, so its capacity does not matter.
fn open(directory: &Path) -> sc_cli::Result<Queue> {
	if !directory.is_dir() {
		return Err(format!("there is no queue in {}", directory.display()).into());
	}
	Queue::open(directory, 0).map_err(application)
}

/// One line for one device.
fn device_line(device: &DeviceView) -> String {
	let gibibytes = device.memory_bytes as f64 / f64::from(1 << 30);
	let line = format!("{}  {}  {gibibytes:.1} GiB", device.kind, device.name);
	match &device.driven {
		None => line,
		Some(DrivenView { driver, plugin, .. }) => format!("{line}  driver {driver}  plug-in {plugin}"),
	}
}

/// One line for one job.
fn line(job: &JobSummary) -> String {
	let view = JobView::from(job);
	let status = match view.status {
		StatusView::Queued { position } => format!("queued, {position} ahead"),
		StatusView::Running { stage, percent } => format!("{stage} {percent} %"),
		StatusView::Done => "done".into(),
		StatusView::Failed { reason } => format!("failed: {reason}"),
	};
	format!(
		"{}  request {}  deadline {}  {status}",
		hex::encode(job.id),
		job.request,
		job.deadline
	)
}

fn parse_job(text: &str) -> Result<JobId, String> {
	let mut id = JobId::default();
	hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut id)
		.map_err(|error| format!("not 64 hexadecimal digits: {error}"))?;
	Ok(id)
}

fn prefixed(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn application(error: impl std::error::Error + Send + Sync + 'static) -> sc_cli::Error {
	sc_cli::Error::Application(Box::new(error))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn job_ids_are_64_digits_with_or_without_prefix() {
		let digits = "ab".repeat(32);
		assert_eq!(parse_job(&digits), Ok([0xab; 32]));
		assert_eq!(parse_job(&format!("0x{digits}")), Ok([0xab; 32]));
		assert!(parse_job("").is_err());
		assert!(parse_job(&digits[1..]).is_err());
		assert!(parse_job(&"zz".repeat(32)).is_err());
	}
}
