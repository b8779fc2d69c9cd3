//! What a window's proof of possession costs, whatever the provider holds.
//!
//! Of what is held only the segments that the window's samples hit are made, each from a generator seeded with its
//! number. They lie in files, as a provider's do, and the prover reads them with nothing of them in memory.

use std::{
	collections::BTreeMap,
	fs::{self, File},
	io,
	os::unix::fs::FileExt,
	path::Path,
	time::{Duration, Instant},
};

use anyhow::{Context, Result};
use codec::Encode;
use opensand_primitives::storage::MAX_SAMPLES;
use opensand_storage_proof::{
	draw, prove, Claim, Native, PossessionScheme, SegmentCommitter, SegmentMerkle, SegmentSource,
	SegmentTree, ShardLayout, LEAF_BYTES, SEGMENT_BYTES,
};
use rand::RngCore;
use rand_chacha::{rand_core::SeedableRng, ChaCha8Rng};
use rustix::fs::{fadvise, Advice};

use crate::wasm;

/// Bytes that are held, and what that is called.
pub const HELD: [(u64, &str); 2] = [(1 << 30, "1 GiB"), (1 << 50, "1 PiB")];
/// Windows of a day: of an hour, as the live runtime has them.
pub const WINDOWS_A_DAY: i32 = 24;
/// Proofs and verifications of which the median counts.
const RUNS: usize = 101;

/// Samples of a window, by the runtime's first parameters.
pub fn samples() -> u32 {
	let parameters = <opensand_runtime::configs::storage::InitialParameters as frame_support::traits::Get<
		pallet_dsm::MarketParameters,
	>>::get();
	parameters.samples.min(MAX_SAMPLES)
}

/// The probability that a provider that lacks `fraction` of its leaves fails a window of a day.
pub fn caught_in_a_day(fraction: f64) -> f64 {
	1.0 - (1.0 - fraction).powi(WINDOWS_A_DAY * samples() as i32)
}

/// One window of a provider.
pub struct Possession {
	/// What it holds.
	pub held: &'static str,
	/// Segments that its samples hit.
	pub segments: usize,
	/// Bytes of the proof.
	pub proof_bytes: usize,
	/// Drawing, reading and proving, with what is read in memory.
	pub prove: Duration,
	/// The same with nothing of it in memory.
	pub prove_cold: Duration,
	/// Decoding and verifying, natively.
	pub verify: Duration,
	/// The same in WebAssembly.
	pub wasm: wasm::Verification,
}

/// Measures a window of each provider.
///
/// # Errors
/// When the disk or a proof fails.
pub fn measure() -> Result<Vec<Possession>> {
	HELD.into_iter()
		.map(|(bytes, held)| {
			let directory = tempfile::tempdir()?;
			Window::of(bytes, directory.path())?.measure(held)
		})
		.collect()
}

/// A segment in a file, and its stored tree in another.
struct Stored {
	bytes: File,
	tree: File,
	root: [u8; 32],
}

struct Window {
	leaves: u64,
	layout: ShardLayout,
	segments: BTreeMap<u32, Stored>,
}

impl Window {
	fn of(held: u64, directory: &Path) -> Result<Self> {
		let layout = ShardLayout::of(held).context("a multiple of a leaf")?;
		let mut window = Self {
			leaves: held / u64::from(LEAF_BYTES),
			layout,
			segments: BTreeMap::new(),
		};
		for (segment, _) in window.samples()? {
			window.segments.insert(segment, store(segment, directory)?);
		}
		Ok(window)
	}

	/// Segment and leaf of each sample.
	fn samples(&self) -> Result<Vec<(u32, u32)>> {
		(0..samples())
			.map(|sample| {
				let leaf = draw::<Native>(&[1; 32], &[2; 32], sample, self.leaves);
				self.layout.locate(leaf).context("draws are in range")
			})
			.collect()
	}

	fn segment(&self, number: u32) -> io::Result<&Stored> {
		self.segments
			.get(&number)
			.ok_or_else(|| io::ErrorKind::NotFound.into())
	}

	/// What the samples ask for, by the roots that stand on chain.
	fn claims(&self, samples: &[(u32, u32)]) -> Result<Vec<Claim>> {
		samples
			.iter()
			.map(|(segment, index)| {
				Ok(Claim {
					root: self.segment(*segment)?.root,
					leaves: self.layout.segment_leaves(*segment).context("a segment")?,
					index: *index,
				})
			})
			.collect()
	}

	fn prove(&self) -> Result<Vec<u8>> {
		let samples = self.samples()?;
		let mut source = Source {
			window: self,
			samples: &samples,
		};
		Ok(prove(&self.claims(&samples)?, &mut source)?.encode())
	}

	fn measure(&self, held: &'static str) -> Result<Possession> {
		let proof = self.prove()?;
		let claims = self.claims(&self.samples()?)?;
		Ok(Possession {
			held,
			segments: self.segments.len(),
			proof_bytes: proof.len(),
			prove: median(|| {
				let start = Instant::now();
				self.prove()?;
				Ok(start.elapsed())
			})?,
			prove_cold: median(|| {
				for stored in self.segments.values() {
					for file in [&stored.bytes, &stored.tree] {
						forget(file)?;
					}
				}
				let start = Instant::now();
				self.prove()?;
				Ok(start.elapsed())
			})?,
			verify: median(|| {
				let start = Instant::now();
				SegmentMerkle::<Native>::verify(&claims, &proof)?;
				Ok(start.elapsed())
			})?,
			wasm: wasm::measure(&claims, &proof)?,
		})
	}
}

fn store(number: u32, directory: &Path) -> Result<Stored> {
	let mut bytes = vec![0; SEGMENT_BYTES as usize];
	ChaCha8Rng::seed_from_u64(number.into()).fill_bytes(&mut bytes);
	let mut tree = None;
	SegmentCommitter::new().update(&bytes, |full| tree = Some(full));
	let tree = tree.context("a full segment has a tree")?;
	let file = |name: &str, content: &[u8]| -> Result<File> {
		let path = directory.join(format!("{number}.{name}"));
		fs::write(&path, content)?;
		let file = File::open(path)?;
		// What is not on disk cannot leave the memory.
		file.sync_all()?;
		Ok(file)
	};
	Ok(Stored {
		bytes: file("bytes", &bytes)?,
		tree: file("tree", &tree.to_bytes())?,
		root: *tree.root(),
	})
}

struct Source<'a> {
	window: &'a Window,
	samples: &'a [(u32, u32)],
}

impl Source<'_> {
	fn stored(&self, claim: usize) -> io::Result<&Stored> {
		let (segment, _) = self.samples.get(claim).ok_or(io::ErrorKind::NotFound)?;
		self.window.segment(*segment)
	}
}

impl SegmentSource for Source<'_> {
	fn read(&mut self, claim: usize, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
		self.stored(claim)?.bytes.read_exact_at(buffer, offset)
	}

	fn tree(&mut self, claim: usize) -> Option<Vec<u8>> {
		let file = &self.stored(claim).ok()?.tree;
		let mut bytes = vec![0; file.metadata().ok()?.len() as usize];
		file.read_exact_at(&mut bytes, 0).ok()?;
		Some(bytes)
	}

	fn keep(&mut self, _: usize, _: &SegmentTree) {}
}

/// Takes a file that is on disk out of memory.
///
/// # Errors
/// When the system does not do it.
pub fn forget(file: &File) -> Result<()> {
	Ok(fadvise(file, 0, None, Advice::DontNeed)?)
}

/// The median of some runs.
///
/// # Errors
/// When one fails.
pub fn median(mut run: impl FnMut() -> Result<Duration>) -> Result<Duration> {
	let mut times = (0..RUNS).map(|_| run()).collect::<Result<Vec<_>>>()?;
	times.sort_unstable();
	Ok(times[RUNS / 2])
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_day_catches_what_the_protocol_says() {
		assert!((caught_in_a_day(0.01) - 0.9996).abs() < 5e-5);
		assert!((caught_in_a_day(0.001) - 0.5362).abs() < 5e-5);
		assert_eq!(caught_in_a_day(0.0), 0.0);
	}

	#[test]
	fn proofs_from_files_verify() {
		let directory = tempfile::tempdir().unwrap();
		let window = Window::of(1 << 50, directory.path()).unwrap();
		let claims = window.claims(&window.samples().unwrap()).unwrap();
		let proof = window.prove().unwrap();
		assert!(SegmentMerkle::<Native>::verify(&claims, &proof).is_ok());
		assert!(SegmentMerkle::<Native>::verify(&claims[1..], &proof).is_err());
	}
}
