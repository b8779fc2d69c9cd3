//! Reading with a bound, and writing so that a file is there whole or not at all.

use std::{
	fs::{self, File},
	io::{self, Read, Write},
	path::{Path, PathBuf},
};
use thiserror::Error;

/// Why a file cannot be read or written.
#[derive(Debug, Error)]
pub enum FileError {
	/// The operating system refuses.
	#[error("cannot {action} {path}: {source}")]
	Io {
		/// "read", "write" or "create".
		action: &'static str,
		/// The file or folder.
		path: PathBuf,
		/// What the operating system says.
		source: io::Error,
	},
	/// The file is larger than anything that could be valid.
	#[error("{path} is larger than {max} bytes; check that it is the right file")]
	TooLarge {
		/// The file.
		path: PathBuf,
		/// Bytes read at most.
		max: usize,
	},
}

impl FileError {
	fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + 'a {
		move |source| FileError::Io {
			action,
			path: path.into(),
			source,
		}
	}
}

/// Reads a file of at most `max` bytes.
pub fn read(path: &Path, max: usize) -> Result<Vec<u8>, FileError> {
	let file = File::open(path).map_err(FileError::io("read", path))?;
	let mut bytes = Vec::new();
	let limit = u64::try_from(max).unwrap_or(u64::MAX).saturating_add(1);
	file.take(limit)
		.read_to_end(&mut bytes)
		.map_err(FileError::io("read", path))?;
	if bytes.len() > max {
		return Err(FileError::TooLarge {
			path: path.into(),
			max,
		});
	}
	Ok(bytes)
}

/// Creates a folder and those above it.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
	fs::create_dir_all(path).map_err(FileError::io("create", path))
}

/// Writes a file atomically: a temporary file beside it, flushed to the disk, then renamed over it.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
	let folder = match path.parent() {
		Some(parent) if !parent.as_os_str().is_empty() => parent,
		_ => Path::new("."),
	};
	let mut file = tempfile::NamedTempFile::new_in(folder).map_err(FileError::io("write", path))?;
	file.write_all(bytes)
		.and_then(|()| file.as_file().sync_all())
		.map_err(FileError::io("write", path))?;
	let persisted = file
		.persist(path)
		.map_err(|error| error.error)
		.map_err(FileError::io("write", path))?;
	set_readable(&persisted).map_err(FileError::io("write", path))?;
	File::open(folder)
		.and_then(|folder| folder.sync_all())
		.map_err(FileError::io("write", folder))
}

/// Gives a file the permissions of an ordinary one: temporary files are made private.
#[cfg(unix)]
fn set_readable(file: &File) -> io::Result<()> {
	use std::os::unix::fs::PermissionsExt;
	file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn set_readable(_file: &File) -> io::Result<()> {
	Ok(())
}
