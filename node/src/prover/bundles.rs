//! Artifact bundles: what a node must have on disk to prove for a verifying key.
//!
//! The store is a directory with one folder a bundle, named by the key's id in hexadecimal digits.

use std::{
	fs,
	path::{Path, PathBuf},
};

use opensand_primitives::KeyId;
use opensand_zk_prover::{Bundle, BundleError, ProveError, Prover};
use thiserror::Error;

/// Why a bundle was not installed.
#[derive(Debug, Error)]
pub enum InstallError {
	/// The bundle does not hold together: make it anew, or copy it again.
	#[error("the bundle cannot be used")]
	Unusable(#[from] ProveError),
	/// The store cannot be written.
	#[error("the bundle cannot be written: {0}")]
	Store(BundleError),
	/// A damaged bundle of this key is in the way: remove its directory.
	#[error("{path} is damaged ({error}); remove it and install again", path = .path.display())]
	Damaged {
		/// Its directory.
		path: PathBuf,
		/// What is wrong with it.
		error: ProveError,
	},
}

/// The directory of installed bundles.
#[derive(Clone, Debug)]
pub struct BundleStore {
	directory: PathBuf,
}

impl BundleStore {
	/// The store in `directory`, which need not exist.
	pub fn new(directory: PathBuf) -> Self {
		Self { directory }
	}

	/// Where the bundle of `key` is or would be.
	pub fn path(&self, key: &KeyId) -> PathBuf {
		self.directory.join(hex::encode(key))
	}

	/// Whether a bundle of `key` is installed.
	pub fn contains(&self, key: &KeyId) -> bool {
		self.path(key).is_dir()
	}

	/// The keys whose bundles are installed, in ascending order.
	pub fn keys(&self) -> Vec<KeyId> {
		let Ok(entries) = fs::read_dir(&self.directory) else {
			return Vec::new();
		};
		let key_of = |entry: fs::DirEntry| {
			let mut key = KeyId::zero();
			hex::decode_to_slice(entry.file_name().to_str()?, &mut key.0).ok()?;
			entry.path().is_dir().then_some(key)
		};
		let mut keys: Vec<_> = entries.flatten().filter_map(key_of).collect();
		keys.sort_unstable();
		keys
	}
	/// Checks the bundle in `directory`, file by file and as a whole, and copies it into the store. A bundle that is
	/// installed already stays as it is.
	pub fn install(&self, directory: &Path) -> Result<KeyId, InstallError> {
		let key = KeyId::from(Prover::load(directory)?.key_id());
		let bundle = Bundle::read(directory).map_err(ProveError::from)?;
		match bundle.write(&self.directory) {
			Ok(_) => Ok(key),
			Err(BundleError::Exists { path }) => match Prover::load(&path) {
				Ok(_) => Ok(key),
				Err(error) => Err(InstallError::Damaged { path, error }),
			},
			Err(error) => Err(InstallError::Store(error)),
		}
	}
}
