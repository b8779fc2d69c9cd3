//! The committed convolutional models and the transformer: that importing them again gives the same bytes, and what they lose.

use opensand_nn::FastModel;
use opensand_zk_cli::{
	accuracy::Accuracy,
	calibrate::{calibrate, Method},
	dataset::Dataset,
	float::FloatModel,
	model_folder::{Hash, ModelFolder, ARCHITECTURE_FILE, MANIFEST_FILE, WEIGHTS_FILE},
	npy, onnx,
};
use std::{fs, path::PathBuf};

fn folder(name: &str) -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR"))
		.join("../models")
		.join(name)
}

fn data(name: &str, part: &str, float: &FloatModel) -> Dataset {
	let array =
		|kind: &str| npy::read(&fs::read(folder(name).join(format!("{part}.{kind}.npy"))).unwrap()).unwrap();
	let len = float.input().elements() as usize;
	Dataset::new(&array("images"), Some(&array("labels")), len).unwrap()
}

/// Imports a model again, compares every byte, and returns both models' accuracy on held-out images.
fn import_again(name: &str) -> (FloatModel, ModelFolder, Accuracy) {
	let bytes = fs::read(folder(name).join(format!("{name}.onnx"))).unwrap();
	let float = onnx::read(&bytes).unwrap();
	let (images, held_out) = (data(name, "calibration", &float), data(name, "heldout", &float));
	let calibrated = calibrate(&float, &images, Method::default(), &|| ()).unwrap();
	let fast = FastModel::new(&calibrated.model);
	let measure = |data: &Dataset| Accuracy::measure(&float, &fast, calibrated.input_scale(), data, &|| ());
	let (on_calibration, on_held_out) = (measure(&images), measure(&held_out));
	let again = tempfile::tempdir().unwrap();
	let model = ModelFolder::new(calibrated, Hash::of(&bytes), on_calibration, Some(on_held_out));
	model.write(again.path()).unwrap();
	for file in [ARCHITECTURE_FILE, WEIGHTS_FILE, MANIFEST_FILE] {
		assert_eq!(
			fs::read(again.path().join(file)).unwrap(),
			fs::read(folder(name).join(file)).unwrap(),
			"{name}: {file}"
		);
	}
	(float, model, on_held_out)
}

/// The integer model loses at most a point on 360 held-out images, and the pixels are its input.
fn check(name: &str) -> (FloatModel, ModelFolder) {
	let (float, model, accuracy) = import_again(name);
	assert_eq!(accuracy.images, 360);
	assert!(accuracy.float_correct.unwrap() >= 350, "{accuracy}");
	assert!(accuracy.drop_points().unwrap() <= 1.0, "{accuracy}");
	assert_eq!(model.manifest.input_scale, 1.0);
	(float, model)
}

#[test]
fn lenet5() {
	let (float, model) = check("lenet5");
	assert_eq!(float.parameters(), 61_706);
	let layers = model.model.architecture().layers();
	let operators: Vec<_> = layers.iter().map(|layer| layer.operator.name()).collect();
	// The division of the pixels is in the weights of the first layer.
	assert_eq!(
		operators,
		["Conv2d", "MaxPool", "Conv2d", "MaxPool", "Reshape", "Linear", "Linear", "Linear"]
	);
}

#[test]
fn residual() {
	let (_, model) = check("residual");
	let layers = model.model.architecture().layers();
	let count = |name| {
		layers
			.iter()
			.filter(|layer| layer.operator.name() == name)
			.count()
	};
	// Every batch normalisation is in the convolution before it.
	assert_eq!(
		(count("Conv2d"), count("Add"), count("AvgPool"), count("Linear")),
		(9, 3, 1, 1)
	);
	assert_eq!(layers.len(), 14);
}

#[test]
fn transformer() {
	let (float, model) = check("transformer");
	// The embedding's 256 weights are there once a token, and its 64 biases are among the 1,024 of the positions.
	assert_eq!(float.parameters(), 69_066 + 15 * 256 - 64);
	let layers = model.model.architecture().layers();
	let count = |name| {
		layers
			.iter()
			.filter(|layer| layer.operator.name() == name)
			.count()
	};
	// Embedding and positions are one layer; each encoder layer has four Linears for attention and two behind it.
	assert_eq!(
		(
			count("Conv2d"),
			count("MatMul"),
			count("Softmax"),
			count("LayerNormalization")
		),
		(1 + 2 * 6, 4, 2, 5)
	);
	assert_eq!((count("Add"), count("AvgPool"), count("Linear")), (4, 1, 1));
}
