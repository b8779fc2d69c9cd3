//! Operators that move elements, or only name their shape anew.

use super::{
	attributes::{form, Attributes},
	error::OnnxError,
	lower::{Builder, Tensor},
	nodes::EXPORT_PLAIN,
	proto::NodeProto,
};
use crate::float::{FloatOperator, Parameters};
use opensand_nn::Shape;

/// Dimensions that a shape may have in a graph, before it is one of the three that are known.
const MAX_DIMS: usize = 8;

/// Lowers Flatten.
pub fn flatten<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	attributes.fixed("axis", 1, "flatten everything but the batch")?;
	attributes.finish()?;
	let input = builder.tensor(node, 0)?;
	reshape_to(builder, node, input, Shape::vector(input.shape.elements()), 2)
}

/// Lowers Reshape.
pub fn reshape<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	attributes.fixed("allowzero", 0, EXPORT_PLAIN)?;
	attributes.finish()?;
	let input = builder.tensor(node, 0)?;
	let dims = resolve(node, input, &builder.integers(node, 1)?)?;
	reshape_to_dims(builder, node, input, &dims)
}

/// Lowers Squeeze: axes of length one go.
pub fn squeeze<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = builder.tensor(node, 0)?;
	let dims = dims(input);
	let Some(axes) = axes(builder, node, dims.len())? else {
		return Err(form(
			node,
			"it names no axes, so the batch would go too",
			"export with the axes to remove",
		));
	};
	if axes.iter().any(|axis| *axis == 0 || dims.get(*axis) != Some(&1)) {
		return Err(form(
			node,
			format!("axes {axes:?} of {dims:?} are not all of length 1 behind the batch"),
			"remove axes of length 1 only, and keep the batch",
		));
	}
	let kept = dims.iter().enumerate().filter(|(axis, _)| !axes.contains(axis));
	let kept: Vec<u32> = kept.map(|(_, dim)| *dim).collect();
	reshape_to_dims(builder, node, input, &kept)
}

/// Lowers Unsqueeze: axes of length one come.
pub fn unsqueeze<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let input = builder.tensor(node, 0)?;
	let mut left = dims(input).into_iter();
	let added = match &axes_of(builder, node)? {
		Some(axes) => axes.len(),
		None => return Err(form(node, "it names no axes", "export the model again")),
	};
	let rank = left.len() + added;
	let axes = axes(builder, node, rank)?.unwrap_or_default();
	let dims = (0..rank).map(|axis| {
		if axes.contains(&axis) {
			Some(1)
		} else {
			left.next()
		}
	});
	let dims: Option<Vec<u32>> = dims.collect();
	match dims {
		Some(dims) if left.next().is_none() => reshape_to_dims(builder, node, input, &dims),
		_ => Err(form(node, "it names an axis twice", "export the model again")),
	}
}

/// Lowers Transpose. Where only axes of length one move, the elements stay in their order.
pub fn transpose<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	let permutation = attributes.ints("perm")?;
	attributes.finish()?;
	let input = builder.tensor(node, 0)?;
	let dims = dims(input);
	let permutation: Vec<usize> = match permutation {
		Some(axes) => axes
			.iter()
			.map(|axis| usize::try_from(*axis).unwrap_or(usize::MAX))
			.collect(),
		None => (0..dims.len()).rev().collect(),
	};
	let mut sorted = permutation.clone();
	sorted.sort_unstable();
	if sorted != (0..dims.len()).collect::<Vec<_>>() {
		return Err(form(
			node,
			format!("perm = {permutation:?} does not order the axes of {dims:?}"),
			"export the model again",
		));
	}
	let to: Vec<u32> = permutation.iter().map(|axis| dims[*axis]).collect();
	let moved = permutation.iter().filter(|axis| dims[**axis] != 1);
	if moved.is_sorted() {
		return reshape_to_dims(builder, node, input, &to);
	}
	if permutation[0] != 0 {
		return Err(form(
			node,
			format!("perm = {permutation:?} moves the batch"),
			"keep the batch of 1 in front",
		));
	}
	// The axes of the graph among channels, rows and columns.
	let axes: &[u8] = match input.rank {
		4 => &[0, 1, 2],
		_ => &[0, 2],
	};
	let mut order = [0, 1, 2];
	for (place, axis) in axes.iter().zip(&permutation[1..]) {
		order[usize::from(*place)] = axes[axis - 1];
	}
	builder.transpose(node, input, order, input.rank)
}

/// Lowers Concat along the channels.
pub fn concat<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let mut attributes = Attributes::new(node);
	let axis = attributes.int("axis", 0)?;
	attributes.finish()?;
	let input = builder.tensor(node, 0)?;
	if axis != 1 && axis != 1 - i64::from(input.rank) {
		return Err(form(
			node,
			format!("axis = {axis}"),
			"concatenate along the channels (axis 1), with a Transpose before and behind where need be",
		));
	}
	let others = (1..node.input.len())
		.map(|position| builder.tensor(node, position))
		.collect::<Result<Vec<Tensor>, _>>()?;
	if others.iter().any(|other| other.rank != input.rank) {
		return Err(form(
			node,
			"its operands have different ranks",
			"bring them to one rank",
		));
	}
	if others.is_empty() {
		builder.set_alias(node, input);
		return Ok(());
	}
	let indices = others.iter().map(|other| other.index).collect();
	builder.push(node, input, &others, FloatOperator::Concat(indices), input.rank)
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
	// A scale goes behind the Reshape, where a Linear can take it up.
	let to_vector = shape.is_vector() && shape.elements() == input.shape.elements();
	if let Some((scale, from)) = builder.take_scale(node, 0, |_| to_vector) {
		builder.push(node, from, &[], FloatOperator::Reshape(shape), rank)?;
		let reshaped = builder.output(node)?;
		let spread = |values: &[f32]| {
			let channels = values
				.iter()
				.map(|value| std::iter::repeat_n(*value, input.shape.plane() as usize));
			channels.flatten().collect()
		};
		let Parameters { weights, biases } = scale;
		let scale = FloatOperator::scale(spread(&weights), spread(&biases));
		return builder.push(node, reshaped, &[], scale, rank);
	}
	builder.push(node, input, &[], FloatOperator::Reshape(shape), rank)
}

/// As [`reshape_to`], for the dimensions that the graph says.
fn reshape_to_dims<'a>(
	builder: &mut Builder<'a>,
	node: &'a NodeProto,
	input: Tensor,
	dims: &[u32],
) -> Result<(), OnnxError> {
	let (shape, rank) = match *dims {
		[1, features] => (Shape::vector(features), 2),
		[1, channels, length] => (Shape::new(channels, 1, length), 3),
		[1, channels, height, width] => (Shape::new(channels, height, width), 4),
		_ => {
			let problem = format!(
				"the shape {dims:?} is none of [1, features], [1, channels, length] and [1, channels, height, width]"
			);
			return Err(form(node, problem, "keep the batch of 1 and use one of these"));
		}
	};
	reshape_to(builder, node, input, shape, rank)
}

/// The dimensions of a tensor in the graph.
fn dims(tensor: Tensor) -> Vec<u32> {
	let Shape {
		channels,
		height,
		width,
	} = tensor.shape;
	match tensor.rank {
		2 => vec![1, channels],
		3 => vec![1, channels, width],
		_ => vec![1, channels, height, width],
	}
}

/// The axes that a Squeeze or Unsqueeze names: an attribute up to operator set 12, then an input.
fn axes_of(builder: &Builder, node: &NodeProto) -> Result<Option<Vec<i64>>, OnnxError> {
	let mut attributes = Attributes::new(node);
	let axes = attributes.ints("axes")?.map(<[i64]>::to_vec);
	attributes.finish()?;
	if Builder::has_input(node, 1) {
		return builder.integers(node, 1).map(Some);
	}
	Ok(axes)
}

/// [`axes_of`], counted from the front of `rank` dimensions.
fn axes(builder: &Builder, node: &NodeProto, rank: usize) -> Result<Option<Vec<usize>>, OnnxError> {
	let Some(axes) = axes_of(builder, node)? else {
		return Ok(None);
	};
	let from_front = |axis: &i64| {
		let axis = if *axis < 0 {
			axis.checked_add(rank as i64)?
		} else {
			*axis
		};
		usize::try_from(axis).ok().filter(|axis| *axis < rank)
	};
	let counted: Option<Vec<usize>> = axes.iter().map(from_front).collect();
	counted
		.filter(|axes| axes.len() <= MAX_DIMS)
		.map(Some)
		.ok_or_else(|| {
			form(
				node,
				format!("axes {axes:?} are not among {rank} dimensions"),
				"export the model again",
			)
		})
}

/// The dimensions that a shape with 0 (as before) and -1 (what is left) stands for.
fn resolve(node: &NodeProto, input: Tensor, shape: &[i64]) -> Result<Vec<u32>, OnnxError> {
	let before = dims(input);
	let bad = || {
		form(
			node,
			format!("the shape {shape:?} does not fit its input"),
			"export the model again",
		)
	};
	if shape.len() > MAX_DIMS {
		return Err(bad());
	}
	let known = shape.iter().enumerate().map(|(axis, dim)| match dim {
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
