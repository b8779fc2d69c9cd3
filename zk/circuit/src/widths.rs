//! What the weights of an architecture are declared to fit, where they are committed to instead of constant.

use crate::error::CircuitError;
use opensand_nn::{Architecture, Interval, Model};

/// The most bits of an accumulator beside its sign: those of an int32.
const MAX_ACCUMULATOR_BITS: u8 = 31;
/// The most bytes of a bias.
const MAX_BIAS_BYTES: u8 = 4;

/// What the weights of one layer are declared to fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerWidths {
	/// d: every accumulator lies in −2^d ..= 2^d − 1 on every input, with and without its rounding. 1..=31.
	pub accumulator_bits: u8,
	/// Every bias is a signed integer of this many bytes. 1..=4.
	pub bias_bytes: u8,
}

impl LayerWidths {
	/// Where accumulators lie.
	pub fn accumulators(&self) -> Interval {
		let end = i32::MAX >> (MAX_ACCUMULATOR_BITS - self.accumulator_bits);
		Interval::new(-end - 1, end)
	}

	/// Where biases lie.
	pub fn biases(&self) -> Interval {
		let end = i32::MAX >> (8 * (MAX_BIAS_BYTES - self.bias_bytes));
		Interval::new(-end - 1, end)
	}

	fn is_valid(&self) -> bool {
		(1..=MAX_ACCUMULATOR_BITS).contains(&self.accumulator_bits)
			&& (1..=MAX_BIAS_BYTES).contains(&self.bias_bytes)
	}
}

/// What the weights of each layer that has some are declared to fit, in the order of the layers.
///
/// A part of the definition of circuits whose weights are committed to. Weights that fit can be proven about under the same keys,
/// however they were trained; others need keys of other widths. No proof's meaning depends on them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredWidths {
	layers: Vec<LayerWidths>,
}

impl DeclaredWidths {
	/// Declares widths for the layers of an architecture that have weights.
	///
	/// # Errors
	/// [`CircuitError::Widths`] if there are not as many as such layers, or one is out of its range.
	pub fn new(architecture: &Architecture, layers: Vec<LayerWidths>) -> Result<Self, CircuitError> {
		let weighted = weighted_layers(architecture).count();
		let valid = layers.len() == weighted && layers.iter().all(LayerWidths::is_valid);
		valid.then_some(Self { layers }).ok_or(CircuitError::Widths)
	}

	/// Widths for a model and what training may make of it: the model's own bounds, rounded up to powers of two, and one bit
	/// more.
	pub fn of(model: &Model) -> Self {
		let layers = weighted_layers(model.architecture()).map(|layer| {
			let accumulators = accumulator_ends(model, layer);
			let weights = model.layer_weights(layer);
			let biases = weights
				.into_iter()
				.flat_map(|weights| weights.biases.iter().copied());
			let bits = |values: &mut dyn Iterator<Item = i32>| {
				values.map(signed_bits).max().unwrap_or_default() as u8 + 1
			};
			LayerWidths {
				accumulator_bits: bits(&mut { accumulators }).min(MAX_ACCUMULATOR_BITS),
				bias_bytes: (bits(&mut { biases }) + 1).div_ceil(8).min(MAX_BIAS_BYTES),
			}
		});
		Self {
			layers: layers.collect(),
		}
	}

	/// The widths, in the order of the layers that have weights.
	pub fn layers(&self) -> &[LayerWidths] {
		&self.layers
	}

	/// The widths of each layer that has some.
	pub(crate) fn by_layer<'a>(
		&'a self,
		architecture: &'a Architecture,
	) -> impl Iterator<Item = (usize, &'a LayerWidths)> {
		weighted_layers(architecture).zip(&self.layers)
	}

	/// Checks that a model's weights fit.
	///
	/// # Errors
	/// [`CircuitError::BeyondWidths`] names the first layer that does not.
	pub fn check(&self, model: &Model) -> Result<(), CircuitError> {
		if weighted_layers(model.architecture()).count() != self.layers.len() {
			return Err(CircuitError::Widths);
		}
		for (layer, widths) in self.by_layer(model.architecture()) {
			let beyond = |what, bound: i32, declared: Interval| {
				let fits = declared.contains(bound);
				(!fits).then_some(CircuitError::BeyondWidths {
					layer,
					what,
					bound,
					declared,
				})
			};
			let weights = model.layer_weights(layer);
			let error = accumulator_ends(model, layer)
				.find_map(|bound| beyond("accumulators", bound, widths.accumulators()));
			let biases = || {
				let mut biases = weights.into_iter().flat_map(|weights| &weights.biases);
				biases.find_map(|bias| beyond("biases", *bias, widths.biases()))
			};
			if let Some(error) = error.or_else(biases) {
				return Err(error);
			}
		}
		Ok(())
	}
}

/// How a circuit takes a model's weights.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightsMode {
	/// As constants: linear layers cost nothing, and other weights need another key.
	Constant,
	/// As a commitment that was registered: all weights within the declared widths share one key.
	Committed(DeclaredWidths),
}

/// The layers that have weights.
pub(crate) fn weighted_layers(architecture: &Architecture) -> impl Iterator<Item = usize> + '_ {
	let layers = architecture.layers().iter().enumerate();
	layers
		.filter(|(_, layer)| layer.operator.has_weights())
		.map(|(index, _)| index)
}

/// The least and the greatest accumulators of a layer's channels, the greatest with their rounding. A checked model has them in
/// int32.
fn accumulator_ends(model: &Model, layer: usize) -> impl Iterator<Item = i32> + '_ {
	let operator = &model.architecture().layers()[layer].operator;
	let channels = model.accumulator_bounds(layer).iter().enumerate();
	channels.flat_map(|(channel, bounds)| {
		let shift = operator.requantisation(channel).map_or(0, |(shift, _)| shift);
		let half = (1i64 << shift) / 2;
		[bounds.lower, (i64::from(bounds.upper) + half) as i32]
	})
}

/// The least b with −2^b ≤ value < 2^b.
fn signed_bits(value: i32) -> u32 {
	i32::BITS - (value ^ (value >> 31)).leading_zeros()
}
