//! Where the client keeps what it works on: below the user's cache directory, readable by the user alone.

use std::{
	env, fs, io,
	os::unix::fs::DirBuilderExt,
	path::{Path, PathBuf},
};

use opensand_primitives::OrderId;

use crate::error::Error;

/// The client's cache directory: `chosen`, or `opensand` below `XDG_CACHE_HOME` or `~/.cache`.
///
/// # Errors
/// When none is chosen and there is no home directory.
pub fn cache(chosen: Option<PathBuf>) -> Result<PathBuf, Error> {
	let absolute = |name: &str| {
		env::var_os(name)
			.map(PathBuf::from)
			.filter(|path| path.is_absolute())
	};
	chosen
		.or_else(|| absolute("XDG_CACHE_HOME").map(|path| path.join("opensand")))
		.or_else(|| absolute("HOME").map(|path| path.join(".cache/opensand")))
		.ok_or_else(|| {
			Error::usage(
				"there is no home directory to keep unfinished transfers in",
				"give --cache-dir",
			)
		})
}

/// Where puts are staged.
pub fn puts(cache: &Path) -> PathBuf {
	cache.join("put")
}

/// Where the blocks of a get are kept until it is done.
pub fn get(cache: &Path, genesis: &[u8; 32], order: OrderId) -> PathBuf {
	let chain: String = hex::encode(genesis).chars().take(16).collect();
	cache.join("get").join(format!("{chain}-{order}"))
}

/// Makes a directory, and those above it, for the user alone.
///
/// # Errors
/// When the operating system refuses.
pub fn create(directory: &Path) -> io::Result<()> {
	fs::DirBuilder::new()
		.recursive(true)
		.mode(0o700)
		.create(directory)
}

#[cfg(test)]
mod tests {
	use std::os::unix::fs::PermissionsExt;

	use super::*;

	#[test]
	fn directories_are_the_users_alone() {
		let root = tempfile::tempdir().unwrap();
		let directory = puts(&cache(Some(root.path().join("cache"))).unwrap());
		create(&directory).unwrap();
		create(&directory).unwrap();
		assert_eq!(
			fs::metadata(&directory).unwrap().permissions().mode() & 0o777,
			0o700
		);
	}

	#[test]
	fn chains_do_not_share_a_get() {
		let root = Path::new("/cache");
		assert_ne!(get(root, &[1; 32], 7), get(root, &[2; 32], 7));
		assert_ne!(get(root, &[1; 32], 7), get(root, &[1; 32], 8));
	}
}
