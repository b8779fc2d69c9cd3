//! Architectures: what a model computes, apart from its weights.

use crate::{
	encoding,
	error::ModelError,
	limits::{
		MAX_ARCHITECTURE_BYTES, MAX_MULTIPLY_ADDS, MAX_OPERATORS, MAX_TOTAL_ELEMENTS, MAX_WEIGHT_BYTES,
	},
	operator::{Conv2d, DilatedConv2d, Operator, TensorIndex},
	shape::Shape,
};
use alloc::{vec, vec::Vec};
use codec::{Decode, Encode};

/// First bytes of an encoded architecture.
const MAGIC: [u8; 4] = *b"OSNA";

/// One operator and the tensor it reads.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Layer {
	/// The tensor that the operator reads (the first operand of `Add` and `Concat`).
	pub input: TensorIndex,
	/// The operator.
	pub operator: Operator,
}

/// A checked architecture: input shape and layers in order of evaluation. The last layer's output is the model's.
///
/// Every value of this type holds to [`limits`](crate::limits); all shapes agree, every layer reads tensors made before it, and every
/// tensor but the last is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
	layers: Vec<Layer>,
	/// Shapes of all tensors, the input first: one more than layers.
	shapes: Vec<Shape>,
	multiply_adds: u64,
	/// Weights and biases in bytes.
	weight_bytes: u64,
}

impl Architecture {
	/// Checks `layers` over an input of shape `input`.
	pub fn new(input: Shape, layers: Vec<Layer>) -> Result<Self, ModelError> {
		if layers.is_empty() {
			return Err(ModelError::NoOperators);
		}
		if layers.len() > MAX_OPERATORS {
			return Err(ModelError::TooManyOperators(layers.len()));
		}
		input.check(0)?;
		let mut shapes = vec![input];
		let mut used = vec![false; layers.len()];
		let mut elements = u64::from(input.elements());
		let mut multiply_adds = 0u64;
		let mut weight_bytes = 0u64;
		for (index, layer) in layers.iter().enumerate() {
			let mut operand = |tensor: TensorIndex| {
				let unknown = ModelError::UnknownTensor { layer: index, tensor };
				let shape = shapes.get(usize::from(tensor)).copied().ok_or(unknown)?;
				*used.get_mut(usize::from(tensor)).ok_or(unknown)? = true;
				Ok::<Shape, ModelError>(shape)
			};
			let from = operand(layer.input)?;
			let others = layer.operator.other_inputs().iter().copied().map(operand);
			let others = others.collect::<Result<Vec<Shape>, _>>()?;
			let to = layer.operator.output_shape(index, from, &others)?;
			to.check(index.saturating_add(1))?;
			elements = elements.saturating_add(to.elements().into());
			if elements > MAX_TOTAL_ELEMENTS {
				return Err(ModelError::TooManyElements);
			}
			multiply_adds = multiply_adds.saturating_add(work(&layer.operator, from, to));
			if multiply_adds > MAX_MULTIPLY_ADDS {
				return Err(ModelError::TooMuchWork);
			}
			if let Some(count) = weight_count(&layer.operator, from) {
				let bias_bytes = bias_count(&layer.operator, to).saturating_mul(4);
				weight_bytes = weight_bytes.saturating_add(count).saturating_add(bias_bytes);
				if weight_bytes > MAX_WEIGHT_BYTES {
					return Err(ModelError::TooManyWeights(weight_bytes));
				}
			}
			shapes.push(to);
		}
		if let Some(tensor) = used.iter().position(|used| !used) {
			return Err(ModelError::UnusedTensor { tensor });
		}
		Ok(Self {
			layers,
			shapes,
			multiply_adds,
			weight_bytes,
		})
	}

	/// Decodes and checks an architecture. Strict: only what [`Self::to_bytes`] writes is accepted.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModelError> {
		let (input, layers) = encoding::decode(bytes, MAGIC, MAX_ARCHITECTURE_BYTES, |rest| {
			let input = encoding::field(rest)?;
			let count = encoding::count(rest)?;
			if count > MAX_OPERATORS {
				return Err(ModelError::TooManyOperators(count));
			}
			let layers = (0..count)
				.map(|_| encoding::field(rest))
				.collect::<Result<Vec<Layer>, _>>()?;
			Ok((input, layers))
		})?;
		Self::new(input, layers)
	}

	/// The encoding: magic, version, input shape, layers.
	pub fn to_bytes(&self) -> Vec<u8> {
		encoding::encode(MAGIC, &(self.input_shape(), &self.layers))
	}

	/// The architecture's id: BLAKE2-256 of its encoding.
	pub fn id(&self) -> [u8; 32] {
		sp_crypto_hashing::blake2_256(&self.to_bytes())
	}

	/// The layers in order of evaluation.
	pub fn layers(&self) -> &[Layer] {
		&self.layers
	}

	/// Shapes of all tensors: the input's first, then every layer's output.
	pub fn shapes(&self) -> &[Shape] {
		&self.shapes
	}

	/// Shape of tensor `index`, if there is such a tensor.
	pub fn shape(&self, index: TensorIndex) -> Option<Shape> {
		self.shapes.get(usize::from(index)).copied()
	}

	/// Shape of the model's input.
	pub fn input_shape(&self) -> Shape {
		self.shapes.first().copied().unwrap_or(Shape::vector(0))
	}

	/// Shape of the model's output.
	pub fn output_shape(&self) -> Shape {
		self.shapes.last().copied().unwrap_or(Shape::vector(0))
	}

	/// Elements of the model's input.
	pub fn input_len(&self) -> u32 {
		self.input_shape().elements()
	}

	/// Elements of the model's output.
	pub fn output_len(&self) -> u32 {
		self.output_shape().elements()
	}

	/// Multiply-additions of one evaluation, where a pooling window's reads and an element of any other operator
	/// without weights count as one each.
	pub fn multiply_adds(&self) -> u64 {
		self.multiply_adds
	}

	/// Bytes of weights (one each) and biases (four each) that the architecture asks for.
	pub fn weight_bytes(&self) -> u64 {
		self.weight_bytes
	}

	/// Weights that each layer asks for: `None` for operators without weights.
	pub fn weight_counts(&self) -> impl Iterator<Item = Option<u64>> + '_ {
		self.layers
			.iter()
			.map(|layer| weight_count(&layer.operator, self.shape(layer.input)?))
	}

	/// Biases that each layer asks for: 0 for operators without weights, and for an Embedding.
	pub fn bias_counts(&self) -> impl Iterator<Item = u64> + '_ {
		let outputs = self.shapes.iter().skip(1);
		self.layers
			.iter()
			.zip(outputs)
			.map(|(layer, to)| bias_count(&layer.operator, *to))
	}
}

/// Weights of an operator that reads a tensor of shape `from`; `None` where it has none.
fn weight_count(operator: &Operator, from: Shape) -> Option<u64> {
	match operator {
		Operator::Linear(linear) => Some(u64::from(linear.outputs).saturating_mul(from.channels.into())),
		Operator::LayerNormalization(_) => Some(from.width.into()),
		Operator::Embedding(table) => Some(u64::from(table.vocabulary).saturating_mul(table.width.into())),
		operator => {
			let (conv, _) = operator.convolution()?;
			Some(u64::from(conv.outputs).saturating_mul(taps(conv, from)))
		}
	}
}

/// Biases of an operator that makes a tensor of shape `to`.
fn bias_count(operator: &Operator, to: Shape) -> u64 {
	match operator {
		Operator::LayerNormalization(_) => to.width.into(),
		Operator::Linear(_) | Operator::Conv2d(_) | Operator::DilatedConv2d(_) => to.channels.into(),
		_ => 0,
	}
}

/// Weights of an output channel of a convolution.
fn taps(conv: &Conv2d, from: Shape) -> u64 {
	let inputs = from.channels.checked_div(conv.groups).unwrap_or(0);
	conv.window.area().saturating_mul(inputs.into())
}

/// Multiply-additions of an operator.
fn work(operator: &Operator, from: Shape, to: Shape) -> u64 {
	let outputs = u64::from(to.elements());
	let reads = match operator {
		Operator::Linear(_) => u64::from(from.channels),
		Operator::Conv2d(conv) | Operator::DilatedConv2d(DilatedConv2d { conv, .. }) => taps(conv, from),
		Operator::MaxPool(window) => window.area(),
		Operator::AvgPool(pool) => pool.window.area(),
		Operator::MatMul(_) => from.width.into(),
		// The sums over a row and the scaling of each element.
		Operator::Add(_) | Operator::Softmax(_) | Operator::LayerNormalization(_) => 2,
		Operator::Reshape(_)
		| Operator::Relu
		| Operator::Lut(_)
		| Operator::Concat(_)
		| Operator::Transpose(_)
		| Operator::Embedding(_) => 1,
	};
	outputs.saturating_mul(reads)
}
