//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use codec::{Decode, Encode};
use opensand_zk_bridge::{read_answer, BridgeError, JobId, JobResult, JobStatus, ProverDevice};

use crate::{
	protocol::{read, write, Assignment, FrameError, FromWorker},
	record::Record,
};

/// Reads messages until the bytes end or are refused; each is written as it was read.
fn conversation<T: Decode + Encode>(bytes: &[u8]) {
	let mut rest = bytes;
	loop {
		let before = rest;
		match read::<T>(&mut rest) {
			Ok(message) => {
				let mut written = Vec::new();
				write(&mut written, &message).expect("what was read fits into a frame");
				assert_eq!(written, &before[..before.len() - rest.len()]);
			}
			Err(FrameError::Closed) => {
				assert!(
					before.is_empty(),
					"only the end of the bytes is the end of a conversation"
				);
				return;
			}
			Err(_) => return,
		}
	}
}

/// What the node says to a prover process.
pub fn assignment(bytes: &[u8]) {
	conversation::<Assignment>(bytes);
}

/// What a prover process says to the node.
pub fn from_worker(bytes: &[u8]) {
	conversation::<FromWorker>(bytes);
}

/// What the queue's database has of a job.
pub fn queue_record(bytes: &[u8]) {
	if let Ok(record) = Record::read(bytes) {
		assert_eq!(record.encode(), bytes);
	}
}

/// What a host answers to the runtime: the length that it claims, little-endian in four bytes, and what it writes.
pub fn bridge_answer(bytes: &[u8]) {
	let Some((claimed, written)) = bytes.split_first_chunk() else {
		return;
	};
	let claimed = u32::from_le_bytes(*claimed);
	answer::<JobId>(claimed, written);
	answer::<JobStatus>(claimed, written);
	answer::<JobResult>(claimed, written);
	answer::<Vec<ProverDevice>>(claimed, written);
	answer::<()>(claimed, written);
}

/// Reads an answer of one type. Where its length is what was claimed, it encodes to what was written.
fn answer<T: Decode + Encode>(claimed: u32, written: &[u8]) {
	let answer = read_answer::<T>(|buffer| {
		let length = buffer.len().min(written.len());
		buffer[..length].copy_from_slice(&written[..length]);
		claimed
	});
	// Refused by the host, or not to be read: either way the caller is told that it is malformed.
	if claimed as usize == written.len() && !matches!(answer, Err(BridgeError::Malformed)) {
		assert_eq!(answer.encode(), written);
	}
}
