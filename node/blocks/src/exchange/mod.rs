//! The exchange of blocks between peers.

mod error;
mod service;

pub use error::{ConnectError, DhtError, FetchError, PeerFault, StartError};

use crate::{
	block::{check_cid, matches, BlockSource},
	gateway::{Gateway, IpfsConfig},
	swarm::CONNECTION_OPEN_TIMEOUT,
	wire::Response,
};
use cid::Cid;
use futures::{stream, Stream, StreamExt};
use litep2p::{types::multiaddr::Multiaddr, PeerId};
use parking_lot::Mutex;
use service::{Command, Service, State};
use std::{
	collections::{HashMap, HashSet},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{
	sync::{mpsc, oneshot, Semaphore},
	task::JoinHandle,
	time::{sleep, timeout, timeout_at, Instant},
};

const LOG_TARGET: &str = "storage::exchange";

/// The Kademlia network of OpenSand's peers.
pub const KADEMLIA_PROTOCOL: &str = "/opensand/kad/1.0.0";

/// Requests that one peer is asked at a time. A peer answers as many of one peer at a time.
pub(crate) const REQUESTS_PER_PEER: usize = 16;
/// Requests to all peers at a time: with the longest blocks, what waits in memory stays below 512 MiB.
const MAX_REQUESTS: usize = 256;
/// Blocks of one [`Exchange::fetch_many`] that are under way or wait for the caller.
const MAX_PIPELINE: usize = 64;
/// How long a request may take, the transfer of its block included.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);
/// Pauses between rounds over the peers of a block that did not come: first and longest.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(1));
/// How long a search in the Kademlia network may take.
const QUERY_TIMEOUT: Duration = Duration::from_secs(60);
/// Commands that wait for the service; more callers wait themselves.
const COMMANDS: usize = 256;
/// Peers whose load is remembered while nothing is asked of them.
const IDLE_PEERS: usize = 1024;

/// How an exchange takes part in the network.
#[derive(Clone)]
pub struct ExchangeConfig {
	/// Seed of the peer's Ed25519 key pair.
	pub seed: [u8; 32],
	/// Addresses to listen on, such as `/ip4/0.0.0.0/tcp/30340`. With none, the peer can only dial; it serves blocks over the
	/// connections that it opened.
	pub listen: Vec<Multiaddr>,
	/// Addresses at which others reach this peer. With none, those listened on are told.
	pub external: Vec<Multiaddr>,
	/// Peers of the Kademlia network to begin with, each address with `/p2p/<peer id>` at its end.
	pub bootstrap: Vec<Multiaddr>,
	/// Whether [`Exchange::provide`] announces blocks.
	pub provide: bool,
	/// Name of the Kademlia protocol. Peers of another name form another network.
	pub kademlia_protocol: String,
	/// Opens the blocks to stock IPFS software too.
	pub ipfs: Option<IpfsConfig>,
	/// Connections that others may have open to this peer; further ones are refused.
	pub max_incoming: usize,
	/// Connections that this peer may have opened.
	pub max_outgoing: usize,
	/// After how long without a request a connection is closed.
	pub idle_timeout: Duration,
}

impl ExchangeConfig {
	/// A peer with this key that listens nowhere and announces nothing.
	pub fn new(seed: [u8; 32]) -> Self {
		Self {
			seed,
			listen: Vec::new(),
			external: Vec::new(),
			bootstrap: Vec::new(),
			provide: false,
			kademlia_protocol: KADEMLIA_PROTOCOL.into(),
			ipfs: None,
			max_incoming: 1024,
			max_outgoing: 512,
			idle_timeout: Duration::from_secs(300),
		}
	}
}

/// A peer that says it holds a block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Provider {
	/// Its id.
	pub peer: PeerId,
	/// Where it can be reached; may be empty.
	pub addresses: Vec<Multiaddr>,
}

/// What an exchange has done since it started.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ExchangeStats {
	/// Blocks that came and were right.
	pub blocks_fetched: u64,
	/// Their bytes.
	pub bytes_fetched: u64,
	/// Answers that were other bytes than the block's, or no answers at all.
	pub bad_responses: u64,
	/// Blocks sent in full.
	pub blocks_served: u64,
	/// Their bytes.
	pub bytes_served: u64,
	/// Requests turned away as too many.
	pub busy: u64,
	/// Requests that named no block.
	pub malformed_requests: u64,
	/// Blocks sent to IPFS peers.
	pub ipfs_blocks_served: u64,
	/// Their bytes.
	pub ipfs_bytes_served: u64,
	/// Blocks from IPFS peers that nobody had asked for: wrong bytes look like that.
	pub ipfs_unwanted_blocks: u64,
	/// IPFS peers that were cut off for not reading what they had asked for.
	pub ipfs_stalled: u64,
}

/// A peer of the storage network. Clones share it; it ends with [`Exchange::shutdown`], or when the last clone is dropped.
#[derive(Clone)]
pub struct Exchange(Arc<Handle>);

struct Handle {
	state: Arc<State>,
	commands: mpsc::Sender<Command>,
	gateway: Option<Gateway>,
	provide: bool,
	load: Mutex<HashMap<PeerId, Arc<Load>>>,
	requests: Semaphore,
	/// Counts fetches, so that those of many blocks begin with different peers.
	turn: AtomicUsize,
}

/// What one peer is asked at the moment.
struct Load {
	/// Requests under way and waiting.
	pending: AtomicUsize,
	permits: Semaphore,
}

impl Exchange {
	/// Starts a peer that serves the blocks of `source`. It has to be called in a Tokio runtime. The handle ends when the peer
	/// has ended.
	pub fn start(
		config: ExchangeConfig,
		source: Arc<dyn BlockSource>,
	) -> Result<(Self, JoinHandle<()>), StartError> {
		let (commands, receiver) = mpsc::channel(COMMANDS);
		let provide = config.provide;
		let (gateway, gateway_task) = match &config.ipfs {
			Some(ipfs) => {
				let (gateway, task) = Gateway::start(config.seed, ipfs.clone(), source.clone())?;
				(Some(gateway), Some(task))
			}
			None => (None, None),
		};
		let (state, service) = Service::new(config, source, receiver)?;
		let task = tokio::spawn(async move {
			service.run().await;
			if let Some(gateway) = gateway_task {
				gateway.end().await;
			}
		});
		let handle = Handle {
			state,
			commands,
			gateway,
			provide,
			load: Mutex::default(),
			requests: Semaphore::new(MAX_REQUESTS),
			turn: AtomicUsize::new(0),
		};
		Ok((Self(Arc::new(handle)), task))
	}

	/// This peer's id.
	pub fn local_peer_id(&self) -> PeerId {
		self.0.state.local
	}

	/// The addresses listened on, with the peer's id at the end.
	pub fn listen_addresses(&self) -> &[Multiaddr] {
		&self.0.state.listening
	}

	/// The addresses at which IPFS software can connect, with the peer's id at the end.
	pub fn ipfs_addresses(&self) -> &[Multiaddr] {
		self.0.gateway.as_ref().map_or(&[], Gateway::addresses)
	}

	/// The peers with a connection, whoever opened it.
	pub fn connected_peers(&self) -> Vec<PeerId> {
		self.0.state.connected.borrow().iter().copied().collect()
	}

	/// Counts since the start.
	pub fn stats(&self) -> ExchangeStats {
		let mut stats = self.0.state.stats.read();
		if let Some(gateway) = &self.0.gateway {
			gateway.add_stats(&mut stats);
		}
		stats
	}

	/// Connects to a peer, unless there is a connection. The addresses are remembered.
	pub async fn connect(&self, peer: PeerId, addresses: Vec<Multiaddr>) -> Result<(), ConnectError> {
		let (reply, answer) = oneshot::channel();
		self.send(Command::Connect {
			peer,
			addresses,
			reply,
		})
		.await
		.ok_or(ConnectError::Closed)?;
		// The transport gives up a little later than it says where a peer has many addresses.
		match timeout(3 * CONNECTION_OPEN_TIMEOUT, answer).await {
			Ok(answer) => answer.map_err(|_| ConnectError::Closed)?,
			Err(_) => Err(ConnectError::Unreachable {
				peer,
				reason: "no answer".into(),
			}),
		}
	}

	/// Waits until there is a connection to a peer, and says whether it came within the time.
	pub async fn wait_for_peer(&self, peer: PeerId, limit: Duration) -> bool {
		let mut connected = self.0.state.connected.subscribe();
		let arrived = timeout(limit, connected.wait_for(|peers| peers.contains(&peer))).await;
		matches!(arrived, Ok(Ok(_)))
	}

	/// Fetches a block from whichever of the peers sends it first, and checks it.
	///
	/// The least busy peer is asked first. One that does not answer gives way to the next, and is asked again when the others
	/// failed too; a peer that is not connected is waited for. One that sent wrong bytes is not asked again.
	pub async fn fetch(&self, cid: &Cid, peers: &[PeerId], limit: Duration) -> Result<Vec<u8>, FetchError> {
		check_cid(cid)?;
		let deadline = Instant::now() + limit;
		let mut candidates = self.by_load(peers);
		let asked = candidates.len();
		if asked == 0 {
			return Err(FetchError::NoPeers(*cid));
		}
		let timed_out = |last| FetchError::TimedOut {
			cid: *cid,
			waited: limit,
			last,
		};
		let Ok(permit) = timeout_at(deadline, self.0.requests.acquire()).await else {
			return Err(timed_out(None));
		};
		let _permit = permit.map_err(|_| FetchError::Closed)?;

		let mut misbehaved = None;
		let mut last = None;
		let mut pause = BACKOFF.0;
		loop {
			let mut again = Vec::new();
			let mut left = candidates.len() as u32;
			for peer in candidates {
				// What is left of the time is shared among the peers that are left.
				let now = Instant::now();
				let share = deadline.saturating_duration_since(now) / left;
				left -= 1;
				let fault = match timeout(share, self.request(peer, cid)).await {
					Ok(Ok(bytes)) => return Ok(bytes),
					Ok(Err(RequestError::Closed)) => return Err(FetchError::Closed),
					Ok(Err(RequestError::Fault(fault))) => fault,
					Err(_) => PeerFault::TimedOut,
				};
				log::debug!(target: LOG_TARGET, "block {cid}: peer {peer} {fault}");
				if fault.is_transient() {
					again.push(peer);
				} else if fault != PeerFault::NotHeld {
					misbehaved = Some((peer, fault.clone()));
				}
				last = Some((peer, fault));
			}
			if again.is_empty() {
				return Err(match misbehaved {
					Some((peer, fault)) => FetchError::Failed {
						cid: *cid,
						peer,
						fault,
					},
					None => FetchError::NotFound {
						cid: *cid,
						peers: asked,
					},
				});
			}
			if Instant::now() + pause >= deadline {
				return Err(timed_out(last));
			}
			sleep(pause).await;
			pause = (2 * pause).min(BACKOFF.1);
			candidates = again;
		}
	}

	/// Fetches many blocks, several at a time, and yields them in the order asked for. Each has `limit` from when it is its turn.
	///
	/// Dropping the stream ends the transfers. What is under way is bounded: the stream goes on as it is read.
	pub fn fetch_many(
		&self,
		cids: impl IntoIterator<Item = Cid, IntoIter: Send> + Send,
		peers: Vec<PeerId>,
		limit: Duration,
	) -> impl Stream<Item = (Cid, Result<Vec<u8>, FetchError>)> + Send {
		let pipeline = (peers.len() * REQUESTS_PER_PEER).clamp(1, MAX_PIPELINE);
		let exchange = self.clone();
		let peers: Arc<[PeerId]> = peers.into();
		stream::iter(cids.into_iter().map(move |cid| {
			let (exchange, peers) = (exchange.clone(), peers.clone());
			async move { (cid, exchange.fetch(&cid, &peers, limit).await) }
		}))
		.buffered(pipeline)
	}

	/// Fetches a block from stock IPFS software by Bitswap, and checks it. It connects to the peer if addresses are given.
	pub async fn fetch_ipfs(
		&self,
		cid: &Cid,
		peer: PeerId,
		addresses: Vec<Multiaddr>,
		limit: Duration,
	) -> Result<Vec<u8>, FetchError> {
		check_cid(cid)?;
		let gateway = self.0.gateway.as_ref().ok_or(FetchError::NoIpfs)?;
		gateway.fetch(*cid, peer, addresses, limit).await
	}

	/// Announces in the Kademlia network that this peer holds a block. The record is refreshed until
	/// [`Exchange::stop_providing`] or the end of the process.
	pub async fn provide(&self, cid: &Cid) -> Result<(), DhtError> {
		check_cid(cid)?;
		if !self.0.provide {
			return Err(DhtError::NotProviding);
		}
		if let Some(gateway) = &self.0.gateway {
			gateway.provide(*cid).await;
		}
		self.query(|reply| Command::Provide { cid: *cid, reply }).await
	}

	/// Stops refreshing the record of a block. Others forget it within two days.
	pub async fn stop_providing(&self, cid: &Cid) -> Result<(), DhtError> {
		check_cid(cid)?;
		if let Some(gateway) = &self.0.gateway {
			gateway.stop_providing(*cid).await;
		}
		self.send(Command::StopProviding { cid: *cid })
			.await
			.ok_or(DhtError::Closed)
	}

	/// Looks up in the Kademlia network who holds a block. None is a valid answer.
	pub async fn find_providers(&self, cid: &Cid) -> Result<Vec<Provider>, DhtError> {
		check_cid(cid)?;
		self.query(|reply| Command::FindProviders { cid: *cid, reply })
			.await
	}

	/// Ends the peer: connections are closed, and all calls return. The handle that [`Exchange::start`] gave ends afterwards.
	pub async fn shutdown(&self) {
		self.send(Command::Shutdown).await;
	}

	async fn send(&self, command: Command) -> Option<()> {
		self.0.commands.send(command).await.ok()
	}

	async fn query<T>(
		&self,
		command: impl FnOnce(oneshot::Sender<Result<T, DhtError>>) -> Command,
	) -> Result<T, DhtError> {
		let (reply, answer) = oneshot::channel();
		self.send(command(reply)).await.ok_or(DhtError::Closed)?;
		match timeout(QUERY_TIMEOUT, answer).await {
			Ok(answer) => answer.map_err(|_| DhtError::Closed)?,
			Err(_) => Err(DhtError::NoAnswer),
		}
	}

	/// Asks one peer once.
	async fn request(&self, peer: PeerId, cid: &Cid) -> Result<Vec<u8>, RequestError> {
		let load = self.load(peer);
		let _pending = Pending::count(&load);
		let _permit = load.permits.acquire().await.map_err(|_| RequestError::Closed)?;
		let (reply, answer) = oneshot::channel();
		self.send(Command::Request {
			peer,
			cid: *cid,
			reply,
		})
		.await
		.ok_or(RequestError::Closed)?;
		let response = answer.await.map_err(|_| RequestError::Closed)?;
		let stats = &self.0.state.stats;
		let fault = match response.map(Response::decode) {
			Ok(Ok(Response::Block(bytes))) if matches(cid, &bytes) => {
				stats.fetched(bytes.len());
				return Ok(bytes);
			}
			Ok(Ok(Response::Block(_))) => PeerFault::WrongBytes,
			Ok(Ok(Response::NotHeld)) => PeerFault::NotHeld,
			Ok(Ok(Response::Busy)) => PeerFault::Busy,
			Ok(Err(error)) => PeerFault::Malformed(error),
			Err(fault) => fault,
		};
		if matches!(fault, PeerFault::WrongBytes | PeerFault::Malformed(_)) {
			stats.bad_response();
			log::warn!(target: LOG_TARGET, "block {cid}: peer {peer} {fault}");
		}
		Err(RequestError::Fault(fault))
	}

	/// The peers, each once, the least busy first; equally busy ones take turns.
	fn by_load(&self, peers: &[PeerId]) -> Vec<PeerId> {
		let mut seen = HashSet::new();
		let mut peers: Vec<_> = peers.iter().copied().filter(|peer| seen.insert(*peer)).collect();
		if !peers.is_empty() {
			let turn = self.0.turn.fetch_add(1, Ordering::Relaxed) % peers.len();
			peers.rotate_left(turn);
			peers.sort_by_cached_key(|peer| self.load(*peer).pending.load(Ordering::Relaxed));
		}
		peers
	}

	fn load(&self, peer: PeerId) -> Arc<Load> {
		let mut loads = self.0.load.lock();
		if loads.len() >= IDLE_PEERS {
			loads.retain(|_, load| Arc::strong_count(load) > 1);
		}
		loads
			.entry(peer)
			.or_insert_with(|| {
				Arc::new(Load {
					pending: AtomicUsize::new(0),
					permits: Semaphore::new(REQUESTS_PER_PEER),
				})
			})
			.clone()
	}
}

enum RequestError {
	Fault(PeerFault),
	Closed,
}

/// Counts a request to a peer for as long as it lives.
struct Pending<'a>(&'a Load);

impl<'a> Pending<'a> {
	fn count(load: &'a Load) -> Self {
		load.pending.fetch_add(1, Ordering::Relaxed);
		Self(load)
	}
}

impl Drop for Pending<'_> {
	fn drop(&mut self) {
		self.0.pending.fetch_sub(1, Ordering::Relaxed);
	}
}
