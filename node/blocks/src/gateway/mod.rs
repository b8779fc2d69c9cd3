//! The blocks as stock IPFS software reaches them: Bitswap 1.2, and the public Kademlia network if that is wanted.
//!
//! It is a network of its own, on a port of its own, because litep2p writes all Bitswap messages in one task: a peer that
//! does not read what it asked for holds up everybody else's Bitswap. Storage traffic must not hang on that.
//!
//! litep2p takes responses without telling when they are gone. What is on its way is therefore measured by the bytes that
//! leave the network: at most [`WINDOW_BYTES`] are handed over at a time, and a peer whose response does not leave within
//! [`STALL`] is cut off.

mod closer;

use crate::{
	block::{check_cid, matches, BlockSource},
	exchange::{ExchangeStats, FetchError, PeerFault, StartError},
	swarm::{
		base_config, check_bootstrap, dial_bootstrap, is_tcp, key_pair, record_key, start, texts, with_peer,
		Identified, Limits, Pings, Tasks,
	},
};
use cid::Cid;
use closer::Closer;
use futures::{future::BoxFuture, stream::FuturesUnordered, StreamExt};
use litep2p::{
	protocol::libp2p::{
		bitswap::{self, BitswapEvent, BitswapHandle, BlockPresenceType, ResponseType, WantType},
		identify::IdentifyEvent,
		kademlia::{self, IncomingRecordValidationMode, KademliaEvent, KademliaHandle, Quorum},
	},
	types::multiaddr::Multiaddr,
	BandwidthSink, Litep2p, Litep2pEvent, PeerId, ProtocolName,
};
use std::{
	collections::{HashMap, VecDeque},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{
	sync::{mpsc, oneshot, Semaphore},
	task::{spawn_blocking, JoinHandle},
	time::{interval, timeout_at, Instant, MissedTickBehavior},
};

const LOG_TARGET: &str = "storage::ipfs";

/// The Kademlia protocol of the public IPFS network.
const PUBLIC_KADEMLIA: &str = "/ipfs/kad/1.0.0";
/// Bytes that are handed to litep2p and have not left yet, at most, apart from the response that reaches the limit.
const WINDOW_BYTES: usize = 1 << 20;
/// How long the response in front may take to leave.
const STALL: Duration = Duration::from_secs(10);
/// How long a peer that was cut off is not served.
const BAN: Duration = Duration::from_secs(600);
/// Peers whose ban is remembered.
const MAX_BANNED: usize = 4096;
/// Wants of one peer that wait; more are dropped, and have to be sent again.
const MAX_WANTS_PER_PEER: usize = 1024;
/// Blocks that are read from the source at a time.
const MAX_READS: usize = 2;
/// A want for a block that the peer was sent this short ago is taken for its cancellation. litep2p does not tell the two
/// apart, and answering a cancellation would send every block twice.
const ECHO: Duration = Duration::from_secs(5);
/// Blocks sent to one peer that are remembered for [`ECHO`].
const MAX_ECHOES: usize = 1024;
/// Bytes of a message besides the block.
const OVERHEAD: usize = 64;
/// How often it is looked at how much has left.
const TICK: Duration = Duration::from_millis(5);
/// Blocks that are fetched from IPFS peers at a time.
const MAX_FETCHES: usize = 64;
/// After how long an unanswered want is sent again.
const RESEND: Duration = Duration::from_secs(5);
const COMMANDS: usize = 64;

/// How stock IPFS software reaches the blocks.
#[derive(Clone, Debug)]
pub struct IpfsConfig {
	/// Addresses to listen on, such as `/ip4/0.0.0.0/tcp/4001`.
	pub listen: Vec<Multiaddr>,
	/// Addresses at which others reach this peer. With none, those listened on are told.
	pub external: Vec<Multiaddr>,
	/// Whether to take part in the public IPFS Kademlia network, and announce blocks there.
	pub public_dht: bool,
	/// Peers of that network to begin with, each address with `/p2p/<peer id>` at its end.
	pub bootstrap: Vec<Multiaddr>,
	/// Connections that others may have open to this peer; further ones are refused.
	pub max_incoming: usize,
	/// After how long without a message a connection is closed.
	pub idle_timeout: Duration,
}

impl IpfsConfig {
	/// Listens on these addresses, apart from the public Kademlia network.
	pub fn new(listen: Vec<Multiaddr>) -> Self {
		Self {
			listen,
			external: Vec::new(),
			public_dht: false,
			bootstrap: Vec::new(),
			max_incoming: 256,
			idle_timeout: Duration::from_secs(60),
		}
	}
}

/// Takes the block, or nothing where the peer does not have it.
type Reply = oneshot::Sender<Option<Vec<u8>>>;

enum Command {
	Want {
		cid: Cid,
		peer: PeerId,
		addresses: Vec<Multiaddr>,
		reply: Reply,
	},
	Provide(Cid),
	StopProviding(Cid),
}

#[derive(Default)]
struct Counters {
	blocks_served: AtomicU64,
	bytes_served: AtomicU64,
	unwanted_blocks: AtomicU64,
	stalled: AtomicU64,
}

/// A handle to the gateway's task. The task ends when the last one is dropped.
pub(crate) struct Gateway {
	addresses: Vec<Multiaddr>,
	commands: mpsc::Sender<Command>,
	counters: Arc<Counters>,
	fetches: Semaphore,
}

/// The running task.
pub(crate) struct GatewayTask {
	stop: oneshot::Sender<()>,
	task: JoinHandle<()>,
}

impl GatewayTask {
	/// Ends the task, and waits for it.
	pub(crate) async fn end(self) {
		let _ = self.stop.send(());
		if let Err(error) = self.task.await {
			log::error!(target: LOG_TARGET, "the connection to IPFS ended badly: {error}");
		}
	}
}

impl Gateway {
	pub(crate) fn start(
		seed: [u8; 32],
		config: IpfsConfig,
		source: Arc<dyn BlockSource>,
	) -> Result<(Self, GatewayTask), StartError> {
		check_bootstrap(&config.bootstrap)?;
		let tasks = Arc::new(Tasks::default());
		let limits = Limits {
			incoming: config.max_incoming,
			outgoing: config.max_incoming,
			idle: config.idle_timeout,
		};
		let (mut builder, identified, pings) =
			base_config(key_pair(seed), config.listen.clone(), limits, tasks.clone());
		let (bitswap_config, bitswap) = bitswap::Config::new();
		let (closer_protocol, closer) = Closer::new();
		builder = builder
			.with_libp2p_bitswap(bitswap_config)
			.with_user_protocol(Box::new(closer_protocol));
		let mut kademlia = None;
		if config.public_dht {
			let (config, handle) = kademlia::ConfigBuilder::new()
				.with_protocol_names(vec![PUBLIC_KADEMLIA.into()])
				.with_incoming_records_validation_mode(IncomingRecordValidationMode::Manual)
				.with_max_records(0)
				.build();
			builder = builder.with_libp2p_kademlia(config);
			kademlia = Some(handle);
		}
		let (network, addresses) = start(builder, &config.listen, &config.external)?;
		let (commands, receiver) = mpsc::channel(COMMANDS);
		let (stop, stopped) = oneshot::channel();
		let counters = Arc::new(Counters::default());
		let service = Service {
			sent: network.bandwidth_sink(),
			left_before: 0,
			network,
			tasks,
			bitswap,
			kademlia,
			identified,
			pings,
			commands: receiver,
			closer,
			source,
			counters: counters.clone(),
			bootstrap: config.bootstrap,
			queues: Queues::default(),
			reads: FuturesUnordered::new(),
			under_way: UnderWay::default(),
			echoes: HashMap::new(),
			banned: HashMap::new(),
			wants: HashMap::new(),
		};
		log::info!(
			target: LOG_TARGET,
			"IPFS peers connect to {:?}",
			texts(&addresses),
		);
		let task = tokio::spawn(service.run(stopped));
		let gateway = Self {
			addresses,
			commands,
			counters,
			fetches: Semaphore::new(MAX_FETCHES),
		};
		Ok((gateway, GatewayTask { stop, task }))
	}

	pub(crate) fn addresses(&self) -> &[Multiaddr] {
		&self.addresses
	}

	pub(crate) fn add_stats(&self, stats: &mut ExchangeStats) {
		let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
		stats.ipfs_blocks_served = read(&self.counters.blocks_served);
		stats.ipfs_bytes_served = read(&self.counters.bytes_served);
		stats.ipfs_unwanted_blocks = read(&self.counters.unwanted_blocks);
		stats.ipfs_stalled = read(&self.counters.stalled);
	}

	pub(crate) async fn fetch(
		&self,
		cid: Cid,
		peer: PeerId,
		addresses: Vec<Multiaddr>,
		limit: Duration,
	) -> Result<Vec<u8>, FetchError> {
		let deadline = Instant::now() + limit;
		let timed_out = FetchError::TimedOut {
			cid,
			waited: limit,
			last: Some((peer, PeerFault::TimedOut)),
		};
		let Ok(permit) = timeout_at(deadline, self.fetches.acquire()).await else {
			return Err(timed_out);
		};
		let _permit = permit.map_err(|_| FetchError::Closed)?;
		// A want may be lost: litep2p reads one stream of a peer and drops it for the next.
		while Instant::now() < deadline {
			let (reply, answer) = oneshot::channel();
			let command = Command::Want {
				cid,
				peer,
				addresses: addresses.clone(),
				reply,
			};
			self.commands
				.send(command)
				.await
				.map_err(|_| FetchError::Closed)?;
			match timeout_at(deadline.min(Instant::now() + RESEND), answer).await {
				Err(_) => {}
				Ok(Err(_)) => return Err(FetchError::Closed),
				Ok(Ok(None)) => return Err(FetchError::NotFound { cid, peers: 1 }),
				Ok(Ok(Some(bytes))) if matches(&cid, &bytes) => return Ok(bytes),
				Ok(Ok(Some(_))) => {
					return Err(FetchError::Failed {
						cid,
						peer,
						fault: PeerFault::WrongBytes,
					});
				}
			}
		}
		Err(timed_out)
	}

	pub(crate) async fn provide(&self, cid: Cid) {
		let _ = self.commands.send(Command::Provide(cid)).await;
	}

	pub(crate) async fn stop_providing(&self, cid: Cid) {
		let _ = self.commands.send(Command::StopProviding(cid)).await;
	}
}

/// What a peer asked for.
#[derive(Clone, Copy)]
struct Want {
	cid: Cid,
	kind: WantType,
}

/// What is to be answered to a want.
struct Answer {
	peer: PeerId,
	response: ResponseType,
	/// Bytes of the message, roughly.
	bytes: usize,
}

/// Wants that wait, of every peer in turn.
#[derive(Default)]
struct Queues {
	wants: HashMap<PeerId, VecDeque<Want>>,
	turns: VecDeque<PeerId>,
}

impl Queues {
	/// Adds a want, unless the peer has too many waiting.
	fn push(&mut self, peer: PeerId, want: Want) -> bool {
		let wants = self.wants.entry(peer).or_default();
		if wants.len() >= MAX_WANTS_PER_PEER {
			return false;
		}
		if wants.is_empty() {
			self.turns.push_back(peer);
		}
		wants.push_back(want);
		true
	}

	/// The next want of the peer whose turn it is.
	fn pop(&mut self) -> Option<(PeerId, Want)> {
		let peer = self.turns.pop_front()?;
		let wants = self.wants.get_mut(&peer)?;
		let want = wants.pop_front()?;
		if wants.is_empty() {
			self.wants.remove(&peer);
		} else {
			self.turns.push_back(peer);
		}
		Some((peer, want))
	}

	fn forget(&mut self, peer: &PeerId) {
		if self.wants.remove(peer).is_some() {
			self.turns.retain(|other| other != peer);
		}
	}
}

/// Responses that litep2p has and that have not left yet, oldest first.
#[derive(Default)]
struct UnderWay {
	responses: VecDeque<(PeerId, usize)>,
	bytes: usize,
	/// Since when the oldest one is the oldest.
	since: Option<Instant>,
}

impl UnderWay {
	fn push(&mut self, peer: PeerId, bytes: usize) {
		if self.responses.is_empty() {
			self.since = Some(Instant::now());
		}
		self.responses.push_back((peer, bytes));
		self.bytes += bytes;
	}

	/// Takes off what has left.
	fn left(&mut self, mut bytes: usize) {
		while let Some((_, first)) = self.responses.front_mut() {
			let part = bytes.min(*first);
			*first -= part;
			self.bytes -= part;
			bytes -= part;
			// The overhead is an estimate: the rest of it is not waited for.
			if *first > OVERHEAD {
				return;
			}
			self.bytes -= *first;
			self.responses.pop_front();
			self.since = Some(Instant::now());
		}
	}

	/// The peer that does not take its response.
	fn stalled(&self) -> Option<PeerId> {
		let (peer, _) = self.responses.front()?;
		(self.since?.elapsed() > STALL).then_some(*peer)
	}

	fn forget(&mut self, peer: &PeerId) {
		self.responses.retain(|(other, _)| other != peer);
		self.bytes = self.responses.iter().map(|(_, bytes)| bytes).sum();
		self.since = Some(Instant::now());
	}
}

struct Service {
	network: Litep2p,
	tasks: Arc<Tasks>,
	bitswap: BitswapHandle,
	kademlia: Option<KademliaHandle>,
	identified: Identified,
	pings: Pings,
	commands: mpsc::Receiver<Command>,
	closer: mpsc::Sender<PeerId>,
	source: Arc<dyn BlockSource>,
	counters: Arc<Counters>,
	bootstrap: Vec<Multiaddr>,
	queues: Queues,
	reads: FuturesUnordered<BoxFuture<'static, Answer>>,
	under_way: UnderWay,
	/// Counts the bytes that leave.
	sent: BandwidthSink,
	/// What it counted when it was looked at last.
	left_before: usize,
	/// Blocks sent to each peer a moment ago.
	echoes: HashMap<PeerId, HashMap<Cid, Instant>>,
	banned: HashMap<PeerId, Instant>,
	/// Blocks asked of peers, and who waits for them.
	wants: HashMap<(PeerId, Cid), Vec<Reply>>,
}

impl Service {
	async fn run(mut self, mut stop: oneshot::Receiver<()>) {
		dial_bootstrap(&mut self.network, &self.bootstrap, LOG_TARGET).await;
		let mut tick = interval(TICK);
		tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
		loop {
			self.start_reads();
			tokio::select! {
				_ = &mut stop => break,
				event = self.network.next_event() => match event {
					None => {
						log::error!(target: LOG_TARGET, "the network ended by itself; IPFS peers cannot connect any more");
						break;
					}
					Some(event) => self.on_network_event(event),
				},
				Some(command) = self.commands.recv() => self.on_command(command).await,
				Some(event) = self.bitswap.next() => match event {
					BitswapEvent::Request { peer, cids } => self.on_wants(peer, cids),
					BitswapEvent::Response { peer, responses } => self.on_responses(peer, responses),
				},
				Some(answer) = self.reads.next(), if !self.reads.is_empty() => self.on_answer(answer).await,
				Some(event) = self.identified.next() => self.on_identified(event).await,
				Some(_) = self.pings.next() => {}
				Some(_) = next_kademlia_event(&mut self.kademlia) => {}
				_ = tick.tick(), if !self.under_way.responses.is_empty() => self.on_tick().await,
			}
		}
		let tasks = self.tasks.clone();
		drop(self);
		tasks.end().await;
	}

	fn on_network_event(&mut self, event: Litep2pEvent) {
		if let Litep2pEvent::ConnectionClosed { peer, .. } = event {
			self.forget(&peer);
			self.echoes.remove(&peer);
			// Whoever waits sends its want again, which dials the peer.
		}
	}

	async fn on_command(&mut self, command: Command) {
		match command {
			Command::Want {
				cid,
				peer,
				addresses,
				reply,
			} => {
				let addresses: Vec<_> = addresses
					.into_iter()
					.filter(is_tcp)
					.map(|address| with_peer(address, peer))
					.collect();
				self.network.add_known_address(peer, addresses.into_iter());
				self.wants.retain(|_, waiting| {
					waiting.retain(|reply| !reply.is_closed());
					!waiting.is_empty()
				});
				self.wants.entry((peer, cid)).or_default().push(reply);
				self.bitswap
					.send_request(peer, vec![(cid, WantType::Block)])
					.await;
			}
			Command::Provide(cid) => {
				if let Some(kademlia) = &mut self.kademlia {
					kademlia.start_providing(record_key(&cid), Quorum::One).await;
				}
			}
			Command::StopProviding(cid) => {
				if let Some(kademlia) = &mut self.kademlia {
					kademlia.stop_providing(record_key(&cid)).await;
				}
			}
		}
	}

	fn on_wants(&mut self, peer: PeerId, wants: Vec<(Cid, WantType)>) {
		if let Some(until) = self.banned.get(&peer) {
			if Instant::now() < *until {
				return;
			}
			self.banned.remove(&peer);
		}
		let mut dropped = 0;
		for (cid, kind) in wants {
			if kind == WantType::Block && self.is_echo(&peer, &cid) {
				continue;
			}
			if !self.queues.push(peer, Want { cid, kind }) {
				dropped += 1;
			}
		}
		if dropped > 0 {
			log::debug!(target: LOG_TARGET, "{peer} wants too much at once: {dropped} wants are dropped");
		}
	}

	/// Whether the peer was sent the block a moment ago, and has not asked for it since.
	fn is_echo(&mut self, peer: &PeerId, cid: &Cid) -> bool {
		self.echoes
			.get_mut(peer)
			.and_then(|sent| sent.remove(cid))
			.is_some_and(|sent| sent.elapsed() < ECHO)
	}

	fn start_reads(&mut self) {
		while self.reads.len() < MAX_READS && self.under_way.bytes < WINDOW_BYTES {
			let Some((peer, Want { cid, kind })) = self.queues.pop() else {
				return;
			};
			let source = self.source.clone();
			self.reads.push(Box::pin(async move {
				let presence = |there| ResponseType::Presence {
					cid,
					presence: if there {
						BlockPresenceType::Have
					} else {
						BlockPresenceType::DontHave
					},
				};
				let answer = spawn_blocking(move || match kind {
					_ if check_cid(&cid).is_err() => None,
					WantType::Block => source.get(&cid),
					WantType::Have => source.has(&cid).then(Vec::new),
				});
				// A source that panics has nothing to give.
				let response = match (kind, answer.await.unwrap_or(None)) {
					(WantType::Block, Some(block)) => ResponseType::Block { cid, block },
					(_, found) => presence(found.is_some()),
				};
				let bytes = match &response {
					ResponseType::Block { block, .. } => block.len() + OVERHEAD,
					ResponseType::Presence { .. } => OVERHEAD,
				};
				Answer {
					peer,
					response,
					bytes,
				}
			}));
		}
	}

	async fn on_answer(&mut self, answer: Answer) {
		let Answer {
			peer,
			response,
			bytes,
		} = answer;
		if self.under_way.responses.is_empty() {
			self.left_before = self.sent.outbound();
		}
		if let ResponseType::Block { cid, block } = &response {
			self.counters.blocks_served.fetch_add(1, Ordering::Relaxed);
			self.counters
				.bytes_served
				.fetch_add(block.len() as u64, Ordering::Relaxed);
			let sent = self.echoes.entry(peer).or_default();
			if sent.len() >= MAX_ECHOES {
				sent.retain(|_, at| at.elapsed() < ECHO);
			}
			if sent.len() < MAX_ECHOES {
				sent.insert(*cid, Instant::now());
			}
		}
		self.under_way.push(peer, bytes);
		self.bitswap.send_response(peer, vec![response]).await;
	}

	async fn on_tick(&mut self) {
		let left = self.sent.outbound();
		self.under_way.left(left.wrapping_sub(self.left_before));
		self.left_before = left;
		if let Some(peer) = self.under_way.stalled() {
			log::info!(target: LOG_TARGET, "{peer} does not read what it asked for: cut off for {BAN:?}");
			self.counters.stalled.fetch_add(1, Ordering::Relaxed);
			self.forget(&peer);
			let now = Instant::now();
			if self.banned.len() >= MAX_BANNED {
				self.banned.retain(|_, until| now < *until);
			}
			if self.banned.len() < MAX_BANNED {
				self.banned.insert(peer, now + BAN);
			}
			let _ = self.closer.send(peer).await;
		}
	}

	/// Forgets what a peer is owed.
	fn forget(&mut self, peer: &PeerId) {
		self.queues.forget(peer);
		self.under_way.forget(peer);
	}

	fn on_responses(&mut self, peer: PeerId, responses: Vec<ResponseType>) {
		for response in responses {
			let (cid, found) = match response {
				ResponseType::Block { cid, block } => (cid, Some(block)),
				ResponseType::Presence {
					cid,
					presence: BlockPresenceType::DontHave,
				} => (cid, None),
				// The block itself was asked for, and follows.
				ResponseType::Presence { .. } => continue,
			};
			match self.wants.remove(&(peer, cid)) {
				Some(waiting) => {
					for reply in waiting {
						let _ = reply.send(found.clone());
					}
				}
				None if found.is_some() => {
					self.counters.unwanted_blocks.fetch_add(1, Ordering::Relaxed);
					log::debug!(target: LOG_TARGET, "{peer} sent block {cid}, which was not asked of it");
				}
				None => {}
			}
		}
	}

	async fn on_identified(&mut self, event: IdentifyEvent) {
		let IdentifyEvent::PeerIdentified {
			peer,
			supported_protocols,
			listen_addresses,
			..
		} = event;
		let Some(kademlia) = &self.kademlia else { return };
		if supported_protocols.contains(&ProtocolName::from(PUBLIC_KADEMLIA)) {
			let addresses: Vec<_> = listen_addresses.into_iter().filter(is_tcp).collect();
			kademlia.add_known_peer(peer, addresses).await;
		}
	}
}

/// The next event of a Kademlia network, if there is one.
async fn next_kademlia_event(kademlia: &mut Option<KademliaHandle>) -> Option<KademliaEvent> {
	match kademlia {
		Some(kademlia) => kademlia.next().await,
		None => std::future::pending().await,
	}
}
