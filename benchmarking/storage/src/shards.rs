//! Shards in plain files, each with a list of its blocks, so that one process can write them and another read them.

use std::{
	collections::HashMap,
	fs::{self, File},
	io::{BufWriter, Write},
	os::unix::fs::FileExt,
	path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use cid::Cid;
use codec::{Decode, Encode};
use opensand_slices::{BlockError, BlockFetcher, BlockSink};

/// A block's CID, and where its bytes are.
type Place = (Vec<u8>, u64, u32);

fn list_of(shard: &Path) -> PathBuf {
	shard.with_extension("list")
}

/// Writes the blocks of a shard one after the other.
pub struct ShardWriter {
	file: BufWriter<File>,
	path: PathBuf,
	places: Vec<Place>,
	end: u64,
}

impl ShardWriter {
	/// A new file.
	///
	/// # Errors
	/// When it cannot be made.
	pub fn create(path: &Path) -> Result<Self> {
		Ok(Self {
			file: BufWriter::new(File::create_new(path)?),
			path: path.to_owned(),
			places: Vec::new(),
			end: 0,
		})
	}

	/// Writes the list of the blocks.
	///
	/// # Errors
	/// When the disk is full.
	pub fn finish(mut self) -> Result<()> {
		self.file.flush()?;
		Ok(fs::write(list_of(&self.path), self.places.encode())?)
	}
}

impl BlockSink for ShardWriter {
	fn put(&mut self, cid: &Cid, bytes: &[u8]) -> Result<(), BlockError> {
		self.file.write_all(bytes)?;
		self.places
			.push((cid.to_bytes(), self.end, bytes.len().try_into()?));
		self.end += bytes.len() as u64;
		Ok(())
	}
}

/// Reads the blocks of a shard.
pub struct ShardReader {
	file: File,
	places: HashMap<Vec<u8>, (u64, u32)>,
}

impl ShardReader {
	/// Opens what a [`ShardWriter`] wrote.
	///
	/// # Errors
	/// When it is not there.
	pub fn open(path: &Path) -> Result<Self> {
		let list = fs::read(list_of(path))?;
		let places = Vec::<Place>::decode(&mut &list[..]).context("a list of blocks")?;
		Ok(Self {
			file: File::open(path)?,
			places: places
				.into_iter()
				.map(|(cid, start, length)| (cid, (start, length)))
				.collect(),
		})
	}
}

impl BlockFetcher for ShardReader {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		let Some((start, length)) = self.places.get(&cid.to_bytes()) else {
			return Ok(None);
		};
		let mut bytes = vec![0; *length as usize];
		self.file.read_exact_at(&mut bytes, *start)?;
		Ok(Some(bytes))
	}
}

/// Forgets what it is given.
pub struct Discard;

impl BlockSink for Discard {
	fn put(&mut self, _: &Cid, _: &[u8]) -> Result<(), BlockError> {
		Ok(())
	}
}
