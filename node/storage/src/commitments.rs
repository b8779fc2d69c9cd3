//! Checks stored shards against the segment roots on chain, and answers challenges.
//!
//! The check of a complete shard keeps, in the shard's file `levels`, the stored tree of each segment: about 16 KiB for
//! 8 MiB. With it an answer reads 16 KiB around each leaf. The file can be lost: trees are validated against the roots
//! when they are read, and are computed again where they are missing.

use std::{
	fs::File,
	io::{self, Read, Seek, SeekFrom, Write},
	path::{Path, PathBuf},
};

use cid::Cid;
use codec::Encode;
use log::{error, warn};
use opensand_blocks::{BlockStore, StoreError};
use opensand_durable_file::{Draft, Mode};
use opensand_slices::{
	raw_cid, shard_cid, verify_shard, BlockError, BlockFetcher, ShardCommitment, ShardError, ShardReader,
	VerifyError,
};
use opensand_storage_proof::{
	prove, verify, Claim, Native, PossessionError, ProveError, SegmentSource, SegmentTree, ShardLayout,
	SEGMENT_BYTES, SEGMENT_LEAVES,
};
use rustix::io::Errno;
use thiserror::Error;

use crate::{chain::ShardId, TARGET};

/// A block of the store. One that is damaged, or that the disk cannot read, is not there any more afterwards: it has to be
/// fetched or rebuilt. Errors are about the moment, and say nothing about the block.
pub(crate) fn read_block(store: &BlockStore, cid: &Cid) -> Result<Option<Vec<u8>>, StoreError> {
	match store.get(cid) {
		Err(StoreError::Corrupt(_)) => Ok(None),
		Err(StoreError::Io { path, source }) if source.raw_os_error() == Some(Errno::IO.raw_os_error()) => {
			error!(target: TARGET, "{}: {source}; the block is given up, replace the disk", path.display());
			store.remove(cid)?;
			Ok(None)
		}
		other => other,
	}
}

/// Gives the blocks of the store.
pub(crate) struct StoreFetcher<'a>(pub &'a BlockStore);

impl BlockFetcher for StoreFetcher<'_> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		read_block(self.0, cid).map_err(Into::into)
	}
}

/// The blocks that belong to a shard: its order's manifest, and what its tree names, nodes before their children. Leaves
/// are not fetched.
pub(crate) fn blocks_of(
	fetcher: impl BlockFetcher,
	manifest: [u8; 32],
	root: [u8; 32],
	bytes: u64,
) -> Result<Vec<Cid>, ShardError> {
	let mut blocks = vec![raw_cid(manifest)];
	ShardReader::new(fetcher, shard_cid(root), bytes).visit_blocks(|cid| blocks.push(*cid))?;
	Ok(blocks)
}

/// A shard as far as proving needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Provable {
	/// SHA2-256 digest of its root block.
	pub root: [u8; 32],
	/// Its bytes.
	pub bytes: u64,
	/// Its segment roots on chain.
	pub roots: Vec<[u8; 32]>,
	/// Where its segments' trees are kept.
	pub levels: PathBuf,
}

/// Why a shard in the store cannot be proven.
#[derive(Debug, Error)]
pub(crate) enum CheckError {
	/// It is not all there, or not what was committed to.
	#[error("{0}")]
	Shard(#[from] VerifyError),
	/// The segments' trees could not be written: free disk space, or check the disk.
	#[error("the segments' trees could not be written: {0}; check the disk")]
	Levels(#[from] io::Error),
}

/// Reads a whole shard from the store, compares its segment roots with those on chain, and keeps the segments' trees.
pub(crate) fn check(store: &BlockStore, shard: &Provable) -> Result<(), CheckError> {
	let commitment = ShardCommitment {
		cid: shard.root,
		segments: shard.roots.clone(),
	};
	let trees = verify_shard(StoreFetcher(store), &commitment, shard.bytes)?;
	keep_all(&shard.levels, &trees)?;
	Ok(())
}

/// Writes the file of a shard's trees anew.
fn keep_all(path: &Path, trees: &[SegmentTree]) -> io::Result<()> {
	let mut draft = Draft::in_own_directory(path, Mode::Ordinary)?;
	for tree in trees {
		draft.write_all(&tree.to_bytes())?;
	}
	draft.replace()
}

/// Where a segment's tree begins in the file: all segments before the last one are full.
fn tree_offset(segment: u32) -> u64 {
	u64::from(segment) * SegmentTree::encoded_len(SEGMENT_LEAVES) as u64
}

fn read_tree(path: &Path, segment: u32, leaves: u32) -> io::Result<Vec<u8>> {
	let mut file = File::open(path)?;
	file.seek(SeekFrom::Start(tree_offset(segment)))?;
	let mut bytes = vec![0; SegmentTree::encoded_len(leaves)];
	file.read_exact(&mut bytes)?;
	Ok(bytes)
}

fn write_tree(path: &Path, segment: u32, tree: &SegmentTree) -> io::Result<()> {
	let mut file = File::options()
		.create(true)
		.truncate(false)
		.write(true)
		.open(path)?;
	file.seek(SeekFrom::Start(tree_offset(segment)))?;
	file.write_all(&tree.to_bytes())
}

/// A leaf to show.
#[derive(Clone, Debug)]
pub(crate) struct Question {
	/// The shard, for messages.
	pub id: ShardId,
	/// Position of the shard among those that are given with the questions.
	pub shard: usize,
	/// The segment.
	pub segment: u32,
	/// The leaf.
	pub leaf: u32,
}

/// Why a challenge cannot be answered.
#[derive(Debug, Error)]
pub(crate) enum AnswerError {
	/// What is on disk does not answer it: the shard must be healed.
	#[error("shard {id} is damaged: {reason}")]
	Damaged {
		/// The shard.
		id: ShardId,
		/// What is wrong.
		reason: String,
	},
	/// The store cannot be read at the moment.
	#[error("{0}; it is tried again at the next block")]
	Unreadable(String),
	/// The chain asks for something that is not there: its roots and the shard's length disagree.
	#[error("the chain asks for segment {segment}, leaf {leaf} of shard {id}, which has no such leaf")]
	Impossible {
		/// The shard.
		id: ShardId,
		/// The segment.
		segment: u32,
		/// The leaf.
		leaf: u32,
	},
	/// The proof that was made does not verify; it is not sent.
	#[error("the proof that was made does not verify: {0}; it is not sent")]
	Unsound(PossessionError),
	/// The claims are ones that nobody could answer.
	#[error("the challenge cannot be answered by anybody: {0}")]
	Claims(PossessionError),
}

/// The encoded proof that answers `questions` about `shards`, verified.
pub(crate) fn answer(
	store: &BlockStore,
	shards: &[Provable],
	questions: &[Question],
) -> Result<Vec<u8>, AnswerError> {
	let claims = questions
		.iter()
		.map(|question| {
			let shard = shards.get(question.shard);
			claim(shard, question).ok_or(AnswerError::Impossible {
				id: question.id,
				segment: question.segment,
				leaf: question.leaf,
			})
		})
		.collect::<Result<Vec<_>, _>>()?;
	let mut source = StoreSource {
		shards,
		questions,
		readers: shards
			.iter()
			.map(|shard| ShardReader::new(StoreFetcher(store), shard_cid(shard.root), shard.bytes))
			.collect(),
		transient: false,
	};
	let damaged = |claim: usize, reason: String| AnswerError::Damaged {
		id: questions[claim].id,
		reason,
	};
	let proof = match prove(&claims, &mut source) {
		Ok(proof) => proof,
		Err(ProveError::Claims(error)) => return Err(AnswerError::Claims(error)),
		Err(ProveError::Read { source: error, .. }) if source.transient => {
			return Err(AnswerError::Unreadable(error.to_string()))
		}
		Err(ProveError::Read { claim, source: error }) => return Err(damaged(claim, error.to_string())),
		Err(error @ ProveError::Damaged { claim }) => return Err(damaged(claim, error.to_string())),
	};
	verify::<Native>(&claims, &proof).map_err(AnswerError::Unsound)?;
	Ok(proof.encode())
}

fn claim(shard: Option<&Provable>, question: &Question) -> Option<Claim> {
	let shard = shard?;
	let leaves = ShardLayout::of(shard.bytes)?.segment_leaves(question.segment)?;
	let root = *shard.roots.get(question.segment as usize)?;
	(question.leaf < leaves).then_some(Claim {
		root,
		leaves,
		index: question.leaf,
	})
}

/// The store, as the prover reads it.
struct StoreSource<'a> {
	shards: &'a [Provable],
	questions: &'a [Question],
	readers: Vec<ShardReader<StoreFetcher<'a>>>,
	/// Whether the last failure says nothing about the shard.
	transient: bool,
}

impl SegmentSource for StoreSource<'_> {
	fn read(&mut self, claim: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		let question = &self.questions[claim];
		let start = u64::from(question.segment) * u64::from(SEGMENT_BYTES);
		self.readers[question.shard]
			.read_at(start + offset, buffer)
			.map_err(|error| {
				self.transient = matches!(error, ShardError::Fetch { .. });
				io::Error::other(error)
			})
	}

	fn tree(&mut self, claim: usize) -> Option<Vec<u8>> {
		let question = &self.questions[claim];
		let shard = &self.shards[question.shard];
		let leaves = ShardLayout::of(shard.bytes)?.segment_leaves(question.segment)?;
		read_tree(&shard.levels, question.segment, leaves).ok()
	}

	fn keep(&mut self, claim: usize, tree: &SegmentTree) {
		let question = &self.questions[claim];
		let path = &self.shards[question.shard].levels;
		if let Err(error) = write_tree(path, question.segment, tree) {
			warn!(target: TARGET, "{}: {error}; the tree is computed again when it is needed", path.display());
		}
	}
}
