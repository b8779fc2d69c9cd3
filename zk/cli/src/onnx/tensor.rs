//! Constant tensors.

use super::{
	error::OnnxError,
	proto::{data_type, TensorProto, LOCATION_EXTERNAL},
};

/// A constant of floats.
#[derive(Clone, Debug)]
pub struct FloatTensor {
	/// Dimensions, outermost first; none for a scalar.
	pub dims: Vec<usize>,
	/// Elements, row-major; as many as the product of `dims`, all finite.
	pub values: Vec<f32>,
}

/// Reads a constant of type float or double.
pub fn floats(tensor: &TensorProto) -> Result<FloatTensor, OnnxError> {
	let bad = |problem| OnnxError::BadConstant {
		name: tensor.name.clone(),
		problem,
	};
	let values: Vec<f32> = match tensor.data_type {
		data_type::FLOAT => elements(tensor, &tensor.float_data, f32::from_le_bytes)?,
		data_type::DOUBLE => {
			let values = elements(tensor, &tensor.double_data, f64::from_le_bytes)?;
			values.into_iter().map(|value| value as f32).collect()
		}
		_ => {
			return Err(bad(
				"its type is not float or double; export the model in float32",
			))
		}
	};
	if values.iter().any(|value| !value.is_finite()) {
		return Err(bad("it holds NaN or infinity; train or export the model again"));
	}
	let dims = dims(tensor)?;
	if elements_of(&dims) != Some(values.len()) {
		return Err(bad(
			"its elements are not as many as its shape says; the file is damaged",
		));
	}
	Ok(FloatTensor { dims, values })
}

/// Reads a one-dimensional constant of int64, as shapes are.
pub fn integers(tensor: &TensorProto) -> Result<Vec<i64>, OnnxError> {
	let bad = |problem| OnnxError::BadConstant {
		name: tensor.name.clone(),
		problem,
	};
	if tensor.data_type != data_type::INT64 {
		return Err(bad("a shape must be of type int64; export the model again"));
	}
	let values = elements(tensor, &tensor.int64_data, i64::from_le_bytes)?;
	match dims(tensor)?.as_slice() {
		[len] if *len == values.len() => Ok(values),
		_ => Err(bad("a shape must have one dimension; export the model again")),
	}
}

/// Reads a constant of type int8, uint8 or int32, as quantised weights, biases and zero points are: as many elements as its
/// shape says.
pub fn small_integers(tensor: &TensorProto) -> Result<Vec<i32>, OnnxError> {
	let bad = |problem| OnnxError::BadConstant {
		name: tensor.name.clone(),
		problem,
	};
	// Without raw data all three types lie in the same field.
	let typed = &tensor.int32_data;
	let values: Vec<i32> = match tensor.data_type {
		data_type::INT32 => elements(tensor, typed, i32::from_le_bytes)?,
		data_type::INT8 => elements(tensor, typed, |[byte]: [u8; 1]| byte.cast_signed().into())?,
		data_type::UINT8 => elements(tensor, typed, |[byte]: [u8; 1]| byte.into())?,
		_ => {
			return Err(bad(
				"its type is not int8, uint8 or int32; quantise to int8 with int32 biases",
			))
		}
	};
	if elements_of(&dims(tensor)?) != Some(values.len()) {
		return Err(bad(
			"its elements are not as many as its shape says; the file is damaged",
		));
	}
	Ok(values)
}

/// The product of dimensions.
fn elements_of(dims: &[usize]) -> Option<usize> {
	dims.iter()
		.try_fold(1usize, |product, dim| product.checked_mul(*dim))
}

fn dims(tensor: &TensorProto) -> Result<Vec<usize>, OnnxError> {
	let dims = tensor.dims.iter().map(|dim| usize::try_from(*dim));
	dims.collect::<Result<_, _>>()
		.map_err(|_| OnnxError::BadConstant {
			name: tensor.name.clone(),
			problem: "it has a negative dimension; the file is damaged",
		})
}

/// The elements from the raw data, or from the field of their type.
fn elements<T: Copy, const N: usize>(
	tensor: &TensorProto,
	typed: &[T],
	from_le_bytes: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, OnnxError> {
	let bad = |problem| OnnxError::BadConstant {
		name: tensor.name.clone(),
		problem,
	};
	if tensor.data_location == LOCATION_EXTERNAL {
		return Err(bad(
			"its elements lie in another file; export with all data in one file",
		));
	}
	if tensor.raw_data.is_empty() {
		return Ok(typed.to_vec());
	}
	let (chunks, rest) = tensor.raw_data.as_chunks::<N>();
	if !rest.is_empty() {
		return Err(bad("its raw data ends within an element; the file is damaged"));
	}
	Ok(chunks.iter().map(|chunk| from_le_bytes(*chunk)).collect())
}
