//! Groth16 proofs.

use crate::{
	curve::{Curve, Host},
	encoding::{decode_g1, decode_g2, encode_g1, encode_g2, take, Check, PointError, G1_LEN, G2_LEN},
};
use alloc::vec::Vec;
use ark_bls12_381::{G1Affine, G2Affine};
use thiserror::Error;

/// Length of an encoded proof, in bytes: A ‖ B ‖ C, uncompressed.
pub const PROOF_LEN: usize = 384;

/// Why bytes are not a proof. None of these says anything about the statement: see
/// [`VerifyError`](crate::VerifyError) for proofs that are well-formed and wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
	/// The length is not [`PROOF_LEN`]. Send the uncompressed encoding, without framing.
	#[error("a proof has 384 bytes")]
	WrongLength,
	/// A coordinate is not smaller than the field's prime, or carries flag bits. Send canonical, uncompressed points.
	#[error("a coordinate is not canonical")]
	NonCanonical,
	/// A point does not satisfy the curve's equation. The bytes were damaged; prove again.
	#[error("a point is not on the curve")]
	OffCurve,
	/// A point lies outside the subgroup of prime order. The bytes were made by a broken or dishonest prover.
	#[error("a point is outside the subgroup of prime order")]
	OffSubgroup,
	/// A point is the identity, which no honest prover produces. Prove again.
	#[error("a point is the identity")]
	Identity,
}

impl From<PointError> for ProofError {
	fn from(error: PointError) -> Self {
		match error {
			PointError::NonCanonical => Self::NonCanonical,
			PointError::OffCurve => Self::OffCurve,
			PointError::OffSubgroup => Self::OffSubgroup,
			PointError::Identity => Self::Identity,
		}
	}
}

/// A Groth16 proof whose points are on the curve, in their subgroups and not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
	pub(crate) a: G1Affine,
	pub(crate) b: G2Affine,
	pub(crate) c: G1Affine,
}

impl Proof {
	/// A proof from points that the caller computed. The identity is refused; the rest is the caller's word.
	pub fn from_points(a: G1Affine, b: G2Affine, c: G1Affine) -> Result<Self, ProofError> {
		use ark_ec::AffineRepr;
		if a.is_zero() || b.is_zero() || c.is_zero() {
			return Err(ProofError::Identity);
		}
		Ok(Self { a, b, c })
	}

	/// Decodes and checks [`PROOF_LEN`] bytes, with subgroup tests by host call.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
		Self::from_bytes_with::<Host>(bytes)
	}

	/// Decodes and checks [`PROOF_LEN`] bytes with the given backend.
	pub fn from_bytes_with<C: Curve>(bytes: &[u8]) -> Result<Self, ProofError> {
		if bytes.len() != PROOF_LEN {
			return Err(ProofError::WrongLength);
		}
		let mut rest = bytes;
		let mut point = |len| take(&mut rest, len).ok_or(ProofError::WrongLength);
		let (a, b, c) = (point(G1_LEN)?, point(G2_LEN)?, point(G1_LEN)?);
		Ok(Self {
			a: decode_g1::<C>(a, Check::Full)?,
			b: decode_g2::<C>(b, Check::Full)?,
			c: decode_g1::<C>(c, Check::Full)?,
		})
	}

	/// The [`PROOF_LEN`] bytes of this proof.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(PROOF_LEN);
		encode_g1(&mut bytes, &self.a);
		encode_g2(&mut bytes, &self.b);
		encode_g1(&mut bytes, &self.c);
		bytes
	}

	/// The points A, B and C.
	pub fn points(&self) -> (&G1Affine, &G2Affine, &G1Affine) {
		(&self.a, &self.b, &self.c)
	}
}
