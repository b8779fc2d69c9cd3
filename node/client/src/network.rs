//! The network of providers: a peer of our own, which dials and is not dialled unless asked to listen.

use std::{sync::Arc, time::Duration};

use opensand_blocks::{
	peer_id_of, BlockSource, Cid, ConnectError, Exchange, ExchangeConfig, FetchError, Multiaddr, PeerId,
	PeerKeyError, StartError,
};
use opensand_primitives::storage::ProviderTerms;
use sp_core::Pair;
use thiserror::Error;
use tokio::{task::JoinHandle, time::timeout};

/// How long a provider may take to accept a connection.
const DIAL_LIMIT: Duration = Duration::from_secs(15);
/// How long open transfers may take to end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Why blocks cannot be exchanged with a provider.
#[derive(Debug, Error)]
pub enum NetworkError {
	/// The peer did not start.
	#[error("cannot start the exchange of blocks: {0}")]
	Start(#[from] StartError),
	/// Not a multiaddress.
	#[error("{0} is no address of the form /ip4/192.0.2.1/tcp/30500")]
	Address(String),
	/// The provider registered a key that is none.
	#[error("it registered a peer key that is none: {0}")]
	PeerKey(#[from] PeerKeyError),
	/// The provider registered no address that can be read.
	#[error("it registered no address that can be dialled")]
	NoAddress,
	/// No connection.
	#[error("{0}")]
	Connect(#[from] ConnectError),
	/// No answer to a dial.
	#[error("it did not answer within {} s", DIAL_LIMIT.as_secs())]
	Silent,
	/// The connection broke, and did not come back.
	#[error("the connection to it was lost")]
	Lost,
	/// No block.
	#[error("{0}")]
	Fetch(Box<FetchError>),
}

impl From<FetchError> for NetworkError {
	fn from(error: FetchError) -> Self {
		Self::Fetch(Box::new(error))
	}
}

impl NetworkError {
	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		match self {
			Self::Start(_) | Self::Address(_) => {
				Some("leave --listen away, or name a free port of this machine".to_owned())
			}
			_ => None,
		}
	}
}

/// A peer for as long as a command runs, under a key of its own.
pub struct Network {
	exchange: Exchange,
	task: JoinHandle<()>,
}

impl Network {
	/// Starts a peer that serves the blocks of `source`.
	///
	/// # Errors
	/// When an address is none, or cannot be listened on.
	pub fn start(source: Arc<dyn BlockSource>, listen: &[String]) -> Result<Self, NetworkError> {
		let (_, seed) = sp_core::ed25519::Pair::generate();
		let mut config = ExchangeConfig::new(seed);
		config.listen = listen
			.iter()
			.map(String::as_str)
			.map(address)
			.collect::<Result<_, _>>()?;
		let (exchange, task) = Exchange::start(config, source)?;
		Ok(Self { exchange, task })
	}

	/// Connects to a provider, unless it is connected.
	///
	/// # Errors
	/// When it cannot be reached at any of its addresses.
	pub async fn dial(&self, terms: &ProviderTerms) -> Result<PeerId, NetworkError> {
		let peer = peer_id_of(&terms.peer)?;
		if self.exchange.connected_peers().contains(&peer) {
			return Ok(peer);
		}
		let addresses: Vec<Multiaddr> = terms
			.addresses
			.iter()
			.filter_map(|bytes| {
				std::str::from_utf8(bytes)
					.ok()
					.and_then(|text| address(text).ok())
			})
			.collect();
		if addresses.is_empty() {
			return Err(NetworkError::NoAddress);
		}
		timeout(DIAL_LIMIT, self.exchange.connect(peer, addresses))
			.await
			.map_err(|_| NetworkError::Silent)??;
		Ok(peer)
	}

	/// Moves blocks.
	pub fn exchange(&self) -> &Exchange {
		&self.exchange
	}

	/// Fetches one block.
	///
	/// # Errors
	/// When none of the peers sends it in time.
	pub async fn fetch(&self, cid: &Cid, peers: &[PeerId], limit: Duration) -> Result<Vec<u8>, NetworkError> {
		Ok(self.exchange.fetch(cid, peers, limit).await?)
	}

	/// Closes all connections.
	pub async fn end(self) {
		self.exchange.shutdown().await;
		// What does not end in time ends with the process.
		let _ = timeout(SHUTDOWN_LIMIT, self.task).await;
	}
}

/// Reads a multiaddress.
///
/// # Errors
/// When the text is none.
pub fn address(text: &str) -> Result<Multiaddr, NetworkError> {
	text.parse().map_err(|_| NetworkError::Address(text.to_owned()))
}

/// Serves nothing.
pub struct Nothing;

impl BlockSource for Nothing {
	fn get(&self, _cid: &Cid) -> Option<Vec<u8>> {
		None
	}
}

#[cfg(test)]
mod tests {
	use opensand_blocks::{public_key_of, Codec};
	use sp_core::bounded::BoundedVec;

	use super::*;

	const LISTEN: &str = "/ip4/127.0.0.1/tcp/0";

	fn terms(peer: [u8; 32], addresses: &[String]) -> ProviderTerms {
		let addresses: Vec<_> = addresses
			.iter()
			.map(|text| BoundedVec::try_from(text.as_bytes().to_vec()).unwrap())
			.collect();
		ProviderTerms {
			agent: [0; 32].into(),
			peer,
			addresses: addresses.try_into().unwrap(),
			regions: Default::default(),
			quota: 0,
		}
	}

	struct One(Vec<u8>);

	impl BlockSource for One {
		fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
			(*cid == Codec::Raw.cid(&self.0)).then(|| self.0.clone())
		}
	}

	#[tokio::test]
	async fn a_dialled_provider_fetches_from_the_one_who_dialled() {
		let block = b"a block behind NAT".to_vec();
		let owner = Network::start(Arc::new(One(block.clone())), &[]).unwrap();
		let provider = Network::start(Arc::new(Nothing), &[LISTEN.to_owned()]).unwrap();
		let addresses: Vec<_> = provider
			.exchange()
			.listen_addresses()
			.iter()
			.map(ToString::to_string)
			.collect();
		let key = public_key_of(&provider.exchange().local_peer_id()).unwrap();

		let peer = owner.dial(&terms(key, &addresses)).await.unwrap();
		assert_eq!(peer, provider.exchange().local_peer_id());
		let from = [owner.exchange().local_peer_id()];
		let fetched = provider
			.fetch(&Codec::Raw.cid(&block), &from, DIAL_LIMIT)
			.await
			.unwrap();
		assert_eq!(fetched, block);
		owner.end().await;
		provider.end().await;
	}

	#[tokio::test]
	async fn providers_that_cannot_be_dialled_are_told_apart() {
		let network = Network::start(Arc::new(Nothing), &[]).unwrap();
		let key = public_key_of(&network.exchange().local_peer_id()).unwrap();
		let other = sp_core::ed25519::Pair::from_seed(&[3; 32]).public().0;
		for (terms, expected) in [
			(terms(other, &[]), "no address"),
			(terms(other, &["not an address".to_owned()]), "no address"),
			(terms(key, &["/ip4/127.0.0.1/tcp/1".to_owned()]), "itself"),
			(terms(other, &["/ip4/127.0.0.1/tcp/1".to_owned()]), ""),
		] {
			let error = network.dial(&terms).await.unwrap_err().to_string();
			assert!(error.contains(expected), "{error}");
		}
		network.end().await;
	}

	#[tokio::test]
	async fn a_listening_address_has_to_be_one() {
		let Err(error) = Network::start(Arc::new(Nothing), &["localhost:1".to_owned()]) else {
			panic!("it started")
		};
		assert!(error.remedy().unwrap().contains("--listen"));
	}
}
