//! What a block is: which CIDs name one, how long it may be, and who can hand one out.

use cid::{multihash::Multihash, Cid, Version};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Longest block, in bytes. It is the most that Bitswap implementations take.
pub const MAX_BLOCK_BYTES: usize = 2 << 20;

/// Bytes of a CID that names a block: version, codec, hash function, digest length and digest.
pub const CID_BYTES: usize = 4 + DIGEST_BYTES;

/// Multicodec of SHA2-256.
const SHA2_256: u64 = 0x12;
const DIGEST_BYTES: usize = 32;

/// What the bytes of a block are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Codec {
	/// Plain bytes: a leaf of a file, or a manifest.
	Raw,
	/// An inner node of a UnixFS file.
	DagPb,
}

impl Codec {
	/// Its code in the multicodec table.
	pub fn code(self) -> u64 {
		match self {
			Self::Raw => 0x55,
			Self::DagPb => 0x70,
		}
	}

	/// The CID of a block with these bytes.
	pub fn cid(self, bytes: &[u8]) -> Cid {
		let digest: [u8; DIGEST_BYTES] = Sha256::digest(bytes).into();
		self.cid_of_digest(&digest)
	}

	/// The CID of a block whose SHA2-256 digest is known.
	pub fn cid_of_digest(self, digest: &[u8; DIGEST_BYTES]) -> Cid {
		let hash = Multihash::wrap(SHA2_256, digest).expect("a multihash holds up to 64 bytes; qed");
		Cid::new_v1(self.code(), hash)
	}
}

/// Why a CID does not name a block of this network.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum CidError {
	/// The bytes or the text are no CID: look where they come from.
	#[error("not a CID: {0}")]
	Malformed(String),
	/// CIDv0 (`Qm…`): convert it to version 1, which names the same block.
	#[error("a CID of version 0; write it as version 1")]
	Version,
	/// The codec is neither `raw` nor `dag-pb`: import the data as UnixFS.
	#[error("a CID with codec {0:#x}; only raw (0x55) and dag-pb (0x70) are kept")]
	Codec(u64),
	/// The hash is not SHA2-256 of 32 bytes: hash the block again.
	#[error("a CID with hash function {code:#x} and {bytes} bytes; only SHA2-256 (0x12) with 32 is kept")]
	Hash {
		/// The hash function's multicodec.
		code: u64,
		/// Length of the digest.
		bytes: u8,
	},
}

/// Checks that a CID names a block of this network: version 1, `raw` or `dag-pb`, SHA2-256.
pub fn check_cid(cid: &Cid) -> Result<Codec, CidError> {
	if cid.version() != Version::V1 {
		return Err(CidError::Version);
	}
	let hash = cid.hash();
	if hash.code() != SHA2_256 || usize::from(hash.size()) != DIGEST_BYTES {
		return Err(CidError::Hash {
			code: hash.code(),
			bytes: hash.size(),
		});
	}
	match cid.codec() {
		0x55 => Ok(Codec::Raw),
		0x70 => Ok(Codec::DagPb),
		other => Err(CidError::Codec(other)),
	}
}

/// Reads a CID from its [`CID_BYTES`] binary bytes. No other bytes are taken for the same CID.
pub fn decode_cid(bytes: &[u8]) -> Result<Cid, CidError> {
	let cid = Cid::try_from(bytes).map_err(|error| CidError::Malformed(error.to_string()))?;
	check_cid(&cid)?;
	if cid.to_bytes() != bytes {
		return Err(CidError::Malformed("not the shortest encoding".into()));
	}
	Ok(cid)
}

/// Reads a CID from text in any multibase.
pub fn parse_cid(text: &str) -> Result<Cid, CidError> {
	let cid = text
		.parse::<Cid>()
		.map_err(|error| CidError::Malformed(error.to_string()))?;
	check_cid(&cid)?;
	Ok(cid)
}

/// Whether `bytes` are the block that `cid` names. The CID has passed [`check_cid`].
pub(crate) fn matches(cid: &Cid, bytes: &[u8]) -> bool {
	Sha256::digest(bytes).as_slice() == cid.hash().digest()
}

/// The first two bytes of the digest, by which files are spread over directories.
pub(crate) fn digest_prefix(cid: &Cid) -> [u8; 2] {
	let digest = cid.hash().digest();
	[
		digest.first().copied().unwrap_or_default(),
		digest.get(1).copied().unwrap_or_default(),
	]
}

/// Who hands out blocks to peers. Calls may block on a disk: they run on threads of their own.
pub trait BlockSource: Send + Sync + 'static {
	/// The bytes of a block, or nothing where it is not held.
	fn get(&self, cid: &Cid) -> Option<Vec<u8>>;

	/// Whether a block is held. Cheaper than [`BlockSource::get`] where the source can tell without reading it.
	fn has(&self, cid: &Cid) -> bool {
		self.get(cid).is_some()
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn names_blocks_as_ipfs_does() {
		// `printf 'hello' | ipfs block put --cid-codec=raw` and the empty UnixFS file of `ipfs add`, written as version 1.
		assert_eq!(
			Codec::Raw.cid(b"hello").to_string(),
			"bafkreibm6jg3ux5qumhcn2b3flc3tyu6dmlb4xa7u5bf44yegnrjhc4yeq"
		);
		assert_eq!(
			Codec::DagPb
				.cid(&[0x0a, 0x04, 0x08, 0x02, 0x18, 0x00])
				.to_string(),
			"bafybeif7ztnhq65lumvvtr4ekcwd2ifwgm3awq4zfr3srh462rwyinlb4y"
		);
	}

	#[test]
	fn takes_its_own_cids_only() {
		let cid = Codec::Raw.cid(b"block");
		assert_eq!(decode_cid(&cid.to_bytes()), Ok(cid));
		assert_eq!(parse_cid(&cid.to_string()), Ok(cid));
		assert_eq!(cid.to_bytes().len(), CID_BYTES);

		let version_0 = Cid::new_v0(*cid.hash()).expect("SHA2-256 fits version 0");
		assert_eq!(decode_cid(&version_0.to_bytes()), Err(CidError::Version));
		let codec = Cid::new_v1(0x71, *cid.hash());
		assert_eq!(decode_cid(&codec.to_bytes()), Err(CidError::Codec(0x71)));
		let hash = Cid::new_v1(
			0x55,
			Multihash::wrap(0xb220, cid.hash().digest()).expect("32 bytes fit"),
		);
		assert_eq!(
			decode_cid(&hash.to_bytes()),
			Err(CidError::Hash {
				code: 0xb220,
				bytes: 32
			})
		);
		let short = Cid::new_v1(0x55, Multihash::wrap(SHA2_256, &[1; 20]).expect("20 bytes fit"));
		assert_eq!(
			decode_cid(&short.to_bytes()),
			Err(CidError::Hash {
				code: SHA2_256,
				bytes: 20
			})
		);
		for bytes in [&[][..], &[1], &[0xff; 36], &cid.to_bytes()[..35]] {
			assert!(
				matches!(decode_cid(bytes), Err(CidError::Malformed(_))),
				"{bytes:?}"
			);
		}
		let mut longer = cid.to_bytes();
		longer.push(0);
		assert!(matches!(decode_cid(&longer), Err(CidError::Malformed(_))));
		assert!(matches!(parse_cid("bafy"), Err(CidError::Malformed(_))));
	}
}
