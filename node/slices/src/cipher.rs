//! XChaCha20-Poly1305 in the STREAM construction (BE32): a file as a sequence of sealed chunks.
//!
//! # Nonces
//!
//! Chunk i is sealed under the nonce prefix (19 bytes) ‖ i (4 bytes, big endian) ‖ last (1 byte: 1 for the file's last
//! chunk, else 0). Key and prefix are derived from the file's key, which is drawn for one content, so no pair of key
//! and nonce seals two messages. The counter notices chunks that are reordered, repeated or left out; the flag notices
//! a cut or continued file.
//!
//! A chunk has 65,536 bytes of ciphertext, tag included, so that chunks never straddle two units of a stripe and none
//! has to be copied: plaintext is read to where its ciphertext will stand.

use chacha20poly1305::{AeadInPlace, Key, KeyInit, Tag, XChaCha20Poly1305, XNonce};

/// Bytes of a sealed chunk; the last may be shorter.
pub(crate) const CHUNK_BYTES: usize = 64 * 1024;
/// Bytes of an authentication tag.
pub(crate) const TAG_BYTES: usize = 16;
/// Bytes of the file in a chunk.
pub(crate) const PLAIN_CHUNK_BYTES: usize = CHUNK_BYTES - TAG_BYTES;
/// Bytes of the nonce that are the same for all chunks.
pub(crate) const NONCE_PREFIX_BYTES: usize = 19;

/// Seals and opens the chunks of one file.
pub(crate) struct ContentCipher {
	aead: XChaCha20Poly1305,
	nonce_prefix: [u8; NONCE_PREFIX_BYTES],
}

/// A chunk that was not sealed at this place under this key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unauthentic;

impl ContentCipher {
	pub(crate) fn new(key: &Key, nonce_prefix: [u8; NONCE_PREFIX_BYTES]) -> Self {
		Self {
			aead: XChaCha20Poly1305::new(key),
			nonce_prefix,
		}
	}

	/// Seals all but the last 16 bytes of `chunk` in place, and puts the tag into these.
	pub(crate) fn seal(&self, index: u32, last: bool, chunk: &mut [u8]) {
		let (content, room) = chunk.split_at_mut(chunk.len() - TAG_BYTES);
		let tag = self
			.aead
			.encrypt_in_place_detached(&self.nonce(index, last), b"", content)
			.expect("a chunk is far below the cipher's limit of 256 GiB; qed");
		room.copy_from_slice(&tag);
	}

	/// Opens a sealed chunk in place and returns its content.
	pub(crate) fn open<'a>(
		&self,
		index: u32,
		last: bool,
		chunk: &'a mut [u8],
	) -> Result<&'a [u8], Unauthentic> {
		let content_bytes = chunk.len().checked_sub(TAG_BYTES).ok_or(Unauthentic)?;
		let (content, tag) = chunk.split_at_mut(content_bytes);
		self.aead
			.decrypt_in_place_detached(&self.nonce(index, last), b"", content, Tag::from_slice(tag))
			.map_err(|_| Unauthentic)?;
		Ok(content)
	}

	fn nonce(&self, index: u32, last: bool) -> XNonce {
		let mut nonce = XNonce::default();
		let (prefix, rest) = nonce.split_at_mut(NONCE_PREFIX_BYTES);
		let (counter, flag) = rest.split_at_mut(4);
		prefix.copy_from_slice(&self.nonce_prefix);
		counter.copy_from_slice(&index.to_be_bytes());
		flag[0] = last.into();
		nonce
	}
}

#[cfg(test)]
mod tests {
	use chacha20poly1305::aead::stream::{DecryptorBE32, EncryptorBE32};

	use super::*;

	const PREFIX: [u8; NONCE_PREFIX_BYTES] = [7; NONCE_PREFIX_BYTES];

	fn cipher() -> ContentCipher {
		ContentCipher::new(&Key::from([5; 32]), PREFIX)
	}

	fn sealed(index: u32, last: bool, content: &[u8]) -> Vec<u8> {
		let mut chunk = [content, &[0; TAG_BYTES]].concat();
		cipher().seal(index, last, &mut chunk);
		chunk
	}

	/// Ours is the same construction as the `aead` crate's, which copies.
	#[test]
	fn it_is_stream_be32() {
		let aead = || XChaCha20Poly1305::new(&Key::from([5; 32]));
		let mut encryptor = EncryptorBE32::from_aead(aead(), PREFIX.as_slice().into());
		let chunks: Vec<_> = (0..300u32).map(|index| vec![index as u8; 40]).collect();
		for (index, chunk) in chunks.iter().enumerate() {
			assert_eq!(
				encryptor.encrypt_next(&chunk[..]).unwrap(),
				sealed(index as u32, false, chunk)
			);
		}
		assert_eq!(
			encryptor.encrypt_last(&b"end"[..]).unwrap(),
			sealed(300, true, b"end")
		);

		let mut decryptor = DecryptorBE32::from_aead(aead(), PREFIX.as_slice().into());
		assert_eq!(decryptor.decrypt_next(&sealed(0, false, b"a")[..]).unwrap(), b"a");
		assert_eq!(decryptor.decrypt_last(&sealed(1, true, b"")[..]).unwrap(), b"");
	}

	#[test]
	fn a_chunk_opens_at_its_place_only() {
		assert_eq!(
			cipher().open(3, false, &mut sealed(3, false, b"content")),
			Ok(&b"content"[..])
		);
		for (index, last) in [(2, false), (4, false), (3, true)] {
			assert_eq!(
				cipher().open(index, last, &mut sealed(3, false, b"content")),
				Err(Unauthentic),
				"{index} {last}"
			);
		}
	}

	#[test]
	fn every_flipped_bit_and_every_cut_is_noticed() {
		let chunk = sealed(0, true, b"content");
		for bit in 0..chunk.len() * 8 {
			let mut changed = chunk.clone();
			changed[bit / 8] ^= 1 << (bit % 8);
			assert_eq!(cipher().open(0, true, &mut changed), Err(Unauthentic));
		}
		for length in 0..chunk.len() {
			assert_eq!(
				cipher().open(0, true, &mut chunk[..length].to_vec()),
				Err(Unauthentic)
			);
		}
	}
}
