//! What forgeries start from.

use super::{adversary::complete, assign, run};
use crate::InferenceCircuit;
use ark_bls12_381::Fr;
use opensand_zk_r1cs::Matrices;

/// The column of the fold of the statement's words.
const FOLD: usize = 3;

/// An honest execution whose committed values are then changed.
pub(super) struct Target {
	pub(super) matrices: Matrices,
	pub(super) public: Vec<Fr>,
	pub(super) committed: Vec<Fr>,
}

impl Target {
	pub(super) fn new(circuit: &InferenceCircuit, input: &[i8]) -> Self {
		let matrices = circuit.matrices().unwrap();
		let segments = matrices.segments();
		let z = assign(circuit, &run(circuit, input));
		assert_eq!(matrices.first_unsatisfied(&z), None);
		Self {
			public: z[..segments.public].to_vec(),
			committed: z[segments.committed_columns()].to_vec(),
			matrices,
		}
	}

	/// Whether changes of committed values by these amounts are refused, with the best multiplicities.
	pub(super) fn refuses(&self, changes: &[(usize, Fr)]) -> bool {
		let mut committed = self.committed.clone();
		for (index, change) in changes {
			committed[*index] += change;
		}
		let z = complete(&self.matrices, &self.public, &committed);
		// A word of the statement that differs is none of the tables' business: let the fold be what comes out.
		self.unsatisfied_but_for_the_fold(&z)
	}

	pub(super) fn unsatisfied_but_for_the_fold(&self, z: &[Fr]) -> bool {
		self.failing_but_for_the_fold(z).next().is_some()
	}

	/// The rows, but for the fold, that do not hold with these values from `first` on and what best follows from them.
	pub(super) fn failing(&self, first: usize, values: &[Fr]) -> Vec<usize> {
		let mut committed = self.committed.clone();
		committed[first..first + values.len()].copy_from_slice(values);
		let z = complete(&self.matrices, &self.public, &committed);
		self.failing_but_for_the_fold(&z).collect()
	}

	fn failing_but_for_the_fold<'a>(&'a self, z: &'a [Fr]) -> impl Iterator<Item = usize> + 'a {
		(0..self.matrices.constraints()).filter(move |row| {
			let states_fold = self.matrices.row(0, *row).any(|(column, _)| column == FOLD);
			let [a, b, c] = [0, 1, 2].map(|matrix| self.matrices.product(matrix, *row, z));
			!states_fold && a * b != c
		})
	}

	/// Whether a row is part of a look-up: r is in it, or it compares both sides of a table.
	pub(super) fn looks_up(&self, row: usize) -> bool {
		let has_r = self.matrices.row(1, row).any(|(column, _)| column == 1);
		has_r || self.matrices.row(0, row).count() > 100
	}

	/// Only look-ups refuse these values.
	pub(super) fn refused_by_look_ups(&self, first: usize, values: &[Fr]) {
		let failing = self.failing(first, values);
		assert!(!failing.is_empty());
		assert!(failing.iter().all(|row| self.looks_up(*row)), "{failing:?}");
	}
}
