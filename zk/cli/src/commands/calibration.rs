//! Options that commands around calibration share.

use super::input::dataset;
use crate::{
	calibrate::Method, dataset::Dataset, error::CliError, files, float::FloatModel, model_folder::Hash, onnx,
};
use clap::{Args, ValueEnum};
use std::path::{Path, PathBuf};

/// Names of the methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MethodName {
	/// The least squared error; the default, and nearly always the best.
	LeastSquares,
	/// The finest scale that covers every value.
	MinMax,
	/// The finest scale that covers --percentile of the values.
	Percentile,
}

/// How scales are chosen.
#[derive(Debug, Args)]
pub struct MethodOptions {
	/// How the scale of each tensor is chosen; a power of two with each method.
	#[arg(long, value_enum, default_value = "least-squares")]
	pub method: MethodName,
	/// What the method `percentile` covers, in percent of the values of a tensor.
	#[arg(long, value_name = "PERCENT", default_value_t = 99.9, value_parser = percentage)]
	pub percentile: f64,
}

impl MethodOptions {
	/// The method named.
	pub fn method(&self) -> Method {
		match self.method {
			MethodName::LeastSquares => Method::LeastSquares,
			MethodName::MinMax => Method::MinMax,
			MethodName::Percentile => Method::Percentile(self.percentile),
		}
	}
}

fn percentage(text: &str) -> Result<f64, String> {
	match text.parse() {
		Ok(percentage) if percentage > 0.0 && percentage <= 100.0 => Ok(percentage),
		_ => Err("give a number above 0 and at most 100".into()),
	}
}

/// A model and the images that say what its values are like.
#[derive(Debug, Args)]
pub struct CalibrationData {
	/// The model: ONNX with float weights and a batch of 1, or quantised (QDQ).
	#[arg(value_name = "ONNX")]
	pub onnx: PathBuf,
	/// Images to calibrate on; a few hundred typical ones.
	#[arg(long, value_name = "NPY")]
	pub calibration: PathBuf,
	/// Classes of the calibration images.
	#[arg(long, value_name = "NPY")]
	pub calibration_labels: Option<PathBuf>,
	/// Images that were neither trained nor calibrated on.
	#[arg(long, value_name = "NPY")]
	pub held_out: Option<PathBuf>,
	/// Classes of the held-out images.
	#[arg(long, value_name = "NPY", requires = "held_out")]
	pub held_out_labels: Option<PathBuf>,
}

/// What [`CalibrationData`] names.
pub struct Loaded {
	/// Hash of the ONNX file.
	pub onnx: Hash,
	/// The model.
	pub float: FloatModel,
	/// Images to calibrate on.
	pub calibration: Dataset,
	/// Images to state the accuracy on.
	pub held_out: Option<Dataset>,
}

impl CalibrationData {
	/// Reads all files.
	pub fn read(&self) -> Result<Loaded, CliError> {
		let (onnx, float) = read_onnx(&self.onnx)?;
		let input_len = float.input().elements() as usize;
		let calibration = dataset(&self.calibration, self.calibration_labels.as_deref(), input_len)?;
		let held_out = self
			.held_out
			.as_deref()
			.map(|images| dataset(images, self.held_out_labels.as_deref(), input_len));
		Ok(Loaded {
			onnx,
			float,
			calibration,
			held_out: held_out.transpose()?,
		})
	}
}

/// Reads an ONNX file; returns its hash and the model.
pub fn read_onnx(path: &Path) -> Result<(Hash, FloatModel), CliError> {
	let bytes = files::read(path, onnx::MAX_ONNX_BYTES)?;
	let float = onnx::read(&bytes).map_err(|source| CliError::Onnx {
		path: path.into(),
		source,
	})?;
	Ok((Hash::of(&bytes), float))
}
