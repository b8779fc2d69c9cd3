//! Ranges by look-ups.

use crate::{
	builder::{Builder, Result},
	linear::Lc,
	logup::TableId,
	tables::Table,
};
use ark_bls12_381::Fr;
use ark_ff::Field;

impl Builder {
	/// The number of bits of a range table.
	fn range_bits(&self, range: TableId) -> u32 {
		match self.table(range) {
			Table::Range { bits } => *bits,
			Table::Clamp { .. }
			| Table::Images { .. }
			| Table::Exponentials { .. }
			| Table::Digits { .. } => {
				unreachable!("the plan names a range")
			}
		}
	}

	/// Proves that an expression is an integer below 2^(n·k), for a table of 2^k and n = ⌈width/k⌉, by n look-ups. Values
	/// are below 2^width; a wider value is refused or not, as it happens.
	///
	/// All limbs but the highest are variables; the highest is what remains, divided by its place. As all limbs are
	/// integers below 2^k, so is their sum below 2^(n·k).
	pub(crate) fn range(
		&mut self,
		range: TableId,
		expression: impl FnOnce() -> Lc,
		value: i64,
		width: u32,
	) -> Result<()> {
		let bits = self.range_bits(range);
		let limbs = width.div_ceil(bits).max(1);
		let mut lower = Vec::new();
		for limb in 0..limbs - 1 {
			let limb_value = value >> (limb * bits) & ((1 << bits) - 1);
			let variable = self.commit(limb_value);
			self.look_up(range, limb_value, || variable.into())?;
			lower.push((-(1i64 << (limb * bits)), variable));
		}
		let highest = (limbs - 1) * bits;
		self.look_up(range, value >> highest, || {
			let place = Fr::from(1u64 << highest);
			let inverse = place.inverse().expect("a power of two is not zero");
			expression().plus(0, lower).scaled(inverse)
		})
	}

	/// Proves that an expression is an integer in 0..2^w for a w of at least `width`, which it returns: by look-ups where there is
	/// a range table, and else by bits.
	pub(crate) fn at_least(
		&mut self,
		range: Option<TableId>,
		expression: impl FnOnce() -> Lc,
		value: i64,
		width: u32,
	) -> Result<u32> {
		let Some(range) = range else {
			self.decompose(expression, value as u64, width)?;
			return Ok(width);
		};
		self.range(range, expression, value, width)?;
		let bits = self.range_bits(range);
		Ok(width.div_ceil(bits).max(1) * bits)
	}

	/// Proves that an integer expression is below 2^width exactly: by look-ups where there is a range table, and else by bits.
	pub(crate) fn below(
		&mut self,
		range: Option<TableId>,
		expression: impl FnOnce() -> Lc,
		value: i64,
		width: u32,
	) -> Result<()> {
		match range {
			Some(range) => self.exact_range(range, expression, value, width),
			None => self.decompose(expression, value as u64, width).map(drop),
		}
	}

	/// Proves that an integer expression is below 2^width exactly, by ⌈width/k⌉ look-ups in a table of 2^k.
	///
	/// The range that they prove is that of 2^t·expression, with t such that 2^(width+t) is the range's end. So this holds for
	/// integers only; fractions of 2^t must be impossible for other reasons.
	pub(crate) fn exact_range(
		&mut self,
		range: TableId,
		expression: impl FnOnce() -> Lc,
		value: i64,
		width: u32,
	) -> Result<()> {
		let bits = self.range_bits(range);
		let whole = width.div_ceil(bits).max(1) * bits;
		let place = 1i64 << (whole - width);
		self.range(
			range,
			|| expression().scaled(Fr::from(place)),
			value * place,
			whole,
		)
	}
}
