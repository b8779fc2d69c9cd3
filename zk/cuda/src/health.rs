//! Whether a device computes what it should.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_zk_prover::{
	generate,
	groth16::{commit, prove, ProofPoints, ResidentKey},
	BackendError, Blinding, CpuBackend, ProverBackend, Rows, Trapdoors,
};
use opensand_zk_r1cs::{Matrices, Segments};
use rand::{rngs::StdRng, SeedableRng};

/// Constraints of the circuit that is proven.
const CONSTRAINTS: usize = 100;
/// Columns of each of its private segments.
const PRIVATE: usize = 40;

/// Proves a small circuit on a backend, every kind of call included, and compares the points with those that the CPU makes of the
/// same randomness. It takes milliseconds, but the first call of a device may compile kernels, for minutes.
///
/// # Errors
///
/// Those of the backend; [`Device`](BackendError::Device) where the points are others.
pub fn check(backend: &dyn ProverBackend) -> Result<(), BackendError> {
	let (matrices, z) = circuit();
	if proof(backend, &matrices, &z)? == proof(&CpuBackend, &matrices, &z)? {
		Ok(())
	} else {
		Err(BackendError::Device(
			"the proof of the health check is not the one that the CPU makes; test the device's memory"
				.into(),
		))
	}
}

/// The commitment and the proof under a key, and with blinding, that are the same each time.
fn proof(
	backend: &dyn ProverBackend,
	matrices: &Matrices,
	z: &[Fr],
) -> Result<(ark_bls12_381::G1Affine, ProofPoints), BackendError> {
	let mut rng = StdRng::seed_from_u64(0);
	let (key, _) = generate(matrices, &Trapdoors::random(&mut rng))
		.map_err(|error| BackendError::Device(error.to_string()))?;
	let key = ResidentKey::load(backend, key)?;
	let rows = backend.load_rows(Rows::new(matrices))?;
	let blinding = Blinding::random(&mut rng);
	let committed = &z[matrices.segments().committed_columns()];
	Ok((
		commit(backend, &key, committed, &blinding)?,
		prove(backend, &key, &rows, z, &blinding)?,
	))
}

/// A constraint system with every segment, and an assignment with zeros, bits, small integers of both signs and full-width
/// values: each constraint is zₖ·(zₖ₊₁ + 3) = z of a column of its own, or follows from values that are there.
fn circuit() -> (Matrices, Vec<Fr>) {
	let segments = Segments {
		public: 3,
		committed: PRIVATE,
		weights: PRIVATE,
		rest: PRIVATE + CONSTRAINTS,
	};
	let given = segments.variables() - CONSTRAINTS;
	let mut z = vec![Fr::ONE];
	for column in 1..given {
		let number = Fr::from(column as u64);
		z.push(match column % 5 {
			0 => Fr::ZERO,
			1 => Fr::ONE,
			2 => number,
			3 => -number,
			_ => number.inverse().unwrap_or(Fr::ONE),
		});
	}
	let mut rows = [const { Vec::new() }; 3];
	for constraint in 0..CONSTRAINTS {
		let (left, right) = (constraint % given, (constraint * 7 + 1) % given);
		z.push(z[left] * (z[right] + Fr::from(3u64)));
		rows[0].push(vec![(Fr::ONE, left)]);
		rows[1].push(vec![(Fr::ONE, right), (Fr::from(3u64), 0)]);
		rows[2].push(vec![(Fr::ONE, given + constraint)]);
	}
	(Matrices::new(rows, segments), z)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_circuit_is_satisfied_and_the_cpu_healthy() {
		let (matrices, z) = circuit();
		assert_eq!(matrices.first_unsatisfied(&z), None);
		assert_eq!(check(&CpuBackend), Ok(()));
	}
}
