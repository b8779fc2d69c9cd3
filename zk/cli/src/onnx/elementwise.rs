//! Operators on each element: functions, sums, and arithmetic with constants.

use super::{
	attention,
	attributes::{form, Attributes},
	error::OnnxError,
	lower::{Builder, Tensor},
	nodes::{broadcast, check_finite},
	proto::NodeProto,
};
use crate::float::{FloatOperator, Function};

/// Lowers Relu: fuses into the layer before it where it can.
pub fn relu<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = builder.tensor(node, 0)?;
	if builder.fuse_relu(node, None) {
		builder.set_alias(node, input);
		return Ok(());
	}
	builder.push(node, input, &[], FloatOperator::Relu, input.rank)
}

/// Lowers Clip: from zero it is a ReLU with a ceiling, which the clamp to int8 is too at the right scale.
pub fn clip<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = builder.tensor(node, 0)?;
	let bound = |position, default| {
		if !Builder::has_input(node, position) {
			return Ok(default);
		}
		match builder.floats(node, position)?.values[..] {
			[value] => Ok(value),
			_ => Err(form(node, "a bound is not one number", "export the model again")),
		}
	};
	let (lower, upper) = (bound(1, f32::NEG_INFINITY)?, bound(2, f32::INFINITY)?);
	if lower > upper {
		return Err(form(
			node,
			"its bounds are exchanged",
			"give the lower bound first",
		));
	}
	let ceiling = Some(upper).filter(|upper| upper.is_finite());
	if lower == 0.0 && ceiling.is_none_or(|ceiling| ceiling > 0.0) && builder.fuse_relu(node, ceiling) {
		builder.set_alias(node, input);
		return Ok(());
	}
	let operator = match (lower, ceiling) {
		(0.0, None) => FloatOperator::Relu,
		_ => FloatOperator::Function(Function::Clip { lower, upper }),
	};
	builder.push(node, input, &[], operator, input.rank)
}

/// Lowers an operator that is a function of each element, without attributes.
pub fn function<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	function: Function,
) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	table(builder, node, function)
}

/// Lowers the functions that have attributes.
pub fn parametric<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	let function = match node.op_type.as_str() {
		"LeakyRelu" => Function::LeakyRelu {
			slope: attributes.float("alpha", 0.01)?,
		},
		"Elu" => Function::Elu {
			alpha: attributes.float("alpha", 1.0)?,
		},
		"HardSigmoid" => Function::HardSigmoid {
			slope: attributes.float("alpha", 0.2)?,
			offset: attributes.float("beta", 0.5)?,
		},
		"Swish" => Function::Swish {
			beta: attributes.float("alpha", 1.0)?,
		},
		_ => match attributes.string("approximate")?.unwrap_or(b"none") {
			b"tanh" => Function::GeluTanh,
			b"none" => Function::Gelu,
			_ => {
				return Err(form(
					node,
					"approximate has an unknown value",
					"use `none` or `tanh`",
				))
			}
		},
	};
	attributes.finish()?;
	table(builder, node, function)
}

fn table<'a>(builder: &mut Builder<'a>, node: &'a NodeProto, function: Function) -> Result<(), OnnxError> {
	let input = builder.tensor(node, 0)?;
	builder.push(node, input, &[], FloatOperator::Function(function), input.rank)
}

/// Lowers Add: a residual sum, or a constant.
pub fn add<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	for (tensor, constant) in [(0, 1), (1, 0)] {
		if let Some(values) = builder.maybe_floats(node, constant)? {
			if values.values.len() > 1 && attention::add_constant(builder, node, tensor, &values)? {
				return Ok(());
			}
		}
		if let Some(values) = per_channel(builder, node, tensor, constant)? {
			let ones = vec![1.0; values.len()];
			return scale(builder, node, tensor, ones, values);
		}
	}
	let (left, right) = (builder.tensor(node, 0)?, builder.tensor(node, 1)?);
	sum(builder, node, left, right)
}

/// Lowers Sub: the sum with the negative.
pub fn sub<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	if let Some(values) = per_channel(builder, node, 0, 1)? {
		let ones = vec![1.0; values.len()];
		let negative = values.iter().map(|value| -value).collect();
		return scale(builder, node, 0, ones, negative);
	}
	if let Some(values) = per_channel(builder, node, 1, 0)? {
		let minus = vec![-1.0; values.len()];
		return scale(builder, node, 1, minus, values);
	}
	let left = builder.tensor(node, 0)?;
	let channels = builder.tensor(node, 1)?.shape.channels as usize;
	scale(builder, node, 1, vec![-1.0; channels], vec![0.0; channels])?;
	let right = builder.output(node)?;
	sum(builder, node, left, right)
}

/// Lowers Mul by a constant.
pub fn mul<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	for (tensor, constant) in [(0, 1), (1, 0)] {
		if let Some(values) = per_channel(builder, node, tensor, constant)? {
			let zeros = vec![0.0; values.len()];
			return scale(builder, node, tensor, values, zeros);
		}
	}
	Err(form(
		node,
		"it multiplies two activations that are no Silu, HardSwish or Gelu",
		"multiply by constants only",
	))
}

/// Lowers Div by a constant.
pub fn div<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	match per_channel(builder, node, 0, 1)? {
		Some(values) => {
			let zeros = vec![0.0; values.len()];
			let inverse = values.iter().map(|value| 1.0 / value).collect();
			scale(builder, node, 0, inverse, zeros)
		}
		None => Err(form(
			node,
			"its divisor is not constant",
			"divide by constants only",
		)),
	}
}

/// Lowers BatchNormalization as evaluation has it: a factor and a summand a channel.
pub fn batch_normalization<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	let epsilon = f64::from(attributes.float("epsilon", 1e-5)?);
	attributes.float("momentum", 0.9)?;
	attributes.fixed("training_mode", 0, "export in evaluation mode")?;
	attributes.finish()?;
	let channels = builder.tensor(node, 0)?.shape.channels as usize;
	let part = |position| broadcast(node, &builder.floats(node, position)?, channels, &[&[channels]]);
	let (scales, shifts, means, variances) = (part(1)?, part(2)?, part(3)?, part(4)?);
	let factors = scales
		.iter()
		.zip(&variances)
		.map(|(scale, variance)| f64::from(*scale) / (f64::from(*variance) + epsilon).sqrt());
	let factors: Vec<f64> = factors.collect();
	let summands = factors
		.iter()
		.zip(&shifts)
		.zip(&means)
		.map(|((factor, shift), mean)| (f64::from(*shift) - factor * f64::from(*mean)) as f32)
		.collect();
	let factors = factors.into_iter().map(|factor| factor as f32).collect();
	scale(builder, node, 0, factors, summands)
}

/// Input `constant` of `node` as one value a channel of input `tensor`; `None` where it is not constant.
fn per_channel(
	builder: &Builder,
	node: &NodeProto,
	tensor: usize,
	constant: usize,
) -> Result<Option<Vec<f32>>, OnnxError> {
	let Some(values) = builder.maybe_floats(node, constant)? else {
		return Ok(None);
	};
	let input = builder.tensor(node, tensor)?;
	let channels = input.shape.channels as usize;
	let shapes: &[&[usize]] = match input.rank {
		2 => &[&[channels], &[1, channels]],
		3 => &[&[channels, 1], &[1, channels, 1]],
		_ => &[&[channels, 1, 1], &[1, channels, 1, 1]],
	};
	broadcast(node, &values, channels, shapes).map(Some)
}

/// `factors[c] · x + summands[c]` for input `position`: taken up by the layer before it, or a layer of its own, which the next
/// may take up.
fn scale<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	position: usize,
	factors: Vec<f32>,
	summands: Vec<f32>,
) -> Result<(), OnnxError> {
	check_finite(node, &factors, &summands)?;
	let input = builder.tensor(node, position)?;
	let layer = builder.sole_producer(node, position);
	// One positive factor for all is part of a product's scale.
	if let Some(FloatOperator::MatMul { factor, .. }) = layer.map(|layer| &mut layer.operator) {
		let first = factors.first().copied().unwrap_or(0.0);
		let uniform =
			factors.iter().all(|factor| *factor == first) && summands.iter().all(|summand| *summand == 0.0);
		if uniform && (*factor * first).is_normal() && first > 0.0 {
			*factor *= first;
			builder.set_alias(node, input);
			return Ok(());
		}
	}
	let layer = builder.sole_producer(node, position);
	let parameters = layer.and_then(|layer| layer.operator.parameters_mut());
	let Some(parameters) = parameters else {
		let operator = FloatOperator::scale(factors, summands);
		return builder.push(node, input, &[], operator, input.rank);
	};
	let row = parameters.weights.len() / parameters.biases.len().max(1);
	let rows = parameters.weights.chunks_mut(row.max(1));
	for ((row, bias), (factor, summand)) in rows
		.zip(&mut parameters.biases)
		.zip(factors.iter().zip(&summands))
	{
		row.iter_mut().for_each(|weight| *weight *= factor);
		*bias = *bias * factor + summand;
	}
	check_finite(node, &parameters.weights, &parameters.biases)?;
	builder.set_alias(node, input);
	Ok(())
}

fn sum<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	left: Tensor,
	right: Tensor,
) -> Result<(), OnnxError> {
	if left.rank != right.rank {
		return Err(form(
			node,
			"its operands have different ranks",
			"bring them to one shape; there is no broadcasting",
		));
	}
	builder.push(node, left, &[right], FloatOperator::Add(right.index), left.rank)
}
