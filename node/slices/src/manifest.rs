//! The manifest: one block that names a file's shards and says how to put them together.
//!
//! # Format, version 1
//!
//! ```text
//! version          u8, 1
//! data, total      u8, u8                 the code
//! unit_bytes       u32                    a power of two from 64 to 256 KiB
//! file_bytes       u64                    length of the plaintext; every other length follows from it
//! key_commitment   [u8; 32]
//! shards           total × { cid: [u8; 32], segments: s × [u8; 32] }      s follows from the lengths
//! metadata         compact length, then nonce (24 bytes) ‖ XChaCha20-Poly1305 ciphertext ‖ tag
//! ```
//!
//! Integers are little endian, as SCALE has them. The metadata's associated data is everything before `metadata`, so a
//! reader with the key knows that whoever had the key wrote all of the manifest. Their nonce is the BLAKE2b-192 hash,
//! keyed with the nonce key, of the associated data's length (u64) ‖ associated data ‖ plaintext: encoding the same
//! file again gives the same manifest, and other metadata under the same key get another nonce.

use blake2b_simd::Params;
use chacha20poly1305::{AeadInPlace, Tag, XNonce};
use cid::Cid;
use codec::{Compact, Decode, Encode};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
	block,
	code::{is_unit, Code, CodeError, Layout},
	key::{FileKey, MetadataCipher},
	metadata::{Metadata, MetadataError, MAX_PADDED_BYTES, PADDING_BYTES},
};

/// The most bytes of a manifest.
pub const MAX_MANIFEST_BYTES: usize = 1 << 20;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
const DIGEST_BYTES: usize = 32;

/// What is committed to of one shard.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShardCommitment {
	/// SHA2-256 digest of its root block; see [`crate::shard_cid`].
	pub cid: [u8; 32],
	/// The root of each segment (`opensand-storage-proof`).
	pub segments: Vec<[u8; 32]>,
}

/// A manifest. Its code, unit and lengths fit together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
	layout: Layout,
	key_commitment: [u8; 32],
	shards: Vec<ShardCommitment>,
	sealed_metadata: Vec<u8>,
}

/// Why bytes are not a manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ManifestError {
	/// More than [`MAX_MANIFEST_BYTES`].
	#[error("a manifest of {0} bytes is too long; refuse the order")]
	TooLong(usize),
	/// Written by a newer client: update this one.
	#[error("manifest version {0} is unknown; update the client")]
	UnknownVersion(u8),
	/// The code or the file's length is out of range.
	#[error("the manifest's code is out of range: {0}")]
	Code(#[from] CodeError),
	/// A unit that no manifest may have: refuse the order.
	#[error("units of {0} bytes are not allowed; refuse the order")]
	Unit(u32),
	/// Cut short, continued, or not in the one encoding.
	#[error("the bytes are not the canonical encoding of a manifest")]
	Malformed,
}

/// Why metadata could not be opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum OpenMetadataError {
	/// The key is not the one that the manifest commits to: ask whoever gave it for the right one.
	#[error("this is not the file's key; ask whoever gave it for the right one")]
	WrongKey,
	/// The manifest is not the one that the key's holder wrote: fetch the one that the order names.
	#[error("the manifest was changed; fetch the one that the order names")]
	Changed,
	/// Its owner wrote metadata that no client accepts.
	#[error("{0}")]
	Metadata(#[from] MetadataError),
}

#[derive(Encode, Decode)]
struct Header {
	version: u8,
	data: u8,
	total: u8,
	unit_bytes: u32,
	file_bytes: u64,
	key_commitment: [u8; 32],
}

impl Manifest {
	/// The manifest of a file that was laid out as `layout` and committed to as `shards`.
	pub(crate) fn new(
		layout: Layout,
		shards: Vec<ShardCommitment>,
		key: &FileKey,
		metadata: &Metadata,
	) -> Result<Self, MetadataError> {
		let mut manifest = Self {
			layout,
			key_commitment: key.commitment(),
			shards,
			sealed_metadata: Vec::new(),
		};
		let public = manifest.public_bytes();
		let mut content = metadata.to_padded()?;
		let cipher = key.metadata_cipher();
		let nonce = metadata_nonce(&cipher, &public, &content);
		let tag = cipher
			.aead
			.encrypt_in_place_detached(&nonce, &public, &mut content)
			.expect("metadata are far below the cipher's limit of 256 GiB; qed");
		manifest.sealed_metadata = [&nonce[..], &content, &tag].concat();
		Ok(manifest)
	}

	/// Decodes a manifest. It accepts exactly what [`Self::to_bytes`] gives.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ManifestError> {
		if bytes.len() > MAX_MANIFEST_BYTES {
			return Err(ManifestError::TooLong(bytes.len()));
		}
		match bytes.first() {
			Some(&VERSION) => {}
			Some(&other) => return Err(ManifestError::UnknownVersion(other)),
			None => return Err(ManifestError::Malformed),
		}
		let mut rest = bytes;
		let header = Header::decode(&mut rest).map_err(|_| ManifestError::Malformed)?;
		let code = Code::new(header.data, header.total)?;
		if !is_unit(header.unit_bytes) {
			return Err(ManifestError::Unit(header.unit_bytes));
		}
		let layout = Layout::with_unit(code, header.unit_bytes as usize, header.file_bytes)?;

		let shards = (0..code.total())
			.map(|_| {
				let cid = take_digest(&mut rest)?;
				let segments = (0..layout.segments()).map(|_| take_digest(&mut rest));
				Ok(ShardCommitment {
					cid,
					segments: segments.collect::<Result<_, ManifestError>>()?,
				})
			})
			.collect::<Result<_, ManifestError>>()?;

		let Compact(length) = Compact::<u32>::decode(&mut rest).map_err(|_| ManifestError::Malformed)?;
		let content_bytes = (length as usize).checked_sub(NONCE_BYTES + TAG_BYTES);
		if rest.len() != length as usize || !content_bytes.is_some_and(is_padded) {
			return Err(ManifestError::Malformed);
		}
		Ok(Self {
			layout,
			key_commitment: header.key_commitment,
			shards,
			sealed_metadata: rest.to_vec(),
		})
	}

	/// The manifest's block.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = self.public_bytes();
		self.sealed_metadata.encode_to(&mut bytes);
		bytes
	}

	/// SHA2-256 digest of the manifest's block: what the order names.
	pub fn digest(&self) -> [u8; 32] {
		block::digest(&self.to_bytes())
	}

	/// CID of the manifest's block: codec `raw`.
	pub fn cid(&self) -> Cid {
		block::raw_cid(self.digest())
	}

	/// The code.
	pub fn code(&self) -> Code {
		self.layout.code()
	}

	/// Lengths of the file, its ciphertext and its shards.
	pub fn layout(&self) -> &Layout {
		&self.layout
	}

	/// Bytes of the file.
	pub fn file_bytes(&self) -> u64 {
		self.layout.file_bytes()
	}

	/// Bytes of each shard.
	pub fn shard_bytes(&self) -> u64 {
		self.layout.shard_bytes()
	}

	/// [`FileKey::commitment`] of the file's key.
	pub fn key_commitment(&self) -> &[u8; 32] {
		&self.key_commitment
	}

	/// The shards, in their order.
	pub fn shards(&self) -> &[ShardCommitment] {
		&self.shards
	}

	/// Opens the private metadata, and so makes sure that `key` is the file's and that its holder wrote the manifest.
	pub fn open_metadata(&self, key: &FileKey) -> Result<Metadata, OpenMetadataError> {
		if key.commitment() != self.key_commitment {
			return Err(OpenMetadataError::WrongKey);
		}
		let public = self.public_bytes();
		let cipher = key.metadata_cipher();
		let (nonce, rest) = self.sealed_metadata.split_at(NONCE_BYTES);
		let (content, tag) = rest.split_at(rest.len() - TAG_BYTES);
		let mut content = Zeroizing::new(content.to_vec());
		cipher
			.aead
			.decrypt_in_place_detached(
				XNonce::from_slice(nonce),
				&public,
				&mut content,
				Tag::from_slice(tag),
			)
			.map_err(|_| OpenMetadataError::Changed)?;
		Ok(Metadata::from_padded(&content)?)
	}

	/// Everything before the metadata.
	fn public_bytes(&self) -> Vec<u8> {
		let code = self.layout.code();
		let digests = self.shards.len() * (1 + self.layout.segments());
		let mut bytes = Vec::with_capacity(64 + digests * DIGEST_BYTES + MAX_PADDED_BYTES + 64);
		Header {
			version: VERSION,
			data: code.data(),
			total: code.total(),
			unit_bytes: self.layout.unit_bytes() as u32,
			file_bytes: self.layout.file_bytes(),
			key_commitment: self.key_commitment,
		}
		.encode_to(&mut bytes);
		for shard in &self.shards {
			bytes.extend_from_slice(&shard.cid);
			shard
				.segments
				.iter()
				.for_each(|root| bytes.extend_from_slice(root));
		}
		bytes
	}
}

/// Whether metadata can have this many bytes once padded.
fn is_padded(bytes: usize) -> bool {
	bytes > 0 && bytes <= MAX_PADDED_BYTES && bytes.is_multiple_of(PADDING_BYTES)
}

fn take_digest(rest: &mut &[u8]) -> Result<[u8; DIGEST_BYTES], ManifestError> {
	let (digest, after) = rest.split_first_chunk().ok_or(ManifestError::Malformed)?;
	*rest = after;
	Ok(*digest)
}

fn metadata_nonce(cipher: &MetadataCipher, public: &[u8], content: &[u8]) -> XNonce {
	let hash = Params::new()
		.hash_length(NONCE_BYTES)
		.key(&cipher.nonce_key[..])
		.to_state()
		.update(&(public.len() as u64).to_le_bytes())
		.update(public)
		.update(content)
		.finalize();
	*XNonce::from_slice(hash.as_bytes())
}
