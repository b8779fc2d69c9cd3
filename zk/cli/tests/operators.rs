//! Each operator and pattern against ONNX Runtime, in float and in integers: models of `fixtures/make.py`.

use opensand_nn::{FastModel, Operator};
use opensand_zk_circuit::InferenceCircuit;
use opensand_zk_cli::{
	calibrate::{calibrate, quantise_all, Calibrated, Method},
	dataset::Dataset,
	float::FloatModel,
	npy::{self, Array},
	onnx,
};
use opensand_zk_verifier::{Binding, InputVisibility};
use std::{fs, path::PathBuf, sync::Arc};

/// Operators that move or choose integers and round nothing.
const EXACT: [&str; 11] = [
	"clip_from_zero",
	"concat",
	"concat_of_concat",
	"concat_vectors",
	"max_pool_signal",
	"relu",
	"squeeze",
	"squeeze_of_opset_11",
	"transpose",
	"transpose_of_one_channel",
	"transpose_signal",
];

fn folder(name: &str) -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR"))
		.join("tests/fixtures")
		.join(name)
}

struct Fixture {
	name: String,
	float: FloatModel,
	data: Dataset,
	/// ONNX Runtime's outputs.
	outputs: Array,
	calibrated: Calibrated,
}

impl Fixture {
	fn load(path: &str, name: &str) -> Self {
		let file = |kind: &str| fs::read(folder(path).join(format!("{name}.{kind}"))).unwrap();
		let float = onnx::read(&file("onnx")).unwrap_or_else(|error| panic!("{name}: {error}"));
		let images = npy::read(&file("images.npy")).unwrap();
		let data = Dataset::new(&images, None, float.input().elements() as usize).unwrap();
		let calibrated = calibrate(&float, &data, Method::default(), &|| ()).unwrap();
		Self {
			name: name.into(),
			outputs: npy::read(&file("outputs.npy")).unwrap(),
			float,
			data,
			calibrated,
		}
	}

	fn pairs(&self) -> impl Iterator<Item = (&[f32], &[f64])> {
		let images = self.data.images().into_iter();
		assert_eq!(images.len(), self.outputs.shape[0]);
		images.zip(self.outputs.values.chunks(self.outputs.shape[1]))
	}

	/// The float model's outputs equal ONNX Runtime's.
	fn check_float(&self, tolerance: f64) {
		for (image, expected) in self.pairs() {
			let output = self.float.evaluate(image);
			assert_eq!(output.len(), expected.len(), "{}", self.name);
			for (found, expected) in output.iter().zip(expected) {
				let distance = (f64::from(*found) - expected).abs();
				assert!(
					distance <= tolerance * expected.abs().max(1.0),
					"{}: {found} for {expected}",
					self.name
				);
			}
		}
	}

	/// The integer model's outputs are ONNX Runtime's within `steps` of the output's scale, where int8 reaches; both paths
	/// agree, and the circuit is satisfied.
	fn check_integers(&self, steps: f64) {
		let Calibrated { model, .. } = &self.calibrated;
		let scale = self.calibrated.output_scale();
		let fast = FastModel::new(model);
		for (image, expected) in self.pairs() {
			let input = quantise_all(image, self.calibrated.input_scale());
			let output = fast.evaluate(&input).unwrap();
			assert_eq!(output, model.evaluate(&input).unwrap());
			for (found, expected) in output.iter().zip(expected) {
				let expected = (expected / scale).clamp(-128.0, 127.0);
				let distance = (f64::from(*found) - expected).abs();
				// ONNX Runtime computes in float32.
				assert!(
					distance <= steps + 1e-3,
					"{}: {found} steps for {expected} of {scale}",
					self.name
				);
			}
		}
		let circuit = InferenceCircuit::new(Arc::new(model.clone()), InputVisibility::Public).unwrap();
		let binding = Binding {
			genesis: [1; 32],
			key: [2; 32],
			model: [3; 32],
			request: 4,
			worker: [5; 32],
		};
		let input = quantise_all(self.data.image(0).unwrap(), self.calibrated.input_scale());
		let execution = circuit.execute(binding, &input, [0; 32]).unwrap();
		assert_eq!(circuit.mock(&execution), Ok(()), "{}", self.name);
	}

	/// Names of the integer operators in order.
	fn operators(&self) -> Vec<&'static str> {
		let layers = self.calibrated.model.architecture().layers();
		layers.iter().map(|layer| layer.operator.name()).collect()
	}
}

fn names() -> Vec<String> {
	let files = fs::read_dir(folder("operators")).unwrap();
	let names =
		files.filter_map(|file| Some(file.unwrap().file_name().to_str()?.strip_suffix(".onnx")?.into()));
	let mut names: Vec<String> = names.collect();
	names.sort();
	names
}

#[test]
fn operators_equal_onnx_runtime() {
	let names = names();
	assert_eq!(names.len(), 66, "{names:?}");
	for name in &names {
		let fixture = Fixture::load("operators", name);
		fixture.check_float(1e-5);
		fixture.check_integers(match name.as_str() {
			exact if EXACT.contains(&exact) => 0.0,
			// Its output's scale is 6/127, so the weights are not on their grid: half of 1/32 for each of three of 127.
			"clip_behind_conv" => 0.5 + 3.0 * 127.0 / 64.0,
			_ => 1.0,
		});
	}
}

/// Transposes between layers over the last axis cancel, and biases, scales and ReLUs go into the layers.
#[test]
fn layers_over_the_last_axis_are_as_few_as_can_be() {
	let operators = |name: &str| Fixture::load("operators", name).operators();
	assert_eq!(
		operators("linear_of_tokens"),
		["Transpose", "Conv2d", "Transpose"]
	);
	assert_eq!(operators("linear_of_heads"), ["Transpose", "Conv2d", "Transpose"]);
	assert_eq!(
		operators("linears_of_tokens"),
		[
			"Transpose",
			"Conv2d",
			"Conv2d",
			"Transpose",
			"Conv2d",
			"Transpose",
			"Add"
		]
	);
	assert_eq!(
		operators("linear_with_positions"),
		["Reshape", "Conv2d", "Reshape"]
	);
	assert_eq!(operators("matmul_of_heads"), ["Transpose", "MatMul"]);
	assert_eq!(operators("softmax"), ["Softmax"]);
	assert_eq!(operators("layer_normalization"), ["LayerNormalization"]);
	assert_eq!(operators("mean_of_tokens"), ["Transpose", "AvgPool"]);
	assert_eq!(operators("embedding"), ["Embedding", "Relu"]);
	let embedding = Fixture::load("operators", "embedding").calibrated;
	assert_eq!(embedding.input_scale(), 1.0);
	assert!(embedding.model.evaluate(&[0, 1, 2, 3, 11]).is_err());
}

#[test]
fn functions_and_scales_become_one_layer() {
	let one_layer = [
		("batch_normalization_behind_conv", "Conv2d"),
		("batch_normalization_before_conv", "Conv2d"),
		("clip_behind_conv", "Conv2d"),
		("conv_dilated", "DilatedConv2d"),
		("conv_signal", "DilatedConv2d"),
		("gelu", "Lut"),
		("gelu_of_erf", "Lut"),
		("gelu_of_erf_halved_first", "Lut"),
		("hard_swish_of_clip", "Lut"),
		("hard_swish_of_hard_sigmoid", "Lut"),
		("quick_gelu", "Lut"),
		("silu", "Lut"),
		("clip_from_zero", "Relu"),
	];
	for (name, operator) in one_layer {
		assert_eq!(Fixture::load("operators", name).operators(), [operator], "{name}");
	}
	// A summand is missing where a window reaches into the padding, so this scale stays.
	let padded = Fixture::load("operators", "batch_normalization_before_padding");
	assert_eq!(padded.operators(), ["Conv2d", "Conv2d"]);
	// The normalisation of pixels passes the Flatten and goes into the weights.
	let dense = Fixture::load("operators", "normalised_dense");
	assert_eq!(dense.operators(), ["Reshape", "Linear"]);
	// The axis that moves has length one.
	let column = Fixture::load("operators", "transpose_of_one_channel");
	assert_eq!(column.operators(), ["Reshape", "Relu"]);
}

#[test]
fn a_clip_from_zero_is_the_clamp_to_int8() {
	let fixture = Fixture::load("operators", "clip_behind_conv");
	assert_eq!(fixture.calibrated.output_scale(), 6.0 / 127.0);
	let layers = fixture.calibrated.model.architecture().layers();
	let Operator::Conv2d(conv) = &layers[0].operator else {
		panic!("{layers:?}");
	};
	assert_eq!(conv.activation, opensand_nn::Activation::Relu);
	assert!(fixture.outputs.values.contains(&6.0));
}

/// Operands whose scales cannot be one are brought to it by a layer of their own.
#[test]
fn operands_of_a_concat_get_one_scale() {
	let fixture = Fixture::load("operators", "concat_of_concat");
	assert_eq!(fixture.operators(), ["MaxPool", "Concat", "Relu", "Concat"]);
	assert!(fixture.calibrated.scales.iter().all(|scale| *scale == 1.0 / 16.0));
	assert_eq!(fixture.calibrated.sources, [0, 1, 2, 3, 4]);
}

#[test]
fn quantised_models_keep_their_answers() {
	for name in ["int8", "uint8"] {
		let fixture = Fixture::load("quantised", name);
		let grid = fixture.float.quantisations.last().unwrap().unwrap();
		// Where a sum in another order falls on the other side of a tie, the outputs differ by a step.
		fixture.check_float(1.01 * f64::from(grid.scale));
		// Every grid lies among the powers of two of its neighbourhood.
		for (tensor, scale) in fixture.calibrated.sources.iter().zip(&fixture.calibrated.scales) {
			let Some(grid) = fixture.float.quantisations[*tensor] else {
				continue;
			};
			let (first, last) = grid.range();
			let covering = last.max(-first * 127.0 / 128.0) / 127.0;
			assert!(
				*scale >= covering / 2.0 && *scale < covering * 2.0,
				"{name}: {scale} for {covering}"
			);
		}
		// The quantiser left out both ReLUs and began the grids at zero instead.
		let rectified = fixture.float.layers.iter().filter(|layer| layer.relu);
		assert_eq!(rectified.count(), 2, "{name}");
		let fast = FastModel::new(&fixture.calibrated.model);
		let (mut error, mut power) = (0.0, 0.0);
		for (image, expected) in fixture.pairs() {
			let input = quantise_all(image, fixture.calibrated.input_scale());
			for (found, expected) in fast.evaluate(&input).unwrap().iter().zip(expected) {
				error += (f64::from(*found) * fixture.calibrated.output_scale() - expected).powi(2);
				power += expected.powi(2);
			}
		}
		let error = (error / power).sqrt();
		assert!(error < 0.06, "{name}: relative error {error}");
	}
}

#[test]
fn every_method_chooses_scales_of_its_own() {
	let fixture = Fixture::load("operators", "conv_dilated");
	let with = |method| calibrate(&fixture.float, &fixture.data, method, &|| ()).unwrap();
	let greatest = fixture
		.data
		.images()
		.iter()
		.flat_map(|image| fixture.float.evaluate(image))
		.fold(0f32, |max, x| max.max(x.abs()));
	let covering = 2f64.powi((f64::from(greatest) / 127.0).log2().ceil() as i32);
	let min_max = with(Method::MinMax);
	assert_eq!(min_max.output_scale(), covering);
	assert_eq!(with(Method::Percentile(100.0)).scales, min_max.scales);
	// Half of the values lie below a quarter of the greatest.
	assert!(with(Method::Percentile(50.0)).output_scale() <= covering / 2.0);
	let losses = |calibrated: &Calibrated| {
		let losses = calibrated.losses(&fixture.float, &fixture.data, &|| ()).unwrap();
		assert_eq!(losses.len(), 1);
		assert_eq!(
			(losses[0].operator, losses[0].shifts.is_some()),
			("DilatedConv2d", true)
		);
		losses[0].clone()
	};
	let (squares, covered) = (losses(&fixture.calibrated), losses(&min_max));
	assert_eq!(covered.saturated, 0.0);
	assert!(squares.signal_to_noise.unwrap() >= covered.signal_to_noise.unwrap());
	assert!(losses(&with(Method::Percentile(50.0))).saturated > 10.0);
}
