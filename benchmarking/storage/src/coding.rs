//! What encoding and decoding a file cost, each in a process of its own, because the peak of memory is a process'.

use std::{
	env, fs,
	io::{self, Read},
	path::Path,
	process::Command,
	time::{Duration, Instant},
};

use anyhow::{ensure, Context, Result};
use clap::ValueEnum;
use opensand_measure::{peak_kib, processor_time};
use opensand_slices::{decode, encode, Code, FileKey, Manifest, Metadata};
use serde::{Deserialize, Serialize};

use crate::shards::{Discard, ShardReader, ShardWriter};

/// Bytes of the file.
pub const FILE_BYTES: u64 = 1 << 30;
/// Runs of which the median counts.
const RUNS: usize = 3;

/// What a process measures.
#[derive(Clone, Copy, ValueEnum)]
pub enum Work {
	/// Encrypting, encoding and committing; blocks are forgotten.
	Encode,
	/// The same; blocks are written to files.
	Store,
	/// Restoring the file from its first shards.
	Decode,
	/// Restoring it after as many of its first shards were lost as may be.
	DecodeLossy,
}

/// What one piece of work took.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Cost {
	/// By the clock.
	pub seconds: f64,
	/// Of all processors together.
	pub processor_seconds: f64,
	/// Most resident memory, in KiB.
	pub peak_kib: u64,
}

impl Cost {
	/// Megabytes of the file a second, by the clock.
	pub fn rate(&self) -> f64 {
		FILE_BYTES as f64 / 1e6 / self.seconds
	}

	/// Megabytes of the file a second of one core.
	pub fn rate_of_a_core(&self) -> f64 {
		FILE_BYTES as f64 / 1e6 / self.processor_seconds
	}
}

/// All of the work.
pub struct Coding {
	/// [`Work::Encode`].
	pub encode: Cost,
	/// [`Work::Store`].
	pub store: Cost,
	/// [`Work::Decode`].
	pub decode: Cost,
	/// [`Work::DecodeLossy`].
	pub decode_lossy: Cost,
}

impl Coding {
	/// The most memory that any of the work took, in KiB.
	pub fn peak_kib(&self) -> u64 {
		let all = [self.encode, self.store, self.decode, self.decode_lossy];
		all.map(|cost| cost.peak_kib)
			.into_iter()
			.max()
			.unwrap_or_default()
	}
}

/// The code that orders use unless told otherwise.
pub fn code() -> Result<Code> {
	let code = opensand_primitives::storage::ErasureCode::DEFAULT;
	Ok(Code::new(code.data, code.total)?)
}

/// Measures all of the work.
///
/// # Errors
/// When a process fails.
pub fn measure() -> Result<Coding> {
	// Shards are written once and read by the processes that decode; the other runs write anew.
	let directory = tempfile::tempdir()?;
	let first = in_a_process(Work::Store, directory.path())?;
	let mut stored = vec![first];
	for _ in 1..RUNS {
		let again = tempfile::tempdir()?;
		stored.push(in_a_process(Work::Store, again.path())?);
	}
	let several = |work| -> Result<Cost> {
		let costs = (0..RUNS).map(|_| in_a_process(work, directory.path()));
		median(costs.collect::<Result<Vec<_>>>()?)
	};
	Ok(Coding {
		encode: several(Work::Encode)?,
		store: median(stored)?,
		decode: several(Work::Decode)?,
		decode_lossy: several(Work::DecodeLossy)?,
	})
}

/// The medians of times, and the highest peak.
fn median(costs: Vec<Cost>) -> Result<Cost> {
	let middle = |figure: fn(&Cost) -> f64| {
		let mut figures: Vec<f64> = costs.iter().map(figure).collect();
		figures.sort_unstable_by(f64::total_cmp);
		figures.get(figures.len() / 2).copied().context("a run")
	};
	Ok(Cost {
		seconds: middle(|cost| cost.seconds)?,
		processor_seconds: middle(|cost| cost.processor_seconds)?,
		peak_kib: costs.iter().map(|cost| cost.peak_kib).max().context("a run")?,
	})
}

fn in_a_process(work: Work, directory: &Path) -> Result<Cost> {
	let name = work.to_possible_value().context("a name")?;
	let child = Command::new(env::current_exe()?)
		.args(["code", name.get_name()])
		.arg(directory)
		.output()?;
	ensure!(
		child.status.success(),
		"{}",
		String::from_utf8_lossy(&child.stderr)
	);
	Ok(serde_json::from_slice(&child.stdout)?)
}

/// The work of a process; prints its [`Cost`].
///
/// # Errors
/// When it fails.
pub fn child(work: Work, directory: &Path) -> Result<()> {
	let cost = match work {
		Work::Encode => {
			let mut sinks: Vec<Discard> = (0..code()?.total()).map(|_| Discard).collect();
			cost_of(|| {
				encode(
					content(),
					Some(FILE_BYTES),
					&FileKey::generate(),
					code()?,
					&Metadata::default(),
					&mut sinks,
				)?;
				Ok(())
			})?
		}
		Work::Store => {
			let key = FileKey::generate();
			fs::write(directory.join("key"), key.to_bytes())?;
			let mut sinks = (0..code()?.total())
				.map(|shard| ShardWriter::create(&shard_at(directory, shard)))
				.collect::<Result<Vec<_>>>()?;
			let mut manifest = None;
			let cost = cost_of(|| {
				manifest = Some(encode(
					content(),
					Some(FILE_BYTES),
					&key,
					code()?,
					&Metadata::default(),
					&mut sinks,
				)?);
				Ok(())
			})?;
			let manifest = manifest.context("an encoded file has a manifest")?;
			fs::write(directory.join("manifest"), manifest.to_bytes())?;
			sinks.into_iter().try_for_each(ShardWriter::finish)?;
			cost
		}
		Work::Decode => decode_from(0, directory)?,
		Work::DecodeLossy => decode_from(code()?.parity(), directory)?,
	};
	println!("{}", serde_json::to_string(&cost)?);
	Ok(())
}

fn decode_from(first: u8, directory: &Path) -> Result<Cost> {
	let key = fs::read(directory.join("key"))?;
	let key = FileKey::from_bytes(key[..].try_into().context("the length of a key")?);
	let manifest = Manifest::from_bytes(&fs::read(directory.join("manifest"))?)?;
	let shards = (first..code()?.total())
		.map(|shard| Ok((shard, ShardReader::open(&shard_at(directory, shard))?)))
		.collect::<Result<Vec<_>>>()?;
	let mut shards = Some(shards);
	cost_of(|| {
		let decoded = decode(&manifest, &key, shards.take().unwrap_or_default(), io::sink())?;
		ensure!(decoded.failed.is_empty(), "a shard failed");
		Ok(())
	})
}

fn shard_at(directory: &Path, shard: u8) -> std::path::PathBuf {
	directory.join(format!("{shard}.shard"))
}

/// A stream that costs next to nothing to read.
fn content() -> impl Read {
	io::repeat(0xa5).take(FILE_BYTES)
}

fn cost_of(work: impl FnOnce() -> Result<()>) -> Result<Cost> {
	let (clock, processor) = (Instant::now(), processor_time());
	work()?;
	let seconds = |time: Duration| time.as_secs_f64();
	Ok(Cost {
		seconds: seconds(clock.elapsed()),
		processor_seconds: seconds(processor_time().saturating_sub(processor)),
		peak_kib: peak_kib(None)?,
	})
}
