//! Constraint systems for tests and benchmarks.
#![allow(dead_code, unused_imports)] // each test uses its own part

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field, UniformRand};
pub use opensand_zk_prover::arkworks::Relation;
use opensand_zk_r1cs::{Matrices, Segments};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

/// A random constraint system of the given shape, and a z that satisfies it: values of every size, small coefficients, and
/// columns of every segment in every matrix.
pub fn random(segments: Segments, constraints: usize, seed: u64) -> (Matrices, Vec<Fr>) {
	let mut rng = ChaCha20Rng::seed_from_u64(seed);
	let mut z = vec![Fr::ONE];
	while z.len() < segments.variables() {
		let value = match rng.gen_range(0..5) {
			0 => Fr::ZERO,
			1 => Fr::ONE,
			2 => Fr::from(rng.gen::<i16>()),
			3 => Fr::from(rng.gen::<i64>()),
			_ => Fr::rand(&mut rng),
		};
		z.push(value);
	}
	let mut rows = [const { Vec::new() }; 3];
	for _ in 0..constraints {
		let mut side = |rows: &mut Vec<Vec<(Fr, usize)>>| {
			let row: Vec<_> = (0..rng.gen_range(0..4))
				.map(|_| (Fr::from(rng.gen_range(-9i64..9)), rng.gen_range(0..z.len())))
				.collect();
			let sum: Fr = row
				.iter()
				.map(|(coefficient, column)| z[*column] * coefficient)
				.sum();
			rows.push(row);
			sum
		};
		let product = side(&mut rows[0]) * side(&mut rows[1]);
		// Any column that is not zero can take the product.
		let column = loop {
			let column = rng.gen_range(0..z.len());
			if z[column] != Fr::ZERO {
				break column;
			}
		};
		let coefficient = product / z[column];
		rows[2].push(if coefficient == Fr::ZERO {
			Vec::new()
		} else {
			vec![(coefficient, column)]
		});
	}
	(Matrices::new(rows, segments), z)
}

/// What the witness of [`multiplications`] consists of.
#[derive(Clone, Copy)]
pub enum Values {
	/// Bits, constrained to be bits.
	Bits,
	/// Elements of full width, each the product of the two before.
	FullWidth,
}

/// A constraint system with one private variable a constraint, for benchmarks.
pub fn multiplications(values: Values, constraints: usize) -> (Matrices, Vec<Fr>) {
	let mut rng = ChaCha20Rng::seed_from_u64(1);
	let mut rows = [const { Vec::new() }; 3];
	let mut z = vec![Fr::ONE, Fr::rand(&mut rng)];
	let public = z.len();
	for row in 0..constraints {
		let column = public + row;
		let [a, b, c] = match values {
			Values::Bits => {
				z.push(Fr::from(rng.gen::<bool>()));
				[
					vec![(Fr::ONE, column)],
					vec![(Fr::ONE, column), (-Fr::ONE, 0)],
					vec![],
				]
			}
			Values::FullWidth => {
				z.push(z[column - 1] * z[column - 2] + z[1]);
				[
					vec![(Fr::ONE, column - 1)],
					vec![(Fr::ONE, column - 2)],
					vec![(Fr::ONE, column), (-Fr::ONE, 1)],
				]
			}
		};
		for (rows, row) in rows.iter_mut().zip([a, b, c]) {
			rows.push(row);
		}
	}
	let segments = Segments {
		public,
		rest: constraints,
		..Segments::default()
	};
	(Matrices::new(rows, segments), z)
}
