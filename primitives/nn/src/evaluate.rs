//! The reference semantics: what a model computes, bit for bit.

use crate::{
	error::EvaluateError,
	model::Model,
	operator::{Activation, Add, Conv2d, DilatedConv2d, Operator, Window},
	shape::Shape,
	trace::{LayerTrace, Trace},
	weights::LayerWeights,
};
use alloc::vec::Vec;

/// `clamp((acc + 2^(shift - 1)) >> shift)`: an arithmetic shift, rounding half up; nothing is added where `shift` is 0.
///
/// The clamp is to -128..=127, or to 0..=127 with ReLU. `shift` is 0..=31; a larger one counts as 31.
pub fn requantise(accumulator: i32, shift: u8, activation: Activation) -> i8 {
	let shift = u32::from(shift.min(crate::limits::MAX_SHIFT));
	// 2^(shift - 1), and 0 for a shift of 0.
	let half = 1i64.wrapping_shl(shift).wrapping_shr(1);
	let shifted = i64::from(accumulator).wrapping_add(half).wrapping_shr(shift);
	let clamped = shifted.clamp(activation.floor().into(), i8::MAX.into());
	i8::try_from(clamped).unwrap_or(i8::MAX)
}

impl Model {
	/// Evaluates the model on `input` (CHW, [`input_len`](crate::Architecture::input_len) elements) and returns its output (CHW).
	pub fn evaluate(&self, input: &[i8]) -> Result<Vec<i8>, EvaluateError> {
		let mut trace = self.run(input, false)?;
		Ok(trace.layers.pop().map_or_else(Vec::new, |layer| layer.outputs))
	}

	/// Evaluates the model and keeps every accumulator and activation.
	pub fn trace(&self, input: &[i8]) -> Result<Trace, EvaluateError> {
		self.run(input, true)
	}

	/// Evaluates layer after layer; keeps accumulators if asked to.
	fn run(&self, input: &[i8], keep_accumulators: bool) -> Result<Trace, EvaluateError> {
		let expected = usize::try_from(self.architecture().input_len()).unwrap_or(usize::MAX);
		if input.len() != expected {
			return Err(EvaluateError::WrongInputLength {
				found: input.len(),
				expected,
			});
		}
		let layers = Vec::with_capacity(self.architecture().layers().len());
		let mut trace = Trace {
			input: input.to_vec(),
			layers,
		};
		for index in 0..self.architecture().layers().len() {
			let mut layer = self.run_layer(index, &trace)?;
			if !keep_accumulators {
				layer.accumulators = Vec::new();
			}
			trace.layers.push(layer);
		}
		Ok(trace)
	}

	/// Evaluates one layer on the tensors before it.
	fn run_layer(&self, index: usize, trace: &Trace) -> Result<LayerTrace, EvaluateError> {
		let view = |tensor: u16| View {
			shape: self.architecture().shape(tensor).unwrap_or(Shape::vector(0)),
			values: trace.tensor(tensor.into()).unwrap_or(&[]),
		};
		let Some(layer) = self.architecture().layers().get(index) else {
			return Ok(LayerTrace {
				accumulators: Vec::new(),
				outputs: Vec::new(),
			});
		};
		let from = view(layer.input);
		let to = self
			.architecture()
			.shapes()
			.get(index.saturating_add(1))
			.copied()
			.unwrap_or(from.shape);
		let empty = LayerWeights {
			weights: Vec::new(),
			biases: Vec::new(),
		};
		let weights = self.layer_weights(index).unwrap_or(&empty);
		let pass = |outputs: Vec<i8>| {
			Ok(LayerTrace {
				accumulators: Vec::new(),
				outputs,
			})
		};
		let accumulators = match &layer.operator {
			Operator::Linear(_) => linear(weights, from),
			Operator::Conv2d(conv) => convolution(conv, [1, 1], weights, from, to),
			Operator::DilatedConv2d(DilatedConv2d { conv, dilation }) => {
				convolution(conv, *dilation, weights, from, to)
			}
			Operator::AvgPool(pool) => sum_windows(&pool.window, from, to),
			Operator::Add(add) => weighted_sum(add, from, view(add.other)),
			Operator::MaxPool(window) => return pass(max_windows(window, from, to)),
			Operator::Reshape(_) => return pass(from.values.to_vec()),
			Operator::Relu => return pass(from.values.iter().map(|x| (*x).max(0)).collect()),
			Operator::Lut(table) => return pass(from.values.iter().map(|x| look_up(table, *x)).collect()),
			Operator::Concat(concat) => {
				let others = concat.others.iter().map(|other| view(*other).values);
				return pass(
					core::iter::once(from.values)
						.chain(others)
						.flatten()
						.copied()
						.collect(),
				);
			}
			Operator::Transpose(permutation) => {
				let places = from.shape.transposed_places(*permutation);
				return pass(
					places
						.map(|place| from.values.get(place).copied().unwrap_or(0))
						.collect(),
				);
			}
			Operator::MatMul(matmul) => {
				let other = view(matmul.other);
				matmul.accumulators(from.shape, from.values, other.shape, other.values)
			}
			Operator::Softmax(softmax) => return pass(softmax.outputs(from.values, from.shape.width)),
			Operator::LayerNormalization(normalization) => {
				normalization.accumulators(weights, from.values, from.shape.width)
			}
			Operator::Embedding(embedding) => {
				let outputs = embedding.outputs(weights, from.values);
				return pass(outputs.map_err(|token| EvaluateError::UnknownToken {
					layer: index,
					token,
					vocabulary: embedding.vocabulary,
				})?);
			}
		};
		let plane = usize::try_from(to.plane()).unwrap_or(usize::MAX).max(1);
		let channels = accumulators.chunks(plane).enumerate();
		let outputs = channels.flat_map(|(channel, accumulators)| {
			let (shift, activation) = layer
				.operator
				.requantisation(channel)
				.unwrap_or((0, Activation::Identity));
			accumulators
				.iter()
				.map(move |accumulator| requantise(*accumulator, shift, activation))
		});
		Ok(LayerTrace {
			outputs: outputs.collect(),
			accumulators,
		})
	}
}

/// A tensor and its shape.
#[derive(Clone, Copy)]
struct View<'a> {
	shape: Shape,
	values: &'a [i8],
}

impl View<'_> {
	/// The element at (channel, row, column), `None` where that is outside the tensor.
	fn get(&self, channel: u32, row: i64, column: i64) -> Option<i8> {
		let row = u32::try_from(row).ok().filter(|row| *row < self.shape.height)?;
		let column = u32::try_from(column)
			.ok()
			.filter(|column| *column < self.shape.width)?;
		let offset = channel.checked_mul(self.shape.height)?.checked_add(row)?;
		let offset = offset.checked_mul(self.shape.width)?.checked_add(column)?;
		self.values.get(usize::try_from(offset).ok()?).copied()
	}
}

/// Adds `weight · x`. `Model::new` has shown that no partial sum leaves int32, so nothing wraps.
fn multiply_add(accumulator: i32, weight: i32, x: i8) -> i32 {
	accumulator.wrapping_add(weight.wrapping_mul(x.into()))
}

/// Accumulators of a Linear.
fn linear(weights: &LayerWeights, from: View) -> Vec<i32> {
	let rows = weights.weights.chunks(from.values.len().max(1));
	rows.zip(&weights.biases)
		.map(|(row, bias)| {
			row.iter()
				.zip(from.values)
				.fold(*bias, |sum, (w, x)| multiply_add(sum, (*w).into(), *x))
		})
		.collect()
}

/// Accumulators of a convolution.
fn convolution(conv: &Conv2d, dilation: [u16; 2], weights: &LayerWeights, from: View, to: Shape) -> Vec<i32> {
	let [row_step, column_step] = dilation.map(|step| usize::from(step).max(1));
	let group_inputs = from.shape.channels.checked_div(conv.groups).unwrap_or(0);
	let group_outputs = conv.outputs.checked_div(conv.groups).unwrap_or(0);
	let [_, columns] = conv.window.kernel.map(usize::from);
	let area = usize::try_from(conv.window.area()).unwrap_or(usize::MAX);
	let kernel_len = area.saturating_mul(usize::try_from(group_inputs).unwrap_or(usize::MAX));
	let mut accumulators = Vec::with_capacity(weights.biases.len());
	let kernels = weights.weights.chunks(kernel_len.max(1)).zip(&weights.biases);
	for (output, (kernel, bias)) in (0u32..).zip(kernels) {
		let group = output.checked_div(group_outputs).unwrap_or(0);
		let first = group.saturating_mul(group_inputs);
		for (row, column) in positions(&conv.window, to) {
			let mut sum = *bias;
			for (channel, taps) in (first..).zip(kernel.chunks(area.max(1))) {
				for (row, taps) in (row..).step_by(row_step).zip(taps.chunks(columns.max(1))) {
					for (column, weight) in (column..).step_by(column_step).zip(taps) {
						// What lies outside the input is zero.
						sum =
							multiply_add(sum, (*weight).into(), from.get(channel, row, column).unwrap_or(0));
					}
				}
			}
			accumulators.push(sum);
		}
	}
	accumulators
}

/// Accumulators of an AvgPool.
fn sum_windows(window: &Window, from: View, to: Shape) -> Vec<i32> {
	fold_windows(window, from, to, 0i32, |sum, x| sum.wrapping_add(x.into()))
}

/// Outputs of a MaxPool.
fn max_windows(window: &Window, from: View, to: Shape) -> Vec<i8> {
	fold_windows(window, from, to, i8::MIN, |max, x| max.max(x))
}

/// Folds the elements inside the input of every window of every channel.
fn fold_windows<T: Copy>(
	window: &Window,
	from: View,
	to: Shape,
	start: T,
	fold: impl Fn(T, i8) -> T,
) -> Vec<T> {
	let [rows, columns] = window.kernel.map(usize::from);
	let mut folded = Vec::with_capacity(usize::try_from(to.elements()).unwrap_or(0));
	for channel in 0..from.shape.channels {
		for (row, column) in positions(window, to) {
			let mut value = start;
			for row in (row..).take(rows) {
				for column in (column..).take(columns) {
					if let Some(x) = from.get(channel, row, column) {
						value = fold(value, x);
					}
				}
			}
			folded.push(value);
		}
	}
	folded
}

/// Accumulators of an Add.
fn weighted_sum(add: &Add, from: View, other: View) -> Vec<i32> {
	let [left, right] = add.multipliers.map(i32::from);
	let pairs = from.values.iter().zip(other.values);
	pairs
		.map(|(x, y)| multiply_add(multiply_add(0, left, *x), right, *y))
		.collect()
}

/// The image of `x` under a table whose entry `i` is the image of `i - 128`.
fn look_up(table: &[i8; 256], x: i8) -> i8 {
	let index = i16::from(x).wrapping_sub(i8::MIN.into());
	usize::try_from(index)
		.ok()
		.and_then(|index| table.get(index))
		.copied()
		.unwrap_or(0)
}

/// First row and column, in the input, of every window of an output plane, row by row.
fn positions(window: &Window, to: Shape) -> impl Iterator<Item = (i64, i64)> {
	let [row_stride, column_stride] = window.stride.map(i64::from);
	let [top, left, _, _] = window.padding.map(i64::from);
	let at = |position: u32, stride: i64, before: i64| {
		i64::from(position).wrapping_mul(stride).wrapping_sub(before)
	};
	(0..to.height)
		.flat_map(move |y| (0..to.width).map(move |x| (at(y, row_stride, top), at(x, column_stride, left))))
}
