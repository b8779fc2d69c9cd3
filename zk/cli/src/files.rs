//! Reading with a bound, and writing so that a file is there whole or not at all.

use std::{
	fs::{self, File},
	io::{self, Read, Write},
	path::{Path, PathBuf},
};

use opensand_durable_file::{Draft, Mode};
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

/// Replaces a file as a whole; it is on the disk when this returns.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
	let failed = || FileError::io("write", path);
	let mut draft = Draft::in_any_directory(path, Mode::Ordinary).map_err(failed())?;
	draft
		.write_all(bytes)
		.and_then(|()| draft.replace())
		.map_err(failed())
}
