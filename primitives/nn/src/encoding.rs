//! The frame of an encoding: magic bytes, version, a SCALE body, nothing after it.

use crate::error::ModelError;
use alloc::vec::Vec;
use codec::{Compact, Decode, Encode};

/// The encoding version that this build writes and reads.
const VERSION: u16 = 1;

/// Reads the frame and hands the body to `body`, which must consume it to the end.
pub(crate) fn decode<T>(
	bytes: &[u8],
	magic: [u8; 4],
	max: usize,
	body: impl FnOnce(&mut &[u8]) -> Result<T, ModelError>,
) -> Result<T, ModelError> {
	if bytes.len() > max {
		return Err(ModelError::TooManyBytes {
			len: bytes.len(),
			max,
		});
	}
	let mut rest = bytes.strip_prefix(&magic).ok_or(ModelError::BadMagic)?;
	let found: u16 = field(&mut rest)?;
	if found != VERSION {
		return Err(ModelError::UnsupportedVersion {
			found,
			supported: VERSION,
		});
	}
	let value = body(&mut rest)?;
	match rest.len() {
		0 => Ok(value),
		left => Err(ModelError::TrailingBytes(left)),
	}
}

/// Decodes one value. Its memory is bounded by the bytes that are left.
pub(crate) fn field<T: Decode>(rest: &mut &[u8]) -> Result<T, ModelError> {
	T::decode(rest).map_err(|_| ModelError::Malformed)
}

/// Decodes a compact count.
pub(crate) fn count(rest: &mut &[u8]) -> Result<usize, ModelError> {
	let Compact(count) = field::<Compact<u32>>(rest)?;
	usize::try_from(count).map_err(|_| ModelError::Malformed)
}

/// Writes the frame around `body`.
pub(crate) fn encode(magic: [u8; 4], body: &impl Encode) -> Vec<u8> {
	let mut bytes = magic.to_vec();
	VERSION.encode_to(&mut bytes);
	body.encode_to(&mut bytes);
	bytes
}
