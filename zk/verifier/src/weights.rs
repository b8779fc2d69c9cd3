//! The commitment to a model's weights, which is made once and stands beside the key.

use crate::{
	curve::{Curve, Host},
	encoding::{decode_g1, encode_g1, Check, PointError, G1_LEN},
};
use alloc::vec::Vec;
use ark_bls12_381::G1Affine;
use ark_ec::AffineRepr;

/// D_w, the commitment to the weights' segment: a point of G1 that is not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WeightsCommitment(G1Affine);

impl WeightsCommitment {
	/// A commitment from a point that the caller computed. The identity is refused; the rest is the caller's word.
	pub fn from_point(point: G1Affine) -> Result<Self, PointError> {
		if point.is_zero() {
			return Err(PointError::Identity);
		}
		Ok(Self(point))
	}

	/// Decodes and checks [`G1_LEN`] bytes, for registration, with the subgroup test by host call.
	pub fn from_bytes(bytes: &[u8; G1_LEN]) -> Result<Self, PointError> {
		Self::from_bytes_with::<Host>(bytes)
	}

	/// As [`from_bytes`](Self::from_bytes), with the given backend.
	pub fn from_bytes_with<C: Curve>(bytes: &[u8; G1_LEN]) -> Result<Self, PointError> {
		decode_g1::<C>(bytes, Check::Full).map(Self)
	}

	/// Decodes a commitment that passed [`from_bytes`](Self::from_bytes) when it was stored: all checks but the subgroup
	/// test.
	pub fn from_trusted_bytes(bytes: &[u8; G1_LEN]) -> Result<Self, PointError> {
		decode_g1::<Host>(bytes, Check::SubgroupKnown).map(Self)
	}

	/// The [`G1_LEN`] bytes of this commitment.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(G1_LEN);
		encode_g1(&mut bytes, &self.0);
		bytes
	}

	/// The point.
	pub fn point(&self) -> &G1Affine {
		&self.0
	}
}
