//! Rows of a table, chosen by tokens.

use crate::{error::ModelError, limits::MAX_VOCABULARY, shape::Shape, weights::LayerWeights};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// For each token of a vector the row of a table that it is the index of.
///
/// Tokens are 0..vocabulary; an evaluation that meets another one fails, and nothing can be proven about it. The output has a
/// channel a token, one row and `width` columns. The table is the layer's weights, `vocabulary × width`; there are no biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Embedding {
	/// Rows of the table, 1..=128.
	pub vocabulary: u32,
	/// Columns of the table.
	pub width: u32,
}

impl Embedding {
	/// Shape of the output.
	pub(crate) fn output_shape(&self, layer: usize, from: Shape) -> Result<Shape, ModelError> {
		if !from.is_vector() || !(1..=MAX_VOCABULARY).contains(&self.vocabulary) {
			return Err(ModelError::BadEmbedding { layer });
		}
		Ok(Shape::new(from.channels, 1, self.width))
	}

	/// The rows of `tokens`, or the first token that has none.
	pub(crate) fn outputs(&self, weights: &LayerWeights, tokens: &[i8]) -> Result<Vec<i8>, i8> {
		let width = usize::try_from(self.width).unwrap_or(usize::MAX).max(1);
		let mut outputs = Vec::with_capacity(tokens.len().saturating_mul(width));
		for token in tokens {
			let index = usize::try_from(*token).map_err(|_| *token)?;
			let row = weights.weights.chunks(width).nth(index).ok_or(*token)?;
			outputs.extend_from_slice(row);
		}
		Ok(outputs)
	}
}
