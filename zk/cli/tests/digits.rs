//! The committed digits model: its accuracy, and that importing it again gives the same bytes.

use opensand_nn::FastModel;
use opensand_zk_cli::{
	accuracy::Accuracy,
	calibrate::{calibrate, Method},
	dataset::Dataset,
	model_folder::{Hash, ModelFolder, ARCHITECTURE_FILE, MANIFEST_FILE, WEIGHTS_FILE},
	npy, onnx,
};
use std::{fs, path::PathBuf};

fn folder() -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/digits")
}

fn data(name: &str) -> Dataset {
	let array =
		|kind: &str| npy::read(&fs::read(folder().join(format!("{name}.{kind}.npy"))).unwrap()).unwrap();
	Dataset::new(&array("images"), Some(&array("labels")), 64).unwrap()
}

#[test]
fn importing_again_gives_the_same_bytes() {
	let bytes = fs::read(folder().join("digits.onnx")).unwrap();
	let float = onnx::read(&bytes).unwrap();
	let calibrated = calibrate(&float, &data("calibration"), Method::default(), &|| ()).unwrap();
	let fast = FastModel::new(&calibrated.model);
	let measure = |data: &Dataset| Accuracy::measure(&float, &fast, calibrated.input_scale(), data, &|| ());
	let (calibration, held_out) = (measure(&data("calibration")), measure(&data("heldout")));
	let again = tempfile::tempdir().unwrap();
	ModelFolder::new(calibrated, Hash::of(&bytes), calibration, Some(held_out))
		.write(again.path())
		.unwrap();
	for file in [ARCHITECTURE_FILE, WEIGHTS_FILE, MANIFEST_FILE] {
		assert_eq!(
			fs::read(again.path().join(file)).unwrap(),
			fs::read(folder().join(file)).unwrap(),
			"{file}"
		);
	}
}

#[test]
fn the_integer_model_loses_at_most_a_point_on_held_out_images() {
	let float = onnx::read(&fs::read(folder().join("digits.onnx")).unwrap()).unwrap();
	let integer = ModelFolder::read(&folder()).unwrap();
	let fast = FastModel::new(&integer.model);
	let accuracy = Accuracy::measure(
		&float,
		&fast,
		integer.manifest.input_scale,
		&data("heldout"),
		&|| (),
	);
	assert_eq!(integer.manifest.held_out, Some(accuracy));
	assert_eq!(accuracy.images, 360);
	assert!(accuracy.float_correct.unwrap() >= 350, "{accuracy}");
	assert!(accuracy.drop_points().unwrap() <= 1.0, "{accuracy}");
}

#[test]
fn the_input_of_the_integer_model_is_the_pixels() {
	let integer = ModelFolder::read(&folder()).unwrap();
	assert_eq!(integer.manifest.input_scale, 1.0 / 16.0);
	let images = data("heldout");
	for image in images.images() {
		let integers = opensand_zk_cli::calibrate::quantise_all(image, integer.manifest.input_scale);
		let exact = image
			.iter()
			.zip(integers)
			.all(|(pixel, integer)| f32::from(integer) == pixel * 16.0);
		assert!(exact);
	}
}
