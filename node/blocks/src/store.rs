//! Blocks in flat files, named by their CID.
//!
//! A block comes into being by a rename of a file that was written and synchronised beforehand, so under its final name
//! a file is whole or absent, whatever moment the process or the machine dies at. [`BlockStore::put`] and
//! [`BlockStore::put_batch`] return after the name itself is on the disk too.

use crate::block::{check_cid, digest_prefix, matches, BlockSource, CidError, MAX_BLOCK_BYTES};
use cid::Cid;
use opensand_durable_file::{draft_path, replace, Mode};
use parking_lot::Mutex;
use rustix::fs::{flock, FlockOperation};
use std::{
	fs::{self, File, OpenOptions},
	io::{self, ErrorKind, Read, Write},
	path::{Path, PathBuf},
	sync::atomic::{AtomicU64, Ordering},
};
use thiserror::Error;

const LOG_TARGET: &str = "storage::blocks";

/// What the file `VERSION` holds.
const VERSION: &str = "opensand-blocks 1\n";
const VERSION_FILE: &str = "VERSION";
const LOCK_FILE: &str = "LOCK";
const BLOCKS: &str = "blocks";
const TEMPORARY: &str = "temporary";
const QUARANTINE: &str = "quarantine";

/// Directories over which the files are spread, by the first ten bits of the digest.
const SHARDS: u16 = 1024;
/// Damaged blocks that are kept for whoever looks into the disk; further ones are removed.
const MAX_QUARANTINED: usize = 32;

/// Why the store could not do what it was asked. Nothing that was acknowledged before is lost by an error.
#[derive(Debug, Error)]
pub enum StoreError {
	/// The CID names no block of this network.
	#[error("{0}")]
	Cid(#[from] CidError),
	/// The bytes are not the block that the CID names: fetch it again, from somebody else.
	#[error("these bytes are not block {0}; fetch it again from somebody else")]
	WrongHash(Cid),
	/// The block is longer than [`MAX_BLOCK_BYTES`]: split the file into smaller blocks.
	#[error("block {cid} has {bytes} bytes, and at most {MAX_BLOCK_BYTES} are kept in one block")]
	TooLong {
		/// The block.
		cid: Cid,
		/// Its length.
		bytes: usize,
	},
	/// The quota is used up: remove blocks, or open the store with a larger quota.
	#[error("{needed} bytes do not fit: {used} of {quota} are used; remove blocks or raise the quota")]
	QuotaExceeded {
		/// Bytes of the blocks that were to be added.
		needed: u64,
		/// Bytes in use.
		used: u64,
		/// Bytes that may be in use.
		quota: u64,
	},
	/// The file system takes no more: free space on it, or lower the quota below what it has.
	#[error("the file system of {path} is full; free space on it, and set the quota below what it can hold")]
	DiskFull {
		/// The file that could not be written.
		path: PathBuf,
	},
	/// The block's file was damaged. It is moved aside, so that the block is missing from now on: restore it from the other
	/// shards, and check the disk.
	#[error("block {0} is damaged on the disk and was moved to quarantine; restore it, and check the disk")]
	Corrupt(Cid),
	/// Another process has the store open: stop it, or use another directory.
	#[error("{0} is in use by another process; stop that one, or use another directory")]
	Locked(PathBuf),
	/// The directory has a store of another version, or something else: use a directory of its own.
	#[error("{0} holds something that is no block store of version 1; use another directory")]
	NotAStore(PathBuf),
	/// The file system reports an error.
	#[error("{path}: {source}; check the disk and the permissions")]
	Io {
		/// The file or directory.
		path: PathBuf,
		/// What the system says.
		source: io::Error,
	},
}

impl StoreError {
	fn io(path: &Path, source: io::Error) -> Self {
		match source.kind() {
			ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
				Self::DiskFull { path: path.into() }
			}
			_ => Self::Io {
				path: path.into(),
				source,
			},
		}
	}
}

/// Attaches the path to errors of the system.
trait AtPath<T> {
	fn at(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> AtPath<T> for io::Result<T> {
	fn at(self, path: &Path) -> Result<T, StoreError> {
		self.map_err(|source| StoreError::io(path, source))
	}
}

/// A store of blocks in a directory of its own. All methods block on the disk and can be called from many threads.
pub struct BlockStore {
	root: PathBuf,
	quota: u64,
	/// Bytes of the blocks in place, and of those that are about to be.
	used: AtomicU64,
	/// Number of the next temporary file.
	next_temporary: AtomicU64,
	/// Held while names appear or go, so that `used` says what the names say.
	names: Mutex<()>,
	/// The locked file. The system unlocks it when the process ends, however it ends.
	_lock: File,
}

impl BlockStore {
	/// Opens the store in a directory, which is made where it is missing. What a crash left half written is removed, and the
	/// bytes in use are counted anew.
	///
	/// `quota` is the most bytes that blocks may have together. A store that holds more already opens, and takes no more.
	pub fn open(directory: impl Into<PathBuf>, quota: u64) -> Result<Self, StoreError> {
		let root = directory.into();
		fs::create_dir_all(&root).at(&root)?;
		let lock = lock(&root)?;
		check_version(&root)?;
		let temporary = root.join(TEMPORARY);
		for directory in [&temporary, &root.join(QUARANTINE), &root.join(BLOCKS)] {
			fs::create_dir_all(directory).at(directory)?;
		}
		create_shards(&root.join(BLOCKS))?;
		for entry in fs::read_dir(&temporary).at(&temporary)? {
			let path = entry.at(&temporary)?.path();
			fs::remove_file(&path).at(&path)?;
		}
		sync_directory(&root)?;

		let store = Self {
			root,
			quota,
			used: AtomicU64::new(0),
			next_temporary: AtomicU64::new(0),
			names: Mutex::new(()),
			_lock: lock,
		};
		let used = store.count_used()?;
		store.used.store(used, Ordering::Release);
		Ok(store)
	}

	/// Bytes of all blocks.
	pub fn used_bytes(&self) -> u64 {
		self.used.load(Ordering::Acquire)
	}

	/// The most bytes that blocks may have together.
	pub fn quota_bytes(&self) -> u64 {
		self.quota
	}

	/// Stores a block. When this returns, the block survives a crash of the process and of the machine.
	pub fn put(&self, cid: &Cid, bytes: &[u8]) -> Result<(), StoreError> {
		self.put_all(&[(cid, bytes)])
	}

	/// Stores many blocks, and waits for the disk once for all of them. After an error some of them may be stored.
	pub fn put_batch(&self, blocks: &[(Cid, Vec<u8>)]) -> Result<(), StoreError> {
		let blocks: Vec<_> = blocks
			.iter()
			.map(|(cid, bytes)| (cid, bytes.as_slice()))
			.collect();
		self.put_all(&blocks)
	}

	/// The bytes of a block, or nothing where it is not held. They were checked against the CID.
	///
	/// A damaged block is moved aside and reported as [`StoreError::Corrupt`] once; from then on it is not held.
	pub fn get(&self, cid: &Cid) -> Result<Option<Vec<u8>>, StoreError> {
		check_cid(cid)?;
		let path = self.path(cid);
		match read(&path)? {
			None => Ok(None),
			Some(bytes) if matches(cid, &bytes) => Ok(Some(bytes)),
			Some(_) => self.quarantine(cid, &path),
		}
	}

	/// Whether a block is held, without looking at its bytes.
	pub fn has(&self, cid: &Cid) -> Result<bool, StoreError> {
		check_cid(cid)?;
		Ok(length(&self.path(cid))?.is_some())
	}

	/// Removes a block and says whether it was held. A crash right afterwards may bring it back.
	pub fn remove(&self, cid: &Cid) -> Result<bool, StoreError> {
		check_cid(cid)?;
		let path = self.path(cid);
		let _names = self.names.lock();
		let Some(bytes) = length(&path)? else {
			return Ok(false);
		};
		fs::remove_file(&path).at(&path)?;
		self.release(bytes);
		Ok(true)
	}

	/// The CIDs of all blocks, in no order. Blocks that come or go meanwhile may be among them or not.
	pub fn iter(&self) -> impl Iterator<Item = Result<Cid, StoreError>> + '_ {
		self.files().filter_map(|file| match file {
			Ok((cid, _)) => cid.map(Ok),
			Err(error) => Some(Err(error)),
		})
	}

	fn put_all(&self, blocks: &[(&Cid, &[u8])]) -> Result<(), StoreError> {
		let mut missing = Vec::with_capacity(blocks.len());
		for &(cid, bytes) in blocks {
			check_cid(cid)?;
			if bytes.len() > MAX_BLOCK_BYTES {
				return Err(StoreError::TooLong {
					cid: *cid,
					bytes: bytes.len(),
				});
			}
			if !matches(cid, bytes) {
				return Err(StoreError::WrongHash(*cid));
			}
			// What is there is read in full, so that a damaged copy is replaced and not taken for the block.
			match self.get(cid) {
				Ok(Some(_)) => {}
				Ok(None) | Err(StoreError::Corrupt(_)) => missing.push((cid, bytes)),
				Err(error) => return Err(error),
			}
		}
		let mut batch = Batch::reserve(self, missing.iter().map(|(_, bytes)| bytes.len() as u64).sum())?;
		for (cid, bytes) in missing {
			batch.write(cid, bytes)?;
		}
		batch.commit()?;
		// Names of blocks that were there already may have been made a moment ago by somebody who has not synchronised yet.
		self.sync_names(blocks.iter().map(|(cid, _)| *cid))
	}

	/// Synchronises the directories that hold these blocks' names.
	fn sync_names<'a>(&self, cids: impl Iterator<Item = &'a Cid>) -> Result<(), StoreError> {
		let mut directories: Vec<_> = cids.map(|cid| self.shard_directory(shard_of(cid))).collect();
		directories.sort_unstable();
		directories.dedup();
		match directories.as_slice() {
			[] => Ok(()),
			[one] => sync_directory(one),
			_ if sync_file_system(&self.root)? => Ok(()),
			many => many.iter().try_for_each(|directory| sync_directory(directory)),
		}
	}

	/// Moves a damaged block aside.
	fn quarantine(&self, cid: &Cid, path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
		let _names = self.names.lock();
		// Meanwhile it may have been stored anew, or somebody else may have found the damage.
		match read(path)? {
			None => return Ok(None),
			Some(bytes) if matches(cid, &bytes) => return Ok(Some(bytes)),
			Some(_) => {}
		}
		let bytes = length(path)?.unwrap_or_default();
		let directory = self.root.join(QUARANTINE);
		let kept = fs::read_dir(&directory).at(&directory)?.count();
		if kept < MAX_QUARANTINED {
			let aside = directory.join(cid.to_string());
			fs::rename(path, &aside).at(&aside)?;
		} else {
			fs::remove_file(path).at(path)?;
		}
		self.release(bytes);
		log::error!(
			target: LOG_TARGET,
			"block {cid} is damaged on the disk: moved from {} to quarantine; check the disk",
			path.display(),
		);
		Err(StoreError::Corrupt(*cid))
	}

	/// Takes bytes off the account.
	fn release(&self, bytes: u64) {
		self.used.fetch_sub(bytes, Ordering::AcqRel);
	}

	fn shard_directory(&self, shard: u16) -> PathBuf {
		self.root.join(BLOCKS).join(shard_name(shard))
	}

	fn path(&self, cid: &Cid) -> PathBuf {
		self.shard_directory(shard_of(cid)).join(cid.to_string())
	}

	fn count_used(&self) -> Result<u64, StoreError> {
		let mut used = 0u64;
		let mut strange = 0u64;
		for file in self.files() {
			match file? {
				(Some(_), bytes) => used = used.saturating_add(bytes),
				(None, _) => strange += 1,
			}
		}
		if strange > 0 {
			log::warn!(
				target: LOG_TARGET,
				"{}: {strange} files are not named as blocks are; they are left alone",
				self.root.display(),
			);
		}
		Ok(used)
	}

	/// All files among the blocks: the block that the name stands for, if it does, and the length.
	fn files(&self) -> impl Iterator<Item = Result<(Option<Cid>, u64), StoreError>> + '_ {
		(0..SHARDS).flat_map(move |shard| {
			let directory = self.shard_directory(shard);
			let (entries, failure) = match fs::read_dir(&directory) {
				Ok(entries) => (Some(entries), None),
				Err(error) => (None, Some(Err(StoreError::io(&directory, error)))),
			};
			let files = entries.into_iter().flatten().filter_map(move |entry| {
				let entry = match entry {
					Ok(entry) => entry,
					Err(error) => return Some(Err(StoreError::io(&directory, error))),
				};
				let bytes = match entry.metadata() {
					Ok(metadata) => metadata.len(),
					// It was removed since the directory was read.
					Err(error) if error.kind() == ErrorKind::NotFound => return None,
					Err(error) => return Some(Err(StoreError::io(&entry.path(), error))),
				};
				Some(Ok((
					block_of_name(&entry.file_name().to_string_lossy(), shard),
					bytes,
				)))
			});
			failure.into_iter().chain(files)
		})
	}
}

impl BlockSource for BlockStore {
	fn get(&self, cid: &Cid) -> Option<Vec<u8>> {
		match self.get(cid) {
			Ok(block) => block,
			// It has been logged where it was found.
			Err(StoreError::Corrupt(_)) => None,
			Err(error) => {
				log::error!(target: LOG_TARGET, "block {cid} cannot be read: {error}");
				None
			}
		}
	}

	fn has(&self, cid: &Cid) -> bool {
		self.has(cid).unwrap_or(false)
	}
}

/// Blocks on their way into the store. Dropped before [`Batch::commit`], it leaves nothing behind.
struct Batch<'a> {
	store: &'a BlockStore,
	/// Bytes that are on the store's account for blocks that are not in place yet.
	reserved: u64,
	written: Vec<Written>,
}

struct Written {
	file: File,
	temporary: PathBuf,
	place: PathBuf,
	bytes: u64,
}

impl Written {
	fn sync(&self) -> Result<(), StoreError> {
		self.file.sync_all().at(&self.temporary)
	}
}

impl<'a> Batch<'a> {
	/// Puts the bytes on the account before they are written, so that many writers together keep the quota.
	fn reserve(store: &'a BlockStore, bytes: u64) -> Result<Self, StoreError> {
		let reserve = |used: u64| {
			used.checked_add(bytes)
				.filter(|sum| bytes == 0 || *sum <= store.quota)
		};
		store
			.used
			.fetch_update(Ordering::AcqRel, Ordering::Acquire, reserve)
			.map_err(|used| StoreError::QuotaExceeded {
				needed: bytes,
				used,
				quota: store.quota,
			})?;
		Ok(Self {
			store,
			reserved: bytes,
			written: Vec::new(),
		})
	}

	/// Writes a block to a temporary file.
	fn write(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), StoreError> {
		let number = self.store.next_temporary.fetch_add(1, Ordering::Relaxed);
		let temporary = self.store.root.join(TEMPORARY).join(number.to_string());
		let file = OpenOptions::new()
			.write(true)
			.create_new(true)
			.open(&temporary)
			.at(&temporary)?;
		self.written.push(Written {
			file,
			temporary,
			place: self.store.path(cid),
			bytes: bytes.len() as u64,
		});
		let written = self.written.last_mut().expect("it was pushed above; qed");
		written.file.write_all(bytes).at(&written.temporary)
	}

	/// Synchronises the files, gives them their names, and lets the caller synchronise those.
	fn commit(mut self) -> Result<(), StoreError> {
		match self.written.as_slice() {
			[] => return Ok(()),
			[one] => one.sync()?,
			_ if sync_file_system(&self.store.root)? => {}
			many => many.iter().try_for_each(Written::sync)?,
		}
		let _names = self.store.names.lock();
		while let Some(written) = self.written.pop() {
			// A block that somebody else stored meanwhile is replaced by itself, and counted once.
			let replaced = length(&written.place)?;
			if let Err(error) = fs::rename(&written.temporary, &written.place) {
				let path = written.place.clone();
				self.written.push(written);
				return Err(StoreError::io(&path, error));
			}
			self.reserved -= written.bytes;
			self.store.release(replaced.unwrap_or(0));
		}
		Ok(())
	}
}

impl Drop for Batch<'_> {
	fn drop(&mut self) {
		for written in &self.written {
			if let Err(error) = fs::remove_file(&written.temporary) {
				log::warn!(
					target: LOG_TARGET,
					"{} cannot be removed: {error}; it goes when the store is opened next",
					written.temporary.display(),
				);
			}
		}
		self.store.release(self.reserved);
	}
}

/// Locks the directory for this process.
fn lock(root: &Path) -> Result<File, StoreError> {
	let path = root.join(LOCK_FILE);
	let file = OpenOptions::new()
		.write(true)
		.create(true)
		.truncate(false)
		.open(&path)
		.at(&path)?;
	match flock(&file, FlockOperation::NonBlockingLockExclusive) {
		Ok(()) => Ok(file),
		Err(rustix::io::Errno::WOULDBLOCK) => Err(StoreError::Locked(root.into())),
		Err(error) => Err(StoreError::io(&path, error.into())),
	}
}

/// Marks an empty directory as a store, or checks the mark of one that is in use.
fn check_version(root: &Path) -> Result<(), StoreError> {
	let path = root.join(VERSION_FILE);
	match fs::read_to_string(&path) {
		Ok(text) if text == VERSION => return Ok(()),
		Ok(_) => return Err(StoreError::NotAStore(root.into())),
		Err(error) if error.kind() == ErrorKind::NotFound => {}
		Err(error) => return Err(StoreError::io(&path, error)),
	}
	// A crash right here leaves the lock and the mark's draft, and nothing else.
	let draft = draft_path(&path);
	for entry in fs::read_dir(root).at(root)? {
		let entry = entry.at(root)?.path();
		if entry != draft && entry != root.join(LOCK_FILE) {
			return Err(StoreError::NotAStore(root.into()));
		}
	}
	replace(&path, Mode::Ordinary, VERSION.as_bytes()).at(&path)
}

/// Makes all directories for blocks, so that none has to be made, and synchronised, while blocks arrive.
fn create_shards(blocks: &Path) -> Result<(), StoreError> {
	let mut made = false;
	for shard in 0..SHARDS {
		let directory = blocks.join(shard_name(shard));
		match fs::create_dir(&directory) {
			Ok(()) => made = true,
			Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
			Err(error) => return Err(StoreError::io(&directory, error)),
		}
	}
	if made {
		sync_directory(blocks)?;
	}
	Ok(())
}

fn shard_of(cid: &Cid) -> u16 {
	u16::from_be_bytes(digest_prefix(cid)) / (u16::MAX / SHARDS + 1)
}

fn shard_name(shard: u16) -> String {
	format!("{shard:03x}")
}

/// The block that a file's name in a shard's directory stands for, if the store would have named a file so.
fn block_of_name(name: &str, shard: u16) -> Option<Cid> {
	let cid = crate::block::parse_cid(name).ok()?;
	(cid.to_string() == name && shard_of(&cid) == shard).then_some(cid)
}

/// The length of a file, if it is there.
fn length(path: &Path) -> Result<Option<u64>, StoreError> {
	match fs::metadata(path) {
		Ok(metadata) => Ok(Some(metadata.len())),
		Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
		Err(error) => Err(StoreError::io(path, error)),
	}
}

/// A file's bytes, if it is there. Of a file too long for a block, one byte more than blocks have.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
	let file = match File::open(path) {
		Ok(file) => file,
		Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
		Err(error) => return Err(StoreError::io(path, error)),
	};
	let limit = MAX_BLOCK_BYTES as u64 + 1;
	let length = file.metadata().at(path)?.len().min(limit);
	let mut bytes = Vec::with_capacity(length as usize);
	file.take(limit).read_to_end(&mut bytes).at(path)?;
	Ok(Some(bytes))
}

/// Waits until the names in a directory are on the disk.
fn sync_directory(path: &Path) -> Result<(), StoreError> {
	opensand_durable_file::sync_directory(path).at(path)
}

/// Waits until everything written to the file system of `path` is on the disk: one wait for any number of files. Says
/// whether the system can do that; where it cannot, every file and directory has to be waited for.
#[cfg(target_os = "linux")]
fn sync_file_system(path: &Path) -> Result<bool, StoreError> {
	let directory = File::open(path).at(path)?;
	rustix::fs::syncfs(&directory).map_err(io::Error::from).at(path)?;
	Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &Path) -> Result<bool, StoreError> {
	Ok(false)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
