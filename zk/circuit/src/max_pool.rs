//! Maxima of wires, and of accumulators before they are requantised.

use crate::{
	bits::bit_length,
	builder::{Builder, Result},
	linear::{Lc, Variable},
	logup::TableId,
	plan::LayerPlan,
	requantise::Accumulator,
	sums::{window, Sums},
	wire::{Wire, WireSum},
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::{Interval, Shape, Window};

impl Builder {
	/// The maximum of wires, of which there is at least one.
	pub(crate) fn maximum(&mut self, wires: &[Wire], plan: LayerPlan) -> Result<Wire> {
		let LayerPlan::LookUps { range, .. } = plan else {
			let (first, others) = wires.split_first().expect("every window touches the input");
			return others
				.iter()
				.try_fold(*first, |maximum, wire| self.greater(&maximum, wire));
		};
		let lowers = wires.iter().map(|wire| wire.interval.lower).enumerate();
		let (holder, lower) = lowers
			.max_by_key(|(index, lower)| (*lower, std::cmp::Reverse(*index)))
			.expect("every window touches the input");
		// Others are the maximum only if they can be above the one that is never below `lower`.
		let candidates: Vec<Wire> = (0..wires.len())
			.filter(|index| *index == holder || wires[*index].interval.upper > lower)
			.map(|index| wires[index])
			.collect();
		if let [wire] = candidates[..] {
			return Ok(wire);
		}
		let upper = candidates.iter().map(|wire| wire.interval.upper).max();
		let interval = Interval::new(lower, upper.unwrap_or(lower));
		let terms: Vec<(i64, _)> = candidates.iter().map(|wire| (wire.value, || wire.lc())).collect();
		// int8 values differ by less than 2^8.
		let (variable, value) = self.maximum_of(&terms, lower.into(), 8, range)?;
		Ok(Wire {
			variable: Some(variable),
			offset: lower.into(),
			interval,
			value,
		})
	}

	/// The requantised maximum of each window of a layer's accumulators. As requantisation is monotone, that is the maximum of
	/// the requantised ones.
	pub(crate) fn pool_accumulators(
		&mut self,
		sums: &Sums,
		pool: &Window,
		to: Shape,
		accumulators: Option<&[i32]>,
		plan: LayerPlan,
	) -> Result<Vec<Wire>> {
		let tables = plan
			.requantise_tables()
			.expect("accumulators are pooled by look-ups");
		let from = sums.shape();
		let plane = from.plane() as usize;
		let mut outputs = Vec::with_capacity(to.elements() as usize);
		for channel in 0..to.channels as usize {
			let (requantisation, shift, activation) = sums.requantisation(channel);
			let interval = sums.interval(channel);
			if let Some(constant) = requantisation.constant() {
				outputs.extend(vec![Wire::constant(constant); to.plane() as usize]);
				continue;
			}
			let width = bit_length((i64::from(interval.upper) - i64::from(interval.lower)) as u64);
			for position in 0..to.plane() as usize {
				let terms: Vec<(i64, _)> = window(pool, from, to, position)
					.map(|element| {
						let value = accumulators.map_or(0, |values| values[channel * plane + element].into());
						(value, move || sums.sum(channel, element).into_lc())
					})
					.collect();
				if let [(value, lc)] = &terms[..] {
					let (lc, value) = (lc, *value);
					let accumulator = Accumulator { lc, value };
					outputs.push(self.requantise(
						accumulator,
						requantisation,
						shift,
						activation,
						Some(tables),
					)?);
					continue;
				}
				let lower = i64::from(interval.lower);
				let (variable, value) = self.maximum_of(&terms, lower, width, tables.range)?;
				let lc = || Lc::integers(lower, [(1, variable)]);
				let accumulator = Accumulator { lc, value };
				outputs.push(self.requantise(
					accumulator,
					requantisation,
					shift,
					activation,
					Some(tables),
				)?);
			}
		}
		Ok(outputs)
	}

	/// The maximum m of terms, as a variable m − lower, and its value. Terms are given as their values in this execution and as
	/// linear combinations; any two differ by less than 2^width.
	///
	/// All m − aᵢ are in a range from zero on, and their product is zero.
	fn maximum_of(
		&mut self,
		terms: &[(i64, impl Fn() -> Lc)],
		lower: i64,
		width: u32,
		range: TableId,
	) -> Result<(Variable, i64)> {
		let value = terms.iter().map(|(value, _)| *value).max().unwrap_or(lower);
		let maximum = self.commit(value - lower);
		let difference = |index: usize| {
			let (_, term) = &terms[index];
			term().scaled(-Fr::ONE).plus(lower, [(1, maximum)])
		};
		for (index, (term, _)) in terms.iter().enumerate() {
			self.range(range, || difference(index), value - term, width)?;
		}
		let differences: Vec<i64> = terms.iter().map(|(term, _)| value - term).collect();
		self.vanishing_product(&differences, difference)?;
		Ok((maximum, value))
	}

	/// States that one of some expressions is zero. They are given as their values in this execution and as linear combinations.
	pub(crate) fn vanishing_product(
		&mut self,
		values: &[i64],
		expression: impl Fn(usize) -> Lc,
	) -> Result<()> {
		if values.len() == 1 {
			return self.enforce_zero(|| expression(0));
		}
		let mut product = Fr::from(values[0]);
		let mut variable = None;
		for (index, value) in values.iter().enumerate().skip(1) {
			product *= Fr::from(*value);
			let is_last = index == values.len() - 1;
			let next = (!is_last).then(|| self.rest_field(product));
			self.enforce(
				|| variable.map_or_else(|| expression(0), Lc::from),
				|| expression(index),
				|| next.map_or_else(Lc::zero, Lc::from),
			)?;
			variable = next;
		}
		Ok(())
	}

	/// The greater of two wires, by bits: b + s·(a − b) for the sign s = [a ≥ b].
	fn greater(&mut self, a: &Wire, b: &Wire) -> Result<Wire> {
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
