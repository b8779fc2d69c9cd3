//! The prover of one model under one key.

use crate::{
	backend::{BackendError, ProverBackend, ResidentRows},
	bundle::{Bundle, BundleError},
	cpu::CpuBackend,
	groth16::{commit, prove_with, Blinding, Lasting, ResidentKey},
	key::ProvingKey,
	rows::Rows,
	weights::{check, registered, CommittedWeights},
};
use ark_bls12_381::{Fr, G1Affine};
use opensand_nn::Model;
use opensand_zk_circuit::{CircuitError, CircuitSize, Execution, InferenceCircuit, WeightsMode};
use opensand_zk_verifier::{Binding, InputVisibility, Proof, Statement, VerifyingKey, WeightsCommitment};
use rand::{rngs::OsRng, CryptoRng, RngCore};
use std::{ops::ControlFlow, path::Path, sync::Arc};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

/// Why there is no proof.
#[derive(Debug, Error)]
pub enum ProveError {
	/// The bundle could not be read.
	#[error(transparent)]
	Bundle(#[from] BundleError),
	/// The model has no circuit within this build's limits, or the input does not fit it.
	#[error(transparent)]
	Circuit(#[from] CircuitError),
	/// The proving key was made for a circuit of another size. Load the bundle that the set-up of this model wrote.
	#[error("the proving key does not have the size of this model's circuit")]
	KeyMismatch,
	/// The binding names another key than this prover's. Load the key that the chain has for the model.
	#[error("the binding names key {asked}, this prover has {held}")]
	OtherKey {
		/// Hex of the key id in the binding.
		asked: String,
		/// Hex of this prover's key id.
		held: String,
	},
	/// The backend failed. Prove again, or on the CPU.
	#[error(transparent)]
	Backend(#[from] BackendError),
	/// The progress callback asked to stop.
	#[error("proving was cancelled")]
	Cancelled,
	/// The proof does not verify and was discarded: the key belongs to another model of the same size, or the machine
	/// computes wrongly. Check the bundle against the chain; if it is right, test the machine's memory or device.
	#[error("the new proof does not verify under its own key and was discarded")]
	SelfCheck,
}

impl ProveError {
	/// The binding names a key, the prover has another.
	pub(crate) fn other_key(asked: &[u8; 32], held: &[u8; 32]) -> Self {
		Self::OtherKey {
			asked: hex::encode(asked),
			held: hex::encode(held),
		}
	}
}

/// How far a proof has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
	/// The model is being evaluated.
	Evaluating,
	/// The values of the circuit's variables are being computed, and those that are looked up committed to.
	Assigning,
	/// The proof's group elements are being computed: nearly all of the time.
	Proving,
	/// The proof is being verified.
	Verifying,
}

/// A model's circuit, its matrices and its key, ready to prove again and again.
pub struct Prover {
	circuit: InferenceCircuit,
	rows: ResidentRows,
	key: ResidentKey,
	verifying: VerifyingKey,
	/// Where weights are committed to.
	weights: Option<Weights>,
	backend: Arc<dyn ProverBackend>,
}

/// Committed weights, and what is computed from them once.
struct Weights {
	words: Zeroizing<Vec<Fr>>,
	commitment: WeightsCommitment,
	lasting: Lasting,
}

impl Prover {
	/// Loads a bundle's directory, to prove on the CPU.
	pub fn load(bundle: &Path) -> Result<Self, ProveError> {
		Self::load_with(bundle, Arc::new(CpuBackend))
	}

	/// Loads a bundle's directory, to prove with the given backend.
	pub fn load_with(bundle: &Path, backend: Arc<dyn ProverBackend>) -> Result<Self, ProveError> {
		let Bundle {
			model,
			visibility,
			weights,
			proving_key,
		} = Bundle::read(bundle)?;
		Self::with_weights(model, visibility, weights, proving_key, backend)
	}

	/// A prover for a model with constant weights under a key.
	pub fn new(
		model: Arc<Model>,
		visibility: InputVisibility,
		key: ProvingKey,
		backend: Arc<dyn ProverBackend>,
	) -> Result<Self, ProveError> {
		Self::with_weights(model, visibility, None, key, backend)
	}

	/// A prover for a model under a key: of its circuit with constant weights, or of its architecture's with committed ones.
	pub fn with_weights(
		model: Arc<Model>,
		visibility: InputVisibility,
		weights: Option<CommittedWeights>,
		key: ProvingKey,
		backend: Arc<dyn ProverBackend>,
	) -> Result<Self, ProveError> {
		let (mode, mask) = match weights {
			None => (WeightsMode::Constant, None),
			Some(CommittedWeights { widths, mask }) => (WeightsMode::Committed(widths), Some(mask)),
		};
		let circuit = InferenceCircuit::with_weights(model, visibility, mode)?;
		let rows = Rows::new(&circuit.matrices()?);
		let verifying = key.verifying_key().clone();
		if !key.points().fit(&rows) || verifying.is_registration() {
			return Err(ProveError::KeyMismatch);
		}
		let rows = backend.load_rows(rows)?;
		let key = ResidentKey::load(&*backend, key.into_points())?;
		// A model of weightless layers has no words, whatever has been asked for.
		let mask = mask.filter(|_| circuit.size().segments.weights > 0);
		let weights = mask.map(|mask| {
			let words = Zeroizing::new(circuit.words(mask.value()));
			Ok::<_, ProveError>(Weights {
				commitment: registered(&*backend, &key, &words)?,
				lasting: Lasting::new(&*backend, &key, circuit.lasting_columns(), &words)?,
				words,
			})
		});
		Ok(Self {
			weights: weights.transpose()?,
			circuit,
			rows,
			key,
			verifying,
			backend,
		})
	}

	/// The backend that it proves with.
	pub fn backend(&self) -> &Arc<dyn ProverBackend> {
		&self.backend
	}

	/// The model.
	pub fn model(&self) -> &Arc<Model> {
		self.circuit.model()
	}

	/// Whether inputs are part of the statement.
	pub fn visibility(&self) -> InputVisibility {
		self.circuit.visibility()
	}

	/// The verifying key.
	pub fn verifying_key(&self) -> &VerifyingKey {
		&self.verifying
	}

	/// The id of the verifying key.
	pub fn key_id(&self) -> [u8; 32] {
		self.verifying.id()
	}

	/// The commitment to the model's weights that proofs are verified with, where they are committed to.
	pub fn weights_commitment(&self) -> Option<&WeightsCommitment> {
		self.weights.as_ref().map(|weights| &weights.commitment)
	}

	/// The size of the circuit.
	pub fn circuit_size(&self) -> &CircuitSize {
		self.circuit.size()
	}

	/// The statement that a proof of this input makes: evaluates the model.
	pub fn statement(
		&self,
		binding: Binding,
		input: &[i8],
		salt: &[u8; 32],
	) -> Result<Statement, ProveError> {
		Ok(self.circuit.execute(binding, input, *salt)?.statement)
	}

	/// Evaluates the model on `input` and proves the result: its output and the encoded proof.
	///
	/// `salt` hides a hashed input and is ignored for a public one. `progress` hears of each stage as it begins and stops
	/// the work by breaking. The proof was verified. Blinding comes from the operating system.
	pub fn prove(
		&self,
		binding: Binding,
		input: &[i8],
		salt: &[u8; 32],
		progress: &mut dyn FnMut(Stage) -> ControlFlow<()>,
	) -> Result<(Vec<i8>, Vec<u8>), ProveError> {
		self.prove_with_rng(binding, input, salt, progress, &mut OsRng)
	}

	/// As [`prove`](Self::prove), with blinding from `rng`: who can reproduce it learns the witness' commitments.
	pub fn prove_with_rng(
		&self,
		binding: Binding,
		input: &[i8],
		salt: &[u8; 32],
		progress: &mut dyn FnMut(Stage) -> ControlFlow<()>,
		rng: &mut (impl RngCore + CryptoRng),
	) -> Result<(Vec<i8>, Vec<u8>), ProveError> {
		let mut enter = |stage| match progress(stage) {
			ControlFlow::Continue(()) => Ok(()),
			ControlFlow::Break(()) => Err(ProveError::Cancelled),
		};
		if binding.key != self.key_id() {
			return Err(ProveError::other_key(&binding.key, &self.key_id()));
		}
		enter(Stage::Evaluating)?;
		let mut execution = self.circuit.execute(binding, input, *salt)?;
		enter(Stage::Assigning)?;
		let (blinding, committed, assignment) = self.commit_and_assign(&execution, rng)?;
		execution.salt.zeroize();
		enter(Stage::Proving)?;
		let lasting = self.weights.as_ref().map(|weights| &weights.lasting);
		let (a, b, c) = prove_with(
			&*self.backend,
			&self.key,
			&self.rows,
			&assignment,
			&blinding,
			lasting,
		)?;
		enter(Stage::Verifying)?;
		// What leaves is what was checked: the bytes are decoded again, with every check of the chain.
		let bytes = Proof::from_points(a, b, c, committed)
			.map_err(|_| ProveError::SelfCheck)?
			.to_bytes();
		check(
			&self.verifying,
			&execution.statement,
			self.weights_commitment(),
			&bytes,
		)?;
		Ok((execution.statement.output, bytes))
	}

	/// Commits to what is looked up, draws the challenges from the commitment, and assigns the rest.
	fn commit_and_assign(
		&self,
		execution: &Execution,
		rng: &mut (impl RngCore + CryptoRng),
	) -> Result<(Blinding, G1Affine, Zeroizing<Vec<Fr>>), ProveError> {
		let values = Zeroizing::new(self.circuit.commit(execution)?);
		let words = self.weights.as_ref().map_or(&[][..], |weights| &weights.words);
		loop {
			let blinding = Blinding::random(rng);
			let committed = commit(&*self.backend, &self.key, &values, &blinding)?;
			let challenges = execution
				.statement
				.challenges(&committed, self.weights_commitment());
			let assignment = self
				.circuit
				.assign_with_words(execution, words, &values, &challenges);
			match assignment {
				// Another commitment gives other challenges.
				Err(CircuitError::LookedUpChallenge) => continue,
				assignment => return Ok((blinding, committed, Zeroizing::new(assignment?))),
			}
		}
	}
}
