//! Verifying keys whose trapdoor is known, and the proofs that the trapdoor gives for any statement.
//!
//! This is Groth16's simulator: the keys and proofs are genuine to the verifier, for statements of any shape and
//! without a circuit. Benchmarks measure verification with them and tests drive it; that whoever knows a trapdoor can
//! prove anything is why chains refuse development keys.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Field, PrimeField};
use codec::Encode;
use opensand_zk_verifier::{
	Fr, G1Affine, G2Affine, KeyError, KeyG2, KeyOrigin, PointError, Proof, Statement, StatementShape,
	VerifyingKey, WeightsCommitment, PUBLIC_INPUTS,
};
use sp_crypto_hashing::{blake2_256, blake2_512};

/// The secrets of a key.
#[derive(Clone, Debug)]
pub struct Trapdoor {
	/// What proofs are drawn from.
	seed: [u8; 32],
	shape: StatementShape,
	alpha: Fr,
	beta: Fr,
	gamma: Fr,
	delta: Fr,
	delta_committed: Fr,
	/// Of the weights' segment, where there is one.
	delta_weights: Option<Fr>,
	/// Exponents of the key's IC points: the constant's and one for each public input.
	ic: [Fr; PUBLIC_INPUTS + 1],
}

impl Trapdoor {
	/// The secrets that `seed` determines, for a key for statements of this shape, with constant weights.
	pub fn new(seed: u64, shape: StatementShape) -> Self {
		let shared = |tag: &[u8]| seed.using_encoded(|bytes| draw(tag, bytes));
		Self::with(
			(b"constant", seed),
			shape,
			[shared(b"alpha"), shared(b"beta")],
			None,
		)
	}

	/// The secrets that `seed` determines, for the key of a family for statements of this shape: that of
	/// [`StatementShape::REGISTRATION`] registers for the others.
	pub fn of_family(seed: u64, shape: StatementShape) -> Self {
		let shared = |tag: &[u8]| seed.using_encoded(|bytes| draw(tag, bytes));
		Self::with(
			(b"family", seed, shape),
			shape,
			[shared(b"family alpha"), shared(b"family beta")],
			Some(shared(b"delta weights")),
		)
	}

	fn with(own: impl Encode, shape: StatementShape, shared: [Fr; 2], delta_weights: Option<Fr>) -> Self {
		let seed = own.using_encoded(blake2_256);
		let secret = |tag: &[u8]| draw(tag, &seed);
		let [alpha, beta] = shared;
		Self {
			seed,
			shape,
			alpha,
			beta,
			delta_weights,
			gamma: secret(b"gamma"),
			delta: secret(b"delta"),
			delta_committed: secret(b"delta committed"),
			ic: [
				secret(b"ic one"),
				secret(b"ic r"),
				secret(b"ic b"),
				secret(b"ic folded"),
			],
		}
	}

	/// The verifying key. It claims the given origin.
	pub fn key(&self, origin: KeyOrigin) -> Result<VerifyingKey, KeyError> {
		let points = KeyG2 {
			beta: g2(&self.beta),
			gamma: g2(&self.gamma),
			delta: g2(&self.delta),
			delta_committed: g2(&self.delta_committed),
			delta_weights: self.delta_weights.as_ref().map(g2),
		};
		let ic = self.ic.map(|exponent| g1(&exponent));
		VerifyingKey::from_points(origin, self.shape, g1(&self.alpha), points, ic)
	}

	/// A proof of the statement under a key with constant weights; `nonce` makes several different ones. `None` if the
	/// statement has no words.
	pub fn prove(&self, statement: &Statement, nonce: u64) -> Option<Proof> {
		self.prove_with(statement, None, nonce)
	}

	/// As [`prove`](Self::prove), with the weights of a commitment under a family's key.
	#[allow(clippy::arithmetic_side_effects)] // field arithmetic is total
	pub fn prove_with(
		&self,
		statement: &Statement,
		weights: Option<&TrapdoorWeights>,
		nonce: u64,
	) -> Option<Proof> {
		let drawn = |tag: &[u8]| (self.seed, nonce).using_encoded(|bytes| draw(tag, bytes));
		let committed = drawn(b"committed");
		let commitment = g1(&committed);
		let registered = weights.map(TrapdoorWeights::commitment).transpose().ok()?;
		let challenges = statement.challenges(&commitment, registered.as_ref());
		let inputs = statement.public_inputs(&challenges).ok()?;
		let [constant, exponents @ ..] = &self.ic;
		let sum = exponents
			.iter()
			.zip(&inputs)
			.fold(*constant, |sum, (exponent, input)| sum + *exponent * input);
		let (a, b) = (drawn(b"a"), drawn(b"b"));
		let delta_weights = self.delta_weights.unwrap_or(Fr::ZERO);
		let weights = weights.map_or(Fr::ZERO, |weights| weights.0) * delta_weights;
		// The verifier's equation a·b = α·β + sum·γ + d·δ₁ + w·δ_w + c·δ, solved for c.
		let rest =
			a * b - self.alpha * self.beta - sum * self.gamma - committed * self.delta_committed - weights;
		let c = rest * self.delta.inverse()?;
		Proof::from_points(g1(&a), g2(&b), g1(&c), commitment).ok()
	}
}

/// A commitment to weights whose discrete logarithm is known: as many as there are seeds, under any family.
#[derive(Clone, Copy, Debug)]
pub struct TrapdoorWeights(Fr);

impl TrapdoorWeights {
	/// The commitment that `seed` determines.
	pub fn new(seed: u64) -> Self {
		Self(seed.using_encoded(|bytes| draw(b"weights", bytes)))
	}

	/// The point D_w. An error would be the identity, which no seed that anyone finds gives.
	pub fn commitment(&self) -> Result<WeightsCommitment, PointError> {
		WeightsCommitment::from_point(g1(&self.0))
	}
}

/// A field element drawn from a tag and bytes.
fn draw(tag: &[u8], bytes: &[u8]) -> Fr {
	Fr::from_le_bytes_mod_order(&blake2_512(&(b"opensand/trapdoor", tag, bytes).encode()))
}

fn g1(exponent: &Fr) -> G1Affine {
	G1Affine::generator()
		.mul_bigint(exponent.into_bigint())
		.into_affine()
}

fn g2(exponent: &Fr) -> G2Affine {
	G2Affine::generator()
		.mul_bigint(exponent.into_bigint())
		.into_affine()
}

#[cfg(test)]
mod tests {
	use super::*;
	use opensand_zk_verifier::{verify, Binding, InputVisibility, Native, StatementInput, VerifyError};

	#[test]
	fn keys_pass_every_check_and_proofs_verify() {
		for input_len in [1, 31, 400] {
			let shape = StatementShape {
				visibility: InputVisibility::Public,
				input_len,
				output_len: 2,
			};
			let trapdoor = Trapdoor::new(5, shape);
			let bytes = trapdoor.key(KeyOrigin::Development).unwrap().to_bytes();
			let key = VerifyingKey::from_bytes_with::<Native>(&bytes).unwrap();
			let mut statement = Statement {
				binding: Binding {
					genesis: [1; 32],
					key: key.id(),
					model: [2; 32],
					request: 3,
					worker: [4; 32],
				},
				input: StatementInput::Public(vec![5; input_len as usize]),
				output: vec![6, 7],
			};
			let proof = trapdoor.prove(&statement, 1).unwrap();
			assert_eq!(verify::<Native>(&key, &statement, None, &proof), Ok(()));
			assert_ne!(proof, trapdoor.prove(&statement, 2).unwrap());
			statement.output[0] = 0;
			assert_eq!(
				verify::<Native>(&key, &statement, None, &proof),
				Err(VerifyError::InvalidProof)
			);
			statement.input = StatementInput::Hashed([0xff; 32]);
			assert_eq!(trapdoor.prove(&statement, 1), None);
		}
	}

	#[test]
	fn a_familys_keys_share_commitments() {
		let binding = |key: &VerifyingKey| Binding {
			genesis: [1; 32],
			key: key.id(),
			model: [2; 32],
			request: 0,
			worker: [4; 32],
		};
		let shape = StatementShape {
			visibility: InputVisibility::Public,
			input_len: 3,
			output_len: 1,
		};
		let registration = Trapdoor::of_family(5, StatementShape::REGISTRATION);
		let inference = Trapdoor::of_family(5, shape);
		let [registration_key, inference_key] =
			[&registration, &inference].map(|trapdoor| trapdoor.key(KeyOrigin::Development).unwrap());
		assert!(registration_key.registers_for(&inference_key));
		let other = Trapdoor::of_family(6, shape).key(KeyOrigin::Development).unwrap();
		assert!(!registration_key.registers_for(&other));

		let weights = [TrapdoorWeights::new(1), TrapdoorWeights::new(2)];
		let commitments = weights.map(|weights| weights.commitment().unwrap());
		let inferred = Statement {
			binding: binding(&inference_key),
			input: StatementInput::Public(vec![1, 2, 3]),
			output: vec![4],
		};
		let registered = Statement::registration(binding(&registration_key));
		for (trapdoor, key, statement) in [
			(&registration, &registration_key, &registered),
			(&inference, &inference_key, &inferred),
		] {
			let proof = trapdoor.prove_with(statement, Some(&weights[0]), 1).unwrap();
			let verdicts =
				commitments.map(|commitment| verify::<Native>(key, statement, Some(&commitment), &proof));
			assert_eq!(verdicts, [Ok(()), Err(VerifyError::InvalidProof)]);
		}
	}
}
