//! Points in bytes: the encoding of the verifier, and the compressed one in which powers of tau are published.

use ark_bls12_381::{g1, g2, Fr};
use ark_ec::{
	short_weierstrass::{Affine, Projective},
	AffineRepr, CurveGroup,
};
use ark_ff::Field;
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use opensand_zk_msm::Curve;
use opensand_zk_verifier::{Curve as _, Native, PointError, G1_LEN, G2_LEN};
use rayon::prelude::*;
use zeroize::Zeroizing;

/// Points that a thread takes at once.
const CHUNK: usize = 256;

/// A group of the pairing.
pub(crate) trait Group: Curve {
	/// Bytes of a point, uncompressed; compressed it has half as many.
	const LEN: usize;

	/// Whether a point on the curve is in the subgroup of prime order.
	fn in_subgroup(point: &Affine<Self>) -> bool;
}

impl Group for g1::Config {
	const LEN: usize = G1_LEN;

	fn in_subgroup(point: &Affine<Self>) -> bool {
		Native::is_in_subgroup_g1(point)
	}
}

impl Group for g2::Config {
	const LEN: usize = G2_LEN;

	fn in_subgroup(point: &Affine<Self>) -> bool {
		Native::is_in_subgroup_g2(point)
	}
}

/// A point among others that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("number {index}: {error}")]
pub struct PointFault {
	/// Which one, from 0.
	pub index: usize,
	/// What is wrong with it.
	pub error: PointError,
}

/// A canonical point on the curve, in the subgroup, not the identity, from [`Group::LEN`] bytes, or half as many where it is
/// `compressed`. Compressed bytes to which there is no point are [`PointError::OffCurve`].
pub(crate) fn decode<P: Group>(bytes: &[u8], compressed: bool) -> Result<Affine<P>, PointError> {
	let point = if compressed {
		Affine::<P>::deserialize_compressed_unchecked(bytes).map_err(|_| PointError::OffCurve)
	} else {
		Affine::<P>::deserialize_uncompressed_unchecked(bytes).map_err(|_| PointError::NonCanonical)
	}?;
	if point.is_zero() {
		return Err(PointError::Identity);
	}
	if !point.is_on_curve() {
		return Err(PointError::OffCurve);
	}
	P::in_subgroup(&point)
		.then_some(point)
		.ok_or(PointError::OffSubgroup)
}

/// As [`decode`], for bytes of many points. Every point is checked by itself: a random combination of points outside the
/// subgroup can be inside.
pub(crate) fn decode_all<P: Group>(bytes: &[u8], compressed: bool) -> Result<Vec<Affine<P>>, PointFault> {
	let len = if compressed { P::LEN / 2 } else { P::LEN };
	bytes
		.par_chunks(len)
		.with_min_len(CHUNK)
		.enumerate()
		.map(|(index, bytes)| decode(bytes, compressed).map_err(|error| PointFault { index, error }))
		.collect()
}

/// Appends the bytes of points that are not the identity.
pub(crate) fn encode<P: Group>(bytes: &mut Vec<u8>, points: &[Affine<P>]) {
	for point in points {
		point
			.serialize_uncompressed(&mut *bytes)
			.expect("writing to memory does not fail");
	}
}

/// Every point times one factor. Takes time that depends on the factor.
pub(crate) fn scale<P: Group>(points: &mut [Affine<P>], factor: &Fr) {
	points.par_chunks_mut(CHUNK).for_each(|points| {
		let products: Vec<_> = points.iter().map(|point| *point * factor).collect();
		points.copy_from_slice(&Projective::normalize_batch(&products));
	});
}

/// The i-th point times first·ratioⁱ. Takes time that depends on them.
pub(crate) fn scale_by_powers<P: Group>(points: &mut [Affine<P>], first: &Fr, ratio: &Fr) {
	points
		.par_chunks_mut(CHUNK)
		.enumerate()
		.for_each(|(chunk, points)| {
			let mut factor = Zeroizing::new(*first * ratio.pow([(chunk * CHUNK) as u64]));
			let mut products = Vec::with_capacity(points.len());
			for point in points.iter() {
				products.push(*point * *factor);
				*factor *= ratio;
			}
			points.copy_from_slice(&Projective::normalize_batch(&products));
		});
}
