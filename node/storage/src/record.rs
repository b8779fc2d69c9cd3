//! What the service remembers of each shard: where it stands, and which blocks belong to it.
//!
//! Each shard has a directory `shards/<order>-<shard>/` with sealed files:
//!
//! - `record`: a [`ShardRecord`].
//! - `blocks`: the CIDs of the shard's blocks and of its manifest. It is on disk before any of them is, so that no block is
//!   ever in the store without a shard that accounts for it.
//! - `levels`: upper nodes of its segments' trees (module `commitments`), which can always be computed again.
//!
//! A damaged record counts as a shard that is wanted: the chain says whether it is, and what is on disk is checked anew.

use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
};

use cid::Cid;
use codec::{Decode, DecodeAll, Encode};
use log::{error, warn};
use opensand_durable_file::sync_parent;
use opensand_primitives::{
	storage::{WindowIndex, MAX_SEGMENTS},
	BlockNumber,
};
use opensand_slices::{raw_cid, shard_cid, SHA2_256, UNIXFS_CODEC};
use parking_lot::Mutex;
use serde::Serialize;
use thiserror::Error;

use crate::{
	chain::ShardId,
	sealed::{self, Damage},
	TARGET,
};

/// What a record begins with.
pub const RECORD_KIND: [u8; 4] = *b"osSR";
/// What a list of blocks begins with.
pub const BLOCKS_KIND: [u8; 4] = *b"osSB";
/// Version of both.
pub const VERSION: u8 = 1;
/// More than any record takes.
const MAX_RECORD_BYTES: u64 = 1024;
/// The most blocks that belong to a shard: 4,096 leaves of a GiB, their inner nodes, and the manifest.
pub const MAX_BLOCKS: usize = MAX_SEGMENTS as usize * 32 + 512;
/// Bytes of a block in the list: its codec's tag and its digest.
const ENTRY_BYTES: usize = 33;
const MAX_BLOCKS_FILE_BYTES: u64 = (MAX_BLOCKS * ENTRY_BYTES + 64) as u64;

/// The SHA2-256 digest of a CID, if that is its hash.
pub fn digest(cid: &Cid) -> Option<[u8; 32]> {
	(cid.hash().code() == SHA2_256)
		.then(|| cid.hash().digest().try_into().ok())
		.flatten()
}

/// Why what the owner committed to cannot be proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, Error)]
pub enum Refusal {
	/// The manifest does not decode, or says other things than the chain.
	#[error("the order's manifest does not agree with the chain")]
	#[codec(index = 0)]
	Manifest,
	/// The root is not that of a file of the promised length in blocks of 256 KiB.
	#[error("the shard's DAG has not the layout of a shard")]
	#[codec(index = 1)]
	Layout,
	/// The bytes have other segment roots than the chain records.
	#[error("the shard's bytes do not have the segment roots on chain")]
	#[codec(index = 2)]
	Roots,
}

/// Where a shard stands on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
	/// The chain wants it here and it is not complete, or not known to be.
	#[codec(index = 0)]
	Wanted,
	/// Complete, and checked against the segment roots on chain.
	#[codec(index = 1)]
	Stored,
	/// It was stored, and blocks are missing or corrupt.
	#[codec(index = 2)]
	Damaged {
		/// The best block when that was found.
		since: BlockNumber,
	},
	/// It cannot be proven, by the owner's fault. The slot is left to lapse.
	#[codec(index = 3)]
	Refused(Refusal),
	/// The chain does not want it here any more. It is removed after the grace period.
	#[codec(index = 4)]
	Released {
		/// The best block when that was found.
		since: BlockNumber,
	},
}

/// The phases' names in metrics, logs and JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseName {
	/// See [`Phase::Wanted`].
	Wanted,
	/// See [`Phase::Stored`].
	Stored,
	/// See [`Phase::Damaged`].
	Damaged,
	/// See [`Phase::Refused`].
	Refused,
	/// See [`Phase::Released`].
	Released,
}

impl PhaseName {
	/// All of them.
	pub const ALL: [Self; 5] = [
		Self::Wanted,
		Self::Stored,
		Self::Damaged,
		Self::Refused,
		Self::Released,
	];

	/// The name.
	pub fn as_str(self) -> &'static str {
		match self {
			Self::Wanted => "wanted",
			Self::Stored => "stored",
			Self::Damaged => "damaged",
			Self::Refused => "refused",
			Self::Released => "released",
		}
	}
}

impl Phase {
	/// Its name.
	pub fn name(&self) -> PhaseName {
		match self {
			Self::Wanted => PhaseName::Wanted,
			Self::Stored => PhaseName::Stored,
			Self::Damaged { .. } => PhaseName::Damaged,
			Self::Refused(_) => PhaseName::Refused,
			Self::Released { .. } => PhaseName::Released,
		}
	}
}

/// What is remembered of a shard.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct ShardRecord {
	/// SHA2-256 digest of its root block.
	pub root: [u8; 32],
	/// SHA2-256 digest of its order's manifest.
	pub manifest: [u8; 32],
	/// Its bytes.
	pub bytes: u64,
	/// Where it stands.
	pub phase: Phase,
	/// The window in which its order was last settled from here.
	pub settled: WindowIndex,
}

impl ShardRecord {
	/// The file's bytes.
	pub fn to_file(&self) -> Vec<u8> {
		sealed::seal(RECORD_KIND, VERSION, &self.encode())
	}

	/// Reads a file's bytes.
	pub fn from_file(bytes: &[u8]) -> Result<Self, Damage> {
		let mut body = sealed::unseal(RECORD_KIND, VERSION, bytes)?;
		Self::decode_all(&mut body).map_err(|_| Damage::Bytes)
	}
}

/// The bytes of a list of blocks. Those whose CID is not of a shard's kind are left out.
pub fn blocks_to_file(blocks: &[Cid]) -> Vec<u8> {
	let mut body = Vec::with_capacity(blocks.len() * ENTRY_BYTES);
	for block in blocks {
		if let Some(digest) = digest(block) {
			body.push(u8::from(block.codec() == UNIXFS_CODEC));
			body.extend_from_slice(&digest);
		}
	}
	sealed::seal(BLOCKS_KIND, VERSION, &body)
}

/// Reads the bytes of a list of blocks.
pub fn blocks_from_file(bytes: &[u8]) -> Result<Vec<Cid>, Damage> {
	let body = sealed::unseal(BLOCKS_KIND, VERSION, bytes)?;
	if body.len() % ENTRY_BYTES != 0 || body.len() > MAX_BLOCKS * ENTRY_BYTES {
		return Err(Damage::Bytes);
	}
	body.chunks_exact(ENTRY_BYTES)
		.map(|entry| {
			let (codec, digest) = entry.split_first().ok_or(Damage::Bytes)?;
			let digest = digest.try_into().map_err(|_| Damage::Bytes)?;
			match codec {
				0 => Ok(raw_cid(digest)),
				1 => Ok(shard_cid(digest)),
				_ => Err(Damage::Bytes),
			}
		})
		.collect()
}

/// What is known of a shard's blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocks {
	/// None is in the store on its account.
	None,
	/// These may be in the store.
	Known(Vec<Cid>),
	/// The list is damaged; the shard's tree names them.
	Damaged,
}

/// The records could not be read or written: free disk space, or check the disk and the directory's permissions.
#[derive(Debug, Error)]
#[error("{path}: {error}; check disk space and permissions")]
pub struct RecordsError {
	/// The file or directory.
	pub path: PathBuf,
	/// What happened.
	pub error: io::Error,
}

/// All shards' records. Changes are on disk when a call returns; calls block.
pub struct Records {
	directory: PathBuf,
	records: Mutex<BTreeMap<ShardId, ShardRecord>>,
}

impl Records {
	/// Reads what is under `directory`, which is created if needed.
	pub fn open(directory: PathBuf) -> Result<Self, RecordsError> {
		fs::create_dir_all(&directory).map_err(at(&directory))?;
		let mut records = BTreeMap::new();
		for entry in fs::read_dir(&directory).map_err(at(&directory))? {
			let path = entry.map_err(at(&directory))?.path();
			let Some(id) = parse_name(&path) else {
				warn!(target: TARGET, "{} is not of this service; left alone", path.display());
				continue;
			};
			let file = path.join("record");
			let bytes = sealed::read(&file, MAX_RECORD_BYTES)
				.map_err(at(&file))?
				.unwrap_or_default();
			let record = ShardRecord::from_file(&bytes).unwrap_or_else(|damage| {
				error!(target: TARGET, "shard {id}: {}: {damage}; its state is found out anew", file.display());
				ShardRecord {
					root: [0; 32],
					manifest: [0; 32],
					bytes: 0,
					phase: Phase::Wanted,
					settled: 0,
				}
			});
			records.insert(id, record);
		}
		Ok(Self {
			directory,
			records: Mutex::new(records),
		})
	}

	/// A shard's record.
	pub fn get(&self, id: ShardId) -> Option<ShardRecord> {
		self.records.lock().get(&id).cloned()
	}

	/// All records.
	pub fn all(&self) -> Vec<(ShardId, ShardRecord)> {
		self.records
			.lock()
			.iter()
			.map(|(id, record)| (*id, record.clone()))
			.collect()
	}

	/// Puts a record in place of the one that there is.
	pub fn set(&self, id: ShardId, record: ShardRecord) -> Result<(), RecordsError> {
		let mut records = self.records.lock();
		self.write(id, &record)?;
		records.insert(id, record);
		Ok(())
	}

	/// Changes a record, if there is one and `change` answers that it has. Answers whether it was changed.
	pub fn update(
		&self,
		id: ShardId,
		change: impl FnOnce(&mut ShardRecord) -> bool,
	) -> Result<bool, RecordsError> {
		let mut records = self.records.lock();
		let Some(mut record) = records.get(&id).cloned() else {
			return Ok(false);
		};
		if !change(&mut record) {
			return Ok(false);
		}
		self.write(id, &record)?;
		records.insert(id, record);
		Ok(true)
	}

	/// The blocks that are accounted to a shard.
	pub fn blocks(&self, id: ShardId) -> Result<Blocks, RecordsError> {
		let path = self.path(id).join("blocks");
		let Some(bytes) = sealed::read(&path, MAX_BLOCKS_FILE_BYTES).map_err(at(&path))? else {
			return Ok(Blocks::None);
		};
		Ok(match blocks_from_file(&bytes) {
			Ok(blocks) => Blocks::Known(blocks),
			Err(damage) => {
				warn!(target: TARGET, "shard {id}: {}: {damage}", path.display());
				Blocks::Damaged
			}
		})
	}

	/// Accounts blocks to a shard that has a record.
	pub fn set_blocks(&self, id: ShardId, blocks: &[Cid]) -> Result<(), RecordsError> {
		let path = self.path(id).join("blocks");
		sealed::replace(&path, &blocks_to_file(blocks)).map_err(at(&path))
	}

	/// Where the nodes of a shard's trees are kept.
	pub fn levels_path(&self, id: ShardId) -> PathBuf {
		self.path(id).join("levels")
	}

	/// Forgets a shard. The record goes last, so that what a crash leaves is seen at the next start.
	pub fn remove(&self, id: ShardId) -> Result<(), RecordsError> {
		let mut records = self.records.lock();
		let path = self.path(id);
		for name in ["levels", "blocks", "record"] {
			let file = path.join(name);
			opensand_durable_file::remove(&file).map_err(at(&file))?;
		}
		match fs::remove_dir(&path) {
			Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
			_ => {}
		}
		sync_parent(&path).map_err(at(&path))?;
		records.remove(&id);
		Ok(())
	}

	fn write(&self, id: ShardId, record: &ShardRecord) -> Result<(), RecordsError> {
		let path = self.path(id);
		if !path.is_dir() {
			fs::create_dir_all(&path).map_err(at(&path))?;
			sync_parent(&path).map_err(at(&path))?;
		}
		let file = path.join("record");
		sealed::replace(&file, &record.to_file()).map_err(at(&file))
	}

	fn path(&self, id: ShardId) -> PathBuf {
		self.directory.join(id.to_string())
	}
}

/// The shard of a directory; only the name that [`ShardId`] prints counts.
fn parse_name(path: &Path) -> Option<ShardId> {
	let name = path.file_name()?.to_str()?;
	let (order, shard) = name.split_once('-')?;
	let id = ShardId {
		order: order.parse().ok()?,
		shard: shard.parse().ok()?,
	};
	(path.is_dir() && id.to_string() == name).then_some(id)
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> RecordsError + '_ {
	move |error| RecordsError {
		path: path.to_owned(),
		error,
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	fn record(phase: Phase) -> ShardRecord {
		ShardRecord {
			root: [1; 32],
			manifest: [2; 32],
			bytes: 12_800,
			phase,
			settled: 7,
		}
	}

	const ID: ShardId = ShardId { order: 12, shard: 3 };

	#[test]
	fn records_survive_a_restart() {
		let directory = tempfile::tempdir().unwrap();
		let phases = [
			Phase::Wanted,
			Phase::Stored,
			Phase::Damaged { since: 9 },
			Phase::Refused(Refusal::Roots),
			Phase::Released { since: 10 },
		];
		let records = Records::open(directory.path().to_owned()).unwrap();
		for (shard, phase) in (0..).zip(phases) {
			records.set(ShardId { shard, ..ID }, record(phase)).unwrap();
		}
		let records = Records::open(directory.path().to_owned()).unwrap();
		for (shard, phase) in (0..).zip(phases) {
			assert_eq!(records.get(ShardId { shard, ..ID }), Some(record(phase)));
		}
		assert_eq!(records.all().len(), 5);
	}

	#[test]
	fn changes_are_kept_and_removals_too() {
		let directory = tempfile::tempdir().unwrap();
		let records = Records::open(directory.path().to_owned()).unwrap();
		records.set(ID, record(Phase::Wanted)).unwrap();
		assert!(!records.update(ID, |_| false).unwrap());
		assert!(records
			.update(ID, |record| {
				record.phase = Phase::Stored;
				true
			})
			.unwrap());
		let blocks = vec![raw_cid([5; 32]), shard_cid([6; 32])];
		assert_eq!(records.blocks(ID).unwrap(), Blocks::None);
		records.set_blocks(ID, &blocks).unwrap();

		let records = Records::open(directory.path().to_owned()).unwrap();
		assert_eq!(records.get(ID).unwrap().phase, Phase::Stored);
		assert_eq!(records.blocks(ID).unwrap(), Blocks::Known(blocks));
		records.remove(ID).unwrap();
		assert!(!records.update(ID, |_| true).unwrap(), "nothing to change");
		assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
		records.remove(ID).unwrap();
	}

	#[test]
	fn a_damaged_record_is_wanted_and_damaged_blocks_are_unknown() {
		let directory = tempfile::tempdir().unwrap();
		let records = Records::open(directory.path().to_owned()).unwrap();
		records.set(ID, record(Phase::Stored)).unwrap();
		records.set_blocks(ID, &[raw_cid([5; 32])]).unwrap();
		for name in ["record", "blocks"] {
			let path = directory.path().join("12-3").join(name);
			let mut bytes = fs::read(&path).unwrap();
			bytes[10] ^= 1;
			fs::write(&path, bytes).unwrap();
		}
		fs::create_dir(directory.path().join("012-3")).unwrap();
		let records = Records::open(directory.path().to_owned()).unwrap();
		assert_eq!(records.get(ID).unwrap().phase, Phase::Wanted);
		assert_eq!(records.blocks(ID).unwrap(), Blocks::Damaged);
		assert_eq!(records.all().len(), 1, "only the name that is printed counts");
	}

	#[test]
	fn lists_are_bounded() {
		let blocks = vec![raw_cid([5; 32]); MAX_BLOCKS + 1];
		assert_eq!(blocks_from_file(&blocks_to_file(&blocks)), Err(Damage::Bytes));
		let fits = &blocks[1..];
		let bytes = blocks_to_file(fits);
		assert!(bytes.len() as u64 <= MAX_BLOCKS_FILE_BYTES);
		assert_eq!(blocks_from_file(&bytes).unwrap(), fits);
		let unknown_codec = sealed::seal(BLOCKS_KIND, VERSION, &[2; ENTRY_BYTES]);
		assert_eq!(blocks_from_file(&unknown_codec), Err(Damage::Bytes));
		let cut = sealed::seal(BLOCKS_KIND, VERSION, &[0; ENTRY_BYTES - 1]);
		assert_eq!(blocks_from_file(&cut), Err(Damage::Bytes));
	}

	#[test]
	fn digests_are_those_of_sha2() {
		assert_eq!(digest(&raw_cid([8; 32])), Some([8; 32]));
		let other = cid::multihash::Multihash::wrap(0xb220, &[8; 32]).unwrap();
		assert_eq!(digest(&Cid::new_v1(0x55, other)), None);
	}
}
