//! What the fuzz targets do with arbitrary bytes. `tests/corpus.rs` runs the same on the committed corpora.

use std::collections::HashMap;

use cid::Cid;
use opensand_slices::{
	decode_node, open_key, shard_cid, AccessSecret, BlockSink, Context, FileKey, Link, Manifest, Metadata,
	Node, ShardReader,
};
use sha2::{Digest, Sha256};

/// A manifest has one encoding, keeps within its bounds, and opens for no key but its own.
pub fn manifest(bytes: &[u8]) {
	let Ok(manifest) = Manifest::from_bytes(bytes) else {
		return;
	};
	assert_eq!(manifest.to_bytes(), bytes);
	assert_eq!(manifest.shards().len(), usize::from(manifest.code().total()));
	assert!(manifest.shard_bytes().is_multiple_of(256) && manifest.shard_bytes() > 0);
	assert!(manifest
		.shards()
		.iter()
		.all(|shard| shard.segments.len() == manifest.layout().segments()));
	if let Ok(metadata) = manifest.open_metadata(&FileKey::from_bytes(&[7; 64])) {
		metadata.check().expect("metadata that open are checked");
	}
}

/// What a manifest's sealed part holds has one encoding, and can be shown and used as a name.
pub fn metadata(bytes: &[u8]) {
	if let Ok(metadata) = Metadata::from_padded(bytes) {
		metadata.check().expect("what is decoded is checked");
		let again = metadata.to_padded().expect("what is decoded is checked");
		assert_eq!(again.as_slice(), bytes);
	}
}

/// A node has one encoding; a shard with this root block, whatever length it is said to have, is read or refused.
pub fn node(bytes: &[u8]) {
	let Ok(node) = decode_node(bytes) else {
		return;
	};
	assert_eq!(node.to_bytes(), bytes);
	let file_bytes = node.file_bytes().expect("decoded sizes add up");
	let mut blocks = HashMap::new();
	let root = store(&mut blocks, bytes);
	// A node above it that links to it twice, so that readers meet it at another height too.
	let link = Link {
		cid: root,
		file_bytes: file_bytes / 2,
		total_bytes: file_bytes / 2,
	};
	let parent = Node { links: vec![link; 2] };
	let above = store(&mut blocks, &parent.to_bytes());
	for (root, length) in [(root, file_bytes), (root, 256), (above, file_bytes / 2 * 2)] {
		let mut reader = ShardReader::new(&blocks, root, length);
		let mut byte = [0];
		for offset in [0, length / 2, length.saturating_sub(1)] {
			let _ = reader.read_at(offset, &mut byte);
		}
		let _ = ShardReader::new(&blocks, root, length.min(1 << 30)).visit_blocks(|_| {});
	}
}

fn store(blocks: &mut HashMap<Cid, Vec<u8>>, bytes: &[u8]) -> Cid {
	let cid = shard_cid(Sha256::digest(bytes).into());
	blocks.put(&cid, bytes).expect("memory takes every block");
	cid
}

/// Nothing opens but what was sealed to this secret in this context.
pub fn sealed_key(bytes: &[u8]) {
	let secret = AccessSecret::derive(&[9; 32]).expect("32 bytes suffice");
	let context = Context {
		genesis: [1; 32],
		manifest: [2; 32],
		grantee: [3; 32],
	};
	if let Ok(key) = open_key(&context, bytes, &secret) {
		assert_eq!(*key.to_bytes(), [7; 64], "the corpus has the only sealed key");
	}
}
