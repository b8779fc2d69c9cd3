//! What a put keeps on disk so that it can go on after a crash: the blocks, and how far it came.
//!
//! Each file of each account on each chain has a directory of its own below the cache:
//!
//! ```text
//! <cache>/put/<id>/state.json     how far it came, replaced as a whole at every step
//! <cache>/put/<id>/lock           held while a process works on it
//! <cache>/put/<id>/blocks/pack    the shards' blocks and the manifest, ciphertext only
//! ```
//!
//! The file's key stands in the state sealed to the owner's own access key, as the chain keeps it: the directory alone
//! gives nothing away. A step is saved before what it announces is done:
//!
//! - *Encoding* has the key. A restart encodes the same content under it again, which gives the same blocks; if the file
//!   has changed, the directory is emptied and a new key drawn. Nothing has left the machine yet.
//! - *Encoded* has the manifest. From here on the file itself is not needed any more.
//! - *Placing* has the nonce of the transaction that places the order. A restart looks for the order by its manifest,
//!   which no other order has, and else sends a transaction with the same nonce, so that at most one is ever included.
//! - *Placed* has the order. A restart goes on to serve the blocks.

use std::{
	fs::{self, File, TryLockError},
	io,
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	time::UNIX_EPOCH,
};

use opensand_durable_file::{sync_directory, Mode};
use opensand_primitives::{storage::ErasureCode, AccountId, Nonce, OrderId};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::places;

const VERSION: u32 = 1;
const STATE: &str = "state.json";
const LOCK: &str = "lock";
const BLOCKS: &str = "blocks";

/// Why a put cannot use its directory.
#[derive(Debug, Error)]
pub enum StagingError {
	/// The operating system refused.
	#[error("cannot {action} {}: {source}", path.display())]
	File {
		/// What was tried.
		action: &'static str,
		/// On which path.
		path: PathBuf,
		/// Why not.
		source: io::Error,
	},
	/// Another process works on the same file.
	#[error("another process is storing this file (it holds {})", .0.display())]
	Busy(PathBuf),
	/// The state does not decode.
	#[error("{} is damaged: {reason}", path.display())]
	Damaged {
		/// The state's file.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// Written by a newer client.
	#[error("{} was written by a newer client (version {version})", path.display())]
	Newer {
		/// The state's file.
		path: PathBuf,
		/// Its version.
		version: u32,
	},
}

impl StagingError {
	/// What to do about it.
	pub fn remedy(&self) -> Option<String> {
		let text = match self {
			Self::File { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
				"free some space, or choose a larger disk with --cache-dir, and run the same command again"
			}
			Self::File { .. } => return None,
			Self::Busy(_) => "wait for it, or end it; the same command then goes on where it stopped",
			Self::Damaged { .. } => {
				"repeat with --discard to start over; `opensand store ls` shows whether an order was placed already"
			}
			Self::Newer { .. } => "update this client, or start over with --discard",
		};
		Some(text.to_owned())
	}
}

/// What is stored: a file as it was at a time, or an order that is rotated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
	/// A file.
	File {
		/// Its absolute path.
		#[serde(with = "hex_path")]
		path: PathBuf,
		/// Its length.
		bytes: u64,
		/// When it was last changed, in nanoseconds since 1970.
		modified: u64,
	},
	/// The content of an order, under a new key.
	Order {
		/// The order.
		order: OrderId,
	},
}

impl Source {
	/// The file at `path` as it is described by `metadata`.
	///
	/// # Errors
	/// When the path leads nowhere.
	pub fn file(path: &Path, metadata: &fs::Metadata) -> io::Result<Self> {
		let modified = metadata
			.modified()?
			.duration_since(UNIX_EPOCH)
			.unwrap_or_default();
		Ok(Self::File {
			path: fs::canonicalize(path)?,
			bytes: metadata.len(),
			modified: u64::try_from(modified.as_nanos()).unwrap_or(u64::MAX),
		})
	}

	/// What names it among all sources, whatever its content is.
	fn name(&self) -> Vec<u8> {
		match self {
			Self::File { path, .. } => [b"file", path.as_os_str().as_encoded_bytes()].concat(),
			Self::Order { order } => [&b"order"[..], &order.to_le_bytes()].concat(),
		}
	}
}

/// How far a put came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
	/// The key is drawn.
	Encoding,
	/// All blocks are on disk.
	Encoded {
		/// The manifest's digest.
		#[serde(with = "hex_array")]
		manifest: [u8; 32],
	},
	/// The order is on its way.
	Placing {
		/// The manifest's digest.
		#[serde(with = "hex_array")]
		manifest: [u8; 32],
		/// The nonce of the transaction.
		nonce: Nonce,
		/// The owner's orders from this one on may be it.
		from: OrderId,
	},
	/// The order stands on chain.
	Placed {
		/// The manifest's digest.
		#[serde(with = "hex_array")]
		manifest: [u8; 32],
		/// The order.
		order: OrderId,
	},
}

/// Why a file holds no state.
#[derive(Debug, Error)]
pub enum Unreadable {
	/// Not the JSON of a state.
	#[error(transparent)]
	Damaged(#[from] serde_json::Error),
	/// Of a version that this client does not know.
	#[error("version {0} is of a newer client")]
	Newer(u32),
}

/// What a restart needs to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
	version: u32,
	/// What is stored.
	pub source: Source,
	/// Shards that suffice.
	pub data: u8,
	/// Shards in all.
	pub total: u8,
	/// The file's key, sealed to the owner under a manifest digest of zeroes.
	#[serde(with = "hex_bytes")]
	pub sealed_key: Vec<u8>,
	/// Orders of the same manifest that were given up.
	pub abandoned: Vec<OrderId>,
	/// How far it came.
	pub step: Step,
}

impl State {
	/// The first state of a put.
	pub fn new(source: Source, code: ErasureCode, sealed_key: Vec<u8>) -> Self {
		Self {
			version: VERSION,
			source,
			data: code.data,
			total: code.total,
			sealed_key,
			abandoned: Vec::new(),
			step: Step::Encoding,
		}
	}

	/// Reads what [`Self::to_json`] wrote.
	///
	/// # Errors
	/// When it is no state, or one of a newer client.
	pub fn from_json(text: &[u8]) -> Result<Self, Unreadable> {
		#[derive(Deserialize)]
		struct Versioned {
			version: u32,
		}
		let Versioned { version } = serde_json::from_slice(text)?;
		if version > VERSION {
			return Err(Unreadable::Newer(version));
		}
		Ok(serde_json::from_slice(text)?)
	}

	/// The state as its file has it.
	///
	/// # Errors
	/// Never: all of it is text and numbers.
	pub fn to_json(&self) -> Result<Vec<u8>, Unreadable> {
		Ok(serde_json::to_vec_pretty(self)?)
	}

	/// The code.
	pub fn code(&self) -> ErasureCode {
		ErasureCode {
			data: self.data,
			total: self.total,
		}
	}
}

/// A put's directory, which this process alone uses while it has this value.
pub struct Staging {
	directory: PathBuf,
	state: Option<State>,
	_lock: File,
}

impl Staging {
	/// The directory below `root` in which `owner` stores `source` on the chain with this genesis hash.
	///
	/// With `discard` whatever is there is deleted first.
	///
	/// # Errors
	/// When another process uses it, or what is there cannot be read.
	pub fn open(
		root: &Path,
		genesis: &[u8; 32],
		owner: &AccountId,
		source: &Source,
		discard: bool,
	) -> Result<Self, StagingError> {
		let name = [&genesis[..], owner.as_ref(), &source.name()].concat();
		let id = hex::encode(sp_crypto_hashing::blake2_128(&name));
		let directory = root.join(id);
		places::create(&directory).map_err(failed("create", &directory))?;
		let path = directory.join(LOCK);
		let lock = File::options()
			.create(true)
			.truncate(false)
			.write(true)
			.mode(0o600)
			.open(&path)
			.map_err(failed("open", &path))?;
		match lock.try_lock() {
			Ok(()) => {}
			Err(TryLockError::WouldBlock) => return Err(StagingError::Busy(path)),
			Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
		}
		let mut staging = Self {
			directory,
			state: None,
			_lock: lock,
		};
		if discard {
			staging.clear()?;
		} else {
			staging.state = staging.load()?;
		}
		Ok(staging)
	}

	/// How far an earlier run came; `None` for the first.
	pub fn state(&self) -> Option<&State> {
		self.state.as_ref()
	}

	/// Where the blocks are.
	pub fn blocks(&self) -> PathBuf {
		self.directory.join(BLOCKS)
	}

	/// Replaces the state. When it returns, a crash cannot bring the old one back.
	///
	/// # Errors
	/// When it cannot be written; the old one then stands.
	pub fn save(&mut self, state: State) -> Result<(), StagingError> {
		let path = self.directory.join(STATE);
		let text = state.to_json().map_err(|error| StagingError::Damaged {
			path: path.clone(),
			reason: error.to_string(),
		})?;
		opensand_durable_file::replace(&path, Mode::Private, &text).map_err(failed("write", &path))?;
		self.state = Some(state);
		Ok(())
	}

	/// Gives an order up, so that the same blocks can be ordered again.
	///
	/// # Errors
	/// As [`Self::save`].
	pub fn abandon(&mut self, manifest: [u8; 32], order: OrderId) -> Result<(), StagingError> {
		let Some(mut state) = self.state.clone() else {
			return Ok(());
		};
		state.abandoned.push(order);
		self.save(State {
			step: Step::Encoded { manifest },
			..state
		})
	}

	/// Goes on to another step.
	///
	/// # Errors
	/// As [`Self::save`].
	pub fn advance(&mut self, step: Step) -> Result<(), StagingError> {
		let Some(state) = self.state.clone() else {
			return Ok(());
		};
		self.save(State { step, ..state })
	}

	/// Deletes blocks and state, and goes on holding the directory.
	///
	/// # Errors
	/// When something cannot be deleted. The state is deleted first, so that the rest is found to be of no use.
	pub fn clear(&mut self) -> Result<(), StagingError> {
		self.state = None;
		let state = self.directory.join(STATE);
		opensand_durable_file::remove(&state).map_err(failed("delete", &state))?;
		sync_directory(&self.directory).map_err(failed("write", &self.directory))?;
		let blocks = self.blocks();
		absent(fs::remove_dir_all(&blocks)).map_err(failed("delete", &blocks))
	}

	/// Deletes everything.
	///
	/// # Errors
	/// As [`Self::clear`].
	pub fn finish(mut self) -> Result<(), StagingError> {
		self.clear()?;
		absent(fs::remove_dir_all(&self.directory)).map_err(failed("delete", &self.directory))
	}

	fn load(&self) -> Result<Option<State>, StagingError> {
		let path = self.directory.join(STATE);
		let text = match fs::read(&path) {
			Ok(text) => text,
			Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
			Err(source) => return Err(failed("read", &path)(source)),
		};
		State::from_json(&text).map(Some).map_err(|error| match error {
			Unreadable::Newer(version) => StagingError::Newer { path, version },
			Unreadable::Damaged(error) => StagingError::Damaged {
				path,
				reason: error.to_string(),
			},
		})
	}
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StagingError {
	let path = path.to_owned();
	move |source| StagingError::File { action, path, source }
}

/// That there was nothing to delete is as good as deleting it.
fn absent(outcome: io::Result<()>) -> io::Result<()> {
	match outcome {
		Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
		outcome => outcome,
	}
}

mod hex_bytes {
	use serde::{de::Error, Deserialize, Deserializer, Serializer};

	pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&hex::encode(bytes))
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
		let text = String::deserialize(deserializer)?;
		hex::decode(text).map_err(D::Error::custom)
	}
}

/// Paths need not be text.
mod hex_path {
	use std::{
		ffi::OsString,
		os::unix::ffi::{OsStrExt, OsStringExt},
		path::{Path, PathBuf},
	};

	use serde::{Deserializer, Serializer};

	pub fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
		super::hex_bytes::serialize(path.as_os_str().as_bytes(), serializer)
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
		super::hex_bytes::deserialize(deserializer).map(|bytes| OsString::from_vec(bytes).into())
	}
}

mod hex_array {
	use serde::{de::Error, Deserializer, Serializer};

	pub fn serialize<S: Serializer>(bytes: &[u8; 32], serializer: S) -> Result<S::Ok, S::Error> {
		super::hex_bytes::serialize(bytes, serializer)
	}

	pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
		super::hex_bytes::deserialize(deserializer)?
			.try_into()
			.map_err(|_| D::Error::custom("a digest has 32 bytes"))
	}
}

#[cfg(test)]
mod tests {
	use std::os::unix::fs::PermissionsExt;

	use proptest::prelude::*;

	use super::*;

	const GENESIS: [u8; 32] = [9; 32];

	struct Fixture {
		root: tempfile::TempDir,
		source: Source,
	}

	impl Fixture {
		fn new() -> Self {
			let root = tempfile::tempdir().unwrap();
			let path = root.path().join("data");
			fs::write(&path, b"content").unwrap();
			let source = Source::file(&path, &fs::metadata(&path).unwrap()).unwrap();
			Self { root, source }
		}

		fn open(&self) -> Result<Staging, StagingError> {
			self.open_as(1, &self.source)
		}

		fn open_as(&self, owner: u8, source: &Source) -> Result<Staging, StagingError> {
			Staging::open(
				&self.root.path().join("put"),
				&GENESIS,
				&AccountId::new([owner; 32]),
				source,
				false,
			)
		}
	}

	fn steps() -> Vec<Step> {
		let manifest = [7; 32];
		vec![
			Step::Encoding,
			Step::Encoded { manifest },
			Step::Placing {
				manifest,
				nonce: 3,
				from: 2,
			},
			Step::Placed { manifest, order: 11 },
		]
	}

	/// Dropping the value is what a crash leaves: nothing is written on the way out.
	#[test]
	fn every_step_survives_a_crash() {
		let fixture = Fixture::new();
		let mut staging = fixture.open().unwrap();
		assert_eq!(staging.state(), None);
		staging
			.save(State::new(
				fixture.source.clone(),
				ErasureCode::DEFAULT,
				vec![5; 113],
			))
			.unwrap();
		for step in steps() {
			staging.advance(step.clone()).unwrap();
			drop(staging);
			staging = fixture.open().unwrap();
			let state = staging.state().unwrap();
			assert_eq!(state.step, step);
			assert_eq!(state.source, fixture.source);
			assert_eq!(state.sealed_key, vec![5; 113]);
			assert_eq!(state.code(), ErasureCode::DEFAULT);
		}
	}

	#[test]
	fn an_abandoned_order_is_remembered() {
		let fixture = Fixture::new();
		let mut staging = fixture.open().unwrap();
		staging
			.save(State::new(fixture.source.clone(), ErasureCode::DEFAULT, vec![1]))
			.unwrap();
		staging.abandon([7; 32], 11).unwrap();
		drop(staging);
		let staging = fixture.open().unwrap();
		assert_eq!(staging.state().unwrap().step, Step::Encoded { manifest: [7; 32] });
		assert_eq!(staging.state().unwrap().abandoned, [11]);
	}

	#[test]
	fn a_crash_while_the_state_is_replaced_leaves_the_old_one() {
		let fixture = Fixture::new();
		let mut staging = fixture.open().unwrap();
		staging
			.save(State::new(fixture.source.clone(), ErasureCode::DEFAULT, vec![1]))
			.unwrap();
		let new = opensand_durable_file::draft_path(&staging.directory.join(STATE));
		fs::write(&new, b"{\"version\": 1, \"sou").unwrap();
		drop(staging);
		let mut staging = fixture.open().unwrap();
		assert_eq!(staging.state().unwrap().step, Step::Encoding);
		staging.advance(Step::Encoded { manifest: [1; 32] }).unwrap();
		assert!(!new.exists());
	}

	#[test]
	fn a_damaged_or_newer_state_is_not_guessed_at() {
		let fixture = Fixture::new();
		let staging = fixture.open().unwrap();
		let path = staging.directory.join(STATE);
		drop(staging);
		for (text, is_newer) in [
			("", false),
			("{}", false),
			(r#"{"version":1}"#, false),
			(r#"{"version":2}"#, true),
		] {
			fs::write(&path, text).unwrap();
			let Err(error) = fixture.open() else {
				panic!("{text} was read")
			};
			assert_eq!(
				matches!(error, StagingError::Newer { version: 2, .. }),
				is_newer,
				"{error}"
			);
			assert!(error.remedy().unwrap().contains("--discard"));
		}
		let discarded = Staging::open(
			&fixture.root.path().join("put"),
			&GENESIS,
			&AccountId::new([1; 32]),
			&fixture.source,
			true,
		);
		assert_eq!(discarded.unwrap().state(), None);
	}

	#[test]
	fn one_process_at_a_time_and_each_source_apart() {
		let fixture = Fixture::new();
		let staging = fixture.open().unwrap();
		assert!(matches!(fixture.open(), Err(StagingError::Busy(_))));
		let other = fixture.open_as(2, &fixture.source).unwrap();
		assert_ne!(other.directory, staging.directory);
		let order = fixture.open_as(1, &Source::Order { order: 4 }).unwrap();
		assert_ne!(order.directory, staging.directory);
		drop(staging);
		fixture.open().unwrap();
	}

	#[test]
	fn a_changed_file_has_the_same_directory_and_another_identity() {
		let fixture = Fixture::new();
		let Source::File { path, .. } = &fixture.source else {
			panic!("a file")
		};
		let first = fixture.open().unwrap().directory;
		fs::write(path, b"other content").unwrap();
		let changed = Source::file(path, &fs::metadata(path).unwrap()).unwrap();
		assert_ne!(changed, fixture.source);
		assert_eq!(fixture.open_as(1, &changed).unwrap().directory, first);
	}

	#[test]
	fn what_is_done_leaves_nothing() {
		let fixture = Fixture::new();
		let mut staging = fixture.open().unwrap();
		staging
			.save(State::new(fixture.source.clone(), ErasureCode::DEFAULT, vec![1]))
			.unwrap();
		let mode = fs::metadata(staging.directory.join(STATE))
			.unwrap()
			.permissions()
			.mode();
		assert_eq!(mode & 0o777, 0o600);
		fs::create_dir(staging.blocks()).unwrap();
		fs::write(staging.blocks().join("block"), b"block").unwrap();
		let directory = staging.directory.clone();
		staging.finish().unwrap();
		assert!(!directory.exists());
	}

	proptest! {
		#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

		#[test]
		fn no_state_panics(text: Vec<u8>) {
			let fixture = Fixture::new();
			let staging = fixture.open().unwrap();
			let path = staging.directory.join(STATE);
			drop(staging);
			fs::write(&path, &text).unwrap();
			prop_assert!(fixture.open().is_err());
		}
	}
}
