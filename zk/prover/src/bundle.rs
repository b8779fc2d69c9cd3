//! A model and its keys in one directory.
//!
//! `<root>/<key id in hex>/` holds `architecture.bin`, `weights.bin`, `proving.key`, `verifying.key` and `bundle.json`, which
//! names the rest with lengths and checksums. Where weights are committed to, the manifest has the declared widths, and
//! `opening.bin` the mask, from which with the weights all words follow.

use crate::{
	folder::{self, Access, Files},
	key::{ProvingKey, ProvingKeyError},
	weights::{CommittedWeights, Mask},
};
use opensand_nn::{Architecture, Model, ModelError, Weights};
use opensand_zk_circuit::{CircuitError, DeclaredWidths, LayerWidths};
use opensand_zk_verifier::{InputVisibility, KeyOrigin};
use serde::{Deserialize, Serialize};
use std::{
	io,
	path::{Path, PathBuf},
	sync::Arc,
};
use thiserror::Error;
use zeroize::Zeroizing;

/// Name of the encoded architecture.
pub const ARCHITECTURE_FILE: &str = "architecture.bin";
/// Name of the encoded weights.
pub const WEIGHTS_FILE: &str = "weights.bin";
/// Name of the proving key.
pub const PROVING_KEY_FILE: &str = "proving.key";
/// Name of the verifying key.
pub const VERIFYING_KEY_FILE: &str = "verifying.key";
/// Name of the mask of committed weights.
pub const OPENING_FILE: &str = "opening.bin";
/// Name of the manifest.
pub const MANIFEST_FILE: &str = "bundle.json";

const FORMAT: &str = "opensand-bundle";
/// Version 1 had no committed weights; it is still read.
const VERSION: u32 = 2;

/// Why a bundle cannot be read or written.
#[derive(Debug, Error)]
pub enum BundleError {
	/// The file system refused. Check path, permissions and free space.
	#[error("{path}: {source}")]
	Io {
		/// The file or directory.
		path: PathBuf,
		/// What the file system said.
		source: io::Error,
	},
	/// The manifest is not a bundle's. Give the directory that the set-up wrote.
	#[error("{path}: not the manifest of a bundle: {reason}")]
	Manifest {
		/// The manifest.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// The bundle is of another release. Run the set-up again, or use the release that made it.
	#[error("bundle version {found} is not supported, this build reads versions up to {VERSION}")]
	UnsupportedVersion {
		/// Version in the manifest.
		found: u32,
	},
	/// A file is not the one that the manifest describes. Copy the bundle again.
	#[error("{path}: length or checksum differs from the manifest")]
	Checksum {
		/// The file.
		path: PathBuf,
	},
	/// The model is malformed.
	#[error("the bundle's model is malformed: {0}")]
	Model(#[from] ModelError),
	/// The proving key is malformed.
	#[error(transparent)]
	ProvingKey(#[from] ProvingKeyError),
	/// `verifying.key` is not the key inside `proving.key`, or the manifest names another. Copy the bundle again.
	#[error("the bundle's keys do not belong together")]
	KeysDisagree,
	/// The declared widths are not of the model's architecture. Copy the bundle again.
	#[error("the declared widths are not the model's: {0}")]
	Widths(#[from] CircuitError),
	/// The mask is not a field element. Copy the bundle again.
	#[error("the mask of the weights is not one")]
	Mask,
	/// A bundle of this key exists already. Use it, or move it away first.
	#[error("{path} exists already")]
	Exists {
		/// The directory.
		path: PathBuf,
	},
}

/// A model, how it shows its input, how its weights are committed to, and its keys.
#[derive(Clone, Debug)]
pub struct Bundle {
	/// The model.
	pub model: Arc<Model>,
	/// Whether inputs are part of the statement.
	pub visibility: InputVisibility,
	/// How the weights are committed to; none where they are constants of the circuit.
	pub weights: Option<CommittedWeights>,
	/// The proving key, with the verifying key.
	pub proving_key: ProvingKey,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
	format: String,
	version: u32,
	/// Key id in hex.
	key: String,
	/// Architecture id in hex.
	architecture: String,
	/// Hash of the weights in hex.
	weights: String,
	visibility: Visibility,
	/// Where weights are committed to, what they are declared to fit. Version 1 has none.
	#[serde(default)]
	widths: Option<Vec<Widths>>,
	origin: Origin,
	files: Files,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Visibility {
	Public,
	Hashed,
}

impl From<InputVisibility> for Visibility {
	fn from(visibility: InputVisibility) -> Self {
		match visibility {
			InputVisibility::Public => Visibility::Public,
			InputVisibility::Hashed => Visibility::Hashed,
		}
	}
}

impl From<Visibility> for InputVisibility {
	fn from(visibility: Visibility) -> Self {
		match visibility {
			Visibility::Public => InputVisibility::Public,
			Visibility::Hashed => InputVisibility::Hashed,
		}
	}
}

/// The declared widths of a layer.
#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(deny_unknown_fields)]
pub(crate) struct Widths {
	accumulator_bits: u8,
	bias_bytes: u8,
}

impl Widths {
	/// As manifests have them.
	pub(crate) fn listed(widths: &DeclaredWidths) -> Vec<Self> {
		let layers = widths.layers().iter();
		layers
			.map(|layer| Self {
				accumulator_bits: layer.accumulator_bits,
				bias_bytes: layer.bias_bytes,
			})
			.collect()
	}

	/// The widths of an architecture.
	pub(crate) fn declared(
		listed: &[Self],
		architecture: &Architecture,
	) -> Result<DeclaredWidths, BundleError> {
		let layers = listed.iter().map(|layer| LayerWidths {
			accumulator_bits: layer.accumulator_bits,
			bias_bytes: layer.bias_bytes,
		});
		Ok(DeclaredWidths::new(architecture, layers.collect())?)
	}
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Origin {
	Development,
	Ceremony {
		/// In hex.
		transcript_hash: String,
	},
}

impl From<KeyOrigin> for Origin {
	fn from(origin: KeyOrigin) -> Self {
		match origin {
			KeyOrigin::Development => Self::Development,
			KeyOrigin::Ceremony { transcript_hash } => Self::Ceremony {
				transcript_hash: hex::encode(transcript_hash),
			},
		}
	}
}

impl Bundle {
	/// The name of this bundle's directory: the key id in hex.
	pub fn directory_name(&self) -> String {
		hex::encode(self.proving_key.verifying_key().id())
	}

	/// Writes the bundle into a new directory under `root`, which is made if need be, and returns its path. The mask of committed
	/// weights is readable for the owner alone.
	///
	/// The directory appears complete or not at all: it is written under another name, flushed and renamed.
	pub fn write(&self, root: &Path) -> Result<PathBuf, BundleError> {
		let verifying = self.proving_key.verifying_key();
		let mask = self.weights.as_ref().map(|weights| weights.mask.to_bytes());
		let (architecture, weights) = (
			self.model.architecture().to_bytes(),
			Zeroizing::new(self.model.weights().to_bytes()),
		);
		let weights_access = match self.weights {
			Some(_) => Access::Secret,
			None => Access::Ordinary,
		};
		let (proving_key, verifying_key) = (self.proving_key.to_bytes(), verifying.to_bytes());
		let mut contents: Vec<(&str, Access, &[u8])> = vec![
			(ARCHITECTURE_FILE, Access::Ordinary, &architecture),
			(WEIGHTS_FILE, weights_access, &weights),
			(PROVING_KEY_FILE, Access::Ordinary, &proving_key),
			(VERIFYING_KEY_FILE, Access::Ordinary, &verifying_key),
		];
		if let Some(mask) = &mask {
			contents.push((OPENING_FILE, Access::Secret, &mask[..]));
		}
		folder::write(root, &self.directory_name(), &contents, MANIFEST_FILE, |files| {
			Manifest {
				format: FORMAT.to_owned(),
				version: VERSION,
				key: self.directory_name(),
				architecture: hex::encode(self.model.architecture().id()),
				weights: hex::encode(self.model.weights().hash()),
				visibility: self.visibility.into(),
				widths: self
					.weights
					.as_ref()
					.map(|weights| Widths::listed(&weights.widths)),
				origin: verifying.origin().into(),
				files,
			}
		})
	}

	/// Reads a bundle's directory and checks everything: lengths, checksums, formats, and that the parts belong together.
	pub fn read(directory: &Path) -> Result<Self, BundleError> {
		let path = directory.join(MANIFEST_FILE);
		let manifest: Manifest = folder::read_manifest(&path, FORMAT, &[1, VERSION])?;
		let file = |name: &str| folder::read_listed(directory, &manifest.files, name);
		let architecture = Architecture::from_bytes(&file(ARCHITECTURE_FILE)?)?;
		let weights = Weights::from_bytes(&Zeroizing::new(file(WEIGHTS_FILE)?))?;
		let verifying = file(VERIFYING_KEY_FILE)?;
		let proving_key = folder::map_listed(directory, &manifest.files, PROVING_KEY_FILE)?;
		let proving_key = ProvingKey::from_bytes(&proving_key)?;
		let inner = proving_key.verifying_key();
		let agrees = inner.to_bytes() == verifying
			&& manifest.key == hex::encode(inner.id())
			&& manifest.origin == inner.origin().into()
			&& manifest.architecture == hex::encode(architecture.id())
			&& manifest.weights == hex::encode(weights.hash())
			&& manifest.widths.is_some() == inner.has_weights();
		if !agrees {
			return Err(BundleError::KeysDisagree);
		}
		let committed = manifest.widths.map(|widths| {
			let bytes = Zeroizing::new(file(OPENING_FILE)?);
			let mask = bytes.as_slice().try_into().ok().and_then(Mask::from_bytes);
			Ok::<_, BundleError>(CommittedWeights {
				widths: Widths::declared(&widths, &architecture)?,
				mask: mask.ok_or(BundleError::Mask)?,
			})
		});
		Ok(Self {
			weights: committed.transpose()?,
			model: Arc::new(Model::new(architecture, weights)?),
			visibility: manifest.visibility.into(),
			proving_key,
		})
	}
}
