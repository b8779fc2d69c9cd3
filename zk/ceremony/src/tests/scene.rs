//! What tests share: powers with known secrets, synthetic circuits, ceremonies.

use crate::{Ceremony, Circuit, Entropy, Powers, VerifiedPowers};
use ark_bls12_381::Fr;
use ark_ff::UniformRand;
use opensand_zk_r1cs::{Matrices, Segments};
use opensand_zk_verifier::{InputVisibility, StatementShape};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha20Rng;

pub fn seeded(seed: u64) -> ChaCha20Rng {
	ChaCha20Rng::seed_from_u64(seed)
}

/// A participant whose secrets follow from a number.
pub fn entropy(participant: u8) -> Entropy {
	Entropy::new(&[participant; 64], b"nothing to add")
}

/// Powers of known τ, α and β, as if imported.
pub fn known_powers(log2: u32, tau: &Fr, alpha: &Fr, beta: &Fr) -> VerifiedPowers {
	let mut powers = Powers::new(log2).unwrap();
	powers.multiply(tau, alpha, beta);
	powers.import_itself();
	verified(powers)
}

/// Powers with two contributions.
pub fn powers(log2: u32) -> VerifiedPowers {
	let contribute = |powers, participant| verified(powers).contribute(entropy(participant)).unwrap();
	verified(contribute(contribute(Powers::new(log2).unwrap(), 1), 2))
}

pub fn verified(powers: Powers) -> VerifiedPowers {
	let (_, digest) = powers.to_bytes();
	powers.verify(digest).unwrap()
}

/// A constraint system of random rows, for which no assignment is needed. Weights come first: row j is weight j times one.
pub fn circuit([public, committed, weights, rest]: [usize; 4], constraints: usize, seed: u64) -> Circuit {
	let segments = Segments {
		public,
		committed,
		weights,
		rest,
	};
	let mut rng = seeded(seed);
	let others: Vec<usize> = (0..segments.variables())
		.filter(|column| !segments.weight_columns().contains(column))
		.collect();
	let mut rows = [const { Vec::new() }; 3];
	let mut row = |len: usize, wide: bool| -> Vec<(Fr, usize)> {
		let mut entry = || {
			let coefficient = match rng.gen_range(0..if wide { 4 } else { 3 }) {
				0 => Fr::from(1),
				1 => -Fr::from(1),
				2 => Fr::from(rng.gen_range(-9i64..9)),
				_ => Fr::rand(&mut rng),
			};
			(coefficient, others[rng.gen_range(0..others.len())])
		};
		(0..len).map(|_| entry()).collect()
	};
	for column in segments.weight_columns() {
		rows[0].push(vec![(Fr::from(1), column)]);
		rows[1].push(vec![(Fr::from(1), 0)]);
		rows[2].push(row(1, false));
	}
	for number in weights..constraints {
		for matrix in &mut rows {
			matrix.push(row(1 + number % 4, true));
		}
	}
	Circuit {
		matrices: Matrices::new(rows, segments),
		shape: StatementShape {
			visibility: InputVisibility::Public,
			input_len: 4,
			output_len: 2,
		},
	}
}

/// A circuit with every kind of column.
pub fn small() -> Circuit {
	circuit([4, 5, 0, 9], 20, 1)
}

/// Two circuits that share four weights, over domains of 16 and 32 points.
pub fn family() -> [Circuit; 2] {
	[
		circuit([4, 3, 4, 5], 10, 2),
		spread(circuit([4, 6, 4, 8], 26, 3), 2),
	]
}

/// The circuit with the rows of its weights spread.
pub fn spread(circuit: Circuit, stride: usize) -> Circuit {
	Circuit {
		matrices: circuit.matrices.with_spread_weights(stride),
		shape: circuit.shape,
	}
}

/// A ceremony with the contributions of some participants.
pub fn ceremony(powers: &VerifiedPowers, circuits: &[Circuit], participants: &[u8]) -> Ceremony {
	let mut ceremony = Ceremony::new(powers, circuits).unwrap();
	for participant in participants {
		ceremony.contribute(entropy(*participant)).unwrap();
	}
	ceremony
}
