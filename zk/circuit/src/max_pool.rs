//! Maxima of wires.

use crate::{
	builder::{Builder, Result},
	requantise::bit_length,
	wire::{Wire, WireSum},
};
use opensand_nn::Interval;

impl Builder {
	/// The maximum of two wires: b + s·(a − b) for the sign s = [a ≥ b].
	pub(crate) fn maximum(&mut self, a: &Wire, b: &Wire) -> Result<Wire> {
		if a.interval.lower >= b.interval.upper {
			return Ok(*a);
		}
		if b.interval.lower >= a.interval.upper {
			return Ok(*b);
		}
		let difference = |constant| {
			let mut sum = WireSum::new(constant);
			sum.add(1, a);
			sum.add(-1, b);
			sum.into_lc()
		};
		// −2^k ≤ a − b < 2^k, and both signs occur.
		let below = i64::from(b.interval.upper) - i64::from(a.interval.lower) - 1;
		let above = i64::from(a.interval.upper) - i64::from(b.interval.lower);
		let k = bit_length(below.max(above) as u64);
		let bias = 1i64 << k;
		let bits = self.decompose(|| difference(bias), (a.value - b.value + bias) as u64, k + 1)?;

		let interval = Interval::new(
			a.interval.lower.max(b.interval.lower),
			a.interval.upper.max(b.interval.upper),
		);
		let value = a.value.max(b.value);
		let offset = i64::from(interval.lower);
		let variable = self.commit(value - offset);
		let maximum = Wire {
			variable: Some(variable),
			offset,
			interval,
			value,
		};
		self.enforce(
			|| difference(0),
			|| bits.bit(k),
			|| {
				let mut sum = WireSum::new(0);
				sum.add(1, &maximum);
				sum.add(-1, b);
				sum.into_lc()
			},
		)?;
		Ok(maximum)
	}
}
