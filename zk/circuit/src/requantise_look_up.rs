//! Requantisation by look-ups: y = clamp((acc + 2^(s−1)) >> s).

use crate::{
	bits::bit_length,
	builder::{Builder, Result},
	linear::Lc,
	logup::TableId,
	requantise::{clamp, Accumulator, Requantisation},
	tables::PAIR,
	wire::Wire,
};
use opensand_nn::{Activation, Interval};

/// The tables of a requantisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequantiseTables {
	/// For remainders and outputs.
	pub(crate) range: TableId,
	/// For quotients that can leave the clamp.
	pub(crate) clamp: Option<TableId>,
}

impl Builder {
	/// Requantises an accumulator whose output is not constant, by two look-ups where it cannot saturate and by three where it can, and one more for
	/// each further limb of the remainder.
	///
	/// With R = acc + 2^(s−1), the quotient q and the output y are committed. The remainder R − 2^s·q is in 0..2^s if q is an
	/// integer. Where nothing saturates y is q, and a look-up says that it is an integer. Else y is looked up in a range and
	/// (q, y) in the table of the clamp, whose quotients are integers ([`PAIR`]).
	///
	/// That argument needs an accumulator that is known to be an integer. Where it is claimed, q is looked up in a range too:
	/// then q and y are small integers, so they are those of an entry whatever the accumulator is, and 2^t times the
	/// accumulator, for the t of [`exact_range`](Self::exact_range), is a bounded integer. The module `packing` relies on this.
	pub(crate) fn requantise_by_look_ups<L: Fn() -> Lc>(
		&mut self,
		accumulator: Accumulator<L>,
		requantisation: Requantisation,
		shift: u8,
		activation: Activation,
		tables: RequantiseTables,
	) -> Result<Wire> {
		let range = tables.range;
		let Requantisation {
			half,
			quotients: [least, _],
			outputs,
			is_claimed,
		} = requantisation;
		let rounded = accumulator.value + half;
		let quotient = rounded >> shift;
		if !requantisation.saturates() {
			return self.unclamped(accumulator.lc, half, rounded, shift, least, outputs, range);
		}
		let clamp_table = tables.clamp.expect("the plan has a table for what saturates");
		let (first, floor) = self.table(clamp_table).origin();
		let width = bit_length(self.table(clamp_table).len() as u64 - 1);
		let position = quotient - first;
		let value = clamp(quotient, activation);
		let y = self.commit(value - floor);
		self.range(range, || y.into(), value - floor, 8)?;
		if shift == 0 {
			if is_claimed {
				self.range(range, || (accumulator.lc)().plus(-first, []), position, width)?;
			}
			self.look_up(clamp_table, position, || {
				(accumulator.lc)().plus(-first, [(PAIR, y)])
			})?;
		} else {
			let q = self.commit(position);
			if is_claimed {
				self.range(range, || q.into(), position, width)?;
			}
			let remainder = || (accumulator.lc)().plus(half - (first << shift), [(-(1i64 << shift), q)]);
			let remainder_value = rounded - (quotient << shift);
			self.exact_range(range, remainder, remainder_value, shift.into())?;
			self.look_up(clamp_table, position, || Lc::integers(0, [(1, q), (PAIR, y)]))?;
		}
		Ok(Wire {
			variable: Some(y),
			offset: floor,
			interval: outputs,
			value,
		})
	}

	/// y where no input saturates.
	#[allow(clippy::too_many_arguments)]
	fn unclamped(
		&mut self,
		accumulator: impl FnOnce() -> Lc,
		half: i64,
		rounded: i64,
		shift: u8,
		least: i64,
		outputs: Interval,
		range: TableId,
	) -> Result<Wire> {
		let value = rounded >> shift;
		let y = self.commit(value - least);
		let remainder = || accumulator().plus(half - (least << shift), [(-(1i64 << shift), y)]);
		if shift == 0 {
			self.enforce_zero(remainder)?;
		} else {
			self.range(range, || y.into(), value - least, 8)?;
			self.exact_range(range, remainder, rounded - (value << shift), shift.into())?;
		}
		Ok(Wire {
			variable: Some(y),
			offset: least,
			interval: outputs,
			value,
		})
	}
}
