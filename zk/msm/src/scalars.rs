//! Scalars by size.

use crate::split::{halves, signed, Half};
use ark_bls12_381::Fr;
use rayon::prelude::*;
use zeroize::{Zeroize, Zeroizing};

/// A scalar ±magnitude, not zero.
#[derive(Clone, Copy, Default)]
pub(crate) struct Small {
	pub index: u32,
	pub negative: bool,
	pub magnitude: u64,
}

/// A scalar ±(h₀ + h₁·X²).
#[derive(Clone, Copy, Default)]
pub(crate) struct Wide {
	pub index: u32,
	pub negative: bool,
	pub halves: [Half; 2],
}

impl Zeroize for Small {
	fn zeroize(&mut self) {
		self.index.zeroize();
		self.negative.zeroize();
		self.magnitude.zeroize();
	}
}

impl Zeroize for Wide {
	fn zeroize(&mut self) {
		self.index.zeroize();
		self.negative.zeroize();
		for half in &mut self.halves {
			half.magnitude.zeroize();
			half.negative.zeroize();
		}
	}
}

/// Scalars, classified: made once, used by every multiplication by these scalars or by some of them. Erased when dropped.
pub struct Scalars {
	len: usize,
	pub(crate) small: Zeroizing<Vec<Small>>,
	pub(crate) wide: Zeroizing<Vec<Wide>>,
}

enum Class {
	Zero,
	Small(Small),
	Wide(Wide),
}

fn classify(index: usize, scalar: &Fr) -> Class {
	let index = index as u32;
	let (magnitude, negative) = signed(scalar);
	match magnitude.0 {
		[0, 0, 0, 0] => Class::Zero,
		[magnitude, 0, 0, 0] => Class::Small(Small {
			index,
			negative,
			magnitude,
		}),
		_ => Class::Wide(Wide {
			index,
			negative,
			halves: halves(&magnitude),
		}),
	}
}

impl Scalars {
	/// The most scalars: indices are 32 bits with a sign and the number of a part.
	pub const MAX_LEN: usize = 1 << 29;

	/// Classifies scalars, at most [`MAX_LEN`](Self::MAX_LEN) of them: more have no bases.
	pub fn new(scalars: &[Fr]) -> Self {
		const CHUNK: usize = 1 << 12;
		let scalars = &scalars[..scalars.len().min(Self::MAX_LEN)];
		let parts: Vec<_> = scalars
			.par_chunks(CHUNK)
			.enumerate()
			.map(|(chunk, scalars)| {
				// Large enough from the start: growing would leave copies that nobody erases.
				let mut small = Zeroizing::new(Vec::with_capacity(scalars.len()));
				let mut wide = Zeroizing::new(Vec::with_capacity(scalars.len()));
				for (index, scalar) in scalars.iter().enumerate() {
					match classify(chunk * CHUNK + index, scalar) {
						Class::Zero => (),
						Class::Small(scalar) => small.push(scalar),
						Class::Wide(scalar) => wide.push(scalar),
					}
				}
				(small, wide)
			})
			.collect();
		let mut small = Vec::with_capacity(parts.iter().map(|(small, _)| small.len()).sum());
		let mut wide = Vec::with_capacity(parts.iter().map(|(_, wide)| wide.len()).sum());
		for (small_part, wide_part) in &parts {
			small.extend_from_slice(small_part);
			wide.extend_from_slice(wide_part);
		}
		Self {
			len: scalars.len(),
			small: Zeroizing::new(small),
			wide: Zeroizing::new(wide),
		}
	}

	/// The number of scalars, zeros included.
	pub fn len(&self) -> usize {
		self.len
	}

	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		self.len == 0
	}

	/// How many scalars do not fit a sign and 64 bits.
	pub fn wide_len(&self) -> usize {
		self.wide.len()
	}
}
