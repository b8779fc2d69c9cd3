//! Puts the parts together.

use std::{
	collections::HashSet,
	fs::{self, Permissions},
	io,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	sync::Arc,
	time::Duration,
};

use log::{debug, info};
use opensand_blocks::{
	public_key_of, BlockStore, Cid, Exchange, ExchangeConfig, IpfsConfig, Multiaddr, PeerId, StartError,
	StoreError,
};
use opensand_durable_file::{replace, Mode};
use opensand_primitives::Hash;
use opensand_slices::{raw_cid, shard_cid};
use parking_lot::{Mutex, RwLock};
use rand::RngCore;
use substrate_prometheus_endpoint::{PrometheusError, Registry};
use thiserror::Error;
use tokio::{
	sync::{watch, Notify},
	time::sleep,
};

use crate::{
	agent::Agent,
	chain::{BestBlock, Chain},
	config::Config,
	context::Context,
	metrics::Metrics,
	record::{Phase, Records, RecordsError},
	scrub,
	status::StorageStatus,
	TARGET,
};

/// How often what is stored is compared with what is announced in the DHT.
const ANNOUNCE_EVERY: Duration = Duration::from_secs(60);
/// Bytes of the seed of the peer's key.
const SECRET_BYTES: usize = 32;

/// Why the service does not start.
#[derive(Debug, Error)]
pub enum ServiceError {
	/// The block store does not open.
	#[error("the block store: {0}")]
	Store(#[from] StoreError),
	/// The records do not open.
	#[error("the shards' records: {0}")]
	Records(#[from] RecordsError),
	/// The network does not start: another process may have the port.
	#[error("the storage network: {0}")]
	Network(#[from] StartError),
	/// An address is none.
	#[error("{0} is no multiaddress, such as /ip4/203.0.113.7/tcp/30444")]
	Address(String),
	/// The peer key cannot be read or written.
	#[error("{path}: {error}; check the directory's permissions")]
	Key {
		/// The key's file.
		path: PathBuf,
		/// What happened.
		error: io::Error,
	},
	/// The metrics are registered already.
	#[error("the metrics: {0}")]
	Metrics(#[from] PrometheusError),
}

/// What the node keeps of a running service.
#[derive(Clone)]
pub struct StorageHandle {
	context: Arc<Context>,
}

impl StorageHandle {
	/// How it stands.
	pub fn status(&self) -> StorageStatus {
		self.context.status.read().clone()
	}

	/// The Ed25519 key under which peers know it.
	pub fn peer_key(&self) -> [u8; 32] {
		peer_key(&self.context.exchange)
	}

	/// The id that this key gives.
	pub fn peer_id(&self) -> PeerId {
		self.context.exchange.local_peer_id()
	}

	/// The multiaddresses that it listens on, with the peer's id.
	pub fn listen_addresses(&self) -> &[Multiaddr] {
		self.context.exchange.listen_addresses()
	}
}

/// The service, opened and listening, but not at work.
pub struct StorageService {
	context: Arc<Context>,
	exchange_task: tokio::task::JoinHandle<()>,
}

impl StorageService {
	/// Opens what is in the directory and starts to listen. It must be called within a Tokio runtime.
	pub async fn open(
		config: Config,
		chain: Arc<dyn Chain>,
		registry: Option<&Registry>,
	) -> Result<Self, ServiceError> {
		let metrics = Metrics::register(registry)?;
		let directory = config.directory.clone();
		let quota = config.quota;
		let opened = tokio::task::spawn_blocking(move || open_directory(&directory, quota)).await;
		let (store, records, secret) = match opened {
			Ok(result) => result?,
			Err(error) => std::panic::resume_unwind(error.into_panic()),
		};
		let store = Arc::new(store);
		let ipfs = match config.ipfs_listen.is_empty() {
			true => None,
			false => Some(IpfsConfig {
				public_dht: config.ipfs_dht,
				bootstrap: addresses(&config.ipfs_bootstrap)?,
				..IpfsConfig::new(addresses(&config.ipfs_listen)?)
			}),
		};
		let network = ExchangeConfig {
			listen: addresses(&config.listen)?,
			external: addresses(&config.public)?,
			bootstrap: addresses(&config.bootstrap)?,
			provide: true,
			ipfs,
			..ExchangeConfig::new(secret)
		};
		let (exchange, exchange_task) = Exchange::start(network, store.clone())?;
		let status = StorageStatus {
			peer_key: format!("0x{}", hex::encode(peer_key(&exchange))),
			peer: exchange.local_peer_id().to_string(),
			addresses: match config.public.is_empty() {
				true => texts(exchange.listen_addresses()),
				false => config.public.clone(),
			},
			ipfs_addresses: texts(exchange.ipfs_addresses()),
			agent: chain.agent().map(|agent| agent.to_string()),
			used_bytes: store.used_bytes(),
			quota_bytes: quota,
			..StorageStatus::default()
		};
		info!(
			target: TARGET,
			"storage in {}: {} of {quota} bytes used; peer key {}, listening on {}",
			config.directory.display(),
			status.used_bytes,
			status.peer_key,
			texts(exchange.listen_addresses()).join(" "),
		);
		let (best, _) = watch::channel(BestBlock {
			number: 0,
			hash: Hash::zero(),
		});
		let context = Arc::new(Context {
			config,
			chain,
			store,
			exchange,
			records,
			references: Mutex::new(()),
			metrics,
			status: RwLock::new(status),
			best,
			wake: Notify::new(),
		});
		Ok(Self {
			context,
			exchange_task,
		})
	}

	/// What the node keeps of it.
	pub fn handle(&self) -> StorageHandle {
		StorageHandle {
			context: self.context.clone(),
		}
	}

	/// Works until the chain's blocks end or the network fails. Dropping the future stops everything that it started.
	pub async fn run(self) {
		let Self {
			context,
			mut exchange_task,
		} = self;
		tokio::select! {
			() = Agent::new(context.clone()).run() => {}
			() = async { scrub::run(context.clone()).await; std::future::pending().await } => {}
			() = announce(context.clone()) => {}
			_ = &mut exchange_task => {}
		}
		context.exchange.shutdown().await;
	}
}

/// Tells the DHT which shards are stored here.
async fn announce(context: Arc<Context>) {
	let mut announced = HashSet::new();
	loop {
		let stored: HashSet<Cid> = context
			.records
			.all()
			.into_iter()
			.filter(|(_, record)| record.phase == Phase::Stored)
			.flat_map(|(_, record)| [shard_cid(record.root), raw_cid(record.manifest)])
			.collect();
		for gone in announced.difference(&stored) {
			let _ = context.exchange.stop_providing(gone).await;
		}
		announced.retain(|block| stored.contains(block));
		for block in stored {
			if announced.contains(&block) {
				continue;
			}
			match context.exchange.provide(&block).await {
				Ok(()) => {
					announced.insert(block);
				}
				// Alone in the network, for example: the next round tries again.
				Err(error) => {
					debug!(target: TARGET, "{block} is not announced: {error}");
					break;
				}
			}
		}
		sleep(ANNOUNCE_EVERY).await;
	}
}

/// Addresses as the chain wants them: without the peer's id at the end.
fn texts(addresses: &[Multiaddr]) -> Vec<String> {
	addresses
		.iter()
		.map(|address| {
			let text = address.to_string();
			text.split_once("/p2p/")
				.map_or(text.as_str(), |(before, _)| before)
				.to_owned()
		})
		.collect()
}

fn peer_key(exchange: &Exchange) -> [u8; 32] {
	// The exchange was started with an Ed25519 key, so there is one.
	public_key_of(&exchange.local_peer_id()).unwrap_or_default()
}

fn addresses(texts: &[String]) -> Result<Vec<Multiaddr>, ServiceError> {
	texts
		.iter()
		.map(|text| text.parse().map_err(|_| ServiceError::Address(text.clone())))
		.collect()
}

/// Opens the parts of the directory.
fn open_directory(
	directory: &Path,
	quota: u64,
) -> Result<(BlockStore, Records, [u8; SECRET_BYTES]), ServiceError> {
	// The store locks the directory against a second node, so it comes first.
	let store = BlockStore::open(directory.join("blocks"), quota)?;
	let records = Records::open(directory.join("shards"))?;
	let path = directory.join("peer-key");
	let secret = load_secret(&path).map_err(|error| ServiceError::Key { path, error })?;
	Ok((store, records, secret))
}

/// Reads the secret peer key, or makes one that only the operator can read.
fn load_secret(path: &Path) -> io::Result<[u8; SECRET_BYTES]> {
	match fs::read(path) {
		Ok(text) => {
			let mut secret = [0; SECRET_BYTES];
			hex::decode_to_slice(text.trim_ascii(), &mut secret).map_err(|error| {
				io::Error::new(
					io::ErrorKind::InvalidData,
					format!("not a key of 64 hexadecimal digits ({error})"),
				)
			})?;
			fs::set_permissions(path, Permissions::from_mode(0o600))?;
			Ok(secret)
		}
		Err(error) if error.kind() == io::ErrorKind::NotFound => {
			let mut secret = [0; SECRET_BYTES];
			rand::rngs::OsRng.fill_bytes(&mut secret);
			replace(path, Mode::Private, hex::encode(secret).as_bytes())?;
			Ok(secret)
		}
		Err(error) => Err(error),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_peer_key_stays() {
		let directory = tempfile::tempdir().unwrap();
		let path = directory.path().join("peer-key");
		let secret = load_secret(&path).unwrap();
		assert_eq!(load_secret(&path).unwrap(), secret);
		let mode = fs::metadata(&path).unwrap().permissions().mode();
		assert_eq!(mode & 0o777, 0o600);
		fs::write(&path, "no key").unwrap();
		assert_eq!(load_secret(&path).unwrap_err().kind(), io::ErrorKind::InvalidData);
	}

	#[test]
	fn addresses_are_checked() {
		assert_eq!(addresses(&["/ip4/127.0.0.1/tcp/0".into()]).unwrap().len(), 1);
		assert!(matches!(
			addresses(&["127.0.0.1:30444".into()]),
			Err(ServiceError::Address(_))
		));
	}
}
