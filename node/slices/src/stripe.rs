//! Stripes: the units of all shards at one place, their erasure code, and how to read them from k of n shards.

use std::{mem, panic, thread};

use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::{
	block::{self, BlockFetcher},
	code::{Code, Layout},
	dag::{ShardError, ShardReader},
	manifest::Manifest,
};

/// A shard that was given up, and why.
#[derive(Debug, Error)]
#[error("shard {shard}: {error}")]
pub struct FailedShard {
	/// Its index.
	pub shard: u8,
	/// What is wrong with it.
	pub error: ShardError,
}

/// Fewer shards are left than the code needs: give sources for more shards.
#[derive(Debug, Error)]
#[error("{available} shards are left, and {needed} are needed; give sources for others{}", list(.failed))]
pub struct TooFewShards {
	/// Shards that the code needs.
	pub needed: u8,
	/// Shards that could be read so far.
	pub available: u8,
	/// Those that could not.
	pub failed: Vec<FailedShard>,
}

fn list(failed: &[FailedShard]) -> String {
	failed.iter().map(|failed| format!("; {failed}")).collect()
}

/// The units of one stripe, one shard's after the other's.
pub(crate) struct Stripe {
	/// Room for a stripe with the longest units. It holds plaintext at times, so it is wiped.
	bytes: Zeroizing<Vec<u8>>,
	data: usize,
	unit_bytes: usize,
	longest_unit: usize,
}

impl Stripe {
	/// A stripe with room for units of `longest_unit` bytes, which they have at first.
	pub(crate) fn new(code: Code, longest_unit: usize) -> Self {
		Self {
			bytes: Zeroizing::new(vec![0; longest_unit * usize::from(code.total())]),
			data: code.data().into(),
			unit_bytes: longest_unit,
			longest_unit,
		}
	}

	/// Makes the units this long, at most as long as there is room for. The data units stay one string of bytes.
	pub(crate) fn set_unit_bytes(&mut self, unit_bytes: usize) {
		self.unit_bytes = unit_bytes.min(self.longest_unit);
	}

	/// Makes the units as long as there is room for.
	pub(crate) fn set_longest_units(&mut self) {
		self.unit_bytes = self.longest_unit;
	}

	/// The units of the data shards, which are consecutive.
	pub(crate) fn data(&mut self) -> &mut [u8] {
		&mut self.bytes[..self.data * self.unit_bytes]
	}

	pub(crate) fn unit(&self, shard: usize) -> &[u8] {
		&self.bytes[shard * self.unit_bytes..][..self.unit_bytes]
	}

	fn unit_mut(&mut self, shard: usize) -> &mut [u8] {
		&mut self.bytes[shard * self.unit_bytes..][..self.unit_bytes]
	}
}

/// Bytes of all units that one thread hands to another at a time, so that it happens seldom; a stripe may have more.
const BATCH_BYTES: usize = 16 << 20;

/// Consecutive stripes that are handed from thread to thread together.
pub(crate) struct Batch {
	stripes: Vec<Stripe>,
	filled: usize,
}

impl Batch {
	/// Room for as many stripes of a file that has `stripes` as belong together.
	pub(crate) fn new(code: Code, longest_unit: usize, stripes: u64) -> Self {
		let together = (BATCH_BYTES / (longest_unit * usize::from(code.total()))).max(1);
		let together = stripes.min(together as u64);
		Self {
			stripes: (0..together).map(|_| Stripe::new(code, longest_unit)).collect(),
			filled: 0,
		}
	}

	/// Fills the stripes one after the other until `fill` says that there are no more. Returns whether there was one.
	pub(crate) fn fill<E>(
		&mut self,
		mut fill: impl FnMut(&mut Stripe) -> Result<bool, E>,
	) -> Result<bool, E> {
		self.filled = 0;
		for stripe in &mut self.stripes {
			if !fill(stripe)? {
				break;
			}
			self.filled += 1;
		}
		Ok(self.filled > 0)
	}

	/// The stripes that were filled.
	pub(crate) fn stripes(&self) -> &[Stripe] {
		&self.stripes[..self.filled]
	}

	fn stripes_mut(&mut self) -> &mut [Stripe] {
		&mut self.stripes[..self.filled]
	}
}

const SUPPORTED: &str = "at most 80 shards with units of a positive, even length are supported; qed";

/// Computes parity units.
pub(crate) struct ParityEncoder {
	code: Code,
	encoder: Option<ReedSolomonEncoder>,
}

impl ParityEncoder {
	pub(crate) fn new(code: Code) -> Self {
		Self { code, encoder: None }
	}

	/// Fills the parity units of a stripe whose data units are complete.
	pub(crate) fn fill(&mut self, stripe: &mut Stripe) {
		let (data, parity) = (usize::from(self.code.data()), usize::from(self.code.parity()));
		let encoder = match &mut self.encoder {
			Some(encoder) => {
				encoder.reset(data, parity, stripe.unit_bytes).expect(SUPPORTED);
				encoder
			}
			none => none.insert(ReedSolomonEncoder::new(data, parity, stripe.unit_bytes).expect(SUPPORTED)),
		};
		for shard in 0..data {
			encoder.add_original_shard(stripe.unit(shard)).expect(SUPPORTED);
		}
		let result = encoder.encode().expect(SUPPORTED);
		for (index, unit) in result.recovery_iter().enumerate() {
			stripe.unit_mut(data + index).copy_from_slice(unit);
		}
	}
}

/// Reads the data units of stripe after stripe from any k shards, replacing those that fail.
pub(crate) struct StripeReader<F> {
	layout: Layout,
	roots: Vec<[u8; 32]>,
	/// The stripe that is read next.
	next: u64,
	active: Vec<(u8, ShardReader<F>)>,
	/// Sources that are not needed yet, the next one last.
	spare: Vec<(u8, F)>,
	failed: Vec<FailedShard>,
	decoder: Option<ReedSolomonDecoder>,
}

/// Sources that do not fit the manifest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum SourcesError {
	/// The file has no shard with this index.
	#[error("the file has no shard {0}; give sources for its own shards only")]
	Unknown(u8),
	/// Two sources for one shard.
	#[error("there are two sources for shard {0}; give one for each shard")]
	Duplicate(u8),
}

impl<F: BlockFetcher + Send> StripeReader<F> {
	/// A reader of the manifest's file. Data shards are preferred, since they need no decoding, else the order is kept.
	pub(crate) fn new(manifest: &Manifest, mut sources: Vec<(u8, F)>) -> Result<Self, SourcesError> {
		let code = manifest.code();
		let mut seen = vec![false; code.total().into()];
		for (shard, _) in &sources {
			let seen = seen
				.get_mut(usize::from(*shard))
				.ok_or(SourcesError::Unknown(*shard))?;
			if mem::replace(seen, true) {
				return Err(SourcesError::Duplicate(*shard));
			}
		}
		sources.sort_by_key(|(shard, _)| *shard >= code.data());
		sources.reverse();
		Ok(Self {
			layout: *manifest.layout(),
			roots: manifest.shards().iter().map(|shard| shard.cid).collect(),
			next: 0,
			active: Vec::new(),
			spare: sources,
			failed: Vec::new(),
			decoder: None,
		})
	}

	/// Hands each stripe, its data units complete, to `consume` on this thread, while another reads the next ones.
	/// Returns the shards that failed.
	pub(crate) fn for_each<E: From<TooFewShards>>(
		mut self,
		mut consume: impl FnMut(u64, &mut Stripe) -> Result<(), E>,
	) -> Result<Vec<FailedShard>, E> {
		let layout = self.layout;
		let new_batch = || Batch::new(layout.code(), layout.unit_bytes_of(0), layout.stripes());
		let (mut batch, mut next) = (new_batch(), new_batch());
		let mut index = 0;
		let mut filled = batch.fill(|stripe| self.fill(stripe))?;
		while filled {
			filled = thread::scope(|scope| {
				let filler = scope.spawn(|| next.fill(|stripe| self.fill(stripe)));
				let consumed = batch.stripes_mut().iter_mut().try_for_each(|stripe| {
					index += 1;
					consume(index - 1, stripe)
				});
				let filled = filler.join().unwrap_or_else(|cause| panic::resume_unwind(cause));
				consumed?;
				Ok::<bool, E>(filled?)
			})?;
			mem::swap(&mut batch, &mut next);
		}
		Ok(self.failed)
	}

	/// Fills the next stripe's data units, and those of whatever other shards are read. Returns whether there was one.
	fn fill(&mut self, stripe: &mut Stripe) -> Result<bool, TooFewShards> {
		let index = self.next;
		if index == self.layout.stripes() {
			return Ok(false);
		}
		self.next += 1;
		stripe.set_unit_bytes(self.layout.unit_bytes_of(index));
		self.read(index, stripe)?;
		self.restore(stripe);
		Ok(true)
	}

	/// Reads the units of k shards.
	fn read(&mut self, index: u64, stripe: &mut Stripe) -> Result<(), TooFewShards> {
		let needed = self.layout.code().data();
		let offset = index * self.layout.unit_bytes() as u64;
		let mut done = 0;
		while done < usize::from(needed) {
			if done == self.active.len() {
				let Some((shard, fetcher)) = self.spare.pop() else {
					return Err(TooFewShards {
						needed,
						available: done as u8,
						failed: mem::take(&mut self.failed),
					});
				};
				let root = block::shard_cid(self.roots[usize::from(shard)]);
				let reader = ShardReader::new(fetcher, root, self.layout.shard_bytes());
				self.active.push((shard, reader));
			}
			let (shard, reader) = &mut self.active[done];
			match reader.read_at(offset, stripe.unit_mut((*shard).into())) {
				Ok(()) => done += 1,
				Err(error) => {
					let shard = *shard;
					self.active.remove(done);
					self.failed.push(FailedShard { shard, error });
				}
			}
		}
		Ok(())
	}

	/// Computes the data units that were not read.
	fn restore(&mut self, stripe: &mut Stripe) {
		let code = self.layout.code();
		let (data, parity) = (usize::from(code.data()), usize::from(code.parity()));
		if self.active.iter().all(|(shard, _)| *shard < code.data()) {
			return;
		}
		let decoder = match &mut self.decoder {
			Some(decoder) => {
				decoder.reset(data, parity, stripe.unit_bytes).expect(SUPPORTED);
				decoder
			}
			none => none.insert(ReedSolomonDecoder::new(data, parity, stripe.unit_bytes).expect(SUPPORTED)),
		};
		for (shard, _) in &self.active {
			let shard = usize::from(*shard);
			let added = match shard.checked_sub(data) {
				Some(index) => decoder.add_recovery_shard(index, stripe.unit(shard)),
				None => decoder.add_original_shard(shard, stripe.unit(shard)),
			};
			added.expect(SUPPORTED);
		}
		let result = decoder.decode().expect(SUPPORTED);
		for (shard, unit) in result.restored_original_iter() {
			stripe.unit_mut(shard).copy_from_slice(unit);
		}
	}
}
