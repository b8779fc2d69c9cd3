//! The fast native path: the same function as [`Model::evaluate`](crate::Model::evaluate), by other means.
//!
//! Weights are widened to int16 once and padded to whole vector registers. A convolution copies the patches of a tile of
//! positions into rows (im2col) and multiplies them with all kernels of a group while the tile is in the cache; large layers run
//! on the rayon pool. Sums wrap modulo 2^32, and as the true sum lies in int32 the result is exact in any order.

use crate::{
	architecture::Layer,
	error::EvaluateError,
	evaluate::requantise,
	matmul::MatMul,
	model::Model,
	operator::{Activation, Add, AvgPool, Conv2d, DilatedConv2d, Operator, Window},
	shape::Shape,
	trace::{LayerTrace, Trace},
	weights::LayerWeights,
};
use alloc::{vec, vec::Vec};
use core::ops::Range;
use rayon::prelude::*;

/// Rows are padded to a multiple of this many int16: one AVX2 register.
const LANES: usize = 16;

/// Positions of a convolution, or outputs of a Linear, that one tile holds.
const TILE: usize = 32;

/// Multiply-additions from which on a layer is spread over threads.
const PARALLEL_WORK: usize = 1 << 20;

/// A model laid out for fast evaluation on this machine. Equal to the reference on every input.
#[derive(Clone, Debug)]
pub struct FastModel {
	input_len: usize,
	steps: Vec<Step>,
}

/// A layer, what it reads and the shapes on both sides.
#[derive(Clone, Debug)]
struct Step {
	layer: Layer,
	from: Shape,
	to: Shape,
	/// Prepared weights of Linear and Conv2d.
	rows: Rows,
	/// Weights of LayerNormalization and Embedding.
	plain: Option<LayerWeights>,
}

/// What is kept of a layer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
	/// Its outputs: accumulators are requantised as they are summed, and never stored.
	Outputs,
	/// Its accumulators too.
	Accumulators,
}

/// Kernels of a layer, one padded row each, and their biases.
#[derive(Clone, Debug, Default)]
struct Rows {
	/// Weights of one output channel before padding.
	len: usize,
	/// The same with padding.
	stride: usize,
	weights: Vec<i16>,
	biases: Vec<i32>,
}

impl FastModel {
	/// Lays out `model`. Takes about twice the memory of its weights.
	pub fn new(model: &Model) -> Self {
		let architecture = model.architecture();
		let steps = architecture.layers().iter().enumerate().map(|(index, layer)| {
			let weights = model.layer_weights(index);
			let has_rows = !matches!(
				layer.operator,
				Operator::LayerNormalization(_) | Operator::Embedding(_)
			);
			let rows = weights
				.filter(|_| has_rows)
				.map(|weights| Rows::new(&weights.weights, &weights.biases));
			Step {
				layer: layer.clone(),
				from: architecture.shapes()[usize::from(layer.input)],
				to: architecture.shapes()[index + 1],
				rows: rows.unwrap_or_default(),
				plain: weights.filter(|_| !has_rows).cloned(),
			}
		});
		Self {
			input_len: architecture.input_len() as usize,
			steps: steps.collect(),
		}
	}

	/// Evaluates the model on `input` (CHW) and returns its output (CHW).
	pub fn evaluate(&self, input: &[i8]) -> Result<Vec<i8>, EvaluateError> {
		let mut trace = self.run(input, Keep::Outputs)?;
		Ok(trace.layers.pop().map_or_else(Vec::new, |layer| layer.outputs))
	}

	/// Evaluates the model and keeps every accumulator and activation: equal to [`Model::trace`].
	///
	/// Takes five bytes an element of each layer's output, and at most as much again as its largest layer while it runs.
	pub fn trace(&self, input: &[i8]) -> Result<Trace, EvaluateError> {
		self.run(input, Keep::Accumulators)
	}

	fn run(&self, input: &[i8], keep: Keep) -> Result<Trace, EvaluateError> {
		if input.len() != self.input_len {
			return Err(EvaluateError::WrongInputLength {
				found: input.len(),
				expected: self.input_len,
			});
		}
		let mut trace = Trace {
			input: input.to_vec(),
			layers: Vec::with_capacity(self.steps.len()),
		};
		for (layer, step) in self.steps.iter().enumerate() {
			let layer = step.run(layer, &trace, keep)?;
			trace.layers.push(layer);
		}
		Ok(trace)
	}
}

impl Rows {
	fn new(weights: &[i8], biases: &[i32]) -> Self {
		let len = weights.len() / biases.len();
		let stride = len.next_multiple_of(LANES);
		let mut padded = vec![0; stride * biases.len()];
		for (row, weights) in padded.chunks_exact_mut(stride).zip(weights.chunks_exact(len)) {
			widen(weights, row);
		}
		Self {
			len,
			stride,
			weights: padded,
			biases: biases.to_vec(),
		}
	}

	/// Rows and biases of the output channels from `first` on.
	fn from(&self, first: usize) -> impl Iterator<Item = (&[i16], i32)> {
		let rows = self.weights[first * self.stride..].chunks_exact(self.stride);
		rows.zip(self.biases[first..].iter().copied())
	}
}

impl Step {
	/// Evaluates layer `layer`, which this is, on the tensors before it.
	fn run(&self, layer: usize, trace: &Trace, keep: Keep) -> Result<LayerTrace, EvaluateError> {
		let tensor = |tensor: u16| trace.tensor(tensor.into()).unwrap_or(&[]);
		let input = tensor(self.layer.input);
		let empty = LayerWeights {
			weights: Vec::new(),
			biases: Vec::new(),
		};
		let plain = self.plain.as_ref().unwrap_or(&empty);
		let outputs = match &self.layer.operator {
			Operator::Linear(_) => return Ok(self.linear(input, keep)),
			Operator::Conv2d(conv) => return Ok(self.convolution(conv, [1, 1], input, keep)),
			Operator::DilatedConv2d(DilatedConv2d { conv, dilation }) => {
				return Ok(self.convolution(conv, *dilation, input, keep));
			}
			Operator::AvgPool(pool) => return Ok(self.average_pool(pool, input, keep)),
			Operator::Add(add) => return Ok(weighted_sum(add, input, tensor(add.other), keep)),
			Operator::MatMul(matmul) => return Ok(self.matmul(matmul, input, tensor(matmul.other), keep)),
			Operator::LayerNormalization(normalization) => {
				let sums = normalization.accumulators(plain, input, self.from.width);
				let mut layer = LayerTrace::with_capacity(sums.len(), keep);
				layer.extend(sums.into_iter(), self.requantisation(0), keep);
				return Ok(layer);
			}
			Operator::MaxPool(window) => self.max_pool(window, input),
			Operator::Reshape(_) => input.to_vec(),
			Operator::Relu => input.iter().map(|x| (*x).max(0)).collect(),
			// Flipping the sign bit maps -128..=127 to 0..=255 in order.
			Operator::Lut(table) => input
				.iter()
				.map(|x| table[usize::from(*x as u8 ^ 0x80)])
				.collect(),
			Operator::Concat(concat) => {
				let mut output = Vec::with_capacity(self.to.elements() as usize);
				output.extend_from_slice(input);
				for other in &concat.others {
					output.extend_from_slice(tensor(*other));
				}
				output
			}
			Operator::Transpose(permutation) => {
				let places = self.from.transposed_places(*permutation);
				places.map(|place| input[place]).collect()
			}
			Operator::Softmax(softmax) => softmax.outputs(input, self.from.width),
			Operator::Embedding(embedding) => {
				let outputs = embedding.outputs(plain, input);
				outputs.map_err(|token| EvaluateError::UnknownToken {
					layer,
					token,
					vocabulary: embedding.vocabulary,
				})?
			}
		};
		Ok(LayerTrace {
			accumulators: Vec::new(),
			outputs,
		})
	}

	/// Rows and columns padded to whole registers, then dot products.
	fn matmul(&self, matmul: &MatMul, x: &[i8], y: &[i8], keep: Keep) -> LayerTrace {
		let (inner, columns) = (self.from.width as usize, self.to.width as usize);
		let stride = inner.next_multiple_of(LANES);
		let mut layer = LayerTrace::with_capacity(self.to.elements() as usize, keep);
		let mut row = vec![0; stride];
		let mut right = vec![0; stride * columns];
		let matrices = x
			.chunks_exact(self.from.plane() as usize)
			.zip(y.chunks_exact(inner * columns));
		for (x, y) in matrices {
			for (index, y) in y.iter().enumerate() {
				let (inner, column) = if matmul.transposed {
					(index % inner, index / inner)
				} else {
					(index / columns, index % columns)
				};
				right[column * stride + inner] = (*y).into();
			}
			for x in x.chunks_exact(inner) {
				widen(x, &mut row);
				let sums = right.chunks_exact(stride).map(|column| dot(&row, column));
				layer.extend(sums, (matmul.shift, Activation::Identity), keep);
			}
		}
		layer
	}

	/// Shift and clamp of an output channel.
	fn requantisation(&self, channel: usize) -> (u8, Activation) {
		self.layer
			.operator
			.requantisation(channel)
			.unwrap_or((0, Activation::Identity))
	}

	fn linear(&self, input: &[i8], keep: Keep) -> LayerTrace {
		let mut padded = vec![0; self.rows.stride];
		widen(input, &mut padded);
		let tile = |channels: Range<usize>| {
			let mut tile = LayerTrace::with_capacity(channels.len(), keep);
			for (channel, (row, bias)) in channels.clone().zip(self.rows.from(channels.start)) {
				let sum = bias.wrapping_add(dot(row, &padded));
				tile.extend(core::iter::once(sum), self.requantisation(channel), keep);
			}
			tile
		};
		let outputs = self.rows.biases.len();
		if self.rows.weights.len() < PARALLEL_WORK {
			return tile(0..outputs);
		}
		let starts = (0..outputs).into_par_iter().step_by(TILE);
		let tiles: Vec<LayerTrace> = starts
			.map(|first| tile(first..(first + TILE).min(outputs)))
			.collect();
		let mut layer = LayerTrace::with_capacity(outputs, keep);
		for tile in tiles {
			layer.accumulators.extend(tile.accumulators);
			layer.outputs.extend(tile.outputs);
		}
		layer
	}

	fn convolution(&self, conv: &Conv2d, dilation: [u16; 2], input: &[i8], keep: Keep) -> LayerTrace {
		let groups = conv.groups as usize;
		let group_outputs = conv.outputs as usize / groups;
		let group_len = self.from.elements() as usize / groups;
		let plane = self.to.plane() as usize;
		let elements = self.to.elements() as usize;
		let mut layer = LayerTrace {
			accumulators: vec![0; if keep == Keep::Accumulators { elements } else { 0 }],
			outputs: vec![0; elements],
		};
		for group in 0..groups {
			let channels = group * group_outputs..(group + 1) * group_outputs;
			let input = &input[group * group_len..][..group_len];
			let run = |first: usize| self.tile(conv, dilation, channels.clone(), input, first, keep);
			let starts = (0..plane).step_by(TILE);
			let tiles: Vec<LayerTrace> = if self.rows.len * group_outputs * plane < PARALLEL_WORK {
				starts.map(run).collect()
			} else {
				starts.collect::<Vec<_>>().into_par_iter().map(run).collect()
			};
			let elements = channels.start * plane..channels.end * plane;
			for (tile, first) in tiles.iter().zip((0..plane).step_by(TILE)) {
				let positions = first..(first + TILE).min(plane);
				place(
					&tile.outputs,
					&mut layer.outputs[elements.clone()],
					plane,
					positions.clone(),
				);
				if keep == Keep::Accumulators {
					place(
						&tile.accumulators,
						&mut layer.accumulators[elements.clone()],
						plane,
						positions,
					);
				}
			}
		}
		layer
	}

	/// The positions from `first` on, at most a tile of them, for some output channels, channel by channel.
	fn tile(
		&self,
		conv: &Conv2d,
		dilation: [u16; 2],
		channels: Range<usize>,
		input: &[i8],
		first: usize,
		keep: Keep,
	) -> LayerTrace {
		let len = TILE.min(self.to.plane() as usize - first);
		let mut patches = vec![0i16; len * self.rows.stride];
		for (position, patch) in (first..).zip(patches.chunks_exact_mut(self.rows.stride)) {
			let patch = &mut patch[..self.rows.len];
			match dilation {
				[1, 1] => self.patch(&conv.window, input, position, patch),
				_ => self.dilated_patch(&conv.window, dilation, input, position, patch),
			}
		}
		let mut tile = LayerTrace::with_capacity(channels.len() * len, keep);
		for (channel, (row, bias)) in channels.clone().zip(self.rows.from(channels.start)) {
			let sums = patches
				.chunks_exact(self.rows.stride)
				.map(|patch| bias.wrapping_add(dot(row, patch)));
			tile.extend(sums, self.requantisation(channel), keep);
		}
		tile
	}

	/// Copies what the window at `position` covers into `patch`, channel by channel; zero outside the input.
	fn patch(&self, window: &Window, input: &[i8], position: usize, patch: &mut [i16]) {
		let (rows, columns) = self.clip(window, position);
		let kernel_columns = usize::from(window.kernel[1]);
		let area = usize::from(window.kernel[0]) * kernel_columns;
		let plane = self.from.plane() as usize;
		for (patch, channel) in patch.chunks_exact_mut(area).zip(input.chunks_exact(plane)) {
			for row in 0..rows.len {
				let from = (rows.input + row) * self.from.width as usize + columns.input;
				let to = (rows.window + row) * kernel_columns + columns.window;
				widen(
					&channel[from..from + columns.len],
					&mut patch[to..to + columns.len],
				);
			}
		}
	}

	/// As [`patch`](Self::patch), element by element for a dilated kernel.
	fn dilated_patch(
		&self,
		window: &Window,
		dilation: [u16; 2],
		input: &[i8],
		position: usize,
		patch: &mut [i16],
	) {
		let [kernel_rows, kernel_columns] = window.kernel.map(usize::from);
		let [row_dilation, column_dilation] = dilation.map(usize::from);
		let [row_stride, column_stride] = window.stride.map(usize::from);
		let [top, left, _, _] = window.padding.map(usize::from);
		let (width, plane) = (self.from.width as usize, self.from.plane() as usize);
		let first_row = position / self.to.width as usize * row_stride;
		let first_column = position % self.to.width as usize * column_stride;
		let area = kernel_rows * kernel_columns;
		for (patch, channel) in patch.chunks_exact_mut(area).zip(input.chunks_exact(plane)) {
			for (tap, value) in patch.iter_mut().enumerate() {
				let row = (first_row + tap / kernel_columns * row_dilation).checked_sub(top);
				let column = (first_column + tap % kernel_columns * column_dilation).checked_sub(left);
				let inside = row
					.filter(|row| *row < self.from.height as usize)
					.zip(column.filter(|column| *column < width));
				*value = inside.map_or(0, |(row, column)| channel[row * width + column].into());
			}
		}
	}

	fn max_pool(&self, window: &Window, input: &[i8]) -> Vec<i8> {
		let maxima = self.windows(window, input, |elements| {
			elements.fold(i8::MIN, |max, x| max.max(*x))
		});
		maxima.collect()
	}

	fn average_pool(&self, pool: &AvgPool, input: &[i8], keep: Keep) -> LayerTrace {
		let sums = self.windows(&pool.window, input, |elements| {
			elements.fold(0i32, |sum, x| sum.wrapping_add((*x).into()))
		});
		let mut layer = LayerTrace::with_capacity(self.to.elements() as usize, keep);
		layer.extend(sums, (pool.shift, Activation::Identity), keep);
		layer
	}

	/// Folds the elements inside the input of every window of every channel.
	fn windows<'a, T>(
		&'a self,
		window: &'a Window,
		input: &'a [i8],
		fold: impl Fn(&mut dyn Iterator<Item = &'a i8>) -> T + Copy + 'a,
	) -> impl Iterator<Item = T> + 'a {
		let width = self.from.width as usize;
		let channels = input.chunks_exact(self.from.plane() as usize);
		channels.flat_map(move |channel| {
			(0..self.to.plane() as usize).map(move |position| {
				let (rows, columns) = self.clip(window, position);
				let rows = channel.chunks_exact(width).skip(rows.input).take(rows.len);
				fold(&mut rows.flat_map(move |row| &row[columns.input..columns.input + columns.len]))
			})
		})
	}

	/// The part of the window at `position` that lies inside the input, in rows and in columns.
	fn clip(&self, window: &Window, position: usize) -> (Overlap, Overlap) {
		let width = self.to.width as usize;
		let [top, left, _, _] = window.padding;
		let rows = Overlap::new(
			position / width,
			window.kernel[0],
			window.stride[0],
			top,
			self.from.height,
		);
		let columns = Overlap::new(
			position % width,
			window.kernel[1],
			window.stride[1],
			left,
			self.from.width,
		);
		(rows, columns)
	}
}

/// Where a window overlaps the input along one axis.
#[derive(Clone, Copy)]
struct Overlap {
	/// First index in the input.
	input: usize,
	/// First index in the window.
	window: usize,
	/// Indices that overlap.
	len: usize,
}

impl Overlap {
	fn new(position: usize, kernel: u16, stride: u16, before: u16, input_len: u32) -> Self {
		let start = position * usize::from(stride);
		let before = usize::from(before);
		let window = before.saturating_sub(start);
		let input = start.saturating_sub(before);
		let len = (usize::from(kernel) - window).min(input_len as usize - input);
		Self { input, window, len }
	}
}

impl LayerTrace {
	/// Room for this many elements and, if they are kept, their accumulators.
	fn with_capacity(elements: usize, keep: Keep) -> Self {
		Self {
			accumulators: Vec::with_capacity(if keep == Keep::Accumulators { elements } else { 0 }),
			outputs: Vec::with_capacity(elements),
		}
	}

	/// Appends accumulators and their outputs, with one shift and clamp.
	fn extend(&mut self, sums: impl Iterator<Item = i32>, (shift, activation): (u8, Activation), keep: Keep) {
		match keep {
			Keep::Outputs => self
				.outputs
				.extend(sums.map(|sum| requantise(sum, shift, activation))),
			Keep::Accumulators => {
				let first = self.accumulators.len();
				self.accumulators.extend(sums);
				let sums = self.accumulators[first..].iter();
				self.outputs
					.extend(sums.map(|sum| requantise(*sum, shift, activation)));
			}
		}
	}
}

/// Copies a tile, whose channels have some positions each, into channels of `plane` positions.
fn place<T: Copy>(tile: &[T], channels: &mut [T], plane: usize, positions: Range<usize>) {
	let rows = tile.chunks_exact(positions.len());
	for (row, channel) in rows.zip(channels.chunks_exact_mut(plane)) {
		channel[positions.clone()].copy_from_slice(row);
	}
}

/// Weighted sums of two tensors.
fn weighted_sum(add: &Add, left: &[i8], right: &[i8], keep: Keep) -> LayerTrace {
	let [by_left, by_right] = add.multipliers.map(i32::from);
	let sums = left
		.iter()
		.zip(right)
		.map(|(x, y)| by_left * i32::from(*x) + by_right * i32::from(*y));
	let mut layer = LayerTrace::with_capacity(left.len(), keep);
	layer.extend(sums, (add.shift, add.activation), keep);
	layer
}

/// Writes `from` into the head of `to`.
fn widen(from: &[i8], to: &mut [i16]) {
	for (to, from) in to.iter_mut().zip(from) {
		*to = (*from).into();
	}
}

/// `Σ a[i] · b[i]` modulo 2^32 over slices of one length, a multiple of [`LANES`].
fn dot(a: &[i16], b: &[i16]) -> i32 {
	#[cfg(target_arch = "x86_64")]
	if std::arch::is_x86_feature_detected!("avx2") {
		// SAFETY: the processor has AVX2.
		return unsafe { dot_avx2(a, b) };
	}
	dot_portable(a, b)
}

/// [`dot_portable`], compiled for AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn dot_avx2(a: &[i16], b: &[i16]) -> i32 {
	dot_portable(a, b)
}

/// The loop that compilers turn into multiply-add instructions on pairs of int16.
#[inline(always)]
fn dot_portable(a: &[i16], b: &[i16]) -> i32 {
	a.iter().zip(b).fold(0i32, |sum, (a, b)| {
		sum.wrapping_add(i32::from(*a) * i32::from(*b))
	})
}
