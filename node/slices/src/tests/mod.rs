//! Tests that need more than one module.

mod access;
mod dag;
mod manifest;
mod round_trip;

use std::collections::HashMap;

use cid::Cid;
use rand::{Rng, RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::{encode, Code, FileKey, Manifest, Metadata};

/// The blocks of one shard.
type Blocks = HashMap<Cid, Vec<u8>>;

/// A file that was encoded, and all that came of it.
struct Encoded {
	content: Vec<u8>,
	key: FileKey,
	manifest: Manifest,
	shards: Vec<Blocks>,
}

impl Encoded {
	/// Random content of this length under a fixed key.
	fn new(length: usize, code: Code) -> Self {
		let mut content = vec![0; length];
		ChaCha8Rng::seed_from_u64(length as u64).fill_bytes(&mut content);
		let key = FileKey::from_bytes(&[7; 64]);
		let mut shards = vec![Blocks::new(); code.total().into()];
		let manifest = encode(
			content.as_slice(),
			Some(length as u64),
			&key,
			code,
			&metadata(),
			&mut shards,
		)
		.unwrap();
		Self {
			content,
			key,
			manifest,
			shards,
		}
	}

	/// Sources of these shards.
	fn sources(&self, shards: impl IntoIterator<Item = u8>) -> Vec<(u8, &Blocks)> {
		shards
			.into_iter()
			.map(|shard| (shard, &self.shards[usize::from(shard)]))
			.collect()
	}

	/// Flips a random bit of a random one of a shard's longest blocks.
	fn corrupt(&mut self, shard: u8, rng: &mut impl Rng) {
		let blocks = &mut self.shards[usize::from(shard)];
		let longest = blocks.values().map(Vec::len).max().unwrap();
		let mut candidates: Vec<_> = blocks
			.iter_mut()
			.filter(|(_, bytes)| bytes.len() == longest)
			.collect();
		candidates.sort();
		let chosen = rng.gen_range(0..candidates.len());
		let bit = rng.gen_range(0..longest * 8);
		candidates[chosen].1[bit / 8] ^= 1 << (bit % 8);
	}
}

fn metadata() -> Metadata {
	Metadata {
		name: "file.bin".into(),
		media_type: "application/octet-stream".into(),
		modified: Some(1_700_000_000),
	}
}

fn code(data: u8, total: u8) -> Code {
	Code::new(data, total).unwrap()
}
