//! The groups, and their endomorphisms.

use crate::{batch_affine::Additions, inverse::Invert};
use ark_bls12_381::{g1, g2, Fq, Fq2, Fr};
use ark_ec::{
	scalar_mul::glv::GLVConfig,
	short_weierstrass::{Affine, SWCurveConfig},
};
use ark_ff::{AdditiveGroup, MontFp};

/// A group of BLS12-381 in which points can be multiplied.
///
/// A full-width scalar is split into [`PARTS`](Self::PARTS) short ones: s = Σ sₖ·tᵏ where [`image`](Self::image) multiplies
/// a point by t.
pub trait Curve: SWCurveConfig<ScalarField = Fr, BaseField: Invert> + Vectorised {
	/// How many short scalars a full-width one becomes: 2 of 127 bits, or 4 of 63.
	const PARTS: usize;

	/// t·P: for two parts t = X², for four t = X, the absolute value of the curve's parameter.
	fn image(point: &Affine<Self>) -> Affine<Self>;
}

/// Additions by vector instructions, where there are any.
pub trait Vectorised: SWCurveConfig {
	/// Buffers.
	type Vectors;

	/// Buffers, if this processor has the instructions.
	fn vectors() -> Option<Self::Vectors>;

	/// Does the additions from `start`, at most a batch of them.
	fn add(vectors: &mut Self::Vectors, additions: &mut impl Additions<Self>, start: usize, count: usize)
	where
		Self: Curve;
}

#[cfg(target_arch = "x86_64")]
mod vectorised {
	use super::{g1, g2, Additions, Vectorised};
	use crate::vectors::VectorBatch;

	macro_rules! vectorised {
		($curve:ty, $components:literal) => {
			impl Vectorised for $curve {
				type Vectors = VectorBatch<$components>;

				fn vectors() -> Option<Self::Vectors> {
					VectorBatch::new()
				}

				fn add(
					vectors: &mut Self::Vectors,
					additions: &mut impl Additions<Self>,
					start: usize,
					count: usize,
				) {
					vectors.add(additions, start, count);
				}
			}
		};
	}

	vectorised!(g1::Config, 1);
	vectorised!(g2::Config, 2);
}

#[cfg(not(target_arch = "x86_64"))]
impl<P: SWCurveConfig> Vectorised for P {
	type Vectors = std::convert::Infallible;

	fn vectors() -> Option<Self::Vectors> {
		None
	}

	fn add(vectors: &mut Self::Vectors, _: &mut impl Additions<Self>, _: usize, _: usize) {
		match *vectors {}
	}
}

/// φ(x, y) = (βx, y) multiplies by −X².
impl Curve for g1::Config {
	const PARTS: usize = 2;

	fn image(point: &Affine<Self>) -> Affine<Self> {
		-Self::endomorphism_affine(point)
	}
}

/// ψ, Frobenius between twists, multiplies by −X.
impl Curve for g2::Config {
	const PARTS: usize = 4;

	fn image(point: &Affine<Self>) -> Affine<Self> {
		let mut image = *point;
		image.x.conjugate_in_place();
		image.y.conjugate_in_place();
		image.x *= PSI_X;
		image.y *= -PSI_Y;
		image
	}
}

/// 1 / (u + 1)^((p − 1) / 3).
const PSI_X: Fq2 = Fq2::new(
	Fq::ZERO,
	MontFp!("4002409555221667392624310435006688643935503118305586438271171395842971157480381377015405980053539358417135540939437"),
);
/// 1 / (u + 1)^((p − 1) / 2).
const PSI_Y: Fq2 = Fq2::new(
	MontFp!("2973677408986561043442465346520108879172042883009249989176415018091420807192182638567116318576472649347015917690530"),
	MontFp!("1028732146235106349975324479215795277384839936929757896155643118032610843298655225875571310552543014690878354869257"),
);

#[cfg(test)]
mod tests {
	use super::*;
	use crate::split::X;
	use ark_ec::{AffineRepr, CurveGroup};
	use ark_ff::{Field, PrimeField};

	#[test]
	fn images_multiply_by_the_base_of_the_split() {
		let scalar = Fr::from(123_456_789u64).inverse().unwrap();
		let point = (g1::G1Affine::generator() * scalar).into_affine();
		let squared = Fr::from(X) * Fr::from(X);
		assert_eq!(g1::Config::image(&point), (point * squared).into_affine());
		let point = (g2::G2Affine::generator() * scalar).into_affine();
		assert_eq!(g2::Config::image(&point), (point * Fr::from(X)).into_affine());
	}

	#[test]
	fn the_coefficients_are_those_of_their_definitions() {
		let p_minus_one = -Fq::ONE;
		let exponent = |divisor: u64| (p_minus_one / Fq::from(divisor)).into_bigint();
		let u_plus_one = Fq2::new(Fq::ONE, Fq::ONE);
		assert_eq!(PSI_X * u_plus_one.pow(exponent(3)), Fq2::ONE);
		assert_eq!(PSI_Y * u_plus_one.pow(exponent(2)), Fq2::ONE);
	}
}
