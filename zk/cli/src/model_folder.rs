//! A model on disk: a folder with `architecture.bin`, `weights.bin` and `model.json`.
//!
//! The two binary files are the encodings of `opensand-nn`, magic and version first; `model.json` has a version of its own,
//! their hashes, what the integers mean and how good the model is. It is written last, so a folder with a manifest
//! that fits is complete.

use crate::{
	accuracy::Accuracy,
	calibrate::Calibrated,
	files::{self, FileError},
};
use opensand_nn::{
	limits::{MAX_ARCHITECTURE_BYTES, MAX_ENCODED_WEIGHT_BYTES},
	Architecture, Model, ModelError, Weights,
};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Name of the architecture's file.
pub const ARCHITECTURE_FILE: &str = "architecture.bin";
/// Name of the weights' file.
pub const WEIGHTS_FILE: &str = "weights.bin";
/// Name of the manifest.
pub const MANIFEST_FILE: &str = "model.json";

/// The version of the manifest that this build writes and reads.
const VERSION: u32 = 1;

/// Bytes of a manifest at most.
const MAX_MANIFEST_BYTES: usize = 64 * 1024;

/// Why a folder is not a model.
#[derive(Debug, Error)]
pub enum ModelFolderError {
	/// A file cannot be read or written.
	#[error(transparent)]
	File(#[from] FileError),
	/// The manifest is not what `import` writes.
	#[error("{path} is not a model manifest ({source}); import the model again")]
	Manifest {
		/// The manifest.
		path: PathBuf,
		/// What is wrong.
		source: serde_json::Error,
	},
	/// The manifest has another version.
	#[error("{path} has version {found}, this build reads version {VERSION}; import the model again")]
	Version {
		/// The manifest.
		path: PathBuf,
		/// Its version.
		found: u32,
	},
	/// A scale is not a positive number.
	#[error("{path} has a scale that is not a positive number; import the model again")]
	Scale {
		/// The manifest.
		path: PathBuf,
	},
	/// A file is not the one that the manifest names.
	#[error("{path} has the hash {found}, the manifest says {expected}; import the model again or restore the file")]
	Hash {
		/// The file.
		path: PathBuf,
		/// Hash of its bytes.
		found: Hash,
		/// Hash in the manifest.
		expected: Hash,
	},
	/// A file is not a model, or the files do not fit each other.
	#[error("{path}: {source}")]
	Model {
		/// The file.
		path: PathBuf,
		/// What is wrong.
		source: ModelError,
	},
}

/// A BLAKE2-256 hash, in JSON and for people as hexadecimal with `0x`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash(pub [u8; 32]);

impl Hash {
	/// The hash of `bytes`.
	pub fn of(bytes: &[u8]) -> Self {
		Hash(sp_crypto_hashing::blake2_256(bytes))
	}
}

impl std::fmt::Display for Hash {
	fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		write!(formatter, "0x{}", hex::encode(self.0))
	}
}

impl std::fmt::Debug for Hash {
	fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		std::fmt::Display::fmt(self, formatter)
	}
}

impl std::str::FromStr for Hash {
	type Err = hex::FromHexError;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		let mut hash = [0; 32];
		hex::decode_to_slice(text.strip_prefix("0x").unwrap_or(text), &mut hash)?;
		Ok(Hash(hash))
	}
}

impl Serialize for Hash {
	fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.collect_str(self)
	}
}

impl<'de> Deserialize<'de> for Hash {
	fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		text.parse().map_err(serde::de::Error::custom)
	}
}

/// What `model.json` says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
	/// Version of the manifest.
	pub version: u32,
	/// Architecture id: the hash of `architecture.bin`.
	pub architecture: Hash,
	/// The hash of `weights.bin`.
	pub weights: Hash,
	/// Hash of the ONNX file that the model was imported from.
	pub onnx: Hash,
	/// The real value of one step of the input: an input `x` becomes `round(x / input_scale)`, half up, clamped to int8.
	pub input_scale: f64,
	/// The real value of one step of the output.
	pub output_scale: f64,
	/// Accuracy on the calibration images.
	pub calibration: Accuracy,
	/// Accuracy on held-out images, if there were some.
	pub held_out: Option<Accuracy>,
}

/// A model and its manifest.
#[derive(Clone, Debug)]
pub struct ModelFolder {
	/// The model.
	pub model: Model,
	/// Its manifest.
	pub manifest: Manifest,
}

impl ModelFolder {
	/// Puts a manifest to a calibrated model.
	pub fn new(
		calibrated: Calibrated,
		onnx: Hash,
		calibration: Accuracy,
		held_out: Option<Accuracy>,
	) -> Self {
		let manifest = Manifest {
			version: VERSION,
			architecture: Hash(calibrated.model.architecture().id()),
			weights: Hash(calibrated.model.weights().hash()),
			onnx,
			input_scale: calibrated.input_scale(),
			output_scale: calibrated.output_scale(),
			calibration,
			held_out,
		};
		Self {
			model: calibrated.model,
			manifest,
		}
	}

	/// Reads a folder and checks everything in it.
	pub fn read(folder: &Path) -> Result<Self, ModelFolderError> {
		let path = folder.join(MANIFEST_FILE);
		let manifest = read_manifest(&path)?;
		let architecture = folder.join(ARCHITECTURE_FILE);
		let bytes = read_hashed(&architecture, MAX_ARCHITECTURE_BYTES, manifest.architecture)?;
		let wrap = |path: &Path| {
			let path = path.to_path_buf();
			move |source| ModelFolderError::Model { path, source }
		};
		let decoded = Architecture::from_bytes(&bytes).map_err(wrap(&architecture))?;
		let weights = folder.join(WEIGHTS_FILE);
		let bytes = read_hashed(&weights, MAX_ENCODED_WEIGHT_BYTES, manifest.weights)?;
		let model = Weights::from_bytes(&bytes).and_then(|weights| Model::new(decoded, weights));
		Ok(Self {
			model: model.map_err(wrap(&weights))?,
			manifest,
		})
	}

	/// Writes the folder, the manifest last.
	pub fn write(&self, folder: &Path) -> Result<(), ModelFolderError> {
		files::create_folder(folder)?;
		files::write(
			&folder.join(ARCHITECTURE_FILE),
			&self.model.architecture().to_bytes(),
		)?;
		files::write(&folder.join(WEIGHTS_FILE), &self.model.weights().to_bytes())?;
		let path = folder.join(MANIFEST_FILE);
		let mut json =
			serde_json::to_vec_pretty(&self.manifest).map_err(|source| ModelFolderError::Manifest {
				path: path.clone(),
				source,
			})?;
		json.push(b'\n');
		Ok(files::write(&path, &json)?)
	}
}

fn read_manifest(path: &Path) -> Result<Manifest, ModelFolderError> {
	/// The one field that every version has.
	#[derive(Deserialize)]
	struct Versioned {
		version: u32,
	}
	let bytes = files::read(path, MAX_MANIFEST_BYTES)?;
	let malformed = |source| ModelFolderError::Manifest {
		path: path.into(),
		source,
	};
	let Versioned { version } = serde_json::from_slice(&bytes).map_err(malformed)?;
	if version != VERSION {
		return Err(ModelFolderError::Version {
			path: path.into(),
			found: version,
		});
	}
	let manifest: Manifest = serde_json::from_slice(&bytes).map_err(malformed)?;
	if [manifest.input_scale, manifest.output_scale]
		.iter()
		.any(|scale| !scale.is_normal() || *scale < 0.0)
	{
		return Err(ModelFolderError::Scale { path: path.into() });
	}
	Ok(manifest)
}

fn read_hashed(path: &Path, max: usize, expected: Hash) -> Result<Vec<u8>, ModelFolderError> {
	let bytes = files::read(path, max)?;
	let found = Hash::of(&bytes);
	if found != expected {
		return Err(ModelFolderError::Hash {
			path: path.into(),
			found,
			expected,
		});
	}
	Ok(bytes)
}
