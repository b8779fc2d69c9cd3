//! Circuits whose weights are committed to: what they compute, and what they refuse.

use super::{
	adversary::{assert_no_single_value_may_differ, complete, complete_rest},
	attention_head, chain, challenges, embedded, input, neuron, normalised_row, planned, pooled_convolution,
	run,
};
use crate::{
	basis::Basis,
	cost::pools,
	plan::{pair_tables, Choice, Choices},
	tables::{Table, PAIR},
	CircuitError, DeclaredWidths, Execution, InferenceCircuit, LayerWidths, MockError, RegistrationCircuit,
	WeightsMode,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::{
	testing::{self, Size},
	Activation, LayerWeights, Linear, Model, Operator, Shape, Weights,
};
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::InputVisibility;
use proptest::prelude::*;
use std::{collections::BTreeSet, sync::Arc};

/// How values are proven to be in range.
#[derive(Clone, Copy, Debug)]
enum Method {
	Bits,
	LookUps,
	Pooled,
}

const METHODS: [Method; 3] = [Method::Bits, Method::LookUps, Method::Pooled];

fn mask() -> Fr {
	Fr::from(0x0fed_cba9_8765_4321u64).pow([9])
}

/// A circuit by one method, but by bits where a table would be huge.
fn committed(model: Model, range_bits: u32, method: Method) -> InferenceCircuit {
	let widths = DeclaredWidths::of(&model);
	let basis = Basis::committed(Arc::new(model), widths).unwrap();
	let tables = pair_tables(&basis);
	let choice = |layer: usize| {
		let table = tables[layer].as_ref();
		let fits = table.is_none_or(|table| table.len() <= 1 << 14);
		match method {
			Method::LookUps | Method::Pooled if fits => Choice::LookUps,
			_ => Choice::Bits,
		}
	};
	let mut choices: Vec<Choice> = (0..tables.len()).map(choice).collect();
	if let Method::Pooled = method {
		for (layer, pool) in pools(&basis.model).into_iter().enumerate() {
			if let Some(pool) = pool.filter(|_| choices[layer] == Choice::LookUps) {
				(choices[layer], choices[pool]) = (Choice::Pooled, Choice::Pooled);
			}
		}
	}
	let choices = Choices {
		range_bits,
		bytes: !matches!(method, Method::Bits),
		layers: choices,
	};
	planned(basis, InputVisibility::Public, &choices)
}

/// The points of the domain that matrices need, with those of public inputs.
fn points(matrices: &Matrices) -> usize {
	(matrices.constraints() + matrices.segments().public).next_power_of_two()
}

/// The assignment of an execution with these words.
fn assign_with(circuit: &InferenceCircuit, execution: &Execution, words: &[Fr]) -> Vec<Fr> {
	let committed = circuit.commit(execution).unwrap();
	let challenges = challenges();
	circuit
		.assign_with_words(execution, words, &committed, &challenges)
		.unwrap()
}

fn assign(circuit: &InferenceCircuit, execution: &Execution) -> Vec<Fr> {
	assign_with(circuit, execution, &circuit.words(mask()))
}

fn register(circuit: &RegistrationCircuit) -> Vec<Fr> {
	let words = circuit.words(mask());
	circuit
		.assign(&words, &circuit.commit().unwrap(), &challenges())
		.unwrap()
}

/// Two neurons of two inputs each.
fn neurons(shifts: [u8; 2], activation: Activation) -> Model {
	let operator = Operator::Linear(Linear {
		outputs: 2,
		shifts: shifts.to_vec(),
		activation,
	});
	let weights = LayerWeights {
		weights: vec![90, -70, 50, 31],
		biases: vec![200, -1100],
	};
	chain(Shape::vector(2), vec![operator], vec![weights])
}

/// A model of the same architecture with other weights.
fn retrained(model: &Model, change: impl Fn(usize, i8) -> i8) -> Model {
	let mut layers = model.weights().layers().to_vec();
	for layer in &mut layers {
		for (index, weight) in layer.weights.iter_mut().enumerate() {
			*weight = change(index, *weight);
		}
	}
	Model::new(model.architecture().clone(), Weights::new(layers).unwrap()).unwrap()
}

/// A row of three, normalised.
fn row() -> Model {
	normalised_row(1, vec![90, -70, 127], vec![0, 5, 1 << 22], 22)
}

/// One token and a table of three rows.
fn table() -> Model {
	embedded(3, vec![1, -2, 3, 3, -4, 3])
}

/// Small circuits of every gadget that claims accumulators.
fn circuits() -> Vec<InferenceCircuit> {
	let mut circuits = looking_up();
	circuits.push(committed(neurons([5, 6], Activation::Relu), 8, Method::Bits));
	circuits.push(committed(row(), 8, Method::Bits));
	circuits.push(committed(table(), 8, Method::Bits));
	circuits.push(committed(
		pooled_convolution(Activation::Identity),
		9,
		Method::Bits,
	));
	circuits
}

/// Those that look up: there an adversary can solve for all that is not committed.
fn looking_up() -> Vec<InferenceCircuit> {
	vec![
		committed(neurons([8, 9], Activation::Relu), 8, Method::LookUps),
		committed(neuron(1, 5, 0, Activation::Identity), 9, Method::LookUps),
		committed(row(), 8, Method::LookUps),
		committed(table(), 8, Method::LookUps),
		committed(pooled_convolution(Activation::Relu), 8, Method::Pooled),
		committed(pooled_convolution(Activation::Identity), 9, Method::LookUps),
	]
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 30, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn every_execution_satisfies_both_circuits(seed: u64, range_bits in 8u32..=11, method in 0usize..3) {
		let circuit = committed(testing::model(seed, Size::SMALL), range_bits, METHODS[method]);
		let matrices = circuit.matrices().unwrap();
		prop_assert_eq!(circuit.unspread_matrices().unwrap().constraints(), circuit.size().constraints);
		prop_assert_eq!(matrices.segments(), circuit.size().segments);
		prop_assert_eq!(points(&matrices), circuit.size().domain);
		for input_seed in 0..3 {
			let input = testing::input(seed ^ input_seed, circuit.model());
			let execution = run(&circuit, &input);
			prop_assert_eq!(&execution.statement.output, &circuit.model().evaluate(&input).unwrap());
			let assignment = assign(&circuit, &execution);
			prop_assert_eq!(assignment.len(), matrices.segments().variables());
			prop_assert_eq!(matrices.first_unsatisfied(&assignment), None);
			prop_assert_eq!(circuit.mock(&execution), Ok(()));
		}
		if circuit.size().segments.weights == 0 {
			prop_assert!(RegistrationCircuit::of(&circuit).is_err());
			return Ok(());
		}
		let registration = RegistrationCircuit::of(&circuit).unwrap();
		let matrices = registration.matrices().unwrap();
		prop_assert_eq!(registration.unspread_matrices().unwrap().constraints(), registration.size().constraints);
		prop_assert_eq!(points(&matrices), registration.size().domain);
		let strides = [circuit.size(), registration.size()].map(|size| size.weight_stride);
		prop_assert_eq!(
			circuit.size().domain * strides[1],
			registration.size().domain * strides[0]
		);
		prop_assert!(strides.contains(&1));
		prop_assert_eq!(registration.words(mask()), circuit.words(mask()));
		prop_assert_eq!(matrices.first_unsatisfied(&register(&registration)), None);
		prop_assert_eq!(registration.mock(), Ok(()));
	}

	#[test]
	fn the_cheapest_circuits_are_satisfied(seed: u64, hashed: bool) {
		let model = Arc::new(testing::model(seed, Size::SMALL));
		let visibility = [InputVisibility::Public, InputVisibility::Hashed][usize::from(hashed)];
		let mode = WeightsMode::Committed(DeclaredWidths::of(&model));
		let circuit = InferenceCircuit::with_weights(model, visibility, mode).unwrap();
		let execution = run(&circuit, &testing::input(seed, circuit.model()));
		prop_assert_eq!(circuit.mock(&execution), Ok(()));
	}
}

/// The words' rows are alone in having a word, and at points that are the same powers of a root of unity in both circuits' domains.
/// So the columns of keys are the same but for a factor that all have in common.
#[test]
fn words_have_the_same_columns_in_both_circuits() {
	for circuit in circuits() {
		let registration = RegistrationCircuit::of(&circuit).unwrap();
		let columns = |matrices: Matrices| {
			let weights = matrices.segments().weight_columns();
			let mut entries = Vec::new();
			for matrix in 0..3 {
				for row in 0..matrices.constraints() {
					for (column, value) in matrices
						.row(matrix, row)
						.filter(|(column, _)| weights.contains(column))
					{
						entries.push((matrix, row, column - weights.start, *value));
					}
				}
			}
			entries
		};
		let words = circuit.size().segments.weights;
		let expected =
			|stride: usize| -> Vec<_> { (0..words).map(|word| (0, stride * word, word, Fr::ONE)).collect() };
		let (size, other) = (circuit.size(), registration.size());
		assert_eq!(
			columns(circuit.matrices().unwrap()),
			expected((size.domain / other.domain).max(1))
		);
		assert_eq!(
			columns(registration.matrices().unwrap()),
			expected((other.domain / size.domain).max(1))
		);
		assert_eq!(columns(circuit.unspread_matrices().unwrap()), expected(1));
		assert_eq!(columns(registration.unspread_matrices().unwrap()), expected(1));
		let [own, copies] = circuit.lasting_columns();
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		assert_eq!(z[own.clone()], z[copies]);
		assert_eq!(z[own], circuit.words(mask()));
	}
}

#[test]
fn circuits_do_not_depend_on_the_weights() {
	for method in METHODS {
		let model = pooled_convolution(Activation::Relu);
		let widths = DeclaredWidths::of(&model);
		let other = retrained(&model, |index, weight| weight / 2 - index as i8);
		let circuits = [model, other].map(|model| {
			let mode = WeightsMode::Committed(widths.clone());
			InferenceCircuit::with_weights(Arc::new(model), InputVisibility::Public, mode).unwrap()
		});
		assert_eq!(circuits[0].size(), circuits[1].size(), "{method:?}");
		let matrices = circuits.each_ref().map(|circuit| circuit.matrices().unwrap());
		assert_eq!(matrices[0], matrices[1]);
		let registrations = circuits
			.each_ref()
			.map(|circuit| RegistrationCircuit::of(circuit).unwrap());
		let [first, second] = registrations
			.each_ref()
			.map(|circuit| circuit.matrices().unwrap());
		assert_eq!(first, second);
		// The words of one model do not satisfy an execution of the other.
		let input = testing::input(1, circuits[0].model());
		let execution = run(&circuits[0], &input);
		let z = assign_with(&circuits[0], &execution, &circuits[1].words(mask()));
		assert!(matrices[0].first_unsatisfied(&z).is_some());
	}
}

#[test]
fn no_single_variable_of_any_segment_may_have_another_value() {
	for circuit in circuits() {
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		assert_no_single_value_may_differ(&circuit.matrices().unwrap(), z);
		let registration = RegistrationCircuit::of(&circuit).unwrap();
		assert_no_single_value_may_differ(&registration.matrices().unwrap(), register(&registration));
	}
}

/// Public inputs, committed values and words determine everything else.
#[test]
fn the_rest_follows_from_what_is_public_committed_and_registered() {
	for circuit in looking_up() {
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		let registration = RegistrationCircuit::of(&circuit).unwrap();
		for (matrices, z) in [
			(circuit.matrices().unwrap(), z),
			(registration.matrices().unwrap(), register(&registration)),
		] {
			let segments = matrices.segments();
			let (public, private) = z.split_at(segments.public);
			let known = &private[..segments.committed + segments.weights];
			assert_eq!(complete_rest(&matrices, public, known), z);
			assert_eq!(complete(&matrices, public, known), z);
		}
	}
}

/// With a changed committed value, or a changed word, the adversary does what it can.
#[test]
fn no_single_committed_value_or_word_may_differ_whatever_follows_from_it() {
	for circuit in looking_up().into_iter().take(3) {
		let registration = RegistrationCircuit::of(&circuit).unwrap();
		let entries: usize = circuit.tables().iter().map(|table| table.len()).sum();
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		// A word of one weight may be another weight's when it is registered.
		let words = circuit.size().segments.weights;
		for (matrices, z, entries, words) in [
			(circuit.matrices().unwrap(), z, entries, words),
			(registration.matrices().unwrap(), register(&registration), 256, 1),
		] {
			let segments = matrices.segments();
			let (public, private) = z.split_at(segments.public);
			let known = &private[..segments.committed + segments.weights];
			// Multiplicities follow from the rest; the mask may be anything.
			let words = segments.committed + 1..segments.committed + words;
			let changeable = (0..segments.committed - entries).chain(words);
			for index in changeable {
				for change in [Fr::ONE, -Fr::from(256u64)] {
					let mut other = known.to_vec();
					other[index] += change;
					let z = complete(&matrices, public, &other);
					let refused = matrices.first_unsatisfied(&z).is_some();
					assert!(refused, "{index} + {change}");
				}
			}
		}
	}
}

#[test]
fn the_mask_is_free() {
	let circuit = committed(neurons([5, 6], Activation::Relu), 8, Method::LookUps);
	let registration = RegistrationCircuit::of(&circuit).unwrap();
	let execution = run(&circuit, &[3, -4]);
	for mask in [Fr::ZERO, -Fr::ONE, mask()] {
		let z = assign_with(&circuit, &execution, &circuit.words(mask));
		assert_eq!(circuit.matrices().unwrap().first_unsatisfied(&z), None);
		let words = registration.words(mask);
		let z = registration.assign(&words, &registration.commit().unwrap(), &challenges());
		assert_eq!(
			registration.matrices().unwrap().first_unsatisfied(&z.unwrap()),
			None
		);
	}
}

/// What an adversary changes in an assignment, with the best multiplicities, and which constraints do not hold then.
struct Forgery {
	matrices: Matrices,
	z: Vec<Fr>,
}

impl Forgery {
	fn of(circuit: &InferenceCircuit, input: &[i8]) -> Self {
		let z = assign(circuit, &run(circuit, input));
		Self {
			matrices: circuit.unspread_matrices().unwrap(),
			z,
		}
	}

	fn of_registration(circuit: &RegistrationCircuit) -> Self {
		Self {
			matrices: circuit.unspread_matrices().unwrap(),
			z: register(circuit),
		}
	}

	/// Rows that do not hold, but for the one that states the fold: the statement is what comes out.
	fn failures(&self, changes: &[(usize, Fr)]) -> BTreeSet<usize> {
		let segments = self.matrices.segments();
		let (public, private) = self.z.split_at(segments.public);
		let mut known = private[..segments.committed + segments.weights].to_vec();
		for (index, change) in changes {
			known[*index] += change;
		}
		let z = complete(&self.matrices, public, &known);
		let fold = 3;
		(0..self.matrices.constraints())
			.filter(|row| {
				let [a, b, c] = [0, 1, 2].map(|matrix| self.matrices.product(matrix, *row, &z));
				let states_fold = self.matrices.row(0, *row).any(|(column, _)| column == fold);
				!states_fold && a * b != c
			})
			.collect()
	}

	fn refuses(&self, changes: &[(usize, Fr)]) -> bool {
		!self.failures(changes).is_empty()
	}
}

fn power_of_two(exponent: u32) -> Fr {
	Fr::from(2u64).pow([u64::from(exponent)])
}

/// Three neurons in one word, with a shift of 8.
fn three_neurons() -> Model {
	let operator = Operator::Linear(Linear {
		outputs: 3,
		shifts: vec![8; 3],
		activation: Activation::Relu,
	});
	let weights = LayerWeights {
		weights: vec![60, 0, 5, 5, 0, 0],
		biases: vec![0; 3],
	};
	chain(Shape::vector(2), vec![operator], vec![weights])
}

/// Committed variables of [`three_neurons`] by look-ups: two inputs, three accumulators, then y and q of each.
const ACC: usize = 2;
const Y: usize = 5;
const Q: usize = 6;

/// B more in one digit and 1 less in the next leave a packed sum as it is.
#[test]
fn digits_that_carry_are_refused() {
	let circuit = committed(three_neurons(), 8, Method::LookUps);
	let base = power_of_two(circuit.plan.packings[0].digit_bits);
	let forgery = Forgery::of(&circuit, &[100, -7]);
	let place = power_of_two(8).inverse().unwrap();
	for carry in [1i64, -1, 2, 1 << 7, 1 << 8, -(1 << 11), 1 << 20] {
		let carry = Fr::from(carry);
		let changes = [(ACC, carry * base), (ACC + 1, -carry)];
		assert!(forgery.refuses(&changes), "{carry}");
		// The quotients follow, so that remainders stay.
		let quotients = [(Q, carry * base * place), (Q + 2, -carry * place)];
		assert!(forgery.refuses(&[changes, quotients].concat()), "{carry}");
	}
}

/// A quotient that is off by PAIR and an output that is off by one keep the entry of the clamp. With constant weights the
/// accumulator's bound refuses that; here another digit makes up for it, and nothing but the range of the quotient is left.
#[test]
fn the_range_of_a_quotient_is_what_refuses_an_overflow_of_its_digit() {
	let circuit = committed(three_neurons(), 8, Method::LookUps);
	assert_eq!(circuit.plan.packings[0].outputs, 3);
	// 2^s·PAIR in the first digit are this many in the third, whose remainder stays.
	let exponent = 8 + PAIR.ilog2() - 2 * circuit.plan.packings[0].digit_bits;
	assert_eq!(exponent, 14);
	let forgery = Forgery::of(&circuit, &[100, -7]);
	// The outputs are 23, and 0 for quotients of 0 and −64, the least of the table.
	let pair = Fr::from(PAIR);
	let changes = [
		(ACC, power_of_two(8) * pair),
		(Q, pair),
		(Y, -Fr::ONE),
		(ACC + 2, -power_of_two(exponent)),
		(Q + 4, -power_of_two(exponent - 8)),
	];
	let failures = forgery.failures(&changes);
	// One equation of the range table, and nothing else.
	assert_eq!(failures.len(), 1, "{failures:?}");
	let tables = circuit.size().parts.iter();
	let range = tables.rev().find(|part| part.name == "range 2^8").unwrap();
	assert!(failures.iter().all(|row| range.constraints.contains(row)));
}

#[test]
fn weights_and_biases_out_of_range_are_refused() {
	let circuit = committed(neurons([5, 6], Activation::Relu), 8, Method::LookUps);
	let registration = RegistrationCircuit::of(&circuit).unwrap();
	let forgery = Forgery::of_registration(&registration);
	let segments = forgery.matrices.segments();
	let packing = &circuit.plan.packings[0];
	let base = power_of_two(packing.digit_bits);
	let word = |index: usize| segments.committed + 1 + index;
	let half = power_of_two(1).inverse().unwrap();
	// A word has both outputs' weights of a tap. Committed is the first's; the second is what remains of the word.
	for tap in [0, 1] {
		for change in [256i64, -256, 1000, -400] {
			let change = Fr::from(change);
			assert!(forgery.refuses(&[(tap, change), (word(tap), change)]));
			assert!(forgery.refuses(&[(word(tap), change * base)]));
		}
		assert!(forgery.refuses(&[(tap, half), (word(tap), half)]));
		assert!(forgery.refuses(&[(word(tap), half * base)]));
		// A carry between digits leaves the word as it is.
		assert!(forgery.refuses(&[(tap, base)]));
		assert!(forgery.refuses(&[(tap, -base)]));
		// Within its range a weight may be any: then it is another commitment.
		assert!(!forgery.refuses(&[(tap, Fr::ONE), (word(tap), Fr::ONE)]));
		assert!(!forgery.refuses(&[(word(tap), base)]));
		// But the word is the weights'.
		assert!(forgery.refuses(&[(tap, Fr::ONE)]));
		assert!(forgery.refuses(&[(word(tap), Fr::ONE)]));
	}
	// The word of the biases has two bytes of each, of which the last is what remains.
	assert_eq!(packing.bias_bytes, 2);
	let (limbs, biases) = (2, word(2));
	for change in [
		power_of_two(16),
		-power_of_two(16),
		power_of_two(40),
		power_of_two(8),
	] {
		assert!(forgery.refuses(&[(limbs, change), (biases, change)]));
		let place = base * power_of_two(8);
		assert!(forgery.refuses(&[(biases, change * place)]));
	}
	assert!(forgery.refuses(&[(limbs, power_of_two(8)), (limbs + 1, -Fr::ONE)]));
	assert!(!forgery.refuses(&[(limbs, Fr::ONE), (biases, Fr::ONE)]));
}

/// A registration that looks up pairs of weights.
fn with_pairs(circuit: &InferenceCircuit) -> RegistrationCircuit {
	let bits = circuit.plan.packings[0].digit_bits;
	let tables = vec![Table::Range { bits: 8 }, Table::Digits { bits }];
	RegistrationCircuit::with_tables(circuit, tables).unwrap()
}

#[test]
fn pairs_of_weights_out_of_range_are_refused() {
	// A word has a pair and, as the last, a weight by itself.
	let circuit = committed(three_neurons(), 8, Method::LookUps);
	let registration = with_pairs(&circuit);
	assert_eq!(registration.mock(), Ok(()));
	assert_eq!(registration.words(mask()), circuit.words(mask()));
	let forgery = Forgery::of_registration(&registration);
	let segments = forgery.matrices.segments();
	let base = power_of_two(circuit.plan.packings[0].digit_bits);
	let (pair, word) = (0, segments.committed + 1);
	let both = |change: Fr| [(pair, change), (word, change)];
	let byte = power_of_two(8);
	for change in [
		// One of the digits leaves its range, or both do and make up for it as bytes would.
		byte,
		-byte,
		byte * base,
		-byte * base,
		byte - base,
		base - byte,
		// A digit is no integer, or the pair is one of other digits.
		power_of_two(1).inverse().unwrap(),
		base * power_of_two(1).inverse().unwrap(),
		base.square(),
		-base.square(),
		power_of_two(12),
	] {
		assert!(forgery.refuses(&both(change)), "{change}");
		// With the word as it is, what remains of it is another.
		assert!(forgery.refuses(&[(pair, change)]), "{change}");
	}
	for change in [Fr::ONE, -Fr::ONE, base, -base, base + Fr::ONE] {
		assert!(!forgery.refuses(&both(change)), "{change}");
		assert!(forgery.refuses(&[(pair, change)]), "{change}");
		assert!(forgery.refuses(&[(word, change)]), "{change}");
	}
	// What remains is a byte.
	let last = base.square();
	assert!(!forgery.refuses(&[(word, last)]));
	for change in [byte, -byte, base, power_of_two(1).inverse().unwrap()] {
		assert!(forgery.refuses(&[(word, change * last)]), "{change}");
	}
}

/// With what is committed fixed, no multiplicity and nothing else may be another, for pairs in the words' rows and beside them.
#[test]
fn pairs_determine_what_is_not_committed() {
	let operator = Operator::Linear(Linear {
		outputs: 4,
		shifts: vec![8; 4],
		activation: Activation::Relu,
	});
	let weights = LayerWeights {
		weights: vec![60, 0, 5, 5],
		biases: vec![0; 4],
	};
	let circuit = committed(
		chain(Shape::vector(1), vec![operator], vec![weights]),
		8,
		Method::LookUps,
	);
	let registration = with_pairs(&circuit);
	let (matrices, z) = (registration.matrices().unwrap(), register(&registration));
	let segments = matrices.segments();
	let (public, private) = z.split_at(segments.public);
	let known = &private[..segments.committed + segments.weights];
	assert_eq!(complete_rest(&matrices, public, known), z);
	assert_eq!(complete(&matrices, public, known), z);
	// Entries that are looked up, and one that is not.
	let first = segments.committed - (1 << 16);
	let pairs = [[60, 0], [5, 5]].map(|[low, high]: [usize; 2]| low + 128 + ((high + 128) << 8));
	for position in pairs.into_iter().chain([0]) {
		for change in [Fr::ONE, -Fr::ONE] {
			let mut other = known.to_vec();
			other[first + position] += change;
			let z = complete_rest(&matrices, public, &other);
			assert!(matrices.first_unsatisfied(&z).is_some(), "{position} + {change}");
		}
	}
	// One more of one entry and one less of another.
	let mut other = known.to_vec();
	other[first + pairs[0]] += Fr::ONE;
	other[first + pairs[1]] -= Fr::ONE;
	let z = complete_rest(&matrices, public, &other);
	assert!(matrices.first_unsatisfied(&z).is_some());
}

/// Pairs cost a table: they are for many weights only, and words are made for them where this makes a domain smaller.
#[test]
fn pairs_are_looked_up_where_the_domain_gets_smaller() {
	let circuit = |outputs: u32| {
		let model = chain(
			Shape::vector(512),
			vec![Operator::Linear(Linear {
				outputs,
				shifts: vec![12; outputs as usize],
				activation: Activation::Relu,
			})],
			vec![LayerWeights {
				weights: (0..512 * outputs).map(|index| (index * 37) as i8).collect(),
				biases: vec![-1000; outputs as usize],
			}],
		);
		let mode = WeightsMode::Committed(DeclaredWidths::of(&model));
		InferenceCircuit::with_weights(Arc::new(model), InputVisibility::Public, mode).unwrap()
	};
	let pairs = |registration: &RegistrationCircuit| {
		let mut tables = registration.tables().iter();
		tables.any(|table| matches!(table, Table::Digits { .. }))
	};
	let few = RegistrationCircuit::of(&circuit(16)).unwrap();
	assert!(!pairs(&few));
	let many = circuit(720);
	let packing = &many.plan.packings[0];
	assert_eq!(packing.outputs % 2, 0);
	assert!(packing.outputs as u32 * packing.digit_bits <= 253);
	let many = RegistrationCircuit::of(&many).unwrap();
	assert!(pairs(&many));
	// 368,640 weights.
	assert_eq!(many.size().domain, 1 << 18);
	assert_eq!(many.mock(), Ok(()));
}

#[test]
fn a_wrong_mask_or_swapped_words_are_refused() {
	let circuit = committed(neurons([5, 6], Activation::Relu), 8, Method::LookUps);
	let registration = RegistrationCircuit::of(&circuit).unwrap();
	let execution = run(&circuit, &[100, -7]);
	let words = circuit.words(mask());
	for (matrices, z) in [
		(circuit.unspread_matrices().unwrap(), assign(&circuit, &execution)),
		(registration.unspread_matrices().unwrap(), register(&registration)),
	] {
		let column = matrices.segments().weight_columns().start;
		let mut other = z.clone();
		other[column] += Fr::ONE;
		assert_eq!(matrices.first_unsatisfied(&other), Some(0));
		for (first, second) in [(1, 2), (2, 3), (0, 1)] {
			let mut other = z.clone();
			other.swap(column + first, column + second);
			assert_eq!(matrices.first_unsatisfied(&other), Some(first));
		}
	}
	// With copies that follow, the products are others.
	let mut swapped = words.clone();
	swapped.swap(1, 2);
	let z = assign_with(&circuit, &execution, &swapped);
	assert!(circuit.matrices().unwrap().first_unsatisfied(&z).is_some());
	let z = registration.assign(&swapped, &registration.commit().unwrap(), &challenges());
	assert_eq!(
		registration
			.unspread_matrices()
			.unwrap()
			.first_unsatisfied(&z.unwrap()),
		Some(1)
	);
}

#[test]
fn false_accumulators_are_refused_in_their_layer() {
	for method in METHODS {
		let circuit = committed(pooled_convolution(Activation::Relu), 9, method);
		let honest = run(&circuit, &[17; 16]);
		assert_eq!(circuit.mock(&honest), Ok(()));
		for change in [1, -1, 1 << 7, -(1 << 20)] {
			let mut other = honest.clone();
			other.trace.layers[0].accumulators[3] += change;
			match circuit.mock(&other) {
				Err(MockError::Unsatisfied { part, .. }) => assert_eq!(part, "layer 0 (Conv2d)"),
				other => panic!("{change}: {other:?}"),
			}
		}
	}
}

/// Rows of several lengths and numbers, tables and a head of attention, at many inputs.
#[test]
fn transformers_satisfy_both_circuits() {
	for model in [
		row(),
		table(),
		normalised_row(2, vec![1, -1], vec![0, 3], 22),
		normalised_row(
			13,
			vec![90, -128, 7, 0, 127],
			vec![0, -300, 1 << 22, 5 << 21, 9],
			23,
		),
		normalised_row(1, vec![50], vec![77 << 20], 21),
		embedded(1, vec![5, 6]),
		embedded(128, (0..256).map(|entry| (entry * 37) as u8 as i8).collect()),
		attention_head(),
	] {
		for (method, range_bits) in [(Method::Bits, 8), (Method::LookUps, 8), (Method::LookUps, 13)] {
			let circuit = committed(model.clone(), range_bits, method);
			let matrices = circuit.matrices().unwrap();
			for seed in 0..40 {
				let input = testing::input(seed, &model);
				let execution = run(&circuit, &input);
				assert_eq!(execution.statement.output, model.evaluate(&input).unwrap());
				let z = assign(&circuit, &execution);
				assert_eq!(matrices.first_unsatisfied(&z), None, "{method:?}: {input:?}");
			}
			let registration = RegistrationCircuit::of(&circuit).unwrap();
			assert_eq!(registration.mock(), Ok(()));
		}
		let mode = WeightsMode::Committed(DeclaredWidths::of(&model));
		let circuit = InferenceCircuit::with_weights(Arc::new(model), InputVisibility::Public, mode).unwrap();
		let execution = run(&circuit, &testing::input(1, circuit.model()));
		assert_eq!(circuit.mock(&execution), Ok(()));
	}
}

/// Committed variables of [`table`] for one token: the token, indicators of 1 and 2, that of 0, and the row's two elements.
const INDICATORS: [usize; 3] = [3, 1, 2];
const ELEMENTS: usize = 4;

#[test]
fn rows_of_other_tokens_or_of_none_are_refused() {
	let circuit = committed(table(), 8, Method::LookUps);
	let packing = &circuit.plan.packings[0];
	assert_eq!(packing.outputs, 2);
	let base = power_of_two(packing.digit_bits);
	let forgery = Forgery::of(&circuit, &[1]);
	let rows = [[1i64, -2], [3, 3], [-4, 3]];
	for (other, elements) in rows.iter().enumerate().filter(|(other, _)| *other != 1) {
		let claims = [0, 1].map(|element| {
			let change = elements[element] - rows[1][element];
			(ELEMENTS + element, Fr::from(change))
		});
		assert!(forgery.refuses(&claims));
		// The indicators of another row, which the token is not.
		let moved = [(INDICATORS[1], -Fr::ONE), (INDICATORS[other], Fr::ONE)];
		assert!(forgery.refuses(&[claims, moved].concat()));
	}
	// Half of two rows, or two of which the token's own is taken away, have the token as the sum of their indices.
	let half = power_of_two(1).inverse().unwrap();
	let halves = [
		(INDICATORS[0], half),
		(INDICATORS[1], -Fr::ONE),
		(INDICATORS[2], half),
	];
	let mean = [
		(ELEMENTS, Fr::from(-9i64) * half),
		(ELEMENTS + 1, Fr::from(-5i64) * half),
	];
	assert!(forgery.refuses(&[&halves[..], &mean[..]].concat()));
	let mixed = [
		(INDICATORS[0], Fr::ONE),
		(INDICATORS[1], -Fr::from(2u64)),
		(INDICATORS[2], Fr::ONE),
	];
	let sum = [(ELEMENTS, -Fr::from(9u64)), (ELEMENTS + 1, -Fr::from(5u64))];
	assert!(forgery.refuses(&[&mixed[..], &sum[..]].concat()));
	// A carry between the digits of the packed elements.
	for carry in [1i64, -1, 1 << 5, 1 << 8] {
		let carry = Fr::from(carry);
		let changes = [(ELEMENTS, carry * base), (ELEMENTS + 1, -carry)];
		assert!(forgery.refuses(&changes));
	}
	// A table in which the row is another is another commitment; in one where other rows are, the answer is the same.
	let word = |row: usize| forgery.matrices.segments().committed + 1 + row;
	assert!(forgery.refuses(&[(word(1), Fr::ONE)]));
	assert!(!forgery.refuses(&[(word(1), Fr::ONE), (ELEMENTS, Fr::ONE)]));
	assert!(!forgery.refuses(&[(word(2), Fr::ONE)]));
}

/// Two rows, whose elements of one place share a weight and a word's product.
#[test]
fn carries_between_normalised_rows_are_refused() {
	let circuit = committed(
		normalised_row(2, vec![100, -100], vec![0, 3], 22),
		9,
		Method::LookUps,
	);
	let packing = &circuit.plan.packings[0];
	assert_eq!([packing.groups, packing.outputs, packing.positions], [2, 1, 2]);
	let base = power_of_two(packing.digit_bits);
	let forgery = Forgery::of(&circuit, &[3, 9, -120, 44]);
	// The accumulators are the committed values that are what the trace says.
	let execution = run(&circuit, &[3, 9, -120, 44]);
	let accumulators: Vec<Fr> = execution.trace.layers[0]
		.accumulators
		.iter()
		.map(|value| Fr::from(*value))
		.collect();
	let committed = circuit.commit(&execution).unwrap();
	let first = committed
		.windows(accumulators.len())
		.position(|values| values == accumulators)
		.unwrap();
	for carry in [1i64, -1, 1 << 9, 1 << 13, -(1 << 22)] {
		let carry = Fr::from(carry);
		// Elements of one place in both rows are two apart.
		assert!(forgery.refuses(&[(first, carry * base), (first + 2, -carry)]));
		assert!(forgery.refuses(&[(first, carry)]));
	}
}

/// By bits and by look-ups, at every accumulator of a neuron, also where nothing saturates.
#[test]
fn requantisation_is_exact_at_every_accumulator() {
	for activation in [Activation::Identity, Activation::Relu] {
		for shift in [0u8, 1, 3, 8, 9, 17, 31] {
			for (weight, bias) in [(1i8, 0i32), (127, 1000), (-128, 77), (127, 40_000)] {
				for method in [Method::Bits, Method::LookUps] {
					let circuit = committed(neuron(weight, bias, shift, activation), 8, method);
					let matrices = circuit.matrices().unwrap();
					for input in (i8::MIN..=i8::MAX).step_by(15) {
						let z = assign(&circuit, &run(&circuit, &[input]));
						assert_eq!(
							matrices.first_unsatisfied(&z),
							None,
							"{shift}, {weight}·{input} + {bias}"
						);
					}
				}
			}
		}
	}
}

#[test]
fn widths_admit_training_and_refuse_what_is_beyond() {
	let model = neurons([5, 6], Activation::Relu);
	let widths = DeclaredWidths::of(&model);
	assert_eq!(
		widths.layers(),
		[LayerWidths {
			// 128 · (90 + 70) + 200 < 2^15, and one bit more.
			accumulator_bits: 16,
			bias_bytes: 2,
		}]
	);
	assert_eq!(widths.check(&model), Ok(()));
	let larger = retrained(&model, |_, weight| {
		(weight / 2).saturating_mul(3).saturating_add(20)
	});
	assert_eq!(widths.check(&larger), Ok(()));

	let narrow = |accumulator_bits, bias_bytes| {
		let layer = LayerWidths {
			accumulator_bits,
			bias_bytes,
		};
		DeclaredWidths::new(model.architecture(), vec![layer]).unwrap()
	};
	let refused = narrow(14, 2).check(&model);
	assert!(matches!(
		refused,
		Err(CircuitError::BeyondWidths { layer: 0, what: "accumulators", bound, declared })
			if bound < declared.lower || bound > declared.upper
	));
	let message = refused.unwrap_err().to_string();
	assert!(message.contains("layer 0") && message.contains("-16384..=16383") && message.contains("new key"));
	assert!(matches!(
		narrow(16, 1).check(&model),
		Err(CircuitError::BeyondWidths {
			what: "biases",
			bound: 200,
			..
		})
	));
	let mode = WeightsMode::Committed(narrow(14, 2));
	let circuit = InferenceCircuit::with_weights(Arc::new(model.clone()), InputVisibility::Public, mode);
	assert!(matches!(circuit, Err(CircuitError::BeyondWidths { .. })));

	let valid = widths.layers()[0];
	for layers in [
		vec![],
		vec![valid; 2],
		vec![LayerWidths {
			accumulator_bits: 0,
			..valid
		}],
		vec![LayerWidths {
			accumulator_bits: 32,
			..valid
		}],
		vec![LayerWidths {
			bias_bytes: 0,
			..valid
		}],
		vec![LayerWidths {
			bias_bytes: 5,
			..valid
		}],
	] {
		assert_eq!(
			DeclaredWidths::new(model.architecture(), layers),
			Err(CircuitError::Widths)
		);
	}
}

#[test]
fn words_of_another_length_are_refused() {
	let circuit = committed(neurons([5, 6], Activation::Relu), 8, Method::LookUps);
	let execution = run(&circuit, &[1, 2]);
	let committed = circuit.commit(&execution).unwrap();
	let length = |found| CircuitError::WordsLength { expected: 4, found };
	assert_eq!(
		circuit.assign(&execution, &committed, &challenges()),
		Err(length(0))
	);
	let short = circuit.assign_with_words(&execution, &[Fr::ONE; 3], &committed, &challenges());
	assert_eq!(short, Err(length(3)));
	let registration = RegistrationCircuit::of(&circuit).unwrap();
	let committed = registration.commit().unwrap();
	assert_eq!(
		registration.assign(&[], &committed, &challenges()),
		Err(length(0))
	);
	let words = registration.words(Fr::ONE);
	assert!(matches!(
		registration.assign(&words, &committed[1..], &challenges()),
		Err(CircuitError::CommittedLength { .. })
	));
	let constant = InferenceCircuit::new(circuit.model().clone(), InputVisibility::Public).unwrap();
	assert!(constant.words(Fr::ONE).is_empty());
	assert_eq!(
		RegistrationCircuit::of(&constant).map(|_| ()),
		Err(CircuitError::ConstantWeights)
	);
}
