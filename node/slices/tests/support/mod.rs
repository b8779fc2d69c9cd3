//! Shards in plain files, so that tests and measurements of memory keep them out of memory.

use std::{
	collections::HashMap,
	fs::File,
	io::{BufWriter, Write},
	os::unix::fs::FileExt,
	path::Path,
};

use cid::Cid;
use opensand_slices::{BlockError, BlockFetcher, BlockSink};

/// Writes the blocks of a shard one after the other.
pub struct FlatWriter {
	file: BufWriter<File>,
	places: HashMap<Cid, (u64, usize)>,
	end: u64,
}

impl FlatWriter {
	/// A new file.
	pub fn create(path: &Path) -> Self {
		let file = File::options().read(true).write(true).create_new(true).open(path);
		Self {
			file: BufWriter::new(file.expect("the directory is writable")),
			places: HashMap::new(),
			end: 0,
		}
	}

	/// The blocks, to be read.
	pub fn into_reader(self) -> FlatReader {
		FlatReader {
			file: self.file.into_inner().expect("the disk has room"),
			places: self.places,
		}
	}
}

impl BlockSink for FlatWriter {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		self.file.write_all(bytes)?;
		self.places.insert(*cid, (self.end, bytes.len()));
		self.end += bytes.len() as u64;
		Ok(())
	}
}

/// Reads blocks of a shard.
pub struct FlatReader {
	file: File,
	places: HashMap<Cid, (u64, usize)>,
}

impl BlockFetcher for &FlatReader {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		let Some((start, length)) = self.places.get(cid) else {
			return Ok(None);
		};
		let mut bytes = vec![0; *length];
		self.file.read_exact_at(&mut bytes, *start)?;
		Ok(Some(bytes))
	}
}
