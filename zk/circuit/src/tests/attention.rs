//! The operators of transformers: what they compute by both methods, and what they refuse.

use super::{
	assign, attention_head, by_bits, embedded, looking_up, normalised_row, product, run, softmax_row,
	target::Target,
};
use crate::{
	matmul::Blocks,
	tables::{Table, PAIR},
	InferenceCircuit, MockError,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::{testing, LayerNormalization, Model, Operator, Shape};

/// Models with each operator, in several shapes.
fn models() -> Vec<Model> {
	vec![
		product(Shape::new(1, 2, 2), false, 7),
		product(Shape::new(2, 3, 5), true, 9),
		product(Shape::new(1, 17, 1), true, 0),
		product(Shape::new(1, 1, 9), true, 20),
		softmax_row(2, 4, 255, 10),
		softmax_row(7, 3, 2047, 22),
		softmax_row(1, 1, 65535, 26),
		normalised_row(2, vec![1, -1], vec![0, 3], 22),
		normalised_row(
			5,
			vec![90, -128, 7, 0, 127],
			vec![0, -300, 1 << 22, 5 << 21, 9],
			23,
		),
		normalised_row(1, vec![50], vec![77 << 20], 21),
		embedded(3, vec![1, -2, 3, 3, -4, 3]),
		embedded(1, vec![5, 6]),
		embedded(128, (0..256).map(|entry| (entry * 37) as u8 as i8).collect()),
	]
}

#[test]
fn thousands_of_inputs_satisfy_both_methods() {
	for model in models() {
		for circuit in [
			looking_up(model.clone(), 8, false),
			looking_up(model.clone(), 11, false),
			by_bits(model),
		] {
			let matrices = circuit.matrices().unwrap();
			for seed in 0..80 {
				let input = testing::input(seed, circuit.model());
				let assignment = assign(&circuit, &run(&circuit, &input));
				let name = circuit.model().architecture().layers()[0].operator.name();
				assert_eq!(matrices.first_unsatisfied(&assignment), None, "{name}: {input:?}");
			}
		}
	}
}

#[test]
fn the_cheapest_plan_computes_the_same() {
	for model in models() {
		let circuit =
			InferenceCircuit::new(model.into(), opensand_zk_verifier::InputVisibility::Public).unwrap();
		for seed in 0..8 {
			let input = testing::input(seed, circuit.model());
			assert_eq!(circuit.mock(&run(&circuit, &input)), Ok(()));
		}
	}
}

#[test]
fn tied_maxima_and_equal_rows_are_proven() {
	let softmax = looking_up(softmax_row(3, 1, 1023, 20), 9, false);
	for input in [[5, 5, 5], [127, 127, -128], [-128, -128, -128], [0, 1, 1]] {
		assert_eq!(softmax.mock(&run(&softmax, &input)), Ok(()), "{input:?}");
	}
	let rows = looking_up(normalised_row(1, vec![127; 3], vec![0; 3], 23), 9, false);
	for input in [[5, 5, 5], [-128, 127, 127], [0, 0, 1]] {
		assert_eq!(rows.mock(&run(&rows, &input)), Ok(()), "{input:?}");
	}
}

/// Blocks fit the field, and take fewer products than one of rows alone.
#[test]
fn blocks_fit_the_field() {
	for width in 1..=40 {
		for [rows, columns] in [[1usize, 1], [16, 16], [3, 200], [100, 2]] {
			let blocks = Blocks::new(rows, columns, width);
			let digits = blocks.rows * blocks.columns;
			assert!(digits as u32 * width <= 253);
			assert_eq!(blocks.powers.len(), digits);
			let products = rows.div_ceil(blocks.rows) * columns.div_ceil(blocks.columns);
			assert!(products <= rows.div_ceil(253 / width as usize) * columns);
		}
	}
	let blocks = Blocks::new(16, 16, 21);
	assert_eq!(
		16usize.div_ceil(blocks.rows) * 16usize.div_ceil(blocks.columns),
		24
	);
}

#[test]
fn false_accumulators_are_refused_in_their_layer() {
	for (model, layer) in [
		(product(Shape::new(1, 2, 2), false, 7), "layer 0 (MatMul)"),
		(
			normalised_row(2, vec![100, -100], vec![0, 3], 22),
			"layer 0 (LayerNormalization)",
		),
	] {
		let circuit = looking_up(model, 9, false);
		let honest = run(&circuit, &testing::input(3, circuit.model()));
		assert_eq!(circuit.mock(&honest), Ok(()));
		for change in [1, -1, 1 << 8, -(1 << 28), i32::MAX / 4] {
			let mut other = honest.clone();
			other.trace.layers[0].accumulators[1] += change;
			match circuit.mock(&other) {
				Err(MockError::Unsatisfied { part, .. }) => assert_eq!(part, layer),
				other => panic!("{change}: {other:?}"),
			}
		}
	}
}

fn integers(values: &[i64]) -> Vec<Fr> {
	values.iter().copied().map(Fr::from).collect()
}

/// A row of two with exponentials 255, 127, 63, … and a reciprocal of 10 bits: in ranges of 2^10 nothing has limbs. Committed
/// are both x, the maximum, both exponentials, R − 1, ρ, and for each element its product with R and its share.
const SOFTMAX: usize = 2;

/// The committed values of a row with such a maximum: as a cheating prover would go on.
fn shares(model: &Model, maximum: i64, exponentials: [i64; 2], reciprocal: i64) -> Vec<i64> {
	let Operator::Softmax(softmax) = &model.architecture().layers()[0].operator else {
		unreachable!("the model is a softmax");
	};
	let one = 1i64 << softmax.bits;
	let sum: i64 = exponentials.iter().sum();
	let mut values = vec![
		maximum + 128,
		exponentials[0],
		exponentials[1],
		reciprocal - 1,
		one - reciprocal * sum,
	];
	for exponential in exponentials {
		let product = exponential * reciprocal;
		values.extend([product, (127 * product + one / 2) >> softmax.bits]);
	}
	values
}

fn softmax_target() -> (Model, Target) {
	let model = softmax_row(2, 1, 255, 10);
	let circuit = looking_up(model.clone(), 10, false);
	let target = Target::new(&circuit, &[3, 5]);
	(model, target)
}

#[test]
fn the_layout_of_a_softmax_is_as_the_forgeries_take_it() {
	let (model, target) = softmax_target();
	// 5 is the maximum: 63 and 255 of 318, R = ⌊1024/318⌋ = 3.
	let honest = integers(&shares(&model, 5, [63, 255], 3));
	assert_eq!(target.committed[SOFTMAX..][..honest.len()], honest);
	assert_eq!(target.failing(SOFTMAX, &honest), Vec::<usize>::new());
}

#[test]
fn a_false_maximum_is_refused() {
	let (model, target) = softmax_target();
	// One above both: everything fits but that it is none of them.
	let above = integers(&shares(&model, 6, [31, 127], 1024 / 158));
	let failing = target.failing(SOFTMAX, &above);
	assert_eq!(failing.len(), 1, "the product of distances alone");
	assert!(!target.looks_up(failing[0]));
	// The lesser: there is no exponential at a distance of -2, whatever is taken for it.
	for stranger in [255, 0, 1023, 255 + 2 * PAIR, 63 + 4 * PAIR] {
		let below = integers(&shares(&model, 3, [255, stranger], 1));
		assert!(!target.failing(SOFTMAX, &below).is_empty(), "{stranger}");
		let below = integers(&shares(&model, 3, [255, stranger], 1024 / (255 + stranger)));
		assert!(!target.failing(SOFTMAX, &below).is_empty(), "{stranger}");
	}
}

#[test]
fn exponentials_of_other_distances_are_refused() {
	let (model, target) = softmax_target();
	// e + P·(d' − d) finds the entry at d'; two of them may even leave the sum as it is.
	for (first, second) in [
		(31 + PAIR, 255),
		(127 - PAIR, 127 + PAIR),
		(63, 127 + PAIR),
		(255 - 2 * PAIR, 63 + 2 * PAIR),
	] {
		for reciprocal in [1, 3, 1024 / 318] {
			let values = integers(&shares(&model, 5, [first, second], reciprocal));
			assert!(
				!target.failing(SOFTMAX, &values).is_empty(),
				"{first}, {second}, {reciprocal}"
			);
		}
	}
	// With R = 0 every exponential would do; R − 1 is in a range.
	for sum in [1024, 1030, 2000] {
		let values = integers(&shares(&model, 5, [63, sum - 63], 0));
		assert!(!target.failing(SOFTMAX, &values).is_empty(), "{sum}");
	}
}

#[test]
fn false_reciprocals_and_remainders_are_refused() {
	let (model, target) = softmax_target();
	for reciprocal in [2, 4, 1, 1024] {
		let values = integers(&shares(&model, 5, [63, 255], reciprocal));
		target.refused_by_look_ups(SOFTMAX, &values);
	}
	let honest = shares(&model, 5, [63, 255], 3);
	for share in [6, 8] {
		for change in [1, -1, 128] {
			let mut values = honest.clone();
			values[share] += change;
			target.refused_by_look_ups(SOFTMAX, &integers(&values));
		}
	}
	// A fraction of the share, so that the remainder is another integer in its range.
	let mut values = integers(&honest);
	values[6] += Fr::from(1024u64).inverse().unwrap();
	target.refused_by_look_ups(SOFTMAX, &values);
}

/// One channel of two rows times itself: four sums, of two limbs of 8 bits each; then outputs and quotients.
#[test]
fn carries_between_packed_sums_are_refused() {
	let circuit = looking_up(product(Shape::new(1, 2, 1), true, 8), 8, false);
	let target = Target::new(&circuit, &[90, -70]);
	let lower = 127 * 128;
	let sums = [90 * 90, -90 * 70, -90 * 70, 70 * 70].map(|sum| sum + lower);
	let limbs = |sum: i64| [sum, sum & 255];
	let honest: Vec<i64> = sums.into_iter().flat_map(limbs).collect();
	assert_eq!(target.committed[2..][..8], integers(&honest));
	// The block is two rows by two columns: places 0, 2, 1, 3 of the base 2^16.
	let order = [0, 2, 1, 3];
	for place in 0..3 {
		for carry in [1i64, -1] {
			let mut values = sums;
			values[order[place]] += carry << 16;
			values[order[place + 1]] -= carry;
			let limbs: Vec<i64> = values.into_iter().flat_map(limbs).collect();
			let failing = target.failing(2, &integers(&limbs));
			assert!(!failing.is_empty());
			// The chain of products does not see the carry.
			assert!(failing.iter().all(|row| target.looks_up(*row)), "{failing:?}");
		}
	}
	// A sum and the output that follows from it: the chain sees that.
	for change in [1, -1, 1 << 8] {
		let mut values = sums;
		values[0] += change;
		let limbs: Vec<i64> = values.into_iter().flat_map(limbs).collect();
		let failing = target.failing(2, &integers(&limbs));
		assert!(failing.iter().any(|row| !target.looks_up(*row)));
	}
}

/// A row of two with weights of zero, so that nothing but the root is proven: the sum, the sum of squares, R and its lower limb of 13
/// bits, a, b, two lower limbs of each inequality, both products.
#[test]
fn roots_beside_the_true_one_are_refused() {
	let circuit = looking_up(normalised_row(1, vec![0; 2], vec![9 << 20; 2], 20), 13, false);
	for input in [[3i8, 5], [-128, 127], [7, 7]] {
		let target = Target::new(&circuit, &input);
		let [x, y] = input.map(i64::from);
		let squares = 2 * (x - y).pow(2);
		let value = squares + 1;
		let forged = |root: i64| {
			let (a, b) = (root * value, root * root * value);
			let one = 1i64 << 48;
			let slacks = [one - 4 * b + 4 * a - value, 4 * b + 4 * a + value - 1 - one];
			let limb = |value: i64, limb: u32| value >> (13 * limb) & 8191;
			let mut values = vec![x + y + 256, squares, root, limb(root, 0), a, b];
			values.extend(
				slacks
					.into_iter()
					.flat_map(|slack| [limb(slack, 0), limb(slack, 1)]),
			);
			let reach = i64::from(LayerNormalization::normalised_bounds(2).upper);
			values.extend([x - y, y - x].map(|distance| distance * root + reach));
			integers(&values)
		};
		let root = LayerNormalization::reciprocal_root(value as u64) as i64;
		assert_eq!(target.committed[2..][..12], forged(root));
		for change in [1, -1, 2, -root, -2 * root, 1 << 20] {
			target.refused_by_look_ups(2, &forged(root + change));
		}
	}
}

/// Tokens beyond the vocabulary have no indicators: neither two of them, nor another multiple, nor none.
#[test]
fn tokens_beyond_the_vocabulary_are_refused() {
	let circuit = looking_up(embedded(3, vec![1, -2, 3, 3, -4, 3]), 8, false);
	assert!(circuit.execute(super::BINDING, &[3], [6; 32]).is_err());
	let matrices = circuit.matrices().unwrap();
	let honest = assign(&circuit, &run(&circuit, &[2]));
	let committed = matrices.segments().committed_columns().start;
	let indicator = committed + 1;
	assert_eq!(honest[indicator..indicator + 2], [Fr::ZERO, Fr::ONE]);
	let part = circuit
		.size()
		.parts
		.iter()
		.find(|part| part.name == "layer 0 (Embedding)");
	let rows = part.unwrap().constraints.clone();
	assert_eq!(rows.len(), 3 + 1 + 2);
	let unsatisfied = |token: i64, indicators: [Fr; 2]| {
		let mut z = honest.clone();
		z[committed] = Fr::from(token + 128);
		z[indicator..indicator + 2].copy_from_slice(&indicators);
		let mut rows = rows.clone().take(4);
		rows.any(|row| {
			let [a, b, c] = [0, 1, 2].map(|matrix| matrices.product(matrix, row, &z));
			a * b != c
		})
	};
	assert!(!unsatisfied(2, [Fr::ZERO, Fr::ONE]));
	assert!(!unsatisfied(0, [Fr::ZERO, Fr::ZERO]));
	for token in [3, 4, 127, -1, -128, -2] {
		for first in [0, 1, token, -token] {
			for second in [0, 1, token, -token] {
				assert!(unsatisfied(token, [first, second].map(Fr::from)), "{token}");
			}
		}
		let rest = Fr::from(token) * Fr::from(2u64).inverse().unwrap();
		assert!(unsatisfied(token, [Fr::ZERO, rest]));
	}
}

/// An attention head: scores, shares, their product with the values, between Linears over the last axis.
#[test]
fn heads_of_attention_are_proven() {
	let circuit = looking_up(attention_head(), 10, false);
	assert!(circuit
		.tables()
		.iter()
		.any(|table| matches!(table, Table::Exponentials { .. })));
	for seed in 0..20 {
		let execution = run(&circuit, &testing::input(seed, circuit.model()));
		assert_eq!(circuit.mock(&execution), Ok(()));
		let mut other = execution.clone();
		let value = &mut other.statement.output[5];
		*value = value.wrapping_add(1);
		assert!(
			matches!(circuit.mock(&other), Err(MockError::Unsatisfied { part, .. }) if part == "statement")
		);
	}
}
