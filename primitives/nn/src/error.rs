//! What can be wrong with a model or an evaluation.

use thiserror::Error;

/// Why bytes are not a model, or an architecture and weights do not make one.
///
/// `layer` counts from 0 in the order of the architecture; `tensor` 0 is the model's input, `i + 1` the output of layer `i`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ModelError {
	/// The bytes are longer than any valid encoding. Check that this is the right file; split or shrink the model.
	#[error("encoding has {len} bytes, at most {max} are allowed")]
	TooManyBytes {
		/// Bytes given.
		len: usize,
		/// Bytes allowed.
		max: usize,
	},
	/// The bytes do not start with the magic of this kind of file. Check that architecture and weights are not swapped.
	#[error("not an OpenSand model file of this kind: wrong magic bytes")]
	BadMagic,
	/// The encoding has a version that this build does not know. Use a newer build, or import the model again.
	#[error("encoding version {found} is not supported, this build reads version {supported}")]
	UnsupportedVersion {
		/// Version in the bytes.
		found: u16,
		/// Version that this build reads.
		supported: u16,
	},
	/// The bytes end early, or a value is out of its range (an unknown operator, a length that is not canonical). Get
	/// the file again, and compare its hash with the registered one.
	#[error("malformed encoding: bytes end early or a value is out of its range")]
	Malformed,
	/// Bytes follow the encoded value. Get the file again; nothing may be appended to it.
	#[error("{0} bytes follow the encoded value")]
	TrailingBytes(usize),
	/// The architecture has no operator. Add at least one.
	#[error("the architecture has no operator")]
	NoOperators,
	/// The architecture has more operators than allowed. Merge or remove layers.
	#[error("the architecture has {0} operators, at most 256 are allowed")]
	TooManyOperators(usize),
	/// A dimension of a tensor is zero. Correct the shape.
	#[error("tensor {tensor} has a dimension of zero")]
	EmptyTensor {
		/// The tensor.
		tensor: usize,
	},
	/// A tensor has more elements than allowed. Shrink the input or the layer.
	#[error("tensor {tensor} has more than 2^20 elements")]
	TensorTooLarge {
		/// The tensor.
		tensor: usize,
	},
	/// All tensors together have more elements than allowed. Shrink the model.
	#[error("all tensors together have more than 2^22 elements")]
	TooManyElements,
	/// One evaluation takes more multiply-additions than allowed. Shrink the model.
	#[error("one evaluation takes more than 2^32 multiply-additions")]
	TooMuchWork,
	/// An operator reads a tensor that no earlier layer makes. Order the layers so that each comes after what it reads.
	#[error("layer {layer} reads tensor {tensor}, which does not exist before it")]
	UnknownTensor {
		/// The layer.
		layer: usize,
		/// The tensor it names.
		tensor: u16,
	},
	/// A tensor that is not the output is read by no layer. Remove the layer that makes it.
	#[error("tensor {tensor} is read by no layer")]
	UnusedTensor {
		/// The tensor.
		tensor: usize,
	},
	/// The input of a Linear is not a vector. Put a Reshape before it.
	#[error("layer {layer}: the input of Linear is not a vector")]
	NotAVector {
		/// The layer.
		layer: usize,
	},
	/// A Reshape changes the number of elements. Correct its shape.
	#[error("layer {layer}: Reshape changes the number of elements")]
	ReshapeMismatch {
		/// The layer.
		layer: usize,
	},
	/// The operands of an Add have different shapes. Broadcasting does not exist; make the shapes equal.
	#[error("layer {layer}: the operands of Add have different shapes")]
	AddMismatch {
		/// The layer.
		layer: usize,
	},
	/// The operands of a Concat differ in height or width, or it has none or more than 63 besides its input. Make them fit.
	#[error("layer {layer}: Concat needs 1 to 63 further tensors of one height and width")]
	ConcatMismatch {
		/// The layer.
		layer: usize,
	},
	/// The operands of a MatMul differ in channels, or the columns of the first are not the rows of the second. Make them fit,
	/// with a Transpose where need be.
	#[error("layer {layer}: the operands of MatMul do not fit each other")]
	MatMulMismatch {
		/// The layer.
		layer: usize,
	},
	/// The bits of a Softmax are outside 1..=26, the exponential at the maximum is zero, or the greatest one times the row's length
	/// exceeds 2^bits. Scale the table down or give more bits.
	#[error("layer {layer}: table and bits of Softmax do not fit its rows")]
	BadSoftmax {
		/// The layer.
		layer: usize,
	},
	/// The epsilon of a LayerNormalization is zero, or its rows have more than 256 elements. Use an epsilon of at least 1, and
	/// narrower rows.
	#[error(
		"layer {layer}: LayerNormalization needs an epsilon of at least 1 and rows of at most 256 elements"
	)]
	BadLayerNormalization {
		/// The layer.
		layer: usize,
	},
	/// The input of an Embedding is not a vector, or its vocabulary is outside 1..=128. Reshape the tokens; shrink the vocabulary.
	#[error("layer {layer}: Embedding needs a vector of tokens and a vocabulary of 1 to 128")]
	BadEmbedding {
		/// The layer.
		layer: usize,
	},
	/// The axes of a Transpose are not 0, 1 and 2 in some order. Name each once.
	#[error("layer {layer}: the axes of Transpose are no permutation of 0, 1 and 2")]
	BadPermutation {
		/// The layer.
		layer: usize,
	},
	/// A dilation is zero, too large, or 1 in both axes. Use a Conv2d for the last.
	#[error("layer {layer}: a dilation is zero or too large, or 1 in both axes")]
	BadDilation {
		/// The layer.
		layer: usize,
	},
	/// Groups are zero or do not divide the input or output channels. Correct the group count.
	#[error("layer {layer}: groups do not divide the channels")]
	BadGroups {
		/// The layer.
		layer: usize,
	},
	/// A kernel or stride is zero or above 1024, a padding is not less than its kernel, or the kernel does not fit into
	/// the padded input. Correct the window.
	#[error("layer {layer}: the window does not fit")]
	BadWindow {
		/// The layer.
		layer: usize,
	},
	/// A shift is above 31. Requantise with a smaller one.
	#[error("layer {layer}: a shift is above 31")]
	BadShift {
		/// The layer.
		layer: usize,
	},
	/// There is not one shift an output channel. Give as many shifts as output channels.
	#[error("layer {layer}: {found} shifts for {expected} output channels")]
	WrongShiftCount {
		/// The layer.
		layer: usize,
		/// Shifts given.
		found: usize,
		/// Output channels.
		expected: usize,
	},
	/// A multiplier of an Add is zero or above 2^15. Rescale the operands.
	#[error("layer {layer}: a multiplier is outside 1..=2^15")]
	BadMultiplier {
		/// The layer.
		layer: usize,
	},
	/// Weights and biases together are larger than allowed. Shrink the model.
	#[error("weights take {0} bytes, at most 16 MiB are allowed")]
	TooManyWeights(u64),
	/// The weights have another number of entries than the architecture has operators with weights. Use the weights
	/// that belong to this architecture.
	#[error("weights for {found} layers given, the architecture has {expected}")]
	WrongLayerCount {
		/// Entries in the weights.
		found: usize,
		/// Operators with weights.
		expected: usize,
	},
	/// A layer has another number of weights than its shape asks for. Use the weights of this architecture.
	#[error("layer {layer}: {found} weights given, the shape asks for {expected}")]
	WrongWeightCount {
		/// The layer.
		layer: usize,
		/// Weights given.
		found: usize,
		/// Weights that the shape asks for.
		expected: u64,
	},
	/// A layer has another number of biases than output channels. Use the weights of this architecture.
	#[error("layer {layer}: {found} biases given for {expected} output channels")]
	WrongBiasCount {
		/// The layer.
		layer: usize,
		/// Biases given.
		found: usize,
		/// Output channels.
		expected: u32,
	},
	/// With these weights an accumulator, its rounding included, could leave int32 for some input. Scale the channel's
	/// weights or bias down.
	#[error("layer {layer}: the accumulator of channel {channel} could overflow int32")]
	AccumulatorOverflow {
		/// The layer.
		layer: usize,
		/// The output channel.
		channel: usize,
	},
}

/// Why a model cannot be evaluated on an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EvaluateError {
	/// The input has another length than the model's input tensor. Give exactly `expected` elements.
	#[error("the input has {found} elements, the model takes {expected}")]
	WrongInputLength {
		/// Elements given.
		found: usize,
		/// Elements of the input tensor.
		expected: usize,
	},
	/// A token has no row in the table of an Embedding. Give tokens of 0..vocabulary.
	#[error("layer {layer}: token {token} is not one of the {vocabulary} of its vocabulary")]
	UnknownToken {
		/// The layer, counted from 0.
		layer: usize,
		/// The token.
		token: i8,
		/// Rows of the table.
		vocabulary: u32,
	},
}
