//! A model and its keys in one directory.
//!
//! `<root>/<key id in hex>/` holds `architecture.bin`, `weights.bin`, `proving.key`, `verifying.key` and `bundle.json`, which
//! names the rest with lengths and checksums.

use crate::key::{ProvingKey, ProvingKeyError};
use blake2::{digest::consts::U32, Blake2b, Digest};
use opensand_nn::{Architecture, Model, ModelError, Weights};
use opensand_zk_verifier::{InputVisibility, KeyOrigin};
use serde::{Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	fs::{self, File},
	io::{self, Read, Write},
	path::{Path, PathBuf},
	sync::Arc,
};
use thiserror::Error;

/// Name of the encoded architecture.
pub const ARCHITECTURE_FILE: &str = "architecture.bin";
/// Name of the encoded weights.
pub const WEIGHTS_FILE: &str = "weights.bin";
/// Name of the proving key.
pub const PROVING_KEY_FILE: &str = "proving.key";
/// Name of the verifying key.
pub const VERIFYING_KEY_FILE: &str = "verifying.key";
/// Name of the manifest.
pub const MANIFEST_FILE: &str = "bundle.json";

const FORMAT: &str = "opensand-bundle";
const VERSION: u32 = 1;
/// The longest manifest that is read, in bytes.
const MAX_MANIFEST_LEN: u64 = 1 << 16;
/// The longest file that is read, in bytes: the key of a 2^22 circuit has 2.4 GB.
const MAX_FILE_LEN: u64 = 1 << 32;

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
	#[error("bundle version {found} is not supported, this build reads version {VERSION}")]
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
	/// A bundle of this key exists already. Use it, or move it away first.
	#[error("{path} exists already")]
	Exists {
		/// The directory.
		path: PathBuf,
	},
}

/// A model, how it shows its input, and its keys.
#[derive(Clone, Debug)]
pub struct Bundle {
	/// The model.
	pub model: Arc<Model>,
	/// Whether inputs are part of the statement.
	pub visibility: InputVisibility,
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
	origin: Origin,
	files: BTreeMap<String, FileEntry>,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Visibility {
	Public,
	Hashed,
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

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileEntry {
	bytes: u64,
	/// BLAKE2b-256 in hex.
	blake2b_256: String,
}

impl Bundle {
	/// The name of this bundle's directory: the key id in hex.
	pub fn directory_name(&self) -> String {
		hex::encode(self.proving_key.verifying_key().id())
	}

	/// Writes the bundle into a new directory under `root`, which is made if need be, and returns its path.
	///
	/// The directory appears complete or not at all: it is written under another name, flushed and renamed.
	pub fn write(&self, root: &Path) -> Result<PathBuf, BundleError> {
		let target = root.join(self.directory_name());
		if target.exists() {
			return Err(BundleError::Exists { path: target });
		}
		fs::create_dir_all(root).map_err(at(root))?;
		let staging = tempfile::Builder::new()
			.prefix(".bundle-")
			.tempdir_in(root)
			.map_err(at(root))?;
		let verifying = self.proving_key.verifying_key();
		let contents = [
			(ARCHITECTURE_FILE, self.model.architecture().to_bytes()),
			(WEIGHTS_FILE, self.model.weights().to_bytes()),
			(PROVING_KEY_FILE, self.proving_key.to_bytes()),
			(VERIFYING_KEY_FILE, verifying.to_bytes()),
		];
		let mut files = BTreeMap::new();
		for (name, bytes) in contents {
			write_file(&staging.path().join(name), &bytes)?;
			files.insert(
				name.to_owned(),
				FileEntry {
					bytes: bytes.len() as u64,
					blake2b_256: checksum(&bytes),
				},
			);
		}
		let manifest = Manifest {
			format: FORMAT.to_owned(),
			version: VERSION,
			key: self.directory_name(),
			architecture: hex::encode(self.model.architecture().id()),
			weights: hex::encode(self.model.weights().hash()),
			visibility: match self.visibility {
				InputVisibility::Public => Visibility::Public,
				InputVisibility::Hashed => Visibility::Hashed,
			},
			origin: verifying.origin().into(),
			files,
		};
		let path = staging.path().join(MANIFEST_FILE);
		let json = serde_json::to_vec_pretty(&manifest).map_err(|error| BundleError::Manifest {
			path: path.clone(),
			reason: error.to_string(),
		})?;
		write_file(&path, &json)?;
		sync_directory(staging.path())?;
		match fs::rename(staging.path(), &target) {
			Ok(()) => drop(staging.keep()),
			Err(_) if target.exists() => return Err(BundleError::Exists { path: target }),
			Err(source) => return Err(BundleError::Io { path: target, source }),
		}
		sync_directory(root)?;
		Ok(target)
	}

	/// Reads a bundle's directory and checks everything: lengths, checksums, formats, and that the parts belong together.
	pub fn read(directory: &Path) -> Result<Self, BundleError> {
		let path = directory.join(MANIFEST_FILE);
		let malformed = |reason: &str| BundleError::Manifest {
			path: path.clone(),
			reason: reason.to_owned(),
		};
		let json = read_file(&path, MAX_MANIFEST_LEN)?.ok_or_else(|| malformed("longer than 64 KiB"))?;
		let manifest: Manifest = match serde_json::from_slice(&json) {
			Ok(manifest) => manifest,
			Err(error) => return Err(other_version(&json).unwrap_or_else(|| malformed(&error.to_string()))),
		};
		if manifest.format != FORMAT {
			return Err(malformed("another format"));
		}
		if manifest.version != VERSION {
			return Err(BundleError::UnsupportedVersion {
				found: manifest.version,
			});
		}
		let file = |name: &str| {
			let entry = manifest
				.files
				.get(name)
				.ok_or_else(|| malformed("a file is not listed"))?;
			let path = directory.join(name);
			let bytes = read_file(&path, entry.bytes.min(MAX_FILE_LEN))?;
			let bytes = bytes
				.filter(|bytes| bytes.len() as u64 == entry.bytes && checksum(bytes) == entry.blake2b_256);
			bytes.ok_or(BundleError::Checksum { path })
		};
		let architecture = Architecture::from_bytes(&file(ARCHITECTURE_FILE)?)?;
		let weights = Weights::from_bytes(&file(WEIGHTS_FILE)?)?;
		let verifying = file(VERIFYING_KEY_FILE)?;
		let proving_key = ProvingKey::from_bytes(&file(PROVING_KEY_FILE)?)?;
		let inner = proving_key.verifying_key();
		let agrees = inner.to_bytes() == verifying
			&& manifest.key == hex::encode(inner.id())
			&& manifest.origin == inner.origin().into()
			&& manifest.architecture == hex::encode(architecture.id())
			&& manifest.weights == hex::encode(weights.hash());
		if !agrees {
			return Err(BundleError::KeysDisagree);
		}
		let visibility = match manifest.visibility {
			Visibility::Public => InputVisibility::Public,
			Visibility::Hashed => InputVisibility::Hashed,
		};
		Ok(Self {
			model: Arc::new(Model::new(architecture, weights)?),
			visibility,
			proving_key,
		})
	}
}

/// The error for a manifest of another version, whose other fields may have changed.
fn other_version(json: &[u8]) -> Option<BundleError> {
	#[derive(Deserialize)]
	struct Version {
		format: String,
		version: u32,
	}
	let Version { format, version } = serde_json::from_slice(json).ok()?;
	(format == FORMAT && version != VERSION).then_some(BundleError::UnsupportedVersion { found: version })
}

fn checksum(bytes: &[u8]) -> String {
	hex::encode(Blake2b::<U32>::digest(bytes))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BundleError + '_ {
	|source| BundleError::Io {
		path: path.to_owned(),
		source,
	}
}

fn write_file(path: &Path, bytes: &[u8]) -> Result<(), BundleError> {
	let mut file = File::create(path).map_err(at(path))?;
	file.write_all(bytes)
		.and_then(|()| file.sync_all())
		.map_err(at(path))
}

fn sync_directory(path: &Path) -> Result<(), BundleError> {
	File::open(path)
		.and_then(|directory| directory.sync_all())
		.map_err(at(path))
}

/// A file of at most `limit` bytes; none if it is longer.
fn read_file(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, BundleError> {
	let file = File::open(path).map_err(at(path))?;
	let mut bytes = Vec::new();
	file.take(limit.saturating_add(1))
		.read_to_end(&mut bytes)
		.map_err(at(path))?;
	Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
