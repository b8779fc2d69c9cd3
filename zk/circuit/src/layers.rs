//! The model's layers.

use crate::{
	builder::{Builder, Result},
	requantise::Accumulator,
	wire::{Wire, WireSum},
};
use opensand_nn::{Activation, Conv2d, DilatedConv2d, LayerTrace, Model, Operator, Shape, Window};

impl Builder {
	/// The wires of layer `index`, from those of the tensors before it. `trace` has the layer's values; without it
	/// (in set-up) values are without meaning.
	pub(crate) fn layer(
		&mut self,
		model: &Model,
		index: usize,
		tensors: &[Vec<Wire>],
		trace: Option<&LayerTrace>,
	) -> Result<Vec<Wire>> {
		let layer = &model.architecture().layers()[index];
		self.part(format!("layer {index} ({})", layer.operator.name()));
		let inputs = &tensors[usize::from(layer.input)];
		let shapes = model.architecture().shapes();
		let (from, to) = (shapes[usize::from(layer.input)], shapes[index + 1]);
		let sums = Sums {
			model,
			index,
			to,
			operator: &layer.operator,
			trace,
		};
		match &layer.operator {
			Operator::Linear(_) => {
				let weights = model
					.layer_weights(index)
					.expect("a checked model has weights for each Linear");
				sums.requantise(self, |output, _| {
					let row = &weights.weights[output * inputs.len()..][..inputs.len()];
					let mut sum = WireSum::new(weights.biases[output].into());
					for (weight, input) in row.iter().zip(inputs) {
						sum.add((*weight).into(), input);
					}
					sum
				})
			}
			Operator::Conv2d(conv) => sums.requantise(self, |output, position| {
				convolution(model, index, conv, [1, 1], from, to, inputs, output, position)
			}),
			Operator::DilatedConv2d(DilatedConv2d { conv, dilation }) => {
				sums.requantise(self, |output, position| {
					convolution(model, index, conv, *dilation, from, to, inputs, output, position)
				})
			}
			Operator::AvgPool(pool) => sums.requantise(self, |channel, position| {
				let mut sum = WireSum::new(0);
				for element in window(&pool.window, from, to, position) {
					sum.add(1, &inputs[channel * from.plane() as usize + element]);
				}
				sum
			}),
			Operator::Add(add) => {
				let others = &tensors[usize::from(add.other)];
				let plane = to.plane() as usize;
				sums.requantise(self, |channel, position| {
					let element = channel * plane + position;
					let mut sum = WireSum::new(0);
					sum.add(add.multipliers[0].into(), &inputs[element]);
					sum.add(add.multipliers[1].into(), &others[element]);
					sum
				})
			}
			Operator::MaxPool(pool) => {
				let mut outputs = Vec::with_capacity(to.elements() as usize);
				for channel in 0..to.channels as usize {
					let plane = &inputs[channel * from.plane() as usize..][..from.plane() as usize];
					for position in 0..to.plane() as usize {
						let mut elements = window(pool, from, to, position);
						let first = elements.next().expect("every window touches the input");
						let mut maximum = plane[first];
						for element in elements {
							maximum = self.maximum(&maximum, &plane[element])?;
						}
						outputs.push(maximum);
					}
				}
				Ok(outputs)
			}
			Operator::Reshape(_) => Ok(inputs.clone()),
			Operator::Relu => inputs
				.iter()
				.map(|input| {
					if input.interval.lower >= 0 {
						return Ok(*input);
					}
					let accumulator = Accumulator {
						lc: || input.lc(),
						interval: input.interval,
						value: input.value,
					};
					self.requantise(accumulator, 0, Activation::Relu)
				})
				.collect(),
			Operator::Lut(table) => inputs.iter().map(|input| self.look_up(table, input)).collect(),
			Operator::Concat(concat) => {
				let others = concat.others.iter().map(|other| &tensors[usize::from(*other)]);
				Ok(std::iter::once(inputs).chain(others).flatten().copied().collect())
			}
			Operator::Transpose(permutation) => {
				let places = from.transposed_places(*permutation);
				Ok(places.map(|place| inputs[place]).collect())
			}
		}
	}
}

/// What is common to all operators that accumulate and requantise.
struct Sums<'a> {
	model: &'a Model,
	index: usize,
	to: Shape,
	operator: &'a Operator,
	trace: Option<&'a LayerTrace>,
}

impl Sums<'_> {
	/// Requantises the accumulators that `sum` gives for each channel and position of the output.
	fn requantise(&self, builder: &mut Builder, sum: impl Fn(usize, usize) -> WireSum) -> Result<Vec<Wire>> {
		let bounds = self.model.accumulator_bounds(self.index);
		let plane = self.to.plane() as usize;
		let mut outputs = Vec::with_capacity(self.to.elements() as usize);
		for (channel, interval) in bounds.iter().enumerate() {
			let (shift, activation) = self
				.operator
				.requantisation(channel)
				.expect("an operator with accumulators requantises them");
			for position in 0..plane {
				let value = self
					.trace
					.map_or(0, |trace| trace.accumulators[channel * plane + position].into());
				let accumulator = Accumulator {
					lc: || sum(channel, position).into_lc(),
					interval: *interval,
					value,
				};
				outputs.push(builder.requantise(accumulator, shift, activation)?);
			}
		}
		Ok(outputs)
	}
}

/// The accumulator of one output channel of a convolution at one position.
#[allow(clippy::too_many_arguments)]
fn convolution(
	model: &Model,
	layer: usize,
	conv: &Conv2d,
	dilation: [u16; 2],
	from: Shape,
	to: Shape,
	inputs: &[Wire],
	output: usize,
	position: usize,
) -> WireSum {
	let weights = model
		.layer_weights(layer)
		.expect("a checked model has weights for each convolution");
	let group_inputs = (from.channels / conv.groups) as usize;
	let group_outputs = (conv.outputs / conv.groups) as usize;
	let area = conv.window.area() as usize;
	let kernel = &weights.weights[output * group_inputs * area..][..group_inputs * area];
	let first = output / group_outputs * group_inputs;
	let mut sum = WireSum::new(weights.biases[output].into());
	for (channel, taps) in kernel.chunks(area).enumerate() {
		let plane = &inputs[(first + channel) * from.plane() as usize..][..from.plane() as usize];
		for (tap, element) in window_taps(&conv.window, dilation, from, to, position) {
			sum.add(taps[tap].into(), &plane[element]);
		}
	}
	sum
}

/// The elements of a plane of `from` that a window covers at a position of `to`, row by row.
fn window(window: &Window, from: Shape, to: Shape, position: usize) -> impl Iterator<Item = usize> {
	window_taps(window, [1, 1], from, to, position).map(|(_, element)| element)
}

/// As [`window`] for a dilated one, each with its place in the window.
fn window_taps(
	window: &Window,
	dilation: [u16; 2],
	from: Shape,
	to: Shape,
	position: usize,
) -> impl Iterator<Item = (usize, usize)> {
	let [rows, columns] = window.kernel.map(usize::from);
	let [row_dilation, column_dilation] = dilation.map(usize::from);
	let [row_stride, column_stride] = window.stride.map(usize::from);
	let [top, left, _, _] = window.padding.map(usize::from);
	let (height, width) = (from.height as usize, from.width as usize);
	let to_width = to.width as usize;
	let (first_row, first_column) = (
		position / to_width * row_stride,
		position % to_width * column_stride,
	);
	(0..rows * columns).filter_map(move |tap| {
		let row = (first_row + tap / columns * row_dilation)
			.checked_sub(top)
			.filter(|row| *row < height)?;
		let column = (first_column + tap % columns * column_dilation)
			.checked_sub(left)
			.filter(|column| *column < width)?;
		Some((tap, row * width + column))
	})
}
