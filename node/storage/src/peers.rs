//! Providers as peers.

use opensand_blocks::{peer_id_of, Multiaddr, PeerId};
use opensand_primitives::storage::ProviderTerms;

/// A peer and where it can be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer {
	pub id: PeerId,
	pub addresses: Vec<Multiaddr>,
}

/// The peer of a provider. `None` if its key is no Ed25519 key, or no address can be read: what stands on chain was
/// written by a stranger.
pub(crate) fn peer_of(terms: &ProviderTerms) -> Option<Peer> {
	let id = peer_id_of(&terms.peer).ok()?;
	let addresses: Vec<Multiaddr> = terms
		.addresses
		.iter()
		.filter_map(|bytes| std::str::from_utf8(bytes).ok()?.parse().ok())
		.collect();
	(!addresses.is_empty()).then_some(Peer { id, addresses })
}
