//! No variable is left open.

use super::{
	adversary::{assert_no_single_value_may_differ, complete, complete_rest},
	assign, by_bits, chain, embedded, input, looking_up, neuron, normalised_row, planned, pooled_convolution,
	product, run, softmax_row,
};
use crate::{
	basis::Basis,
	plan::{Choice, Choices},
	InferenceCircuit,
};
use ark_bls12_381::Fr;
use ark_ff::{AdditiveGroup, Field};
use opensand_nn::{
	testing::{self, Size},
	Activation, Operator, Shape,
};
use opensand_zk_r1cs::Matrices;
use opensand_zk_verifier::InputVisibility;
use std::{
	collections::{BTreeMap, HashMap},
	sync::Arc,
};

/// Small circuits of every gadget.
fn circuits() -> Vec<InferenceCircuit> {
	let relu = || chain(Shape::vector(2), vec![Operator::Relu], vec![]);
	let images = Box::new(std::array::from_fn(|i| (i as u8).wrapping_mul(37) as i8));
	let lut = chain(Shape::vector(2), vec![Operator::Lut(images)], vec![]);
	let mut circuits = vec![
		looking_up(neuron(127, 1000, 5, Activation::Relu), 8, false),
		looking_up(neuron(-128, -100, 9, Activation::Identity), 8, false),
		looking_up(neuron(127, 10_000, 3, Activation::Identity), 9, false),
		looking_up(neuron(127, 100, 0, Activation::Identity), 8, false),
		looking_up(relu(), 8, false),
		looking_up(lut, 8, false),
		looking_up(pooled_convolution(Activation::Relu), 8, true),
		looking_up(pooled_convolution(Activation::Identity), 9, false),
	];
	let size = Size {
		layers: 3,
		channels: 3,
		side: 3,
	};
	circuits.extend((0..3).map(|seed| looking_up(testing::model(seed, size), 8, true)));
	circuits.extend([
		looking_up(product(Shape::new(1, 2, 2), false, 7), 8, false),
		looking_up(product(Shape::new(2, 2, 1), true, 0), 9, false),
		looking_up(softmax_row(3, 1, 1023, 20), 8, false),
		looking_up(
			normalised_row(1, vec![90, -70, 127], vec![0, 5, 1 << 22], 22),
			8,
			false,
		),
		looking_up(embedded(3, vec![1, -2, 3, 3, -4, 3]), 8, false),
	]);
	circuits
}

/// Small circuits of the gadgets of transformers, without tables.
fn circuits_by_bits() -> [InferenceCircuit; 3] {
	[
		by_bits(product(Shape::new(1, 2, 2), false, 7)),
		by_bits(softmax_row(3, 1, 1023, 20)),
		by_bits(normalised_row(1, vec![90, -70, 127], vec![0, 5, 1 << 22], 22)),
	]
}

#[test]
fn no_single_variable_of_any_segment_may_have_another_value() {
	for circuit in circuits().into_iter().chain(circuits_by_bits()) {
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		assert_no_single_value_may_differ(&circuit.matrices().unwrap(), z);
	}
}

/// With a changed committed value the adversary does what it can; the fold, the tables or the layer refuse it.
#[test]
fn no_single_committed_value_may_differ_whatever_follows_from_it() {
	for circuit in circuits() {
		let matrices = circuit.matrices().unwrap();
		let segments = matrices.segments();
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		let (public, private) = z.split_at(segments.public);
		let committed = &private[..segments.committed];
		assert_eq!(complete(&matrices, public, committed), z);
		// The tables' multiplicities come last, and follow from the rest.
		let entries: usize = circuit.tables().iter().map(|table| table.len()).sum();
		for index in 0..segments.committed - entries {
			for change in [
				Fr::ONE,
				-Fr::ONE,
				Fr::from(256u64),
				Fr::from(2u64).inverse().unwrap(),
			] {
				let mut other = committed.to_vec();
				other[index] += change;
				let z = complete(&matrices, public, &other);
				assert!(
					matrices.first_unsatisfied(&z).is_some(),
					"committed {index} + {change}"
				);
			}
		}
	}
}

/// Public inputs and committed values determine everything else: by solving one equation after the other nothing is left.
#[test]
fn the_rest_follows_from_what_is_public_and_committed() {
	for circuit in circuits() {
		let matrices = circuit.matrices().unwrap();
		let segments = matrices.segments();
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		let (public, private) = z.split_at(segments.public);
		assert_eq!(
			complete_rest(&matrices, public, &private[..segments.committed]),
			z
		);
	}
}

/// By bits, input, salt and challenges determine everything: the constraints, linearised where an execution is, have no
/// direction left in which all of them hold.
#[test]
fn by_bits_everything_follows_from_input_and_salt() {
	let size = Size {
		layers: 3,
		channels: 3,
		side: 3,
	};
	for seed in 0..12 {
		let model = testing::model(seed, size);
		let visibility = [InputVisibility::Public, InputVisibility::Hashed][seed as usize % 2];
		let bits = Choices {
			range_bits: 0,
			bytes: false,
			layers: vec![Choice::Bits; model.architecture().layers().len()],
		};
		let circuit = planned(Basis::constant(Arc::new(model)), visibility, &bits);
		let matrices = circuit.matrices().unwrap();
		let z = assign(&circuit, &run(&circuit, &input(circuit.model())));
		let salt = usize::from(visibility == InputVisibility::Hashed);
		let given = matrices.segments().public + circuit.model().architecture().input_len() as usize + salt;
		assert_eq!(rank(&matrices, &z, given), z.len() - given, "seed {seed}");
	}
}

/// The rank of the constraints' derivatives by the columns from `given` on.
fn rank(matrices: &Matrices, z: &[Fr], given: usize) -> usize {
	// By the last column of each: rows that have a one there.
	let mut pivots: HashMap<usize, BTreeMap<usize, Fr>> = HashMap::new();
	for row in 0..matrices.constraints() {
		let [a, b] = [0, 1].map(|matrix| matrices.product(matrix, row, z));
		let mut derivative: BTreeMap<usize, Fr> = BTreeMap::new();
		for (matrix, factor) in [(0, b), (1, a), (2, -Fr::ONE)] {
			for (column, coefficient) in matrices.row(matrix, row).filter(|(column, _)| *column >= given) {
				*derivative.entry(column).or_default() += factor * coefficient;
			}
		}
		while let Some((column, value)) = derivative.pop_last() {
			if value == Fr::ZERO {
				continue;
			}
			let Some(pivot) = pivots.get(&column) else {
				let inverse = value.inverse().unwrap();
				derivative.values_mut().for_each(|value| *value *= inverse);
				pivots.insert(column, derivative);
				break;
			};
			for (other, coefficient) in pivot {
				*derivative.entry(*other).or_default() -= value * coefficient;
			}
		}
	}
	pivots.len()
}
