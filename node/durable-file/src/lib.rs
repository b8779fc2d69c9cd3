//! Files that are there whole or not at all, also after a crash.
//!
//! A [`Draft`] is written beside its file, flushed to the disk, and then given the file's name; at last the directory is
//! flushed. The crate's README says what holds at which moment.
//!
//! - [`replace`] and [`remove`] are for a directory in which nobody else writes the file, as a service's own is.
//! - [`Draft::in_any_directory`] is for the places that users name.

#![warn(missing_docs)]

use std::{
	ffi::OsString,
	fs::{self, File, OpenOptions},
	io::{self, ErrorKind, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
};

use tempfile::{Builder, NamedTempFile, PersistError};

/// What the draft of a file in its own directory has after the file's name.
const DRAFT_SUFFIX: &str = ".new";
/// What the draft of a file in any other directory begins with.
const HIDDEN_PREFIX: &str = ".opensand-";

/// Permissions of a new file. What the process's umask takes away is taken away here too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
	/// Its owner alone reads and writes it: 0600.
	Private,
	/// The umask alone says who does: 0666.
	Ordinary,
}

impl Mode {
	fn bits(self) -> u32 {
		match self {
			Self::Private => 0o600,
			Self::Ordinary => 0o666,
		}
	}
}

/// A file on its way to its name. Dropped before [`Draft::replace`] or [`Draft::create`], it leaves nothing behind.
#[derive(Debug)]
pub struct Draft {
	file: NamedTempFile,
	path: PathBuf,
}

impl Draft {
	/// Begins a file in a directory in which only the caller writes this file, and one draft of it at a time. The draft has
	/// the name [`draft_path`]; what a crash left there is overwritten.
	///
	/// # Errors
	/// When the draft cannot be made, or the path has no file name ([`ErrorKind::InvalidInput`]).
	pub fn in_own_directory(path: &Path, mode: Mode) -> io::Result<Self> {
		let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
		let file = Builder::new()
			.prefix(name)
			.suffix(DRAFT_SUFFIX)
			.rand_bytes(0)
			.make_in(directory_of(path), |draft| {
				OpenOptions::new()
					.write(true)
					.create(true)
					.truncate(true)
					.mode(mode.bits())
					.open(draft)
			})?;
		Ok(Self {
			file,
			path: path.to_owned(),
		})
	}

	/// Begins a file in a directory that others use too. The draft has a hidden name that no other file has.
	///
	/// # Errors
	/// When the draft cannot be made.
	pub fn in_any_directory(path: &Path, mode: Mode) -> io::Result<Self> {
		let file = Builder::new()
			.prefix(HIDDEN_PREFIX)
			.make_in(directory_of(path), |draft| {
				OpenOptions::new()
					.write(true)
					.create_new(true)
					.mode(mode.bits())
					.open(draft)
			})?;
		Ok(Self {
			file,
			path: path.to_owned(),
		})
	}

	/// The open file, for what is not its content.
	pub fn file(&self) -> &File {
		self.file.as_file()
	}

	/// Gives the draft the file's name, whether there is such a file or not.
	///
	/// # Errors
	/// When it cannot be flushed or renamed. The old file then stands, unless it was the directory's flush that failed.
	pub fn replace(self) -> io::Result<()> {
		self.publish(|file, path| file.persist(path))
	}

	/// Gives the draft the file's name, if there is no such file.
	///
	/// # Errors
	/// When there is one ([`ErrorKind::AlreadyExists`]), and as [`Draft::replace`].
	pub fn create(self) -> io::Result<()> {
		self.publish(|file, path| file.persist_noclobber(path))
	}

	fn publish(
		self,
		rename: impl FnOnce(NamedTempFile, &Path) -> Result<File, PersistError>,
	) -> io::Result<()> {
		self.file.as_file().sync_all()?;
		rename(self.file, &self.path).map_err(|error| error.error)?;
		sync_parent(&self.path)
	}
}

impl Write for Draft {
	fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
		self.file.as_file_mut().write(bytes)
	}

	fn flush(&mut self) -> io::Result<()> {
		self.file.as_file_mut().flush()
	}
}

/// Puts `bytes` in the place of a file in the caller's own directory, as [`Draft::in_own_directory`] and
/// [`Draft::replace`] do.
///
/// # Errors
/// As those.
pub fn replace(path: &Path, mode: Mode, bytes: &[u8]) -> io::Result<()> {
	let mut draft = Draft::in_own_directory(path, mode)?;
	draft.write_all(bytes)?;
	draft.replace()
}

/// Removes a file in the caller's own directory, and the draft that a crash may have left of it. Neither need be there. A
/// crash of the machine can bring the file back until the directory is flushed.
///
/// # Errors
/// When one of them cannot be removed; the draft goes first.
pub fn remove(path: &Path) -> io::Result<()> {
	for file in [&draft_path(path), path] {
		match fs::remove_file(file) {
			Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
			_ => {}
		}
	}
	Ok(())
}

/// Where [`Draft::in_own_directory`] writes: `<path>.new`.
pub fn draft_path(path: &Path) -> PathBuf {
	let mut draft = OsString::from(path);
	draft.push(DRAFT_SUFFIX);
	draft.into()
}

/// Waits until the names in a directory are on the disk.
///
/// # Errors
/// When the directory cannot be opened or flushed.
pub fn sync_directory(directory: &Path) -> io::Result<()> {
	File::open(directory)?.sync_all()
}

/// Waits until the name of `path` is on the disk, or that there is none.
///
/// # Errors
/// As [`sync_directory`].
pub fn sync_parent(path: &Path) -> io::Result<()> {
	sync_directory(directory_of(path))
}

/// The directory that a path's last name is in.
fn directory_of(path: &Path) -> &Path {
	match path.parent() {
		Some(parent) if !parent.as_os_str().is_empty() => parent,
		_ => Path::new("."),
	}
}

#[cfg(test)]
mod tests {
	use std::os::unix::fs::PermissionsExt;

	use tempfile::TempDir;

	use super::*;

	type Begin = fn(&Path, Mode) -> io::Result<Draft>;

	/// Both ways to begin.
	const BEGIN: [Begin; 2] = [Draft::in_own_directory, Draft::in_any_directory];

	fn fixture() -> (TempDir, PathBuf) {
		let directory = tempfile::tempdir().unwrap();
		let path = directory.path().join("file");
		(directory, path)
	}

	fn files(directory: &TempDir) -> usize {
		fs::read_dir(directory.path()).unwrap().count()
	}

	#[test]
	fn the_old_file_stands_until_it_is_replaced() {
		for begin in BEGIN {
			let (directory, path) = fixture();
			fs::write(&path, b"old").unwrap();
			let mut draft = begin(&path, Mode::Ordinary).unwrap();
			draft.write_all(b"new one").unwrap();
			assert_eq!(fs::read(&path).unwrap(), b"old");
			draft.replace().unwrap();
			assert_eq!(fs::read(&path).unwrap(), b"new one");
			assert_eq!(files(&directory), 1);
		}
	}

	#[test]
	fn a_draft_that_is_given_up_leaves_nothing() {
		for begin in BEGIN {
			let (directory, path) = fixture();
			let mut draft = begin(&path, Mode::Ordinary).unwrap();
			draft.write_all(b"half").unwrap();
			assert_eq!(files(&directory), 1);
			drop(draft);
			assert_eq!(files(&directory), 0);
		}
	}

	#[test]
	fn create_takes_no_others_place() {
		for begin in BEGIN {
			let (directory, path) = fixture();
			let [first, second] = [b"first", b"later"].map(|content| {
				let (directory, path) = (&directory, &path);
				let mut draft = begin(path, Mode::Ordinary).unwrap();
				draft.write_all(content).unwrap();
				let outcome = draft.create();
				assert_eq!(files(directory), 1);
				outcome
			});
			first.unwrap();
			assert_eq!(second.unwrap_err().kind(), ErrorKind::AlreadyExists);
			assert_eq!(fs::read(&path).unwrap(), b"first");
		}
	}

	#[test]
	fn what_a_crash_left_of_a_draft_is_taken_over() {
		let (directory, path) = fixture();
		fs::write(draft_path(&path), b"longer than what comes").unwrap();
		replace(&path, Mode::Ordinary, b"short").unwrap();
		assert_eq!(fs::read(&path).unwrap(), b"short");
		assert_eq!(files(&directory), 1);
	}

	#[test]
	fn a_private_file_is_its_owners_alone() {
		for begin in BEGIN {
			let (_directory, path) = fixture();
			let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
			fs::write(&path, b"").unwrap();
			let umasked = mode(&path);
			for (asked, expected) in [(Mode::Private, 0o600), (Mode::Ordinary, umasked)] {
				let draft = begin(&path, asked).unwrap();
				assert_eq!(
					draft.file().metadata().unwrap().permissions().mode() & 0o777,
					expected
				);
				draft.replace().unwrap();
				assert_eq!(mode(&path), expected);
			}
		}
	}

	#[test]
	fn remove_leaves_neither_file_nor_draft() {
		let (directory, path) = fixture();
		remove(&path).unwrap();
		for leave in [
			vec![path.clone()],
			vec![draft_path(&path)],
			vec![path.clone(), draft_path(&path)],
		] {
			for file in leave {
				fs::write(file, b"").unwrap();
			}
			remove(&path).unwrap();
			assert_eq!(files(&directory), 0);
		}
	}

	#[test]
	fn what_cannot_be_done_is_said() {
		for begin in BEGIN {
			let (directory, path) = fixture();
			let missing = path.join("file");
			assert_eq!(
				begin(&missing, Mode::Private).unwrap_err().kind(),
				ErrorKind::NotFound
			);
			// No file takes the place of a directory that holds something.
			fs::create_dir(&path).unwrap();
			fs::write(path.join("inside"), b"").unwrap();
			begin(&path, Mode::Private).unwrap().replace().unwrap_err();
			assert_eq!(files(&directory), 1, "no draft is left");
		}
		let nameless = Draft::in_own_directory(Path::new("/"), Mode::Private).unwrap_err();
		assert_eq!(nameless.kind(), ErrorKind::InvalidInput);
	}

	#[test]
	fn a_bare_name_is_in_the_current_directory() {
		assert_eq!(directory_of(Path::new("file")), Path::new("."));
		assert_eq!(directory_of(Path::new("in/file")), Path::new("in"));
		assert_eq!(directory_of(Path::new("/file")), Path::new("/"));
	}
}
