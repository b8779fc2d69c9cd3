//! Blocks, their CIDs, and where they come from and go to.

use std::collections::HashMap;

use cid::{multihash::Multihash, Cid};
use sha2::{Digest, Sha256};

/// Multicodec of a block that is nothing but bytes.
pub const RAW_CODEC: u64 = 0x55;
/// Multicodec of an inner node of a UnixFS file (`dag-pb`).
pub const UNIXFS_CODEC: u64 = 0x70;
/// Multihash code of SHA2-256, the only hash that is used.
pub const SHA2_256: u64 = 0x12;

/// What a store or a network says when it fails.
pub type BlockError = Box<dyn std::error::Error + Send + Sync>;

/// Takes the blocks of one shard.
pub trait BlockSink {
	/// Stores a block whose CID has been computed from its bytes. A block may come twice.
	///
	/// When it returns an error, the operation ends with that error.
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError>;
}

/// Gives the blocks of one shard. Its answers are checked, so it may be a stranger.
pub trait BlockFetcher {
	/// The block with this CID; `None` if it is not to be had.
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError>;

	/// Says which blocks are likely to be asked for next, in this order, so that a network can fetch them meanwhile.
	fn prefetch(&mut self, _upcoming: &[Cid]) {}
}

impl<S: BlockSink + ?Sized> BlockSink for &mut S {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		(**self).put(cid, bytes)
	}
}

impl<F: BlockFetcher + ?Sized> BlockFetcher for &mut F {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		(**self).get(cid)
	}

	fn prefetch(&mut self, upcoming: &[Cid]) {
		(**self).prefetch(upcoming);
	}
}

/// Blocks in memory.
impl BlockSink for HashMap<Cid, Vec<u8>> {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		self.insert(*cid, bytes.to_vec());
		Ok(())
	}
}

/// Blocks in memory, which several shards may share.
impl BlockFetcher for &HashMap<Cid, Vec<u8>> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		Ok(HashMap::get(self, cid).cloned())
	}
}

/// The CID of a leaf or of a manifest: version 1, codec `raw`, the SHA2-256 `digest` of its bytes.
pub fn raw_cid(digest: [u8; 32]) -> Cid {
	cid(RAW_CODEC, digest)
}

/// The CID of a shard: version 1, codec `dag-pb`, the SHA2-256 `digest` of its root block.
pub fn shard_cid(digest: [u8; 32]) -> Cid {
	cid(UNIXFS_CODEC, digest)
}

fn cid(codec: u64, digest: [u8; 32]) -> Cid {
	let multihash = Multihash::wrap(SHA2_256, &digest).expect("32 bytes are fewer than 64; qed");
	Cid::new_v1(codec, multihash)
}

/// SHA2-256 of a block's bytes.
pub(crate) fn digest(bytes: &[u8]) -> [u8; 32] {
	Sha256::digest(bytes).into()
}

/// Whether `cid` is of the one kind used here: version 1, SHA2-256, and a leaf or an inner node.
pub(crate) fn is_supported(cid: &Cid) -> bool {
	cid.version() == cid::Version::V1
		&& matches!(cid.codec(), RAW_CODEC | UNIXFS_CODEC)
		&& cid.hash().code() == SHA2_256
		&& cid.hash().digest().len() == 32
}

/// The digest in a CID that [`is_supported`] or that [`raw_cid`] or [`shard_cid`] made.
pub(crate) fn digest_in(cid: &Cid) -> [u8; 32] {
	let mut digest = [0; 32];
	digest.copy_from_slice(cid.hash().digest());
	digest
}
