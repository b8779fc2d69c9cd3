//! Softmax of rows: exponentials by a table, shares by a reciprocal.
//!
//! For a row x with the maximum m, e_i = E(m − x_i), S = Σ e_i, R = ⌊2^b/S⌋ and y_i = (127·e_i·R + 2^(b−1)) >> b.
//!
//! # Why the look-ups of pairs need no range
//!
//! A look-up finds e_i + P·d_i, for d_i = m − x_i, among the E(d) + P·d with 0 ≤ d < 256. The product of all d_i is zero, so m is one of
//! the x_j, and every d_i is an integer of magnitude below 2^8. So e_i is one too, below 2^49 in magnitude. R is proven to be at least 1,
//! and the remainder of y_i says −2^(b−1) ≤ 127·e_i·R < 2^(b+14): an e_i with another d than d_i would be P or more away from its
//! exponential. So e_i = E(d_i), and as the table has no negative d, m is the maximum.

use crate::{
	bits::bit_length,
	builder::{Builder, Result},
	linear::{Lc, Variable},
	logup::TableId,
	plan::LayerPlan,
	tables::PAIR,
	wire::{Wire, WireSum},
};
use opensand_nn::{Interval, Shape, Softmax};

/// How a row's exponentials are proven.
#[derive(Clone, Copy)]
struct SoftmaxTables {
	range: TableId,
	/// Pairs of an exponential and its distance.
	pairs: TableId,
}

impl Builder {
	/// The shares of every row of a tensor.
	pub(crate) fn softmax(
		&mut self,
		softmax: &Softmax,
		inputs: &[Wire],
		from: Shape,
		plan: LayerPlan,
	) -> Result<Vec<Wire>> {
		let tables = match plan {
			LayerPlan::LookUps {
				range,
				pairs: Some(pairs),
			} => Some(SoftmaxTables { range, pairs }),
			_ => None,
		};
		let mut outputs = Vec::with_capacity(inputs.len());
		for row in inputs.chunks(from.width as usize) {
			self.softmax_row(softmax, row, tables, &mut outputs)?;
		}
		Ok(outputs)
	}

	fn softmax_row(
		&mut self,
		softmax: &Softmax,
		row: &[Wire],
		tables: Option<SoftmaxTables>,
		outputs: &mut Vec<Wire>,
	) -> Result<()> {
		let range = tables.map(|tables| tables.range);
		let bits = u32::from(softmax.bits);
		let one = 1i64 << bits;
		let exponentials = self.exponentials(softmax, row, tables)?;
		let sum_value: i64 = exponentials.iter().map(|exponential| exponential.value).sum();
		let sum = || {
			let mut sum = WireSum::new(0);
			exponentials
				.iter()
				.for_each(|exponential| sum.add(1, exponential));
			sum.into_lc()
		};
		let greatest = softmax.exponentials.iter().copied().max().unwrap_or(0);
		let sum_width = bit_length(u64::from(greatest) * row.len() as u64);

		// 2^b = R·S + ρ with 0 ≤ ρ < S. Every row has an exponential at distance zero, so R has a greatest value.
		let least_sum = u64::from(softmax.exponential(0));
		let reciprocal_value = softmax.reciprocal(sum_value as u64) as i64;
		let reciprocal = self.commit(reciprocal_value - 1);
		let reciprocal_lc = || Lc::integers(1, [(1, reciprocal)]);
		let reciprocal_width = bit_length(softmax.reciprocal(least_sum) - 1).max(1);
		self.at_least(
			range,
			|| reciprocal.into(),
			reciprocal_value - 1,
			reciprocal_width,
		)?;
		let rest_value = one - reciprocal_value * sum_value;
		let rest = self.commit(rest_value);
		self.enforce(sum, reciprocal_lc, || Lc::integers(one, [(-1, rest)]))?;
		self.at_least(range, || rest.into(), rest_value, sum_width)?;
		self.at_least(
			range,
			|| sum().plus(-1, [(-1, rest)]),
			sum_value - 1 - rest_value,
			sum_width,
		)?;

		let whole = i64::from(Softmax::WHOLE);
		for exponential in &exponentials {
			let product_value = exponential.value * reciprocal_value;
			let product = self.commit(product_value);
			self.enforce(|| exponential.lc(), reciprocal_lc, || product.into())?;
			let rounded = whole * product_value + one / 2;
			let value = rounded >> bits;
			let share = self.commit(value);
			self.at_least(range, || share.into(), value, 7)?;
			self.below(
				range,
				|| Lc::integers(one / 2, [(whole, product), (-one, share)]),
				rounded - (value << bits),
				bits,
			)?;
			outputs.push(Wire {
				variable: Some(share),
				offset: 0,
				interval: Interval::new(0, Softmax::WHOLE as i32),
				value,
			});
		}
		Ok(())
	}

	/// The exponential of each element's distance from the row's maximum.
	fn exponentials(
		&mut self,
		softmax: &Softmax,
		row: &[Wire],
		tables: Option<SoftmaxTables>,
	) -> Result<Vec<Wire>> {
		let least = row.iter().map(|x| x.interval.lower).min().unwrap_or(0);
		let least = i64::from(least);
		let maximum_value = row.iter().map(|x| x.value).max().unwrap_or(least);
		let maximum = self.commit(maximum_value - least);
		let distance = |x: &Wire| {
			let mut distance = WireSum::new(least);
			distance.add(-1, x);
			distance.into_lc().plus(0, [(1, maximum)])
		};
		let distances: Vec<i64> = row.iter().map(|x| maximum_value - x.value).collect();
		self.vanishing_product(&distances, |index| distance(&row[index]))?;
		let images: Vec<i64> = softmax.exponentials.iter().copied().map(i64::from).collect();
		let interval = Interval::new(
			images.iter().copied().min().unwrap_or(0) as i32,
			images.iter().copied().max().unwrap_or(0) as i32,
		);
		let mut exponentials = Vec::with_capacity(row.len());
		for (x, distance_value) in row.iter().zip(distances) {
			let distance = || distance(x);
			exponentials.push(match tables {
				Some(tables) => {
					self.looked_up_exponential(softmax, distance, distance_value, tables, interval)?
				}
				None => self.image_by_bits(&images, distance, distance_value, interval)?,
			});
		}
		Ok(exponentials)
	}

	fn looked_up_exponential(
		&mut self,
		softmax: &Softmax,
		distance: impl Fn() -> Lc,
		distance_value: i64,
		tables: SoftmaxTables,
		interval: Interval,
	) -> Result<Wire> {
		let value = i32::try_from(distance_value).map_or(0, |distance| softmax.exponential(distance).into());
		let exponential: Variable = self.commit(value);
		self.look_up(tables.pairs, distance_value, || {
			distance().scaled(PAIR.into()).plus(0, [(1, exponential)])
		})?;
		Ok(Wire {
			variable: Some(exponential),
			offset: 0,
			interval,
			value,
		})
	}
}
