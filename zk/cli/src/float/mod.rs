//! Float models: what an ONNX graph means, in the operators of the integer format, before any quantisation.

mod attention;
mod evaluate;
mod function;
mod quantisation;

pub use function::Function;
pub use quantisation::Quantisation;

use opensand_nn::{
	limits::MAX_SOFTMAX_BITS, Activation, Add, AvgPool, Concat, Conv2d, DilatedConv2d, Embedding,
	LayerNormalization, Linear, MatMul, ModelError, Operator, Shape, Softmax, TensorIndex, Window,
};

/// Weights and biases of a layer, laid out as [`opensand_nn::LayerWeights`] are.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
	/// Output channel first.
	pub weights: Vec<f32>,
	/// One an output channel.
	pub biases: Vec<f32>,
}

/// The operators of a float model.
#[derive(Clone, Debug, PartialEq)]
pub enum FloatOperator {
	/// Fully connected.
	Linear(Parameters),
	/// Convolution.
	Conv2d {
		/// Kernel, stride and padding.
		window: Window,
		/// Rows and columns from one element of the kernel to the next.
		dilation: [u16; 2],
		/// Groups.
		groups: u32,
		/// Weights and biases.
		parameters: Parameters,
	},
	/// The maximum of each window.
	MaxPool(Window),
	/// The mean of each window, padding counted as zeros.
	AvgPool(Window),
	/// The sum with another tensor.
	Add(TensorIndex),
	/// Another shape for the same elements.
	Reshape(Shape),
	/// `max(x, 0)`.
	Relu,
	/// A function of each element.
	Function(Function),
	/// The tensor and others behind it along the channels.
	Concat(Vec<TensorIndex>),
	/// The axes in another order, as [`opensand_nn::Operator::Transpose`].
	Transpose([u8; 3]),
	/// The product of matrices, one a channel, with those of another tensor.
	MatMul {
		/// The second operand.
		other: TensorIndex,
		/// What the product is multiplied by, positive.
		factor: f32,
	},
	/// Softmax over the last axis.
	Softmax,
	/// Layer normalisation over the last axis.
	LayerNormalization {
		/// What is added to the variance.
		epsilon: f32,
		/// A weight and a bias for each place on the axis.
		parameters: Parameters,
	},
	/// Rows of a table, by tokens.
	Embedding {
		/// Rows of the table.
		vocabulary: u32,
		/// Columns of the table.
		width: u32,
		/// The table, row by row.
		table: Vec<f32>,
	},
}

/// An operator, the tensor it reads and the ONNX node it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatLayer {
	/// Name of the ONNX node.
	pub name: String,
	/// The tensor that the operator reads: 0 is the model's input, `i + 1` the output of layer `i`.
	pub input: TensorIndex,
	/// The operator.
	pub operator: FloatOperator,
	/// Whether a ReLU is fused to a Linear, Conv2d or Add.
	pub relu: bool,
	/// What values above are clipped to, where a Clip from zero is fused; only with `relu`.
	pub ceiling: Option<f32>,
}

/// A float model whose shapes fit the integer format.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatModel {
	/// Layers in order of evaluation.
	pub layers: Vec<FloatLayer>,
	/// Shapes of all tensors, the input's first.
	pub shapes: Vec<Shape>,
	/// How the values of each tensor are rounded, in a quantised (QDQ) model.
	pub quantisations: Vec<Option<Quantisation>>,
	/// Multiply-additions of one evaluation, as [`opensand_nn::Architecture::multiply_adds`] counts them.
	pub multiply_adds: u64,
}

impl FloatModel {
	/// Shape of the input.
	pub fn input(&self) -> Shape {
		self.shapes[0]
	}

	/// Weights and biases of all layers.
	pub fn parameters(&self) -> usize {
		let layers = self.layers.iter().map(|layer| match &layer.operator {
			FloatOperator::Embedding { table, .. } => table.len(),
			FloatOperator::LayerNormalization { parameters, .. } => {
				parameters.weights.len() + parameters.biases.len()
			}
			operator => operator
				.parameters()
				.map_or(0, |parameters| parameters.weights.len() + parameters.biases.len()),
		});
		layers.sum()
	}

	/// Shape of tensor `index`.
	pub fn shape(&self, index: TensorIndex) -> Shape {
		self.shapes[usize::from(index)]
	}
}

impl FloatOperator {
	/// `scales[c] · x + shifts[c]` on channel `c`: a convolution of one element and as many groups as channels.
	pub fn scale(scales: Vec<f32>, shifts: Vec<f32>) -> Self {
		FloatOperator::Conv2d {
			window: Window {
				kernel: [1, 1],
				stride: [1, 1],
				padding: [0; 4],
			},
			dilation: [1, 1],
			groups: u32::try_from(scales.len()).unwrap_or(u32::MAX),
			parameters: Parameters {
				weights: scales,
				biases: shifts,
			},
		}
	}

	/// Factors and summands of each channel, if the operator is what [`scale`](Self::scale) makes.
	pub fn as_scale(&self) -> Option<&Parameters> {
		match self {
			FloatOperator::Conv2d {
				window,
				groups,
				parameters,
				..
			} => {
				let channelwise = *groups as usize == parameters.biases.len()
					&& parameters.weights.len() == parameters.biases.len();
				let still = (window.kernel, window.stride, window.padding) == ([1, 1], [1, 1], [0; 4]);
				(channelwise && still).then_some(parameters)
			}
			_ => None,
		}
	}

	/// The tensors that the operator reads besides its layer's input.
	pub fn others(&self) -> &[TensorIndex] {
		match self {
			FloatOperator::Add(other) | FloatOperator::MatMul { other, .. } => std::slice::from_ref(other),
			FloatOperator::Concat(others) => others,
			_ => &[],
		}
	}

	/// [`others`](Self::others), to change.
	pub fn others_mut(&mut self) -> &mut [TensorIndex] {
		match self {
			FloatOperator::Add(other) | FloatOperator::MatMul { other, .. } => std::slice::from_mut(other),
			FloatOperator::Concat(others) => others,
			_ => &mut [],
		}
	}

	/// Whether the operator's integers mean the same as its inputs': nothing is requantised.
	pub fn keeps_scale(&self) -> bool {
		matches!(
			self,
			FloatOperator::MaxPool(_)
				| FloatOperator::Reshape(_)
				| FloatOperator::Relu
				| FloatOperator::Concat(_)
				| FloatOperator::Transpose(_)
		)
	}

	/// Weights and biases of a sum over channels.
	pub fn parameters(&self) -> Option<&Parameters> {
		match self {
			FloatOperator::Linear(parameters) | FloatOperator::Conv2d { parameters, .. } => Some(parameters),
			_ => None,
		}
	}

	/// [`parameters`](Self::parameters), to change.
	pub fn parameters_mut(&mut self) -> Option<&mut Parameters> {
		match self {
			FloatOperator::Linear(parameters) | FloatOperator::Conv2d { parameters, .. } => Some(parameters),
			_ => None,
		}
	}

	/// The integer operator with `shifts` (one an output channel of a Linear or Conv2d, else one), `multipliers` (of an Add) and
	/// `table` (of a function); with any exponentials and epsilon.
	pub fn quantised(
		&self,
		shifts: Vec<u8>,
		multipliers: [u16; 2],
		table: [i8; 256],
		activation: Activation,
	) -> Operator {
		let outputs = u32::try_from(shifts.len()).unwrap_or(u32::MAX);
		let shift = shifts.first().copied().unwrap_or(0);
		match self {
			FloatOperator::Linear(_) => Operator::Linear(Linear {
				outputs,
				shifts,
				activation,
			}),
			FloatOperator::Conv2d {
				window,
				dilation,
				groups,
				..
			} => {
				let conv = Conv2d {
					outputs,
					window: *window,
					groups: *groups,
					shifts,
					activation,
				};
				match dilation {
					[1, 1] => Operator::Conv2d(conv),
					_ => Operator::DilatedConv2d(DilatedConv2d {
						conv,
						dilation: *dilation,
					}),
				}
			}
			FloatOperator::MaxPool(window) => Operator::MaxPool(*window),
			FloatOperator::AvgPool(window) => Operator::AvgPool(AvgPool {
				window: *window,
				shift,
			}),
			FloatOperator::Add(other) => Operator::Add(Add {
				other: *other,
				multipliers,
				shift,
				activation,
			}),
			FloatOperator::Reshape(to) => Operator::Reshape(*to),
			FloatOperator::Relu => Operator::Relu,
			FloatOperator::Function(_) => Operator::Lut(Box::new(table)),
			FloatOperator::Concat(others) => Operator::Concat(Concat {
				others: others.clone(),
			}),
			FloatOperator::Transpose(permutation) => Operator::Transpose(*permutation),
			FloatOperator::MatMul { other, .. } => Operator::MatMul(MatMul {
				other: *other,
				transposed: false,
				shift,
			}),
			FloatOperator::Softmax => Operator::Softmax(Softmax {
				exponentials: Box::new([1; 256]),
				bits: MAX_SOFTMAX_BITS,
			}),
			FloatOperator::LayerNormalization { .. } => {
				Operator::LayerNormalization(LayerNormalization { epsilon: 1, shift })
			}
			FloatOperator::Embedding {
				vocabulary, width, ..
			} => Operator::Embedding(Embedding {
				vocabulary: *vocabulary,
				width: *width,
			}),
		}
	}

	/// The integer operator with shifts of zero: it has the shapes, and nothing else, of the one to come.
	pub fn skeleton(&self) -> Operator {
		let channels = self.parameters().map_or(1, |parameters| parameters.biases.len());
		self.quantised(vec![0; channels], [1; 2], [0; 256], Activation::Identity)
	}

	/// Shape of the output; `layer` is the number that errors name.
	pub fn output_shape(&self, layer: usize, from: Shape, others: &[Shape]) -> Result<Shape, ModelError> {
		self.skeleton().output_shape(layer, from, others)
	}
}
