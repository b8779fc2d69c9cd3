//! Files that are read where the system has them: large keys, whose bytes are of use only until they are decoded.

use memmap2::{Advice, Mmap};
use std::{fs::File, io, ops::Deref, path::Path};

/// A file's bytes, mapped. They are in the page cache and nowhere else, so memory can be had back while they are in use.
pub(crate) struct MappedFile(Mmap);

impl MappedFile {
	/// Maps a file, whatever its length.
	#[allow(unsafe_code)]
	pub(crate) fn open(path: &Path) -> io::Result<Self> {
		let file = File::open(path)?;
		// SAFETY: the bytes are only read, by value, and every value is valid for them. A bundle's files never change once its
		// directory has its name. Whoever cuts a file short all the same ends this process by SIGBUS, as whoever may write
		// there could end it anyway; where proofs are made for others, that is a process for itself and is started again.
		let map = unsafe { Mmap::map(&file) }?;
		// A hint: where it is not taken, reading is only slower.
		let _ = map.advise(Advice::Sequential);
		Ok(Self(map))
	}
}

impl Deref for MappedFile {
	type Target = [u8];

	fn deref(&self) -> &[u8] {
		&self.0
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::io::Write;

	#[test]
	fn it_has_the_files_bytes() {
		for len in [0, 1, 100_000] {
			let mut file = tempfile::NamedTempFile::new().unwrap();
			let bytes: Vec<u8> = (0..len).map(|index: u32| index as u8).collect();
			file.write_all(&bytes).unwrap();
			assert_eq!(&*MappedFile::open(file.path()).unwrap(), &bytes[..]);
		}
		let error = MappedFile::open(Path::new("/no/such/file")).err().unwrap();
		assert_eq!(error.kind(), io::ErrorKind::NotFound);
	}
}
