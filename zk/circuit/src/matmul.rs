//! Products of two activations.
//!
//! With accumulators proven to be digits of a base B = 2^w, κ = ⌊253/w⌋ of them are proven by one chain of products. Let
//! a block have p rows and q columns, p·q ≤ κ. For each inner index k one constraint multiplies two packed expressions,
//!
//! > (Σ_i B^i · x_ik) · (Σ_j B^(p·j) · y_kj) = z_k,
//!
//! and Σ_k z_k is Σ_ij B^(i + p·j) · acc_ij for the true accumulators. The last product is not a variable: it stands for the committed
//! accumulators less the other z_k. Counted from the least possible value, true and committed accumulators are digits in 0..B, so both
//! sides are the same integer below 2^253, which has one representation in base B.

use crate::{
	bits::bit_length,
	builder::{Builder, Result},
	linear::{Lc, Variable},
	packing::WORD_BITS,
	requantise::{Accumulator, Requantisation},
	requantise_look_up::RequantiseTables,
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::{Activation, Interval, MatMul, Shape};

/// The wires of a tensor.
#[derive(Clone, Copy)]
pub(crate) struct Operand<'a> {
	pub(crate) wires: &'a [Wire],
	pub(crate) shape: Shape,
}

/// One channel's matrices.
struct Matrices<'a> {
	/// Row by row.
	left: &'a [Wire],
	right: &'a [Wire],
	transposed: bool,
	inner: usize,
	columns: usize,
}

impl Matrices<'_> {
	fn left(&self, row: usize, k: usize) -> &Wire {
		&self.left[row * self.inner + k]
	}

	fn right(&self, k: usize, column: usize) -> &Wire {
		if self.transposed {
			&self.right[column * self.inner + k]
		} else {
			&self.right[k * self.columns + column]
		}
	}
}

/// Rows and columns of a block, and the powers of its base.
pub(crate) struct Blocks {
	pub(crate) rows: usize,
	pub(crate) columns: usize,
	pub(crate) powers: Vec<Fr>,
}

impl Blocks {
	/// The blocks with the fewest products for a matrix of `rows` × `columns` with digits of `width` bits.
	pub(crate) fn new(rows: usize, columns: usize, width: u32) -> Self {
		let capacity = (WORD_BITS / width) as usize;
		let blocks = (1..=rows.min(capacity)).map(|block| (block, columns.min(capacity / block)));
		let (block_rows, block_columns) = blocks
			.min_by_key(|(block_rows, block_columns)| {
				rows.div_ceil(*block_rows) * columns.div_ceil(*block_columns)
			})
			.expect("an accumulator has far fewer than 253 bits");
		let base = Fr::from(1u64 << width);
		let powers = std::iter::successors(Some(Fr::ONE), |power| Some(base * power));
		Self {
			rows: block_rows,
			columns: block_columns,
			powers: powers.take(block_rows * block_columns).collect(),
		}
	}

	/// Wires at places of the block, each weighed by its power: the expression and its value.
	fn pack<'a>(&self, wires: impl Iterator<Item = (usize, &'a Wire)> + Clone, wants_lc: bool) -> (Lc, Fr) {
		let terms = wires
			.clone()
			.map(|(place, wire)| self.powers[place] * Fr::from(wire.value));
		let value = terms.sum();
		let mut lc = Lc::zero();
		for (place, wire) in wires.filter(|_| wants_lc) {
			lc = lc.plus_scaled(self.powers[place], &wire.lc());
		}
		(lc, value)
	}
}

impl Builder {
	/// The requantised product of two tensors of matrices. `intervals` has the bounds of each channel's accumulators.
	pub(crate) fn matmul(
		&mut self,
		matmul: &MatMul,
		left: Operand,
		right: Operand,
		intervals: &[Interval],
		accumulators: Option<&[i32]>,
		tables: Option<RequantiseTables>,
	) -> Result<Vec<Wire>> {
		let (rows, inner) = (left.shape.height as usize, left.shape.width as usize);
		let right_plane = right.shape.plane() as usize;
		let columns = right_plane / inner;
		let mut outputs = Vec::with_capacity(intervals.len() * rows * columns);
		let activation = Activation::Identity;
		for (channel, interval) in intervals.iter().enumerate() {
			let requantisation = Requantisation::new(*interval, matmul.shift, activation);
			let matrices = Matrices {
				left: &left.wires[channel * rows * inner..][..rows * inner],
				right: &right.wires[channel * right_plane..][..right_plane],
				transposed: matmul.transposed,
				inner,
				columns,
			};
			let first = channel * rows * columns;
			let values: Vec<i64> = (first..first + rows * columns)
				.map(|place| accumulators.map_or(0, |accumulators| accumulators[place].into()))
				.collect();
			let sums = self.products(&matrices, *interval, &values, tables)?;
			for (sum, value) in sums.into_iter().zip(values) {
				let accumulator = Accumulator {
					lc: || Lc::integers(interval.lower.into(), sum.map(|sum| (1, sum))),
					value,
				};
				outputs.push(self.requantise(
					accumulator,
					requantisation,
					matmul.shift,
					activation,
					tables,
				)?);
			}
		}
		Ok(outputs)
	}

	/// The accumulators of one channel, row by row, less the interval's lower end; none where that is the only value.
	fn products(
		&mut self,
		matrices: &Matrices,
		interval: Interval,
		values: &[i64],
		tables: Option<RequantiseTables>,
	) -> Result<Vec<Option<Variable>>> {
		let lower = i64::from(interval.lower);
		let width = bit_length((i64::from(interval.upper) - lower) as u64);
		if width == 0 {
			return Ok(vec![None; values.len()]);
		}
		let range = tables.map(|tables| tables.range);
		let mut proven = width;
		let mut sums = Vec::with_capacity(values.len());
		for value in values {
			let sum = self.commit(value - lower);
			proven = self.at_least(range, || sum.into(), value - lower, width)?;
			sums.push(sum);
		}
		let columns = matrices.columns;
		let rows = values.len() / columns;
		let blocks = Blocks::new(rows, columns, proven);
		for first_row in (0..rows).step_by(blocks.rows) {
			for first_column in (0..columns).step_by(blocks.columns) {
				let block_rows = blocks.rows.min(rows - first_row);
				let block_columns = blocks.columns.min(columns - first_column);
				let places = move || {
					(0..block_columns).flat_map(move |column| (0..block_rows).map(move |row| (row, column)))
				};
				let total = |powers: &[Fr]| {
					let mut lc = Lc::zero();
					for (row, column) in places() {
						let sum = sums[(first_row + row) * columns + first_column + column];
						let sum = Lc::integers(lower, [(1, sum)]);
						lc = lc.plus_scaled(powers[row + blocks.rows * column], &sum);
					}
					lc
				};
				self.product_chain(
					matrices,
					&blocks,
					[first_row, first_column],
					[block_rows, block_columns],
					total,
				)?;
			}
		}
		Ok(sums.into_iter().map(Some).collect())
	}

	/// States that the packed products of one block add up to `total`.
	fn product_chain(
		&mut self,
		matrices: &Matrices,
		blocks: &Blocks,
		[first_row, first_column]: [usize; 2],
		[rows, columns]: [usize; 2],
		total: impl Fn(&[Fr]) -> Lc,
	) -> Result<()> {
		let wants_lc = self.wants_matrices();
		let mut products = Vec::new();
		for k in 0..matrices.inner {
			let left = (0..rows).map(|row| (row, matrices.left(first_row + row, k)));
			let right =
				(0..columns).map(|column| (blocks.rows * column, matrices.right(k, first_column + column)));
			if self.only_counts() {
				if k + 1 < matrices.inner {
					self.rest_field(Fr::ZERO);
				}
				self.enforce(Lc::zero, Lc::zero, Lc::zero)?;
				continue;
			}
			let (left, left_value) = blocks.pack(left, wants_lc);
			let (right, right_value) = blocks.pack(right, wants_lc);
			if k + 1 < matrices.inner {
				let product = self.rest_field(left_value * right_value);
				products.push((-Fr::ONE, product));
				self.enforce(|| left, || right, || product.into())?;
			} else {
				self.enforce(
					|| left,
					|| right,
					|| {
						let mut lc = total(&blocks.powers);
						lc.0.append(&mut products);
						lc
					},
				)?;
			}
		}
		Ok(())
	}
}
