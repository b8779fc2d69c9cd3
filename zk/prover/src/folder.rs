//! Directories that appear complete or not at all: files, and a manifest with their lengths and checksums.

use crate::{bundle::BundleError, mapped_file::MappedFile};
use blake2::{digest::consts::U32, Blake2b, Digest};
use serde::{de::DeserializeOwned, Deserialize, Serialize};
use std::{
	collections::BTreeMap,
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	path::{Path, PathBuf},
};

/// The longest manifest that is read, in bytes.
const MAX_MANIFEST_LEN: u64 = 1 << 16;
/// The longest file that is read, in bytes: the key of a 2^22 circuit has 2.4 GB.
const MAX_FILE_LEN: u64 = 1 << 32;

/// Who may read a file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
	/// Whoever may read the directory.
	Ordinary,
	/// The owner alone.
	Secret,
}

/// The manifest's lines about files, by name.
pub(crate) type Files = BTreeMap<String, FileEntry>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FileEntry {
	bytes: u64,
	/// BLAKE2b-256 in hex.
	blake2b_256: String,
}

impl FileEntry {
	/// Whether these are the file's bytes.
	fn describes(&self, bytes: &[u8]) -> bool {
		bytes.len() as u64 == self.bytes && checksum(bytes) == self.blake2b_256
	}
}

/// Writes a new directory `root/name` with these files and the manifest that `manifest` makes of their entries. It is written under
/// another name, flushed and renamed.
pub(crate) fn write<M: Serialize>(
	root: &Path,
	name: &str,
	contents: &[(&str, Access, &[u8])],
	manifest_file: &str,
	manifest: impl FnOnce(Files) -> M,
) -> Result<PathBuf, BundleError> {
	let target = root.join(name);
	if target.exists() {
		return Err(BundleError::Exists { path: target });
	}
	fs::create_dir_all(root).map_err(at(root))?;
	let staging = tempfile::Builder::new()
		.prefix(".bundle-")
		.tempdir_in(root)
		.map_err(at(root))?;
	let mut files = Files::new();
	for (name, access, bytes) in contents {
		write_file(&staging.path().join(name), *access, bytes)?;
		files.insert(
			(*name).to_owned(),
			FileEntry {
				bytes: bytes.len() as u64,
				blake2b_256: checksum(bytes),
			},
		);
	}
	let path = staging.path().join(manifest_file);
	let json = serde_json::to_vec_pretty(&manifest(files)).map_err(|error| BundleError::Manifest {
		path: path.clone(),
		reason: error.to_string(),
	})?;
	write_file(&path, Access::Ordinary, &json)?;
	sync_directory(staging.path())?;
	match fs::rename(staging.path(), &target) {
		Ok(()) => drop(staging.keep()),
		Err(_) if target.exists() => return Err(BundleError::Exists { path: target }),
		Err(source) => return Err(BundleError::Io { path: target, source }),
	}
	sync_directory(root)?;
	Ok(target)
}

/// Reads a manifest of this format and of one of these versions.
pub(crate) fn read_manifest<M: DeserializeOwned>(
	path: &Path,
	format: &str,
	versions: &[u32],
) -> Result<M, BundleError> {
	/// What every version has.
	#[derive(Deserialize)]
	struct Version {
		format: String,
		version: u32,
	}
	let malformed = |reason: &str| BundleError::Manifest {
		path: path.to_owned(),
		reason: reason.to_owned(),
	};
	let json = read_file(path, MAX_MANIFEST_LEN)?.ok_or_else(|| malformed("longer than 64 KiB"))?;
	let found: Version = serde_json::from_slice(&json).map_err(|error| malformed(&error.to_string()))?;
	if found.format != format {
		return Err(malformed("another format"));
	}
	if !versions.contains(&found.version) {
		return Err(BundleError::UnsupportedVersion { found: found.version });
	}
	serde_json::from_slice(&json).map_err(|error| malformed(&error.to_string()))
}

/// Reads a file that a manifest lists, and checks its length and checksum.
pub(crate) fn read_listed(directory: &Path, files: &Files, name: &str) -> Result<Vec<u8>, BundleError> {
	let path = directory.join(name);
	let entry = listed(&path, files, name)?;
	let bytes = read_file(&path, entry.bytes.min(MAX_FILE_LEN))?;
	bytes
		.filter(|bytes| entry.describes(bytes))
		.ok_or(BundleError::Checksum { path })
}

/// As [`read_listed`], for a file that is too large to be copied into memory.
pub(crate) fn map_listed(directory: &Path, files: &Files, name: &str) -> Result<MappedFile, BundleError> {
	let path = directory.join(name);
	let entry = listed(&path, files, name)?;
	let bytes = MappedFile::open(&path).map_err(at(&path))?;
	if !entry.describes(&bytes) {
		return Err(BundleError::Checksum { path });
	}
	Ok(bytes)
}

fn listed<'a>(path: &Path, files: &'a Files, name: &str) -> Result<&'a FileEntry, BundleError> {
	files.get(name).ok_or_else(|| BundleError::Manifest {
		path: path.to_owned(),
		reason: "the file is not listed".into(),
	})
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

fn write_file(path: &Path, access: Access, bytes: &[u8]) -> Result<(), BundleError> {
	let mut options = OpenOptions::new();
	options.write(true).create_new(true);
	#[cfg(unix)]
	if access == Access::Secret {
		std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
	}
	let mut file = options.open(path).map_err(at(path))?;
	file.write_all(bytes)
		.and_then(|()| file.sync_all())
		.map_err(at(path))
}

fn sync_directory(path: &Path) -> Result<(), BundleError> {
	File::open(path)
		.and_then(|directory| directory.sync_all())
		.map_err(at(path))
}

/// A file of at most `limit` bytes; none if it is longer. Of a file that does not grow meanwhile nothing is left in memory but what is returned,
/// which the caller can erase.
fn read_file(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, BundleError> {
	let file = File::open(path).map_err(at(path))?;
	let len = file.metadata().map_err(at(path))?.len();
	// One more, so that the end is found without another allocation.
	let mut bytes = Vec::with_capacity(len.min(limit).saturating_add(1) as usize);
	file.take(limit.saturating_add(1))
		.read_to_end(&mut bytes)
		.map_err(at(path))?;
	Ok((bytes.len() as u64 <= limit).then_some(bytes))
}
