//! Verifying keys whose trapdoor is known, and the proofs that the trapdoor gives for any statement.
//!
//! This is Groth16's simulator: the keys and proofs are genuine to the verifier, at any number of public inputs and
//! without a circuit. Benchmarks measure verification with them and tests drive it; that whoever knows a trapdoor can
//! prove anything is why chains refuse development keys.

use alloc::vec::Vec;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{Field, PrimeField};
use codec::Encode;
use opensand_zk_verifier::{Fr, G1Affine, G2Affine, KeyError, KeyOrigin, Proof, VerifyingKey};
use sp_crypto_hashing::blake2_512;

/// The secrets of a setup.
#[derive(Clone, Debug)]
pub struct Trapdoor {
	seed: u64,
	alpha: Fr,
	beta: Fr,
	gamma: Fr,
	delta: Fr,
	/// Exponents of the key's IC points: the constant and one for each public input.
	ic: Vec<u64>,
}

impl Trapdoor {
	/// The secrets that `seed` determines, for a key with `public_inputs` inputs.
	pub fn new(seed: u64, public_inputs: u32) -> Self {
		let ic = (0..=public_inputs).map(|index| {
			let (_, low) = (seed, index).using_encoded(|bytes| draw(b"ic", bytes));
			low
		});
		let secret = |tag: &[u8]| seed.using_encoded(|bytes| draw(tag, bytes)).0;
		Self {
			seed,
			alpha: secret(b"alpha"),
			beta: secret(b"beta"),
			gamma: secret(b"gamma"),
			delta: secret(b"delta"),
			ic: ic.collect(),
		}
	}

	/// The verifying key. It claims the given origin.
	pub fn key(&self, origin: KeyOrigin) -> Result<VerifyingKey, KeyError> {
		let [beta, gamma, delta] = [&self.beta, &self.gamma, &self.delta].map(g2);
		let ic = self
			.ic
			.iter()
			.map(|exponent| G1Affine::generator().mul_bigint([*exponent]).into_affine());
		VerifyingKey::from_points(origin, g1(&self.alpha), [beta, gamma, delta], ic.collect())
	}

	/// A proof of the statement with these public inputs; `nonce` makes several different ones. `None` if the number of
	/// inputs is not the key's.
	#[allow(clippy::arithmetic_side_effects)] // field arithmetic is total
	pub fn prove(&self, inputs: &[Fr], nonce: u64) -> Option<Proof> {
		let (constant, exponents) = self.ic.split_first()?;
		if exponents.len() != inputs.len() {
			return None;
		}
		let sum = exponents
			.iter()
			.zip(inputs)
			.fold(Fr::from(*constant), |sum, (exponent, input)| {
				sum + Fr::from(*exponent) * input
			});
		let a = (self.seed, nonce).using_encoded(|bytes| draw(b"a", bytes)).0;
		let b = (self.seed, nonce).using_encoded(|bytes| draw(b"b", bytes)).0;
		// The verifier's equation a·b = α·β + sum·γ + c·δ, solved for c.
		let c = (a * b - self.alpha * self.beta - sum * self.gamma) * self.delta.inverse()?;
		Proof::from_points(g1(&a), g2(&b), g1(&c)).ok()
	}
}

/// A field element and an integer drawn from a tag and bytes.
fn draw(tag: &[u8], bytes: &[u8]) -> (Fr, u64) {
	let digest = blake2_512(&(b"opensand/trapdoor", tag, bytes).encode());
	let low = digest.first_chunk().copied().map_or(1, u64::from_le_bytes);
	// An exponent of zero would make a point the identity.
	(Fr::from_le_bytes_mod_order(&digest), low.max(1))
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
	use opensand_zk_verifier::{verify, Native, VerifyError};

	#[test]
	fn keys_pass_every_check_and_proofs_verify() {
		for count in [1, 2, 40] {
			let trapdoor = Trapdoor::new(5, count);
			let bytes = trapdoor.key(KeyOrigin::Development).unwrap().to_bytes();
			let key = VerifyingKey::from_bytes_with::<Native>(&bytes).unwrap();
			let inputs: Vec<Fr> = (0..u64::from(count)).map(Fr::from).collect();
			let proof = trapdoor.prove(&inputs, 1).unwrap();
			assert_eq!(verify::<Native>(&key, &inputs, &proof), Ok(()));
			assert_ne!(proof, trapdoor.prove(&inputs, 2).unwrap());
			let mut other = inputs.clone();
			other[0] = Fr::from(1_000u64);
			assert_eq!(
				verify::<Native>(&key, &other, &proof),
				Err(VerifyError::InvalidProof)
			);
			assert_eq!(trapdoor.prove(&inputs[1..], 1), None);
		}
	}
}
