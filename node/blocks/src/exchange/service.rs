//! The task that owns the network: it carries requests out, serves those of others, and keeps the Kademlia network.

use super::{
	ConnectError, DhtError, ExchangeConfig, ExchangeStats, PeerFault, Provider, StartError, LOG_TARGET,
	REQUESTS_PER_PEER, REQUEST_TIMEOUT,
};
use crate::{
	block::BlockSource,
	swarm::{
		base_config, check_bootstrap, dial_bootstrap, is_tcp, key_pair, record_key, start, texts, with_peer,
		Identified, Limits, Pings, Tasks,
	},
	wire::{decode_request, encode_request, Response, MAX_RESPONSE_BYTES, PROTOCOL},
};
use cid::Cid;
use futures::{channel::oneshot as feedback, future::BoxFuture, stream::FuturesUnordered, StreamExt};
use litep2p::{
	error::ImmediateDialError,
	protocol::{
		libp2p::{
			identify::IdentifyEvent,
			kademlia::{self, IncomingRecordValidationMode, KademliaEvent, KademliaHandle, QueryId, Quorum},
		},
		request_response::{
			self, DialOptions, RejectReason, RequestResponseError, RequestResponseEvent,
			RequestResponseHandle,
		},
	},
	types::{multiaddr::Multiaddr, RequestId},
	Litep2p, Litep2pEvent, PeerId, ProtocolName,
};
use std::{
	collections::{HashMap, HashSet},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc,
	},
	time::Duration,
};
use tokio::{
	sync::{mpsc, oneshot, watch, Semaphore},
	task::spawn_blocking,
	time::{interval, Interval, MissedTickBehavior},
};

/// Blocks that are served at a time. With leaves of files, 64 MiB are in memory.
const MAX_SERVED: usize = 256;
/// A peer gets at most this part of what is left of [`MAX_SERVED`], so that some peers that do not read what they asked for
/// leave room for others.
const SHARE_OF_FREE: usize = 8;
/// Blocks that are read from the source at a time.
const MAX_READS: usize = 16;
/// Blocks for which provider records are kept, this peer's own among them. With all records full, they take 64 MiB.
const MAX_PROVIDER_KEYS: usize = 16_384;
/// Providers kept of a block.
const MAX_PROVIDERS: usize = 10;
/// Addresses kept of a provider's record.
const MAX_PROVIDER_ADDRESSES: usize = 4;
/// Addresses taken of a peer that says where it listens.
const MAX_ADDRESSES: usize = 8;
/// Records that others ask to store are not of use here.
const MAX_RECORDS: usize = 0;
/// How often the network around this peer is looked at anew.
const REFRESH: Duration = Duration::from_secs(300);
/// How often bootstrap peers are dialled while there is no connection at all.
const REDIAL: Duration = Duration::from_secs(10);
/// Longest request.
const MAX_REQUEST_BYTES: usize = crate::block::CID_BYTES;

/// What the service is asked to do.
pub(super) enum Command {
	Connect {
		peer: PeerId,
		addresses: Vec<Multiaddr>,
		reply: oneshot::Sender<Result<(), ConnectError>>,
	},
	Request {
		peer: PeerId,
		cid: Cid,
		reply: oneshot::Sender<Result<Vec<u8>, PeerFault>>,
	},
	Provide {
		cid: Cid,
		reply: oneshot::Sender<Result<(), DhtError>>,
	},
	StopProviding {
		cid: Cid,
	},
	FindProviders {
		cid: Cid,
		reply: oneshot::Sender<Result<Vec<Provider>, DhtError>>,
	},
	Shutdown,
}

/// What the service shares with its handles.
pub(super) struct State {
	pub(super) local: PeerId,
	pub(super) listening: Vec<Multiaddr>,
	pub(super) connected: watch::Sender<HashSet<PeerId>>,
	pub(super) stats: Counters,
}

#[derive(Default)]
pub(super) struct Counters {
	blocks_fetched: AtomicU64,
	bytes_fetched: AtomicU64,
	bad_responses: AtomicU64,
	blocks_served: AtomicU64,
	bytes_served: AtomicU64,
	busy: AtomicU64,
	malformed_requests: AtomicU64,
}

impl Counters {
	pub(super) fn read(&self) -> ExchangeStats {
		let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
		ExchangeStats {
			blocks_fetched: read(&self.blocks_fetched),
			bytes_fetched: read(&self.bytes_fetched),
			bad_responses: read(&self.bad_responses),
			blocks_served: read(&self.blocks_served),
			bytes_served: read(&self.bytes_served),
			busy: read(&self.busy),
			malformed_requests: read(&self.malformed_requests),
			..Default::default()
		}
	}

	pub(super) fn fetched(&self, bytes: usize) {
		self.blocks_fetched.fetch_add(1, Ordering::Relaxed);
		self.bytes_fetched.fetch_add(bytes as u64, Ordering::Relaxed);
	}

	pub(super) fn bad_response(&self) {
		self.bad_responses.fetch_add(1, Ordering::Relaxed);
	}

	fn served(&self, bytes: usize) {
		self.blocks_served.fetch_add(1, Ordering::Relaxed);
		self.bytes_served.fetch_add(bytes as u64, Ordering::Relaxed);
	}
}

/// A query to the Kademlia network that waits for its answer.
enum Query {
	Provide(oneshot::Sender<Result<(), DhtError>>),
	Find(oneshot::Sender<Result<Vec<Provider>, DhtError>>),
}

/// A block that was read for a peer.
struct Read {
	peer: PeerId,
	request: RequestId,
	block: Option<Vec<u8>>,
}

/// A response that was sent, or was not.
struct Sent {
	peer: PeerId,
	/// The block's length, if it went out in full.
	bytes: Option<usize>,
}

pub(super) struct Service {
	network: Litep2p,
	tasks: Arc<Tasks>,
	blocks: RequestResponseHandle,
	kademlia: KademliaHandle,
	kademlia_protocol: ProtocolName,
	/// Connected peers that take part in the Kademlia network.
	kademlia_peers: HashSet<PeerId>,
	identified: Identified,
	pings: Pings,
	commands: mpsc::Receiver<Command>,
	source: Arc<dyn BlockSource>,
	state: Arc<State>,
	bootstrap: Vec<Multiaddr>,
	dials: HashMap<PeerId, Vec<oneshot::Sender<Result<(), ConnectError>>>>,
	requests: HashMap<RequestId, oneshot::Sender<Result<Vec<u8>, PeerFault>>>,
	queries: HashMap<QueryId, Query>,
	read_permits: Arc<Semaphore>,
	reads: FuturesUnordered<BoxFuture<'static, Read>>,
	sends: FuturesUnordered<BoxFuture<'static, Sent>>,
	/// Requests of each peer that are being served.
	served: HashMap<PeerId, usize>,
}

impl Service {
	/// Sets the network up. It does nothing until [`Service::run`].
	pub(super) fn new(
		config: ExchangeConfig,
		source: Arc<dyn BlockSource>,
		commands: mpsc::Receiver<Command>,
	) -> Result<(Arc<State>, Self), StartError> {
		check_bootstrap(&config.bootstrap)?;
		let tasks = Arc::new(Tasks::default());
		let limits = Limits {
			incoming: config.max_incoming,
			outgoing: config.max_outgoing,
			idle: config.idle_timeout,
		};
		let (builder, identified, pings) = base_config(
			key_pair(config.seed),
			config.listen.clone(),
			limits,
			tasks.clone(),
		);
		let (request_response, blocks) = request_response::ConfigBuilder::new(PROTOCOL.into())
			.with_max_size(MAX_RESPONSE_BYTES.max(MAX_REQUEST_BYTES))
			.with_timeout(REQUEST_TIMEOUT)
			.build();
		let kademlia_protocol = ProtocolName::from(config.kademlia_protocol);
		let (kademlia_config, kademlia) = kademlia::ConfigBuilder::new()
			.with_protocol_names(vec![kademlia_protocol.clone()])
			.with_incoming_records_validation_mode(IncomingRecordValidationMode::Manual)
			.with_max_records(MAX_RECORDS)
			.with_max_provider_keys(MAX_PROVIDER_KEYS)
			.with_max_providers_per_key(MAX_PROVIDERS)
			.with_max_provider_addresses(MAX_PROVIDER_ADDRESSES)
			.build();
		let builder = builder
			.with_request_response_protocol(request_response)
			.with_libp2p_kademlia(kademlia_config);
		let (network, listening) = start(builder, &config.listen, &config.external)?;
		let state = Arc::new(State {
			local: *network.local_peer_id(),
			listening,
			connected: watch::Sender::new(HashSet::new()),
			stats: Counters::default(),
		});
		let service = Self {
			network,
			tasks,
			blocks,
			kademlia,
			kademlia_protocol,
			kademlia_peers: HashSet::new(),
			identified,
			pings,
			commands,
			source,
			state: state.clone(),
			bootstrap: config.bootstrap,
			dials: HashMap::new(),
			requests: HashMap::new(),
			queries: HashMap::new(),
			read_permits: Arc::new(Semaphore::new(MAX_READS)),
			reads: FuturesUnordered::new(),
			sends: FuturesUnordered::new(),
			served: HashMap::new(),
		};
		Ok((state, service))
	}

	/// Runs until it is told to end, or nobody is left who could tell it anything.
	pub(super) async fn run(mut self) {
		log::info!(
			target: LOG_TARGET,
			"peer {} listens on {:?}",
			self.state.local,
			texts(&self.state.listening),
		);
		let mut redial = calm_interval(REDIAL);
		let mut refresh = calm_interval(REFRESH);
		loop {
			tokio::select! {
				command = self.commands.recv() => match command {
					None | Some(Command::Shutdown) => break,
					Some(command) => self.on_command(command).await,
				},
				event = self.network.next_event() => match event {
					None => {
						log::error!(target: LOG_TARGET, "the network ended by itself; the exchange ends too");
						break;
					}
					Some(event) => self.on_network_event(event),
				},
				Some(event) = self.blocks.next() => self.on_block_event(event),
				Some(event) = self.kademlia.next() => self.on_kademlia_event(event),
				Some(event) = self.identified.next() => self.on_identified(event).await,
				Some(_) = self.pings.next() => {}
				Some(read) = self.reads.next(), if !self.reads.is_empty() => self.on_read(read),
				Some(sent) = self.sends.next(), if !self.sends.is_empty() => self.on_sent(sent),
				_ = redial.tick() => {
					if self.state.connected.borrow().is_empty() {
						dial_bootstrap(&mut self.network, &self.bootstrap, LOG_TARGET).await;
					}
					self.forget_who_gave_up();
				}
				_ = refresh.tick() => {
					self.kademlia.find_node(self.state.local).await;
				}
			}
		}
		// Whoever waits for an answer is told by the end of its channel.
		let tasks = self.tasks.clone();
		drop(self);
		tasks.end().await;
		log::debug!(target: LOG_TARGET, "the exchange has ended");
	}

	async fn on_command(&mut self, command: Command) {
		match command {
			Command::Connect {
				peer,
				addresses,
				reply,
			} => self.connect(peer, addresses, reply).await,
			Command::Request { peer, cid, reply } => {
				// Who has given up meanwhile needs no answer.
				if reply.is_closed() {
					return;
				}
				let sent = self
					.blocks
					.send_request(peer, encode_request(&cid), DialOptions::Reject)
					.await;
				match sent {
					Ok(request) => {
						self.requests.insert(request, reply);
					}
					Err(error) => {
						let _ = reply.send(Err(PeerFault::BrokeOff(error.to_string())));
					}
				}
			}
			Command::Provide { cid, reply } => {
				let query = self.kademlia.start_providing(record_key(&cid), Quorum::One).await;
				self.queries.insert(query, Query::Provide(reply));
			}
			Command::StopProviding { cid } => self.kademlia.stop_providing(record_key(&cid)).await,
			Command::FindProviders { cid, reply } => {
				let query = self.kademlia.get_providers(record_key(&cid)).await;
				self.queries.insert(query, Query::Find(reply));
			}
			Command::Shutdown => unreachable!("the loop ends with it; qed"),
		}
	}

	async fn connect(
		&mut self,
		peer: PeerId,
		addresses: Vec<Multiaddr>,
		reply: oneshot::Sender<Result<(), ConnectError>>,
	) {
		let addresses: Vec<_> = addresses
			.into_iter()
			.filter(is_tcp)
			.take(MAX_ADDRESSES)
			.map(|address| with_peer(address, peer))
			.collect();
		self.network.add_known_address(peer, addresses.into_iter());
		let refused = if self.state.connected.borrow().contains(&peer) {
			Ok(())
		} else {
			match self.network.dial(&peer).await {
				Ok(()) => {
					let waiting = self.dials.entry(peer).or_default();
					waiting.retain(|reply| !reply.is_closed());
					waiting.push(reply);
					return;
				}
				// It came the other way, and is about to be reported.
				Err(litep2p::Error::AlreadyConnected) => Ok(()),
				Err(litep2p::Error::NoAddressAvailable(_)) => Err(ConnectError::NoAddress(peer)),
				Err(litep2p::Error::TriedToDialSelf) => Err(ConnectError::Myself(peer)),
				Err(error) => Err(ConnectError::Unreachable {
					peer,
					reason: error.to_string(),
				}),
			}
		};
		let _ = reply.send(refused);
	}

	/// Drops what nobody waits for any more, should the network owe an answer for good.
	fn forget_who_gave_up(&mut self) {
		self.requests.retain(|_, reply| !reply.is_closed());
		self.queries.retain(|_, query| match query {
			Query::Provide(reply) => !reply.is_closed(),
			Query::Find(reply) => !reply.is_closed(),
		});
		self.dials.retain(|_, waiting| {
			waiting.retain(|reply| !reply.is_closed());
			!waiting.is_empty()
		});
	}

	fn on_network_event(&mut self, event: Litep2pEvent) {
		match event {
			Litep2pEvent::ConnectionEstablished { peer, .. } => {
				log::debug!(target: LOG_TARGET, "connected to {peer}");
				self.state.connected.send_modify(|peers| {
					peers.insert(peer);
				});
				for reply in self.dials.remove(&peer).into_iter().flatten() {
					let _ = reply.send(Ok(()));
				}
			}
			Litep2pEvent::ConnectionClosed { peer, .. } => {
				log::debug!(target: LOG_TARGET, "connection to {peer} closed");
				self.state.connected.send_modify(|peers| {
					peers.remove(&peer);
				});
				self.kademlia_peers.remove(&peer);
			}
			Litep2pEvent::DialFailure { address, error } => {
				self.on_dial_failures(vec![(address, error.to_string())])
			}
			Litep2pEvent::ListDialFailures { errors } => self.on_dial_failures(
				errors
					.into_iter()
					.map(|(address, error)| (address, error.to_string()))
					.collect(),
			),
		}
	}

	fn on_dial_failures(&mut self, errors: Vec<(Multiaddr, String)>) {
		let Some(peer) = errors
			.iter()
			.find_map(|(address, _)| PeerId::try_from_multiaddr(address))
		else {
			return;
		};
		let reasons: Vec<_> = errors
			.iter()
			.map(|(address, error)| format!("{address}: {error}"))
			.collect();
		let reason = reasons.join("; ");
		log::debug!(target: LOG_TARGET, "peer {peer} cannot be reached: {reason}");
		for reply in self.dials.remove(&peer).into_iter().flatten() {
			let _ = reply.send(Err(ConnectError::Unreachable {
				peer,
				reason: reason.clone(),
			}));
		}
	}

	fn on_block_event(&mut self, event: RequestResponseEvent) {
		match event {
			RequestResponseEvent::RequestReceived {
				peer,
				request_id,
				request,
				..
			} => self.on_request(peer, request_id, &request),
			RequestResponseEvent::ResponseReceived {
				request_id, response, ..
			} => {
				if let Some(reply) = self.requests.remove(&request_id) {
					let _ = reply.send(Ok(response));
				}
			}
			RequestResponseEvent::RequestFailed {
				request_id, error, ..
			} => {
				if let Some(reply) = self.requests.remove(&request_id) {
					let _ = reply.send(Err(fault_of(error)));
				}
			}
		}
	}

	fn on_request(&mut self, peer: PeerId, request: RequestId, bytes: &[u8]) {
		let cid = match decode_request(bytes) {
			Ok(cid) => cid,
			Err(error) => {
				log::debug!(target: LOG_TARGET, "request of {peer}: {error}");
				self.state
					.stats
					.malformed_requests
					.fetch_add(1, Ordering::Relaxed);
				self.blocks.reject_request(request);
				return;
			}
		};
		let served = self.served.get(&peer).copied().unwrap_or(0);
		if served >= served_at_most(self.reads.len() + self.sends.len()) {
			self.state.stats.busy.fetch_add(1, Ordering::Relaxed);
			self.blocks.send_response(request, Response::Busy.encode());
			return;
		}
		self.served.insert(peer, served + 1);
		let (source, permits) = (self.source.clone(), self.read_permits.clone());
		self.reads.push(Box::pin(async move {
			let _permit = permits.acquire().await;
			// A source that panics has nothing to give.
			let block = spawn_blocking(move || source.get(&cid)).await.unwrap_or(None);
			Read { peer, request, block }
		}));
	}

	fn on_read(&mut self, read: Read) {
		let Read { peer, request, block } = read;
		let (bytes, response) = match block {
			Some(block) => (Some(block.len()), Response::Block(block)),
			None => (None, Response::NotHeld),
		};
		let (done, sent) = feedback::channel();
		self.blocks
			.send_response_with_feedback(request, response.encode(), done);
		self.sends.push(Box::pin(async move {
			let sent = sent.await.is_ok();
			Sent {
				peer,
				bytes: bytes.filter(|_| sent),
			}
		}));
	}

	fn on_sent(&mut self, sent: Sent) {
		if let Some(bytes) = sent.bytes {
			self.state.stats.served(bytes);
		}
		if let Some(served) = self.served.get_mut(&sent.peer) {
			*served -= 1;
			if *served == 0 {
				self.served.remove(&sent.peer);
			}
		}
	}

	fn on_kademlia_event(&mut self, event: KademliaEvent) {
		match event {
			KademliaEvent::AddProviderSuccess { query_id, .. } => {
				if let Some(Query::Provide(reply)) = self.queries.remove(&query_id) {
					let _ = reply.send(Ok(()));
				}
			}
			KademliaEvent::GetProvidersSuccess {
				query_id, providers, ..
			} => {
				if let Some(Query::Find(reply)) = self.queries.remove(&query_id) {
					let providers = providers
						.into_iter()
						.map(|provider| Provider {
							peer: provider.peer,
							addresses: provider.addresses,
						})
						.collect();
					let _ = reply.send(Ok(providers));
				}
			}
			KademliaEvent::QueryFailed { query_id } => match self.queries.remove(&query_id) {
				Some(Query::Provide(reply)) => {
					let _ = reply.send(Err(DhtError::NoAnswer));
				}
				// litep2p reports a search without a find in the same way as one without a peer to ask.
				Some(Query::Find(reply)) => {
					let found = if self.kademlia_peers.is_empty() {
						Err(DhtError::NoAnswer)
					} else {
						Ok(Vec::new())
					};
					let _ = reply.send(found);
				}
				None => {}
			},
			_ => {}
		}
	}

	/// Adds a peer of the same Kademlia network to the routing table.
	async fn on_identified(&mut self, event: IdentifyEvent) {
		let IdentifyEvent::PeerIdentified {
			peer,
			supported_protocols,
			listen_addresses,
			..
		} = event;
		if !supported_protocols.contains(&self.kademlia_protocol) {
			return;
		}
		let addresses: Vec<_> = listen_addresses
			.into_iter()
			.filter(is_tcp)
			.take(MAX_ADDRESSES)
			.collect();
		// A peer that only dials cannot be asked by others.
		if !addresses.is_empty() {
			self.kademlia_peers.insert(peer);
			self.kademlia.add_known_peer(peer, addresses).await;
		}
	}
}

/// How many blocks a peer may be served at a time, while `total` are served to all peers.
fn served_at_most(total: usize) -> usize {
	match MAX_SERVED.saturating_sub(total) {
		0 => 0,
		free => (free / SHARE_OF_FREE).clamp(1, REQUESTS_PER_PEER),
	}
}

fn calm_interval(period: Duration) -> Interval {
	let mut interval = interval(period);
	interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
	interval
}

fn fault_of(error: RequestResponseError) -> PeerFault {
	match error {
		RequestResponseError::NotConnected => PeerFault::NotConnected,
		RequestResponseError::Timeout => PeerFault::TimedOut,
		RequestResponseError::UnsupportedProtocol => PeerFault::Unsupported,
		RequestResponseError::Rejected(RejectReason::DialFailed(Some(
			ImmediateDialError::AlreadyConnected,
		))) => PeerFault::NotConnected,
		RequestResponseError::Rejected(RejectReason::ConnectionClosed) => {
			PeerFault::BrokeOff("the connection closed".into())
		}
		RequestResponseError::Rejected(RejectReason::SubstreamClosed) => {
			PeerFault::BrokeOff("the request was turned away".into())
		}
		RequestResponseError::Rejected(reason) => PeerFault::BrokeOff(format!("{reason:?}")),
		RequestResponseError::Canceled => PeerFault::BrokeOff("the request was cancelled".into()),
		RequestResponseError::TooLargePayload => PeerFault::BrokeOff("the request is too long".into()),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_few_greedy_peers_leave_room() {
		assert_eq!(served_at_most(0), REQUESTS_PER_PEER);
		assert_eq!(served_at_most(MAX_SERVED - 1), 1);
		assert_eq!(served_at_most(MAX_SERVED), 0);
		// Each takes all that it gets, until nobody gets anything.
		let (mut total, mut peers) = (0, 0);
		while served_at_most(total) > 0 {
			// A peer's own requests lower its limit while they come in.
			let mut own = 0;
			while own < served_at_most(total) {
				own += 1;
				total += 1;
			}
			peers += 1;
		}
		assert!(peers > 32, "{peers} peers take everything");
	}
}
