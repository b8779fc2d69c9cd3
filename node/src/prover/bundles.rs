//! Artifact bundles: what a node must have on disk to prove for a verifying key.
//!
//! The store is a directory with one folder a bundle, named by the key's id in hexadecimal digits. Keys of families are shared by
//! models, so bundles with committed weights are in `committed`, in a folder named by the BLAKE2-256 of the commitment.

use std::{
	fs,
	path::{Path, PathBuf},
};

use opensand_primitives::{models::CommitmentBytes, proving::ProvingJob, KeyId};
use opensand_zk_prover::{Bundle, BundleError, ProveError, Prover};
use sp_crypto_hashing::blake2_256;
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

/// The folder of bundles with committed weights.
const COMMITTED: &str = "committed";

/// What a bundle proves with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundleName {
	/// The verifying key.
	pub key: KeyId,
	/// The commitment to the weights, where they are no constants.
	pub commitment: Option<CommitmentBytes>,
}

impl BundleName {
	/// Of the bundle that a job is proven with.
	pub fn of(job: &ProvingJob) -> Self {
		Self {
			key: job.key,
			commitment: job.commitment,
		}
	}

	/// Of the bundle that a prover has loaded.
	pub fn of_prover(prover: &Prover) -> Self {
		Self {
			key: prover.key_id().into(),
			commitment: prover
				.weights_commitment()
				.and_then(|commitment| commitment.to_bytes().try_into().ok()),
		}
	}
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

	/// The folder that a bundle's directory is or would be in.
	fn root(&self, bundle: &BundleName) -> PathBuf {
		match &bundle.commitment {
			None => self.directory.clone(),
			Some(commitment) => {
				let committed = self.directory.join(COMMITTED);
				committed.join(hex::encode(blake2_256(commitment)))
			}
		}
	}

	/// Where a bundle is or would be.
	pub fn path(&self, bundle: &BundleName) -> PathBuf {
		self.root(bundle).join(hex::encode(bundle.key))
	}

	/// Whether a bundle is installed.
	pub fn contains(&self, bundle: &BundleName) -> bool {
		self.path(bundle).is_dir()
	}

	/// The keys whose bundles are installed, in ascending order; one of a family as often as there are commitments under it.
	pub fn keys(&self) -> Vec<KeyId> {
		let mut keys = keys_in(&self.directory);
		for entry in fs::read_dir(self.directory.join(COMMITTED))
			.into_iter()
			.flatten()
			.flatten()
		{
			keys.extend(keys_in(&entry.path()));
		}
		keys.sort_unstable();
		keys
	}

	/// Checks the bundle in `directory`, file by file and as a whole, and copies it into the store. A bundle that is
	/// installed already stays as it is.
	pub fn install(&self, directory: &Path) -> Result<BundleName, InstallError> {
		let name = BundleName::of_prover(&Prover::load(directory)?);
		let bundle = Bundle::read(directory).map_err(ProveError::from)?;
		match bundle.write(&self.root(&name)) {
			Ok(_) => Ok(name),
			Err(BundleError::Exists { path }) => match Prover::load(&path) {
				Ok(_) => Ok(name),
				Err(error) => Err(InstallError::Damaged { path, error }),
			},
			Err(error) => Err(InstallError::Store(error)),
		}
	}
}

/// The keys that the folders in a directory are named by.
fn keys_in(directory: &Path) -> Vec<KeyId> {
	let key_of = |entry: fs::DirEntry| {
		let mut key = KeyId::zero();
		hex::decode_to_slice(entry.file_name().to_str()?, &mut key.0).ok()?;
		entry.path().is_dir().then_some(key)
	};
	let entries = fs::read_dir(directory).into_iter().flatten().flatten();
	entries.filter_map(key_of).collect()
}
