//! Inner nodes in their one canonical form.
//!
//! ```text
//! PBNode   { Links: [PBLink] = 2, Data: UnixFS = 1 }           links before data, as dag-pb demands
//! PBLink   { Hash: CID = 1, Name: "" = 2, Tsize: uint64 = 3 }
//! UnixFS   { Type: File (2) = 1, filesize: uint64 = 3, blocksizes: [uint64] = 4 }
//! ```

use cid::Cid;
use thiserror::Error;

use super::MAX_LINKS;
use crate::block::{self, is_supported};

/// The longest node that is looked at, in bytes: more than a canonical one can have.
pub const MAX_NODE_BYTES: usize = 16 * 1024;

/// Protobuf keys: field number · 8 + wire type (0 varint, 2 bytes).
mod key {
	pub const NODE_DATA: u8 = 0x0a;
	pub const NODE_LINK: u8 = 0x12;
	pub const LINK_HASH: u8 = 0x0a;
	pub const LINK_NAME: u8 = 0x12;
	pub const LINK_TSIZE: u8 = 0x18;
	pub const UNIXFS_TYPE: u8 = 0x08;
	pub const UNIXFS_FILESIZE: u8 = 0x18;
	pub const UNIXFS_BLOCKSIZE: u8 = 0x20;
}

/// The UnixFS type of a file.
const FILE: u8 = 2;
/// Bytes of a CID of version 1 with a one-byte codec and a SHA2-256 multihash.
const CID_BYTES: u8 = 36;

/// A child of an inner node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Link {
	/// The child's CID: a raw leaf or an inner node.
	pub cid: Cid,
	/// Bytes of the file below the child.
	pub file_bytes: u64,
	/// Bytes of the child's block and of all blocks below it (`Tsize`).
	pub total_bytes: u64,
}

/// An inner node.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Node {
	/// Its children, in the order of the file; at most [`MAX_LINKS`].
	pub links: Vec<Link>,
}

/// Why bytes are not an inner node of a shard.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum NodeError {
	/// Longer than [`MAX_NODE_BYTES`].
	#[error("{0} bytes are more than an inner node can have")]
	TooLong(usize),
	/// More than [`MAX_LINKS`] links.
	#[error("the node has more than {MAX_LINKS} links")]
	TooManyLinks,
	/// A link to something else than a SHA2-256 block of version 1 that is a leaf or an inner node.
	#[error("the node links to a block of a foreign kind")]
	ForeignLink,
	/// Sizes do not add up, or there is not one for each link.
	#[error("the sizes in the node do not add up")]
	Sizes,
	/// Not a UnixFS file node in canonical form.
	#[error("the bytes are not a UnixFS file node in canonical form")]
	Malformed,
}

impl Node {
	/// Bytes of the file below the node; `None` if that overflows.
	pub fn file_bytes(&self) -> Option<u64> {
		self.links
			.iter()
			.try_fold(0u64, |sum, link| sum.checked_add(link.file_bytes))
	}

	/// The node's block.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(16 + 64 * self.links.len());
		let mut unixfs = vec![key::UNIXFS_TYPE, FILE, key::UNIXFS_FILESIZE];
		put_varint(&mut unixfs, self.links.iter().map(|link| link.file_bytes).sum());
		let mut entry = Vec::with_capacity(64);
		for link in &self.links {
			entry.clear();
			entry.extend([key::LINK_HASH, CID_BYTES]);
			link.cid
				.write_bytes(&mut entry)
				.expect("writing to a vector succeeds; qed");
			entry.extend([key::LINK_NAME, 0, key::LINK_TSIZE]);
			put_varint(&mut entry, link.total_bytes);

			bytes.push(key::NODE_LINK);
			put_varint(&mut bytes, entry.len() as u64);
			bytes.extend_from_slice(&entry);

			unixfs.push(key::UNIXFS_BLOCKSIZE);
			put_varint(&mut unixfs, link.file_bytes);
		}
		bytes.push(key::NODE_DATA);
		put_varint(&mut bytes, unixfs.len() as u64);
		bytes.extend_from_slice(&unixfs);
		bytes
	}
}

/// Decodes an inner node. It accepts exactly what [`Node::to_bytes`] gives.
pub fn decode_node(bytes: &[u8]) -> Result<Node, NodeError> {
	if bytes.len() > MAX_NODE_BYTES {
		return Err(NodeError::TooLong(bytes.len()));
	}
	let mut rest = Fields(bytes);
	let mut links = Vec::new();
	while let Some(mut entry) = rest.optional_bytes(key::NODE_LINK)? {
		if links.len() == MAX_LINKS {
			return Err(NodeError::TooManyLinks);
		}
		let cid = entry
			.optional_bytes(key::LINK_HASH)?
			.ok_or(NodeError::Malformed)?;
		let cid = Cid::read_bytes(cid.0).map_err(|_| NodeError::ForeignLink)?;
		if !is_supported(&cid) {
			return Err(NodeError::ForeignLink);
		}
		entry
			.optional_bytes(key::LINK_NAME)?
			.ok_or(NodeError::Malformed)?;
		links.push(Link {
			// Made anew, so that nothing but codec and digest can differ between equal links.
			cid: match cid.codec() {
				block::RAW_CODEC => block::raw_cid(block::digest_in(&cid)),
				_ => block::shard_cid(block::digest_in(&cid)),
			},
			file_bytes: 0,
			total_bytes: entry.varint_of(key::LINK_TSIZE)?,
		});
	}
	let mut unixfs = rest.optional_bytes(key::NODE_DATA)?.ok_or(NodeError::Malformed)?;
	if unixfs.varint_of(key::UNIXFS_TYPE)? != u64::from(FILE) {
		return Err(NodeError::Malformed);
	}
	let file_bytes = unixfs.varint_of(key::UNIXFS_FILESIZE)?;
	for link in &mut links {
		link.file_bytes = unixfs
			.varint_of(key::UNIXFS_BLOCKSIZE)
			.map_err(|_| NodeError::Sizes)?;
	}
	let node = Node { links };
	if node.file_bytes() != Some(file_bytes) {
		return Err(NodeError::Sizes);
	}
	// Catches what is left over in any field, numbers in a longer form than needed, and names.
	if node.to_bytes() != bytes {
		return Err(NodeError::Malformed);
	}
	Ok(node)
}

fn put_varint(bytes: &mut Vec<u8>, mut value: u64) {
	while value >= 0x80 {
		bytes.push(value as u8 | 0x80);
		value >>= 7;
	}
	bytes.push(value as u8);
}

/// What is left of a protobuf message.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
	/// The content of a field of bytes, if it comes next.
	fn optional_bytes(&mut self, key: u8) -> Result<Option<Fields<'a>>, NodeError> {
		match self.0.split_first() {
			Some((first, rest)) if *first == key => self.0 = rest,
			_ => return Ok(None),
		}
		let length = usize::try_from(self.varint()?).map_err(|_| NodeError::Malformed)?;
		let (content, rest) = self.0.split_at_checked(length).ok_or(NodeError::Malformed)?;
		self.0 = rest;
		Ok(Some(Fields(content)))
	}

	/// The value of a numeric field that must come next.
	fn varint_of(&mut self, key: u8) -> Result<u64, NodeError> {
		match self.0.split_first() {
			Some((first, rest)) if *first == key => self.0 = rest,
			_ => return Err(NodeError::Malformed),
		}
		self.varint()
	}

	fn varint(&mut self) -> Result<u64, NodeError> {
		let mut value = 0u64;
		for shift in (0..u64::BITS).step_by(7) {
			let (byte, rest) = self.0.split_first().ok_or(NodeError::Malformed)?;
			self.0 = rest;
			value |= u64::from(byte & 0x7f) << shift;
			if byte & 0x80 == 0 {
				return Ok(value);
			}
		}
		Err(NodeError::Malformed)
	}
}
