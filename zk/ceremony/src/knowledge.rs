//! Proofs that a participant knows the factor by which it multiplied a point (Schnorr, CRYPTO 1989, made non-interactive).
//!
//! For factor·before = after: R = k·before with a secret k, e = the hash of everything so far and R, z = k + e·factor. A
//! verifier checks z·before = R + e·after.

use crate::{
	entropy::Entropy,
	hash::Digest,
	points::encode,
	reader::{put_scalar, FileError, Reader},
};
use ark_bls12_381::{Fr, G1Affine};
use ark_ec::CurveGroup;
use opensand_zk_verifier::hash::hash_to_field;

const TAG: &[u8] = b"OpenSand/ceremony-knowledge/v1";

/// A proof of knowledge of a factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnowledgeProof {
	/// R.
	commitment: G1Affine,
	/// z.
	response: Fr,
}

/// What a proof is about: the factor from `before` to `after` in place `index` of the contribution with the message hash
/// `message`, which fixes the transcript so far and all that the contribution sets.
pub(crate) struct Claim<'a> {
	pub message: &'a Digest,
	pub index: u32,
	pub before: &'a G1Affine,
	pub after: &'a G1Affine,
}

impl Claim<'_> {
	fn challenge(&self, commitment: &G1Affine) -> Fr {
		let mut points = Vec::new();
		encode(&mut points, &[*self.before, *self.after, *commitment]);
		hash_to_field(TAG, &[self.message, &self.index.to_le_bytes(), &points])
	}

	/// Proves the claim.
	pub fn prove(&self, factor: &Fr, entropy: &mut Entropy) -> KnowledgeProof {
		let blinding = entropy.secret();
		let commitment = (*self.before * *blinding).into_affine();
		KnowledgeProof {
			commitment,
			response: *blinding + self.challenge(&commitment) * factor,
		}
	}

	/// Whether a proof proves the claim.
	pub fn is_proven_by(&self, proof: &KnowledgeProof) -> bool {
		let challenge = self.challenge(&proof.commitment);
		*self.before * proof.response == *self.after * challenge + proof.commitment
	}
}

impl KnowledgeProof {
	pub(crate) fn encode(&self, bytes: &mut Vec<u8>) {
		encode(bytes, &[self.commitment]);
		put_scalar(bytes, &self.response);
	}

	pub(crate) fn read(reader: &mut Reader) -> Result<Self, FileError> {
		Ok(Self {
			commitment: reader.point("a proof of knowledge")?,
			response: reader.scalar()?,
		})
	}
}
