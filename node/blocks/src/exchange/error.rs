//! What can go wrong between peers, and what to do about it.

use crate::{block::CidError, wire::ResponseError};
use cid::Cid;
use litep2p::PeerId;
use std::time::Duration;
use thiserror::Error;

/// Why an exchange did not start.
#[derive(Debug, Error)]
pub enum StartError {
	/// None of the addresses could be listened on: free the port, or choose another.
	#[error("cannot listen on {0}; is the port in use, and the address one of this machine?")]
	NotListening(String),
	/// A bootstrap address has no peer id at its end: append `/p2p/<peer id>`.
	#[error("{0} does not say which peer it leads to; append /p2p/<peer id>")]
	NoPeerInAddress(String),
	/// An external address names another peer: take that out, or this peer's id.
	#[error("{0} is another peer's address")]
	ForeignAddress(String),
	/// The network layer refuses the configuration.
	#[error("the network did not start: {0}")]
	Network(String),
}

impl From<litep2p::Error> for StartError {
	fn from(error: litep2p::Error) -> Self {
		Self::Network(error.to_string())
	}
}

/// Why there is no connection to a peer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ConnectError {
	/// No address of the peer is known, or none of a kind that can be dialled: look for newer ones on chain.
	#[error("no TCP address is known of peer {0}; look up its current ones")]
	NoAddress(PeerId),
	/// It is this peer itself.
	#[error("peer {0} is this peer itself")]
	Myself(PeerId),
	/// Nobody answers there as this peer: try again later, or another peer.
	#[error("peer {peer} cannot be reached: {reason}")]
	Unreachable {
		/// The peer.
		peer: PeerId,
		/// What went wrong with each address.
		reason: String,
	},
	/// The exchange has ended: start another.
	#[error("the exchange has been shut down")]
	Closed,
}

/// What a peer did wrong about one block.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum PeerFault {
	/// There is no connection to it: connect to it, or wait for it.
	#[error("not connected")]
	NotConnected,
	/// It says that it does not hold the block.
	#[error("does not hold the block")]
	NotHeld,
	/// It serves as many requests as it can.
	#[error("is busy")]
	Busy,
	/// It did not answer in time.
	#[error("did not answer in time")]
	TimedOut,
	/// The connection or the request broke off.
	#[error("broke off: {0}")]
	BrokeOff(String),
	/// It sent other bytes than the block's: do not ask it again.
	#[error("sent bytes that are not the block")]
	WrongBytes,
	/// It sent something that is no response: do not ask it again.
	#[error("sent a malformed response: {0}")]
	Malformed(ResponseError),
	/// It does not speak the protocol: it is no peer of this network.
	#[error("does not speak the block protocol")]
	Unsupported,
}

impl PeerFault {
	/// Whether the same peer may answer when it is asked once more.
	pub fn is_transient(&self) -> bool {
		matches!(
			self,
			Self::NotConnected | Self::Busy | Self::TimedOut | Self::BrokeOff(_)
		)
	}
}

/// Why a block could not be fetched.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum FetchError {
	/// The CID names no block of this network.
	#[error("{0}")]
	Cid(#[from] CidError),
	/// No peer was named: find providers first.
	#[error("nobody to fetch block {0} from; name peers, or find providers first")]
	NoPeers(Cid),
	/// Every peer says that it does not hold the block: ask others.
	#[error("none of {peers} peers holds block {cid}; ask others")]
	NotFound {
		/// The block.
		cid: Cid,
		/// How many peers were asked.
		peers: usize,
	},
	/// The time is over: allow more, or ask other peers.
	#[error("block {cid} did not come within {waited:?}{}; allow more time, or ask others", last_fault(.last))]
	TimedOut {
		/// The block.
		cid: Cid,
		/// The time that was allowed.
		waited: Duration,
		/// What happened with a peer last.
		last: Option<(PeerId, PeerFault)>,
	},
	/// No peer is left that could send it, and at least one misbehaved: ask others.
	#[error("block {cid} cannot be had: peer {peer} {fault}; ask others")]
	Failed {
		/// The block.
		cid: Cid,
		/// A peer that misbehaved.
		peer: PeerId,
		/// What it did.
		fault: PeerFault,
	},
	/// The exchange was started without a connection to IPFS: configure it.
	#[error("this exchange has no connection to IPFS; configure one")]
	NoIpfs,
	/// The exchange has ended: start another.
	#[error("the exchange has been shut down")]
	Closed,
}

fn last_fault(last: &Option<(PeerId, PeerFault)>) -> String {
	last.as_ref()
		.map(|(peer, fault)| format!(" (peer {peer} {fault})"))
		.unwrap_or_default()
}

/// Why the Kademlia network gave no answer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum DhtError {
	/// The CID names no block of this network.
	#[error("{0}")]
	Cid(#[from] CidError),
	/// The exchange was configured not to announce blocks.
	#[error("this exchange is configured not to announce blocks")]
	NotProviding,
	/// No peer took the record, or answered: check that bootstrap peers are configured and reachable. A record is offered
	/// again at the next refresh.
	#[error("no peer of the Kademlia network answered; check the bootstrap peers")]
	NoAnswer,
	/// The exchange has ended: start another.
	#[error("the exchange has been shut down")]
	Closed,
}
