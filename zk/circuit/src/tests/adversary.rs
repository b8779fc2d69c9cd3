//! A prover that commits to what it likes, and does the best that can be done with it.

use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_zk_r1cs::Matrices;
use std::collections::HashMap;

/// Everything that follows from the public inputs and committed values: the multiplicities that would be right, where
/// values are in their tables, and all other variables. Values of the rest that nothing fixes are zero.
///
/// `committed` has multiplicities too; they are replaced.
pub(super) fn complete(matrices: &Matrices, public: &[Fr], committed: &[Fr]) -> Vec<Fr> {
	let mut known = fixed(matrices, public, committed);
	for (column, count) in multiplicities(matrices, &solve(matrices, known.clone())) {
		known[column] = Some(count);
	}
	let solved = solve(matrices, known);
	solved.into_iter().map(Option::unwrap_or_default).collect()
}

/// As [`complete`], with the multiplicities as they are.
pub(super) fn complete_rest(matrices: &Matrices, public: &[Fr], committed: &[Fr]) -> Vec<Fr> {
	let solved = solve(matrices, fixed(matrices, public, committed));
	solved.into_iter().map(Option::unwrap_or_default).collect()
}

fn fixed(matrices: &Matrices, public: &[Fr], committed: &[Fr]) -> Vec<Option<Fr>> {
	let values = public.iter().chain(committed).copied().map(Some);
	let mut known: Vec<Option<Fr>> = values.collect();
	known.resize(matrices.segments().variables(), None);
	known
}

/// The columns of the multiplicities and what they should be.
pub(super) fn multiplicities(matrices: &Matrices, z: &[Option<Fr>]) -> Vec<(usize, Fr)> {
	let committed = matrices.segments().committed_columns();
	let r = z[1].unwrap();
	// Rows of look-ups and of entries have r in B; the single variable in A is an inverse or a fraction. Rows of words have r in A, times
	// what comes before it in the sum, and the inverse in B.
	let mut rows = HashMap::new();
	for row in 0..matrices.constraints() {
		for [own, other] in [[0, 1], [1, 0]] {
			let mut own = matrices.row(own, row);
			if let (Some((column, _)), None) = (own.next(), own.next()) {
				let mut terms = matrices.row(other, row);
				if let Some((_, factor)) = terms.find(|(column, _)| *column == 1) {
					rows.insert(column, (row, other, *factor));
				}
			}
		}
	}
	let value = |(row, matrix, factor): (usize, usize, Fr)| {
		let terms = matrices
			.row(matrix, row)
			.map(|(column, coefficient)| z[column].unwrap() * coefficient);
		r - terms.sum::<Fr>() * factor.inverse().unwrap()
	};
	let is_entry = |row: usize| {
		let mut terms = matrices.row(2, row);
		terms.any(|(column, _)| committed.contains(&column))
	};
	let mut found = Vec::new();
	for row in 0..matrices.constraints() {
		let terms: Vec<(usize, Fr)> = matrices.row(0, row).map(|(column, c)| (column, *c)).collect();
		let is_sum = !terms.is_empty() && terms.iter().all(|(column, _)| rows.contains_key(column));
		if !is_sum || matrices.row(2, row).next().is_some() {
			continue;
		}
		let mut counts: HashMap<Fr, u64> = HashMap::new();
		let is_entry = |(column, _): &(usize, Fr)| is_entry(rows[column].0);
		let (entries, look_ups): (Vec<_>, Vec<_>) = terms.iter().copied().partition(is_entry);
		for (column, _) in look_ups {
			*counts.entry(value(rows[&column])).or_default() += 1;
		}
		for (column, coefficient) in entries {
			assert_eq!(coefficient, -Fr::ONE);
			let row = rows[&column];
			let (multiplicity, _) = matrices.row(2, row.0).next().unwrap();
			let count = counts.get(&value(row)).copied().unwrap_or_default();
			found.push((multiplicity, Fr::from(count)));
		}
	}
	found
}

/// The rows that each column occurs in.
fn rows_of_columns(matrices: &Matrices) -> Vec<Vec<usize>> {
	let mut rows = vec![Vec::new(); matrices.segments().variables()];
	for row in 0..matrices.constraints() {
		for matrix in 0..3 {
			for (column, _) in matrices.row(matrix, row) {
				rows[column].push(row);
			}
		}
	}
	rows
}

/// Solves rows with a single unknown, and with what they give the rows after them.
fn solve(matrices: &Matrices, mut z: Vec<Option<Fr>>) -> Vec<Option<Fr>> {
	let rows = rows_of_columns(matrices);
	let mut unknowns = vec![0; matrices.constraints()];
	for (_, rows) in z.iter().zip(&rows).filter(|(value, _)| value.is_none()) {
		rows.iter().for_each(|row| unknowns[*row] += 1);
	}
	// From the first row on, so that the fold's last row is the one that does not hold for other words.
	let first = (0..unknowns.len()).rev();
	let mut queue: Vec<usize> = first.filter(|row| unknowns[*row] == 1).collect();
	while let Some(row) = queue.pop() {
		let Some((column, value)) = solve_row(matrices, row, &z) else {
			continue;
		};
		z[column] = Some(value);
		for row in &rows[column] {
			unknowns[*row] -= 1;
			if unknowns[*row] == 1 {
				queue.push(*row);
			}
		}
	}
	z
}

/// The single unknown of a row and its value.
fn solve_row(matrices: &Matrices, row: usize, z: &[Option<Fr>]) -> Option<(usize, Fr)> {
	let mut unknown = None;
	for matrix in 0..3 {
		for (column, coefficient) in matrices.row(matrix, row) {
			if z[column].is_none() && unknown.replace((matrix, column, *coefficient)).is_some() {
				return None;
			}
		}
	}
	let (matrix, column, coefficient) = unknown?;
	let [a, b, c] = [0, 1, 2].map(|matrix| {
		let terms = matrices.row(matrix, row);
		let known = terms.filter_map(|(column, coefficient)| Some(z[column]? * coefficient));
		known.sum::<Fr>()
	});
	let value = match matrix {
		0 => c * b.inverse()? - a,
		1 => c * a.inverse()? - b,
		_ => a * b - c,
	};
	Some((column, value * coefficient.inverse()?))
}

/// No column of a full assignment may have another value while all others stay.
pub(super) fn assert_no_single_value_may_differ(matrices: &Matrices, mut z: Vec<Fr>) {
	let rows = rows_of_columns(matrices);
	assert_eq!(matrices.first_unsatisfied(&z), None);
	for column in 1..z.len() {
		let original = z[column];
		let others = [
			original + Fr::ONE,
			original - Fr::ONE,
			-original,
			Fr::ZERO,
			original + Fr::from(256u64),
			original.double(),
			Fr::from(0x1234_5678_9abc_def0u64),
		];
		for other in others.into_iter().filter(|other| *other != original) {
			z[column] = other;
			let holds = |row: &usize| {
				let [a, b, c] = [0, 1, 2].map(|matrix| matrices.product(matrix, *row, &z));
				a * b == c
			};
			assert!(!rows[column].iter().all(holds), "column {column} may be {other}");
		}
		z[column] = original;
	}
}
