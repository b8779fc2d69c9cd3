//! Keys from a ceremony that was verified.

use crate::{
	ceremony::Ceremony,
	circuit::Circuit,
	contribution::{Contribution, Proofs, Trapdoor},
	hash::Digest,
	initial::InitialKey,
	powers::VerifiedPowers,
};
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use opensand_zk_prover::{ProvingKey, ProvingKeyError, ProvingPoints, Query, VerifyingPoints};
use opensand_zk_verifier::{KeyError, KeyOrigin, StatementShape};
use thiserror::Error;

/// Why a verified ceremony gives no keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FinishError {
	/// The verifying key does not pass the checks of the chain. The circuit has other public inputs than (r, b, f), or leaves one
	/// of them unused: report it with the model.
	#[error("the key of circuit {circuit} is refused: {error}")]
	Key {
		/// Which circuit, from 0.
		circuit: usize,
		/// Why.
		error: KeyError,
	},
	/// The two keys do not fit each other. Report it with the model.
	#[error("the keys of circuit {0} do not belong together")]
	Disagree(usize),
}

/// A ceremony that passed every check, with all elements of its keys.
#[derive(Clone, Debug)]
pub struct VerifiedCeremony {
	hashes: Vec<Digest>,
	participants: usize,
	keys: Vec<(ProvingPoints, VerifyingPoints, StatementShape)>,
}

impl VerifiedCeremony {
	/// From the initial keys, with the elements that the ceremony ended with in place of those that it changed.
	pub(crate) fn new(
		ceremony: &Ceremony,
		powers: &VerifiedPowers,
		circuits: &[Circuit],
		keys: Vec<InitialKey>,
		hashes: Vec<Digest>,
	) -> Self {
		let trapdoors = ceremony.current();
		let weights = if ceremony.has_weights() {
			trapdoors[trapdoors.len() - 1]
		} else {
			Trapdoor::one()
		};
		let by_participant =
			|contribution: &&Contribution| matches!(contribution.proofs, Proofs::Participant(_));
		let keys = keys.into_iter().enumerate().map(|(circuit, key)| {
			let weights = ceremony.circuits[circuit].delta_weights.unwrap_or(weights);
			let own = [trapdoors[2 * circuit], trapdoors[2 * circuit + 1], weights];
			let (proving, verifying) = points(ceremony, powers, circuit, key, own);
			(proving, verifying, circuits[circuit].shape)
		});
		Self {
			hashes,
			participants: ceremony.contributions.iter().filter(by_participant).count(),
			keys: keys.collect(),
		}
	}

	/// The hash of the transcript before any contribution and after each; the last is what the keys name.
	pub fn transcript(&self) -> &[Digest] {
		&self.hashes
	}

	/// The hash that the keys name.
	pub fn transcript_hash(&self) -> Digest {
		self.hashes[self.hashes.len() - 1]
	}

	/// How many participants contributed, without a beacon.
	pub fn participants(&self) -> usize {
		self.participants
	}

	/// The points of each circuit's keys.
	pub fn points(&self) -> impl Iterator<Item = (&ProvingPoints, &VerifyingPoints)> {
		self.keys
			.iter()
			.map(|(proving, verifying, _)| (proving, verifying))
	}

	/// The keys of the circuits, marked as the ceremony's.
	pub fn into_keys(self) -> Result<Vec<ProvingKey>, FinishError> {
		let origin = KeyOrigin::Ceremony {
			transcript_hash: self.transcript_hash(),
		};
		let keys = self.keys.into_iter().enumerate();
		keys.map(|(circuit, (proving, verifying, shape))| {
			let verifying = verifying
				.into_key(origin, shape)
				.map_err(|error| FinishError::Key { circuit, error })?;
			ProvingKey::new(verifying, proving).map_err(|_: ProvingKeyError| FinishError::Disagree(circuit))
		})
		.collect()
	}
}

/// The points of a circuit's keys, for its δ, δ₁ and δ_w.
fn points(
	ceremony: &Ceremony,
	powers: &VerifiedPowers,
	circuit: usize,
	key: InitialKey,
	[delta, delta_committed, delta_weights]: [Trapdoor; 3],
) -> (ProvingPoints, VerifyingPoints) {
	let elements = &ceremony.circuits[circuit];
	let (alpha, beta_g1) = (powers.alpha_g1()[0], powers.beta_g1()[0]);
	let verifying = VerifyingPoints {
		alpha,
		beta: powers.beta_g2(),
		gamma: G2Affine::generator(),
		delta: delta.g2,
		delta_committed: delta_committed.g2,
		delta_weights: delta_weights.g2,
		ic: key.ic,
		has_weights: key.segments.weights > 0,
	};
	let proving = ProvingPoints {
		segments: key.segments,
		domain: key.domain,
		alpha_g1: alpha,
		beta_g1,
		beta_g2: powers.beta_g2(),
		delta_g1: delta.g1,
		delta_g2: delta.g2,
		delta_committed_g1: delta_committed.g1,
		delta_weights_g1: delta_weights.g1,
		a: key.a,
		b_g1: key.b_g1,
		b_g2: key.b_g2,
		l: with_points(key.l, &elements.l),
		h: with_points(key.h, &elements.h),
		committed: with_points(key.committed, &elements.committed),
		weights: with_points(key.weights, &ceremony.weights),
	};
	(proving, verifying)
}

/// A query's indices with other points, of which verification found as many.
fn with_points(query: Query<G1Affine>, points: &[G1Affine]) -> Query<G1Affine> {
	let scalars = query.scalars();
	let (indices, _) = query.into_parts();
	Query::new(scalars, indices, points.to_vec()).expect("verified elements are as many as the initial ones")
}

#[cfg(test)]
impl Ceremony {
	/// The keys for given trapdoors, without contributions that prove them.
	pub(crate) fn unproven_keys(
		&self,
		powers: &VerifiedPowers,
		circuits: &[Circuit],
		after: Vec<Trapdoor>,
	) -> VerifiedCeremony {
		let mut ceremony = self.clone();
		ceremony.contributions.push(Contribution {
			after,
			proofs: Proofs::Participant(Vec::new()),
		});
		let keys = crate::initial::initial_keys(powers, circuits).expect("the ceremony began with them");
		let hashes = ceremony.transcript();
		VerifiedCeremony::new(&ceremony, powers, circuits, keys, hashes)
	}
}
