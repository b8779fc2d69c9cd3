//! What committing, proving and verifying cost, and that holding more costs no more.
//!
//! `cargo bench -p opensand-storage-proof`. Prints the size of each proof beside the times. One thread; data and stored
//! trees are in memory, so reading them from a disk comes on top.

#[path = "../tests/common/mod.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod common;

use blake2::{digest::consts::U32, Blake2b, Digest};
use codec::Encode;
use common::{Memory, Segment, Trees};
use criterion::{criterion_group, criterion_main, BenchmarkId, Criterion, Throughput};
use opensand_storage_proof::{
	draw, prove, Claim, Hash, Hasher, Native, PossessionScheme, SegmentCommitter, SegmentMerkle, ShardLayout,
	LEAF_BYTES, SEGMENT_BYTES, SEGMENT_LEAVES,
};
use rand::RngCore;
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use std::{collections::BTreeMap, hint::black_box};

/// Samples of a window.
const SAMPLES: u32 = 32;

/// The tree's top, hashing one leaf and one node after the other: what committing costs without vectors over inputs.
fn one_at_a_time(bytes: &[u8], hash: fn(&[u8]) -> Hash) -> Hash {
	let mut level: Vec<Hash> = bytes.chunks(LEAF_BYTES as usize).map(hash).collect();
	while level.len() > 1 {
		level = level.chunks(2).map(|pair| hash(pair.as_flattened())).collect();
	}
	level[0]
}

fn commit(criterion: &mut Criterion) {
	let bytes = Segment::random(0, SEGMENT_LEAVES).bytes;
	let mut group = criterion.benchmark_group("commit to 8 MiB");
	group.throughput(Throughput::Bytes(SEGMENT_BYTES.into()));
	group.bench_function("SegmentCommitter", |bencher| {
		bencher.iter(|| {
			let mut root = None;
			let mut committer = SegmentCommitter::new();
			committer.update(black_box(&bytes), |tree| root = Some(*tree.root()));
			root
		})
	});
	group.bench_function("one leaf at a time, blake2b_simd", |bencher| {
		bencher.iter(|| one_at_a_time(black_box(&bytes), Native::hash))
	});
	group.bench_function("one leaf at a time, blake2", |bencher| {
		bencher.iter(|| one_at_a_time(black_box(&bytes), |input| Blake2b::<U32>::digest(input).into()))
	});
	group.finish();
}

/// A window's samples of a provider that holds `held` bytes in full segments, with the segments that they hit. Only those
/// are made, each from a generator seeded with its number.
struct Window {
	segments: BTreeMap<u64, Segment>,
	samples: Vec<(u64, u32)>,
}

impl Window {
	fn of(held: u64) -> Self {
		let leaves = held / u64::from(LEAF_BYTES);
		let layout = ShardLayout::of(held).expect("a multiple of a leaf");
		let samples: Vec<_> = (0..SAMPLES)
			.map(|sample| {
				let leaf = draw::<Native>(&[1; 32], &[2; 32], sample, leaves);
				let (segment, index) = layout.locate(leaf).expect("draws are in range");
				(u64::from(segment), index)
			})
			.collect();
		let made = |segment| {
			let mut bytes = vec![0; SEGMENT_BYTES as usize];
			ChaCha8Rng::seed_from_u64(segment).fill_bytes(&mut bytes);
			Segment::of(bytes)
		};
		let segments = samples
			.iter()
			.map(|(segment, _)| (*segment, made(*segment)))
			.collect();
		Self { segments, samples }
	}

	fn claims(&self) -> Vec<Claim> {
		self.samples
			.iter()
			.map(|(segment, index)| self.segments[segment].claim(*index))
			.collect()
	}

	fn source(&self, trees: Trees) -> Memory<'_> {
		Memory::new(
			self.samples
				.iter()
				.map(|(segment, _)| &self.segments[segment])
				.collect(),
			trees,
		)
	}
}

fn possession(criterion: &mut Criterion) {
	let mut group = criterion.benchmark_group("32 samples");
	for (name, held) in [("1 GiB", 1 << 30), ("1 TiB", 1 << 40), ("1 PiB", 1 << 50)] {
		let window = Window::of(held);
		let claims = window.claims();
		let proof = prove(&claims, &mut window.source(Trees::Stored))
			.expect("the data are there")
			.encode();
		println!(
			"{name} held: {} segments hit, proof of {} bytes",
			window.segments.len(),
			proof.len()
		);
		group.bench_function(
			BenchmarkId::new("draw and prove, stored trees", name),
			|bencher| {
				bencher.iter(|| {
					for sample in 0..SAMPLES {
						black_box(draw::<Native>(
							&[1; 32],
							&[2; 32],
							sample,
							held / u64::from(LEAF_BYTES),
						));
					}
					prove(black_box(&claims), &mut window.source(Trees::Stored)).expect("the data are there")
				})
			},
		);
		group.bench_function(BenchmarkId::new("decode and verify", name), |bencher| {
			bencher.iter(|| {
				SegmentMerkle::<Native>::verify(black_box(&claims), black_box(&proof)).expect("valid")
			})
		});
		if held == 1 << 50 {
			group.sample_size(10);
			group.bench_function(BenchmarkId::new("prove without stored trees", name), |bencher| {
				bencher
					.iter(|| prove(&claims, &mut window.source(Trees::Missing)).expect("the data are there"))
			});
		}
	}
	group.finish();
}

criterion_group!(benches, commit, possession);
criterion_main!(benches);
