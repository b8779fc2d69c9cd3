//! What a command can fail with, and the exit code that says so.

use crate::{
	calibrate::CalibrateError, dataset::DatasetError, files::FileError, model_folder::ModelFolderError,
	npy::NpyError, onnx::OnnxError,
};
use opensand_nn::{EvaluateError, ModelError};
use std::path::PathBuf;
use thiserror::Error;

/// A check did not hold: a proof is not valid, a circuit not satisfied, or the integer model lost too much accuracy.
pub const EXIT_FAILED: u8 = 1;
/// The command line is wrong.
pub const EXIT_USAGE: u8 = 2;
/// A file is not what it should be, or files do not fit each other.
pub const EXIT_BAD_INPUT: u8 = 3;
/// The model asks for something that is not supported.
pub const EXIT_UNSUPPORTED: u8 = 4;
/// A file cannot be read or written.
pub const EXIT_FILE: u8 = 5;

/// Why a command failed. Messages name cause and remedy.
#[derive(Debug, Error)]
pub enum CliError {
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// A model folder cannot be used.
	#[error(transparent)]
	ModelFolder(#[from] ModelFolderError),
	/// An ONNX file cannot be imported.
	#[error("{path}: {source}")]
	Onnx {
		/// The file.
		path: PathBuf,
		/// Why.
		source: OnnxError,
	},
	/// A float model cannot be calibrated.
	#[error("cannot calibrate: {0}")]
	Calibrate(#[from] CalibrateError),
	/// The integer model is worse than allowed. Nothing was written.
	#[error(
		"the integer model loses {lost:.2} points of accuracy on the {data} images, at most {allowed:.2} are allowed (--max-drop); \
		 give more, or more typical, calibration images, or train with smaller weights. Nothing was written"
	)]
	Accuracy {
		/// "calibration" or "held-out".
		data: &'static str,
		/// Percentage points lost.
		lost: f64,
		/// Percentage points allowed.
		allowed: f64,
	},
	/// An array cannot be read.
	#[error("{path}: {source}")]
	Npy {
		/// The file.
		path: PathBuf,
		/// Why.
		source: NpyError,
	},
	/// Arrays are not a data set for the model.
	#[error("{path}: {source}")]
	Dataset {
		/// The file with the images.
		path: PathBuf,
		/// Why.
		source: DatasetError,
	},
	/// There is no such image.
	#[error("{path} has {images} images, so --index can be 0 to {last}; it is {index}")]
	NoSuchImage {
		/// The file.
		path: PathBuf,
		/// Images in it.
		images: usize,
		/// The last one.
		last: usize,
		/// The one asked for.
		index: usize,
	},
	/// A file is neither a model nor anything else that is known.
	#[error(
		"{path} is not recognised; known are model folders, architectures, weights, verifying keys, proofs, and ONNX files \
		 (as `.onnx`)"
	)]
	Unrecognised {
		/// The file.
		path: PathBuf,
	},
	/// A model file cannot be decoded.
	#[error("{path}: {source}")]
	Model {
		/// The file.
		path: PathBuf,
		/// Why.
		source: ModelError,
	},
	/// The model cannot be evaluated on the input.
	#[error("cannot evaluate: {0}")]
	Evaluate(#[from] EvaluateError),
}

impl CliError {
	/// The exit code that says what kind of failure this is.
	pub fn exit_code(&self) -> u8 {
		match self {
			CliError::File(_) | CliError::ModelFolder(ModelFolderError::File(_)) => EXIT_FILE,
			CliError::Accuracy { .. } => EXIT_FAILED,
			CliError::Onnx { source, .. } => match source {
				OnnxError::UnsupportedOpset { .. }
				| OnnxError::UnsupportedOperator { .. }
				| OnnxError::UnsupportedForm { .. }
				| OnnxError::Layer { .. }
				| OnnxError::Model(_) => EXIT_UNSUPPORTED,
				_ => EXIT_BAD_INPUT,
			},
			_ => EXIT_BAD_INPUT,
		}
	}
}
