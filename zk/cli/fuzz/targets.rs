//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use opensand_nn::FastModel;
use opensand_zk_cli::{
	calibrate::{calibrate, quantise_all, Method},
	dataset::Dataset,
	model_folder::{ModelFolder, MANIFEST_FILE},
	npy::{self, Array},
	onnx,
	statement::StatementFile,
};

/// The most multiply-additions that a fuzzed model is evaluated with.
const MAX_WORK: u64 = 1 << 18;

/// What can be read can be calibrated or is refused, and what is calibrated can be evaluated.
pub fn onnx(bytes: &[u8]) {
	let Ok(model) = onnx::read(bytes) else {
		return;
	};
	if model.multiply_adds > MAX_WORK {
		return;
	}
	let len = model.input().elements() as usize;
	let values = (0..2 * len).map(|index| (index % 7) as f64 - 3.0).collect();
	let images = Array {
		shape: vec![2, len],
		values,
	};
	let images = Dataset::new(&images, None, len).expect("the images have the model's size");
	let Ok(calibrated) = calibrate(&model, &images, Method::default(), &|| ()) else {
		return;
	};
	let fast = FastModel::new(&calibrated.model);
	for image in images.images() {
		let input = quantise_all(image, calibrated.input_scale());
		assert_eq!(fast.evaluate(&input), calibrated.model.evaluate(&input));
	}
}

/// An array has as many elements as its shape says.
pub fn npy(bytes: &[u8]) {
	if let Ok(array) = npy::read(bytes) {
		assert_eq!(array.shape.iter().product::<usize>(), array.values.len());
		let _ = array.labels();
		let _ = Dataset::new(&array, None, 4);
	}
}

/// A statement that can be read is written as one that reads the same.
pub fn statement(bytes: &[u8]) {
	if let Ok(statement) = StatementFile::parse(bytes) {
		let json = serde_json::to_vec(&StatementFile::from(&statement)).expect("a statement has a JSON form");
		assert_eq!(StatementFile::parse(&json), Ok(statement));
	}
}

/// Any manifest is an error where the files it names are missing.
pub fn manifest(bytes: &[u8]) {
	let folder = tempfile::tempdir().expect("a temporary folder can be made");
	std::fs::write(folder.path().join(MANIFEST_FILE), bytes).expect("a temporary file can be written");
	assert!(ModelFolder::read(folder.path()).is_err());
}
