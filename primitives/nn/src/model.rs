//! Models: an architecture with weights that fit it, and the bounds that follow from them.

use crate::{
	architecture::Architecture,
	bounds::Interval,
	embedding::Embedding,
	error::ModelError,
	layer_normalization::LayerNormalization,
	operator::{Activation, DilatedConv2d, Operator, TensorIndex},
	shape::Shape,
	weights::{LayerWeights, Weights},
};
use alloc::{vec, vec::Vec};

/// An architecture and its weights, checked: no input can drive an accumulator, in whatever order its terms are added
/// to the bias and with its rounding, out of int32.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
	architecture: Architecture,
	weights: Weights,
	/// For every layer its entry in `weights`.
	weight_entries: Vec<Option<usize>>,
	/// For every layer the interval of each channel's accumulators; empty where it does not accumulate.
	accumulator_bounds: Vec<Vec<Interval>>,
	/// For every tensor the interval of each channel's elements, zero included.
	tensor_bounds: Vec<Vec<Interval>>,
}

impl Model {
	/// Checks that `weights` fit `architecture` and computes the bounds.
	pub fn new(architecture: Architecture, weights: Weights) -> Result<Self, ModelError> {
		let expected = architecture
			.layers()
			.iter()
			.filter(|layer| layer.operator.has_weights())
			.count();
		if weights.layers().len() != expected {
			return Err(ModelError::WrongLayerCount {
				found: weights.layers().len(),
				expected,
			});
		}
		let mut model = Self {
			weight_entries: Vec::with_capacity(architecture.layers().len()),
			accumulator_bounds: Vec::with_capacity(architecture.layers().len()),
			tensor_bounds: vec![vec![
				Interval::INT8;
				to_usize(architecture.input_shape().channels)
			]],
			architecture,
			weights,
		};
		let mut entry = 0usize;
		for index in 0..model.architecture.layers().len() {
			let has_weights = model
				.architecture
				.layers()
				.get(index)
				.is_some_and(|layer| layer.operator.has_weights());
			model.weight_entries.push(has_weights.then_some(entry));
			entry = entry.saturating_add(has_weights.into());
			let (accumulators, outputs) = model.layer_bounds(index)?;
			model.accumulator_bounds.push(accumulators);
			model.tensor_bounds.push(outputs);
		}
		Ok(model)
	}

	/// The architecture.
	pub fn architecture(&self) -> &Architecture {
		&self.architecture
	}

	/// The weights.
	pub fn weights(&self) -> &Weights {
		&self.weights
	}

	/// The weights of layer `layer`; `None` where its operator has none or the layer does not exist.
	pub fn layer_weights(&self, layer: usize) -> Option<&LayerWeights> {
		self.weights.layers().get((*self.weight_entries.get(layer)?)?)
	}

	/// For each output channel of layer `layer` the interval that its accumulators lie in on every input, bias
	/// included, rounding not. It is the tightest that interval arithmetic over the inputs' [`Self::tensor_bounds`] gives.
	/// Empty for operators that do not accumulate and for layers that do not exist.
	pub fn accumulator_bounds(&self, layer: usize) -> &[Interval] {
		self.accumulator_bounds.get(layer).map_or(&[], Vec::as_slice)
	}

	/// For each channel of tensor `tensor` (0 is the input, `i + 1` the output of layer `i`) an interval, containing zero,
	/// that its elements lie in on every input. Empty for tensors that do not exist.
	pub fn tensor_bounds(&self, tensor: usize) -> &[Interval] {
		self.tensor_bounds.get(tensor).map_or(&[], Vec::as_slice)
	}

	/// Bounds of a layer's accumulators and of its output, from those of the tensors before it.
	fn layer_bounds(&self, index: usize) -> Result<(Vec<Interval>, Vec<Interval>), ModelError> {
		let Some(layer) = self.architecture.layers().get(index) else {
			return Ok((Vec::new(), Vec::new()));
		};
		let from = self.tensor_bounds(usize::from(layer.input));
		let from_shape = self.shape(layer.input);
		let pass = |outputs: Vec<Interval>| Ok((Vec::new(), outputs));
		let sums = match &layer.operator {
			Operator::Linear(linear) => self.dot_bounds(index, from, 1, linear.outputs, 1)?,
			Operator::Conv2d(conv) | Operator::DilatedConv2d(DilatedConv2d { conv, .. }) => {
				self.dot_bounds(index, from, conv.window.area(), conv.outputs, conv.groups)?
			}
			Operator::AvgPool(pool) => {
				let area = i64::try_from(pool.window.area()).unwrap_or(i64::MAX);
				from.iter().map(|input| Sum::ZERO.plus(area, *input)).collect()
			}
			Operator::Add(add) => {
				let [left, right] = add.multipliers.map(i64::from);
				let other = self.tensor_bounds(usize::from(add.other));
				from.iter()
					.zip(other)
					.map(|(x, y)| Sum::ZERO.plus(left, *x).plus(right, *y))
					.collect()
			}
			Operator::MaxPool(_) => return pass(from.to_vec()),
			Operator::Reshape(to) => return pass(reshaped_bounds(from, from_shape, *to)),
			Operator::Relu => {
				return pass(
					from.iter()
						.map(|input| input.requantised(0, Activation::Relu))
						.collect(),
				);
			}
			Operator::Lut(table) => {
				return pass(from.iter().map(|input| table_bounds(table, *input)).collect());
			}
			Operator::Concat(concat) => {
				let others = concat
					.others
					.iter()
					.map(|other| self.tensor_bounds((*other).into()));
				return pass(core::iter::once(from).chain(others).flatten().copied().collect());
			}
			Operator::Transpose(permutation) => {
				return pass(transposed_bounds(from, from_shape, *permutation));
			}
			Operator::MatMul(matmul) => {
				let other = self.tensor_bounds(usize::from(matmul.other));
				let terms = i64::from(from_shape.width);
				let channels = from.iter().zip(other);
				channels.map(|(x, y)| Sum::of_products(terms, *x, *y)).collect()
			}
			Operator::Softmax(_) => {
				let whole = i32::from(i8::MAX);
				return pass(vec![Interval::new(0, whole); from.len()]);
			}
			Operator::LayerNormalization(_) => {
				vec![self.normalization_bounds(index, from_shape.width)?; from.len()]
			}
			Operator::Embedding(embedding) => {
				return pass(self.embedding_bounds(index, embedding, from_shape.channels)?);
			}
		};
		let mut accumulators = Vec::with_capacity(sums.len());
		let mut outputs = Vec::with_capacity(sums.len());
		for (channel, sum) in sums.into_iter().enumerate() {
			let overflow = ModelError::AccumulatorOverflow {
				layer: index,
				channel,
			};
			let (shift, activation) = layer.operator.requantisation(channel).ok_or(overflow)?;
			let interval = sum.interval(shift).ok_or(overflow)?;
			accumulators.push(interval);
			outputs.push(interval.requantised(shift, activation).with_zero());
		}
		Ok((accumulators, outputs))
	}

	/// Bounds of a Linear's or Conv2d's accumulators, whose weights it checks: `taps` weights an input channel, `outputs`
	/// channels in `groups` groups.
	fn dot_bounds(
		&self,
		layer: usize,
		from: &[Interval],
		taps: u64,
		outputs: u32,
		groups: u32,
	) -> Result<Vec<Sum>, ModelError> {
		let empty = LayerWeights {
			weights: Vec::new(),
			biases: Vec::new(),
		};
		let layer_weights = self.layer_weights(layer).unwrap_or(&empty);
		let LayerWeights { weights, biases } = layer_weights;
		let taps = usize::try_from(taps).unwrap_or(usize::MAX);
		let group_inputs = from.len().checked_div(to_usize(groups)).unwrap_or(0);
		let group_outputs = to_usize(outputs).checked_div(to_usize(groups)).unwrap_or(0);
		let row = group_inputs.saturating_mul(taps);
		let expected = row.saturating_mul(to_usize(outputs));
		check_counts(
			layer,
			layer_weights,
			u64::try_from(expected).unwrap_or(u64::MAX),
			outputs,
		)?;
		let group_rows = weights.chunks(row.saturating_mul(group_outputs).max(1));
		let group_biases = biases.chunks(group_outputs.max(1));
		let mut sums = Vec::with_capacity(biases.len());
		for ((rows, biases), inputs) in group_rows.zip(group_biases).zip(from.chunks(group_inputs.max(1))) {
			for (row, bias) in rows.chunks(row.max(1)).zip(biases) {
				let terms = row.chunks(taps.max(1)).zip(inputs);
				sums.push(terms.fold(Sum::of(*bias), |sum, (taps, input)| {
					taps.iter()
						.fold(sum, |sum, weight| sum.plus((*weight).into(), *input))
				}));
			}
		}
		Ok(sums)
	}

	/// Bounds of the accumulators of a LayerNormalization over rows of `width`, whose weights it checks.
	fn normalization_bounds(&self, layer: usize, width: u32) -> Result<Sum, ModelError> {
		let empty = LayerWeights {
			weights: Vec::new(),
			biases: Vec::new(),
		};
		let weights = self.layer_weights(layer).unwrap_or(&empty);
		check_counts(layer, weights, width.into(), width)?;
		let normalised = LayerNormalization::normalised_bounds(width);
		let sums = weights.weights.iter().zip(&weights.biases);
		let sums = sums.map(|(weight, bias)| Sum::of(*bias).plus((*weight).into(), normalised));
		Ok(sums.reduce(Sum::hull).unwrap_or(Sum::ZERO))
	}

	/// Bounds of the output of an Embedding of `tokens` tokens, whose table it checks.
	fn embedding_bounds(
		&self,
		layer: usize,
		embedding: &Embedding,
		tokens: u32,
	) -> Result<Vec<Interval>, ModelError> {
		let empty = LayerWeights {
			weights: Vec::new(),
			biases: Vec::new(),
		};
		let weights = self.layer_weights(layer).unwrap_or(&empty);
		let entries = u64::from(embedding.vocabulary).saturating_mul(embedding.width.into());
		check_counts(layer, weights, entries, 0)?;
		let entries = weights.weights.iter().map(|entry| i32::from(*entry));
		let bounds = entries.fold(Interval::new(0, 0), |hull, entry| {
			hull.hull(Interval::new(entry, entry))
		});
		Ok(vec![bounds; to_usize(tokens)])
	}

	/// Shape of a tensor that a checked architecture names.
	fn shape(&self, tensor: TensorIndex) -> Shape {
		self.architecture.shape(tensor).unwrap_or(Shape::vector(0))
	}
}

/// Checks that a layer has as many weights and biases as its shape asks for.
fn check_counts(layer: usize, weights: &LayerWeights, expected: u64, biases: u32) -> Result<(), ModelError> {
	if u64::try_from(weights.weights.len()) != Ok(expected) {
		return Err(ModelError::WrongWeightCount {
			layer,
			found: weights.weights.len(),
			expected,
		});
	}
	if weights.biases.len() != to_usize(biases) {
		return Err(ModelError::WrongBiasCount {
			layer,
			found: weights.biases.len(),
			expected: biases,
		});
	}
	Ok(())
}

/// A sum of products, as an interval. int64 is wide enough: at most 2^25 terms of at most 2^30 each.
#[derive(Clone, Copy)]
struct Sum {
	lower: i64,
	upper: i64,
}

impl Sum {
	const ZERO: Sum = Sum { lower: 0, upper: 0 };

	fn of(bias: i32) -> Self {
		Self {
			lower: bias.into(),
			upper: bias.into(),
		}
	}

	/// The sum of `terms` products of values of two intervals that contain zero.
	fn of_products(terms: i64, x: Interval, y: Interval) -> Self {
		let corner = |x: i32, y: i32| i64::from(x).saturating_mul(y.into());
		let corners = [
			corner(x.lower, y.lower),
			corner(x.lower, y.upper),
			corner(x.upper, y.lower),
			corner(x.upper, y.upper),
		];
		let ends = corners.iter().fold((0, 0), |(lower, upper): (i64, i64), corner| {
			(lower.min(*corner), upper.max(*corner))
		});
		Self {
			lower: terms.saturating_mul(ends.0),
			upper: terms.saturating_mul(ends.1),
		}
	}

	/// The least sum that contains both.
	fn hull(self, other: Self) -> Self {
		Self {
			lower: self.lower.min(other.lower),
			upper: self.upper.max(other.upper),
		}
	}

	/// The sum with `factor · input` added. As `input` contains zero, the interval only grows: it holds every partial
	/// sum too.
	fn plus(self, factor: i64, input: Interval) -> Self {
		let a = factor.saturating_mul(input.lower.into());
		let b = factor.saturating_mul(input.upper.into());
		Self {
			lower: self.lower.saturating_add(a.min(b)),
			upper: self.upper.saturating_add(a.max(b)),
		}
	}

	/// The interval, if it and its upper end with the rounding of `shift` lie in int32.
	fn interval(self, shift: u8) -> Option<Interval> {
		let rounding = 1i64.checked_shl(shift.into())?.checked_div(2)?;
		i32::try_from(self.upper.checked_add(rounding)?).ok()?;
		Some(Interval {
			lower: i32::try_from(self.lower).ok()?,
			upper: i32::try_from(self.upper).ok()?,
		})
	}
}

/// Bounds of each channel of `to` from those of `from`, which has the same elements: the hull of the channels that it
/// takes elements from.
fn reshaped_bounds(bounds: &[Interval], from: Shape, to: Shape) -> Vec<Interval> {
	let source = |element: u64| {
		element
			.checked_div(from.plane().into())
			.and_then(|channel| usize::try_from(channel).ok())
	};
	let plane = u64::from(to.plane());
	(0..u64::from(to.channels))
		.map(|channel| {
			let start = channel.saturating_mul(plane);
			let last = start.saturating_add(plane).saturating_sub(1);
			let channels = source(start)
				.zip(source(last))
				.and_then(|(first, last)| bounds.get(first..=last));
			let hull = channels.and_then(|channels| channels.iter().copied().reduce(Interval::hull));
			hull.unwrap_or(Interval::INT8)
		})
		.collect()
}

/// Bounds of each channel after a Transpose: those of its own where channels stay channels, else the hull of all.
fn transposed_bounds(bounds: &[Interval], from: Shape, permutation: [u8; 3]) -> Vec<Interval> {
	if let [0, _, _] = permutation {
		return bounds.to_vec();
	}
	let channels = from.transposed(permutation).map_or(0, |to| to.channels);
	let hull = bounds
		.iter()
		.copied()
		.reduce(Interval::hull)
		.unwrap_or(Interval::INT8);
	vec![hull; to_usize(channels)]
}

/// Bounds of the images of `input` under a table.
fn table_bounds(table: &[i8; 256], input: Interval) -> Interval {
	let images = (i8::MIN..=i8::MAX)
		.zip(table)
		.filter(|(x, _)| input.contains((*x).into()));
	images.fold(Interval::new(0, 0), |hull, (_, y)| {
		hull.hull(Interval::new((*y).into(), (*y).into()))
	})
}

/// `u32` to `usize`, which has at least 32 bits on every target of ours.
fn to_usize(value: u32) -> usize {
	usize::try_from(value).unwrap_or(usize::MAX)
}
