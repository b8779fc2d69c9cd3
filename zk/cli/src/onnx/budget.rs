//! A bound on the memory that decoding takes.
//!
//! A protobuf message of two bytes can decode to hundreds, and a packed varint of one byte to eight. Before anything is
//! decoded, this pass walks the bytes without allocating and counts fields and packed varints of the messages that
//! [`proto`](super::proto) declares. Decoding then takes at most the file's size plus a constant for each counted item.

use super::error::OnnxError;

/// Fields and packed varints that a file may have.
const MAX_ITEMS: u32 = 1 << 17;

/// Messages in which the pass looks for fields.
#[derive(Clone, Copy)]
enum Message {
	Model,
	Graph,
	Node,
	Attribute,
	Tensor,
	ValueInfo,
	Type,
	TensorType,
	TensorShape,
	/// A message without messages or packed varints in it.
	Leaf,
}

/// What the payload of a length-delimited field holds.
enum Payload {
	Message(Message),
	PackedVarints,
	Bytes,
}

impl Message {
	fn payload(self, field: u64) -> Payload {
		use Message::*;
		let message = match (self, field) {
			(Model, 7) => Graph,
			(Model, 8) | (TensorShape, 1) => Leaf,
			(Graph, 1) => Node,
			(Graph, 5) | (Attribute, 5) => Tensor,
			(Graph, 11 | 12) => ValueInfo,
			(Node, 5) => Attribute,
			(ValueInfo, 2) => Type,
			(Type, 1) => TensorType,
			(TensorType, 2) => TensorShape,
			(Attribute, 8) | (Tensor, 1 | 5 | 7) => return Payload::PackedVarints,
			_ => return Payload::Bytes,
		};
		Payload::Message(message)
	}
}

/// Checks that decoding `bytes` stays within bounds.
pub fn check(bytes: &[u8]) -> Result<(), OnnxError> {
	let mut left = MAX_ITEMS;
	scan(bytes, Message::Model, &mut left)
}

/// Walks one message. The nesting of [`Message`] has no cycle, so the depth is bounded.
fn scan(mut rest: &[u8], message: Message, left: &mut u32) -> Result<(), OnnxError> {
	while !rest.is_empty() {
		take(left, 1)?;
		let tag = varint(&mut rest)?;
		match tag & 7 {
			0 => drop(varint(&mut rest)?),
			1 => drop(split(&mut rest, 8)?),
			5 => drop(split(&mut rest, 4)?),
			2 => {
				let len = varint(&mut rest)?;
				let payload = split(&mut rest, len)?;
				match message.payload(tag >> 3) {
					Payload::Message(inner) => scan(payload, inner, left)?,
					Payload::PackedVarints => take(left, payload.len())?,
					Payload::Bytes => {}
				}
			}
			_ => {
				return Err(OnnxError::Malformed(
					"a field has a wire type that ONNX does not use".into(),
				))
			}
		}
	}
	Ok(())
}

fn take(left: &mut u32, items: usize) -> Result<(), OnnxError> {
	let items = u32::try_from(items).unwrap_or(u32::MAX);
	*left = left
		.checked_sub(items)
		.ok_or(OnnxError::TooManyItems { max: MAX_ITEMS })?;
	Ok(())
}

fn varint(rest: &mut &[u8]) -> Result<u64, OnnxError> {
	prost::encoding::decode_varint(rest).map_err(|error| OnnxError::Malformed(error.to_string()))
}

fn split<'a>(rest: &mut &'a [u8], len: u64) -> Result<&'a [u8], OnnxError> {
	let parts = usize::try_from(len)
		.ok()
		.and_then(|len| rest.split_at_checked(len));
	let (head, tail) = parts.ok_or_else(|| OnnxError::Malformed("a field is longer than the file".into()))?;
	*rest = tail;
	Ok(head)
}
