//! Random models and inputs for the property tests of this crate and of those that must equal it.

use crate::{
	Activation, Add, Architecture, AvgPool, Concat, Conv2d, DilatedConv2d, Embedding, Layer,
	LayerNormalization, LayerWeights, Linear, MatMul, Model, Operator, Shape, Softmax, Weights, Window,
};
use alloc::{boxed::Box, vec::Vec};

/// What a random model may be.
#[derive(Clone, Copy, Debug)]
pub struct Size {
	/// Layers at most, at least 1.
	pub layers: u32,
	/// Channels of the input and outputs of Linear and Conv2d at most, at least 1.
	pub channels: u32,
	/// Rows and columns of the input at most, at least 1.
	pub side: u32,
}

impl Size {
	/// A few layers on small tensors: quick to prove.
	pub const SMALL: Size = Size {
		layers: 4,
		channels: 4,
		side: 5,
	};
	/// Enough for every kind of layer to meet every other.
	pub const MEDIUM: Size = Size {
		layers: 12,
		channels: 12,
		side: 14,
	};
}

/// A random model, the same for the same `seed` and `size`. All operators, strides, paddings, dilations, groups and residuals occur;
/// shifts are drawn so that most activations are neither zero nor saturated.
pub fn model(seed: u64, size: Size) -> Model {
	let mut random = Random(seed);
	loop {
		let (input, layers) = layers(&mut random, size);
		// A random stack can exceed a limit; the next one will not.
		let Ok(architecture) = Architecture::new(input, layers) else {
			continue;
		};
		let weights = weights(&mut random, &architecture);
		if let Ok(model) = Weights::new(weights).and_then(|weights| Model::new(architecture, weights)) {
			return model;
		}
	}
}

/// A random input of `model`: uniform, extreme or sparse; tokens where an Embedding reads it.
pub fn input(seed: u64, model: &Model) -> Vec<i8> {
	let mut random = Random(seed);
	let kind = random.below(3);
	let layers = model.architecture().layers().iter();
	let tables = layers.filter(|layer| layer.input == 0);
	let vocabulary = tables.filter_map(|layer| match layer.operator {
		Operator::Embedding(embedding) => Some(embedding.vocabulary),
		_ => None,
	});
	if let Some(vocabulary) = vocabulary.min() {
		let tokens = (0..model.architecture().input_len()).map(|_| random.below(vocabulary) as i8);
		return tokens.collect();
	}
	(0..model.architecture().input_len())
		.map(|_| match kind {
			0 => random.int8(),
			1 => [i8::MIN, i8::MAX][random.below(2) as usize],
			_ => random.int8() * i8::from(random.below(4) == 0),
		})
		.collect()
}

fn layers(random: &mut Random, size: Size) -> (Shape, Vec<Layer>) {
	let side = |random: &mut Random| 1 + random.below(size.side);
	let tokens = random.below(5) == 0;
	let channels = 1 + random.below(size.channels);
	let input = match tokens {
		true => Shape::vector(channels),
		false => Shape::new(channels, side(random), side(random)),
	};
	let mut shapes = alloc::vec![input];
	let mut layers = Vec::new();
	for _ in 0..1 + random.below(size.layers) {
		let tensor = shapes.len() - 1;
		let from = shapes[tensor];
		let (operator, to) = match tensor {
			0 if tokens => embedding(random, size, from),
			_ => operator(random, size, &shapes),
		};
		debug_assert!(to.elements() > 0, "{operator:?} of {from:?}");
		layers.push(Layer {
			input: tensor as u16,
			operator,
		});
		shapes.push(to);
	}
	(input, layers)
}

fn operator(random: &mut Random, size: Size, shapes: &[Shape]) -> (Operator, Shape) {
	let from = shapes[shapes.len() - 1];
	let activation = [Activation::Identity, Activation::Relu][random.below(2) as usize];
	match random.below(15) {
		0 | 1 if from.is_vector() => {
			let outputs = 1 + random.below(size.channels);
			let shifts = shifts(random, outputs, from.channels);
			(
				Operator::Linear(Linear {
					outputs,
					shifts,
					activation,
				}),
				Shape::vector(outputs),
			)
		}
		2 => {
			let groups = (1..=from.channels)
				.filter(|groups| from.channels.is_multiple_of(*groups))
				.collect::<Vec<_>>();
			let groups = groups[random.below(groups.len() as u32) as usize];
			let outputs = groups * (1 + random.below(size.channels.div_ceil(groups)));
			let (window, to) = window(random, from);
			let shifts = shifts(random, outputs, from.channels / groups * window.area() as u32);
			let to = Shape {
				channels: outputs,
				..to
			};
			let conv = Conv2d {
				outputs,
				window,
				groups,
				shifts,
				activation,
			};
			dilated(random, &conv, from).unwrap_or((Operator::Conv2d(conv), to))
		}
		3 => {
			let (window, to) = window(random, from);
			(Operator::MaxPool(window), to)
		}
		4 => {
			let (window, to) = window(random, from);
			let shift = (window.area().ilog2() + random.below(2)) as u8;
			(Operator::AvgPool(AvgPool { window, shift }), to)
		}
		5 => {
			let equal = (0..shapes.len())
				.filter(|other| shapes[*other] == from)
				.collect::<Vec<_>>();
			let other = equal[random.below(equal.len() as u32) as usize] as u16;
			let multipliers =
				[1 + random.below(300), 1 + random.below(300)].map(|multiplier| multiplier as u16);
			let shift = (random.below(10)) as u8;
			(
				Operator::Add(Add {
					other,
					multipliers,
					shift,
					activation,
				}),
				from,
			)
		}
		6 => (Operator::Relu, from),
		7 => (
			Operator::Lut(Box::new(core::array::from_fn(|_| random.int8()))),
			from,
		),
		8 => {
			let fitting = (0..shapes.len())
				.filter(|other| (shapes[*other].height, shapes[*other].width) == (from.height, from.width))
				.collect::<Vec<_>>();
			let others: Vec<u16> = (0..1 + random.below(2))
				.map(|_| fitting[random.below(fitting.len() as u32) as usize] as u16)
				.collect();
			let added = others.iter().map(|other| shapes[usize::from(*other)].channels);
			let channels = from.channels + added.sum::<u32>();
			(Operator::Concat(Concat { others }), Shape { channels, ..from })
		}
		9 => {
			let permutations = [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
			let permutation = permutations[random.below(5) as usize];
			let to = from.transposed(permutation).unwrap_or(from);
			(Operator::Transpose(permutation), to)
		}
		10 => matmul(random, shapes),
		11 => (Operator::Softmax(softmax(random, from.width)), from),
		12 => (
			Operator::LayerNormalization(LayerNormalization {
				epsilon: 1 + random.below(1000),
				shift: (18 + random.below(6)) as u8,
			}),
			from,
		),
		_ => {
			let vector = Shape::vector(from.elements());
			let transposed = Shape::new(from.width, from.channels, from.height);
			let to = [vector, vector, transposed][random.below(3) as usize];
			(Operator::Reshape(to), to)
		}
	}
}

/// A table of a few rows.
fn embedding(random: &mut Random, size: Size, from: Shape) -> (Operator, Shape) {
	let embedding = Embedding {
		vocabulary: 1 + random.below(9),
		width: 1 + random.below(size.channels),
	};
	let to = Shape::new(from.channels, 1, embedding.width);
	(Operator::Embedding(embedding), to)
}

/// The last tensor times one that fits it; where none does, times itself, transposed.
fn matmul(random: &mut Random, shapes: &[Shape]) -> (Operator, Shape) {
	let last = shapes.len() - 1;
	let from = shapes[last];
	let pairs = (0..shapes.len()).flat_map(|other| [(other, false), (other, true)]);
	let fitting = pairs.filter_map(|(other, transposed)| {
		let Shape { height, width, .. } = shapes[other];
		let (inner, columns) = if transposed {
			(width, height)
		} else {
			(height, width)
		};
		let fits = shapes[other].channels == from.channels && inner == from.width;
		fits.then_some((other as u16, transposed, columns))
	});
	let fitting = fitting.collect::<Vec<_>>();
	let (other, transposed, width) = fitting[random.below(fitting.len() as u32) as usize];
	let shift = (5 + from.width.ilog2() + random.below(4)) as u8;
	let matmul = MatMul {
		other,
		transposed,
		shift,
	};
	(Operator::MatMul(matmul), Shape { width, ..from })
}

/// Exponentials that fall by a random share from one step to the next.
fn softmax(random: &mut Random, width: u32) -> Softmax {
	let greatest = 1u32 << random.below(13);
	let rate = 16 + random.below(240);
	let mut next = greatest << 8;
	let exponentials = Box::new(core::array::from_fn(|_| {
		let exponential = (next >> 8) as u16;
		next = (next >> 8) * rate;
		exponential
	}));
	let least = u32::BITS - (greatest * width).leading_zeros();
	Softmax {
		exponentials,
		bits: (least + random.below(8)).min(26) as u8,
	}
}

/// `conv` with a random dilation over `from`, and the shape of its output; every other time, and where it fits.
fn dilated(random: &mut Random, conv: &Conv2d, from: Shape) -> Option<(Operator, Shape)> {
	let dilation = [1 + random.below(3), 1 + random.below(3)].map(|dilation| dilation as u16);
	let operator = Operator::DilatedConv2d(DilatedConv2d {
		conv: conv.clone(),
		dilation,
	});
	let shape = operator.output_shape(0, from, &[]).ok()?;
	(random.below(2) == 0).then_some((operator, shape))
}

/// A window that fits `from`, and the shape of its positions.
fn window(random: &mut Random, from: Shape) -> (Window, Shape) {
	let mut axis = |len: u32| {
		let kernel = 1 + random.below(len.min(4));
		let stride = 1 + random.below(3);
		let (before, after) = (random.below(kernel), random.below(kernel));
		let positions = (len + before + after - kernel) / stride + 1;
		(
			[kernel, stride, before, after].map(|value| value as u16),
			positions,
		)
	};
	let ([rows, row_stride, top, bottom], height) = axis(from.height);
	let ([columns, column_stride, left, right], width) = axis(from.width);
	let window = Window {
		kernel: [rows, columns],
		stride: [row_stride, column_stride],
		padding: [top, left, bottom, right],
	};
	(
		window,
		Shape {
			height,
			width,
			..from
		},
	)
}

/// Shifts that bring sums of `terms` products of random int8 back to int8, give or take; some extreme ones.
fn shifts(random: &mut Random, outputs: u32, terms: u32) -> Vec<u8> {
	let typical = 6 + terms.ilog2() / 2;
	let shift = |_| match random.below(20) {
		0 => 0,
		1 => 30,
		_ => typical + random.below(4),
	};
	(0..outputs).map(shift).map(|shift| shift as u8).collect()
}

fn weights(random: &mut Random, architecture: &Architecture) -> Vec<LayerWeights> {
	let counts = architecture.weight_counts().zip(architecture.bias_counts());
	counts
		.filter_map(|(count, biases)| {
			let biases = (0..biases)
				.map(|_| random.below(1 << 15) as i32 - (1 << 14))
				.collect();
			let weights = (0..count?).map(|_| random.int8()).collect();
			Some(LayerWeights { weights, biases })
		})
		.collect()
}

/// SplitMix64.
struct Random(u64);

impl Random {
	fn next(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	/// A value below `bound`.
	fn below(&mut self, bound: u32) -> u32 {
		(((self.next() >> 32) * u64::from(bound)) >> 32) as u32
	}

	fn int8(&mut self) -> i8 {
		self.next() as i8
	}
}
