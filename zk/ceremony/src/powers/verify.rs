//! Verification of powers of tau: the chain of contributions, and that all points are powers of what it ends with.

use super::{
	transcript::{claims, message, next, pairs, start},
	Powers, PowersBase,
};
use crate::{
	hash::Digest,
	ratio::{Multipliers, Ratio},
};
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use opensand_zk_verifier::{Curve as _, Native};
use std::ops::Deref;
use thiserror::Error;

/// Why powers of tau are not accepted. Whoever made the file made a mistake or cheats: do not contribute to it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PowersError {
	/// A contribution leaves τ, α or β as it was, up to sign.
	#[error("contribution {0} does not change tau, alpha or beta")]
	Unchanged(usize),
	/// A proof of knowledge is not valid: made for another contribution or another place, or without the secret.
	#[error("contribution {0} does not prove that its factors were known")]
	Knowledge(usize),
	/// τ or β of a contribution, or of the start, differ between G1 and G2.
	#[error("tau or beta differ between G1 and G2 after {0} contributions")]
	Groups(usize),
	/// The powers are of another τ, α or β than the contributions end with.
	#[error("the powers are not those that the contributions end with")]
	End,
	/// The first powers are not the generators.
	#[error("the first powers are not the generators")]
	Generators,
	/// The points are not the powers of one τ.
	#[error("{0} are not the powers of one tau")]
	Ratio(&'static str),
}

/// Powers of tau that passed every check.
#[derive(Clone, Debug)]
pub struct VerifiedPowers {
	powers: Powers,
	digest: Digest,
	transcript: Digest,
}

impl VerifiedPowers {
	/// The digest of the file.
	pub fn digest(&self) -> Digest {
		self.digest
	}

	/// The hash of the transcript, which contributions extend.
	pub fn transcript_hash(&self) -> Digest {
		self.transcript
	}

	/// The number of contributions in the file.
	pub fn contributions(&self) -> usize {
		self.powers.contributions.len()
	}

	pub(super) fn into_powers(self) -> Powers {
		self.powers
	}
}

impl Deref for VerifiedPowers {
	type Target = Powers;

	fn deref(&self) -> &Powers {
		&self.powers
	}
}

impl Powers {
	/// Checks the chain of contributions and every relation between points. `digest` is that of the file.
	///
	/// Relations between many points are checked by combinations with multipliers that are a hash of the file; points were
	/// checked one by one when they were decoded.
	pub fn verify(self, digest: Digest) -> Result<VerifiedPowers, PowersError> {
		let transcript = self.verify_chain()?;
		self.verify_relations(digest)?;
		Ok(VerifiedPowers {
			powers: self,
			digest,
			transcript,
		})
	}

	fn verify_chain(&self) -> Result<Digest, PowersError> {
		let mut transcript = start(self);
		let mut before = self.start.base;
		if !agrees(&before) {
			return Err(PowersError::Groups(0));
		}
		for (index, contribution) in (1..).zip(&self.contributions) {
			let after = contribution.after;
			if pairs(&before, &after)
				.iter()
				.any(|(before, after)| before.x == after.x)
			{
				return Err(PowersError::Unchanged(index));
			}
			let message = message(&transcript, &after);
			let proven = claims(&message, &before, &after)
				.iter()
				.zip(&contribution.proofs)
				.all(|(claim, proof)| claim.is_proven_by(proof));
			if !proven {
				return Err(PowersError::Knowledge(index));
			}
			if !agrees(&after) {
				return Err(PowersError::Groups(index));
			}
			transcript = next(&transcript, contribution);
			before = after;
		}
		(self.base() == before)
			.then_some(transcript)
			.ok_or(PowersError::End)
	}

	/// That the points are powers of τ, in G1 and G2, with α and β: the first ones are known from the chain.
	fn verify_relations(&self, digest: Digest) -> Result<(), PowersError> {
		if self.tau_g1[0] != G1Affine::generator() || self.tau_g2[0] != G2Affine::generator() {
			return Err(PowersError::Generators);
		}
		let mut multipliers = Multipliers::new(digest);
		let tau = Ratio::of(self.tau_g2[1]);
		for (name, points) in [
			("the powers of tau in G1", &self.tau_g1),
			("the powers with alpha", &self.alpha_g1),
			("the powers with beta", &self.beta_g1),
		] {
			if !multipliers.all_hold(&tau, &points[..points.len() - 1], &points[1..]) {
				return Err(PowersError::Ratio(name));
			}
		}
		let [lower, upper] = multipliers.combine(&self.tau_g2[..self.count() - 1], &self.tau_g2[1..]);
		let powers = [(self.tau_g1[1], lower), (-G1Affine::generator(), upper)];
		if !Native::pairing_product_is_one(&powers) {
			return Err(PowersError::Ratio("the powers of tau in G2"));
		}
		Ok(())
	}
}

/// Whether τ and β are the same in G1 and G2.
fn agrees(base: &PowersBase) -> bool {
	let generator = G1Affine::generator();
	Ratio::of(base.tau_g2).holds(&generator, &base.tau_g1)
		&& Ratio::of(base.beta_g2).holds(&generator, &base.beta_g1)
}
