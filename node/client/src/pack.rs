//! The blocks of one transfer, in one file that only grows.
//!
//! A transfer's blocks are written once, read once or twice, and deleted together, so they need none of what a provider's
//! store does for each of them. The file is
//!
//! ```text
//! "opensand-pack 1\n", and then for each block
//!     36 bytes   its CID; a digest of zeroes: set aside, since its bytes were damaged
//!      4 bytes   its length, little-endian
//!                its bytes
//! ```
//!
//! Where each block is stands in memory, 48 bytes a block, and is read from the file when it is opened. What a crash left
//! half written is at the end, and is cut off then. Bytes are on the disk after [`Pack::sync`], and need not be before:
//! a block that a crash of the machine damages does not match its CID, and is fetched or encoded again.

use std::{
	collections::HashMap,
	fs::{File, TryLockError},
	io,
	os::unix::fs::{FileExt, OpenOptionsExt},
	path::{Path, PathBuf},
	sync::{Mutex, MutexGuard, PoisonError},
};

use opensand_blocks::{check_cid, decode_cid, Cid, CidError, Codec, CID_BYTES, MAX_BLOCK_BYTES};
use thiserror::Error;

use crate::places;

const MAGIC: &[u8; 16] = b"opensand-pack 1\n";
const FILE: &str = "pack";
const DIGEST_BYTES: usize = 32;
/// Bytes before those of a block.
const HEADER_BYTES: usize = CID_BYTES + 4;
/// Where the digest is in a CID's bytes: they end with it.
const DIGEST_AT: u64 = (CID_BYTES - DIGEST_BYTES) as u64;

/// Why blocks cannot be kept. Blocks that were there are there still.
#[derive(Debug, Error)]
pub enum PackError {
	/// The CID names no block of this network.
	#[error(transparent)]
	Cid(#[from] CidError),
	/// The block is longer than blocks may be.
	#[error("block {cid} has {bytes} bytes, and at most {MAX_BLOCK_BYTES} are kept in one block")]
	TooLong {
		/// The block.
		cid: Cid,
		/// Its length.
		bytes: usize,
	},
	/// Another process works on the same transfer.
	#[error("another process uses {}", .0.display())]
	Busy(PathBuf),
	/// The file is something else.
	#[error("{} holds no blocks of this version of the client", .0.display())]
	Foreign(PathBuf),
	/// The operating system refused.
	#[error("cannot {action} {}: {source}", path.display())]
	File {
		/// What was tried, as a verb.
		action: &'static str,
		/// On which path.
		path: PathBuf,
		/// Why not.
		source: io::Error,
	},
}

impl PackError {
	/// What to do about it.
	pub fn remedy(&self) -> &'static str {
		match self {
			Self::Cid(_) | Self::TooLong { .. } => "whoever made these data made them wrongly; ask it to store them again",
			Self::Busy(_) => "wait for it, or end it; the same command then goes on where it stopped",
			Self::Foreign(_) => "delete that file, and run the same command again",
			Self::File { .. } => {
				"the cache directory (--cache-dir) needs space, and has to be writable; run the same command again then"
			}
		}
	}
}

/// Where a block's bytes are.
#[derive(Clone, Copy)]
struct Place {
	offset: u64,
	bytes: u32,
}

/// What is known of the file.
#[derive(Default)]
struct Index {
	/// By digest: blocks of two codecs with one digest have the same bytes.
	places: HashMap<[u8; DIGEST_BYTES], Place>,
	/// Where the next block goes.
	end: u64,
}

/// See the module's description. All methods block on the disk and can be called from many threads.
pub struct Pack {
	directory: PathBuf,
	path: PathBuf,
	/// Locked as long as it is open; the system unlocks it when the process ends, however it ends.
	file: File,
	index: Mutex<Index>,
}

impl Pack {
	/// Opens the blocks in a directory of their own, which is made where it is missing.
	///
	/// # Errors
	/// When another process has them open, or they cannot be read.
	pub fn open(directory: impl Into<PathBuf>) -> Result<Self, PackError> {
		let directory = directory.into();
		places::create(&directory).map_err(failed("create", &directory))?;
		let path = directory.join(FILE);
		let file = File::options()
			.read(true)
			.write(true)
			.create(true)
			.truncate(false)
			.mode(0o600)
			.open(&path)
			.map_err(failed("open", &path))?;
		match file.try_lock() {
			Ok(()) => {}
			Err(TryLockError::WouldBlock) => return Err(PackError::Busy(path)),
			Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
		}
		let index = read_index(&file, &path)?;
		Ok(Self {
			directory,
			path,
			file,
			index: Mutex::new(index),
		})
	}

	/// Whether a block is here, without looking at its bytes.
	///
	/// # Errors
	/// When the CID names no block.
	pub fn has(&self, cid: &Cid) -> Result<bool, PackError> {
		check_cid(cid)?;
		Ok(self.index().places.contains_key(&digest_of(cid)))
	}

	/// A block's bytes, checked against its CID. One that is damaged is set aside, and is not here from then on.
	///
	/// # Errors
	/// When the file cannot be read.
	pub fn get(&self, cid: &Cid) -> Result<Option<Vec<u8>>, PackError> {
		let codec = check_cid(cid)?;
		match self.read(cid)? {
			Some(bytes) if codec.cid(&bytes) == *cid => Ok(Some(bytes)),
			Some(_) => {
				self.set_aside(cid)?;
				Ok(None)
			}
			None => Ok(None),
		}
	}

	/// A block's bytes, for a reader that checks them itself and calls [`Self::set_damaged_aside`] if they are not right.
	///
	/// # Errors
	/// When the file cannot be read.
	pub fn read(&self, cid: &Cid) -> Result<Option<Vec<u8>>, PackError> {
		check_cid(cid)?;
		let Some(place) = self.index().places.get(&digest_of(cid)).copied() else {
			return Ok(None);
		};
		let mut bytes = vec![0; place.bytes as usize];
		self.file
			.read_exact_at(&mut bytes, place.offset)
			.map_err(failed("read", &self.path))?;
		Ok(Some(bytes))
	}

	/// Keeps a block whose bytes have been checked. It survives the end of the process from now on, and a crash of the
	/// machine from the next [`Self::sync`] on.
	///
	/// # Errors
	/// When it cannot be written.
	pub fn put(&self, cid: &Cid, bytes: &[u8]) -> Result<(), PackError> {
		check_cid(cid)?;
		if bytes.len() > MAX_BLOCK_BYTES {
			return Err(PackError::TooLong {
				cid: *cid,
				bytes: bytes.len(),
			});
		}
		// What an earlier run wrote may have been damaged since: it is read before it is relied on.
		if self.has(cid)? && self.get(cid)?.is_some() {
			return Ok(());
		}
		let length = bytes.len() as u32;
		let mut header = cid.to_bytes();
		header.extend_from_slice(&length.to_le_bytes());
		let mut index = self.index();
		let offset = index.end + HEADER_BYTES as u64;
		let written = self
			.file
			.write_all_at(&header, index.end)
			.and_then(|()| self.file.write_all_at(bytes, offset));
		if let Err(source) = written {
			// If that fails as well, the next block or the next open does away with the rest.
			let _ = self.file.set_len(index.end);
			return Err(failed("write", &self.path)(source));
		}
		let place = Place {
			offset,
			bytes: length,
		};
		index.places.insert(digest_of(cid), place);
		index.end = offset + u64::from(length);
		Ok(())
	}

	/// Keeps blocks whose bytes have been checked.
	///
	/// # Errors
	/// When one cannot be written; those before it are kept.
	pub fn put_batch(&self, blocks: &[(Cid, Vec<u8>)]) -> Result<(), PackError> {
		blocks.iter().try_for_each(|(cid, bytes)| self.put(cid, bytes))
	}

	/// Waits until everything that was put is on the disk.
	///
	/// # Errors
	/// When the disk does not take it.
	pub fn sync(&self) -> Result<(), PackError> {
		self.file.sync_all().map_err(failed("write", &self.path))?;
		opensand_durable_file::sync_directory(&self.directory).map_err(failed("write", &self.directory))
	}

	/// Reads all blocks and sets aside those that do not match their CIDs. Returns how many they were.
	///
	/// # Errors
	/// When the file cannot be read or written.
	pub fn set_damaged_aside(&self) -> Result<usize, PackError> {
		let digests: Vec<_> = self.index().places.keys().copied().collect();
		let mut damaged = 0;
		for digest in digests {
			let cid = Codec::Raw.cid_of_digest(&digest);
			if self.get(&cid)?.is_none() {
				damaged += 1;
			}
		}
		Ok(damaged)
	}

	/// Makes a block one that is not here, also for those who open the file later.
	fn set_aside(&self, cid: &Cid) -> Result<(), PackError> {
		let mut index = self.index();
		let digest = digest_of(cid);
		if let Some(place) = index.places.get(&digest) {
			let at = place.offset - HEADER_BYTES as u64 + DIGEST_AT;
			self.file
				.write_all_at(&[0; DIGEST_BYTES], at)
				.map_err(failed("write", &self.path))?;
			index.places.remove(&digest);
		}
		Ok(())
	}

	fn index(&self) -> MutexGuard<'_, Index> {
		self.index.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Finds the blocks of a file, and cuts off what follows the last whole one.
fn read_index(file: &File, path: &Path) -> Result<Index, PackError> {
	let length = file.metadata().map_err(failed("read", path))?.len();
	let mut magic = [0; MAGIC.len()];
	let known = usize::try_from(length).map_or(magic.len(), |length| length.min(magic.len()));
	let beginning = &mut magic[..known];
	file.read_exact_at(beginning, 0).map_err(failed("read", path))?;
	if *beginning != MAGIC[..known] {
		return Err(PackError::Foreign(path.to_owned()));
	}
	if known < MAGIC.len() {
		file.write_all_at(MAGIC, 0).map_err(failed("write", path))?;
	}
	let mut index = Index {
		end: MAGIC.len() as u64,
		..Index::default()
	};
	let mut header = [0; HEADER_BYTES];
	while index.end + HEADER_BYTES as u64 <= length {
		file.read_exact_at(&mut header, index.end)
			.map_err(failed("read", path))?;
		let offset = index.end + HEADER_BYTES as u64;
		let Some((digest, bytes)) = decode_header(&header) else {
			break;
		};
		if offset + u64::from(bytes) > length {
			break;
		}
		index.end = offset + u64::from(bytes);
		if digest != [0; DIGEST_BYTES] {
			index.places.insert(digest, Place { offset, bytes });
		}
	}
	if index.end < length {
		file.set_len(index.end).map_err(failed("cut", path))?;
	}
	Ok(index)
}

/// The digest and the length of the block that follows a header; `None` if it is no header.
pub fn decode_header(header: &[u8; HEADER_BYTES]) -> Option<([u8; DIGEST_BYTES], u32)> {
	let (cid, length) = header.split_last_chunk::<4>()?;
	let cid = decode_cid(cid).ok()?;
	let length = u32::from_le_bytes(*length);
	(length as usize <= MAX_BLOCK_BYTES).then(|| (digest_of(&cid), length))
}

/// The digest in a CID that names a block.
fn digest_of(cid: &Cid) -> [u8; DIGEST_BYTES] {
	cid.hash().digest().try_into().unwrap_or_default()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PackError {
	let path = path.to_owned();
	move |source| PackError::File { action, path, source }
}

#[cfg(test)]
impl Pack {
	/// The digests of all blocks.
	pub fn digests(&self) -> std::collections::HashSet<[u8; 32]> {
		self.index().places.keys().copied().collect()
	}

	/// Bytes of all blocks.
	pub fn bytes(&self) -> u64 {
		self.index()
			.places
			.values()
			.map(|place| u64::from(place.bytes))
			.sum()
	}

	/// Makes a block one that is not here.
	pub fn remove(&self, digest: &[u8; 32]) {
		self.set_aside(&Codec::Raw.cid_of_digest(digest)).unwrap();
	}
}

#[cfg(test)]
mod tests {
	use std::{
		fs,
		io::{BufRead, BufReader, Write},
		process::{Command, Stdio},
		time::Duration,
	};

	use proptest::prelude::*;

	use super::*;

	/// A block of its own for each number, of a length that differs from number to number.
	fn block(number: u32) -> (Cid, Vec<u8>) {
		let length = 1 + (number as usize * 7_919) % 60_000;
		let bytes: Vec<u8> = (0..length)
			.map(|index| (index as u32 ^ (number.wrapping_mul(0x9e37_79b9) >> (index % 24))) as u8)
			.collect();
		let codec = if number.is_multiple_of(3) {
			Codec::DagPb
		} else {
			Codec::Raw
		};
		(codec.cid(&bytes), bytes)
	}

	struct Fixture {
		root: tempfile::TempDir,
	}

	impl Fixture {
		fn new() -> Self {
			Self {
				root: tempfile::tempdir().unwrap(),
			}
		}

		fn directory(&self) -> PathBuf {
			self.root.path().join("blocks")
		}

		fn file(&self) -> PathBuf {
			self.directory().join(FILE)
		}

		fn open(&self) -> Pack {
			Pack::open(self.directory()).unwrap()
		}

		/// Changes the file while nobody has it open.
		fn change(&self, change: impl FnOnce(&mut Vec<u8>)) {
			let mut bytes = fs::read(self.file()).unwrap();
			change(&mut bytes);
			fs::write(self.file(), bytes).unwrap();
		}
	}

	#[test]
	fn blocks_come_back_also_after_reopening() {
		let fixture = Fixture::new();
		let pack = fixture.open();
		let blocks: Vec<_> = (0..20).map(block).collect();
		let empty = (Codec::Raw.cid(b""), Vec::new());
		pack.put_batch(&blocks).unwrap();
		pack.put(&empty.0, &empty.1).unwrap();
		pack.sync().unwrap();
		let length = fs::metadata(fixture.file()).unwrap().len();
		let check = |pack: &Pack| {
			for (cid, bytes) in blocks.iter().chain([&empty]) {
				assert!(pack.has(cid).unwrap());
				assert_eq!(pack.get(cid).unwrap().as_ref(), Some(bytes));
				// What is here is not written again.
				pack.put(cid, bytes).unwrap();
			}
			let (absent, _) = block(99);
			assert!(!pack.has(&absent).unwrap());
			assert_eq!(pack.get(&absent).unwrap(), None);
			assert_eq!(fs::metadata(fixture.file()).unwrap().len(), length);
		};
		check(&pack);
		drop(pack);
		check(&fixture.open());
	}

	#[test]
	fn a_torn_end_is_cut_and_written_anew() {
		let fixture = Fixture::new();
		let blocks: Vec<_> = (1..4).map(block).collect();
		fixture.open().put_batch(&blocks).unwrap();
		let whole = fs::read(fixture.file()).unwrap();
		let last = HEADER_BYTES + blocks[2].1.len();
		for missing in [1, blocks[2].1.len(), last - CID_BYTES, last - 1] {
			fs::write(fixture.file(), &whole[..whole.len() - missing]).unwrap();
			let pack = fixture.open();
			assert_eq!(
				fs::metadata(fixture.file()).unwrap().len(),
				(whole.len() - last) as u64,
				"{missing} bytes are missing"
			);
			assert_eq!(pack.get(&blocks[0].0).unwrap().as_ref(), Some(&blocks[0].1));
			assert_eq!(pack.get(&blocks[1].0).unwrap().as_ref(), Some(&blocks[1].1));
			assert!(!pack.has(&blocks[2].0).unwrap());
			pack.put(&blocks[2].0, &blocks[2].1).unwrap();
			drop(pack);
			assert!(fs::read(fixture.file()).unwrap() == whole);
		}
		// What a crash of the machine leaves where bytes had not reached the disk.
		fixture.change(|bytes| bytes.extend([0; 5_000]));
		let pack = fixture.open();
		assert_eq!(fs::metadata(fixture.file()).unwrap().len(), whole.len() as u64);
		assert_eq!(pack.digests().len(), 3);
	}

	#[test]
	fn a_beginning_that_is_torn_is_written_anew() {
		let fixture = Fixture::new();
		drop(fixture.open());
		fixture.change(|bytes| bytes.truncate(5));
		let (cid, bytes) = block(1);
		fixture.open().put(&cid, &bytes).unwrap();
		assert_eq!(fixture.open().get(&cid).unwrap(), Some(bytes));
	}

	#[test]
	fn a_flipped_bit_makes_a_block_missing_for_good() {
		let fixture = Fixture::new();
		let blocks: Vec<_> = (1..4).map(block).collect();
		fixture.open().put_batch(&blocks).unwrap();
		let at = MAGIC.len() + HEADER_BYTES + blocks[0].1.len() + HEADER_BYTES + blocks[1].1.len() / 2;
		fixture.change(|bytes| bytes[at] ^= 4);

		let pack = fixture.open();
		assert!(pack.has(&blocks[1].0).unwrap(), "nobody has looked yet");
		assert_eq!(pack.get(&blocks[1].0).unwrap(), None);
		assert!(!pack.has(&blocks[1].0).unwrap());
		drop(pack);
		let pack = fixture.open();
		assert!(!pack.has(&blocks[1].0).unwrap(), "that is remembered");
		assert_eq!(pack.get(&blocks[2].0).unwrap().as_ref(), Some(&blocks[2].1));
		pack.put(&blocks[1].0, &blocks[1].1).unwrap();
		drop(pack);
		assert_eq!(
			fixture.open().get(&blocks[1].0).unwrap().as_ref(),
			Some(&blocks[1].1)
		);
	}

	#[test]
	fn damage_is_found_by_looking_at_everything_and_by_putting_again() {
		let fixture = Fixture::new();
		let blocks: Vec<_> = (1..4).map(block).collect();
		fixture.open().put_batch(&blocks).unwrap();
		let first = MAGIC.len() + HEADER_BYTES;
		fixture.change(|bytes| bytes[first] ^= 1);
		let pack = fixture.open();
		assert_eq!(pack.set_damaged_aside().unwrap(), 1);
		assert_eq!(pack.set_damaged_aside().unwrap(), 0);
		assert_eq!(pack.digests().len(), 2);
		drop(pack);

		let second = first + blocks[0].1.len() + HEADER_BYTES;
		fixture.change(|bytes| bytes[second] ^= 1);
		let pack = fixture.open();
		pack.put(&blocks[1].0, &blocks[1].1).unwrap();
		assert_eq!(pack.get(&blocks[1].0).unwrap().as_ref(), Some(&blocks[1].1));
	}

	#[test]
	fn one_process_at_a_time_and_no_foreign_files() {
		let fixture = Fixture::new();
		let pack = fixture.open();
		assert!(matches!(Pack::open(fixture.directory()), Err(PackError::Busy(_))));
		drop(pack);
		fs::write(fixture.file(), b"something of the user's").unwrap();
		assert!(matches!(
			Pack::open(fixture.directory()),
			Err(PackError::Foreign(_))
		));
		assert_eq!(fs::read(fixture.file()).unwrap(), b"something of the user's");
	}

	#[test]
	fn what_is_no_block_is_refused() {
		let fixture = Fixture::new();
		let pack = fixture.open();
		let long = vec![0; MAX_BLOCK_BYTES + 1];
		let cid = Codec::Raw.cid(&long);
		assert!(matches!(pack.put(&cid, &long), Err(PackError::TooLong { .. })));
		assert!(!pack.has(&cid).unwrap());
	}

	/// Deleting takes as long as it does for one file: there is nothing else.
	#[test]
	fn all_blocks_are_in_one_file() {
		let fixture = Fixture::new();
		let pack = fixture.open();
		for number in 0..200 {
			let (cid, bytes) = block(number);
			pack.put(&cid, &bytes).unwrap();
		}
		let names: Vec<_> = fs::read_dir(fixture.directory())
			.unwrap()
			.map(|entry| entry.unwrap().file_name())
			.collect();
		assert_eq!(names, [FILE]);
	}

	/// Tells the process that it is the one to be killed, and where to write.
	const DIRECTORY: &str = "OPENSAND_PACK_CRASH_DIRECTORY";
	/// Tells it with which block to begin.
	const FIRST: &str = "OPENSAND_PACK_CRASH_FIRST";

	/// Not a test of its own: the process that [`what_was_put_survives_a_kill`] kills runs it.
	#[test]
	fn writer() {
		let (Ok(directory), Ok(first)) = (std::env::var(DIRECTORY), std::env::var(FIRST)) else {
			return;
		};
		let pack = Pack::open(directory).unwrap();
		let mut out = std::io::stderr().lock();
		for number in first.parse::<u32>().unwrap().. {
			let (cid, bytes) = block(number);
			pack.put(&cid, &bytes).unwrap();
			// One write, so that a kill leaves no half line that reads as a number.
			out.write_all(format!("put {number}.\n").as_bytes()).unwrap();
		}
	}

	#[test]
	fn what_was_put_survives_a_kill() {
		let fixture = Fixture::new();
		let mut put = Vec::new();
		for round in 0..10u32 {
			let mut child = Command::new(std::env::current_exe().unwrap())
				.args(["--exact", "pack::tests::writer", "--nocapture"])
				.env(DIRECTORY, fixture.directory())
				.env(FIRST, (round * 1_000_000).to_string())
				.stdout(Stdio::null())
				.stderr(Stdio::piped())
				.spawn()
				.unwrap();
			let mut numbers = BufReader::new(child.stderr.take().unwrap())
				.lines()
				.map_while(Result::ok)
				.inspect(|line| assert!(!line.contains("panicked"), "{line}"))
				.filter_map(|line| line.strip_prefix("put ")?.strip_suffix('.')?.parse::<u32>().ok());
			let before = put.len();
			put.extend(numbers.by_ref().take(5 + round as usize));
			assert_eq!(
				put.len(),
				before + 5 + round as usize,
				"it writes until it is killed"
			);
			// Another moment of the write each time.
			std::thread::sleep(Duration::from_micros(u64::from(round) * 311));
			child.kill().unwrap();
			child.wait().unwrap();
			put.extend(numbers);

			let pack = fixture.open();
			for number in &put {
				let (cid, bytes) = block(*number);
				assert_eq!(
					pack.get(&cid).unwrap(),
					Some(bytes),
					"block {number} after round {round}"
				);
			}
			// Whatever else is there is whole.
			assert_eq!(pack.set_damaged_aside().unwrap(), 0);
		}
	}

	proptest! {
		#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

		/// Whatever stands after the beginning: what is read is in the file, and is right or missing.
		#[test]
		fn no_file_panics(tail: Vec<u8>, header in any::<bool>(), length: u32) {
			let fixture = Fixture::new();
			drop(fixture.open());
			let (cid, _) = block(1);
			fixture.change(|bytes| {
				if header {
					bytes.extend(cid.to_bytes());
					bytes.extend((length % 100).to_le_bytes());
				}
				bytes.extend(&tail);
			});
			let pack = fixture.open();
			let found = pack.digests().len();
			prop_assert_eq!(pack.set_damaged_aside().unwrap(), found);
			prop_assert_eq!(pack.get(&cid).unwrap(), None);
		}
	}
}
