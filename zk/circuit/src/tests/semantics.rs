//! By look-ups, circuits compute what the model computes.

use super::{assign, chain, looking_up, neuron, pooled_convolution, run};
use opensand_nn::{
	testing::{self, Size},
	Activation, Operator, Shape, Window,
};
use proptest::prelude::*;

proptest! {
	#![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn every_execution_satisfies_the_circuit(seed: u64, range_bits in 8u32..=10, pooled: bool) {
		let circuit = looking_up(testing::model(seed, Size::SMALL), range_bits, pooled);
		let matrices = circuit.matrices().unwrap();
		prop_assert_eq!(matrices.constraints(), circuit.size().constraints);
		prop_assert!(circuit.size().parts.iter().all(|part| !part.bits));
		for input_seed in 0..4 {
			let input = testing::input(seed ^ input_seed, circuit.model());
			let assignment = assign(&circuit, &run(&circuit, &input));
			prop_assert_eq!(assignment.len(), matrices.segments().variables());
			prop_assert_eq!(matrices.first_unsatisfied(&assignment), None);
		}
	}
}

#[test]
fn requantisation_is_exact_at_every_accumulator() {
	for activation in [Activation::Identity, Activation::Relu] {
		for shift in [0u8, 1, 3, 8, 9, 17, 31] {
			for (weight, bias) in [(1i8, 0i32), (127, 1000), (-128, 77), (3, -200), (127, 40_000)] {
				let circuit = looking_up(neuron(weight, bias, shift, activation), 8, false);
				let matrices = circuit.matrices().unwrap();
				for input in (i8::MIN..=i8::MAX).step_by(5) {
					let assignment = assign(&circuit, &run(&circuit, &[input]));
					assert_eq!(
						matrices.first_unsatisfied(&assignment),
						None,
						"{activation:?}, shift {shift}, {weight} · {input} + {bias}"
					);
				}
			}
		}
	}
}

#[test]
fn images_are_exact_at_every_index() {
	let images = Box::new(std::array::from_fn(|i| (i as u8).wrapping_mul(37) as i8));
	let circuit = looking_up(
		chain(Shape::vector(1), vec![Operator::Lut(images)], vec![]),
		9,
		false,
	);
	let matrices = circuit.matrices().unwrap();
	for input in i8::MIN..=i8::MAX {
		let assignment = assign(&circuit, &run(&circuit, &[input]));
		assert_eq!(matrices.first_unsatisfied(&assignment), None, "{input}");
	}
}

#[test]
fn maxima_of_wires_and_of_accumulators_are_exact() {
	let window = Window {
		kernel: [1, 3],
		stride: [1, 1],
		padding: [0; 4],
	};
	let wires = chain(Shape::new(1, 1, 3), vec![Operator::MaxPool(window)], vec![]);
	let circuit = looking_up(wires, 8, false);
	let matrices = circuit.matrices().unwrap();
	for input in [
		[1, 2, 3],
		[3, 3, 3],
		[-128, 127, -128],
		[127, -128, 0],
		[-1, 0, -1],
	] {
		let assignment = assign(&circuit, &run(&circuit, &input));
		assert_eq!(matrices.first_unsatisfied(&assignment), None, "{input:?}");
	}
	for activation in [Activation::Identity, Activation::Relu] {
		for range_bits in [8, 10] {
			let circuit = looking_up(pooled_convolution(activation), range_bits, true);
			assert_eq!(circuit.size().parts[3].name, "layers 0 (Conv2d) and 1 (MaxPool)");
			let matrices = circuit.matrices().unwrap();
			for seed in 0..40 {
				let input = testing::input(seed, circuit.model());
				let assignment = assign(&circuit, &run(&circuit, &input));
				assert_eq!(matrices.first_unsatisfied(&assignment), None, "{input:?}");
			}
		}
	}
}
