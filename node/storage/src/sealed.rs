//! Small files that survive a crash and tell when they are damaged.
//!
//! A sealed file is a four-byte kind, a version, a body, and the BLAKE2-256 of all that. It is replaced as a whole.

use std::{
	fs::File,
	io::{self, Read},
	path::Path,
};

use opensand_durable_file::Mode;
use sp_crypto_hashing::blake2_256;
use thiserror::Error;

const KIND_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 32;

/// Why the bytes of a file are not used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Damage {
	/// Too short, too long, of another kind, with a wrong checksum, or with a body that does not decode: the disk or
	/// somebody changed it. What it says is found out anew.
	#[error("the file is damaged; check the disk")]
	Bytes,
	/// Written by a newer node.
	#[error("the file has version {0}, which this node does not know; update the node")]
	Version(u8),
}

/// The bytes of a file with this body.
pub fn seal(kind: [u8; KIND_BYTES], version: u8, body: &[u8]) -> Vec<u8> {
	let mut bytes = Vec::with_capacity(KIND_BYTES + 1 + body.len() + CHECKSUM_BYTES);
	bytes.extend_from_slice(&kind);
	bytes.push(version);
	bytes.extend_from_slice(body);
	let checksum = blake2_256(&bytes);
	bytes.extend_from_slice(&checksum);
	bytes
}

/// The body of a file of this kind and version.
pub fn unseal(kind: [u8; KIND_BYTES], version: u8, bytes: &[u8]) -> Result<&[u8], Damage> {
	let (sealed, checksum) = bytes
		.len()
		.checked_sub(CHECKSUM_BYTES)
		.and_then(|length| bytes.split_at_checked(length))
		.ok_or(Damage::Bytes)?;
	if blake2_256(sealed) != checksum {
		return Err(Damage::Bytes);
	}
	let (found, rest) = sealed.split_first_chunk::<KIND_BYTES>().ok_or(Damage::Bytes)?;
	let (found_version, body) = rest.split_first().ok_or(Damage::Bytes)?;
	if *found != kind {
		return Err(Damage::Bytes);
	}
	if *found_version != version {
		return Err(Damage::Version(*found_version));
	}
	Ok(body)
}

/// Reads a file of at most `limit` bytes; `None` if there is none. A longer one is read as an empty one, which no decoder
/// takes.
pub fn read(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
	let file = match File::open(path) {
		Ok(file) => file,
		Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
		Err(error) => return Err(error),
	};
	let mut bytes = Vec::new();
	let length = file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
	if length as u64 > limit {
		bytes.clear();
	}
	Ok(Some(bytes))
}

/// Puts `bytes` in the place of the file at `path`; they are on disk when it returns.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
	opensand_durable_file::replace(path, Mode::Ordinary, bytes)
}

#[cfg(test)]
mod tests {
	use super::*;

	const KIND: [u8; 4] = *b"test";

	#[test]
	fn what_is_sealed_opens() {
		for body in [&b""[..], b"x", &[7; 1000]] {
			assert_eq!(unseal(KIND, 3, &seal(KIND, 3, body)), Ok(body));
		}
	}

	#[test]
	fn every_change_of_a_byte_is_noticed() {
		let bytes = seal(KIND, 1, b"body");
		for at in 0..bytes.len() {
			let mut changed = bytes.clone();
			changed[at] ^= 1;
			assert_eq!(unseal(KIND, 1, &changed), Err(Damage::Bytes), "byte {at}");
			assert_eq!(unseal(KIND, 1, &bytes[..at]), Err(Damage::Bytes), "cut at {at}");
		}
	}

	#[test]
	fn other_kinds_and_versions_are_refused() {
		let bytes = seal(KIND, 2, b"body");
		assert_eq!(unseal(*b"else", 2, &bytes), Err(Damage::Bytes));
		assert_eq!(unseal(KIND, 1, &bytes), Err(Damage::Version(2)));
	}

	#[test]
	fn files_are_read_to_a_limit() {
		let directory = tempfile::tempdir().unwrap();
		let path = directory.path().join("file");
		assert_eq!(read(&path, 10).unwrap(), None);
		replace(&path, b"old").unwrap();
		replace(&path, b"new one").unwrap();
		assert_eq!(read(&path, 10).unwrap().unwrap(), b"new one");
		assert_eq!(read(&path, 7).unwrap().unwrap(), b"new one");
		assert_eq!(read(&path, 6).unwrap().unwrap(), b"", "too long");
	}
}
