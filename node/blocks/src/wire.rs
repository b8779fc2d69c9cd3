//! The messages of `/opensand/block/1`: one request and one response on a substream of its own.
//!
//! ```text
//! request    the block's CID in its 36 binary bytes
//! response   byte 0: 0 = here it is, 1 = not held, 2 = busy, ask again later; then, after 0 only, the block
//! ```
//!
//! The transport frames each by its length as an unsigned varint, and refuses longer frames than
//! [`MAX_RESPONSE_BYTES`].

use crate::block::{decode_cid, CidError, MAX_BLOCK_BYTES};
use cid::Cid;
use thiserror::Error;

/// Name of the protocol, as it is negotiated.
pub const PROTOCOL: &str = "/opensand/block/1";
/// Longest response.
pub const MAX_RESPONSE_BYTES: usize = 1 + MAX_BLOCK_BYTES;

const BLOCK: u8 = 0;
const NOT_HELD: u8 = 1;
const BUSY: u8 = 2;

/// What a peer answers to a request.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Response {
	/// The bytes that it takes for the block. Whoever asked has to check them.
	Block(Vec<u8>),
	/// It does not hold the block.
	NotHeld,
	/// It serves as many requests as it can.
	Busy,
}

/// Why bytes are no response.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum ResponseError {
	/// Nothing was sent.
	#[error("an empty response")]
	Empty,
	/// The first byte is none that this version knows.
	#[error("a response of unknown kind {0}")]
	Kind(u8),
	/// Bytes follow an answer that has none.
	#[error("{0} bytes too many")]
	Trailing(usize),
	/// The block is longer than blocks may be.
	#[error("a block of {0} bytes")]
	TooLong(usize),
}

/// Encodes a request.
pub fn encode_request(cid: &Cid) -> Vec<u8> {
	cid.to_bytes()
}

/// Decodes a request.
pub fn decode_request(bytes: &[u8]) -> Result<Cid, CidError> {
	decode_cid(bytes)
}

impl Response {
	/// Encodes the response.
	pub fn encode(self) -> Vec<u8> {
		match self {
			Self::Block(block) => {
				let mut bytes = Vec::with_capacity(1 + block.len());
				bytes.push(BLOCK);
				bytes.extend_from_slice(&block);
				bytes
			}
			Self::NotHeld => vec![NOT_HELD],
			Self::Busy => vec![BUSY],
		}
	}

	/// Decodes a response.
	pub fn decode(mut bytes: Vec<u8>) -> Result<Self, ResponseError> {
		let kind = *bytes.first().ok_or(ResponseError::Empty)?;
		let rest = bytes.len() - 1;
		match kind {
			BLOCK if rest > MAX_BLOCK_BYTES => Err(ResponseError::TooLong(rest)),
			BLOCK => {
				bytes.drain(..1);
				Ok(Self::Block(bytes))
			}
			NOT_HELD | BUSY if rest > 0 => Err(ResponseError::Trailing(rest)),
			NOT_HELD => Ok(Self::NotHeld),
			BUSY => Ok(Self::Busy),
			other => Err(ResponseError::Kind(other)),
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::block::Codec;

	#[test]
	fn responses_come_back_as_they_were_sent() {
		for response in [
			Response::Block(vec![]),
			Response::Block(vec![7; 1000]),
			Response::NotHeld,
			Response::Busy,
		] {
			assert_eq!(Response::decode(response.clone().encode()), Ok(response));
		}
		assert_eq!(Response::decode(vec![]), Err(ResponseError::Empty));
		assert_eq!(Response::decode(vec![3]), Err(ResponseError::Kind(3)));
		assert_eq!(Response::decode(vec![1, 0]), Err(ResponseError::Trailing(1)));
		let long = vec![0; MAX_RESPONSE_BYTES + 1];
		assert_eq!(
			Response::decode(long),
			Err(ResponseError::TooLong(MAX_BLOCK_BYTES + 1))
		);
	}

	#[test]
	fn requests_come_back_as_they_were_sent() {
		let cid = Codec::DagPb.cid(b"node");
		assert_eq!(decode_request(&encode_request(&cid)), Ok(cid));
	}
}
