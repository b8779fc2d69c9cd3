//! Blocks of stored files: where a provider keeps them, and how they travel.
//!
//! - [`BlockStore`] keeps blocks in flat files named by their CID. What it acknowledged survives a crash, and what it
//!   hands out was checked against its hash.
//! - [`Exchange`] moves blocks between OpenSand's peers over libp2p, and finds providers in a Kademlia network.
//! - [`IpfsConfig`] opens the same blocks to stock IPFS software by Bitswap, on a port of its own.
//!
//! Blocks are at most [`MAX_BLOCK_BYTES`] long, and named by CIDv1 with SHA2-256 and the codec `raw` or `dag-pb`.
//! The crate's README has the format on disk, the protocols and their limits.

#![warn(missing_docs)]

mod block;
mod exchange;
mod gateway;
mod store;
mod swarm;
pub mod wire;

pub use block::{check_cid, decode_cid, parse_cid, BlockSource, CidError, Codec, CID_BYTES, MAX_BLOCK_BYTES};
pub use exchange::{
	ConnectError, DhtError, Exchange, ExchangeConfig, ExchangeStats, FetchError, PeerFault, Provider,
	StartError,
};
pub use gateway::IpfsConfig;
pub use store::{BlockStore, StoreError};
pub use swarm::{peer_id_of, public_key_of, PeerKeyError};

pub use cid::Cid;
pub use litep2p::{types::multiaddr::Multiaddr, PeerId};
