//! The operators of transformers: products of activations, Linears and normalisation over the last axis, tables of tokens.
//!
//! The integer format's Linear and Conv2d act on channels, which are a tensor's first axis; a transformer's features are its last. So a
//! Linear over the last axis is a convolution of one element between two Transposes. Between such layers the Transposes cancel.

use super::{
	attributes::{form, Attributes},
	error::OnnxError,
	lower::{Builder, Tensor},
	nodes::{broadcast, check_finite, unsupported},
	proto::NodeProto,
	tensor::FloatTensor,
};
use crate::float::{FloatOperator, Parameters};
use opensand_nn::{
	limits::{MAX_NORMALISED, MAX_TENSOR_ELEMENTS},
	Shape, Window,
};

/// The order of axes that brings the last one to the front, and the one that brings it back.
pub const LAST_FIRST: [u8; 3] = [2, 0, 1];
pub const FIRST_LAST: [u8; 3] = [1, 2, 0];

/// Weights that a Linear may have once it has some for each token.
const MAX_PLACED: usize = 1 << 18;

/// Lowers a product of two activations: of matrices, or of one matrix a head.
pub fn product<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let left = builder.tensor(node, 0)?;
	let right = builder.tensor(node, 1)?;
	if left.rank != right.rank || left.rank < 3 {
		return Err(form(
			node,
			"its operands are no matrices of one rank",
			"multiply [1, rows, inner] by [1, inner, columns], or [1, heads, rows, inner] by [1, heads, inner, columns]",
		));
	}
	// A tensor of rank 3 is one matrix: its channels are rows.
	let left_matrix = matrices(builder, node, left)?;
	let right_matrix = matrices(builder, node, right)?;
	let operator = FloatOperator::MatMul {
		other: right_matrix.index,
		factor: 1.0,
	};
	builder.push(node, left_matrix, &[right_matrix], operator, left.rank)?;
	if left.rank == 3 {
		let output = builder.output(node)?;
		let Shape { height, width, .. } = output.shape;
		builder.push(
			node,
			output,
			&[],
			FloatOperator::Reshape(Shape::new(height, 1, width)),
			3,
		)?;
	}
	Ok(())
}

/// The tensor as matrices, one a channel.
fn matrices<'a>(builder: &mut Builder<'a>, node: &'a NodeProto, tensor: Tensor) -> Result<Tensor, OnnxError> {
	if tensor.rank > 3 {
		return Ok(tensor);
	}
	let shape = Shape::new(1, tensor.shape.channels, tensor.shape.width);
	builder.push(node, tensor, &[], FloatOperator::Reshape(shape), 3)?;
	builder.output(node)
}

/// Lowers a product of an activation of rank 3 or 4 with a constant matrix: a Linear over the last axis.
pub fn linear<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	mut input: Tensor,
	outputs: usize,
	mut weights: Vec<f32>,
) -> Result<(), OnnxError> {
	// A scale that is the same everywhere goes into the weights.
	let uniform = |scale: &Parameters| {
		let same = scale.weights.windows(2).all(|pair| pair[0] == pair[1]);
		same && scale.biases.iter().all(|bias| *bias == 0.0)
	};
	if let Some((scale, from)) = builder.take_scale(node, 0, uniform) {
		let factor = scale.weights.first().copied().unwrap_or(1.0);
		weights.iter_mut().for_each(|weight| *weight *= factor);
		input = from;
	}
	check_finite(node, &weights, &[])?;
	let rank = input.rank;
	builder.transpose(node, input, LAST_FIRST, rank)?;
	let features_first = builder.output(node)?;
	let operator = FloatOperator::Conv2d {
		window: Window {
			kernel: [1, 1],
			stride: [1, 1],
			padding: [0; 4],
		},
		dilation: [1, 1],
		groups: 1,
		parameters: Parameters {
			weights,
			biases: vec![0.0; outputs],
		},
	};
	builder.push(node, features_first, &[], operator, rank)?;
	let made = builder.output(node)?;
	builder.transpose(node, made, FIRST_LAST, rank)
}

/// Lowers the sum of an activation of rank 3 or 4 and a constant that is not one value a channel: a bias over the last axis, which the
/// Linear before it takes up, or a table of positions. False where the constant is neither.
pub fn add_constant<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	position: usize,
	constant: &FloatTensor,
) -> Result<bool, OnnxError> {
	let input = builder.tensor(node, position)?;
	if input.shape.elements() > MAX_TENSOR_ELEMENTS {
		return Ok(false);
	}
	let Shape {
		channels,
		height,
		width,
	} = input.shape;
	let [channels, height, width] = [channels, height, width].map(|dim| dim as usize);
	let axes: &[usize] = match input.rank {
		3 => &[channels, width],
		4 => &[channels, height, width],
		_ => return Ok(false),
	};
	let leading = constant.dims.iter().take_while(|dim| **dim == 1).count();
	let dims = &constant.dims[leading..];
	let is_bias = *dims == [width];
	if !is_bias && dims != axes {
		return Ok(false);
	}
	if is_bias {
		if let Some(parameters) = builder.last_axis_parameters(node, position) {
			let biases = parameters.biases.iter_mut().zip(&constant.values);
			biases.for_each(|(bias, value)| *bias += value);
			let parameters = parameters.clone();
			check_finite(node, &parameters.weights, &parameters.biases)?;
			builder.set_alias(node, input);
			return Ok(true);
		}
	}
	if let Some((parameters, from)) = builder.take_last_axis(node, position, MAX_PLACED / channels.max(1)) {
		placed(builder, node, from, &parameters, constant)?;
		return Ok(true);
	}
	let elements = channels * height * width;
	let values = constant.values.iter().copied().cycle().take(elements);
	let scale = FloatOperator::scale(vec![1.0; elements], values.collect());
	let vector = FloatOperator::Reshape(Shape::vector(input.shape.elements()));
	builder.push(node, input, &[], vector, 2)?;
	let vector = builder.output(node)?;
	builder.push(node, vector, &[], scale, 2)?;
	let sum = builder.output(node)?;
	builder.push(node, sum, &[], FloatOperator::Reshape(input.shape), input.rank)?;
	Ok(true)
}

/// A Linear over the last axis of [1, tokens, features] and a bias for each of its outputs: a convolution with a group a token.
fn placed<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	from: Tensor,
	parameters: &Parameters,
	table: &FloatTensor,
) -> Result<(), OnnxError> {
	let tokens = from.shape.channels;
	let outputs = parameters.biases.len();
	let biases = parameters.biases.iter().cycle().zip(&table.values);
	let operator = FloatOperator::Conv2d {
		window: Window {
			kernel: [1, 1],
			stride: [1, 1],
			padding: [0; 4],
		},
		dilation: [1, 1],
		groups: tokens,
		parameters: Parameters {
			weights: parameters.weights.repeat(tokens as usize),
			biases: biases.map(|(bias, value)| bias + value).collect(),
		},
	};
	let to = Shape::new(tokens, 1, u32::try_from(outputs).unwrap_or(u32::MAX));
	let vector = FloatOperator::Reshape(Shape::vector(from.shape.elements()));
	builder.push(node, from, &[], vector, 2)?;
	let vector = builder.output(node)?;
	builder.push(node, vector, &[], operator, 2)?;
	let sum = builder.output(node)?;
	builder.push(node, sum, &[], FloatOperator::Reshape(to), 3)
}

/// Lowers Softmax over the last axis.
pub fn softmax<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = builder.tensor(node, 0)?;
	if input.rank == 2 {
		return Err(unsupported(node));
	}
	let mut attributes = Attributes::new(node);
	// Up to operator set 12 the default was the first axis behind the batch.
	let axis = attributes.int("axis", if builder.opset() < 13 { 1 } else { -1 })?;
	attributes.finish()?;
	check_last(node, axis, input)?;
	builder.push(node, input, &[], FloatOperator::Softmax, input.rank)
}

/// Lowers LayerNormalization over the last axis.
pub fn layer_normalization<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = builder.tensor(node, 0)?;
	let mut attributes = Attributes::new(node);
	let axis = attributes.int("axis", -1)?;
	let epsilon = attributes.float("epsilon", 1e-5)?;
	attributes.fixed("stash_type", 1, "export with stash_type = 1")?;
	attributes.finish()?;
	check_last(node, axis, input)?;
	if !(epsilon.is_finite() && epsilon >= 0.0) {
		return Err(form(
			node,
			format!("epsilon = {epsilon}"),
			"give a small positive number",
		));
	}
	let row = match input.rank {
		2 => input.shape.channels,
		_ => input.shape.width,
	};
	if row > MAX_NORMALISED {
		return Err(form(
			node,
			format!("its rows have {row} elements"),
			"normalise rows of at most 256 elements",
		));
	}
	let row = row as usize;
	let weights = broadcast(node, &builder.floats(node, 1)?, row, &[&[row]])?;
	let biases = if Builder::has_input(node, 2) {
		broadcast(node, &builder.floats(node, 2)?, row, &[&[row]])?
	} else {
		vec![0.0; row]
	};
	let operator = FloatOperator::LayerNormalization {
		epsilon,
		parameters: Parameters { weights, biases },
	};
	if input.rank > 2 {
		return builder.push(node, input, &[], operator, input.rank);
	}
	let flat = FloatOperator::Reshape(Shape::new(1, 1, input.shape.channels));
	builder.push(node, input, &[], flat, 3)?;
	let rows = builder.output(node)?;
	builder.push(node, rows, &[], operator, 3)?;
	let normalised = builder.output(node)?;
	builder.push(node, normalised, &[], FloatOperator::Reshape(input.shape), 2)
}

/// Lowers Gather of a constant table's rows by the graph's tokens.
pub fn gather<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	attributes.fixed("axis", 0, "gather rows of a table (axis = 0)")?;
	attributes.finish()?;
	let table = builder.maybe_floats(node, 0)?.ok_or_else(|| {
		form(
			node,
			"it takes elements of an activation",
			"gather rows of a constant table; take the mean of tokens (ReduceMean) instead of one of them",
		)
	})?;
	let tokens = builder.tokens(node, 1)?;
	let [vocabulary, width] = table.dims[..] else {
		return Err(form(
			node,
			"its table is not a matrix",
			"use a table of two dimensions",
		));
	};
	let size = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
	let operator = FloatOperator::Embedding {
		vocabulary: size(vocabulary),
		width: size(width),
		table: table.values,
	};
	builder.push(node, tokens, &[], operator, 3)
}

/// Lowers ReduceMean over the tokens of [1, tokens, features].
pub fn reduce_mean<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = builder.tensor(node, 0)?;
	let mut attributes = Attributes::new(node);
	let axes = attributes.ints("axes")?.map(<[i64]>::to_vec);
	let keeps = attributes.int("keepdims", 1)? != 0;
	attributes.fixed("noop_with_empty_axes", 0, "export without it")?;
	attributes.finish()?;
	let axes = if Builder::has_input(node, 1) {
		Some(builder.integers(node, 1)?)
	} else {
		axes
	};
	if input.rank != 3 || !matches!(axes.as_deref(), Some([1 | -2])) {
		return Err(unsupported(node));
	}
	let Shape { channels, width, .. } = input.shape;
	let Ok(tokens) = u16::try_from(channels) else {
		return Err(form(node, "it has more than 1024 tokens", "use fewer tokens"));
	};
	builder.transpose(node, input, LAST_FIRST, 4)?;
	let features_first = builder.output(node)?;
	let window = Window {
		kernel: [tokens, 1],
		stride: [1, 1],
		padding: [0; 4],
	};
	builder.push(node, features_first, &[], FloatOperator::AvgPool(window), 2)?;
	if keeps {
		let mean = builder.output(node)?;
		let row = FloatOperator::Reshape(Shape::new(1, 1, width));
		builder.push(node, mean, &[], row, 3)?;
	}
	Ok(())
}

fn check_last(node: &NodeProto, axis: i64, input: Tensor) -> Result<(), OnnxError> {
	if axis != -1 && axis != i64::from(input.rank) - 1 {
		return Err(form(
			node,
			format!("axis = {axis}"),
			"use the last axis, with a Transpose before and behind where need be",
		));
	}
	Ok(())
}
