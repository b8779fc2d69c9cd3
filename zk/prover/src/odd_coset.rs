//! From the n-th roots of unity to the other 2n-th roots of unity.

use ark_bls12_381::Fr;
use ark_ff::FftField;
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

/// The n-th roots of unity ωⁱ and the odd coset ξωⁱ, where ξ is a square root of ω: together the 2n-th roots of unity.
pub(crate) struct OddCoset {
	roots: Radix2EvaluationDomain<Fr>,
	coset: Radix2EvaluationDomain<Fr>,
}

impl OddCoset {
	/// For n roots; none if n is not a power of two or 2n is more than there are roots of unity.
	pub fn new(n: usize) -> Option<Self> {
		if !n.is_power_of_two() {
			return None;
		}
		let generator = Fr::get_root_of_unity(n as u64 * 2)?;
		let roots = Radix2EvaluationDomain::new(n)?;
		Some(Self {
			roots,
			coset: roots.get_coset(generator)?,
		})
	}

	/// ω.
	pub fn root(&self) -> Fr {
		self.roots.group_gen()
	}

	/// ξ.
	pub fn offset(&self) -> Fr {
		self.coset.coset_offset()
	}

	/// n⁻¹.
	pub fn size_inverse(&self) -> Fr {
		self.roots.size_inv()
	}

	/// Values of a polynomial of degree below n on the roots become its values on the coset.
	pub fn extend(&self, values: &mut Vec<Fr>) {
		self.roots.ifft_in_place(values);
		self.coset.fft_in_place(values);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_ff::Field;

	#[test]
	fn values_are_extended() {
		for log2 in 0..8 {
			let n = 1usize << log2;
			let coset = OddCoset::new(n).unwrap();
			assert_eq!(coset.offset().square(), coset.root());
			// 3x^(n−1) + 5.
			let value = |x: Fr| x.pow([n as u64 - 1]) * Fr::from(3u64) + Fr::from(5u64);
			let mut values: Vec<Fr> = (0..n as u64).map(|i| value(coset.root().pow([i]))).collect();
			coset.extend(&mut values);
			for (i, extended) in values.iter().enumerate() {
				assert_eq!(*extended, value(coset.offset() * coset.root().pow([i as u64])));
			}
		}
		assert!(OddCoset::new(0).is_none() && OddCoset::new(3).is_none());
		assert!(OddCoset::new(1 << 32).is_none());
	}
}
