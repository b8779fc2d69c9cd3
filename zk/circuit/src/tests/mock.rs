//! A mock run names the layer that does not hold.

use super::{looking_up, pooled_convolution, run};
use crate::MockError;
use opensand_nn::Activation;

#[test]
fn a_false_trace_is_refused_in_its_layer() {
	for (pooled, expected) in [
		(false, "layer 0 (Conv2d)"),
		(true, "layers 0 (Conv2d) and 1 (MaxPool)"),
	] {
		let circuit = looking_up(pooled_convolution(Activation::Relu), 9, pooled);
		let honest = run(&circuit, &[17; 16]);
		assert_eq!(circuit.mock(&honest), Ok(()));
		for change in [1, -1, 1 << 7, -(1 << 30), i32::MAX / 2] {
			let mut other = honest.clone();
			other.trace.layers[0].accumulators[3] += change;
			match circuit.mock(&other) {
				Err(MockError::Unsatisfied { part, .. }) => assert_eq!(part, expected),
				other => panic!("{change}: {other:?}"),
			}
		}
	}
}
