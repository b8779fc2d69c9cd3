//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use opensand_nn::{Architecture, EvaluateError, FastModel, LayerWeights, Model, Weights};

/// The most multiply-additions that a fuzzed model is evaluated with.
const MAX_WORK: u64 = 1 << 18;

/// An architecture has one encoding.
pub fn architecture(bytes: &[u8]) {
	if let Ok(architecture) = Architecture::from_bytes(bytes) {
		assert_eq!(architecture.to_bytes(), bytes);
	}
}

/// Weights have one encoding.
pub fn weights(bytes: &[u8]) {
	if let Ok(weights) = Weights::from_bytes(bytes) {
		assert_eq!(weights.to_bytes(), bytes);
	}
}

/// A model computes the same on both paths and keeps to its bounds: the length of an architecture (u16), the
/// architecture, then bytes for weights, biases and input, again and again.
pub fn model(bytes: &[u8]) {
	let Some((len, rest)) = bytes.split_first_chunk::<2>() else {
		return;
	};
	let Some((architecture, rest)) = rest.split_at_checked(u16::from_le_bytes(*len).into()) else {
		return;
	};
	let Ok(architecture) = Architecture::from_bytes(architecture) else {
		return;
	};
	if architecture.multiply_adds() > MAX_WORK {
		return;
	}
	let mut values = rest.iter().chain(&[0]).cycle().map(|byte| byte.cast_signed());
	let layers = architecture
		.weight_counts()
		.zip(architecture.bias_counts())
		.filter_map(|(count, biases)| {
			let weights = values.by_ref().take(count? as usize).collect();
			let biases = values.by_ref().take(biases as usize);
			let biases = biases.map(|value| i32::from(value) << 20).collect();
			Some(LayerWeights { weights, biases })
		});
	let layers = layers.collect();
	let weights = Weights::new(layers).expect("an architecture's weights are within the limits");
	let input: Vec<i8> = values.take(architecture.input_len() as usize).collect();
	let Ok(model) = Model::new(architecture, weights) else {
		return;
	};
	let fast = FastModel::new(&model);
	let (output, trace) = (fast.evaluate(&input), model.trace(&input));
	assert_eq!(fast.trace(&input), trace);
	let trace = match trace {
		Ok(trace) => trace,
		Err(error) => {
			assert!(matches!(error, EvaluateError::UnknownToken { .. }));
			return assert_eq!(output, Err(error));
		}
	};
	assert_eq!(output.as_deref(), Ok(trace.output()));
	for (index, layer) in trace.layers.iter().enumerate() {
		let plane = model.architecture().shapes()[index + 1].plane() as usize;
		for (accumulators, bounds) in layer
			.accumulators
			.chunks(plane)
			.zip(model.accumulator_bounds(index))
		{
			assert!(accumulators
				.iter()
				.all(|accumulator| bounds.contains(*accumulator)));
		}
	}
}
