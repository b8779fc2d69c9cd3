//! Contributions to phase 2, by participants and by a beacon.

use crate::{
	beacon::factors,
	ceremony::{Ceremony, MAX_CONTRIBUTIONS},
	contribution::{Beacon, Contribution, Proofs, Trapdoor, MAX_BEACON_ITERATIONS_LOG2, MAX_BEACON_LEN},
	entropy::Entropy,
	hash::Digest,
	knowledge::Claim,
	points::scale,
	transcript::message,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a ceremony takes no contribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ContributeError {
	/// A beacon closed the ceremony. Finish it.
	#[error("a beacon closed the ceremony; it can only be verified and finished")]
	Closed,
	/// There are [`MAX_CONTRIBUTIONS`] already. Go on to the next step.
	#[error("there are {MAX_CONTRIBUTIONS} contributions already, more than enough; go on to the next step")]
	TooMany,
	/// The beacon is empty, too long or hashed too often.
	#[error(
		"a beacon has 1 to {MAX_BEACON_LEN} bytes and is hashed 2^0 to 2^{MAX_BEACON_ITERATIONS_LOG2} times"
	)]
	Beacon,
}

impl Ceremony {
	/// Multiplies every trapdoor by a secret factor of its own, divides the elements accordingly, and proves that the
	/// factors were known. They are erased. Returns the hash of the transcript with this contribution, by which the
	/// participant finds it again.
	///
	/// Takes time that depends on the secrets: do not do it where somebody can measure it closely.
	pub fn contribute(&mut self, mut entropy: Entropy) -> Result<Digest, ContributeError> {
		let transcript = self.may_contribute()?;
		let factors: Vec<Zeroizing<Fr>> = (0..self.trapdoors()).map(|_| entropy.secret()).collect();
		let before = self.current();
		let after = self.multiply(&factors);
		let message = message(&transcript, &after);
		let proofs =
			(0..)
				.zip(before.iter().zip(&after))
				.zip(&factors)
				.map(|((index, (before, after)), factor)| {
					let claim = Claim {
						message: &message,
						index,
						before: &before.g1,
						after: &after.g1,
					};
					claim.prove(factor, &mut entropy)
				});
		let proofs = Proofs::Participant(proofs.collect());
		self.contributions.push(Contribution { after, proofs });
		Ok(self.transcript_hash())
	}

	/// Multiplies every trapdoor by a factor that everyone can compute from a public random value, and closes the ceremony.
	/// A beacon takes from the last participant the choice among several results. It keeps no secret, so it is no
	/// participant.
	pub fn close(&mut self, beacon: Beacon) -> Result<Digest, ContributeError> {
		let transcript = self.may_contribute()?;
		if beacon.value.is_empty()
			|| beacon.value.len() > MAX_BEACON_LEN
			|| beacon.iterations_log2 > MAX_BEACON_ITERATIONS_LOG2
		{
			return Err(ContributeError::Beacon);
		}
		let factors: Vec<_> = factors(&transcript, &beacon, self.trapdoors())
			.into_iter()
			.map(Zeroizing::new)
			.collect();
		let after = self.multiply(&factors);
		let proofs = Proofs::Beacon(beacon);
		self.contributions.push(Contribution { after, proofs });
		Ok(self.transcript_hash())
	}

	fn may_contribute(&self) -> Result<Digest, ContributeError> {
		if self.is_closed() {
			return Err(ContributeError::Closed);
		}
		if self.contributions.len() >= MAX_CONTRIBUTIONS {
			return Err(ContributeError::TooMany);
		}
		Ok(self.transcript_hash())
	}

	/// The trapdoors times the factors, which are not zero; the elements become elements for them.
	pub(crate) fn multiply(&mut self, factors: &[Zeroizing<Fr>]) -> Vec<Trapdoor> {
		let inverses: Vec<_> = factors
			.iter()
			.map(|factor| Zeroizing::new(factor.inverse().unwrap_or(Fr::ZERO)))
			.collect();
		for (elements, inverses) in self.circuits.iter_mut().zip(inverses.chunks(2)) {
			scale(&mut elements.l, &inverses[0]);
			scale(&mut elements.h, &inverses[0]);
			scale(&mut elements.committed, &inverses[1]);
		}
		if self.has_weights() {
			let last = inverses.len() - 1;
			scale(&mut self.weights, &inverses[last]);
			for elements in &mut self.circuits {
				elements.delta_weights = elements
					.delta_weights
					.map(|trapdoor| trapdoor.times(&factors[last]));
			}
		}
		let current = self.current();
		let products = current.iter().zip(factors);
		products
			.map(|(trapdoor, factor)| trapdoor.times(factor))
			.collect()
	}
}
