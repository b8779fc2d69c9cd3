//! Everything that one evaluation computes.

use alloc::vec::Vec;

/// Accumulators and outputs of one layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerTrace {
	/// The accumulators before rounding and shift, one an output element, CHW; empty for operators that do not
	/// accumulate (MaxPool, Reshape, Relu, Lut, Concat, Transpose, Softmax, Embedding). Each lies in [`Model::accumulator_bounds`](crate::Model::accumulator_bounds).
	pub accumulators: Vec<i32>,
	/// The output tensor, CHW.
	pub outputs: Vec<i8>,
}

/// The witness of one evaluation: input, and accumulators and outputs of every layer in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
	/// The model's input, CHW.
	pub input: Vec<i8>,
	/// One entry a layer of the architecture.
	pub layers: Vec<LayerTrace>,
}

impl Trace {
	/// The model's output: the outputs of the last layer.
	pub fn output(&self) -> &[i8] {
		self.layers.last().map_or(&[], |layer| &layer.outputs)
	}

	/// Tensor `index`: 0 is the input, `i + 1` the output of layer `i`.
	pub fn tensor(&self, index: usize) -> Option<&[i8]> {
		match index.checked_sub(1) {
			None => Some(&self.input),
			Some(layer) => self.layers.get(layer).map(|layer| layer.outputs.as_slice()),
		}
	}
}
