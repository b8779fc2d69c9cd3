//! Layers in float to layers in integers.

use super::{error::CalibrateError, scales::Statistics, Calibrated};
use crate::float::{FloatLayer, FloatModel, FloatOperator, Function, Parameters};
use opensand_nn::{
	limits::{MAX_MULTIPLIER, MAX_SHIFT},
	Activation, Architecture, Layer, LayerWeights, Model, Operator, Weights, Window,
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
	let mut scales = vec![statistics.scale(0, 0.0)];
	let mut layers = Vec::with_capacity(float.layers.len());
	let mut weights = Vec::new();
	for (index, layer) in float.layers.iter().enumerate() {
		let step = Step {
			layer,
			statistics,
			scales: &scales,
			tensor: index + 1,
		};
		let (scale, operator, parameters) = step.quantise()?;
		layers.push(Layer {
			input: layer.input,
			operator,
		});
		weights.extend(parameters);
		scales.push(scale);
	}
	let architecture = Architecture::new(float.input(), layers)?;
	let model = Model::new(architecture, Weights::new(weights)?)?;
	Ok(Calibrated { model, scales })
}

/// One layer, and the scales of the tensors before it.
struct Step<'a> {
	layer: &'a FloatLayer,
	statistics: &'a Statistics,
	scales: &'a [f64],
	/// Index of the tensor that the layer makes.
	tensor: usize,
}

type Quantised = (f64, Operator, Option<LayerWeights>);

impl Step<'_> {
	fn quantise(&self) -> Result<Quantised, CalibrateError> {
		let from = self.scales[usize::from(self.layer.input)];
		match &self.layer.operator {
			FloatOperator::Linear(parameters) | FloatOperator::Conv2d { parameters, .. } => {
				self.weighted(from, parameters)
			}
			FloatOperator::AvgPool(window) => Ok(self.average(from, window)),
			FloatOperator::Add(other) => self.sum(from, self.scales[usize::from(*other)]),
			FloatOperator::Function(function) => Ok(self.table(from, *function)),
			FloatOperator::MaxPool(_) | FloatOperator::Reshape(_) | FloatOperator::Relu => {
				Ok((from, self.layer.operator.skeleton(), None))
			}
		}
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
		let to = self.statistics.scale(self.tensor, largest * from / WEIGHT_STEPS);
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
		let to = self
			.statistics
			.scale(self.tensor, left.max(right) / f64::from(MAX_MULTIPLIER));
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
		let to = self.statistics.scale(self.tensor, 0.0);
		let mut table = [0; 256];
		for (entry, x) in table.iter_mut().zip(i8::MIN..=i8::MAX) {
			*entry = quantise(function.at(f64::from(x) * from), to);
		}
		(to, self.operator(Vec::new(), [1; 2], table), None)
	}
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
