//! A state of any size in a RocksDB database, as a node keeps it: a Merkle trie whose nodes are written in one pass over
//! its sorted entries, so that nothing but the path to the last one is in memory.

use std::{
	path::Path,
	sync::atomic::{AtomicUsize, Ordering},
};

use anyhow::{Context, Result};
use rocksdb::{BlockBasedOptions, Options, WaitForCompactOptions, WriteBatch, WriteOptions, DB};
use sp_core::{Blake2Hasher, Hasher, H256};
use sp_state_machine::{DefaultError, TrieBackendStorage};
use sp_trie::{prefixed_key, LayoutV1};
use trie_db::{trie_visit, ChildReference, DBValue, ProcessEncodedNode};

/// A prefix of a node's key, as the trie's code gives it.
type Prefix<'a> = (&'a [u8], Option<u8>);

/// Writes are handed to the database in batches of so many bytes.
const BATCH_BYTES: usize = 1 << 20;

/// The nodes of a trie.
pub struct Nodes {
	database: DB,
	reads: AtomicUsize,
}

impl Nodes {
	/// Writes the trie over `entries`, which come in the order of their keys, into a new database; returns its root.
	///
	/// # Errors
	/// When the database fails.
	pub fn write(
		directory: &Path,
		entries: impl Iterator<Item = (Vec<u8>, Vec<u8>)>,
	) -> Result<(Self, H256)> {
		let mut table = BlockBasedOptions::default();
		table.set_bloom_filter(10.0, false);
		let mut options = Options::default();
		options.create_if_missing(true);
		options.set_block_based_table_factory(&table);
		options.increase_parallelism(2);
		let database = DB::open(&options, directory)?;
		let mut writer = Writer {
			database: &database,
			batch: WriteBatch::default(),
			root: H256::zero(),
			failure: None,
		};
		trie_visit::<LayoutV1<Blake2Hasher>, _, _, _, _>(entries, &mut writer);
		writer.flush();
		let (root, failure) = (writer.root, writer.failure.take());
		failure.map_or(Ok(()), Err).context("writing the state")?;
		database.flush()?;
		database.wait_for_compact(&WaitForCompactOptions::default())?;
		let reads = AtomicUsize::new(0);
		Ok((Self { database, reads }, root))
	}

	/// Nodes that were read since this was asked last.
	pub fn reads(&self) -> usize {
		self.reads.swap(0, Ordering::Relaxed)
	}

	/// Bytes of the database.
	///
	/// # Errors
	/// When the database fails.
	pub fn bytes(&self) -> Result<u64> {
		let bytes = self.database.property_int_value("rocksdb.total-sst-files-size")?;
		bytes.context("the size of the database")
	}
}

impl TrieBackendStorage<Blake2Hasher> for Nodes {
	fn get(&self, hash: &H256, prefix: Prefix) -> Result<Option<DBValue>, DefaultError> {
		self.reads.fetch_add(1, Ordering::Relaxed);
		self.database
			.get(prefixed_key::<Blake2Hasher>(hash, prefix))
			.map_err(|error| error.to_string())
	}
}

/// Takes the nodes in the order in which they are complete.
struct Writer<'a> {
	database: &'a DB,
	batch: WriteBatch,
	root: H256,
	failure: Option<rocksdb::Error>,
}

impl Writer<'_> {
	fn put(&mut self, prefix: Prefix, value: &[u8]) -> H256 {
		let hash = Blake2Hasher::hash(value);
		self.batch.put(prefixed_key::<Blake2Hasher>(&hash, prefix), value);
		if self.batch.size_in_bytes() >= BATCH_BYTES {
			self.flush();
		}
		hash
	}

	fn flush(&mut self) {
		let mut options = WriteOptions::default();
		options.disable_wal(true);
		let batch = std::mem::take(&mut self.batch);
		if let Err(error) = self.database.write_opt(batch, &options) {
			self.failure.get_or_insert(error);
		}
	}
}

impl ProcessEncodedNode<H256> for Writer<'_> {
	fn process(&mut self, prefix: Prefix, node: Vec<u8>, is_root: bool) -> ChildReference<H256> {
		// A node that is shorter than its hash stands in its parent.
		if !is_root && node.len() < H256::len_bytes() {
			let mut inline = H256::zero();
			inline.0[..node.len()].copy_from_slice(&node);
			return ChildReference::Inline(inline, node.len());
		}
		let hash = self.put(prefix, &node);
		if is_root {
			self.root = hash;
		}
		ChildReference::Hash(hash)
	}

	fn process_inner_hashed_value(&mut self, prefix: Prefix, value: &[u8]) -> H256 {
		self.put(prefix, value)
	}
}

#[cfg(test)]
mod tests {
	use std::collections::BTreeMap;

	use sp_state_machine::{Backend, TrieBackendBuilder};
	use sp_trie::TrieConfiguration;

	use super::*;

	#[test]
	fn what_is_written_is_the_state_s_trie() {
		let entries: BTreeMap<Vec<u8>, Vec<u8>> = (0u32..5_000)
			.map(|number| {
				let key = sp_crypto_hashing::blake2_256(&number.to_le_bytes());
				(key[..12].to_vec(), key[..number as usize % 33].repeat(3))
			})
			.collect();
		let directory = tempfile::tempdir().unwrap();
		let (nodes, root) = Nodes::write(directory.path(), entries.clone().into_iter()).unwrap();
		assert_eq!(root, LayoutV1::<Blake2Hasher>::trie_root(&entries));

		let backend = TrieBackendBuilder::<_, Blake2Hasher>::new(&nodes, root).build();
		for (key, value) in &entries {
			assert_eq!(backend.storage(key).unwrap().as_ref(), Some(value));
		}
		assert!(nodes.reads() > entries.len());
		assert_eq!(nodes.reads(), 0);
	}
}
