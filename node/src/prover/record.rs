//! What the queue keeps of every job, and its bytes in the database.

use codec::{Decode, DecodeAll, Encode};
use opensand_primitives::{proving::JobFailure, BlockNumber, KeyId, ModelId, RequestId};

/// What the queue keeps of every job.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Record {
	/// Orders jobs of one deadline.
	pub sequence: u64,
	/// Attempts that ended without a verdict.
	pub attempts: u32,
	/// The request that the job answers.
	pub request: RequestId,
	/// The model that is asked.
	pub model: ModelId,
	/// The key to prove with.
	pub key: KeyId,
	/// The last block in which the result is of use.
	pub deadline: BlockNumber,
	/// How far the job is.
	pub phase: Phase,
}

impl Record {
	/// Reads a record as it was encoded.
	///
	/// # Errors
	/// When the bytes are none, or more follow.
	pub fn read(bytes: &[u8]) -> Result<Self, codec::Error> {
		Self::decode_all(&mut &*bytes)
	}
}

/// How far a job is, as far as a crash must not forget it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Phase {
	/// It waits, or a worker process has it.
	Unfinished,
	/// It has a result.
	Done,
	/// It was given up.
	Failed(JobFailure),
}
