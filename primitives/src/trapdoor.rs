//! Verifying keys whose trapdoor is known, and the proofs that the trapdoor gives for any statement.
//!
//! This is Groth16's simulator: the keys and proofs are genuine to the verifier, for statements of any shape and
//! without a circuit. Benchmarks measure verification with them and tests drive it; that whoever knows a trapdoor can
//! prove anything is why chains refuse development keys.

use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField};
use codec::Encode;
use opensand_zk_verifier::{
	Fr, G1Affine, G2Affine, KeyError, KeyG2, KeyOrigin, Proof, Statement, StatementShape, VerifyingKey,
	PUBLIC_INPUTS,
};
use sp_crypto_hashing::blake2_512;

/// The secrets of a setup, for circuits whose weights are constants.
#[derive(Clone, Debug)]
pub struct Trapdoor {
	seed: u64,
	shape: StatementShape,
	alpha: Fr,
	beta: Fr,
	gamma: Fr,
	delta: Fr,
	delta_committed: Fr,
	/// Exponents of the key's IC points: the constant's and one for each public input.
	ic: [Fr; PUBLIC_INPUTS + 1],
}

impl Trapdoor {
	/// The secrets that `seed` determines, for a key for statements of this shape.
	pub fn new(seed: u64, shape: StatementShape) -> Self {
		let secret = |tag: &[u8]| seed.using_encoded(|bytes| draw(tag, bytes));
		Self {
			seed,
			shape,
			alpha: secret(b"alpha"),
			beta: secret(b"beta"),
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
			delta_weights: None,
		};
		let ic = self.ic.map(|exponent| g1(&exponent));
		VerifyingKey::from_points(origin, self.shape, g1(&self.alpha), points, ic)
	}

	/// A proof of the statement; `nonce` makes several different ones. `None` if the statement has no words.
	#[allow(clippy::arithmetic_side_effects)] // field arithmetic is total
	pub fn prove(&self, statement: &Statement, nonce: u64) -> Option<Proof> {
		let drawn = |tag: &[u8]| (self.seed, nonce).using_encoded(|bytes| draw(tag, bytes));
		let committed = drawn(b"committed");
		let commitment = g1(&committed);
		let challenges = statement.challenges(&commitment, None);
		let inputs = statement.public_inputs(&challenges).ok()?;
		let [constant, exponents @ ..] = &self.ic;
		let sum = exponents
			.iter()
			.zip(&inputs)
			.fold(*constant, |sum, (exponent, input)| sum + *exponent * input);
		let (a, b) = (drawn(b"a"), drawn(b"b"));
		// The verifier's equation a·b = α·β + sum·γ + d·δ₁ + c·δ, solved for c.
		let rest = a * b - self.alpha * self.beta - sum * self.gamma - committed * self.delta_committed;
		let c = rest * self.delta.inverse()?;
		Proof::from_points(g1(&a), g2(&b), g1(&c), commitment).ok()
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
}
