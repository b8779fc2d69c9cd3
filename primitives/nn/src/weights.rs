//! Weights and biases, apart from the architecture.

use crate::{
	encoding,
	error::ModelError,
	limits::{MAX_ENCODED_WEIGHT_BYTES, MAX_OPERATORS, MAX_WEIGHT_BYTES},
};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// First bytes of encoded weights.
const MAGIC: [u8; 4] = *b"OSNW";

/// Weights of one layer that has some.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct LayerWeights {
	/// The weights, output channel first: `outputs × inputs` for Linear,
	/// `outputs × (inputs / groups) × rows × columns` for a convolution, one an element of a row for a LayerNormalization,
	/// `vocabulary × width` for an Embedding.
	pub weights: Vec<i8>,
	/// At the scale of the accumulator: one bias an output channel, one an element of a row for a LayerNormalization, none for an
	/// Embedding.
	pub biases: Vec<i32>,
}

/// Weights of all layers that have some, in the order of the layers.
///
/// Within the limits of [`limits`](crate::limits); whether they fit an architecture, [`Model::new`](crate::Model::new) checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weights {
	layers: Vec<LayerWeights>,
}

impl Weights {
	/// Checks the number of layers and bytes.
	pub fn new(layers: Vec<LayerWeights>) -> Result<Self, ModelError> {
		if layers.len() > MAX_OPERATORS {
			return Err(ModelError::TooManyOperators(layers.len()));
		}
		let bytes = layers.iter().fold(0usize, |bytes, layer| {
			bytes
				.saturating_add(layer.weights.len())
				.saturating_add(layer.biases.len().saturating_mul(4))
		});
		match u64::try_from(bytes) {
			Ok(bytes) if bytes <= MAX_WEIGHT_BYTES => Ok(Self { layers }),
			_ => Err(ModelError::TooManyWeights(
				u64::try_from(bytes).unwrap_or(u64::MAX),
			)),
		}
	}

	/// Decodes weights. Strict: only what [`Self::to_bytes`] writes is accepted.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
		let layers = encoding::decode(bytes, MAGIC, MAX_ENCODED_WEIGHT_BYTES, |rest| {
			let count = encoding::count(rest)?;
			if count > MAX_OPERATORS {
				return Err(ModelError::TooManyOperators(count));
			}
			(0..count)
				.map(|_| encoding::field(rest))
				.collect::<Result<Vec<LayerWeights>, _>>()
		})?;
		Self::new(layers)
	}

	/// The encoding: magic, version, layers.
	pub fn to_bytes(&self) -> Vec<u8> {
		encoding::encode(MAGIC, &self.layers)
	}

	/// BLAKE2-256 of the encoding.
	pub fn hash(&self) -> [u8; 32] {
		sp_crypto_hashing::blake2_256(&self.to_bytes())
	}

	/// One entry for each layer with weights, in the order of the layers.
	pub fn layers(&self) -> &[LayerWeights] {
		&self.layers
	}
}
