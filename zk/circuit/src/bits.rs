//! Decomposition into bits.

use crate::{
	builder::{Builder, Result},
	linear::{Lc, Variable},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};

/// The bits of a value in 0..2^width.
pub(crate) struct Bits {
	/// Bits 1.. as variables. Bit 0 is what remains of the value, without a variable of its own.
	upper: Vec<Variable>,
	/// The value as a linear combination; empty where no matrices are wanted.
	total: Lc,
	/// The value in this execution.
	value: u64,
}

impl Builder {
	/// Proves that a value lies in 0..2^width and returns its bits, with `width` constraints and `width − 1` variables.
	///
	/// Bit 0 is the value less the other bits, as a linear combination, and is proven to be 0 or 1 like the others; so
	/// no constraint is spent on the sum. `width` is 1..=63, far below the field, so the bits are unique.
	pub(crate) fn decompose(&mut self, total: impl FnOnce() -> Lc, value: u64, width: u32) -> Result<Bits> {
		assert!((1..=63).contains(&width), "a width of {width} bits");
		self.note_bits();
		let total = if self.wants_matrices() {
			total()
		} else {
			Lc::zero()
		};
		let mut upper = Vec::with_capacity(width as usize - 1);
		for position in 1..width {
			let bit = self.rest((value >> position & 1) as i64);
			self.enforce_boolean(|| bit.into())?;
			upper.push(bit);
		}
		let bits = Bits { upper, total, value };
		self.enforce_boolean(|| bits.lowest())?;
		Ok(bits)
	}

	/// Whether one of the bits is set: their OR, as a variable. There is at least one bit.
	pub(crate) fn any(&mut self, bits: &[Variable], values: &[bool]) -> Result<(Variable, bool)> {
		/// Up to this many bits a chain of ORs costs no more than an inverse, and its variables are bits.
		const CHAIN: usize = 4;
		assert_eq!(bits.len(), values.len());
		let any = values.contains(&true);
		if bits.len() <= CHAIN {
			let (mut or, mut value) = (bits[0], values[0]);
			for (bit, bit_value) in bits.iter().zip(values).skip(1) {
				value |= bit_value;
				let next = self.rest(value.into());
				// or · bit = or + bit − next
				self.enforce(
					|| or.into(),
					|| (*bit).into(),
					|| Lc::integers(0, [(1, or), (1, *bit), (-1, next)]),
				)?;
				or = next;
			}
			return Ok((or, any));
		}
		// sum · inverse = any, sum · (1 − any) = 0: any = [sum ≠ 0]. inverse · (1 − any) = 0 fixes the inverse of zero.
		let sum = values.iter().filter(|bit| **bit).count() as u64;
		let inverse = self.rest_field(Fr::from(sum).inverse().unwrap_or(Fr::ZERO));
		let or = self.rest(any.into());
		let sum = || Lc::integers(0, bits.iter().map(|bit| (1, *bit)));
		let not_or = || Lc::integers(1, [(-1, or)]);
		self.enforce(|| inverse.into(), sum, || or.into())?;
		self.enforce(sum, not_or, Lc::zero)?;
		self.enforce(|| inverse.into(), not_or, Lc::zero)?;
		Ok((or, any))
	}
}

impl Bits {
	/// Bit 0: the value less all other bits.
	fn lowest(&self) -> Lc {
		let mut lc = self.total.clone();
		for (position, bit) in (1u32..).zip(&self.upper) {
			lc.0.push((-Fr::from(1u64 << position), *bit));
		}
		lc
	}

	/// The bit at a position.
	pub(crate) fn bit(&self, position: u32) -> Lc {
		match position.checked_sub(1) {
			None => self.lowest(),
			Some(index) => self.upper[index as usize].into(),
		}
	}

	/// The variable of a bit at a position above 0.
	pub(crate) fn variable(&self, position: u32) -> Variable {
		self.upper[position as usize - 1]
	}

	/// The bit's value in this execution.
	pub(crate) fn bit_value(&self, position: u32) -> bool {
		self.value >> position & 1 == 1
	}

	/// The number that the bits from..to form.
	pub(crate) fn number(&self, from: u32, to: u32) -> Lc {
		let mut terms = Vec::new();
		for position in from.max(1)..to {
			terms.push((Fr::from(1u64 << (position - from)), self.variable(position)));
		}
		let mut lc = Lc(terms);
		if from == 0 && to > 0 {
			lc.0.extend(self.lowest().0);
			lc.compact();
		}
		lc
	}

	/// The value of [`number`](Self::number) in this execution.
	pub(crate) fn number_value(&self, from: u32, to: u32) -> u64 {
		self.value >> from & ((1 << (to - from)) - 1)
	}
}

/// The number of bits of a value; 0 has none.
pub(crate) fn bit_length(value: u64) -> u32 {
	u64::BITS - value.leading_zeros()
}
