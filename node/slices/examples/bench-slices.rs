//! Measures encoding, decoding and rebuilding of a stream, and each stage alone, which is the physical limit.
//!
//! ```text
//! cargo run --release -p opensand-slices --example bench-slices -- [MiB, default 1024] [data, default 10] [total, default 16]
//! ```
//!
//! Rates are megabytes (10^6) of the *file* a second: by the clock, and by processor time, which is the rate of one core
//! and holds on a busy machine too. Peak memory is the process's resident set.

#[path = "../tests/support/mod.rs"]
mod support;

use std::{
	fs,
	hint::black_box,
	io::{self, Read},
	time::{Duration, Instant},
};

use chacha20poly1305::{AeadInPlace, KeyInit, XChaCha20Poly1305, XNonce};
use cid::Cid;
use opensand_slices::{
	decode, encode, rebuild_shard, BlockError, BlockSink, Code, FileKey, Layout, Metadata, LEAF_BLOCK_BYTES,
};
use opensand_storage_proof::SegmentCommitter;
use rand::RngCore;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};
use sha2::{Digest, Sha256};
use support::{FlatReader, FlatWriter};

const MIB: u64 = 1 << 20;
/// Bytes of the file that each stage alone is measured with.
const STAGE_BYTES: usize = 256 << 20;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
	let mut numbers = std::env::args().skip(1).map(|argument| argument.parse::<u64>());
	let bytes = numbers.next().transpose()?.unwrap_or(1024) * MIB;
	let data = numbers.next().transpose()?.unwrap_or(10).try_into()?;
	let total = numbers.next().transpose()?.unwrap_or(16).try_into()?;
	let code = Code::new(data, total)?;
	println!(
		"{} MiB, {code}, {} MiB a shard",
		bytes / MIB,
		Layout::new(code, bytes)?.shard_bytes() / MIB
	);
	println!(
		"{:<34} {:>12} {:>14} {:>12}",
		"", "MB/s", "MB/s a core", "peak MiB"
	);

	stages(code);
	whole(bytes, code)
}

/// Each stage alone, on one core, per byte of the file: hashes run over all shards.
fn stages(code: Code) {
	let mut random = vec![0; 16 << 20];
	rand::thread_rng().fill_bytes(&mut random);
	let shards_bytes = STAGE_BYTES * usize::from(code.total()) / usize::from(code.data());
	let unit = Layout::new(code, code.max_file_bytes())
		.expect("it is the longest")
		.unit_bytes();

	let cipher = XChaCha20Poly1305::new(&[1; 32].into());
	report("stage: encrypt", STAGE_BYTES, || {
		for round in 0..STAGE_BYTES / random.len() {
			for chunk in random.chunks_mut(1 << 16) {
				let nonce = XNonce::from([round as u8; 24]);
				black_box(
					cipher
						.encrypt_in_place_detached(&nonce, b"", chunk)
						.expect("short"),
				);
			}
		}
	});

	let (data, parity) = (usize::from(code.data()), usize::from(code.parity()));
	let stripes = STAGE_BYTES / (data * unit);
	let mut encoder = ReedSolomonEncoder::new(data, parity, unit).expect("supported");
	report("stage: parity", stripes * data * unit, || {
		for _ in 0..stripes {
			random
				.chunks(unit)
				.cycle()
				.take(data)
				.for_each(|unit| encoder.add_original_shard(unit).expect("fits"));
			black_box(encoder.encode().expect("complete").recovery(0));
		}
	});

	let mut decoder = ReedSolomonDecoder::new(data, parity, unit).expect("supported");
	let lost = data.min(parity);
	report("stage: restore lost units", stripes * data * unit, || {
		for _ in 0..stripes {
			let mut units = random.chunks(unit).cycle();
			for index in lost..data {
				decoder
					.add_original_shard(index, units.next().expect("endless"))
					.expect("fits");
			}
			for index in 0..lost {
				decoder
					.add_recovery_shard(index, units.next().expect("endless"))
					.expect("fits");
			}
			black_box(decoder.decode().expect("complete").restored_original(0));
		}
	});

	report("stage: CIDs (SHA2-256)", STAGE_BYTES, || {
		let leaves = random
			.chunks(LEAF_BLOCK_BYTES)
			.cycle()
			.take(shards_bytes / LEAF_BLOCK_BYTES);
		leaves.for_each(|leaf| {
			black_box(Sha256::digest(leaf));
		});
	});

	report("stage: segment roots (BLAKE2-256)", STAGE_BYTES, || {
		let mut committer = SegmentCommitter::new();
		let leaves = random
			.chunks(LEAF_BLOCK_BYTES)
			.cycle()
			.take(shards_bytes / LEAF_BLOCK_BYTES);
		leaves.for_each(|leaf| {
			committer.update(leaf, |tree| {
				black_box(tree.root());
			});
		});
	});
}

/// Everything together.
fn whole(bytes: u64, code: Code) -> Result<(), Failure> {
	let key = FileKey::generate();
	let metadata = Metadata::default();
	let length = bytes as usize;

	let mut discard: Vec<Discard> = (0..code.total()).map(|_| Discard).collect();
	report("encode, blocks discarded", length, || {
		encode(content(bytes), Some(bytes), &key, code, &metadata, &mut discard).map(|_| ())
	})?;

	let directory = tempfile::tempdir()?;
	let mut sinks: Vec<_> = (0..code.total())
		.map(|shard| FlatWriter::create(&directory.path().join(shard.to_string())))
		.collect();
	let manifest = report("encode, blocks written to files", length, || {
		encode(content(bytes), Some(bytes), &key, code, &metadata, &mut sinks)
	})?;
	let shards: Vec<FlatReader> = sinks.into_iter().map(FlatWriter::into_reader).collect();
	let from = |first: u8| (first..).zip(&shards[usize::from(first)..]).collect::<Vec<_>>();

	report("decode, nothing lost", length, || {
		decode(&manifest, &key, from(0), io::sink())
	})?;
	let lost = code.parity();
	report(&format!("decode, {lost} shards lost"), length, || {
		decode(&manifest, &key, from(lost), io::sink())
	})?;
	for index in [0, code.total() - 1] {
		let others: Vec<_> = from(0).into_iter().filter(|(shard, _)| *shard != index).collect();
		report(&format!("rebuild shard {index}"), length, || {
			rebuild_shard(&manifest, index, others, &mut Discard)
		})?;
	}
	Ok(())
}

/// A stream that costs next to nothing to read.
fn content(bytes: u64) -> impl Read {
	io::repeat(0xa5).take(bytes)
}

/// Forgets what it is given.
struct Discard;

impl BlockSink for Discard {
	fn put(&mut self, _: &Cid, _: &[u8]) -> Result<(), BlockError> {
		Ok(())
	}
}

/// Runs `work` and prints how fast it went through `bytes` bytes of the file.
fn report<T>(name: &str, bytes: usize, work: impl FnOnce() -> T) -> T {
	// Makes the kernel count the peak anew.
	let counted = fs::write("/proc/self/clear_refs", "5").is_ok();
	let (clock, processor) = (Instant::now(), processor_time());
	let result = work();
	let (clock, processor) = (clock.elapsed(), processor_time() - processor);
	let rate = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
	let peak = match peak_memory() {
		Some(kib) if counted => format!("{:.0}", kib / 1024.0),
		_ => "?".into(),
	};
	println!(
		"{name:<34} {:>12.0} {:>14.0} {peak:>12}",
		rate(clock),
		rate(processor)
	);
	result
}

/// What all threads of this process have spent.
fn processor_time() -> Duration {
	let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
	Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// The highest resident set of this process, in KiB.
fn peak_memory() -> Option<f64> {
	let status = fs::read_to_string("/proc/self/status").ok()?;
	let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
	line.split_whitespace().nth(1)?.parse().ok()
}
