//! What is tried on arbitrary bytes: the decoders of the files that the service reads back.
//!
//! Each takes the bytes as a file, and, because a checksum keeps most of them from going further, as a body in a file with
//! the right one.

use opensand_storage::{
	record::{blocks_from_file, blocks_to_file, ShardRecord, BLOCKS_KIND, RECORD_KIND, VERSION},
	sealed::seal,
	ScrubCursor, CURSOR_KIND,
};

/// A shard's record decodes or is refused; what decodes has one encoding.
pub fn record(bytes: &[u8]) {
	for file in [bytes.to_vec(), seal(RECORD_KIND, VERSION, bytes)] {
		if let Ok(record) = ShardRecord::from_file(&file) {
			assert_eq!(record.to_file(), file);
		}
	}
}

/// The same for a list of blocks.
pub fn blocks(bytes: &[u8]) {
	for file in [bytes.to_vec(), seal(BLOCKS_KIND, VERSION, bytes)] {
		if let Ok(blocks) = blocks_from_file(&file) {
			assert_eq!(blocks_to_file(&blocks), file);
		}
	}
}

/// The same for the scrubber's place.
pub fn cursor(bytes: &[u8]) {
	for file in [bytes.to_vec(), seal(CURSOR_KIND, VERSION, bytes)] {
		if let Ok(cursor) = ScrubCursor::from_file(&file) {
			assert_eq!(cursor.to_file(), file);
		}
	}
}
