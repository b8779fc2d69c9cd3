//! The decoders of what comes from files and from nodes, for the fuzz targets.

pub use crate::{
	access::key_in,
	chain::{block_number, decoded},
	cli::account,
	commands::provider::{bounded_addresses, peer_key},
	keys::phrase,
	keystore::{pair, Locked},
	pack::decode_header,
	staging::State,
};
