//! Evaluation in floating point: the reference that calibration and the accuracy report start from.

use super::{attention, FloatLayer, FloatModel, FloatOperator, Parameters};
use opensand_nn::{Shape, Window};

impl FloatModel {
	/// All tensors of one evaluation, the input first. Sums run in float64 in a fixed order, so every machine gets the
	/// same values. `input` has as many elements as the input's shape.
	pub fn tensors(&self, input: &[f32]) -> Vec<Vec<f32>> {
		let mut tensors = Vec::with_capacity(self.shapes.len());
		tensors.push(input.to_vec());
		self.round(&mut tensors, 0);
		for (index, (layer, to)) in self.layers.iter().zip(&self.shapes[1..]).enumerate() {
			let output = self.run(layer, &tensors, *to);
			tensors.push(output);
			self.round(&mut tensors, index + 1);
		}
		tensors
	}

	/// The output of one evaluation.
	pub fn evaluate(&self, input: &[f32]) -> Vec<f32> {
		self.tensors(input).pop().unwrap_or_default()
	}

	/// Rounds tensor `index` where the model is quantised there.
	fn round(&self, tensors: &mut [Vec<f32>], index: usize) {
		if let Some(quantisation) = self.quantisations[index] {
			tensors[index]
				.iter_mut()
				.for_each(|x| *x = quantisation.apply(*x));
		}
	}

	fn run(&self, layer: &FloatLayer, tensors: &[Vec<f32>], to: Shape) -> Vec<f32> {
		let from = self.shape(layer.input);
		let input = tensors[usize::from(layer.input)].as_slice();
		let mut output = match &layer.operator {
			FloatOperator::Linear(parameters) => linear(parameters, input),
			FloatOperator::Conv2d {
				window,
				dilation,
				groups,
				parameters,
			} => convolution(window, *dilation, *groups as usize, parameters, input, from, to),
			FloatOperator::MaxPool(window) => pool(window, input, from, to, f64::NEG_INFINITY, f64::max, 1.0),
			FloatOperator::AvgPool(window) => pool(
				window,
				input,
				from,
				to,
				0.0,
				|sum, x| sum + x,
				window.area() as f64,
			),
			FloatOperator::Add(other) => input
				.iter()
				.zip(&tensors[usize::from(*other)])
				.map(|(x, y)| x + y)
				.collect(),
			FloatOperator::Reshape(_) => input.to_vec(),
			FloatOperator::Relu => input.iter().map(|x| x.max(0.0)).collect(),
			FloatOperator::Function(function) => {
				input.iter().map(|x| function.at((*x).into()) as f32).collect()
			}
			FloatOperator::Concat(others) => {
				let others = others.iter().map(|other| tensors[usize::from(*other)].as_slice());
				std::iter::once(input).chain(others).flatten().copied().collect()
			}
			FloatOperator::Transpose(permutation) => {
				let places = from.transposed_places(*permutation);
				places.map(|place| input[place]).collect()
			}
			FloatOperator::MatMul { other, factor } => {
				let other = &tensors[usize::from(*other)];
				attention::matmul(input, from, other, to.width as usize, *factor)
			}
			FloatOperator::Softmax => attention::softmax(input, from.width as usize),
			FloatOperator::LayerNormalization { epsilon, parameters } => {
				attention::layer_normalization(input, from.width as usize, *epsilon, parameters)
			}
			FloatOperator::Embedding { width, table, .. } => {
				attention::embedding(input, table, *width as usize)
			}
		};
		if layer.relu {
			let ceiling = layer.ceiling.unwrap_or(f32::INFINITY);
			output.iter_mut().for_each(|x| *x = x.max(0.0).min(ceiling));
		}
		output
	}
}

fn linear(parameters: &Parameters, input: &[f32]) -> Vec<f32> {
	let rows = parameters
		.weights
		.chunks_exact(input.len())
		.zip(&parameters.biases);
	rows.map(|(row, bias)| (f64::from(*bias) + dot(row, input)) as f32)
		.collect()
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
	a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn convolution(
	window: &Window,
	dilation: [u16; 2],
	groups: usize,
	parameters: &Parameters,
	input: &[f32],
	from: Shape,
	to: Shape,
) -> Vec<f32> {
	let outputs = parameters.biases.len();
	let group_inputs = from.channels as usize / groups;
	let area = window.area() as usize;
	let plane = to.plane() as usize;
	let mut output = vec![0f32; to.elements() as usize];
	let mut patch = vec![0f32; group_inputs * area];
	for group in 0..groups {
		for position in 0..plane {
			patch.fill(0.0);
			for (channel, patch) in (group * group_inputs..).zip(patch.chunks_exact_mut(area)) {
				visit(window, dilation, from, to, position, |tap, element| {
					patch[tap] = input[channel * from.plane() as usize + element];
				});
			}
			let channels = group * (outputs / groups)..(group + 1) * (outputs / groups);
			for channel in channels {
				let kernel = &parameters.weights[channel * patch.len()..][..patch.len()];
				let sum = f64::from(parameters.biases[channel]) + dot(kernel, &patch);
				output[channel * plane + position] = sum as f32;
			}
		}
	}
	output
}

fn pool(
	window: &Window,
	input: &[f32],
	from: Shape,
	to: Shape,
	start: f64,
	fold: impl Fn(f64, f64) -> f64,
	divisor: f64,
) -> Vec<f32> {
	let mut output = Vec::with_capacity(to.elements() as usize);
	for channel in input.chunks_exact(from.plane() as usize) {
		for position in 0..to.plane() as usize {
			let mut value = start;
			visit(window, [1, 1], from, to, position, |_, element| {
				value = fold(value, channel[element].into())
			});
			output.push((value / divisor) as f32);
		}
	}
	output
}

/// Calls `tap` with the index in the window and the index in the plane of every element of the input that the window at
/// `position` covers.
fn visit(
	window: &Window,
	dilation: [u16; 2],
	from: Shape,
	to: Shape,
	position: usize,
	mut tap: impl FnMut(usize, usize),
) {
	let [row_dilation, column_dilation] = dilation.map(usize::from);
	let [rows, columns] = window.kernel.map(usize::from);
	let [row_stride, column_stride] = window.stride.map(usize::from);
	let [top, left, _, _] = window.padding.map(usize::from);
	let (height, width) = (from.height as usize, from.width as usize);
	let row_start = position / to.width as usize * row_stride;
	let column_start = position % to.width as usize * column_stride;
	for row in 0..rows {
		let Some(y) = (row_start + row * row_dilation)
			.checked_sub(top)
			.filter(|y| *y < height)
		else {
			continue;
		};
		for column in 0..columns {
			let Some(x) = (column_start + column * column_dilation)
				.checked_sub(left)
				.filter(|x| *x < width)
			else {
				continue;
			};
			tap(row * columns + column, y * width + x);
		}
	}
}
