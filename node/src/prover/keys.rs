//! The node's X25519 key, to which clients seal private inputs.
//!
//! It stands in `<base-path>/prover/x25519.key`: 64 hexadecimal digits, readable by its owner only. Back it
//! up: envelopes that were sealed to a lost key stay closed.

use std::{
	fs, io,
	io::Write,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
};

use opensand_durable_file::{Draft, Mode};
use opensand_zk_envelope::SecretKey;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why the key could not be had.
#[derive(Debug, Error)]
pub enum KeyError {
	/// The file cannot be read or written.
	#[error("{path}: {error}")]
	File {
		/// The file.
		path: PathBuf,
		/// What went wrong.
		error: io::Error,
	},
	/// Others than the owner may read it: make it private with `chmod 600`.
	#[error("{0} can be read by other users; make it private with `chmod 600 {0}`")]
	Exposed(PathBuf),
	/// The content is no key: restore the file from a backup, or move it away to get a fresh key.
	#[error("{0} does not hold 64 hexadecimal digits; restore it, or move it away to get a fresh key")]
	Malformed(PathBuf),
}

/// Reads the key in `file`, or makes one where there is no file.
///
/// The file appears whole or not at all, and a key that another process made at the same moment wins.
pub fn load_or_generate(file: &Path) -> Result<SecretKey, KeyError> {
	let failed = |error| KeyError::File {
		path: file.into(),
		error,
	};
	match load(file) {
		Err(KeyError::File { error, .. }) if error.kind() == io::ErrorKind::NotFound => {}
		other => return other,
	}

	let directory = file.parent().unwrap_or(Path::new("."));
	fs::create_dir_all(directory).map_err(failed)?;
	let mut draft = Draft::in_any_directory(file, Mode::Private).map_err(failed)?;
	let secret = SecretKey::generate();
	let digits = Zeroizing::new(hex::encode(&secret.to_bytes()[..]));
	match writeln!(draft, "{}", *digits).and_then(|()| draft.create()) {
		Ok(()) => Ok(secret),
		Err(error) if error.kind() == io::ErrorKind::AlreadyExists => load(file),
		Err(error) => Err(failed(error)),
	}
}

/// Reads the key in `file`.
pub fn load(file: &Path) -> Result<SecretKey, KeyError> {
	let failed = |error| KeyError::File {
		path: file.into(),
		error,
	};
	let metadata = fs::metadata(file).map_err(failed)?;
	if metadata.permissions().mode() & 0o077 != 0 {
		return Err(KeyError::Exposed(file.into()));
	}
	// A key has 65 bytes; a longer file need not be read to know that it is none.
	if metadata.len() > 128 {
		return Err(KeyError::Malformed(file.into()));
	}
	let text = Zeroizing::new(fs::read(file).map_err(failed)?);
	let mut bytes = Zeroizing::new([0u8; 32]);
	hex::decode_to_slice(text.trim_ascii(), &mut bytes[..]).map_err(|_| KeyError::Malformed(file.into()))?;
	Ok(SecretKey::from_bytes(*bytes))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_key_is_made_once_and_private() {
		let directory = tempfile::tempdir().unwrap();
		let file = directory.path().join("prover/x25519.key");
		let made = load_or_generate(&file).unwrap();
		assert_eq!(load_or_generate(&file).unwrap().public_key(), made.public_key());
		assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
		assert_eq!(
			fs::read_dir(file.parent().unwrap()).unwrap().count(),
			1,
			"no draft is left"
		);
	}

	#[test]
	fn a_file_that_others_can_read_is_refused() {
		let directory = tempfile::tempdir().unwrap();
		let file = directory.path().join("x25519.key");
		load_or_generate(&file).unwrap();
		fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
		assert!(matches!(load_or_generate(&file), Err(KeyError::Exposed(_))));
	}

	#[test]
	fn a_file_that_is_no_key_is_refused_and_kept() {
		for content in [
			"",
			"zz",
			&"0".repeat(62),
			&"0".repeat(66),
			&"g".repeat(64),
			&"0".repeat(4096),
		] {
			let directory = tempfile::tempdir().unwrap();
			let file = directory.path().join("x25519.key");
			fs::write(&file, content).unwrap();
			fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
			assert!(
				matches!(load_or_generate(&file), Err(KeyError::Malformed(_))),
				"{content}"
			);
			assert_eq!(fs::read_to_string(&file).unwrap(), content);
		}
	}

	#[test]
	fn racing_processes_agree_on_one_key() {
		let directory = tempfile::tempdir().unwrap();
		let file = directory.path().join("x25519.key");
		let keys: Vec<_> = std::thread::scope(|scope| {
			let threads: Vec<_> = (0..8)
				.map(|_| scope.spawn(|| load_or_generate(&file).unwrap()))
				.collect();
			threads
				.into_iter()
				.map(|thread| thread.join().unwrap().public_key())
				.collect()
		});
		assert!(keys.iter().all(|key| *key == keys[0]));
	}
}
