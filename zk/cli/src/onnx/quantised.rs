//! QuantizeLinear and DequantizeLinear, which stand around the float operators of a quantised (QDQ) model.

use super::{
	attributes::{form, Attributes},
	error::OnnxError,
	lower::Builder,
	proto::{data_type, NodeProto, TensorProto},
	tensor::{small_integers, FloatTensor},
};
use crate::float::Quantisation;

const REMEDY: &str =
	"quantise to int8 or uint8, activations with one scale a tensor, weights with one a tensor or a channel";

/// Lowers QuantizeLinear: its input is rounded to a grid.
pub fn quantize<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	axis(node)?;
	let quantisation = grid(builder, node)?;
	builder.quantise(node, quantisation)
}

/// Lowers DequantizeLinear: a constant becomes one of floats, a quantised tensor itself.
pub fn dequantize<'a>(builder: &mut Builder<'a>, node: &'a NodeProto) -> Result<(), OnnxError> {
	let axis = axis(node)?;
	if let Some(constant) = builder.maybe_constant(node, 0)? {
		let values = dequantised(builder, node, constant, axis)?;
		builder.set_floats(node, values);
		return Ok(());
	}
	let (tensor, quantisation) = builder.quantised(node, 0)?;
	if grid(builder, node)? != quantisation {
		return Err(form(
			node,
			"its scale or zero point is not that of the QuantizeLinear before it",
			"export the model again",
		));
	}
	builder.set_alias(node, tensor);
	Ok(())
}

/// The attributes' axis, counted as they count it.
fn axis(node: &NodeProto) -> Result<i64, OnnxError> {
	let mut attributes = Attributes::new(node);
	let axis = attributes.int("axis", 1)?;
	attributes.fixed("block_size", 0, "quantise without blocks")?;
	attributes.int("saturate", 1)?;
	attributes.int("precision", 0)?;
	// The zero point's type says the same.
	attributes.int("output_dtype", 0)?;
	attributes.finish()?;
	Ok(axis)
}

/// Scale and zero point of a node over an activation.
fn grid(builder: &Builder, node: &NodeProto) -> Result<Quantisation, OnnxError> {
	let [scale] = builder.floats(node, 1)?.values[..] else {
		return Err(form(node, "an activation has several scales", REMEDY));
	};
	check_scale(node, scale)?;
	// Without a zero point the type is uint8.
	let (zero_point, kind) = if Builder::has_input(node, 2) {
		let constant = builder.constant(node, 2)?;
		match small_integers(constant)?[..] {
			[zero_point] => (zero_point, constant.data_type),
			_ => return Err(form(node, "an activation has several zero points", REMEDY)),
		}
	} else {
		(0, data_type::UINT8)
	};
	let first = match kind {
		data_type::INT8 => i8::MIN.into(),
		data_type::UINT8 => 0,
		_ => return Err(form(node, "its type is neither int8 nor uint8", REMEDY)),
	};
	Ok(Quantisation {
		scale,
		zero_point,
		first,
	})
}

/// The real values of a constant.
fn dequantised(
	builder: &Builder,
	node: &NodeProto,
	constant: &TensorProto,
	axis: i64,
) -> Result<FloatTensor, OnnxError> {
	let integers = small_integers(constant)?;
	let scales = builder.floats(node, 1)?.values;
	for scale in &scales {
		check_scale(node, *scale)?;
	}
	let zero_points = if Builder::has_input(node, 2) {
		small_integers(builder.constant(node, 2)?)?
	} else {
		vec![0]
	};
	let dims: Vec<usize> = constant
		.dims
		.iter()
		.map(|dim| usize::try_from(*dim).unwrap_or(0))
		.collect();
	let axis = if axis < 0 {
		axis.saturating_add(dims.len() as i64)
	} else {
		axis
	};
	let axis = usize::try_from(axis).unwrap_or(usize::MAX);
	let channels = dims.get(axis).copied().unwrap_or(1);
	let inner = dims
		.iter()
		.skip(axis.saturating_add(1))
		.fold(1usize, |product, dim| product.saturating_mul(*dim))
		.max(1);
	let fits = |count: usize| count == 1 || count == channels;
	if !fits(scales.len()) || !fits(zero_points.len()) {
		return Err(form(
			node,
			"it has not one scale and zero point for all, or one a channel",
			REMEDY,
		));
	}
	let values = integers.iter().enumerate().map(|(index, integer)| {
		let channel = index / inner % channels.max(1);
		let scale = scales.get(channel).unwrap_or(&scales[0]);
		let zero_point = zero_points.get(channel).unwrap_or(&zero_points[0]);
		// int32 biases may need more than float32's 24 bits.
		((f64::from(*integer) - f64::from(*zero_point)) * f64::from(*scale)) as f32
	});
	let values = values.collect();
	Ok(FloatTensor { dims, values })
}

fn check_scale(node: &NodeProto, scale: f32) -> Result<(), OnnxError> {
	if scale.is_normal() && scale > 0.0 {
		return Ok(());
	}
	Err(form(
		node,
		"a scale is not a positive number",
		"quantise the model again",
	))
}
