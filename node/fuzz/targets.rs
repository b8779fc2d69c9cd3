//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use codec::{Decode, Encode};

use crate::protocol::{read, write, Assignment, FrameError, FromWorker};

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
