//! Accumulators: weighted sums of the tensors before.

use crate::{
	basis::Basis,
	layers::layer_weights,
	requantise::Requantisation,
	wire::{Wire, WireSum},
};
use opensand_nn::{Activation, Conv2d, Interval, LayerWeights, Operator, Shape, Window};

/// The accumulators of a layer that requantises.
pub(crate) struct Sums<'a> {
	basis: &'a Basis,
	layer: usize,
	from: Shape,
	to: Shape,
	inputs: &'a [Wire],
	/// The second operand of an Add.
	others: &'a [Wire],
	/// Variables that are claimed to be the accumulators, where weights are committed to.
	claimed: Option<&'a [Wire]>,
}

impl<'a> Sums<'a> {
	/// Of layer `layer`, from the wires of the tensors before it.
	pub(crate) fn new(basis: &'a Basis, layer: usize, tensors: &'a [Vec<Wire>]) -> Self {
		let architecture = basis.model.architecture();
		let (shapes, description) = (architecture.shapes(), &architecture.layers()[layer]);
		let input = usize::from(description.input);
		let others = description.operator.other_inputs();
		Self {
			basis,
			layer,
			from: shapes[input],
			to: shapes[layer + 1],
			inputs: &tensors[input],
			others: others.first().map_or(&[], |other| &tensors[usize::from(*other)]),
			claimed: None,
		}
	}

	/// The same, where these are claimed to be the accumulators.
	pub(crate) fn claimed(self, claimed: &'a [Wire]) -> Self {
		Self {
			claimed: Some(claimed),
			..self
		}
	}

	/// The same of other wires than those of the layer's input.
	pub(crate) fn of_inputs(self, inputs: &'a [Wire]) -> Self {
		Self { inputs, ..self }
	}

	/// The shape of the accumulators.
	pub(crate) fn shape(&self) -> Shape {
		self.to
	}

	/// The operator.
	pub(crate) fn operator(&self) -> &'a Operator {
		&self.basis.model.architecture().layers()[self.layer].operator
	}

	/// Where the accumulators of a channel lie on every input, as far as is known or, where they are claimed, declared.
	pub(crate) fn interval(&self, channel: usize) -> Interval {
		self.basis.accumulators(self.layer)[channel]
	}

	/// How a channel is requantised.
	pub(crate) fn requantisation(&self, channel: usize) -> (Requantisation, u8, Activation) {
		let (shift, activation) = self
			.operator()
			.requantisation(channel)
			.expect("an operator with accumulators requantises them");
		let requantisation = self.basis.requantisation(self.layer, channel, shift, activation);
		(requantisation, shift, activation)
	}

	/// The accumulator of a channel at a position of its plane.
	pub(crate) fn sum(&self, channel: usize, position: usize) -> WireSum {
		let mut sum = WireSum::default();
		if let Some(claimed) = self.claimed {
			sum.add(1, &claimed[channel * self.to.plane() as usize + position]);
			return sum;
		}
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
			Operator::LayerNormalization(_) => {
				let weights = self.weights();
				let element = channel * self.to.plane() as usize + position;
				let place = element % weights.weights.len();
				sum = WireSum::new(weights.biases[place].into());
				sum.add(weights.weights[place].into(), &self.inputs[element]);
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
		layer_weights(&self.basis.model, self.layer)
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
pub(crate) fn window_taps(
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
