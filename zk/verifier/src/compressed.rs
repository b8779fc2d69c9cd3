//! The compressed encoding of curve points: the x-coordinate and one bit of y.
//!
//! The layout is the compressed one of Zcash and arkworks: x as in the uncompressed encoding, with three flags in the
//! high bits of its first byte: compressed (always set), identity (never set: there is none to encode), and whether y
//! is the greater of the two roots. Neither group has a point with y = 0, since both orders are odd; so there is one
//! encoding per point. Decoding takes a square root.

use crate::{
	curve::Curve,
	encoding::{decode_fq, push_fq, take, PointError, FQ_LEN},
};
use alloc::vec::Vec;
use ark_bls12_381::{Fq2, G1Affine, G2Affine};
use ark_ec::AffineRepr;

/// Length of a compressed point of G1, in bytes.
pub(crate) const COMPRESSED_G1_LEN: usize = FQ_LEN;
/// Length of a compressed point of G2, in bytes.
pub(crate) const COMPRESSED_G2_LEN: usize = 2 * FQ_LEN;

const COMPRESSED: u8 = 0x80;
const IDENTITY: u8 = 0x40;
const GREATER_Y: u8 = 0x20;

/// Splits the flags off: the bytes of x, and whether y is the greater root.
fn take_flags<const LEN: usize>(bytes: &[u8; LEN]) -> Result<([u8; LEN], bool), PointError> {
	let mut x = *bytes;
	let first = x.first_mut().ok_or(PointError::NonCanonical)?;
	let greater = *first & GREATER_Y != 0;
	let flags = *first & (COMPRESSED | IDENTITY);
	*first &= !(COMPRESSED | IDENTITY | GREATER_Y);
	match flags {
		COMPRESSED => Ok((x, greater)),
		// With anything else set the flag is not an identity but nonsense.
		_ if flags == COMPRESSED | IDENTITY && !greater && x == [0; LEN] => Err(PointError::Identity),
		_ => Err(PointError::NonCanonical),
	}
}

/// Decodes a point of G1 with every check.
pub(crate) fn decode_compressed_g1<C: Curve>(
	bytes: &[u8; COMPRESSED_G1_LEN],
) -> Result<G1Affine, PointError> {
	let (bytes, greater) = take_flags(bytes)?;
	let x = decode_fq(&bytes).ok_or(PointError::NonCanonical)?;
	let point = G1Affine::get_point_from_x_unchecked(x, greater).ok_or(PointError::OffCurve)?;
	if !C::is_in_subgroup_g1(&point) {
		return Err(PointError::OffSubgroup);
	}
	Ok(point)
}

/// Decodes a point of G2 with every check.
pub(crate) fn decode_compressed_g2<C: Curve>(
	bytes: &[u8; COMPRESSED_G2_LEN],
) -> Result<G2Affine, PointError> {
	let (bytes, greater) = take_flags(bytes)?;
	let mut rest = &bytes[..];
	let mut coordinate = || {
		take(&mut rest, FQ_LEN)
			.and_then(decode_fq)
			.ok_or(PointError::NonCanonical)
	};
	let (x1, x0) = (coordinate()?, coordinate()?);
	let point =
		G2Affine::get_point_from_x_unchecked(Fq2::new(x0, x1), greater).ok_or(PointError::OffCurve)?;
	if !C::is_in_subgroup_g2(&point) {
		return Err(PointError::OffSubgroup);
	}
	Ok(point)
}

/// Appends the [`COMPRESSED_G1_LEN`] bytes of a point that is not the identity.
pub(crate) fn encode_compressed_g1(out: &mut Vec<u8>, point: &G1Affine) {
	let start = out.len();
	push_fq(out, &point.x);
	set_flags(out, start, is_greater_root(point));
}

/// Appends the [`COMPRESSED_G2_LEN`] bytes of a point that is not the identity.
pub(crate) fn encode_compressed_g2(out: &mut Vec<u8>, point: &G2Affine) {
	let start = out.len();
	push_fq(out, &point.x.c1);
	push_fq(out, &point.x.c0);
	set_flags(out, start, is_greater_root(point));
}

/// Whether y is greater than −y.
#[allow(clippy::arithmetic_side_effects, reason = "negation of a point is total")]
fn is_greater_root<A: AffineRepr>(point: &A) -> bool {
	point.y() > (-point.into_group()).into().y()
}

fn set_flags(out: &mut [u8], start: usize, greater: bool) {
	if let Some(first) = out.get_mut(start) {
		*first |= COMPRESSED | if greater { GREATER_Y } else { 0 };
	}
}
