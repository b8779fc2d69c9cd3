//! Field elements and points as the plug-in interface has them: little-endian limbs of 64 bits in Montgomery form.

use crate::raw::Group;
use ark_bls12_381::{g1, g2, Fq, Fq2, Fr};
use ark_ec::{
	short_weierstrass::{Affine, Projective, SWCurveConfig},
	AffineRepr, CurveGroup,
};
use ark_ff::{BigInt, PrimeField};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Limbs of a scalar.
pub const SCALAR_LIMBS: usize = 4;
const FQ_LIMBS: usize = 6;
/// Elements that one task converts.
const CHUNK: usize = 1 << 12;

/// A group that points are of.
pub trait Layout: SWCurveConfig {
	/// The group's number.
	const GROUP: Group;

	/// Writes a coordinate to as many limbs as it has.
	fn write(coordinate: &Self::BaseField, limbs: &mut [u64]);

	/// A coordinate; none where the limbs are not below the modulus.
	fn read(limbs: &[u64]) -> Option<Self::BaseField>;
}

fn write_fq(coordinate: &Fq, limbs: &mut [u64]) {
	// The element's memory is its Montgomery form.
	limbs.copy_from_slice(&coordinate.0 .0);
}

fn read_fq(limbs: &[u64]) -> Option<Fq> {
	let limbs = BigInt(limbs.try_into().ok()?);
	(limbs < Fq::MODULUS).then(|| Fq::new_unchecked(limbs))
}

impl Layout for g1::Config {
	const GROUP: Group = Group::G1;

	fn write(coordinate: &Fq, limbs: &mut [u64]) {
		write_fq(coordinate, limbs);
	}

	fn read(limbs: &[u64]) -> Option<Fq> {
		read_fq(limbs)
	}
}

impl Layout for g2::Config {
	const GROUP: Group = Group::G2;

	fn write(coordinate: &Fq2, limbs: &mut [u64]) {
		let (c0, c1) = limbs.split_at_mut(FQ_LIMBS);
		write_fq(&coordinate.c0, c0);
		write_fq(&coordinate.c1, c1);
	}

	fn read(limbs: &[u64]) -> Option<Fq2> {
		let (c0, c1) = limbs.split_at_checked(FQ_LIMBS)?;
		Some(Fq2::new(read_fq(c0)?, read_fq(c1)?))
	}
}

/// Scalars in limbs, erased when dropped.
pub fn scalars(values: &[Fr]) -> Zeroizing<Vec<u64>> {
	// As long as it gets from the start: growing would leave copies that nobody erases.
	let mut limbs = Zeroizing::new(vec![0; values.len() * SCALAR_LIMBS]);
	limbs
		.par_chunks_mut(CHUNK * SCALAR_LIMBS)
		.zip(values.par_chunks(CHUNK))
		.for_each(|(limbs, values)| {
			for (limbs, value) in limbs.chunks_exact_mut(SCALAR_LIMBS).zip(values) {
				limbs.copy_from_slice(&value.0 .0);
			}
		});
	limbs
}

/// The scalars that limbs are; none where some are not below the modulus.
pub fn read_scalars(limbs: &[u64]) -> Option<Vec<Fr>> {
	let scalar = |limbs: &[u64]| {
		let limbs = BigInt(limbs.try_into().ok()?);
		(limbs < Fr::MODULUS).then(|| Fr::new_unchecked(limbs))
	};
	limbs.chunks(SCALAR_LIMBS).map(scalar).collect()
}

/// Points in limbs, and the indices of their scalars; identities are left out.
pub fn points<P: Layout>(indices: Vec<u32>, points: &[Affine<P>]) -> (Vec<u32>, Vec<u64>) {
	let kept = |(_, point): &(_, &Affine<P>)| !point.is_zero();
	let (indices, kept): (Vec<u32>, Vec<&Affine<P>>) = indices.into_iter().zip(points).filter(kept).unzip();
	let coordinate = P::GROUP.limbs();
	let mut limbs = vec![0; kept.len() * 2 * coordinate];
	limbs
		.par_chunks_mut(CHUNK * 2 * coordinate)
		.zip(kept.par_chunks(CHUNK))
		.for_each(|(limbs, points)| {
			for (limbs, point) in limbs.chunks_exact_mut(2 * coordinate).zip(points) {
				let (x, y) = limbs.split_at_mut(coordinate);
				P::write(&point.x, x);
				P::write(&point.y, y);
			}
		});
	(indices, limbs)
}

/// Limbs of Jacobian coordinates as points; none where some are not below the modulus, or a point is not on the curve.
pub fn sums<P: Layout>(limbs: &[u64]) -> Option<Vec<Projective<P>>> {
	let coordinate = P::GROUP.limbs();
	let sum = |limbs: &[u64]| {
		let mut coordinates = limbs.chunks_exact(coordinate).map(P::read);
		let mut next = || coordinates.next().flatten();
		let point = Projective::<P>::new_unchecked(next()?, next()?, next()?);
		point.into_affine().is_on_curve().then_some(point)
	};
	limbs.chunks(3 * coordinate).map(sum).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use ark_bls12_381::{G1Affine, G2Affine};
	use ark_ff::{AdditiveGroup, Field};

	fn round_trip<P: Layout>(point: Affine<P>) {
		let (indices, limbs) = points(vec![3, 5, 9], &[point, Affine::identity(), -point]);
		assert_eq!(indices, [3, 9]);
		let coordinate = P::GROUP.limbs();
		assert_eq!(limbs.len(), 4 * coordinate);
		// With Z = 1, Jacobian coordinates are affine ones.
		let mut one = vec![0; coordinate];
		P::write(&P::BaseField::ONE, &mut one);
		let jacobian = [&limbs[..2 * coordinate], &one, &limbs[2 * coordinate..], &one].concat();
		assert_eq!(sums::<P>(&jacobian).unwrap(), [point, -point]);

		let mut off_curve = jacobian.clone();
		off_curve[0] ^= 1;
		assert!(sums::<P>(&off_curve).is_none());
		let mut too_large = jacobian.clone();
		too_large[..coordinate].fill(u64::MAX);
		assert!(sums::<P>(&too_large).is_none());
		assert!(sums::<P>(&jacobian[1..]).is_none());
		// Whatever X and Y are, Z = 0 is the identity.
		let mut identity = jacobian;
		identity[2 * coordinate..3 * coordinate].fill(0);
		assert_eq!(sums::<P>(&identity).unwrap()[0], Projective::<P>::ZERO);
	}

	#[test]
	fn points_come_back_and_what_is_none_does_not() {
		round_trip(G1Affine::generator());
		round_trip(G2Affine::generator());
	}

	#[test]
	fn scalars_are_in_montgomery_form() {
		let values = [Fr::ZERO, Fr::ONE, -Fr::ONE, Fr::from(7u64)];
		let limbs = scalars(&values);
		// R mod r.
		assert_eq!(
			limbs[4..8],
			[
				0x1_ffff_fffe,
				0x5884_b7fa_0003_4802,
				0x998c_4fef_ecbc_4ff5,
				0x1824_b159_acc5_056f
			]
		);
		assert_eq!(read_scalars(&limbs).unwrap(), values);
		assert!(read_scalars(&[u64::MAX; 4]).is_none());
		assert!(read_scalars(&Fr::MODULUS.0).is_none());
		assert!(read_scalars(&limbs[1..]).is_none());
	}
}
