//! Requantisation by bits: y = clamp((acc + 2^(s−1)) >> s).

use crate::{
	bits::{bit_length, Bits},
	builder::{Builder, Result},
	linear::{Lc, Variable},
	requantise::{Accumulator, Requantisation, WholeBits},
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::{Activation, Interval};
use std::ops::Range;

impl Builder {
	/// Requantises an accumulator whose output is not constant.
	///
	/// Let q = (acc + 2^(s−1)) >> s and p = q − f for the clamp's floor f, so that y − f = min(max(p, 0), c) with
	/// c = 127 − f = 2^n − 1. Bounds on acc bound p. Where p stays within 0..=c, y is a variable of ⌈log₂⌉ bits of its
	/// own range and acc + 2^(s−1) − 2^s·y a remainder of s bits. Else acc + 2^(s−1) − 2^s·f is decomposed whole, with
	/// 2^(s+k) added where p can be negative so that bit s + k is its sign: the s low bits are dropped, the next n are
	/// p where nothing saturates, and the OR of those above says that it saturates.
	pub(crate) fn requantise_by_bits<L: FnOnce() -> Lc>(
		&mut self,
		accumulator: Accumulator<L>,
		requantisation: Requantisation,
		shift: u8,
		activation: Activation,
	) -> Result<Wire> {
		let floor = i64::from(activation.floor());
		let half = requantisation.half;
		let span = i64::from(i8::MAX) - floor;
		let rounded = accumulator.value + half;
		let interval = requantisation.outputs;
		if !requantisation.saturates() {
			let rounded_lc = || (accumulator.lc)().plus(half, []);
			return self.requantise_unclamped(rounded_lc, rounded, shift.into(), interval);
		}

		let WholeBits {
			signed,
			quotient_bits: k,
			offset,
			width,
		} = requantisation.whole_bits(shift, activation);
		let shift = u32::from(shift);
		let total = || (accumulator.lc)().plus(offset, []);
		let value = accumulator.value + offset;
		let bits = self.decompose(total, value as u64, width)?;

		let n = bit_length(span as u64);
		let low_end = shift + k.min(n);
		let low = || bits.number(shift, low_end);
		let low_value = bits.number_value(shift, low_end) as i64;
		let saturated = if k > n {
			Some(self.saturate(&bits, shift + n..shift + k, low, low_value, span)?)
		} else {
			None
		};
		let (variable, value) = match (signed, saturated) {
			(false, Some(saturated)) => saturated,
			(false, None) => unreachable!("without either bound in reach the value is not clamped"),
			(true, saturated) => {
				// y − f = sign · min(p, c)
				let magnitude = saturated.map_or(low_value, |(_, value)| value);
				let value = if bits.bit_value(shift + k) { magnitude } else { 0 };
				let variable = self.commit(value);
				self.enforce(
					|| saturated.map_or_else(low, |(variable, _)| variable.into()),
					|| bits.bit(shift + k),
					|| variable.into(),
				)?;
				(variable, value)
			}
		};
		Ok(Wire {
			variable: Some(variable),
			offset: floor,
			interval,
			value: value + floor,
		})
	}

	/// y where no input saturates: z = y − lower has bits of its own, and the rest of the accumulator is a remainder.
	fn requantise_unclamped<L: FnOnce() -> Lc>(
		&mut self,
		rounded_lc: L,
		rounded: i64,
		shift: u32,
		interval: Interval,
	) -> Result<Wire> {
		let lower = i64::from(interval.lower);
		let value = rounded >> shift;
		let z_value = value - lower;
		let z = self.commit(z_value);
		let z_width = bit_length((i64::from(interval.upper) - lower) as u64);
		self.decompose(|| z.into(), z_value as u64, z_width)?;
		let remainder_value = (rounded - (value << shift)) as u64;
		let remainder = || rounded_lc().plus(-(lower << shift), [(-(1i64 << shift), z)]);
		if shift == 0 {
			self.enforce_zero(remainder)?;
		} else {
			self.decompose(remainder, remainder_value, shift)?;
		}
		Ok(Wire {
			variable: Some(z),
			offset: lower,
			interval,
			value,
		})
	}

	/// min(p, span) for p ≥ 0 with the bits `high` above those of `low`: span where one of them is set, `low` elsewhere.
	/// Where p is negative the value is without meaning but determined.
	fn saturate(
		&mut self,
		bits: &Bits,
		high: Range<u32>,
		low: impl Fn() -> Lc,
		low_value: i64,
		span: i64,
	) -> Result<(Variable, i64)> {
		let variables: Vec<Variable> = high.clone().map(|position| bits.variable(position)).collect();
		let values: Vec<bool> = high.map(|position| bits.bit_value(position)).collect();
		let (any, any_value) = self.any(&variables, &values)?;
		let value = if any_value { span } else { low_value };
		let limited = self.commit(value);
		// (span − low) · any = limited − low
		self.enforce(
			|| low().scaled(-Fr::ONE).plus(span, []),
			|| any.into(),
			|| low().scaled(-Fr::ONE).plus(0, [(1, limited)]),
		)?;
		Ok((limited, value))
	}
}
