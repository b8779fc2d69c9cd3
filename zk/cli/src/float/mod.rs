//! Float models: what an ONNX graph means, in the operators of the integer format, before any quantisation.

mod evaluate;

use opensand_nn::{
	Activation, Add, AvgPool, Conv2d, Linear, ModelError, Operator, Shape, TensorIndex, Window,
};

/// Weights and biases of a layer, laid out as [`opensand_nn::LayerWeights`] are.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameters {
	/// Output channel first.
	pub weights: Vec<f32>,
	/// One an output channel.
	pub biases: Vec<f32>,
}

/// A function that the integer model has as a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
	/// `1 / (1 + e^-x)`.
	Sigmoid,
	/// The hyperbolic tangent.
	Tanh,
}

impl Function {
	/// The function's value at `x`.
	pub fn at(self, x: f64) -> f64 {
		match self {
			Function::Sigmoid => 1.0 / (1.0 + (-x).exp()),
			Function::Tanh => x.tanh(),
		}
	}
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
}

/// A float model whose shapes fit the integer format.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatModel {
	/// Layers in order of evaluation.
	pub layers: Vec<FloatLayer>,
	/// Shapes of all tensors, the input's first.
	pub shapes: Vec<Shape>,
	/// Multiply-additions of one evaluation, as [`opensand_nn::Architecture::multiply_adds`] counts them.
	pub multiply_adds: u64,
}

impl FloatModel {
	/// Shape of the input.
	pub fn input(&self) -> Shape {
		self.shapes[0]
	}

	/// Shape of tensor `index`.
	pub fn shape(&self, index: TensorIndex) -> Shape {
		self.shapes[usize::from(index)]
	}
}

impl FloatOperator {
	/// Weights and biases, if the operator has some.
	pub fn parameters(&self) -> Option<&Parameters> {
		match self {
			FloatOperator::Linear(parameters) | FloatOperator::Conv2d { parameters, .. } => Some(parameters),
			_ => None,
		}
	}

	/// The integer operator with `shifts` (one an output channel where the operator has weights, else one), `multipliers`
	/// (of an Add) and `table` (of a function).
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
			FloatOperator::Conv2d { window, groups, .. } => Operator::Conv2d(Conv2d {
				outputs,
				window: *window,
				groups: *groups,
				shifts,
				activation,
			}),
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
		}
	}

	/// The integer operator with shifts of zero: it has the shapes, and nothing else, of the one to come.
	pub fn skeleton(&self) -> Operator {
		let channels = self.parameters().map_or(1, |parameters| parameters.biases.len());
		self.quantised(vec![0; channels], [1; 2], [0; 256], Activation::Identity)
	}

	/// Shape of the output; `layer` is the number that errors name.
	pub fn output_shape(&self, layer: usize, from: Shape, other: Option<Shape>) -> Result<Shape, ModelError> {
		self.skeleton().output_shape(layer, from, other)
	}
}
