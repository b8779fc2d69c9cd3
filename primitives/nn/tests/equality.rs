//! The fast path, the trace and the bounds, held to the reference on random models.

use opensand_nn::{
	requantise,
	testing::{input, model, Size},
	Architecture, EvaluateError, FastModel, Model, Weights,
};
use proptest::prelude::*;

proptest! {
	#![proptest_config(ProptestConfig { cases: 1500, ..ProptestConfig::default() })]

	#[test]
	fn fast_equals_reference(seed: u64, first: u64, second: u64) {
		let model = model(seed, Size::MEDIUM);
		let fast = FastModel::new(&model);
		for seed in [first, second] {
			let input = input(seed, &model);
			prop_assert_eq!(fast.evaluate(&input), model.evaluate(&input));
			prop_assert_eq!(fast.trace(&input), model.trace(&input));
		}
	}

	#[test]
	fn trace_equals_evaluation_and_keeps_to_the_bounds(seed: u64, input_seed: u64) {
		let model = model(seed, Size::MEDIUM);
		let input = input(input_seed, &model);
		let trace = model.trace(&input).unwrap();
		prop_assert_eq!(trace.output(), model.evaluate(&input).unwrap());
		for (tensor, shape) in model.architecture().shapes().iter().enumerate() {
			let values = trace.tensor(tensor).unwrap();
			prop_assert_eq!(values.len(), shape.elements() as usize);
			let bounds = model.tensor_bounds(tensor);
			prop_assert_eq!(bounds.len(), shape.channels as usize);
			for (values, bounds) in values.chunks(shape.plane() as usize).zip(bounds) {
				prop_assert!(bounds.contains(0));
				prop_assert!(values.iter().all(|value| bounds.contains((*value).into())));
			}
		}
		for (index, layer) in model.architecture().layers().iter().enumerate() {
			let accumulators = &trace.layers[index].accumulators;
			let bounds = model.accumulator_bounds(index);
			if !layer.operator.has_accumulators() {
				prop_assert!(accumulators.is_empty() && bounds.is_empty());
				continue;
			}
			let plane = model.architecture().shapes()[index + 1].plane() as usize;
			prop_assert_eq!(bounds.len() * plane, accumulators.len());
			let channels = accumulators.chunks(plane).zip(trace.layers[index].outputs.chunks(plane)).zip(bounds);
			for (channel, ((accumulators, outputs), bounds)) in channels.enumerate() {
				let (shift, activation) = layer.operator.requantisation(channel).unwrap();
				for (accumulator, output) in accumulators.iter().zip(outputs) {
					prop_assert!(bounds.contains(*accumulator));
					prop_assert_eq!(requantise(*accumulator, shift, activation), *output);
				}
			}
		}
	}

	#[test]
	fn encodings_round_trip(seed: u64) {
		let model = model(seed, Size::MEDIUM);
		let architecture = Architecture::from_bytes(&model.architecture().to_bytes()).unwrap();
		let weights = Weights::from_bytes(&model.weights().to_bytes()).unwrap();
		prop_assert_eq!(architecture.id(), model.architecture().id());
		prop_assert_eq!(weights.hash(), model.weights().hash());
		prop_assert_eq!(Model::new(architecture, weights).unwrap(), model);
	}

	#[test]
	fn changed_bytes_decode_canonically_or_not_at_all(seed: u64, position: prop::sample::Index, byte: u8, cut in 0usize..4) {
		let model = model(seed, Size::MEDIUM);
		let mut bytes = model.architecture().to_bytes();
		let at = position.index(bytes.len());
		bytes[at] = byte;
		bytes.truncate(bytes.len() - cut);
		if let Ok(architecture) = Architecture::from_bytes(&bytes) {
			prop_assert_eq!(architecture.to_bytes(), bytes);
		}
		let mut bytes = model.weights().to_bytes();
		let at = position.index(bytes.len());
		bytes[at] = byte;
		bytes.truncate(bytes.len() - cut);
		if let Ok(weights) = Weights::from_bytes(&bytes) {
			prop_assert_eq!(weights.to_bytes(), bytes);
		}
	}
}

#[test]
fn large_layers_run_on_threads_and_equal_the_reference() {
	let size = Size {
		layers: 6,
		channels: 160,
		side: 40,
	};
	for seed in 0..12 {
		let model = model(seed, size);
		if model.architecture().multiply_adds() > 200_000_000 {
			continue;
		}
		let input = input(seed, &model);
		let fast = FastModel::new(&model);
		assert_eq!(fast.evaluate(&input), model.evaluate(&input), "seed {seed}");
		assert_eq!(fast.trace(&input), model.trace(&input), "seed {seed}");
	}
}

#[test]
fn an_input_of_another_length_is_an_error() {
	let model = model(1, Size::SMALL);
	let expected = model.architecture().input_len() as usize;
	for found in [0, expected - 1, expected + 1] {
		let error = EvaluateError::WrongInputLength { found, expected };
		let input = vec![0; found];
		assert_eq!(model.evaluate(&input), Err(error));
		assert_eq!(model.trace(&input), Err(error));
		let fast = FastModel::new(&model);
		assert_eq!(fast.evaluate(&input), Err(error));
		assert_eq!(fast.trace(&input), Err(error));
	}
}

#[test]
fn random_models_have_every_operator() {
	let mut counts = std::collections::BTreeMap::new();
	for seed in 0..400 {
		for layer in model(seed, Size::MEDIUM).architecture().layers() {
			*counts.entry(layer.operator.name()).or_insert(0) += 1;
		}
	}
	assert_eq!(counts.len(), 15, "{counts:?}");
	assert!(counts.values().all(|count| *count >= 30), "{counts:?}");
}
