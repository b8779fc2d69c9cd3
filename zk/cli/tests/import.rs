//! Imported models against ONNX Runtime, whose outputs `fixtures/make.py` recorded.

use opensand_nn::{FastModel, Operator};
use opensand_zk_cli::{
	accuracy::{class, Accuracy},
	calibrate::{calibrate, quantise_all, Method},
	dataset::Dataset,
	float::FloatModel,
	npy::{self, Array},
	onnx,
};
use std::{
	fs,
	path::Path,
	sync::atomic::{AtomicU64, Ordering},
};

fn fixture(name: &str) -> Vec<u8> {
	fs::read(
		Path::new(env!("CARGO_MANIFEST_DIR"))
			.join("tests/fixtures")
			.join(name),
	)
	.unwrap()
}

fn array(name: &str) -> Array {
	npy::read(&fixture(name)).unwrap()
}

/// A model, its images and ONNX Runtime's outputs.
fn load(name: &str) -> (FloatModel, Dataset, Array) {
	let model = onnx::read(&fixture(&format!("{name}.onnx"))).unwrap();
	let images = array(&format!("{name}.images.npy"));
	let data = Dataset::new(&images, None, model.input().elements() as usize).unwrap();
	(model, data, array(&format!("{name}.outputs.npy")))
}

fn equals_onnx_runtime(name: &str) {
	let (model, data, outputs) = load(name);
	let len = outputs.shape[1];
	assert_eq!(data.len(), outputs.shape[0]);
	for (image, expected) in data.images().iter().zip(outputs.values.chunks(len)) {
		let output = model.evaluate(image);
		assert_eq!(output.len(), len);
		for (found, expected) in output.iter().zip(expected) {
			assert!(
				(f64::from(*found) - expected).abs() < 1e-4,
				"{name}: {found} for {expected}"
			);
		}
	}
}

/// The root of the mean squared error of the integer model's outputs, over that of the float model's values.
fn relative_error(name: &str) -> f64 {
	let (model, data, outputs) = load(name);
	let evaluations = AtomicU64::new(0);
	let calibrated = calibrate(&model, &data, Method::default(), &|| {
		evaluations.fetch_add(1, Ordering::Relaxed);
	})
	.unwrap();
	assert_eq!(evaluations.into_inner(), 2 * data.len() as u64);
	let fast = FastModel::new(&calibrated.model);
	let mut error = 0.0;
	let mut power = 0.0;
	for (image, expected) in data.images().iter().zip(outputs.values.chunks(outputs.shape[1])) {
		let integers = quantise_all(image, calibrated.input_scale());
		let output = fast.evaluate(&integers).unwrap();
		assert_eq!(output, calibrated.model.evaluate(&integers).unwrap());
		for (found, expected) in output.iter().zip(expected) {
			error += (f64::from(*found) * calibrated.output_scale() - expected).powi(2);
			power += expected.powi(2);
		}
	}
	(error / power).sqrt()
}

#[test]
fn float_models_equal_onnx_runtime() {
	equals_onnx_runtime("residual");
	equals_onnx_runtime("lenet");
}

#[test]
fn integer_models_stay_close_to_float() {
	for (name, limit) in [("residual", 0.05), ("lenet", 0.05)] {
		let error = relative_error(name);
		assert!(error < limit, "{name}: relative error {error}");
	}
}

#[test]
fn layers_are_fused_where_nothing_else_reads() {
	let (residual, _, _) = load("residual");
	let layers: Vec<_> = residual
		.layers
		.iter()
		.map(|layer| (layer.name.as_str(), layer.operator.skeleton().name(), layer.relu))
		.collect();
	assert_eq!(
		layers,
		[
			("stem", "Conv2d", true),
			("pool", "MaxPool", false),
			("grouped", "Conv2d", false),
			("gate", "Lut", false),
			("projection", "Conv2d", false),
			("residual", "Add", true),
			("shortcut", "Add", false),
			("average", "AvgPool", false),
			("wide", "Conv2d", false),
			("global", "AvgPool", false),
			("head", "Linear", false),
		]
	);
	let (lenet, _, _) = load("lenet");
	assert_eq!(lenet.layers.len(), 9);
	assert!(
		lenet.layers[7].relu
			&& lenet.layers[7]
				.operator
				.parameters()
				.unwrap()
				.biases
				.iter()
				.any(|bias| *bias != 0.0)
	);
}

#[test]
fn scales_of_sums_meet_in_the_multipliers() {
	let (model, data, _) = load("residual");
	let calibrated = calibrate(&model, &data, Method::default(), &|| ()).unwrap();
	for (index, layer) in calibrated.model.architecture().layers().iter().enumerate() {
		let Operator::Add(add) = &layer.operator else {
			continue;
		};
		let to = calibrated.scales[index + 1] / 2f64.powi(add.shift.into());
		for (operand, multiplier) in [layer.input, add.other].into_iter().zip(add.multipliers) {
			let exact = calibrated.scales[usize::from(operand)] / to;
			assert!((f64::from(multiplier) / exact - 1.0).abs() < 1.0 / 512.0);
		}
	}
}

#[test]
fn accuracy_counts_right_answers_and_agreement() {
	let (model, data, outputs) = load("lenet");
	let calibrated = calibrate(&model, &data, Method::default(), &|| ()).unwrap();
	let fast = FastModel::new(&calibrated.model);
	// Label every image with the float model's answer but the first, which gets a wrong one.
	let mut labels: Vec<f64> = outputs
		.values
		.chunks(10)
		.map(|logits| class(logits) as f64)
		.collect();
	labels[0] = (labels[0] + 1.0) % 10.0;
	let labels = Array {
		shape: vec![labels.len()],
		values: labels,
	};
	let images = array("lenet.images.npy");
	let labelled = Dataset::new(&images, Some(&labels), 144).unwrap();
	let accuracy = Accuracy::measure(&model, &fast, calibrated.input_scale(), &labelled, &|| ());
	assert_eq!(accuracy.images, 24);
	assert_eq!(accuracy.float_correct, Some(23));
	assert!(accuracy.agree >= 22);
	let unlabelled = Accuracy::measure(&model, &fast, calibrated.input_scale(), &data, &|| ());
	assert_eq!(
		unlabelled,
		Accuracy {
			float_correct: None,
			integer_correct: None,
			..accuracy
		}
	);
	assert_eq!(unlabelled.drop_points(), None);
}
