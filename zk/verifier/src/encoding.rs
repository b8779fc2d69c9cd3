//! The encoding of curve points: uncompressed, big-endian, canonical.
//!
//! A point of G1 is x ‖ y, each 48 bytes; a point of G2 is x₁ ‖ x₀ ‖ y₁ ‖ y₀ with x = x₀ + x₁u. The field's prime p
//! has 381 bits, so the three high bits of every coordinate are zero: they carry no flags here, and a set flag makes
//! the coordinate non-canonical. There is one encoding per point, and none for the identity. (The layout is the
//! uncompressed one of Zcash and arkworks.) The chain takes points in this form only: decompression costs more than the
//! whole subgroup test in WASM.

use crate::curve::Curve;
use alloc::vec::Vec;
use ark_bls12_381::{Fq, Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, PrimeField};
use thiserror::Error;

/// Length of an encoded coordinate in the base field, in bytes.
pub(crate) const FQ_LEN: usize = 48;
/// Length of an encoded point of G1, in bytes.
pub const G1_LEN: usize = 96;
/// Length of an encoded point of G2, in bytes.
pub const G2_LEN: usize = 192;
/// First byte of the customary encoding of the identity; all other bytes are zero.
const IDENTITY_FLAG: u8 = 0x40;

/// Why bytes are not an acceptable point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PointError {
	/// A coordinate is not smaller than the field's prime, or flag bits are set. Encode the point uncompressed, with
	/// canonical coordinates.
	#[error("a coordinate is not canonical")]
	NonCanonical,
	/// The coordinates do not satisfy the curve's equation. The bytes were damaged or are not a point.
	#[error("a point is not on the curve")]
	OffCurve,
	/// The point lies on the curve but outside the subgroup of prime order. Only a dishonest or broken encoder makes
	/// such points.
	#[error("a point is outside the subgroup of prime order")]
	OffSubgroup,
	/// The point is the identity, which no honest key or proof contains.
	#[error("a point is the identity")]
	Identity,
}

/// How much of a point is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
	/// Canonical, on the curve, in the subgroup, not the identity.
	Full,
	/// All but the subgroup: for bytes whose subgroup test was passed earlier.
	SubgroupKnown,
}

/// Splits `len` bytes off the front of `bytes`; none if there are fewer.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
	let (head, tail) = bytes.split_at_checked(len)?;
	*bytes = tail;
	Some(head)
}

/// Decodes a coordinate from exactly [`FQ_LEN`] bytes.
pub(crate) fn decode_fq(bytes: &[u8]) -> Option<Fq> {
	let mut limbs = [0u64; 6];
	let (words, rest) = bytes.as_chunks::<8>();
	if words.len() != limbs.len() || !rest.is_empty() {
		return None;
	}
	for (limb, word) in limbs.iter_mut().rev().zip(words) {
		*limb = u64::from_be_bytes(*word);
	}
	// `from_bigint` refuses integers that are not smaller than p.
	Fq::from_bigint(BigInt::new(limbs))
}

fn is_identity_encoding(bytes: &[u8]) -> bool {
	matches!(bytes.split_first(), Some((&IDENTITY_FLAG, rest)) if rest.iter().all(|&byte| byte == 0))
}

/// Decodes a point of G1 from exactly [`G1_LEN`] bytes.
pub(crate) fn decode_g1<C: Curve>(bytes: &[u8], check: Check) -> Result<G1Affine, PointError> {
	if is_identity_encoding(bytes) {
		return Err(PointError::Identity);
	}
	let mut rest = bytes;
	let mut coordinate = || {
		take(&mut rest, FQ_LEN)
			.and_then(decode_fq)
			.ok_or(PointError::NonCanonical)
	};
	let (x, y) = (coordinate()?, coordinate()?);
	let point = G1Affine::new_unchecked(x, y);
	if !point.is_on_curve() || point.is_zero() {
		return Err(PointError::OffCurve);
	}
	if check == Check::Full && !C::is_in_subgroup_g1(&point) {
		return Err(PointError::OffSubgroup);
	}
	Ok(point)
}

/// Decodes a point of G2 from exactly [`G2_LEN`] bytes.
pub(crate) fn decode_g2<C: Curve>(bytes: &[u8], check: Check) -> Result<G2Affine, PointError> {
	if is_identity_encoding(bytes) {
		return Err(PointError::Identity);
	}
	let mut rest = bytes;
	let mut coordinate = || {
		take(&mut rest, FQ_LEN)
			.and_then(decode_fq)
			.ok_or(PointError::NonCanonical)
	};
	let (x1, x0, y1, y0) = (coordinate()?, coordinate()?, coordinate()?, coordinate()?);
	let point = G2Affine::new_unchecked(Fq2::new(x0, x1), Fq2::new(y0, y1));
	if !point.is_on_curve() || point.is_zero() {
		return Err(PointError::OffCurve);
	}
	if check == Check::Full && !C::is_in_subgroup_g2(&point) {
		return Err(PointError::OffSubgroup);
	}
	Ok(point)
}

/// Appends the [`FQ_LEN`] bytes of a coordinate.
pub(crate) fn push_fq(out: &mut Vec<u8>, value: &Fq) {
	for limb in value.into_bigint().0.iter().rev() {
		out.extend_from_slice(&limb.to_be_bytes());
	}
}

/// Appends the [`G1_LEN`] bytes of a point that is not the identity.
pub fn encode_g1(out: &mut Vec<u8>, point: &G1Affine) {
	push_fq(out, &point.x);
	push_fq(out, &point.y);
}

/// Appends the [`G2_LEN`] bytes of a point that is not the identity.
pub fn encode_g2(out: &mut Vec<u8>, point: &G2Affine) {
	push_fq(out, &point.x.c1);
	push_fq(out, &point.x.c0);
	push_fq(out, &point.y.c1);
	push_fq(out, &point.y.c0);
}
