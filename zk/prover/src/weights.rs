//! Committed weights: the mask that hides them, and their registration.

use crate::{
	backend::{ProverBackend, ResidentRows},
	groth16::{commit, commit_weights, prove, Blinding, ResidentKey},
	key::ProvingKey,
	prover::ProveError,
	rows::Rows,
};
use ark_bls12_381::Fr;
use ark_ff::{BigInteger, PrimeField, UniformRand};
use opensand_zk_circuit::{CircuitError, CircuitSize, DeclaredWidths, RegistrationCircuit};
use opensand_zk_verifier::{verify, Binding, Native, Proof, Statement, VerifyingKey, WeightsCommitment};
use rand::{rngs::OsRng, CryptoRng, RngCore};
use std::{fmt, sync::Arc};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Bytes of a mask.
pub const MASK_LEN: usize = 32;

/// The first word of committed weights: uniformly random, fresh for every version of a model. Who knows it and guesses the weights can test
/// the guess; it is as secret as they are, and published with them. Erased when dropped.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Mask(Fr);

impl fmt::Debug for Mask {
	fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
		formatter.write_str("Mask(..)")
	}
}

impl Mask {
	/// A fresh mask.
	pub fn random(rng: &mut (impl RngCore + CryptoRng)) -> Self {
		Self(Fr::rand(rng))
	}

	/// The mask as a little-endian integer.
	pub fn to_bytes(&self) -> Zeroizing<[u8; MASK_LEN]> {
		let mut bytes = Zeroizing::new([0; MASK_LEN]);
		let integer = Zeroizing::new(self.0.into_bigint());
		let little_endian = Zeroizing::new(integer.to_bytes_le());
		bytes.copy_from_slice(&little_endian);
		bytes
	}

	/// The mask of a canonical little-endian integer, one below the field's order.
	pub fn from_bytes(bytes: &[u8; MASK_LEN]) -> Option<Self> {
		let mask = Self(Fr::from_le_bytes_mod_order(bytes));
		(*mask.to_bytes() == *bytes).then_some(mask)
	}

	pub(crate) fn value(&self) -> Fr {
		self.0
	}
}

/// What proving about committed weights takes besides the model: how they are committed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedWeights {
	/// What the keys were made for.
	pub widths: DeclaredWidths,
	/// The first word.
	pub mask: Mask,
}

/// A commitment to weights and the proof that they are well-formed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
	/// D_w.
	pub commitment: WeightsCommitment,
	/// What is proven.
	pub statement: Statement,
	/// The encoded proof, which verified.
	pub proof: Vec<u8>,
}

/// The registration circuit of a model under its key.
pub struct Registrar {
	circuit: RegistrationCircuit,
	rows: ResidentRows,
	key: ResidentKey,
	verifying: VerifyingKey,
	backend: Arc<dyn ProverBackend>,
}

impl Registrar {
	/// Takes the model's registration circuit and the registration key of its family.
	pub fn new(
		circuit: RegistrationCircuit,
		key: ProvingKey,
		backend: Arc<dyn ProverBackend>,
	) -> Result<Self, ProveError> {
		let verifying = key.verifying_key().clone();
		let rows = Rows::new(&circuit.matrices()?);
		if !key.points().fit(&rows) || !verifying.is_registration() {
			return Err(ProveError::KeyMismatch);
		}
		let rows = backend.load_rows(rows)?;
		let key = ResidentKey::load(&*backend, key.into_points())?;
		Ok(Self {
			circuit,
			rows,
			key,
			verifying,
			backend,
		})
	}

	/// The size of the circuit.
	pub fn circuit_size(&self) -> &CircuitSize {
		self.circuit.size()
	}

	/// The id of the registration key.
	pub fn key_id(&self) -> [u8; 32] {
		self.verifying.id()
	}

	/// Commits to the model's weights with this mask and proves that they are well-formed. In the binding stand the registration
	/// key, the model, request 0 and the model's owner as worker. The proof was verified.
	pub fn register(&self, binding: Binding, mask: &Mask) -> Result<Registration, ProveError> {
		self.register_with_rng(binding, mask, &mut OsRng)
	}

	/// As [`register`](Self::register), with blinding from `rng`.
	pub fn register_with_rng(
		&self,
		binding: Binding,
		mask: &Mask,
		rng: &mut (impl RngCore + CryptoRng),
	) -> Result<Registration, ProveError> {
		if binding.key != self.key_id() {
			return Err(ProveError::other_key(&binding.key, &self.key_id()));
		}
		let statement = Statement::registration(binding);
		let words = Zeroizing::new(self.circuit.words(mask.value()));
		let commitment = registered(&*self.backend, &self.key, &words)?;
		let values = Zeroizing::new(self.circuit.commit()?);
		let (blinding, committed, assignment) = loop {
			let blinding = Blinding::random(rng);
			let committed = commit(&*self.backend, &self.key, &values, &blinding)?;
			let challenges = statement.challenges(&committed, Some(&commitment));
			match self.circuit.assign(&words, &values, &challenges) {
				// Another commitment gives other challenges.
				Err(CircuitError::LookedUpChallenge) => continue,
				assignment => break (blinding, committed, Zeroizing::new(assignment?)),
			}
		};
		let (a, b, c) = prove(&*self.backend, &self.key, &self.rows, &assignment, &blinding)?;
		let proof = Proof::from_points(a, b, c, committed)
			.map_err(|_| ProveError::SelfCheck)?
			.to_bytes();
		check(&self.verifying, &statement, Some(&commitment), &proof)?;
		Ok(Registration {
			commitment,
			statement,
			proof,
		})
	}
}

/// D_w of these words.
pub(crate) fn registered(
	backend: &dyn ProverBackend,
	key: &ResidentKey,
	words: &[Fr],
) -> Result<WeightsCommitment, ProveError> {
	let point = commit_weights(backend, key, words)?;
	WeightsCommitment::from_point(point).map_err(|_| ProveError::SelfCheck)
}

/// Verifies a proof as the chain would, from its bytes. Nothing leaves without it.
pub(crate) fn check(
	key: &VerifyingKey,
	statement: &Statement,
	weights: Option<&WeightsCommitment>,
	proof: &[u8],
) -> Result<(), ProveError> {
	let proof = Proof::from_bytes_with::<Native>(proof).map_err(|_| ProveError::SelfCheck)?;
	verify::<Native>(key, statement, weights, &proof).map_err(|_| ProveError::SelfCheck)
}
