//! How the node and its worker processes talk: SCALE messages over the worker's standard input and output.
//!
//! A frame is the message's length as a little-endian `u32`, then the message. A length of zero or above
//! [`MAX_FRAME_BYTES`] and a message that does not decode to its last byte end the conversation: the node then
//! replaces the process, the process exits.

use std::io::{self, Read, Write};

use codec::{Decode, DecodeAll, Encode};
use opensand_primitives::{
	models::CommitmentBytes,
	proving::{DeviceReport, JobFailure, JobId, JobResult, ProverDevice, ProvingStage},
};
use opensand_zk_verifier::Binding;
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Longest message, in bytes: the longest job with room to spare.
pub const MAX_FRAME_BYTES: usize = 4 << 20;
/// Version of the messages; both sides must have the same, so a node whose executable was replaced under it
/// notices.
pub const VERSION: u32 = 3;
/// Longest text of a message, in bytes.
pub const MAX_REASON_BYTES: usize = 1024;

/// One job for a worker process.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Assignment {
	/// The job.
	pub id: JobId,
	/// What the proof is tied to; `binding.key` and the commitment name the bundle to prove with.
	pub binding: Binding,
	/// The input in the clear.
	pub input: ClearInput,
	/// The commitment to the model's weights that the proof is verified with, where they are no constants.
	pub commitment: Option<CommitmentBytes>,
	/// Whether the device is to be left alone: it failed on this job before.
	pub on_cpu: bool,
}

/// An input in the clear. It is wiped when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
pub struct ClearInput {
	/// The model's input.
	pub values: Vec<i8>,
	/// The salt of the input's hash where the statement has the hash, `None` where it has the input itself.
	pub salt: Option<[u8; 32]>,
}

/// What a worker process says.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum FromWorker {
	/// Once, at the end of the start: it can take assignments. No version changes this message.
	Ready {
		/// [`VERSION`] of the process.
		version: u32,
		/// What it proves on.
		devices: Vec<ProverDevice>,
	},
	/// It works on the assignment.
	Progress {
		/// The job.
		id: JobId,
		/// What it is doing.
		stage: ProvingStage,
		/// Progress within the whole job, 0 to 100.
		percent: u8,
	},
	/// The proof is made, and it verified.
	Done {
		/// The job.
		id: JobId,
		/// Output and proof.
		result: JobResult,
	},
	/// No attempt will ever succeed.
	Failed {
		/// The job.
		id: JobId,
		/// Why.
		failure: JobFailure,
	},
	/// This attempt failed for a reason that may pass.
	Stumbled {
		/// The job.
		id: JobId,
		/// What happened, for the log; at most [`MAX_REASON_BYTES`] bytes.
		reason: String,
	},
	/// Again and again during the start: it still opens its device, which may have to compile kernels.
	Starting,
	/// At the end of the start: it has no device, and must not prove without one.
	Refused {
		/// What is missing, for the log; at most [`MAX_REASON_BYTES`] bytes.
		reason: String,
	},
	/// For each device before it is ready, and after each job: what the device did so far.
	Device {
		/// The device; jobs that run or wait are not counted.
		report: DeviceReport,
	},
	/// The device failed in this attempt. The process ends.
	DeviceLost {
		/// The job.
		id: JobId,
		/// What happened, for the log; at most [`MAX_REASON_BYTES`] bytes.
		reason: String,
	},
	/// Something that an operator should know, such as that it proves on the CPU, and why.
	Note {
		/// For the log; at most [`MAX_REASON_BYTES`] bytes.
		text: String,
	},
}

/// Why a message could not be read.
#[derive(Debug, Error)]
pub enum FrameError {
	/// The other side is gone.
	#[error("the other side closed the connection")]
	Closed,
	/// The pipe failed or ended within a frame.
	#[error("the pipe failed: {0}")]
	Pipe(#[from] io::Error),
	/// The length is zero or above [`MAX_FRAME_BYTES`].
	#[error("a frame of {0} bytes is out of bounds")]
	OutOfBounds(u32),
	/// The bytes are not the expected message.
	#[error("a frame does not decode: {0}")]
	Undecodable(#[from] codec::Error),
}

/// Reads one message. Memory grows with the bytes that arrive, not with the length that the frame claims.
pub fn read<T: Decode>(source: &mut impl Read) -> Result<T, FrameError> {
	let mut length = [0u8; 4];
	let mut filled = 0;
	while filled < length.len() {
		match source.read(&mut length[filled..]) {
			Ok(0) if filled == 0 => return Err(FrameError::Closed),
			Ok(0) => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
			Ok(count) => filled += count,
			Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
			Err(error) => return Err(error.into()),
		}
	}
	let length = u32::from_le_bytes(length);
	if length == 0 || length as usize > MAX_FRAME_BYTES {
		return Err(FrameError::OutOfBounds(length));
	}
	let mut message = Zeroizing::new(Vec::new());
	source.take(length.into()).read_to_end(&mut message)?;
	if message.len() < length as usize {
		return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
	}
	Ok(T::decode_all(&mut &message[..])?)
}

/// Writes one message and flushes it.
///
/// Fails with [`io::ErrorKind::InvalidInput`] where the message is longer than [`MAX_FRAME_BYTES`].
pub fn write<T: Encode>(sink: &mut impl Write, message: &T) -> io::Result<()> {
	let message = Zeroizing::new(message.encode());
	if message.len() > MAX_FRAME_BYTES {
		return Err(io::Error::new(
			io::ErrorKind::InvalidInput,
			"the message is longer than a frame may be",
		));
	}
	sink.write_all(&(message.len() as u32).to_le_bytes())?;
	sink.write_all(&message)?;
	sink.flush()
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn assignment() -> Assignment {
		Assignment {
			id: [1; 32],
			binding: Binding {
				genesis: [2; 32],
				key: [3; 32],
				model: [4; 32],
				request: 5,
				worker: [6; 32],
			},
			input: ClearInput {
				values: vec![7; 64],
				salt: Some([8; 32]),
			},
			commitment: Some([9; 96]),
			on_cpu: true,
		}
	}

	fn frame(message: &impl Encode) -> Vec<u8> {
		let mut bytes = Vec::new();
		write(&mut bytes, message).unwrap();
		bytes
	}

	#[test]
	fn messages_come_back_one_by_one() {
		let done = FromWorker::Done {
			id: [1; 32],
			result: JobResult {
				output: vec![1, 2],
				proof: vec![3; 480],
				elapsed_ms: 4,
			},
		};
		let progress = FromWorker::Progress {
			id: [1; 32],
			stage: ProvingStage::Proving,
			percent: 40,
		};
		let bytes = [frame(&progress), frame(&done)].concat();
		let mut source = &bytes[..];
		assert_eq!(read::<FromWorker>(&mut source).unwrap(), progress);
		assert_eq!(read::<FromWorker>(&mut source).unwrap(), done);
		assert!(matches!(read::<FromWorker>(&mut source), Err(FrameError::Closed)));
	}

	#[test]
	fn lengths_out_of_bounds_are_refused() {
		for length in [0, MAX_FRAME_BYTES as u32 + 1, u32::MAX] {
			let bytes = length.to_le_bytes();
			assert!(matches!(
				read::<Assignment>(&mut &bytes[..]),
				Err(FrameError::OutOfBounds(refused)) if refused == length
			));
		}
		let long = FromWorker::Stumbled {
			id: [0; 32],
			reason: "x".repeat(MAX_FRAME_BYTES),
		};
		assert_eq!(
			write(&mut Vec::new(), &long).unwrap_err().kind(),
			io::ErrorKind::InvalidInput
		);
	}

	#[test]
	fn every_truncation_is_noticed() {
		let bytes = frame(&assignment());
		for length in 1..bytes.len() {
			assert!(matches!(
				read::<Assignment>(&mut &bytes[..length]),
				Err(FrameError::Pipe(_))
			));
		}
	}

	#[test]
	fn trailing_bytes_are_refused() {
		let mut message = assignment().encode();
		message.push(0);
		let bytes = [&(message.len() as u32).to_le_bytes()[..], &message].concat();
		assert!(matches!(
			read::<Assignment>(&mut &bytes[..]),
			Err(FrameError::Undecodable(_))
		));
	}

	proptest! {
		#[test]
		fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
			let _ = read::<Assignment>(&mut &bytes[..]);
			let _ = read::<FromWorker>(&mut &bytes[..]);
		}

		#[test]
		fn arbitrary_messages_never_panic(message in proptest::collection::vec(any::<u8>(), 1..512)) {
			let bytes = [&(message.len() as u32).to_le_bytes()[..], &message].concat();
			let _ = read::<Assignment>(&mut &bytes[..]);
			let _ = read::<FromWorker>(&mut &bytes[..]);
		}
	}
}
