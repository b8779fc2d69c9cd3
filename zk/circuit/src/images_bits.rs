//! Tables of 256 entries, as multilinear polynomials in the bits of the index.

use crate::{
	bits::{bit_length, Bits},
	builder::{Builder, Result},
	linear::{Lc, Variable},
	wire::Wire,
};
use ark_bls12_381::Fr;
use ark_ff::Field;
use opensand_nn::Interval;
use std::ops::Range;

/// A product of some of an index's bits.
enum Monomial {
	/// The empty product.
	One,
	/// The bit at a position.
	Bit(u32),
	/// A product of two or more bits.
	Product(Variable),
}

impl Monomial {
	fn lc(&self, bits: &Bits) -> Lc {
		match self {
			Monomial::One => Variable::One.into(),
			Monomial::Bit(position) => bits.bit(*position),
			Monomial::Product(variable) => (*variable).into(),
		}
	}
}

impl Builder {
	/// The image at an index, which lies in `interval`. There is more than one.
	///
	/// The index is one of 2 to 256 and has n ≤ 8 bits, which prove that it is not negative. The table is a multilinear polynomial in them, written as
	/// Σ_H h_H · P_H(low bits) over the subsets H of the high half of the bits. It costs n constraints for the bits,
	/// 2^m − m − 1 products for the monomials of a half of m bits, and one product for each H but the empty one.
	pub(crate) fn image_by_bits(
		&mut self,
		images: &[i64],
		index_lc: impl FnOnce() -> Lc,
		index: i64,
		interval: Interval,
	) -> Result<Wire> {
		let width = bit_length(images.len() as u64 - 1);
		let bits = self.decompose(index_lc, index as u64, width)?;

		// Entries behind the last are never looked up.
		let mut coefficients = images.to_vec();
		coefficients.resize(1 << width, 0);
		to_multilinear(&mut coefficients);
		let low_width = width.div_ceil(2);
		let low = self.monomials(&bits, 0..low_width)?;
		let high = self.monomials(&bits, low_width..width)?;

		let offset = i64::from(interval.lower);
		// In set-up there is no execution, and the index is anything.
		let value = images.get(index as usize).copied().unwrap_or(offset);
		let variable = self.commit(value - offset);
		let image = Wire {
			variable: Some(variable),
			offset,
			interval,
			value,
		};

		let polynomial = |row: &[i64]| {
			let mut lc = Lc::zero();
			for (coefficient, monomial) in row.iter().zip(&low).filter(|(coefficient, _)| **coefficient != 0)
			{
				lc = lc.plus_scaled(Fr::from(*coefficient), &monomial.lc(&bits));
			}
			lc
		};
		// One row of coefficients for each subset of the high bits. Rows without low bits are linear, and so is the row of
		// the empty subset.
		let (linear, products): (Vec<_>, Vec<_>) = coefficients
			.chunks(1 << low_width)
			.zip(&high)
			.enumerate()
			.partition(|(subset, (row, _))| {
				*subset == 0 || row[1..].iter().all(|coefficient| *coefficient == 0)
			});
		let mut sum = Lc::zero();
		if self.wants_matrices() {
			for (subset, (row, monomial)) in linear {
				sum.0.extend(match subset {
					0 => polynomial(row).0,
					_ => monomial.lc(&bits).scaled(Fr::from(row[0])).0,
				});
			}
		}
		let Some(((_, (last_row, last_monomial)), products)) = products.split_last() else {
			self.enforce_zero(|| sum.plus_scaled(-Fr::ONE, &image.lc()))?;
			return Ok(image);
		};
		let (low_index, high_index) = (
			bits.number_value(0, low_width) as usize,
			bits.number_value(low_width, width) as usize,
		);
		for (subset, (row, monomial)) in products {
			let row_value: i64 = row
				.iter()
				.enumerate()
				.filter(|(mask, _)| mask & low_index == *mask)
				.map(|(_, value)| value)
				.sum();
			let product = self.rest(if subset & high_index == *subset {
				row_value
			} else {
				0
			});
			self.enforce(|| polynomial(row), || monomial.lc(&bits), || product.into())?;
			if self.wants_matrices() {
				sum.0.push((Fr::ONE, product));
			}
		}
		// The last product is the image less everything else.
		self.enforce(
			|| polynomial(last_row),
			|| last_monomial.lc(&bits),
			|| image.lc().plus_scaled(-Fr::ONE, &sum),
		)?;
		Ok(image)
	}

	/// All products of the bits at `positions`, by mask.
	fn monomials(&mut self, bits: &Bits, positions: Range<u32>) -> Result<Vec<Monomial>> {
		let index = bits.number_value(positions.start, positions.end) as usize;
		let mut monomials = vec![Monomial::One];
		for mask in 1usize..1 << positions.len() {
			let lowest = Monomial::Bit(positions.start + mask.trailing_zeros());
			let rest = mask & (mask - 1);
			monomials.push(if rest == 0 {
				lowest
			} else {
				let product = self.rest((index & mask == mask).into());
				self.enforce(|| monomials[rest].lc(bits), || lowest.lc(bits), || product.into())?;
				Monomial::Product(product)
			});
		}
		Ok(monomials)
	}
}

/// From the values of a function on {0, 1}^n, by index, to the coefficients of its multilinear polynomial, by mask.
fn to_multilinear(values: &mut [i64]) {
	let mut stride = 1;
	while stride < values.len() {
		for block in values.chunks_mut(2 * stride) {
			let (without, with) = block.split_at_mut(stride);
			for (without, with) in without.iter().zip(with) {
				*with -= without;
			}
		}
		stride *= 2;
	}
}
