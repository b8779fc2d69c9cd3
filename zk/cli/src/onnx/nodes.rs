//! The supported operators, one function each.

use super::{
	attributes::{display_name, form, Attributes},
	error::OnnxError,
	lower::{add_biases, Builder, Tensor},
	proto::NodeProto,
	tensor::FloatTensor,
};
use crate::float::{FloatOperator, Function, Parameters};
use opensand_nn::{Shape, Window};

const EXPORT_PLAIN: &str = "export the layer without it";

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
		"Conv" => conv(builder, node),
		"MaxPool" => max_pool(builder, node),
		"AveragePool" => average_pool(builder, node),
		"GlobalAveragePool" => global_average_pool(builder, node),
		"Relu" => relu(builder, node),
		"Sigmoid" => function(builder, node, Function::Sigmoid),
		"Tanh" => function(builder, node, Function::Tanh),
		"Flatten" => flatten(builder, node),
		"Reshape" => reshape(builder, node),
		"Add" => add(builder, node),
		"Constant" => constant(builder, node),
		"Identity" => identity(builder, node),
		_ => Err(unsupported(node)),
	}
}

/// What to do about an operator that is not supported.
fn unsupported(node: &NodeProto) -> OnnxError {
	let remedy = match node.op_type.as_str() {
		"BatchNormalization" => "fold it into the layer before it: export in evaluation mode with constant folding",
		"Dropout" => "export in evaluation mode, which drops it",
		"Softmax" | "LogSoftmax" | "ArgMax" => "end the model at the logits: their order is the same",
		"QuantizeLinear" | "DequantizeLinear" | "QLinearConv" | "QLinearMatMul" | "ConvInteger" | "MatMulInteger" => {
			"export the float model: the import calibrates it"
		},
		"Clip" | "LeakyRelu" | "Elu" | "Gelu" | "HardSwish" | "HardSigmoid" => "train with Relu, Sigmoid or Tanh",
		"Unsqueeze" | "Squeeze" | "Transpose" => "export with the layout [1, channels, height, width] throughout",
		_ => {
			"supported are Gemm, MatMul, Conv, MaxPool, AveragePool, GlobalAveragePool, Relu, Sigmoid, Tanh, Flatten, Reshape, \
			 Add, Constant and Identity"
		},
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
	check_finite(node, &weights, &biases)?;
	builder.push(
		node,
		input,
		None,
		FloatOperator::Linear(Parameters { weights, biases }),
		2,
	)
}

/// `Y = A · B` with a constant `B`.
fn matmul<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = features(builder, node)?;
	let (inputs, outputs, weights) = matrix(node, builder.floats(node, 1)?, false)?;
	check_inner(node, input, inputs)?;
	let biases = vec![0.0; outputs];
	builder.push(
		node,
		input,
		None,
		FloatOperator::Linear(Parameters { weights, biases }),
		2,
	)
}

fn conv<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = image(builder, node)?;
	let weights = builder.floats(node, 1)?;
	let [outputs, group_inputs, rows, columns] = weights.dims[..] else {
		return Err(form(
			node,
			"its kernel is not two-dimensional",
			"use two-dimensional convolutions",
		));
	};
	let mut attributes = Attributes::new(node);
	let groups = attributes.int("group", 1)?;
	let kernel = axes(node, "kernel_shape", &mut attributes, None)?;
	let window = window(node, &mut attributes, [rows, columns], input.shape)?;
	attributes.finish()?;
	if kernel.is_some_and(|kernel| kernel.map(usize::from) != [rows, columns]) {
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
	let parameters = Parameters {
		weights: weights.values,
		biases,
	};
	builder.push(
		node,
		input,
		None,
		FloatOperator::Conv2d {
			window,
			groups,
			parameters,
		},
		4,
	)
}

fn max_pool<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = image(builder, node)?;
	let mut attributes = Attributes::new(node);
	attributes.fixed("storage_order", 0, EXPORT_PLAIN)?;
	let window = pool_window(node, attributes, input)?;
	builder.push(node, input, None, FloatOperator::MaxPool(window), 4)
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
	builder.push(node, input, None, FloatOperator::AvgPool(window), 4)
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
	builder.push(node, input, None, FloatOperator::AvgPool(window), 4)
}

/// Fuses into the layer before it where it can.
fn relu<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = builder.tensor(node, 0)?;
	let fusible = |operator: &FloatOperator| {
		matches!(operator, FloatOperator::Add(_)) || operator.parameters().is_some()
	};
	match builder.sole_producer(node, 0) {
		Some(layer) if fusible(&layer.operator) => {
			layer.relu = true;
			builder.set_alias(node, input);
			Ok(())
		}
		_ => builder.push(node, input, None, FloatOperator::Relu, input.rank),
	}
}

fn function<'a>(builder: &mut Builder<'a>, node: &'a NodeProto, function: Function) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	let input = builder.tensor(node, 0)?;
	builder.push(node, input, None, FloatOperator::Function(function), input.rank)
}

fn flatten<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	attributes.fixed("axis", 1, "flatten everything but the batch")?;
	attributes.finish()?;
	let input = builder.tensor(node, 0)?;
	reshape_to(builder, node, input, Shape::vector(input.shape.elements()), 2)
}

fn reshape<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	attributes.fixed("allowzero", 0, EXPORT_PLAIN)?;
	attributes.finish()?;
	let input = builder.tensor(node, 0)?;
	let dims = resolve(node, input, &builder.integers(node, 1)?)?;
	let (shape, rank) = match dims[..] {
		[1, features] => (Shape::vector(features), 2),
		[1, channels, height, width] => (Shape::new(channels, height, width), 4),
		_ => {
			let problem =
				format!("the shape {dims:?} is neither [1, features] nor [1, channels, height, width]");
			return Err(form(node, problem, "keep the batch of 1 and use one of these"));
		}
	};
	reshape_to(builder, node, input, shape, rank)
}

/// The dimensions that a shape with 0 (as before) and -1 (what is left) stands for.
fn resolve(node: &NodeProto, input: Tensor, dims: &[i64]) -> Result<Vec<u32>, OnnxError> {
	let Shape {
		channels,
		height,
		width,
	} = input.shape;
	let before = if input.rank == 2 {
		vec![1, channels]
	} else {
		vec![1, channels, height, width]
	};
	let bad = || {
		form(
			node,
			format!("the shape {dims:?} does not fit its input"),
			"export the model again",
		)
	};
	if dims.len() > 8 {
		return Err(bad());
	}
	let known = dims.iter().enumerate().map(|(axis, dim)| match dim {
		-1 => Ok(None),
		0 => before.get(axis).copied().map(Some).ok_or_else(bad),
		dim => u32::try_from(*dim).map(Some).map_err(|_| bad()),
	});
	let known = known.collect::<Result<Vec<Option<u32>>, OnnxError>>()?;
	let product = known
		.iter()
		.flatten()
		.try_fold(1u32, |product, dim| product.checked_mul(*dim))
		.ok_or_else(bad)?;
	let left = match known.iter().filter(|dim| dim.is_none()).count() {
		0 => 1,
		1 => input.shape.elements().checked_div(product).ok_or_else(bad)?,
		_ => return Err(bad()),
	};
	Ok(known.into_iter().map(|dim| dim.unwrap_or(left)).collect())
}

/// A Reshape layer, or only another rank where the shape stays.
fn reshape_to<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	input: Tensor,
	shape: Shape,
	rank: u8,
) -> Result<(), OnnxError> {
	if shape == input.shape {
		builder.set_alias(node, Tensor { rank, ..input });
		return Ok(());
	}
	builder.push(node, input, None, FloatOperator::Reshape(shape), rank)
}

/// A residual sum, or a bias that goes into the layer before it.
fn add<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	Attributes::new(node).finish()?;
	for (tensor, constant) in [(0, 1), (1, 0)] {
		let Some(values) = builder.maybe_floats(node, constant)? else {
			continue;
		};
		let input = builder.tensor(node, tensor)?;
		let channels = input.shape.channels as usize;
		let shapes: &[&[usize]] = if input.rank == 2 {
			&[&[channels], &[1, channels]]
		} else {
			&[&[channels, 1, 1], &[1, channels, 1, 1]]
		};
		let values = broadcast(node, &values, channels, shapes)?;
		let layer = builder.sole_producer(node, tensor);
		return match layer.map(|layer| &mut layer.operator) {
			Some(FloatOperator::Linear(parameters) | FloatOperator::Conv2d { parameters, .. }) => {
				add_biases(parameters, &values);
				check_finite(node, &[], &parameters.biases)?;
				builder.set_alias(node, input);
				Ok(())
			}
			_ => Err(form(
				node,
				"a constant is added to something other than the only use of a MatMul, Gemm or Conv",
				"put the bias into the layer before it",
			)),
		};
	}
	let (left, right) = (builder.tensor(node, 0)?, builder.tensor(node, 1)?);
	if left.rank != right.rank {
		return Err(form(
			node,
			"its operands have different ranks",
			"bring them to one shape; there is no broadcasting",
		));
	}
	builder.push(
		node,
		left,
		Some(right),
		FloatOperator::Add(right.index),
		left.rank,
	)
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

/// Input 0 as [1, channels, height, width].
fn image(builder: &Builder, node: &NodeProto) -> Result<Tensor, OnnxError> {
	let input = builder.tensor(node, 0)?;
	match input.rank {
		4 => Ok(input),
		_ => Err(form(
			node,
			"its input is not of shape [1, channels, height, width]",
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
	if input.shape.channels as usize != inputs {
		let problem = format!(
			"its weights take {inputs} features, its input has {}",
			input.shape.channels
		);
		return Err(form(node, problem, "export the model again"));
	}
	Ok(())
}

fn check_finite(node: &NodeProto, weights: &[f32], biases: &[f32]) -> Result<(), OnnxError> {
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
fn broadcast(
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
			format!("a bias has the shape {:?}", tensor.dims),
			"give one bias an output channel",
		)),
	}
}

/// An attribute of one value an axis of the image.
fn axes(
	node: &NodeProto,
	name: &str,
	attributes: &mut Attributes,
	default: Option<[u16; 2]>,
) -> Result<Option<[u16; 2]>, OnnxError> {
	let Some(values) = attributes.ints(name)? else {
		return Ok(default);
	};
	let bad = || {
		form(
			node,
			format!("{name} = {values:?}"),
			"use two-dimensional windows of at most 1024",
		)
	};
	let values = values
		.iter()
		.map(|value| u16::try_from(*value).ok())
		.collect::<Option<Vec<u16>>>();
	values
		.and_then(|values| <[u16; 2]>::try_from(values).ok())
		.map(Some)
		.ok_or_else(bad)
}

/// The window of a pooling node.
fn pool_window(node: &NodeProto, mut attributes: Attributes, input: Tensor) -> Result<Window, OnnxError> {
	attributes.fixed("ceil_mode", 0, "export with ceil_mode = 0")?;
	let kernel = axes(node, "kernel_shape", &mut attributes, None)?;
	let kernel = kernel.ok_or_else(|| form(node, "kernel_shape is missing", "export the model again"))?;
	let window = window(node, &mut attributes, kernel.map(usize::from), input.shape)?;
	attributes.finish()?;
	Ok(window)
}

/// Strides, padding and dilations of a window of size `kernel` over `from`.
fn window(
	node: &NodeProto,
	attributes: &mut Attributes,
	kernel: [usize; 2],
	from: Shape,
) -> Result<Window, OnnxError> {
	let too_large = || form(node, "its window is too large", "use windows of at most 1024");
	let [Ok(rows), Ok(columns)] = kernel.map(u16::try_from) else {
		return Err(too_large());
	};
	let stride = axes(node, "strides", attributes, Some([1, 1]))?.unwrap_or([1, 1]);
	if axes(node, "dilations", attributes, Some([1, 1]))? != Some([1, 1]) {
		return Err(form(node, "its window is dilated", "use dilations of 1"));
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
				let pads = pads.and_then(|pads| <[u16; 4]>::try_from(pads).ok());
				pads.ok_or_else(|| form(node, "pads are not four small numbers", "export the model again"))?
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
	Ok(Window {
		kernel: [rows, columns],
		stride,
		padding,
	})
}
