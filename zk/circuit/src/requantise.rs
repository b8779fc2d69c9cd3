//! Requantisation with its clamp: y = clamp((acc + 2^(s−1)) >> s).

use crate::{
	builder::{Builder, Result},
	linear::Lc,
	requantise_look_up::RequantiseTables,
	wire::Wire,
};
use opensand_nn::{Activation, Interval};

/// An accumulator in the circuit: a linear combination of what came before, without a variable of its own.
pub(crate) struct Accumulator<L> {
	/// The linear combination; runs only where matrices are wanted.
	pub(crate) lc: L,
	/// Where it lies on every input.
	pub(crate) interval: Interval,
	/// The value in this execution.
	pub(crate) value: i64,
}

/// What the bounds of an accumulator say about its requantisation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Requantisation {
	/// 2^(s−1), and 0 for a shift of 0.
	pub(crate) half: i64,
	/// The least and the greatest quotient (acc + 2^(s−1)) >> s.
	pub(crate) quotients: [i64; 2],
	/// The quotients, clamped.
	pub(crate) outputs: Interval,
}

impl Requantisation {
	pub(crate) fn new(accumulators: Interval, shift: u8, activation: Activation) -> Self {
		let half = (1i64 << shift) / 2;
		let quotients = [accumulators.lower, accumulators.upper].map(|end| (i64::from(end) + half) >> shift);
		let [lower, upper] = quotients.map(|quotient| clamp(quotient, activation) as i32);
		Self {
			half,
			quotients,
			outputs: Interval::new(lower, upper),
		}
	}

	/// The output where it is the same on every input.
	pub(crate) fn constant(&self) -> Option<i32> {
		(self.outputs.lower == self.outputs.upper).then_some(self.outputs.lower)
	}

	/// Whether some quotients are clamped.
	pub(crate) fn saturates(&self) -> bool {
		self.quotients != [self.outputs.lower, self.outputs.upper].map(i64::from)
	}
}

impl Builder {
	/// Requantises an accumulator, by look-ups where there are tables and else by bits.
	pub(crate) fn requantise<L: FnOnce() -> Lc>(
		&mut self,
		accumulator: Accumulator<L>,
		shift: u8,
		activation: Activation,
		tables: Option<RequantiseTables>,
	) -> Result<Wire> {
		let requantisation = Requantisation::new(accumulator.interval, shift, activation);
		if let Some(constant) = requantisation.constant() {
			return Ok(Wire::constant(constant));
		}
		match tables {
			Some(tables) => {
				self.requantise_by_look_ups(accumulator, requantisation, shift, activation, tables)
			}
			None => self.requantise_by_bits(accumulator, requantisation, shift, activation),
		}
	}
}

/// A quotient between the floor of the activation and 127.
pub(crate) fn clamp(quotient: i64, activation: Activation) -> i64 {
	quotient.clamp(activation.floor().into(), i8::MAX.into())
}
