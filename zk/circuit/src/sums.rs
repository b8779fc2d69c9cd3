//! Accumulators: weighted sums of the tensors before.

use crate::{
	layers::layer_weights,
	wire::{Wire, WireSum},
};
use opensand_nn::{Conv2d, Interval, LayerWeights, Model, Operator, Shape, Window};

/// The accumulators of a layer that requantises.
pub(crate) struct Sums<'a> {
	model: &'a Model,
	layer: usize,
	from: Shape,
	to: Shape,
	inputs: &'a [Wire],
	/// The second operand of an Add.
	others: &'a [Wire],
}

impl<'a> Sums<'a> {
	/// Of layer `layer`, from the wires of the tensors before it.
	pub(crate) fn new(model: &'a Model, layer: usize, tensors: &'a [Vec<Wire>]) -> Self {
		let architecture = model.architecture();
		let (shapes, description) = (architecture.shapes(), &architecture.layers()[layer]);
		let input = usize::from(description.input);
		let others = description.operator.other_inputs();
		Self {
			model,
			layer,
			from: shapes[input],
			to: shapes[layer + 1],
			inputs: &tensors[input],
			others: others.first().map_or(&[], |other| &tensors[usize::from(*other)]),
		}
	}

	/// The shape of the accumulators.
	pub(crate) fn shape(&self) -> Shape {
		self.to
	}

	/// The operator.
	pub(crate) fn operator(&self) -> &'a Operator {
		&self.model.architecture().layers()[self.layer].operator
	}

	/// Where the accumulators of a channel lie on every input.
	pub(crate) fn interval(&self, channel: usize) -> Interval {
		self.model.accumulator_bounds(self.layer)[channel]
	}

	/// The accumulator of a channel at a position of its plane.
	pub(crate) fn sum(&self, channel: usize, position: usize) -> WireSum {
		let mut sum = WireSum::default();
		match self.operator() {
			Operator::Linear(_) => {
				let weights = self.weights();
				let row = &weights.weights[channel * self.inputs.len()..][..self.inputs.len()];
				sum = WireSum::new(weights.biases[channel].into());
				for (weight, input) in row.iter().zip(self.inputs) {
					sum.add((*weight).into(), input);
				}
			}
			Operator::AvgPool(pool) => {
				let plane = self.from.plane() as usize;
				for element in window(&pool.window, self.from, self.to, position) {
					sum.add(1, &self.inputs[channel * plane + element]);
				}
			}
			Operator::Add(add) => {
				let element = channel * self.to.plane() as usize + position;
				sum.add(add.multipliers[0].into(), &self.inputs[element]);
				sum.add(add.multipliers[1].into(), &self.others[element]);
			}
			operator => {
				let (conv, dilation) = operator
					.convolution()
					.expect("all other operators with accumulators are convolutions");
				sum = self.convolution(conv, dilation, channel, position);
			}
		}
		sum
	}

	fn weights(&self) -> &'a LayerWeights {
		layer_weights(self.model, self.layer)
	}

	/// The accumulator of one output channel of a convolution at one position.
	fn convolution(&self, conv: &Conv2d, dilation: [u16; 2], output: usize, position: usize) -> WireSum {
		let weights = self.weights();
		let group_inputs = (self.from.channels / conv.groups) as usize;
		let group_outputs = (conv.outputs / conv.groups) as usize;
		let area = conv.window.area() as usize;
		let kernel = &weights.weights[output * group_inputs * area..][..group_inputs * area];
		let first = output / group_outputs * group_inputs;
		let plane = self.from.plane() as usize;
		let mut sum = WireSum::new(weights.biases[output].into());
		for (channel, taps) in kernel.chunks(area).enumerate() {
			let inputs = &self.inputs[(first + channel) * plane..][..plane];
			for (tap, element) in window_taps(&conv.window, dilation, self.from, self.to, position) {
				sum.add(taps[tap].into(), &inputs[element]);
			}
		}
		sum
	}
}

/// The elements of a plane of `from` that a window covers at a position of `to`, row by row.
pub(crate) fn window(
	window: &Window,
	from: Shape,
	to: Shape,
	position: usize,
) -> impl Iterator<Item = usize> {
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
