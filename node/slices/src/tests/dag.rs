//! The blocks of a shard, against IPFS tools and against strangers.

use std::{cell::Cell, collections::HashSet};

use cid::Cid;

use super::{code, Blocks, Encoded};
use crate::{
	block::digest, decode_node, raw_cid, shard::ShardWriter, shard_cid, verify_shard, BlockError,
	BlockFetcher, BlockSink, Link, Node, NodeError, ShardError, ShardReader, VerifyError, LEAF_BLOCK_BYTES,
	MAX_LINKS, MAX_NODE_BYTES,
};

/// Bytes 0 to 250 over and over.
fn pattern(length: usize) -> Vec<u8> {
	(0..length).map(|index| (index % 251) as u8).collect()
}

/// Writes a shard in pieces of this length. Returns its root and its blocks.
fn written(content: &[u8], piece: usize) -> (Cid, Blocks) {
	let mut blocks = Blocks::new();
	let mut writer = ShardWriter::new(&mut blocks);
	content
		.chunks(piece)
		.for_each(|bytes| writer.write(bytes).unwrap());
	let commitment = writer.finish().unwrap();
	(shard_cid(commitment.cid), blocks)
}

/// CIDs of `ipfs-unixfs-importer` 17.1.1 for bytes 0 to 250 over and over, with `cidVersion: 1`, `rawLeaves: true`,
/// `reduceSingleLeafToSelf: false`, `fixedSize({ chunkSize: 262144 })` and `balanced({ maxChildrenPerNode: 174 })`.
#[test]
fn roots_are_those_of_an_ipfs_tool() {
	for (length, expected) in [
		(256, "bafybeidzbqj4aibt2jvjg72kkdy4hzo4mhqfyzddmjmbwhq3vs7buv5mzq"),
		(
			262_144,
			"bafybeiflwxkubu2bkxufxwdc3sjquhi6krcctd456qo45f6aars5eyzffi",
		),
		(
			174 * 262_144,
			"bafybeihpe5snhzneq7xs53nivmsopto5lrogo3wjynauqylqeym5a3irbm",
		),
	] {
		let (root, _) = written(&pattern(length), 1 << 20);
		assert_eq!(root.to_string(), expected, "{length}");
	}
}

/// As above, for lengths that no shard has; the tree alone does not mind.
#[test]
fn trees_with_incomplete_leaves_are_those_of_an_ipfs_tool() {
	for (length, expected) in [
		(
			262_145,
			"bafybeiexg2oqkfnj56l7fcmawswqbijt5shq4b5rg6a546uwpkqqzwjioi",
		),
		(
			1_048_581,
			"bafybeiftrpgcauepatpngyyid4i2kygtavsdbxfdzqnh5gngdtilyd7v34",
		),
		(
			174 * 262_144 + 1,
			"bafybeib4y7ghw2rq7bracc4xwtxrbzo7cfvagdpte2tmrkgwl6dyard3cm",
		),
	] {
		let mut blocks = Blocks::new();
		let mut tree = crate::dag::TreeWriter::default();
		for leaf in pattern(length).chunks(LEAF_BLOCK_BYTES) {
			let cid = raw_cid(digest(leaf));
			blocks.put(&cid, leaf).unwrap();
			tree.push_leaf(link(cid, leaf.len() as u64), &mut blocks).unwrap();
		}
		let root = tree.finish(&mut blocks).unwrap();
		assert_eq!(root.to_string(), expected, "{length}");

		let mut read = vec![0; length];
		ShardReader::new(&blocks, root, length as u64)
			.read_at(0, &mut read)
			.unwrap();
		assert!(read == pattern(length));
	}
}

fn link(cid: Cid, bytes: u64) -> Link {
	Link {
		cid,
		file_bytes: bytes,
		total_bytes: bytes,
	}
}

#[test]
fn nodes_have_the_bytes_of_an_ipfs_tool() {
	let leaf = raw_cid(digest(&pattern(256)));
	let node = Node {
		links: vec![link(leaf, 256)],
	};
	let expected = "122b0a24015512205bc31b283cef0072274e97d74916552954c935794536cab632641e5ea071379d\
		12001880020a080802188002208002";
	assert_eq!(hex::encode(node.to_bytes()), expected);
	assert_eq!(decode_node(&node.to_bytes()), Ok(node));
}

#[test]
fn the_way_of_writing_makes_no_difference() {
	let content = pattern(5 * LEAF_BLOCK_BYTES + 512);
	let whole = written(&content, content.len());
	for piece in [
		256,
		65_536,
		LEAF_BLOCK_BYTES,
		LEAF_BLOCK_BYTES + 256,
		2 * LEAF_BLOCK_BYTES,
	] {
		assert!(written(&content, piece) == whole, "{piece}");
	}
}

/// Counts what it is asked for.
struct Counting<'a> {
	blocks: &'a Blocks,
	asked: &'a Cell<usize>,
}

impl BlockFetcher for Counting<'_> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		self.asked.set(self.asked.get() + 1);
		Ok(self.blocks.get(cid).cloned())
	}
}

#[test]
fn ranges_are_read_without_the_rest() {
	let content = pattern(200 * LEAF_BLOCK_BYTES);
	let (root, blocks) = written(&content, LEAF_BLOCK_BYTES);
	let asked = Cell::new(0);
	let fetcher = Counting {
		blocks: &blocks,
		asked: &asked,
	};
	let mut reader = ShardReader::new(fetcher, root, content.len() as u64);
	let mut read = |offset: usize, length: usize| {
		let before = asked.get();
		let mut out = vec![0; length];
		reader.read_at(offset as u64, &mut out).unwrap();
		assert!(out == content[offset..offset + length], "{offset} {length}");
		asked.get() - before
	};
	assert_eq!(read(0, 0), 0);
	assert_eq!(read(100, 256), 3, "root, node, leaf");
	assert_eq!(read(356, 1000), 0, "the same leaf");
	assert_eq!(read(LEAF_BLOCK_BYTES - 1, 2), 1, "the next leaf");
	assert_eq!(
		read(174 * LEAF_BLOCK_BYTES - 1, 2),
		3,
		"a leaf, the next node, its leaf"
	);
	assert_eq!(read(5 * LEAF_BLOCK_BYTES, 1), 2, "back: node and leaf");
	assert_eq!(read(199 * LEAF_BLOCK_BYTES, LEAF_BLOCK_BYTES), 2);
}

/// Notes what it is told to expect.
struct Told<'a>(&'a Blocks, Vec<Cid>);

impl BlockFetcher for Told<'_> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		Ok(self.0.get(cid).cloned())
	}

	fn prefetch(&mut self, upcoming: &[Cid]) {
		self.1 = upcoming.to_vec();
	}
}

#[test]
fn fetchers_are_told_what_comes_next() {
	let content = pattern(5 * LEAF_BLOCK_BYTES);
	let (root, blocks) = written(&content, content.len());
	let leaves: Vec<Cid> = decode_node(&blocks[&root])
		.unwrap()
		.links
		.iter()
		.map(|link| link.cid)
		.collect();
	let mut told = Told(&blocks, Vec::new());
	ShardReader::new(&mut told, root, content.len() as u64)
		.read_at(2 * LEAF_BLOCK_BYTES as u64, &mut [0])
		.unwrap();
	assert_eq!(told.1, leaves[2..], "from the leaf that is read on");
}

#[test]
fn a_range_beyond_the_end_is_refused() {
	let (root, blocks) = written(&pattern(512), 512);
	let mut reader = ShardReader::new(&blocks, root, 512);
	for (offset, length) in [(0, 513), (512, 1), (513, 0), (u64::MAX, 1)] {
		assert!(
			matches!(
				reader.read_at(offset, &mut vec![0; length]),
				Err(ShardError::OutOfRange { bytes: 512, .. })
			),
			"{offset} {length}"
		);
	}
}

#[test]
fn all_blocks_are_visited_and_no_leaf_is_fetched() {
	for leaves in [1, 174, 175, 400] {
		let content = pattern(leaves * LEAF_BLOCK_BYTES - 256);
		let (root, mut blocks) = written(&content, content.len());
		let all: HashSet<Cid> = blocks.keys().copied().collect();
		blocks.retain(|cid, _| cid.codec() == crate::UNIXFS_CODEC);
		let mut visited = Vec::new();
		ShardReader::new(&blocks, root, content.len() as u64)
			.visit_blocks(|cid| visited.push(*cid))
			.unwrap();
		assert_eq!(visited[0], root);
		assert_eq!(visited.len() - leaves, blocks.len());
		assert!(visited.into_iter().collect::<HashSet<_>>() == all);
	}
}

/// Reads all of a shard whose root is this node.
fn read_under(node: &Node, blocks: &Blocks, bytes: u64) -> Result<(), ShardError> {
	let mut blocks = blocks.clone();
	let encoded = node.to_bytes();
	let root = shard_cid(digest(&encoded));
	blocks.put(&root, &encoded).unwrap();
	ShardReader::new(&blocks, root, bytes).read_at(0, &mut vec![0; bytes as usize])
}

#[test]
fn nodes_of_another_shape_are_refused() {
	let leaf = pattern(LEAF_BLOCK_BYTES);
	let mut blocks = Blocks::new();
	let cid = raw_cid(digest(&leaf));
	blocks.put(&cid, &leaf).unwrap();
	let full = link(cid, LEAF_BLOCK_BYTES as u64);
	let good = Node { links: vec![full; 2] };
	read_under(&good, &blocks, 2 * LEAF_BLOCK_BYTES as u64).unwrap();

	let node = |links: &[Link]| Node {
		links: links.to_vec(),
	};
	let half = link(cid, LEAF_BLOCK_BYTES as u64 / 2);
	let inner = link(shard_cid(digest(&leaf)), LEAF_BLOCK_BYTES as u64);
	let lying = Link {
		total_bytes: 5,
		..full
	};
	let none = link(cid, 0);
	for wrong in [
		node(&[]),
		node(&[full]),
		node(&[full, full, full]),
		node(&[full, half, half]),
		node(&[half, half, full]),
		node(&[full, inner]),
		node(&[full, lying]),
		node(&[full, full, none]),
	] {
		assert!(
			matches!(
				read_under(&wrong, &blocks, 2 * LEAF_BLOCK_BYTES as u64),
				Err(ShardError::Shape(_))
			),
			"{wrong:?}"
		);
	}
	// The leaf is longer than its parent says.
	assert!(matches!(
		read_under(&node(&[half]), &blocks, half.file_bytes),
		Err(ShardError::Corrupt(_))
	));
	// The leaf is shorter than its parent says.
	let short = raw_cid(digest(&leaf[..256]));
	blocks.put(&short, &leaf[..256]).unwrap();
	assert!(matches!(
		read_under(&node(&[link(short, 512)]), &blocks, 512),
		Err(ShardError::Shape(cid)) if cid == short
	));
}

/// A tree that is higher than its length needs, or whose inner sizes lie, is refused at the first such node.
#[test]
fn trees_of_another_height_are_refused() {
	let bytes = 175 * LEAF_BLOCK_BYTES as u64;
	let (root, mut blocks) = written(&pattern(bytes as usize), LEAF_BLOCK_BYTES);
	let root_node = decode_node(&blocks[&root]).unwrap();
	let small = 256;
	assert!(matches!(
		ShardReader::new(&blocks, root, small).read_at(0, &mut [0]),
		Err(ShardError::Shape(_))
	));

	let mut lying = root_node.clone();
	lying.links[1].total_bytes += 1;
	assert!(matches!(
		read_under(&lying, &blocks, bytes),
		Err(ShardError::Shape(_))
	));

	let swapped = Node {
		links: vec![
			root_node.links[0],
			link(root_node.links[0].cid, LEAF_BLOCK_BYTES as u64),
		],
	};
	assert!(matches!(
		read_under(&swapped, &blocks, bytes),
		Err(ShardError::Shape(_))
	));

	// A node where no node can be decoded.
	let garbage = b"garbage".to_vec();
	let cid = shard_cid(digest(&garbage));
	blocks.put(&cid, &garbage).unwrap();
	assert!(matches!(
		ShardReader::new(&blocks, cid, bytes).read_at(0, &mut [0]),
		Err(ShardError::Node {
			error: NodeError::Malformed,
			..
		})
	));
}

#[test]
fn nodes_in_another_form_are_refused() {
	let leaf = raw_cid([1; 32]);
	let node = Node {
		links: vec![link(leaf, 300), link(leaf, 5)],
	};
	let bytes = node.to_bytes();
	for length in 0..bytes.len() {
		assert!(decode_node(&bytes[..length]).is_err(), "{length}");
	}
	for bit in 0..bytes.len() * 8 {
		let mut changed = bytes.clone();
		changed[bit / 8] ^= 1 << (bit % 8);
		if let Ok(decoded) = decode_node(&changed) {
			assert!(decoded != node && decoded.to_bytes() == changed, "bit {bit}");
		}
	}
	assert_eq!(decode_node(&[]), Err(NodeError::Malformed));
	assert_eq!(
		decode_node(&[bytes.as_slice(), &[0]].concat()),
		Err(NodeError::Malformed)
	);
	let too_long = MAX_NODE_BYTES + 1;
	assert_eq!(decode_node(&vec![0; too_long]), Err(NodeError::TooLong(too_long)));

	let wide = Node {
		links: vec![link(leaf, 1); MAX_LINKS + 1],
	};
	assert_eq!(decode_node(&wide.to_bytes()), Err(NodeError::TooManyLinks));
	let widest = Node {
		links: vec![link(leaf, u64::MAX / MAX_LINKS as u64); MAX_LINKS],
	};
	assert!(widest.to_bytes().len() <= MAX_NODE_BYTES);
	assert_eq!(decode_node(&widest.to_bytes()), Ok(widest));
}

#[test]
fn sizes_that_do_not_add_up_are_refused() {
	let bytes = Node {
		links: vec![link(raw_cid([1; 32]), 5)],
	}
	.to_bytes();
	// The last bytes are `18 05` (file size) and `20 05` (size of the one block).
	let (front, _) = bytes.split_at(bytes.len() - 4);
	assert_eq!(
		decode_node(&[front, &[0x18, 6, 0x20, 5]].concat()),
		Err(NodeError::Sizes)
	);
	assert_eq!(
		decode_node(&[front, &[0x18, 5, 0x18, 5]].concat()),
		Err(NodeError::Sizes)
	);
}

#[test]
fn links_to_foreign_blocks_are_refused() {
	let good = Node {
		links: vec![link(raw_cid([1; 32]), 5)],
	}
	.to_bytes();
	// The CID begins at byte 4: version, codec, hash function, length of the digest.
	for (offset, byte) in [(4, 2), (5, 0x71), (6, 0x13), (7, 31)] {
		let mut changed = good.clone();
		changed[offset] = byte;
		assert_eq!(decode_node(&changed), Err(NodeError::ForeignLink), "{offset}");
	}
}

#[test]
fn a_committed_shard_verifies_and_a_wrong_one_does_not() {
	let stored = Encoded::new(40 << 20, code(2, 3));
	let bytes = stored.manifest.shard_bytes();
	let commitment = &stored.manifest.shards()[1];
	let blocks = &stored.shards[1];
	assert_eq!(commitment.segments.len(), 3);
	verify_shard(blocks, commitment, bytes).unwrap();

	let mut wrong = commitment.clone();
	wrong.segments[2][0] ^= 1;
	assert!(matches!(
		verify_shard(blocks, &wrong, bytes),
		Err(VerifyError::Segment(2))
	));
	wrong.segments.pop();
	assert!(matches!(
		verify_shard(blocks, &wrong, bytes),
		Err(VerifyError::SegmentCount {
			committed: 2,
			segments: 3
		})
	));
	assert!(matches!(
		verify_shard(blocks, commitment, bytes - 256),
		Err(VerifyError::Shard(_))
	));
	wrong.segments.clear();
	assert!(matches!(
		verify_shard(blocks, &wrong, 0),
		Err(VerifyError::SegmentCount { .. })
	));
	assert!(matches!(
		verify_shard(blocks, commitment, bytes - 1),
		Err(VerifyError::SegmentCount { .. })
	));
	let root = shard_cid(commitment.cid);
	assert!(matches!(
		verify_shard(&Blocks::new(), commitment, bytes),
		Err(VerifyError::Shard(ShardError::Missing(cid))) if cid == root
	));
}
