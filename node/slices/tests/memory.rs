//! Memory stays within its bound whatever the file's size. One test, since all threads share the count.

mod support;

use std::{
	alloc::{GlobalAlloc, Layout, System},
	io::{self, Read},
	sync::atomic::{AtomicUsize, Ordering},
};

use cid::Cid;
use opensand_slices::{
	decode, encode, rebuild_shard, BlockError, BlockSink, Code, CodeError, EncodeError, FileKey, Metadata,
};
use support::{FlatReader, FlatWriter};

/// The system's allocator, counting what is in use and its highest value.
struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
	let in_use = IN_USE.fetch_add(bytes, Ordering::Relaxed) + bytes;
	PEAK.fetch_max(in_use, Ordering::Relaxed);
}

// SAFETY: every call is passed on unchanged.
unsafe impl GlobalAlloc for Counting {
	unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
		add(layout.size());
		System.alloc(layout)
	}

	unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
		add(layout.size());
		System.alloc_zeroed(layout)
	}

	unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
		IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
		System.dealloc(pointer, layout);
	}

	unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
		add(size);
		IN_USE.fetch_sub(layout.size(), Ordering::Relaxed);
		System.realloc(pointer, layout, size)
	}
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const MIB: usize = 1 << 20;

/// What `work` returns, and how many bytes more it had in use at most than there were before.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
	let before = IN_USE.load(Ordering::Relaxed);
	PEAK.store(before, Ordering::Relaxed);
	let result = work();
	(result, PEAK.load(Ordering::Relaxed).saturating_sub(before))
}

/// Forgets what it is given.
struct Discard;

impl BlockSink for Discard {
	fn put(&mut self, _: &Cid, _: &[u8]) -> Result<(), BlockError> {
		Ok(())
	}
}

/// Encodes a stream of zeros without storing it.
fn encode_zeros(bytes: u64, code: Code) -> Result<(), EncodeError> {
	let key = FileKey::from_bytes(&[1; 64]);
	let mut sinks: Vec<Discard> = (0..code.total()).map(|_| Discard).collect();
	encode(
		io::repeat(0).take(bytes),
		None,
		&key,
		code,
		&Metadata::default(),
		&mut sinks,
	)
	.map(|_| ())
}

#[test]
fn memory_does_not_grow_with_the_file() {
	let wide = Code::new(29, 80).unwrap();
	for (code, bound) in [(Code::DEFAULT, 64), (wide, 96)] {
		let peaks = [80, 240].map(|mib| {
			let (outcome, peak) = peak_of(|| encode_zeros(mib * MIB as u64, code));
			outcome.unwrap();
			peak
		});
		assert!(peaks[1] < bound * MIB, "encoding {code} took {peaks:?} bytes");
		assert!(
			peaks[1] < peaks[0] + 2 * MIB,
			"encoding {code} took {peaks:?} bytes"
		);
	}

	// A stream without an end is refused once no shard can take more.
	let code = Code::new(2, 3).unwrap();
	let (outcome, peak) = peak_of(|| encode_zeros(u64::MAX, code));
	match outcome {
		Err(EncodeError::Code(CodeError::TooLarge { fitting, .. })) => assert_eq!(fitting.unwrap().data(), 3),
		other => panic!("{other:?}"),
	}
	assert!(peak < 64 * MIB, "{peak} bytes");

	for (code, mib, bound) in [(Code::DEFAULT, 200, 64), (wide, 100, 96)] {
		restoring_takes_at_most(bound * MIB, code, mib * MIB as u64);
	}
}

/// Decodes a file of `bytes` bytes with and without loss, and rebuilds its first and last shard.
fn restoring_takes_at_most(bound: usize, code: Code, bytes: u64) {
	let directory = tempfile::tempdir().unwrap();
	let key = FileKey::from_bytes(&[1; 64]);
	let content = io::repeat(0).take(bytes);
	let mut sinks: Vec<_> = (0..code.total())
		.map(|shard| FlatWriter::create(&directory.path().join(shard.to_string())))
		.collect();
	let manifest = encode(content, Some(bytes), &key, code, &Metadata::default(), &mut sinks).unwrap();
	let shards: Vec<FlatReader> = sinks.into_iter().map(FlatWriter::into_reader).collect();
	let sources = |from: u8| (from..).zip(&shards[usize::from(from)..]).collect::<Vec<_>>();

	for from in [0, code.parity().min(code.data())] {
		let (outcome, peak) = peak_of(|| decode(&manifest, &key, sources(from), io::sink()));
		assert!(outcome.unwrap().failed.is_empty());
		assert!(
			peak < bound,
			"decoding {code} from shard {from} on took {peak} bytes"
		);
	}
	for index in [0, code.total() - 1] {
		let others = sources(0)
			.into_iter()
			.filter(|(shard, _)| *shard != index)
			.collect();
		let (outcome, peak) = peak_of(|| rebuild_shard(&manifest, index, others, &mut Discard));
		outcome.unwrap();
		assert!(
			peak < bound,
			"rebuilding shard {index} of {code} took {peak} bytes"
		);
	}
}
