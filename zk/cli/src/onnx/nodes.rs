//! The supported operators, one function each.

use super::{
	attention,
	attributes::{display_name, form, Attributes},
	elementwise,
	error::OnnxError,
	layout,
	lower::{Builder, Tensor},
	proto::NodeProto,
	quantised,
	tensor::FloatTensor,
};
use crate::float::{FloatOperator, Function, Parameters};
use opensand_nn::{Shape, Window};

pub const EXPORT_PLAIN: &str = "export the layer without it";

/// Lowers one node.
pub fn lower<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	if node.output.iter().skip(1).any(|output| !output.is_empty()) {
		return Err(form(
			node,
			"it has several outputs",
			"export for inference: only the first output can be used",
		));
	}
	if !matches!(node.domain.as_str(), "" | "ai.onnx") {
		return Err(unsupported(node));
	}
	match node.op_type.as_str() {
		"Gemm" => gemm(builder, node),
		"MatMul" => matmul(builder, node),
		"Softmax" => attention::softmax(builder, node),
		"LayerNormalization" => attention::layer_normalization(builder, node),
		"Gather" => attention::gather(builder, node),
		"ReduceMean" => attention::reduce_mean(builder, node),
		"Conv" => conv(builder, node),
		"MaxPool" => max_pool(builder, node),
		"AveragePool" => average_pool(builder, node),
		"GlobalAveragePool" => global_average_pool(builder, node),
		"BatchNormalization" => elementwise::batch_normalization(builder, node),
		"Relu" => elementwise::relu(builder, node),
		"Clip" => elementwise::clip(builder, node),
		"LeakyRelu" | "Elu" | "HardSigmoid" | "Swish" | "Gelu" => elementwise::parametric(builder, node),
		"Sigmoid" => elementwise::function(builder, node, Function::Sigmoid),
		"Tanh" => elementwise::function(builder, node, Function::Tanh),
		"HardSwish" => elementwise::function(builder, node, Function::HardSwish),
		"Erf" => elementwise::function(builder, node, Function::Erf),
		"Softplus" => elementwise::function(builder, node, Function::Softplus),
		"Add" => elementwise::add(builder, node),
		"Sub" => elementwise::sub(builder, node),
		"Mul" => elementwise::mul(builder, node),
		"Div" => elementwise::div(builder, node),
		"Flatten" => layout::flatten(builder, node),
		"Reshape" => layout::reshape(builder, node),
		"Squeeze" => layout::squeeze(builder, node),
		"Unsqueeze" => layout::unsqueeze(builder, node),
		"Transpose" => layout::transpose(builder, node),
		"Concat" => layout::concat(builder, node),
		"QuantizeLinear" => quantised::quantize(builder, node),
		"DequantizeLinear" => quantised::dequantize(builder, node),
		"Constant" => constant(builder, node),
		"Identity" => identity(builder, node),
		_ => Err(unsupported(node)),
	}
}

/// What to do about an operator that is not supported.
pub fn unsupported(node: &NodeProto) -> OnnxError {
	let remedy = match node.op_type.as_str() {
		"Dropout" => "export in evaluation mode, which drops it",
		"Softmax" | "LogSoftmax" | "ArgMax" => "end the model at the logits: their order is the same",
		"QLinearConv" | "QLinearMatMul" | "QLinearAdd" | "ConvInteger" | "MatMulInteger" | "DynamicQuantizeLinear" => {
			"export the float model, or one with QuantizeLinear and DequantizeLinear around float operators (QDQ)"
		}
		"PRelu" => "train with LeakyRelu, which has one slope",
		"ReduceMean" => {
			"take it over the tokens of [1, tokens, features] only; export the mean over rows and columns as GlobalAveragePool"
		}
		"Pad" => "give the padding to the Conv or pooling behind it",
		"InstanceNormalization" | "GroupNormalization" => "train with BatchNormalization or LayerNormalization",
		"ConvTranspose" | "Resize" | "Upsample" => "train without upsampling",
		_ => {
			"supported are Gemm, MatMul, Softmax, LayerNormalization, Gather, ReduceMean, Conv, BatchNormalization, MaxPool, AveragePool, GlobalAveragePool, Add, Sub, Mul and Div \
			 by constants, Concat, Flatten, Reshape, Squeeze, Unsqueeze, Transpose, Relu, Clip, LeakyRelu, Elu, Sigmoid, \
			 HardSigmoid, Tanh, HardSwish, Swish, Gelu, Erf, Softplus, QuantizeLinear, DequantizeLinear, Constant and Identity"
		}
	};
	OnnxError::UnsupportedOperator {
		node: display_name(node),
		operator: node.op_type.clone(),
		remedy,
	}
}

/// `Y = alpha · A · B + beta · C`.
fn gemm<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	let alpha = attributes.float("alpha", 1.0)?;
	let beta = attributes.float("beta", 1.0)?;
	attributes.fixed("transA", 0, EXPORT_PLAIN)?;
	let transposed = attributes.int("transB", 0)? != 0;
	attributes.finish()?;
	let input = features(builder, node)?;
	let (inputs, outputs, mut weights) = matrix(node, builder.floats(node, 1)?, transposed)?;
	check_inner(node, input, inputs)?;
	weights.iter_mut().for_each(|weight| *weight *= alpha);
	let mut biases = vec![0.0; outputs];
	if Builder::has_input(node, 2) {
		let values = broadcast(
			node,
			&builder.floats(node, 2)?,
			outputs,
			&[&[outputs], &[1, outputs]],
		)?;
		biases
			.iter_mut()
			.zip(values)
			.for_each(|(bias, value)| *bias = beta * value);
	}
	linear(builder, node, input, Parameters { weights, biases })
}

/// `Y = A · B`: of two activations, or with a constant `B`.
fn matmul<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = builder.tensor(node, 0)?;
	let Some(weights) = builder.maybe_floats(node, 1)? else {
		return attention::product(builder, node);
	};
	let (inputs, outputs, weights) = matrix(node, weights, false)?;
	check_inner(node, input, inputs)?;
	if input.rank > 2 {
		return attention::linear(builder, node, input, outputs, weights);
	}
	let biases = vec![0.0; outputs];
	linear(builder, node, input, Parameters { weights, biases })
}

/// A Linear, with the scale before it, if there is one, in its weights.
fn linear<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	mut input: Tensor,
	mut parameters: Parameters,
) -> Result<(), OnnxError> {
	if let Some((scale, from)) = builder.take_scale(node, 0, |_| true) {
		take_up(&scale, &mut parameters, 1, 1);
		input = from;
	}
	check_finite(node, &parameters.weights, &parameters.biases)?;
	builder.push(node, input, &[], FloatOperator::Linear(parameters), 2)
}

/// Puts a scale of the input's channels into weights of `taps` for each of a group's channels.
fn take_up(scale: &Parameters, parameters: &mut Parameters, groups: usize, taps: usize) {
	let outputs = parameters.biases.len();
	let group_inputs = scale.biases.len() / groups;
	let rows = parameters.weights.chunks_mut((group_inputs * taps).max(1));
	for (output, (row, bias)) in rows.zip(&mut parameters.biases).enumerate() {
		let first = output * groups / outputs * group_inputs;
		let channels = scale.weights[first..].iter().zip(&scale.biases[first..]);
		let mut sum = f64::from(*bias);
		for (taps, (factor, summand)) in row.chunks_mut(taps).zip(channels) {
			for weight in taps {
				sum += f64::from(*weight) * f64::from(*summand);
				*weight *= factor;
			}
		}
		*bias = sum as f32;
	}
}

fn conv<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut input = image(builder, node)?;
	let weights = builder.floats(node, 1)?;
	let (outputs, group_inputs, size) = match (weights.dims.as_slice(), input.rank) {
		([outputs, inputs, rows, columns], 4) => (*outputs, *inputs, [*rows, *columns]),
		([outputs, inputs, columns], 3) => (*outputs, *inputs, [1, *columns]),
		_ => {
			return Err(form(
				node,
				"its kernel has not the dimensions of its input",
				"use convolutions in one or two dimensions",
			))
		}
	};
	let mut attributes = Attributes::new(node);
	let groups = attributes.int("group", 1)?;
	let kernel = axes(node, input, "kernel_shape", &mut attributes)?;
	let (window, dilation) = window(node, &mut attributes, size, input)?;
	attributes.finish()?;
	if kernel.is_some_and(|kernel| kernel.map(usize::from) != size) {
		return Err(form(
			node,
			"kernel_shape differs from the weights' shape",
			"export the model again",
		));
	}
	let groups = u32::try_from(groups).ok().filter(|groups| *groups > 0);
	let Some(groups) =
		groups.filter(|groups| u64::from(*groups) * group_inputs as u64 == u64::from(input.shape.channels))
	else {
		return Err(form(
			node,
			"its weights do not fit the input's channels",
			"export the model again",
		));
	};
	let mut biases = vec![0.0; outputs];
	if Builder::has_input(node, 2) {
		biases = broadcast(node, &builder.floats(node, 2)?, outputs, &[&[outputs]])?;
	}
	let mut parameters = Parameters {
		weights: weights.values,
		biases,
	};
	// Where windows reach beyond the input, a summand of the input's channels is missing there.
	let inside =
		|scale: &Parameters| window.padding == [0; 4] || scale.biases.iter().all(|bias| *bias == 0.0);
	let even = outputs.checked_rem(groups as usize) == Some(0);
	if let Some((scale, from)) = builder.take_scale(node, 0, |scale| even && inside(scale)) {
		take_up(&scale, &mut parameters, groups as usize, size[0] * size[1]);
		check_finite(node, &parameters.weights, &parameters.biases)?;
		input = from;
	}
	let operator = FloatOperator::Conv2d {
		window,
		dilation,
		groups,
		parameters,
	};
	builder.push(node, input, &[], operator, input.rank)
}

fn max_pool<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = image(builder, node)?;
	let mut attributes = Attributes::new(node);
	attributes.fixed("storage_order", 0, EXPORT_PLAIN)?;
	let window = pool_window(node, attributes, input)?;
	builder.push(node, input, &[], FloatOperator::MaxPool(window), input.rank)
}

fn average_pool<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = image(builder, node)?;
	let mut attributes = Attributes::new(node);
	let counts_padding = attributes.int("count_include_pad", 0)? != 0;
	let window = pool_window(node, attributes, input)?;
	if window.padding != [0; 4] && !counts_padding {
		return Err(form(
			node,
			"windows at the border have another divisor (count_include_pad = 0 with padding)",
			"export with count_include_pad = 1 or without padding",
		));
	}
	builder.push(node, input, &[], FloatOperator::AvgPool(window), input.rank)
}

fn global_average_pool<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = image(builder, node)?;
	let Shape { height, width, .. } = input.shape;
	let (Ok(height), Ok(width)) = (u16::try_from(height), u16::try_from(width)) else {
		return Err(form(
			node,
			"its input is larger than 1024 rows or columns",
			"pool in two steps",
		));
	};
	let window = Window {
		kernel: [height, width],
		stride: [1, 1],
		padding: [0; 4],
	};
	builder.push(node, input, &[], FloatOperator::AvgPool(window), input.rank)
}

fn constant<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	let value = attributes.tensor("value")?;
	attributes.finish()?;
	let value = value.ok_or_else(|| form(node, "it has no value", "export constants as tensors"))?;
	builder.set_constant(node, value);
	Ok(())
}

fn identity<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = builder.tensor(node, 0)?;
	builder.set_alias(node, input);
	Ok(())
}

/// Input 0 as [1, features].
fn features(builder: &Builder, node: &NodeProto) -> Result<Tensor, OnnxError> {
	let input = builder.tensor(node, 0)?;
	match input.rank {
		2 => Ok(input),
		_ => Err(form(
			node,
			"its input is not of shape [1, features]",
			"put a Flatten before it",
		)),
	}
}

/// Input 0 as [1, channels, length] or [1, channels, height, width].
fn image(builder: &Builder, node: &NodeProto) -> Result<Tensor, OnnxError> {
	let input = builder.tensor(node, 0)?;
	match input.rank {
		3 | 4 => Ok(input),
		_ => Err(form(
			node,
			"its input is not of shape [1, channels, length] or [1, channels, height, width]",
			"put a Reshape before it",
		)),
	}
}

/// Inputs, outputs and row-major weights (one row an output) of a constant matrix.
fn matrix(
	node: &NodeProto,
	tensor: FloatTensor,
	transposed: bool,
) -> Result<(usize, usize, Vec<f32>), OnnxError> {
	let [rows, columns] = tensor.dims[..] else {
		return Err(form(
			node,
			"its weights are not a matrix",
			"use weights of two dimensions",
		));
	};
	if transposed {
		return Ok((columns, rows, tensor.values));
	}
	let column = |column: usize| tensor.values.iter().skip(column).step_by(columns.max(1)).copied();
	Ok((rows, columns, (0..columns).flat_map(column).collect()))
}

fn check_inner(node: &NodeProto, input: Tensor, inputs: usize) -> Result<(), OnnxError> {
	let features = match input.rank {
		2 => input.shape.channels,
		_ => input.shape.width,
	};
	if features as usize != inputs {
		let problem = format!("its weights take {inputs} features, its input has {features}");
		return Err(form(node, problem, "export the model again"));
	}
	Ok(())
}

pub fn check_finite(node: &NodeProto, weights: &[f32], biases: &[f32]) -> Result<(), OnnxError> {
	if weights.iter().chain(biases).any(|value| !value.is_finite()) {
		return Err(form(
			node,
			"its weights leave float32",
			"train or export the model again",
		));
	}
	Ok(())
}

/// One value a channel, from a tensor of one of `shapes` or of a single element.
pub fn broadcast(
	node: &NodeProto,
	tensor: &FloatTensor,
	channels: usize,
	shapes: &[&[usize]],
) -> Result<Vec<f32>, OnnxError> {
	match tensor.values[..] {
		[value] => Ok(vec![value; channels]),
		_ if shapes.contains(&tensor.dims.as_slice()) => Ok(tensor.values.clone()),
		_ => Err(form(
			node,
			format!("a constant has the shape {:?}", tensor.dims),
			"give one value, or one a channel",
		)),
	}
}

/// An attribute of one value an axis of the image, rows first; one row of one dimension.
fn axes(
	node: &NodeProto,
	input: Tensor,
	name: &str,
	attributes: &mut Attributes,
) -> Result<Option<[u16; 2]>, OnnxError> {
	let Some(values) = attributes.ints(name)? else {
		return Ok(None);
	};
	let small = values
		.iter()
		.map(|value| u16::try_from(*value).ok())
		.collect::<Option<Vec<u16>>>();
	match (small.as_deref(), input.rank) {
		(Some([rows, columns]), 4) => Ok(Some([*rows, *columns])),
		(Some([columns]), 3) => Ok(Some([1, *columns])),
		_ => Err(form(
			node,
			format!("{name} = {values:?}"),
			"give one value of at most 1024 for each of the one or two dimensions of the image",
		)),
	}
}

/// The window of a pooling node.
fn pool_window(node: &NodeProto, mut attributes: Attributes, input: Tensor) -> Result<Window, OnnxError> {
	attributes.fixed("ceil_mode", 0, "export with ceil_mode = 0")?;
	let kernel = axes(node, input, "kernel_shape", &mut attributes)?;
	let kernel = kernel.ok_or_else(|| form(node, "kernel_shape is missing", "export the model again"))?;
	let (window, dilation) = window(node, &mut attributes, kernel.map(usize::from), input)?;
	attributes.finish()?;
	if dilation != [1, 1] {
		return Err(form(node, "its window is dilated", "use dilations of 1"));
	}
	Ok(window)
}

/// Strides, padding and dilations of a window of size `kernel` over `input`.
fn window(
	node: &NodeProto,
	attributes: &mut Attributes,
	kernel: [usize; 2],
	input: Tensor,
) -> Result<(Window, [u16; 2]), OnnxError> {
	let from = input.shape;
	let too_large = || form(node, "its window is too large", "use windows of at most 1024");
	let [Ok(rows), Ok(columns)] = kernel.map(u16::try_from) else {
		return Err(too_large());
	};
	let stride = axes(node, input, "strides", attributes)?.unwrap_or([1, 1]);
	let mut dilation = axes(node, input, "dilations", attributes)?.unwrap_or([1, 1]);
	// One element has no neighbours to be far from.
	for (dilation, kernel) in dilation.iter_mut().zip([rows, columns]) {
		if kernel == 1 {
			*dilation = 1;
		}
	}
	let pads = attributes.ints("pads")?;
	let padding = match attributes.string("auto_pad")?.unwrap_or(b"NOTSET") {
		b"NOTSET" | b"" => match pads {
			None => [0; 4],
			Some(pads) => {
				let pads = pads
					.iter()
					.map(|pad| u16::try_from(*pad).ok())
					.collect::<Option<Vec<u16>>>();
				match (pads.as_deref(), input.rank) {
					(Some([top, left, bottom, right]), 4) => [*top, *left, *bottom, *right],
					(Some([left, right]), 3) => [0, *left, 0, *right],
					_ => {
						return Err(form(
							node,
							"pads are not two small numbers a dimension",
							"export the model again",
						))
					}
				}
			}
		},
		b"VALID" => [0; 4],
		mode @ (b"SAME_UPPER" | b"SAME_LOWER") => {
			let same = |len: u32, kernel: u16, stride: u16| {
				let positions = len
					.checked_add(stride.into())?
					.checked_sub(1)?
					.checked_div(stride.into())?;
				let covered = positions
					.checked_sub(1)?
					.checked_mul(stride.into())?
					.checked_add(kernel.into())?;
				let total = u16::try_from(covered.saturating_sub(len)).ok()?;
				let (less, more) = (total / 2, total.div_ceil(2));
				Some(if mode == b"SAME_UPPER" {
					[less, more]
				} else {
					[more, less]
				})
			};
			if dilation != [1, 1] {
				return Err(form(
					node,
					"auto_pad stands beside a dilation",
					"export with explicit pads",
				));
			}
			let rows = same(from.height, rows, stride[0]).ok_or_else(too_large)?;
			let columns = same(from.width, columns, stride[1]).ok_or_else(too_large)?;
			[rows[0], columns[0], rows[1], columns[1]]
		}
		_ => {
			return Err(form(
				node,
				"auto_pad has an unknown value",
				"export with explicit pads",
			))
		}
	};
	let window = Window {
		kernel: [rows, columns],
		stride,
		padding,
	};
	Ok((window, dilation))
}
