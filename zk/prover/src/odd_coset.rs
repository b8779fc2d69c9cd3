//! From the n-th roots of unity to the other 2n-th roots of unity.

#[cfg(target_arch = "x86_64")]
use crate::vector_transform::Tables;
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

	/// The transforms from the roots to the coset.
	pub fn extension(self) -> Extension {
		Extension {
			#[cfg(target_arch = "x86_64")]
			tables: Tables::new(self.roots.size()),
			coset: self,
		}
	}
}

/// Extends polynomials from the n-th roots of unity to the odd coset.
pub(crate) struct Extension {
	coset: OddCoset,
	/// For vector instructions, where there are any.
	#[cfg(target_arch = "x86_64")]
	tables: Option<Tables>,
}

impl Extension {
	/// Values of a polynomial of degree below n on the roots become its values on the coset.
	pub fn extend(&self, values: &mut Vec<Fr>) {
		#[cfg(target_arch = "x86_64")]
		if let Some(tables) = &self.tables {
			return tables.extend(values);
		}
		self.coset.roots.ifft_in_place(values);
		self.coset.coset.fft_in_place(values);
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_ff::Field;

	#[test]
	fn values_are_extended() {
		for log2 in (1..8).chain([13, 15]) {
			let n = 1usize << log2;
			let coset = OddCoset::new(n).unwrap();
			let (root, offset) = (coset.root(), coset.offset());
			assert_eq!(offset.square(), root);
			// 3x^(n−1) + 5x + 7.
			let value = |x: Fr| x.pow([n as u64 - 1]) * Fr::from(3u64) + Fr::from(5u64) * x + Fr::from(7u64);
			let at = |offset: Fr| (0..n as u64).map(|i| value(offset * root.pow([i]))).collect();
			let (values, expected): (Vec<Fr>, Vec<Fr>) = (at(Fr::ONE), at(offset));
			let plain = Extension {
				coset: OddCoset::new(n).unwrap(),
				#[cfg(target_arch = "x86_64")]
				tables: None,
			};
			for extension in [coset.extension(), plain] {
				let mut extended = values.clone();
				extension.extend(&mut extended);
				assert_eq!(extended, expected, "{n}");
			}
		}
		assert!(OddCoset::new(0).is_none() && OddCoset::new(3).is_none());
		assert!(OddCoset::new(1 << 32).is_none());
	}
}
