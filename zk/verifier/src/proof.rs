//! Proofs and their encodings.

use crate::{
	compressed::{
		decode_compressed_g1, decode_compressed_g2, encode_compressed_g1, encode_compressed_g2,
		COMPRESSED_G1_LEN, COMPRESSED_G2_LEN,
	},
	curve::{Curve, Host},
	encoding::{decode_g1, decode_g2, encode_g1, encode_g2, take, Check, PointError, G1_LEN, G2_LEN},
};
use alloc::vec::Vec;
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use thiserror::Error;

/// Length of an encoded proof, in bytes: A ‖ B ‖ C ‖ D₁, uncompressed. This is the form that the chain takes.
pub const PROOF_LEN: usize = 3 * G1_LEN + G2_LEN;

/// Length of a compressed proof, in bytes: A ‖ B ‖ C ‖ D₁. For files and messages in which bytes matter more than the
/// four square roots of decoding.
pub const COMPRESSED_PROOF_LEN: usize = 3 * COMPRESSED_G1_LEN + COMPRESSED_G2_LEN;

/// Why bytes are not a proof. None of these says anything about the statement: see
/// [`VerifyError`](crate::VerifyError) for proofs that are well-formed and wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
	/// The length is not [`PROOF_LEN`], or for the compressed form [`COMPRESSED_PROOF_LEN`]. Send one of the two
	/// encodings to the function that takes it, without framing.
	#[error("a proof has 480 bytes, or 240 in compressed form")]
	WrongLength,
	/// A coordinate is not smaller than the field's prime, or carries flag bits of another encoding. Send canonical
	/// points.
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

/// A proof whose points are on the curve, in their subgroups and not the identity: Groth16's A, B and C, and D₁, the
/// commitment from which the challenge is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proof {
	pub(crate) a: G1Affine,
	pub(crate) b: G2Affine,
	pub(crate) c: G1Affine,
	pub(crate) committed: G1Affine,
}

impl Proof {
	/// A proof from points that the caller computed. The identity is refused; the rest is the caller's word.
	pub fn from_points(
		a: G1Affine,
		b: G2Affine,
		c: G1Affine,
		committed: G1Affine,
	) -> Result<Self, ProofError> {
		if a.is_zero() || b.is_zero() || c.is_zero() || committed.is_zero() {
			return Err(ProofError::Identity);
		}
		Ok(Self { a, b, c, committed })
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
		let mut part = |len| take(&mut rest, len).ok_or(ProofError::WrongLength);
		Ok(Self {
			a: decode_g1::<C>(part(G1_LEN)?, Check::Full)?,
			b: decode_g2::<C>(part(G2_LEN)?, Check::Full)?,
			c: decode_g1::<C>(part(G1_LEN)?, Check::Full)?,
			committed: decode_g1::<C>(part(G1_LEN)?, Check::Full)?,
		})
	}

	/// Decodes and checks [`COMPRESSED_PROOF_LEN`] bytes, with subgroup tests by host call.
	pub fn from_compressed_bytes(bytes: &[u8]) -> Result<Self, ProofError> {
		Self::from_compressed_bytes_with::<Host>(bytes)
	}

	/// Decodes and checks [`COMPRESSED_PROOF_LEN`] bytes with the given backend.
	pub fn from_compressed_bytes_with<C: Curve>(bytes: &[u8]) -> Result<Self, ProofError> {
		if bytes.len() != COMPRESSED_PROOF_LEN {
			return Err(ProofError::WrongLength);
		}
		let mut rest = bytes;
		let a = take_array(&mut rest)?;
		let b = take_array(&mut rest)?;
		let c = take_array(&mut rest)?;
		let committed = take_array(&mut rest)?;
		Ok(Self {
			a: decode_compressed_g1::<C>(a)?,
			b: decode_compressed_g2::<C>(b)?,
			c: decode_compressed_g1::<C>(c)?,
			committed: decode_compressed_g1::<C>(committed)?,
		})
	}

	/// The [`PROOF_LEN`] bytes of this proof.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(PROOF_LEN);
		encode_g1(&mut bytes, &self.a);
		encode_g2(&mut bytes, &self.b);
		encode_g1(&mut bytes, &self.c);
		encode_g1(&mut bytes, &self.committed);
		bytes
	}

	/// The [`COMPRESSED_PROOF_LEN`] bytes of this proof.
	pub fn to_compressed_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(COMPRESSED_PROOF_LEN);
		encode_compressed_g1(&mut bytes, &self.a);
		encode_compressed_g2(&mut bytes, &self.b);
		encode_compressed_g1(&mut bytes, &self.c);
		encode_compressed_g1(&mut bytes, &self.committed);
		bytes
	}

	/// The points A, B, C and D₁.
	pub fn points(&self) -> (&G1Affine, &G2Affine, &G1Affine, &G1Affine) {
		(&self.a, &self.b, &self.c, &self.committed)
	}
}

/// Splits an array off the front of `bytes`.
fn take_array<'a, const LEN: usize>(bytes: &mut &'a [u8]) -> Result<&'a [u8; LEN], ProofError> {
	let (head, tail) = bytes.split_first_chunk().ok_or(ProofError::WrongLength)?;
	*bytes = tail;
	Ok(head)
}
