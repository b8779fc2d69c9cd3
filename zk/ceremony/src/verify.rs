//! Verification of a ceremony, from powers and circuits alone.
//!
//! Nothing here uses the code that contributes. What contributions start from is computed again; the chain of trapdoors is
//! followed by the proofs in it; and the elements that the ceremony ended with are compared, by pairings, with those it started
//! from.

use crate::{
	beacon::factors,
	ceremony::Ceremony,
	circuit::Circuit,
	contribution::{Proofs, Trapdoor},
	finish::VerifiedCeremony,
	hash::Digest,
	initial::{initial_keys, InitialError, InitialKey},
	knowledge::Claim,
	powers::VerifiedPowers,
	ratio::{Multipliers, Ratio},
	transcript,
};
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use std::fmt;
use thiserror::Error;

/// A part of a key that contributions change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
	/// What C takes of each column, of a circuit.
	L(usize),
	/// The quotient's elements, of a circuit.
	H(usize),
	/// The committed segment's elements, of a circuit.
	Committed(usize),
	/// The weights' elements.
	Weights,
	/// δ_w of a circuit whose domain is not the smallest.
	DeltaWeights(usize),
}

impl fmt::Display for Part {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::L(circuit) => write!(formatter, "query l of circuit {circuit}"),
			Self::H(circuit) => write!(formatter, "query h of circuit {circuit}"),
			Self::Committed(circuit) => {
				write!(formatter, "the committed segment's query of circuit {circuit}")
			}
			Self::DeltaWeights(circuit) => write!(formatter, "the trapdoor of weights of circuit {circuit}"),
			Self::Weights => formatter.write_str("the weights' query"),
		}
	}
}

/// Why a ceremony is not accepted. Contributions count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
	/// The powers and the circuits make no ceremony.
	#[error(transparent)]
	Initial(#[from] InitialError),
	/// The ceremony began with other powers. Give the file of powers that it names.
	#[error("the ceremony began with other powers; give the file that it began with")]
	OtherPowers,
	/// The ceremony is for other circuits, or for another number of them, or in another order. Give the models that it is for,
	/// and the release that compiles them as it began.
	#[error("the ceremony is for other circuits; give its models in their order, and with the same input visibility")]
	OtherCircuits,
	/// Nobody contributed but, perhaps, a beacon: everybody knows the secrets. Contribute.
	#[error("no participant contributed, so everybody knows the keys' secrets; contribute first")]
	NoParticipant,
	/// A contribution follows a beacon's, which closes the ceremony. The file is not an honest tool's.
	#[error("contribution {0} follows the beacon that closed the ceremony")]
	AfterBeacon(usize),
	/// A contribution leaves a trapdoor as it was, up to sign. Ask the participant to contribute again.
	#[error("contribution {0} does not change a trapdoor")]
	Unchanged(usize),
	/// Two of γ, δ_w and every circuit's δ and δ₁ are equal up to sign after a contribution. The participant was not honest:
	/// continue from before it.
	#[error("contribution {0} makes two trapdoors equal up to sign")]
	EqualTrapdoors(usize),
	/// A trapdoor differs between G1 and G2. The participant was not honest: continue from before it.
	#[error("contribution {0} has a trapdoor that differs between G1 and G2")]
	Groups(usize),
	/// A proof of knowledge is not valid: made for another contribution or another place, or without the secret. Continue from
	/// before it.
	#[error("contribution {0} does not prove that its factors were known")]
	Knowledge(usize),
	/// The factors are not those of the beacon. Continue from before it.
	#[error("contribution {0} is not what its beacon gives")]
	Beacon(usize),
	/// Elements are not those of the trapdoors that the contributions end with. Somebody changed them: continue from the last
	/// file that verifies.
	#[error("{0} does not belong to the contributions")]
	Elements(Part),
}

/// Checks a ceremony against the powers and the circuits that it claims to be for, and returns what makes its keys.
///
/// Contributions are checked one by one, the elements once, against those that contributions start from. Keys that could be
/// finished have at least one participant's contribution.
pub fn verify(
	ceremony: &Ceremony,
	powers: &VerifiedPowers,
	circuits: &[Circuit],
) -> Result<VerifiedCeremony, VerifyError> {
	if ceremony.powers != powers.digest() {
		return Err(VerifyError::OtherPowers);
	}
	if !ceremony.circuits().eq(circuits.iter().map(Circuit::digest)) {
		return Err(VerifyError::OtherCircuits);
	}
	let hashes = verify_chain(ceremony)?;
	let keys = initial_keys(powers, circuits)?;
	verify_elements(ceremony, &keys, &hashes[hashes.len() - 1])?;
	Ok(VerifiedCeremony::new(ceremony, powers, circuits, keys, hashes))
}

/// Follows the trapdoors through all contributions. Returns the hashes of the transcript.
fn verify_chain(ceremony: &Ceremony) -> Result<Vec<Digest>, VerifyError> {
	let mut hashes = vec![transcript::start(ceremony)];
	let mut before = vec![Trapdoor::one(); ceremony.trapdoors()];
	let (mut participants, mut closed) = (0, false);
	for (index, contribution) in (1..).zip(&ceremony.contributions) {
		if closed {
			return Err(VerifyError::AfterBeacon(index));
		}
		let transcript = hashes[hashes.len() - 1];
		check_trapdoors(&before, &contribution.after, index)?;
		match &contribution.proofs {
			Proofs::Participant(proofs) => {
				participants += 1;
				let message = transcript::message(&transcript, &contribution.after);
				let mut claims = (0..).zip(before.iter().zip(&contribution.after)).zip(proofs);
				let proven = claims.all(|((index, (before, after)), proof)| {
					let claim = Claim {
						message: &message,
						index,
						before: &before.g1,
						after: &after.g1,
					};
					claim.is_proven_by(proof)
				});
				if !proven {
					return Err(VerifyError::Knowledge(index));
				}
			}
			Proofs::Beacon(beacon) => {
				closed = true;
				let factors = factors(&transcript, beacon, before.len());
				let given = before
					.iter()
					.zip(&contribution.after)
					.zip(factors)
					.all(|((before, after), factor)| (before.g1 * factor).into_affine() == after.g1);
				if !given {
					return Err(VerifyError::Beacon(index));
				}
			}
		}
		hashes.push(transcript::next(&transcript, contribution));
		before.clone_from(&contribution.after);
	}
	if participants == 0 {
		return Err(VerifyError::NoParticipant);
	}
	Ok(hashes)
}

/// What holds for the trapdoors of every contribution, whoever made it.
fn check_trapdoors(before: &[Trapdoor], after: &[Trapdoor], index: usize) -> Result<(), VerifyError> {
	// P and −P, and only they, have the same x-coordinate.
	if before
		.iter()
		.zip(after)
		.any(|(before, after)| before.g1.x == after.g1.x)
	{
		return Err(VerifyError::Unchanged(index));
	}
	let gamma = Trapdoor::one();
	let mut trapdoors = [&gamma].into_iter().chain(after);
	while let Some(trapdoor) = trapdoors.next() {
		if trapdoors.clone().any(|other| other.g1.x == trapdoor.g1.x) {
			return Err(VerifyError::EqualTrapdoors(index));
		}
	}
	let agree = |trapdoor: &Trapdoor| Ratio::of(trapdoor.g2).holds(&G1Affine::generator(), &trapdoor.g1);
	after
		.iter()
		.all(agree)
		.then_some(())
		.ok_or(VerifyError::Groups(index))
}

/// That δ_w in the key of each circuit is q(τ) times the ceremony's, in both groups, and no other trapdoor: a multiple of δ_w that nobody can
/// choose, and the one under which the smallest domain's elements are this circuit's.
fn verify_delta_weights(ceremony: &Ceremony, keys: &[InitialKey]) -> Result<(), VerifyError> {
	let trapdoors = ceremony.current();
	for (circuit, (elements, key)) in ceremony.circuits.iter().zip(keys).enumerate() {
		let (found, factor) = match (&elements.delta_weights, &key.weights_factor) {
			(None, None) => continue,
			(Some(found), Some(factor)) => (found, factor),
			_ => return Err(VerifyError::Elements(Part::DeltaWeights(circuit))),
		};
		let delta_weights = &trapdoors[trapdoors.len() - 1];
		let is_multiple = Ratio::of(delta_weights.g2).holds(&factor.g1, &found.g1);
		let agrees = Ratio::of(found.g2).holds(&G1Affine::generator(), &found.g1);
		if !is_multiple || !agrees {
			return Err(VerifyError::Elements(Part::DeltaWeights(circuit)));
		}
		let gamma = Trapdoor::one();
		if [&gamma]
			.into_iter()
			.chain(&trapdoors)
			.any(|other| other.g1.x == found.g1.x)
		{
			return Err(VerifyError::EqualTrapdoors(ceremony.contributions()));
		}
	}
	Ok(())
}

/// That the elements are those that contributions start from, over the trapdoors that they end with. The multipliers are a hash
/// of all elements and, by the transcript, of everything else.
fn verify_elements(ceremony: &Ceremony, keys: &[InitialKey], transcript: &Digest) -> Result<(), VerifyError> {
	let trapdoors = ceremony.current();
	let mut multipliers = Multipliers::new(ceremony.elements_digest(transcript));
	// Initial element = trapdoor · element.
	let mut check = |trapdoor: G2Affine, elements: &[G1Affine], initial: &[G1Affine], part| {
		let ratio = Ratio::of(trapdoor);
		multipliers
			.all_hold(&ratio, elements, initial)
			.then_some(())
			.ok_or(VerifyError::Elements(part))
	};
	for (circuit, (elements, key)) in ceremony.circuits.iter().zip(keys).enumerate() {
		let [delta, delta_committed] = [0, 1].map(|own| trapdoors[2 * circuit + own].g2);
		check(delta, &elements.l, key.l.points(), Part::L(circuit))?;
		check(delta, &elements.h, key.h.points(), Part::H(circuit))?;
		let part = Part::Committed(circuit);
		check(delta_committed, &elements.committed, key.committed.points(), part)?;
	}
	let initial = keys.first().map_or(&[][..], |key| key.weights.points());
	if ceremony.has_weights() || !initial.is_empty() {
		let delta_weights = trapdoors[trapdoors.len() - 1].g2;
		check(delta_weights, &ceremony.weights, initial, Part::Weights)?;
	}
	verify_delta_weights(ceremony, keys)
}
