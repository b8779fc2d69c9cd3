//! Layers in float to layers in integers.

use super::{attention, error::CalibrateError, groups::shared_scales, scales::Statistics, Calibrated};
use crate::float::{FloatLayer, FloatModel, FloatOperator, Function, Parameters};
use opensand_nn::{
	limits::{MAX_MULTIPLIER, MAX_SHIFT},
	Activation, Architecture, Layer, LayerWeights, MatMul, Model, Operator, Shape, TensorIndex, Weights,
	Window,
};

/// The greatest magnitude of a weight, in steps, that still rounds into int8.
const WEIGHT_STEPS: f64 = 127.49;

/// The relative error that a multiplier of a sum may have, if a small enough shift has no better one.
const MULTIPLIER_ERROR: f64 = 1.0 / 512.0;

/// The integer for `value` at `scale`: rounded half up, as requantisation rounds, and clamped to int8.
pub fn quantise(value: f64, scale: f64) -> i8 {
	(value / scale + 0.5)
		.floor()
		.clamp(i8::MIN.into(), i8::MAX.into()) as i8
}

/// The integers for an image.
pub fn quantise_all(values: &[f32], scale: f64) -> Vec<i8> {
	values
		.iter()
		.map(|value| quantise((*value).into(), scale))
		.collect()
}

/// Chooses scale after scale in the order of the layers and quantises.
pub fn integer_model(float: &FloatModel, statistics: &Statistics) -> Result<Calibrated, CalibrateError> {
	let shared = shared_scales(float, statistics);
	let mut made = Made::new(shared[0].unwrap_or_else(|| statistics.scale(0, 0.0)));
	for (index, layer) in float.layers.iter().enumerate() {
		let step = Step {
			layer,
			statistics,
			shared: &shared,
			shapes: &float.shapes,
			tensor: index + 1,
		};
		step.quantise(&mut made)?;
	}
	let architecture = Architecture::new(float.input(), made.layers)?;
	let model = Model::new(architecture, Weights::new(made.weights)?)?;
	Ok(Calibrated {
		model,
		scales: made.scales,
		sources: made.sources,
	})
}

/// The integer model so far.
struct Made {
	layers: Vec<Layer>,
	weights: Vec<LayerWeights>,
	/// For each of its tensors the real value of one step.
	scales: Vec<f64>,
	/// For each of its tensors the float one that it stands for.
	sources: Vec<usize>,
	/// For each float tensor the integer one that has its values.
	places: Vec<TensorIndex>,
}

impl Made {
	fn new(input_scale: f64) -> Self {
		Self {
			layers: Vec::new(),
			weights: Vec::new(),
			scales: vec![input_scale],
			sources: vec![0],
			places: vec![0],
		}
	}

	/// The scale of the values of float tensor `tensor`.
	fn scale(&self, tensor: TensorIndex) -> f64 {
		self.scales[usize::from(self.place(tensor))]
	}

	fn place(&self, tensor: TensorIndex) -> TensorIndex {
		self.places[usize::from(tensor)]
	}

	/// Adds a layer over integer tensor `input`, for float tensor `source`; returns the tensor that it makes.
	fn push(
		&mut self,
		input: TensorIndex,
		source: usize,
		(scale, operator, weights): Quantised,
	) -> TensorIndex {
		self.layers.push(Layer { input, operator });
		self.weights.extend(weights);
		self.scales.push(scale);
		self.sources.push(source);
		// Where this saturates there are far more layers than the format takes, which it then says.
		TensorIndex::try_from(self.layers.len()).unwrap_or(TensorIndex::MAX)
	}
}

/// One layer, and what its scale is chosen by.
struct Step<'a> {
	layer: &'a FloatLayer,
	statistics: &'a Statistics,
	/// For each float tensor the scale that suits others too.
	shared: &'a [Option<f64>],
	/// Shapes of all float tensors.
	shapes: &'a [Shape],
	/// Index of the float tensor that the layer makes.
	tensor: usize,
}

/// Scale of the output, operator and weights of an integer layer.
type Quantised = (f64, Operator, Option<LayerWeights>);

impl Step<'_> {
	fn quantise(&self, made: &mut Made) -> Result<(), CalibrateError> {
		let from = made.scale(self.layer.input);
		let mut input = made.place(self.layer.input);
		let quantised = match &self.layer.operator {
			FloatOperator::Linear(parameters) | FloatOperator::Conv2d { parameters, .. } => {
				self.weighted(from, parameters)?
			}
			FloatOperator::AvgPool(window) => self.average(from, window),
			FloatOperator::Add(other) => {
				let (to, mut operator, weights) = self.sum(from, made.scale(*other))?;
				if let Operator::Add(add) = &mut operator {
					add.other = made.place(*other);
				}
				(to, operator, weights)
			}
			FloatOperator::Function(function) => self.table(from, *function),
			FloatOperator::Concat(others) => {
				let (to, mut operands) = self.concat(made, others)?;
				input = operands.remove(0);
				let operator = FloatOperator::Concat(operands).skeleton();
				(to, operator, None)
			}
			FloatOperator::MatMul { other, factor } => {
				let step = from * made.scale(*other) * f64::from(*factor);
				let product = attention::product_shift(step, self.scale(0.0)?);
				let (shift, to) = product.ok_or_else(|| CalibrateError::ProductOutOfScale {
					node: self.layer.name.clone(),
				})?;
				let operator = Operator::MatMul(MatMul {
					other: made.place(*other),
					transposed: false,
					shift,
				});
				(to, operator, None)
			}
			FloatOperator::Softmax => {
				let width = self.shapes[self.tensor].width;
				let operator = Operator::Softmax(attention::softmax(width, from));
				(attention::softmax_scale(), operator, None)
			}
			FloatOperator::LayerNormalization { epsilon, parameters } => {
				let to = self.scale(0.0)?;
				let quantised = attention::layer_normalization(*epsilon, parameters, from, to);
				let (operator, weights) = quantised.ok_or_else(|| CalibrateError::BiasTooLarge {
					node: self.layer.name.clone(),
					channel: 0,
				})?;
				(to, Operator::LayerNormalization(operator), Some(weights))
			}
			FloatOperator::Embedding { table, .. } => {
				let to = self.scale(0.0)?;
				let weights = LayerWeights {
					weights: quantise_all(table, to),
					biases: Vec::new(),
				};
				(to, self.layer.operator.skeleton(), Some(weights))
			}
			FloatOperator::MaxPool(_)
			| FloatOperator::Reshape(_)
			| FloatOperator::Relu
			| FloatOperator::Transpose(_) => (from, self.layer.operator.skeleton(), None),
		};
		let place = made.push(input, self.tensor, quantised);
		made.places.push(place);
		Ok(())
	}

	/// The scale of the output, at least `floor`: what the group or the method wants, and no coarser than the ceiling allows.
	fn scale(&self, floor: f64) -> Result<f64, CalibrateError> {
		let shared = self.shared[self.tensor].filter(|scale| *scale >= floor);
		let chosen = shared.unwrap_or_else(|| self.statistics.scale(self.tensor, floor));
		match self.layer.ceiling {
			// 127 steps are the ceiling, and the clamp to int8 is the Clip.
			Some(ceiling) if 127.0 * chosen > f64::from(ceiling) => {
				let scale = f64::from(ceiling) / 127.0;
				(scale >= floor)
					.then_some(scale)
					.ok_or_else(|| CalibrateError::CeilingTooLow {
						node: self.layer.name.clone(),
					})
			}
			_ => Ok(chosen),
		}
	}

	/// The scale of a Concat and its operands, brought to it where they have another.
	fn concat(
		&self,
		made: &mut Made,
		others: &[TensorIndex],
	) -> Result<(f64, Vec<TensorIndex>), CalibrateError> {
		let operands: Vec<TensorIndex> = std::iter::once(&self.layer.input)
			.chain(others)
			.copied()
			.collect();
		let scales: Vec<f64> = operands.iter().map(|operand| made.scale(*operand)).collect();
		let coarsest = scales.iter().copied().fold(0.0, f64::max);
		let to = if scales.iter().all(|scale| *scale == coarsest) {
			coarsest
		} else {
			self.scale(coarsest / WEIGHT_STEPS)?
		};
		let mut places = Vec::with_capacity(operands.len());
		for (operand, from) in operands.into_iter().zip(scales) {
			let place = made.place(operand);
			if from == to {
				places.push(place);
				continue;
			}
			let channels = self.shapes[usize::from(operand)].channels as usize;
			let rescaled = rescale(channels, from, to).ok_or_else(|| CalibrateError::OperandsApart {
				node: self.layer.name.clone(),
			})?;
			places.push(made.push(place, usize::from(operand), rescaled));
		}
		Ok((to, places))
	}

	fn operator(&self, shifts: Vec<u8>, multipliers: [u16; 2], table: [i8; 256]) -> Operator {
		let activation = if self.layer.relu {
			Activation::Relu
		} else {
			Activation::Identity
		};
		self.layer
			.operator
			.quantised(shifts, multipliers, table, activation)
	}

	fn weighted(&self, from: f64, parameters: &Parameters) -> Result<Quantised, CalibrateError> {
		let largest = largest(&parameters.weights);
		// Below this scale even a shift of 0 could not hold the largest weight.
		let to = self.scale(largest * from / WEIGHT_STEPS)?;
		let channels = parameters.biases.len();
		let rows = parameters
			.weights
			.chunks(parameters.weights.len().checked_div(channels).unwrap_or(0).max(1));
		let mut shifts = Vec::with_capacity(channels);
		let mut weights = Vec::with_capacity(parameters.weights.len());
		let mut biases = Vec::with_capacity(channels);
		for (channel, (row, bias)) in rows.zip(&parameters.biases).enumerate() {
			let quantised =
				quantise_channel(row, *bias, to / from, to).ok_or_else(|| CalibrateError::BiasTooLarge {
					node: self.layer.name.clone(),
					channel,
				})?;
			shifts.push(quantised.shift);
			weights.extend(quantised.weights);
			biases.push(quantised.bias);
		}
		Ok((
			to,
			self.operator(shifts, [1; 2], [0; 256]),
			Some(LayerWeights { weights, biases }),
		))
	}

	/// The finest of the scales `from · 2^shift / area` that covers all means.
	fn average(&self, from: f64, window: &Window) -> Quantised {
		let area = window.area() as f64;
		let scale = |shift: u8| from * 2f64.powi(shift.into()) / area;
		let covers = |shift: &u8| self.statistics.maximum(self.tensor) <= 127.0 * scale(*shift);
		let coarsest = area.log2().ceil() as u8;
		let shift = (0..coarsest).find(covers).unwrap_or(coarsest);
		(scale(shift), self.operator(vec![shift], [1; 2], [0; 256]), None)
	}

	/// The least shift at which both multipliers are close; the closest where none is.
	fn sum(&self, left: f64, right: f64) -> Result<Quantised, CalibrateError> {
		let apart = || CalibrateError::OperandsApart {
			node: self.layer.name.clone(),
		};
		let to = self.scale(left.max(right) / f64::from(MAX_MULTIPLIER))?;
		let candidates = (0..=15u8).filter_map(|shift| {
			let exact = [left, right].map(|scale| scale / to * 2f64.powi(shift.into()));
			let rounded = exact.map(f64::round);
			let fits = rounded
				.iter()
				.all(|multiplier| (1.0..=f64::from(MAX_MULTIPLIER)).contains(multiplier));
			let error = exact
				.iter()
				.zip(&rounded)
				.map(|(exact, rounded)| (rounded / exact - 1.0).abs())
				.fold(0.0, f64::max);
			fits.then(|| (shift, rounded.map(|multiplier| multiplier as u16), error))
		});
		let mut best: Option<(u8, [u16; 2], f64)> = None;
		for candidate in candidates {
			if best.is_none_or(|(_, _, error)| error > MULTIPLIER_ERROR && candidate.2 < error) {
				best = Some(candidate);
			}
		}
		let (shift, multipliers, _) = best.ok_or_else(apart)?;
		Ok((to, self.operator(vec![shift], multipliers, [0; 256]), None))
	}

	fn table(&self, from: f64, function: Function) -> Quantised {
		let to = self.shared[self.tensor].unwrap_or_else(|| self.statistics.scale(self.tensor, 0.0));
		let mut table = [0; 256];
		for (entry, x) in table.iter_mut().zip(i8::MIN..=i8::MAX) {
			*entry = quantise(function.at(f64::from(x) * from), to);
		}
		(to, self.operator(Vec::new(), [1; 2], table), None)
	}
}

/// The same values of `channels` channels at another scale.
fn rescale(channels: usize, from: f64, to: f64) -> Option<Quantised> {
	let Channel { shift, weights, bias } = quantise_channel(&[1.0], 0.0, to / from, to)?;
	let operator = FloatOperator::scale(vec![1.0; channels], vec![0.0; channels]).quantised(
		vec![shift; channels],
		[1; 2],
		[0; 256],
		Activation::Identity,
	);
	let weights = LayerWeights {
		weights: weights.repeat(channels),
		biases: vec![bias; channels],
	};
	Some((to, operator, Some(weights)))
}

/// The integers of one output channel.
struct Channel {
	shift: u8,
	weights: Vec<i8>,
	bias: i32,
}

/// Quantises a channel with the largest shift at which its weights fit int8 and no input can overflow its accumulator. `ratio`
/// is the output's scale over the input's, `to` the output's. `None` where the bias does not fit at all.
fn quantise_channel(weights: &[f32], bias: f32, ratio: f64, to: f64) -> Option<Channel> {
	let largest = largest(weights);
	// A channel without weights needs no more precision than its output has.
	let most = if largest == 0.0 { 0 } else { MAX_SHIFT };
	(0..=most).rev().find_map(|shift| {
		let factor = 2f64.powi(shift.into());
		if largest / ratio * factor > WEIGHT_STEPS {
			return None;
		}
		let weights: Vec<i8> = weights
			.iter()
			.map(|weight| quantise((*weight).into(), ratio / factor))
			.collect();
		let bias = (f64::from(bias) / to * factor + 0.5).floor();
		let magnitude = weights
			.iter()
			.map(|weight| 128 * i64::from(weight.unsigned_abs()))
			.sum::<i64>();
		let reach = bias.abs() + magnitude as f64 + factor / 2.0;
		(reach < f64::from(i32::MAX)).then_some(Channel {
			shift,
			weights,
			bias: bias as i32,
		})
	})
}

/// The greatest magnitude.
fn largest(values: &[f32]) -> f64 {
	values
		.iter()
		.fold(0.0, |max, value| f64::from(value.abs()).max(max))
}
