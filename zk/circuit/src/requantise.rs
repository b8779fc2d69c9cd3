//! Requantisation with its clamp: y = clamp((acc + 2^(s−1)) >> s).

use crate::{
	bits::bit_length,
	builder::{Builder, Result},
	linear::Lc,
	requantise_look_up::RequantiseTables,
	wire::Wire,
};
use opensand_nn::{Activation, Interval};

/// An accumulator in the circuit: a linear combination.
pub(crate) struct Accumulator<L> {
	/// The linear combination; runs only where matrices are wanted.
	pub(crate) lc: L,
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
	/// Whether the accumulator is claimed: not even known to be an integer, until this requantisation has proven it.
	pub(crate) is_claimed: bool,
}

/// How an accumulator is decomposed into bits where its quotient p above the clamp's floor can leave the clamp.
pub(crate) struct WholeBits {
	/// Whether p can be negative.
	pub(crate) signed: bool,
	/// k: p < 2^k, and −p ≤ 2^k where it can be negative.
	pub(crate) quotient_bits: u32,
	/// What is added to the accumulator.
	pub(crate) offset: i64,
	/// The bits of the sum.
	pub(crate) width: u32,
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
			is_claimed: false,
		}
	}

	/// Of an accumulator that the prover claims, and has declared to lie in an interval with and without its rounding. Quotients
	/// beyond both ends of the clamp are counted in, so that the output is right for whatever accumulator is accepted.
	pub(crate) fn claimed(declared: Interval, shift: u8, activation: Activation) -> Self {
		let requantisation = Self::new(declared, shift, activation);
		let [lower, _] = requantisation.quotients;
		let upper = i64::from(declared.upper) >> shift;
		Self {
			quotients: [
				lower.min(i64::from(activation.floor()) - 1),
				upper.max(i64::from(i8::MAX) + 1),
			],
			outputs: clamp_range(activation),
			is_claimed: true,
			..requantisation
		}
	}

	/// How the accumulator is decomposed.
	pub(crate) fn whole_bits(&self, shift: u8, activation: Activation) -> WholeBits {
		let (shift, floor) = (u32::from(shift), i64::from(activation.floor()));
		let [lower, upper] = self.quotients.map(|quotient| quotient - floor);
		let signed = lower < 0;
		let quotient_bits = if signed {
			bit_length((-lower - 1).max(upper) as u64)
		} else {
			bit_length(upper as u64)
		};
		let sign = if signed {
			1i64 << (shift + quotient_bits)
		} else {
			0
		};
		WholeBits {
			signed,
			quotient_bits,
			offset: self.half - (floor << shift) + sign,
			width: shift + quotient_bits + u32::from(signed),
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
	pub(crate) fn requantise<L: Fn() -> Lc>(
		&mut self,
		accumulator: Accumulator<L>,
		requantisation: Requantisation,
		shift: u8,
		activation: Activation,
		tables: Option<RequantiseTables>,
	) -> Result<Wire> {
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

/// What a clamp gives.
pub(crate) fn clamp_range(activation: Activation) -> Interval {
	Interval::new(activation.floor().into(), i8::MAX.into())
}
