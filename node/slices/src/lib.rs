//! A file as encrypted, erasure-coded shards in IPFS blocks, and back.
//!
//! ```text
//! file ─ encrypt ─▶ ciphertext ─ stripes of k units ─ Reed–Solomon ─▶ n shards ─▶ UnixFS blocks, segment roots
//! ```
//!
//! Nothing but ciphertext leaves this crate by a [`BlockSink`]. What belongs together is named by a [`Manifest`], and
//! the [`FileKey`] travels by [`seal_key`]. Everything is synchronous, streams, and takes a fixed amount of memory
//! whatever the file's size; it knows neither network nor chain. The format is specified in the crate's `README.md`.
//!
//! - [`encode`] turns a file into shards, in one pass.
//! - [`decode`] restores it from any k of them, and replaces a shard that turns out missing or corrupt in mid-stream.
//! - [`rebuild_shard`] makes a lost shard anew, without the key.
//! - [`verify_shard`] tells a provider whether what it fetched is what was committed to.
//! - [`ShardReader`] reads any range of a shard, each block checked against its CID.

#![warn(missing_docs)]

mod access;
mod block;
mod cipher;
mod code;
mod commitment;
mod dag;
mod decode;
mod encode;
mod key;
mod manifest;
mod metadata;
mod rebuild;
mod shard;
mod stripe;

#[cfg(test)]
mod tests;

pub use access::{
	open_key, seal_key, AccessPublicKey, AccessSecret, Context, OpenKeyError, SealKeyError, ShortSecret,
	SEALED_KEY_BYTES,
};
pub use block::{raw_cid, shard_cid, BlockError, BlockFetcher, BlockSink, RAW_CODEC, SHA2_256, UNIXFS_CODEC};
pub use code::{
	Code, CodeError, Layout, MAX_SEGMENTS, MAX_SHARDS, MAX_SHARD_BYTES, MIN_DATA_SHARDS, SEGMENT_BYTES,
};
pub use dag::{
	decode_node, Link, Node, NodeError, ShardError, ShardReader, LEAF_BLOCK_BYTES, MAX_LINKS, MAX_NODE_BYTES,
};
pub use decode::{decode, DecodeError, Decoded};
pub use encode::{encode, EncodeError};
pub use key::{FileKey, FILE_KEY_BYTES};
pub use manifest::{Manifest, ManifestError, OpenMetadataError, ShardCommitment, MAX_MANIFEST_BYTES};
pub use metadata::{Metadata, MetadataError, MAX_MEDIA_TYPE_BYTES, MAX_NAME_BYTES};
pub use rebuild::{rebuild_shard, RebuildError};
pub use shard::{verify_shard, VerifyError};
pub use stripe::{FailedShard, SourcesError, TooFewShards};
