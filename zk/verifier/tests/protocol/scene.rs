//! A model with its key, from which tests take statements and proofs.

use crate::slow::{
	circuit::{Circuit, Weights},
	prover::{Blinding, Logarithms, Registered},
	setup::{g1, Setup, Trapdoors},
	verifier::{self, SlowKey, SlowProof},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, UniformRand};
use opensand_zk_verifier::{
	verify, Binding, Challenges, Host, InputVisibility, Native, Proof, Statement, StatementInput,
	StatementShape, VerifyError, VerifyingKey, WeightsCommitment,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// Values of one word.
pub const WORD: usize = 31;

/// A set-up, its key and, where its weights are committed, their registration.
pub struct Scene {
	pub setup: Setup,
	pub key: VerifyingKey,
	pub registered: Option<Registered>,
	pub rng: ChaCha20Rng,
}

/// A proof with everything that the prover knows.
#[derive(Clone)]
pub struct Proven {
	pub statement: Statement,
	pub z: Vec<Fr>,
	pub blinding: Blinding,
	pub logarithms: Logarithms,
}

impl Scene {
	/// A model with two input words that answers with the second; its weights are constants.
	pub fn constant(seed: u64) -> Self {
		let weights = Weights::Constant(vec![Fr::ZERO, Fr::ONE]);
		Self::new(seed, weights, InputVisibility::Public)
	}

	/// The same model with its weights committed.
	pub fn committed(seed: u64) -> Self {
		let mut scene = Self::new(seed, Weights::Committed(2), InputVisibility::Public);
		scene.registered = Some(scene.register(&[Fr::ZERO, Fr::ONE]));
		scene
	}

	/// A model that answers with its only input word, which is hashed. The circuit leaves out the hash: the word is one.
	pub fn hashed(seed: u64) -> Self {
		Self::new(seed, Weights::Constant(vec![Fr::ONE]), InputVisibility::Hashed)
	}

	/// A registration of two weights.
	pub fn registration(seed: u64) -> Self {
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let circuit = Circuit::registration(2);
		let trapdoors = Trapdoors::random(&mut rng);
		let mut scene = Self::of(Setup::new(circuit, StatementShape::REGISTRATION, trapdoors), rng);
		scene.registered = Some(scene.register(&[Fr::from(3u64), Fr::ZERO]));
		scene
	}

	/// The two keys of a family of models with two weights, which have registered `[0, 1]`: the registration's over a domain
	/// of 16 points and the inference's over one of 32.
	pub fn family(seed: u64) -> (Self, Self) {
		Self::family_over(seed, [16, 32])
	}

	/// The same over other domains: of 16 points or more for the registration, and of 32 or more for the inference.
	pub fn family_over(seed: u64, domains: [usize; 2]) -> (Self, Self) {
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let smallest = domains[0].min(domains[1]);
		let padded = |circuit: Circuit, domain: usize| circuit.padded(domain / 2);
		let trapdoors = Trapdoors::random(&mut rng);
		let inference = Setup::in_family(
			smallest,
			padded(Circuit::new(Weights::Committed(2)), domains[1]),
			StatementShape {
				visibility: InputVisibility::Public,
				input_len: 2 * WORD as u32,
				output_len: WORD as u32,
			},
			&trapdoors,
		);
		let registration = Setup::in_family(
			smallest,
			padded(Circuit::registration(2), domains[0]),
			StatementShape::REGISTRATION,
			&trapdoors.sibling(&mut rng),
		);
		assert_eq!([registration.domain, inference.domain], domains);
		let mut inference = Self::of(inference, rng);
		inference.registered = Some(inference.register(&[Fr::ZERO, Fr::ONE]));
		let mut registration = Self::of(registration, ChaCha20Rng::seed_from_u64(seed + 1));
		registration.registered = inference.registered.clone();
		(registration, inference)
	}

	fn new(seed: u64, weights: Weights, visibility: InputVisibility) -> Self {
		let mut rng = ChaCha20Rng::seed_from_u64(seed);
		let words = match &weights {
			Weights::Constant(weights) => weights.len(),
			Weights::Committed(len) => *len,
		};
		let shape = StatementShape {
			visibility,
			input_len: (words * WORD) as u32,
			output_len: WORD as u32,
		};
		Self::of(
			Setup::new(Circuit::new(weights), shape, Trapdoors::random(&mut rng)),
			rng,
		)
	}

	/// What a set-up gives, with nothing registered.
	pub fn of(setup: Setup, rng: ChaCha20Rng) -> Self {
		Self {
			key: setup.key(),
			setup,
			registered: None,
			rng,
		}
	}

	/// A commitment to weights under this scene's key.
	pub fn register(&mut self, weights: &[Fr]) -> Registered {
		let mask = Fr::rand(&mut self.rng);
		self.setup.register(mask, weights)
	}

	/// The registered commitment.
	pub fn weights(&self) -> Option<&WeightsCommitment> {
		self.registered.as_ref().map(|registered| &registered.commitment)
	}

	/// Whether this scene's proofs are registrations.
	fn registers(&self) -> bool {
		self.setup.shape == StatementShape::REGISTRATION
	}

	/// A true statement: about a random input, or the registration of this scene's weights.
	pub fn statement(&mut self) -> Statement {
		let binding = Binding {
			genesis: self.rng.gen(),
			key: self.key.id(),
			model: self.rng.gen(),
			request: if self.registers() { 0 } else { self.rng.gen() },
			worker: self.rng.gen(),
		};
		if self.registers() {
			return Statement::registration(binding);
		}
		let input: Vec<i8> = (0..self.setup.shape.input_len).map(|_| self.rng.gen()).collect();
		let output = input[input.len() - WORD..].to_vec();
		let input = match self.setup.shape.visibility {
			InputVisibility::Public => StatementInput::Public(input),
			InputVisibility::Hashed => StatementInput::Hashed(hash(&input)),
		};
		Statement {
			binding,
			input,
			output,
		}
	}

	/// The committed segment of an honest prover.
	pub fn committed_values(&mut self, statement: &Statement) -> Vec<Fr> {
		if self.registers() {
			let registered = self.registered.as_ref().unwrap();
			return self.setup.circuit.commit_registration(&registered.weights);
		}
		let digit = self.rng.gen_range(0..4);
		self.setup
			.circuit
			.commit(&verifier::words(statement).unwrap(), digit)
	}

	/// The challenges that the statement and D₁ have.
	pub fn challenges(&self, statement: &Statement, committed: &Fr) -> Challenges {
		let weights = self.weights().map(WeightsCommitment::point);
		let (r, b) = verifier::challenges(statement, &g1(committed), weights);
		Challenges { r, b }
	}

	/// Runs the prover on a committed segment, honest or not.
	pub fn prove_with(&self, statement: &Statement, committed: &[Fr], blinding: Blinding) -> Proven {
		let commitment = self.setup.commit(committed, &blinding.committed);
		let challenges = self.challenges(statement, &commitment);
		let weights = self
			.registered
			.as_ref()
			.map_or(&[][..], |registered| &registered.weights);
		let z = self.setup.circuit.assign(committed, weights, &challenges);
		let logarithms = self.setup.prove(&z, &blinding);
		Proven {
			statement: statement.clone(),
			z,
			blinding,
			logarithms,
		}
	}

	/// An honest proof of the statement.
	pub fn prove(&mut self, statement: &Statement) -> Proven {
		let committed = self.committed_values(statement);
		let blinding = Blinding::random(&mut self.rng);
		let proven = self.prove_with(statement, &committed, blinding);
		assert!(self.setup.circuit.is_satisfied(&proven.z));
		proven
	}

	/// An honest proof of some true statement.
	pub fn proven(&mut self) -> Proven {
		let statement = self.statement();
		self.prove(&statement)
	}

	/// What all verifiers make of a proof under this scene's key and registered weights.
	pub fn verify(&self, statement: &Statement, proof: &Proof) -> Result<(), VerifyError> {
		verify_all(&self.key, statement, self.weights(), proof)
	}

	/// Whether the equation holds for public inputs that nobody drew from a hash.
	pub fn equation_holds(
		&self,
		key: &SlowKey,
		inputs: &[Fr; 3],
		weights: Option<&Fr>,
		logarithms: &Logarithms,
	) -> bool {
		let proof = logarithms.to_proof();
		let (a, b, c, committed) = proof.points();
		let proof = SlowProof {
			a: *a,
			b: *b,
			c: *c,
			committed: *committed,
		};
		verifier::equation(key, inputs, weights.map(g1).as_ref(), &proof)
	}
}

impl Proven {
	/// r, b and f.
	pub fn inputs(&self) -> [Fr; 3] {
		[self.z[1], self.z[2], self.z[3]]
	}

	/// The proof.
	pub fn proof(&self) -> Proof {
		self.logarithms.to_proof()
	}
}

/// Verifies with both backends and the second verifier, and holds them to one answer.
pub fn verify_all(
	key: &VerifyingKey,
	statement: &Statement,
	weights: Option<&WeightsCommitment>,
	proof: &Proof,
) -> Result<(), VerifyError> {
	let native = verify::<Native>(key, statement, weights, proof);
	assert_eq!(native, verify::<Host>(key, statement, weights, proof));
	let weights = weights.map(WeightsCommitment::to_bytes);
	let slow = verifier::accepts(&key.to_bytes(), statement, weights.as_deref(), &proof.to_bytes());
	assert_eq!(native.is_ok(), slow);
	native
}

/// The "hash" of the scenes: the packed word itself.
fn hash(input: &[i8]) -> [u8; 32] {
	let word = opensand_zk_verifier::pack_words(input).next().unwrap();
	word.into_bigint().to_bytes_le().try_into().unwrap()
}
