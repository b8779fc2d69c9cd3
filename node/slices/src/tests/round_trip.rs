//! Files to shards and back, with all that can go wrong in between.

use std::{
	collections::BTreeSet,
	io::{self, Read, Write},
};

use cid::Cid;
use proptest::prelude::*;
use rand::{seq::SliceRandom, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::{code, metadata, Blocks, Encoded};
use crate::{
	decode, encode, rebuild_shard, shard_cid, verify_shard, BlockError, BlockFetcher, BlockSink, Code,
	CodeError, DecodeError, EncodeError, FileKey, Manifest, Metadata, MetadataError, OpenMetadataError,
	RebuildError, ShardError, SourcesError,
};

impl Encoded {
	/// Restores the file from these shards. Returns the shards that failed.
	fn restore(&self, shards: impl IntoIterator<Item = u8>) -> Result<Vec<u8>, DecodeError> {
		let mut restored = Vec::new();
		let decoded = decode(&self.manifest, &self.key, self.sources(shards), &mut restored)?;
		assert!(restored == self.content, "another file came out");
		assert_eq!(decoded.metadata, metadata());
		Ok(decoded.failed.iter().map(|failed| failed.shard).collect())
	}

	/// Rebuilds a shard from these others and compares it, block for block.
	fn rebuild(&self, index: u8, shards: impl IntoIterator<Item = u8>) -> Vec<u8> {
		let mut rebuilt = Blocks::new();
		let failed = rebuild_shard(&self.manifest, index, self.sources(shards), &mut rebuilt).unwrap();
		assert!(rebuilt == self.shards[usize::from(index)], "shard {index}");
		failed.iter().map(|failed| failed.shard).collect()
	}
}

#[test]
fn files_at_the_edges_come_back() {
	let plain_unit = 4 * 65_520;
	for code in [code(2, 3), code(3, 5)] {
		let stripe = plain_unit * usize::from(code.data());
		for length in [
			0,
			1,
			239,
			240,
			241,
			65_519,
			65_520,
			65_521,
			2 * 65_520,
			stripe - 1,
			stripe,
			stripe + 1,
			2 * stripe,
			2 * stripe + 65_520,
		] {
			let encoded = Encoded::new(length, code);
			assert_eq!(encoded.restore(0..code.total()).unwrap(), [], "{length}");
			assert_eq!(
				encoded.restore(code.parity()..code.total()).unwrap(),
				[],
				"{length}"
			);
			encoded.rebuild(0, 1..code.total());
			encoded.rebuild(code.total() - 1, 0..code.data());
			for (shard, commitment) in encoded.manifest.shards().iter().enumerate() {
				verify_shard(&encoded.shards[shard], commitment, encoded.manifest.shard_bytes()).unwrap();
			}
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

	/// Any k shards restore the file and rebuild any other; k − 1 do neither.
	#[test]
	fn any_k_shards_suffice_and_fewer_do_not(
		length in prop_oneof![0usize..2_000, 0usize..400_000, 0usize..6_000_000],
		data in 2u8..=12,
		parity in 1u8..=12,
		seed: u64,
	) {
		let code = code(data, data + parity);
		let encoded = Encoded::new(length, code);
		let mut order: Vec<u8> = (0..code.total()).collect();
		order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
		let (kept, lost) = order.split_at(data.into());

		prop_assert_eq!(encoded.restore(kept.iter().copied()).unwrap(), Vec::<u8>::new());
		encoded.rebuild(lost[0], kept.iter().copied());

		let too_few = kept[1..].iter().copied();
		match encoded.restore(too_few.clone()) {
			Err(DecodeError::TooFewShards(error)) => {
				prop_assert_eq!((error.needed, error.available), (data, data - 1));
				prop_assert!(error.failed.is_empty());
			},
			other => prop_assert!(false, "{other:?}"),
		}
		let outcome = rebuild_shard(&encoded.manifest, lost[0], encoded.sources(too_few), &mut Blocks::new());
		prop_assert!(matches!(outcome, Err(RebuildError::TooFewShards(_))));
	}

	/// A corrupt shard is noticed wherever it is corrupt, replaced in mid-stream, and can be rebuilt.
	#[test]
	fn corrupt_shards_are_replaced_and_rebuilt(
		length in prop_oneof![0usize..2_000, 0usize..8_000_000],
		seed: u64,
	) {
		let code = code(3, 6);
		let good = Encoded::new(length, code);
		let mut rng = ChaCha8Rng::seed_from_u64(seed);
		let mut bad = Encoded::new(length, code);
		let corrupt: BTreeSet<u8> = rand::seq::index::sample(&mut rng, 6, 3).into_iter().map(|shard| shard as u8).collect();
		corrupt.iter().for_each(|shard| bad.corrupt(*shard, &mut rng));

		// Data shards are read first, so all that are corrupt are found; parity shards only when they are needed.
		let failed: BTreeSet<u8> = bad.restore(0..6).unwrap().into_iter().collect();
		prop_assert!(failed.is_subset(&corrupt));
		prop_assert!(corrupt.iter().all(|shard| *shard >= 3 || failed.contains(shard)));

		for shard in &corrupt {
			let mut rebuilt = Blocks::new();
			let others = (0..6).filter(|other| other != shard);
			rebuild_shard(&bad.manifest, *shard, bad.sources(others), &mut rebuilt).unwrap();
			prop_assert!(rebuilt == good.shards[usize::from(*shard)]);
		}

		// One more than the code bears: the reasons name corrupt shards only, unless the stripes in which a reserve
		// shard is corrupt had passed before it was needed.
		let another = (0..6).find(|shard| !corrupt.contains(shard)).unwrap();
		bad.corrupt(another, &mut rng);
		match bad.restore(0..6) {
			Err(DecodeError::TooFewShards(error)) => {
				prop_assert_eq!((error.available, error.failed.len()), (2, 4));
				for failed in &error.failed {
					prop_assert!(failed.shard == another || corrupt.contains(&failed.shard));
					prop_assert!(matches!(failed.error, ShardError::Corrupt(_)), "{failed}");
				}
			},
			Ok(failed) => prop_assert!(failed.len() < 4 && bad.manifest.layout().stripes() > 1, "{failed:?}"),
			other => prop_assert!(false, "{other:?}"),
		}
	}
}

/// A store that loses everything after some blocks.
struct Failing<'a> {
	blocks: &'a Blocks,
	left: usize,
	says: Option<&'static str>,
}

impl BlockFetcher for Failing<'_> {
	fn get(&mut self, cid: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
		if self.left > 0 {
			self.left -= 1;
			return Ok(self.blocks.get(cid).cloned());
		}
		self.says.map_or(Ok(None), |message| Err(message.into()))
	}
}

#[test]
fn sources_that_fail_in_mid_stream_are_replaced_and_named() {
	let encoded = Encoded::new(9_000_000, code(2, 4));
	let source = |shard: u8, left: usize, says| {
		(
			shard,
			Failing {
				blocks: &encoded.shards[usize::from(shard)],
				left,
				says,
			},
		)
	};
	let sources = || {
		vec![
			source(0, 4, None),
			source(1, 9, Some("unplugged")),
			source(2, 99, None),
			source(3, 99, None),
		]
	};
	let mut restored = Vec::new();
	let decoded = decode(&encoded.manifest, &encoded.key, sources(), &mut restored).unwrap();
	assert!(restored == encoded.content);
	let reasons: Vec<_> = decoded.failed.iter().map(ToString::to_string).collect();
	assert!(
		reasons[0].starts_with("shard 0: block b") && reasons[0].ends_with("is missing"),
		"{reasons:?}"
	);
	assert!(
		reasons[1].starts_with("shard 1:") && reasons[1].ends_with("unplugged"),
		"{reasons:?}"
	);

	let mut few = sources();
	few.remove(3);
	let error = decode(&encoded.manifest, &encoded.key, few, io::sink()).unwrap_err();
	let text = error.to_string();
	assert!(text.contains("1 shards are left, and 2 are needed"), "{text}");
	assert!(text.contains("shard 0:") && text.contains("unplugged"), "{text}");
}

#[test]
fn sources_that_do_not_fit_are_refused() {
	let encoded = Encoded::new(100, code(2, 4));
	let shard = &encoded.shards[0];
	for (sources, error) in [
		(vec![(4, shard)], SourcesError::Unknown(4)),
		(
			vec![(1, shard), (0, shard), (1, shard)],
			SourcesError::Duplicate(1),
		),
	] {
		match decode(&encoded.manifest, &encoded.key, sources, io::sink()) {
			Err(DecodeError::Sources(found)) => assert_eq!(found, error),
			other => panic!("{other:?}"),
		}
	}
	let outcome = rebuild_shard(&encoded.manifest, 4, encoded.sources(0..4), &mut Blocks::new());
	assert!(matches!(outcome, Err(RebuildError::UnknownShard(4))));
}

#[test]
fn blocks_of_another_shard_are_noticed() {
	let encoded = Encoded::new(1000, code(2, 4));
	let mut swapped = encoded.sources([0, 1, 2, 3]);
	swapped[0].1 = &encoded.shards[1];
	swapped[1].1 = &encoded.shards[0];
	let decoded = decode(&encoded.manifest, &encoded.key, swapped, io::sink()).unwrap();
	assert!(decoded
		.failed
		.iter()
		.all(|failed| matches!(failed.error, ShardError::Missing(_))));
	assert_eq!(decoded.failed.len(), 2);
}

#[test]
fn another_key_or_manifest_restores_nothing() {
	let encoded = Encoded::new(1000, code(2, 4));
	let stranger = FileKey::from_bytes(&[8; 64]);
	let outcome = decode(&encoded.manifest, &stranger, encoded.sources(0..4), io::sink());
	assert!(matches!(
		outcome,
		Err(DecodeError::Metadata(OpenMetadataError::WrongKey))
	));

	let mut bytes = encoded.manifest.to_bytes();
	bytes[47 + 5] ^= 1;
	let changed = Manifest::from_bytes(&bytes).unwrap();
	let outcome = decode(&changed, &encoded.key, encoded.sources(0..4), io::sink());
	assert!(matches!(
		outcome,
		Err(DecodeError::Metadata(OpenMetadataError::Changed))
	));
}

/// An owner that commits to shards that do not belong together harms only itself, and no repairer is blamed unheard.
#[test]
fn shards_that_do_not_belong_together_are_noticed() {
	let code = code(2, 4);
	let (encoded, other) = (Encoded::new(1000, code), Encoded::new(1001, code));
	let mut commitments = encoded.manifest.shards().to_vec();
	commitments[1] = other.manifest.shards()[1].clone();
	let layout = *encoded.manifest.layout();
	let manifest = Manifest::new(layout, commitments, &encoded.key, &metadata()).unwrap();
	let mut sources = encoded.sources(0..4);
	sources[1].1 = &other.shards[1];

	let outcome = decode(&manifest, &encoded.key, sources.clone(), io::sink());
	assert!(matches!(outcome, Err(DecodeError::Unauthentic(0))), "{outcome:?}");
	sources.remove(1);
	let outcome = rebuild_shard(&manifest, 1, sources.clone(), &mut Blocks::new());
	assert!(matches!(outcome, Err(RebuildError::Inconsistent(1))));
	// Without it the file is there.
	let mut restored = Vec::new();
	decode(&manifest, &encoded.key, sources, &mut restored).unwrap();
	assert!(restored == encoded.content);
}

/// Gives a byte or three at a time, and is interrupted in between.
struct Hesitant<'a> {
	content: &'a [u8],
	calls: usize,
}

impl Read for Hesitant<'_> {
	fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
		self.calls += 1;
		if self.calls.is_multiple_of(3) {
			return Err(io::ErrorKind::Interrupted.into());
		}
		let length = out.len().min(1 + 2 * (self.calls % 2));
		self.content.read(&mut out[..length])
	}
}

#[test]
fn encoding_again_gives_the_same_however_the_file_is_read() {
	for length in [0, 1, 65_520, 131_041, 300_000] {
		let encoded = Encoded::new(length, code(2, 3));
		let reader = Hesitant {
			content: &encoded.content,
			calls: 0,
		};
		let mut shards = vec![Blocks::new(); 3];
		let manifest = encode(reader, None, &encoded.key, code(2, 3), &metadata(), &mut shards).unwrap();
		assert_eq!(manifest, encoded.manifest, "{length}");
		assert!(shards == encoded.shards, "{length}");
	}
}

#[test]
fn a_file_that_changes_while_it_is_read_is_refused() {
	let content = vec![1; 200_000];
	for (length, least) in [
		(0, 1),
		(1, 2),
		(65_520, 65_521),
		(199_999, 200_000),
		(200_001, 200_000),
		(9 << 20, 200_000),
	] {
		let mut sinks = vec![Blocks::new(); 3];
		let key = FileKey::generate();
		match encode(
			content.as_slice(),
			Some(length),
			&key,
			code(2, 3),
			&metadata(),
			&mut sinks,
		) {
			Err(EncodeError::LengthChanged { expected, found }) => {
				assert_eq!(expected, length);
				assert!(found >= least && found <= 200_000, "{found}");
			}
			other => panic!("{length}: {other:?}"),
		}
	}
}

/// Fails when it is read.
struct Broken;

impl Read for Broken {
	fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
		Err(io::Error::other("unreadable"))
	}
}

impl Write for Broken {
	fn write(&mut self, _: &[u8]) -> io::Result<usize> {
		Err(io::Error::other("full"))
	}

	fn flush(&mut self) -> io::Result<()> {
		Ok(())
	}
}

/// A store that is full after some blocks.
struct Full(usize);

impl BlockSink for Full {
	fn put(&mut self, _: &Cid, _: &[u8]) -> Result<(), BlockError> {
		self.0 = self.0.checked_sub(1).ok_or("full")?;
		Ok(())
	}
}

#[test]
fn failures_of_files_and_stores_are_passed_on() {
	let key = FileKey::generate();
	let code = code(2, 3);
	let outcome = encode(Broken, None, &key, code, &metadata(), &mut vec![Blocks::new(); 3]);
	assert!(matches!(outcome, Err(EncodeError::Read(_))));

	// In mid-stream, and in the last inner node.
	let content = vec![1; 5 << 20];
	for room in [0, 3, 11] {
		let mut sinks = [Full(99), Full(room), Full(99)];
		match encode(content.as_slice(), None, &key, code, &metadata(), &mut sinks) {
			Err(EncodeError::Sink { shard: 1, source }) => assert_eq!(source.to_string(), "full"),
			other => panic!("{other:?}"),
		}
	}

	let encoded = Encoded::new(5 << 20, code);
	let outcome = decode(&encoded.manifest, &encoded.key, encoded.sources(0..3), Broken);
	assert!(matches!(outcome, Err(DecodeError::Write(_))));
	let outcome = rebuild_shard(&encoded.manifest, 2, encoded.sources(0..2), &mut Full(3));
	assert!(matches!(outcome, Err(RebuildError::Sink(_))));
}

#[test]
fn what_cannot_be_encoded_is_refused_at_once() {
	let key = FileKey::generate();
	let try_with = |length: u64, metadata: &Metadata, sinks: usize| {
		let mut sinks = vec![Blocks::new(); sinks];
		encode(Broken, Some(length), &key, Code::DEFAULT, metadata, &mut sinks).unwrap_err()
	};
	assert!(matches!(
		try_with(11 << 30, &metadata(), 16),
		EncodeError::Code(CodeError::TooLarge { fitting: Some(_), .. })
	));
	assert!(matches!(
		try_with(0, &metadata(), 15),
		EncodeError::Sinks {
			sinks: 15,
			shards: 16
		}
	));
	let path = Metadata {
		name: "../x".into(),
		..metadata()
	};
	assert!(matches!(
		try_with(0, &path, 16),
		EncodeError::Metadata(MetadataError::UnsafeName)
	));
}

/// A panic of the caller's own code comes through, instead of hanging the pipeline.
#[test]
fn panics_of_stores_come_through() {
	struct Panicking;
	impl BlockFetcher for Panicking {
		fn get(&mut self, _: &Cid) -> Result<Option<Vec<u8>>, BlockError> {
			panic!("the store is broken")
		}
	}
	let encoded = Encoded::new(100, code(2, 3));
	let outcome = std::panic::catch_unwind(|| {
		let _ = decode(
			&encoded.manifest,
			&encoded.key,
			vec![(0, Panicking), (1, Panicking)],
			io::sink(),
		);
	});
	assert!(outcome.is_err());
}

/// Else a copy of one could pass for another, and the chain would refuse them.
#[test]
fn no_two_shards_are_alike() {
	for (length, code) in [
		(0, code(2, 3)),
		(0, Code::DEFAULT),
		(1, code(29, 80)),
		(0, code(79, 80)),
		(70_000, Code::DEFAULT),
	] {
		let encoded = Encoded::new(length, code);
		let shards = encoded.manifest.shards();
		let cids: BTreeSet<_> = shards.iter().map(|shard| shard.cid).collect();
		let roots: BTreeSet<_> = shards.iter().map(|shard| shard.segments[0]).collect();
		assert_eq!(
			(cids.len(), roots.len()),
			(shards.len(), shards.len()),
			"{length} bytes, {code}"
		);
	}
}

#[test]
fn shards_are_named_by_their_root_blocks() {
	let encoded = Encoded::new(5 << 20, code(2, 3));
	for (shard, commitment) in encoded.shards.iter().zip(encoded.manifest.shards()) {
		assert!(shard.contains_key(&shard_cid(commitment.cid)));
	}
}

/// Every bit of every block of a small shard.
#[test]
fn every_flipped_bit_of_a_block_is_noticed() {
	let encoded = Encoded::new(10, code(2, 3));
	let cids: Vec<Cid> = encoded.shards[0].keys().copied().collect();
	for cid in cids {
		for bit in 0..encoded.shards[0][&cid].len() * 8 {
			let mut blocks = encoded.shards[0].clone();
			blocks.get_mut(&cid).unwrap()[bit / 8] ^= 1 << (bit % 8);
			let sources = vec![(0, &blocks), (1, &encoded.shards[1]), (2, &encoded.shards[2])];
			let mut restored = Vec::new();
			let decoded = decode(&encoded.manifest, &encoded.key, sources, &mut restored).unwrap();
			assert_eq!(restored, encoded.content);
			assert!(matches!(decoded.failed[0].error, ShardError::Corrupt(found) if found == cid));
		}
	}
}
