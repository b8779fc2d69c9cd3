//! How an answer crosses: the caller lends a buffer, the host writes the encoding of
//! `Result<T, BridgeError>` to its front and returns the encoding's length.
//!
//! A buffer that is too short is left untouched and the returned length says what is needed. The strategies
//! of `sp-runtime-interface` that allocate on the runtime's heap from outside are deprecated, and they trap
//! on bytes that do not decode; this way does neither.

use alloc::{vec, vec::Vec};
#[cfg(not(substrate_runtime))]
use codec::Encode;
use codec::{Decode, DecodeAll};

use crate::{BridgeError, MAX_ANSWER_BYTES};

/// Buffer length of the first try; every answer but a long output fits.
const FIRST_TRY_BYTES: usize = 8 << 10;

/// Writes `answer` to the front of `buffer` if it fits and returns its encoded length.
#[cfg(not(substrate_runtime))]
pub(crate) fn write<T: Encode>(answer: Result<T, BridgeError>, buffer: &mut [u8]) -> u32 {
	let mut encoded = answer.encode();
	if encoded.len() > MAX_ANSWER_BYTES {
		encoded = Err::<T, _>(BridgeError::Storage).encode();
	}
	if let Some(front) = buffer.get_mut(..encoded.len()) {
		front.copy_from_slice(&encoded);
	}
	encoded.len() as u32
}

/// Reads an answer: makes `call` with a buffer, and once more with a longer one if the first was too short. `call` writes
/// to the front of the buffer and returns how long the answer is.
///
/// Answers [`BridgeError::Malformed`] where the bytes are not a `Result<T, BridgeError>`.
pub fn read<T: Decode>(call: impl Fn(&mut [u8]) -> u32) -> Result<T, BridgeError> {
	let attempt = |capacity: usize| -> (Vec<u8>, usize) {
		let mut buffer = vec![0u8; capacity];
		let length = call(&mut buffer) as usize;
		(buffer, length)
	};
	let (mut buffer, mut length) = attempt(FIRST_TRY_BYTES);
	if length > FIRST_TRY_BYTES && length <= MAX_ANSWER_BYTES {
		(buffer, length) = attempt(length);
	}
	let encoded = buffer.get(..length).ok_or(BridgeError::Malformed)?;
	Result::<T, BridgeError>::decode_all(&mut &encoded[..]).map_err(|_| BridgeError::Malformed)?
}
