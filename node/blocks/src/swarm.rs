//! What both networks of an [`Exchange`](crate::Exchange) have in common: the peer's key, litep2p's set-up, and addresses.

use crate::exchange::StartError;
use cid::Cid;
use futures::{future::BoxFuture, Stream};
use litep2p::{
	config::ConfigBuilder,
	crypto::ed25519::{Keypair, PublicKey, SecretKey},
	executor::Executor,
	protocol::libp2p::{identify, kademlia::RecordKey, ping},
	transport::{tcp, ConnectionLimitsConfig},
	types::multiaddr::{Multiaddr, Protocol},
	Litep2p, PeerId,
};
use parking_lot::Mutex;
use std::{future::Future, net::IpAddr, pin::Pin, sync::Arc, time::Duration};
use thiserror::Error;
use tokio::task::JoinSet;

/// What peers are told about this software.
const AGENT: &str = concat!("opensand/", env!("CARGO_PKG_VERSION"));
const IDENTIFY_VERSION: &str = "/opensand/1.0.0";

/// How long the transport tries to open a connection.
pub(crate) const CONNECTION_OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Why 32 bytes are no peer's key: take the bytes that the peer registered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
#[error("not an Ed25519 public key; take the key that the peer registered")]
pub struct PeerKeyError;

/// The id of the peer with an Ed25519 public key.
pub fn peer_id_of(public_key: &[u8; 32]) -> Result<PeerId, PeerKeyError> {
	let key = PublicKey::try_from_bytes(public_key).map_err(|_| PeerKeyError)?;
	Ok(key.to_peer_id())
}

/// The Ed25519 public key that a peer's id holds. Ids of other kinds of keys hold none.
pub fn public_key_of(peer: &PeerId) -> Option<[u8; 32]> {
	// Identity multihash (0x00) of 36 bytes: the protobuf of key type 1 (Ed25519) and of the key's 32 bytes.
	let bytes = peer.to_bytes();
	let key = bytes.strip_prefix(&[0x00, 0x24, 0x08, 0x01, 0x12, 0x20])?;
	key.try_into().ok()
}

/// The key pair of a secret seed.
pub(crate) fn key_pair(mut seed: [u8; 32]) -> Keypair {
	let secret = SecretKey::try_from_bytes(&mut seed).expect("any 32 bytes are a secret key; qed");
	Keypair::from(secret)
}

/// Limits of a network that peers can reach.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
	pub(crate) incoming: usize,
	pub(crate) outgoing: usize,
	pub(crate) idle: Duration,
}

/// Peers that told what they are.
pub(crate) type Identified = Box<dyn Stream<Item = identify::IdentifyEvent> + Send + Unpin>;
/// Answers to pings.
pub(crate) type Pings = Box<dyn Stream<Item = ping::PingEvent> + Send + Unpin>;

/// The set-up that both networks share: TCP with Noise and yamux, identify and ping.
pub(crate) fn base_config(
	key: Keypair,
	listen: Vec<Multiaddr>,
	limits: Limits,
	tasks: Arc<Tasks>,
) -> (ConfigBuilder, Identified, Pings) {
	let (identify, identified) = identify::Config::new(IDENTIFY_VERSION.into(), Some(AGENT.into()));
	let (ping, pings) = ping::Config::default();
	let builder = ConfigBuilder::new()
		.with_keypair(key)
		.with_tcp(tcp::config::Config {
			listen_addresses: listen,
			// A dial must not take the listening port along: two networks of one process dial the same peers.
			reuse_port: false,
			nodelay: true,
			connection_open_timeout: CONNECTION_OPEN_TIMEOUT,
			..Default::default()
		})
		.with_libp2p_identify(identify)
		.with_libp2p_ping(ping)
		.with_connection_limits(
			ConnectionLimitsConfig::default()
				.max_incoming_connections(Some(limits.incoming))
				.max_outgoing_connections(Some(limits.outgoing)),
		)
		.with_keep_alive_timeout(limits.idle)
		.with_system_resolver()
		.with_executor(tasks);
	(builder, identified, pings)
}

/// Whether every bootstrap peer's address says which peer it leads to.
pub(crate) fn check_bootstrap(bootstrap: &[Multiaddr]) -> Result<(), StartError> {
	bootstrap
		.iter()
		.find(|address| PeerId::try_from_multiaddr(address).is_none())
		.map_or(Ok(()), |address| {
			Err(StartError::NoPeerInAddress(address.to_string()))
		})
}

/// Starts a network that listens on `listen`, and returns it with the addresses it listens on. Peers are told to reach it at
/// those, or at `external`.
pub(crate) fn start(
	builder: ConfigBuilder,
	listen: &[Multiaddr],
	external: &[Multiaddr],
) -> Result<(Litep2p, Vec<Multiaddr>), StartError> {
	let network = Litep2p::new(builder.build())?;
	let listening: Vec<_> = network.listen_addresses().cloned().collect();
	if listening.is_empty() && !listen.is_empty() {
		return Err(StartError::NotListening(texts(listen).join(", ")));
	}
	for address in addresses_to_tell(external, &listening) {
		network
			.public_addresses()
			.add_address(address.clone())
			.map_err(|_| StartError::ForeignAddress(address.to_string()))?;
	}
	Ok((network, listening))
}

/// Addresses for messages.
pub(crate) fn texts(addresses: &[Multiaddr]) -> Vec<String> {
	addresses.iter().map(Multiaddr::to_string).collect()
}

/// Dials the bootstrap peers. Failures are logged for `target` only: others may answer.
pub(crate) async fn dial_bootstrap(network: &mut Litep2p, bootstrap: &[Multiaddr], target: &str) {
	for address in bootstrap {
		if let Err(error) = network.dial_address(address.clone()).await {
			log::debug!(target: target, "bootstrap peer {address}: {error}");
		}
	}
}

/// The addresses to tell others: those given, or else those listened on, without the loopback ones unless there are no
/// others.
fn addresses_to_tell(external: &[Multiaddr], listening: &[Multiaddr]) -> Vec<Multiaddr> {
	if !external.is_empty() {
		return external.to_vec();
	}
	let reachable: Vec<_> = listening
		.iter()
		.filter(|address| !is_loopback(address))
		.cloned()
		.collect();
	if reachable.is_empty() {
		listening.to_vec()
	} else {
		reachable
	}
}

fn is_loopback(address: &Multiaddr) -> bool {
	match address.iter().next() {
		Some(Protocol::Ip4(ip)) => IpAddr::V4(ip).is_loopback(),
		Some(Protocol::Ip6(ip)) => IpAddr::V6(ip).is_loopback(),
		_ => false,
	}
}

/// The address with the peer's id at its end, which dialling needs.
pub(crate) fn with_peer(address: Multiaddr, peer: PeerId) -> Multiaddr {
	if matches!(address.iter().last(), Some(Protocol::P2p(_))) {
		address
	} else {
		address.with(Protocol::P2p(peer.into()))
	}
}

/// Whether an address is plain TCP, the only transport here.
pub(crate) fn is_tcp(address: &Multiaddr) -> bool {
	let mut parts = address.iter();
	matches!(
		parts.next(),
		Some(Protocol::Ip4(_) | Protocol::Ip6(_) | Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_))
	) && matches!(parts.next(), Some(Protocol::Tcp(_)))
		&& matches!(parts.next(), None | Some(Protocol::P2p(_)))
		&& parts.next().is_none()
}

/// The key of a block's provider records, as in the IPFS network: the multihash.
pub(crate) fn record_key(cid: &Cid) -> RecordKey {
	RecordKey::new(&cid.hash().to_bytes())
}

/// Everything that litep2p runs in the background, so that all of it ends with the network.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
	/// Ends all tasks, and waits for them.
	pub(crate) async fn end(&self) {
		let mut tasks = std::mem::take(&mut *self.0.lock());
		tasks.shutdown().await;
	}
}

impl Executor for Tasks {
	fn run(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
		let task: BoxFuture<'static, ()> = task;
		let mut tasks = self.0.lock();
		// What has ended is forgotten here, or the set would grow with every connection.
		while tasks.try_join_next().is_some() {}
		tasks.spawn(task);
	}

	fn run_with_name(&self, _: &'static str, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
		self.run(task);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use litep2p::crypto::PublicKey as PeerKey;

	#[test]
	fn peer_ids_and_keys_convert_both_ways() {
		let key = key_pair([7; 32]).public();
		let peer = peer_id_of(&key.to_bytes()).expect("the key is valid");
		assert_eq!(peer, PeerId::from_public_key(&PeerKey::Ed25519(key.clone())));
		assert_eq!(public_key_of(&peer), Some(key.to_bytes()));
		// A hashed key holds no key.
		let mut hashed = vec![0x12, 0x20];
		hashed.extend([9; 32]);
		let hashed = PeerId::from_bytes(&hashed).expect("a SHA2-256 multihash is a peer id");
		assert_eq!(public_key_of(&hashed), None);
		// y = 2 is no point of the curve.
		let mut off_curve = [0; 32];
		off_curve[0] = 2;
		assert_eq!(peer_id_of(&off_curve), Err(PeerKeyError));
	}

	#[test]
	fn tells_reachable_addresses_first() {
		let address = |text: &str| text.parse::<Multiaddr>().expect("a multiaddress");
		let (loopback, wide) = (address("/ip4/127.0.0.1/tcp/1"), address("/ip4/192.0.2.1/tcp/1"));
		let given = address("/dns4/example.org/tcp/1");
		let (loopback, given) = ([loopback], [given]);
		assert_eq!(
			addresses_to_tell(&[], &[loopback[0].clone(), wide.clone()]),
			[wide]
		);
		assert_eq!(addresses_to_tell(&[], &loopback), loopback);
		assert_eq!(addresses_to_tell(&given, &loopback), given);
	}

	#[test]
	fn only_plain_tcp_is_dialled() {
		let peer = PeerId::random();
		for (address, plain) in [
			("/ip4/192.0.2.1/tcp/1", true),
			("/ip6/2001:db8::1/tcp/1", true),
			("/dns4/example.org/tcp/1", true),
			("/ip4/192.0.2.1/udp/1/quic-v1", false),
			("/ip4/192.0.2.1/tcp/1/ws", false),
			("/unix/socket", false),
			("", false),
		] {
			let address: Multiaddr = address.parse().expect("a multiaddress");
			assert_eq!(is_tcp(&address), plain, "{address}");
			assert_eq!(
				is_tcp(&with_peer(address.clone(), peer)),
				plain,
				"{address} with a peer"
			);
		}
		let relayed = format!("/ip4/192.0.2.1/tcp/1/p2p/{peer}/p2p-circuit");
		assert!(!is_tcp(&relayed.parse().expect("a multiaddress")));
	}
}
