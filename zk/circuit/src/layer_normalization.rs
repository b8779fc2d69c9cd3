//! Layer normalisation: distances from the mean times an integer reciprocal square root.
//!
//! For a row x of n: d_i = n·x_i − Σ x, V = Σ d_i² + ε, and R is the integer with (2R − 1)²·V ≤ 2^48 < (2R + 1)²·V. The left side grows
//! with R ≥ 1 and R = 0 fails on the right, as V < 2^48, so there is one. With a = R·V and b = R·a the inequalities say that 2^48 − 4b + 4a − V and
//! 4b + 4a + V − 1 − 2^48 are not negative. R is in a range, so that no side wraps.

use crate::{
	bits::bit_length,
	builder::{Builder, Result},
	linear::{Lc, Variable},
	logup::TableId,
	wire::{Wire, WireSum},
};
use opensand_nn::{LayerNormalization, Shape};

/// 2^48: the square of twice 2^23.
const ONE: i64 = 1 << (2 * (LayerNormalization::RECIPROCAL_BITS + 1));

impl Builder {
	/// d_i · R for each element of each row of a tensor.
	pub(crate) fn layer_normalization(
		&mut self,
		normalization: &LayerNormalization,
		inputs: &[Wire],
		from: Shape,
		range: Option<TableId>,
	) -> Result<Vec<Wire>> {
		let mut normalised = Vec::with_capacity(inputs.len());
		for row in inputs.chunks(from.width as usize) {
			normalised.extend(self.normalised(normalization, row, range)?);
		}
		Ok(normalised)
	}

	/// d_i · R for each element of a row.
	fn normalised(
		&mut self,
		normalization: &LayerNormalization,
		row: &[Wire],
		range: Option<TableId>,
	) -> Result<Vec<Wire>> {
		let len = row.len() as i64;
		// The sum without the wires' constants, so that it is not negative.
		let offset: i64 = row.iter().map(|x| x.offset).sum();
		let sum_value: i64 = row.iter().map(|x| x.value).sum();
		let sum = self.commit(sum_value - offset);
		self.enforce_zero(|| {
			let variables = row.iter().filter_map(|x| x.variable);
			Lc::integers(0, variables.map(|variable| (1, variable)).chain([(-1, sum)]))
		})?;
		let distance = |x: &Wire| {
			let mut distance = WireSum::new(-offset);
			distance.add(len, x);
			distance.into_lc().plus(0, [(-1, sum)])
		};
		let distances: Vec<i64> = row.iter().map(|x| len * x.value - sum_value).collect();
		let (squares, squares_value) = self.sum_of_squares(&distances, |index| distance(&row[index]))?;
		let (root, root_value) = self.reciprocal_root(normalization, row, squares, squares_value, range)?;

		let bounds = LayerNormalization::normalised_bounds(row.len() as u32);
		let least = i64::from(bounds.lower);
		let mut normalised = Vec::with_capacity(row.len());
		for (x, distance_value) in row.iter().zip(distances) {
			let value = distance_value * root_value;
			let product = Wire {
				variable: Some(self.commit(value - least)),
				offset: least,
				interval: bounds,
				value,
			};
			self.enforce(|| distance(x), || root.into(), || product.lc())?;
			normalised.push(product);
		}
		Ok(normalised)
	}

	/// The sum of squares as a variable, and its value.
	fn sum_of_squares(
		&mut self,
		values: &[i64],
		expression: impl Fn(usize) -> Lc,
	) -> Result<(Variable, i64)> {
		let total_value = values.iter().map(|value| value * value).sum();
		let total = self.commit(total_value);
		let mut squares = Vec::with_capacity(values.len());
		for (index, value) in values.iter().enumerate() {
			let is_last = index + 1 == values.len();
			let square = (!is_last).then(|| self.rest(value * value));
			self.enforce(
				|| expression(index),
				|| expression(index),
				|| match square {
					Some(square) => square.into(),
					None => Lc::integers(0, squares.iter().copied().chain([(1, total)])),
				},
			)?;
			squares.extend(square.map(|square| (-1, square)));
		}
		Ok((total, total_value))
	}

	/// R for V = squares + ε, as a variable, and its value.
	fn reciprocal_root(
		&mut self,
		normalization: &LayerNormalization,
		row: &[Wire],
		squares: Variable,
		squares_value: i64,
		range: Option<TableId>,
	) -> Result<(Variable, i64)> {
		let epsilon = i64::from(normalization.epsilon);
		let value = squares_value + epsilon;
		let root_value = LayerNormalization::reciprocal_root(value as u64) as i64;
		let root = self.commit(root_value);
		// The greatest R belongs to equal elements.
		let greatest = LayerNormalization::reciprocal_root(epsilon as u64);
		self.at_least(range, || root.into(), root_value, bit_length(greatest))?;
		let a_value = root_value * value;
		let a = self.commit(a_value);
		self.enforce(
			|| root.into(),
			|| Lc::integers(epsilon, [(1, squares)]),
			|| a.into(),
		)?;
		let b_value = root_value * a_value;
		let b = self.commit(b_value);
		self.enforce(|| root.into(), || a.into(), || b.into())?;

		let width = Self::slack_width(row, epsilon);
		self.at_least(
			range,
			|| Lc::integers(ONE - epsilon, [(-4, b), (4, a), (-1, squares)]),
			ONE - 4 * b_value + 4 * a_value - value,
			width,
		)?;
		self.at_least(
			range,
			|| Lc::integers(epsilon - 1 - ONE, [(4, b), (4, a), (1, squares)]),
			4 * b_value + 4 * a_value + value - 1 - ONE,
			width,
		)?;
		Ok((root, root_value))
	}

	/// Bits of what is left in the inequalities: both add up to 8·R·V − 1, which is at most 8·(2^23·√V + V/2).
	fn slack_width(row: &[Wire], epsilon: i64) -> u32 {
		let lower = row.iter().map(|x| x.interval.lower).min().unwrap_or(0);
		let upper = row.iter().map(|x| x.interval.upper).max().unwrap_or(0);
		let (len, span) = (row.len() as u64, (i64::from(upper) - i64::from(lower)) as u64);
		// Values of a span vary most where they lie at its two ends.
		let greatest = len.pow(3) * span * span / 4 + epsilon as u64;
		let products = ((greatest.isqrt() + 1) << LayerNormalization::RECIPROCAL_BITS) + greatest / 2;
		bit_length(8 * products)
	}
}
