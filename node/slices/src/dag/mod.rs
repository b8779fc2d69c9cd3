//! The blocks of a shard: a UnixFS file with raw leaves, as IPFS tools import one.
//!
//! The parameters are those of an import with CID version 1, raw leaves, chunks of 256 KiB and a balanced tree of at
//! most 174 links a node, except that a file of a single leaf has an inner node above it too: a shard's root is always
//! `dag-pb`. A shard's length fixes the tree's shape, so that a reader knows beforehand what every node must look like
//! and refuses any other.

mod node;
mod read;
mod write;

pub use node::{decode_node, Link, Node, NodeError, MAX_NODE_BYTES};
pub use read::{ShardError, ShardReader};
pub(crate) use write::TreeWriter;

/// Bytes of a leaf; the last of a shard may be shorter.
pub const LEAF_BLOCK_BYTES: usize = 256 * 1024;
/// The most links of an inner node.
pub const MAX_LINKS: usize = 174;

/// Bytes of the file below a full node at `height` above the leaves, which are at height 0.
fn capacity(height: u32) -> u64 {
	(MAX_LINKS as u64)
		.saturating_pow(height)
		.saturating_mul(LEAF_BLOCK_BYTES as u64)
}

/// Height of the root of a file with `bytes` bytes: at least 1.
fn root_height(bytes: u64) -> u32 {
	let mut height = 1;
	while capacity(height) < bytes {
		height += 1;
	}
	height
}
