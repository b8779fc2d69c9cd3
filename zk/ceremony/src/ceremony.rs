//! The state of phase 2: what is handed from participant to participant.

use crate::{
	circuit::Circuit,
	contribution::{Contribution, Proofs, Trapdoor},
	hash::Digest,
	initial::{initial_keys, InitialError, InitialKey},
	powers::VerifiedPowers,
	transcript,
};
use ark_bls12_381::G1Affine;

/// The most contributions to a ceremony.
pub const MAX_CONTRIBUTIONS: usize = 1 << 10;

/// The elements of a circuit's key that contributions change, without identities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elements {
	/// The digest of the circuit.
	pub circuit: Digest,
	/// What C takes of each column, over δ.
	pub l: Vec<G1Affine>,
	/// The quotient's elements, over δ.
	pub h: Vec<G1Affine>,
	/// Kₖ of the committed segment, over δ₁.
	pub committed: Vec<G1Affine>,
	/// δ_w of this circuit's key, a multiple of the ceremony's; none where it is the ceremony's own, because no circuit has a smaller
	/// domain, or because there are no weights.
	pub delta_weights: Option<Trapdoor>,
}

/// A ceremony for the keys of one or more circuits: every contribution so far, and the elements they led to. All points were
/// checked one by one; whether they are what they should be is for [`verify`](crate::verify).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ceremony {
	/// The digest of the file of powers.
	pub(crate) powers: Digest,
	pub(crate) circuits: Vec<Elements>,
	/// Kₖ of the weights over δ_w, which all circuits share; empty if they have none.
	pub(crate) weights: Vec<G1Affine>,
	pub(crate) contributions: Vec<Contribution>,
}

impl Ceremony {
	/// Begins a ceremony for circuits: all of them without weights, or all with the same weights.
	pub fn new(powers: &VerifiedPowers, circuits: &[Circuit]) -> Result<Self, InitialError> {
		let keys = initial_keys(powers, circuits)?;
		Ok(Self::from_keys(powers, circuits, &keys))
	}

	pub(crate) fn from_keys(powers: &VerifiedPowers, circuits: &[Circuit], keys: &[InitialKey]) -> Self {
		let elements = circuits.iter().zip(keys).map(|(circuit, key)| Elements {
			circuit: circuit.digest(),
			l: key.l.points().to_vec(),
			h: key.h.points().to_vec(),
			committed: key.committed.points().to_vec(),
			delta_weights: key.weights_factor,
		});
		Self {
			powers: powers.digest(),
			circuits: elements.collect(),
			weights: keys
				.first()
				.map_or(Vec::new(), |key| key.weights.points().to_vec()),
			contributions: Vec::new(),
		}
	}

	/// The digest of the powers that the ceremony began with.
	pub fn powers(&self) -> Digest {
		self.powers
	}

	/// The digests of the circuits.
	pub fn circuits(&self) -> impl Iterator<Item = Digest> + '_ {
		self.circuits.iter().map(|elements| elements.circuit)
	}

	/// Whether the circuits have weights.
	pub fn has_weights(&self) -> bool {
		!self.weights.is_empty()
	}

	/// The number of contributions, with a beacon's.
	pub fn contributions(&self) -> usize {
		self.contributions.len()
	}

	/// Whether a beacon closed the ceremony.
	pub fn is_closed(&self) -> bool {
		self.contributions
			.last()
			.is_some_and(|last| matches!(last.proofs, Proofs::Beacon(_)))
	}

	/// The hash of the transcript before any contribution and after each.
	pub fn transcript(&self) -> Vec<Digest> {
		let mut hashes = vec![transcript::start(self)];
		for contribution in &self.contributions {
			hashes.push(transcript::next(&hashes[hashes.len() - 1], contribution));
		}
		hashes
	}

	/// The hash of the whole transcript.
	pub fn transcript_hash(&self) -> Digest {
		let hashes = self.transcript();
		hashes[hashes.len() - 1]
	}

	/// How many trapdoors contributions have factors of their own for: δ and δ₁ of each circuit, and δ_w if there are weights.
	pub(crate) fn trapdoors(&self) -> usize {
		2 * self.circuits.len() + usize::from(self.has_weights())
	}

	/// The trapdoors as they are now: δ, δ₁ of each circuit, then δ_w.
	pub(crate) fn current(&self) -> Vec<Trapdoor> {
		match self.contributions.last() {
			Some(last) => last.after.clone(),
			None => vec![Trapdoor::one(); self.trapdoors()],
		}
	}
}
