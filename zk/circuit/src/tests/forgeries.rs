//! Attacks that the argument of the module `tables` and the check of the builder are there for.

use super::{adversary::complete_rest, chain, challenges, looking_up, neuron, target::Target};
use crate::{
	builder::Builder,
	linear::Lc,
	logup::TableId,
	tables::{Table, PAIR},
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::{Activation, LayerWeights, Linear, Operator, Shape};

/// Where a neuron's committed variables are.
const X: usize = 0;
const Y: usize = 1;
const Q: usize = 2;

fn half_power(exponent: u64) -> Fr {
	Fr::from(2u64).inverse().unwrap().pow([exponent])
}

/// A y that is off by d and a quotient off by −PAIR·d keep the pair's entry; a y off by d alone has another.
#[test]
fn a_shifted_output_is_refused_with_and_without_a_shifted_quotient() {
	for shift in [0u8, 5, 9, 12] {
		let target = Target::new(
			&looking_up(neuron(127, 900, shift, Activation::Relu), 8, false),
			&[50],
		);
		for d in [1i64, -1, 2, 100, -50] {
			assert!(target.refuses(&[(Y, Fr::from(d))]), "shift {shift}, {d}");
			if shift > 0 {
				let quotient = Fr::from(-d) * Fr::from(PAIR);
				assert!(target.refuses(&[(Y, Fr::from(d)), (Q, quotient)]));
				assert!(target.refuses(&[(Q, Fr::from(d)), (Y, Fr::from(d))]));
			}
		}
	}
}

/// Without the range of y, every quotient would have a y: the pair's entry stays, the remainder moves within its range.
#[test]
fn a_forged_remainder_is_refused() {
	let shift = 8;
	// Remainders are in 0..2^8: 50 · 127 + 900 + 128 = 7378 leaves 210.
	let target = Target::new(
		&looking_up(neuron(127, 900, shift, Activation::Relu), 8, false),
		&[50],
	);
	for remainder in [-1i64, 1, -200, 45] {
		let quotient = Fr::from(remainder) * half_power(shift.into());
		let output = -quotient * Fr::from(PAIR).inverse().unwrap();
		assert!(target.refuses(&[(Q, quotient)]), "{remainder}");
		assert!(target.refuses(&[(Q, quotient), (Y, output)]), "{remainder}");
	}
	// The quotient below, with a remainder beyond its range.
	assert!(target.refuses(&[(Q, -Fr::ONE)]));
	assert!(target.refuses(&[(Q, -Fr::ONE), (Y, -Fr::ONE)]));
	assert!(target.refuses(&[(Q, Fr::ONE), (Y, Fr::ONE)]));
}

/// A remainder of two limbs: 12 bits in tables of 2^8.
#[test]
fn forged_limbs_are_refused() {
	let target = Target::new(
		&looking_up(neuron(127, 900, 12, Activation::Identity), 8, false),
		&[50],
	);
	// x, then y and its remainder's limb: nothing saturates.
	let limb = 2;
	for change in [
		Fr::from(256u64),
		-Fr::from(256u64),
		Fr::ONE,
		half_power(4),
		half_power(8),
	] {
		assert!(target.refuses(&[(limb, change)]), "{change}");
		assert!(target.refuses(&[(Y, Fr::ONE), (limb, change)]), "{change}");
		assert!(target.refuses(&[(Y, half_power(12)), (limb, change)]), "{change}");
	}
}

/// An input byte beyond its range keeps the statement's word if the next one makes up for it.
#[test]
fn wrapped_values_are_refused() {
	let relu = looking_up(chain(Shape::vector(2), vec![Operator::Relu], vec![]), 8, false);
	let target = Target::new(&relu, &[3, 4]);
	assert!(target.refuses(&[(X, Fr::from(256u64)), (X + 1, -Fr::ONE)]));
	assert!(target.refuses(&[(X, -Fr::from(256u64)), (X + 1, Fr::ONE)]));
	assert!(target.refuses(&[(X, half_power(8)), (X + 1, -half_power(16))]));
	assert!(target.refuses(&[(X, -Fr::from(1000u64))]));
}

/// Two neurons with the same tables and other shifts: the output of the second as the first would requantise it.
#[test]
fn a_requantisation_of_another_channel_is_refused() {
	let operator = Operator::Linear(Linear {
		outputs: 2,
		shifts: vec![5, 6],
		activation: Activation::Relu,
	});
	let weights = LayerWeights {
		weights: vec![127, 127],
		biases: vec![100, 100],
	};
	let circuit = looking_up(chain(Shape::vector(1), vec![operator], vec![weights]), 8, false);
	let target = Target::new(&circuit, &[20]);
	let [first, second] = [[1, 2], [3, 4]];
	for (from, to) in [(first, second), (second, first)] {
		let difference = |place: usize| target.committed[from[place]] - target.committed[to[place]];
		assert_ne!([difference(0), difference(1)], [Fr::ZERO; 2]);
		assert!(target.refuses(&[(to[0], difference(0)), (to[1], difference(1))]));
		assert!(target.refuses(&[(to[0], difference(0))]));
	}
}

/// Multiplicities that are not how often entries are looked up, for honest and for false values.
#[test]
fn multiplicities_cannot_make_up_for_a_value_outside_its_table() {
	let circuit = looking_up(neuron(127, 900, 5, Activation::Relu), 8, false);
	let honest = Target::new(&circuit, &[50]);
	let entries: usize = circuit.tables().iter().map(Table::len).sum();
	let first = honest.committed.len() - entries;
	let minus_one = -Fr::ONE;
	for values in [vec![], vec![(Y, Fr::from(1000u64))], vec![(X, Fr::from(500u64))]] {
		let tricks: [&[(usize, Fr)]; 6] = [
			&[(first, Fr::ONE)],
			&[(first, Fr::ONE), (first + 1, minus_one)],
			&[(first + 7, minus_one)],
			&[(first + 100, half_power(1)), (first + 101, half_power(1))],
			&[(first + 256, Fr::ONE), (first, minus_one)],
			&[
				(first, Fr::from(2u64)),
				(first + 1, minus_one),
				(first + 2, minus_one),
			],
		];
		for trick in tricks {
			let mut committed = honest.committed.clone();
			for (index, change) in values.iter().chain(trick) {
				committed[*index] += change;
			}
			let z = complete_rest(&honest.matrices, &honest.public, &committed);
			assert!(honest.unsatisfied_but_for_the_fold(&z), "{values:?}, {trick:?}");
		}
	}
}

/// Why multiplicities are committed: for one r that is known there are false ones that fit. They fit no other r.
#[test]
fn multiplicities_that_are_solved_for_fit_one_challenge_only() {
	let circuit = looking_up(neuron(127, 900, 5, Activation::Relu), 8, false);
	let target = Target::new(&circuit, &[50]);
	let entries: usize = circuit.tables().iter().map(Table::len).sum();
	let first = target.committed.len() - entries;
	// x is looked up in the first table as 1000 − 1/(r − x) must come from the entry 0.
	let mut committed = target.committed.clone();
	let (x, y, q) = (committed[X], committed[Y], committed[Q]);
	let looked_up = Fr::from(300u64);
	committed[X] = looked_up;
	// Let the accumulator's remainder stay: q moves by 127 · (300 − x) / 2^5.
	committed[Q] = q + (looked_up - x) * Fr::from(127u64) * half_power(5);
	committed[Y] = y - (committed[Q] - q) * Fr::from(PAIR).inverse().unwrap();
	let r = challenges().r;
	let inverse = |value: Fr| (r - value).inverse().unwrap();
	// x and y are looked up in the first table, instead of what they were.
	let missing = inverse(committed[X]) - inverse(x) + inverse(committed[Y]) - inverse(y);
	committed[first] += missing * r;
	let z = complete_rest(&target.matrices, &target.public, &committed);
	assert!(!target.unsatisfied_but_for_the_fold(&z));
	let mut public = target.public.clone();
	public[1] += Fr::ONE;
	let z = complete_rest(&target.matrices, &public, &committed);
	assert!(target.unsatisfied_but_for_the_fold(&z));
}

#[test]
#[should_panic(expected = "a variable that is not committed")]
fn what_is_looked_up_must_be_committed() {
	let mut builder = Builder::of_matrices(Default::default());
	builder.part("test");
	builder.add_tables(&[Table::Range { bits: 8 }]).unwrap();
	let variable = builder.rest(1);
	let committed = builder.commit(1);
	let expression = Lc::integers(0, [(1, committed), (1, variable)]);
	builder.look_up(TableId(0), 2, || expression).unwrap();
}
