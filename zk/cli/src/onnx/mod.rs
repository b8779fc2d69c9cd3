//! ONNX files to float models.

mod attention;
mod attributes;
mod budget;
mod elementwise;
mod error;
mod layout;
mod lower;
mod nodes;
mod patterns;
pub mod proto;
mod quantised;
mod tensor;
mod transposes;

pub use error::OnnxError;

use crate::float::FloatModel;
use prost::Message;
use proto::ModelProto;

/// Bytes that are read at most: 16 Mi weights in float32, and the graph around them.
pub const MAX_ONNX_BYTES: usize = 80 * 1024 * 1024;

/// Reads an ONNX file. Takes arbitrary bytes; memory is a small multiple of their length.
pub fn read(bytes: &[u8]) -> Result<FloatModel, OnnxError> {
	if bytes.len() > MAX_ONNX_BYTES {
		return Err(OnnxError::TooLarge {
			len: bytes.len(),
			max: MAX_ONNX_BYTES,
		});
	}
	budget::check(bytes)?;
	let model = ModelProto::decode(bytes).map_err(|error| OnnxError::Malformed(error.to_string()))?;
	lower::lower(&model)
}
