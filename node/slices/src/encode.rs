//! From a file to its shards, in one pass.
//!
//! The caller's thread reads, encrypts and computes parity; one more thread hashes and stores the stripes before. Who
//! is done first helps with what is left to hash, so that two cores are busy whatever the machine is good at.
//!
//! # Resuming
//!
//! Everything follows from the content, the key, the code and the metadata. A client therefore keeps these (the key in
//! a safe place), the file's length and its time of change until all is uploaded, and starts an interrupted encoding
//! over: blocks that it has stored come again with the same CIDs, and the manifest is the same. The content must be the
//! same as well. A client draws a new key if the file's length or time of change differ; and since no block may be given
//! away before the manifest is complete, the blocks of an attempt that ended with another manifest are deleted.

use std::{
	io::{self, Read},
	mem,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Mutex, PoisonError,
	},
	thread,
};

use thiserror::Error;

use crate::{
	block::{BlockError, BlockSink},
	cipher::{ContentCipher, CHUNK_BYTES, TAG_BYTES},
	code::{short_unit, Code, CodeError, Layout, UNIT_BYTES},
	key::FileKey,
	manifest::{Manifest, ShardCommitment},
	metadata::{Metadata, MetadataError},
	shard::ShardWriter,
	stripe::{Batch, ParityEncoder, Stripe},
};

/// Why a file could not be encoded. What was stored so far can be deleted, or serve another attempt.
#[derive(Debug, Error)]
pub enum EncodeError {
	/// The file does not fit the code.
	#[error(transparent)]
	Code(#[from] CodeError),
	/// The metadata are refused.
	#[error(transparent)]
	Metadata(#[from] MetadataError),
	/// There is not one sink for each shard.
	#[error("{sinks} sinks were given for {shards} shards; give one for each")]
	Sinks {
		/// Sinks given.
		sinks: usize,
		/// Shards of the code.
		shards: u8,
	},
	/// The file could not be read: mend that and start over.
	#[error("the file could not be read: {0}")]
	Read(#[source] io::Error),
	/// The file was changed while it was read: start over with a new key.
	#[error("the file was to have {expected} bytes, and {found} were read; start over with a new key")]
	LengthChanged {
		/// Bytes that the caller expected.
		expected: u64,
		/// Bytes that were read.
		found: u64,
	},
	/// A block could not be stored: mend that and start over with the same key.
	#[error("a block of shard {shard} could not be stored: {source}")]
	Sink {
		/// Index of the shard.
		shard: u8,
		/// What the store says.
		source: BlockError,
	},
}

/// Encrypts what `reader` gives, erasure-codes it, and puts the blocks of shard i into sink i.
///
/// `length` is the file's length if it is known: it is then refused at once if it does not fit, and a file that changes
/// while it is read is noticed. `key` must be fresh, or have been used for the same content only. Memory stays below
/// 96 MiB besides what the sinks keep, and below 64 MiB with 10 of 16 shards.
pub fn encode<S: BlockSink + Send>(
	reader: impl Read,
	length: Option<u64>,
	key: &FileKey,
	code: Code,
	metadata: &Metadata,
	sinks: &mut [S],
) -> Result<Manifest, EncodeError> {
	if sinks.len() != usize::from(code.total()) {
		return Err(EncodeError::Sinks {
			sinks: sinks.len(),
			shards: code.total(),
		});
	}
	metadata.check()?;
	let (unit_bytes, stripes) = match length {
		Some(length) => {
			let layout = Layout::new(code, length)?;
			(layout.unit_bytes_of(0), layout.stripes())
		}
		None => (UNIT_BYTES, u64::MAX),
	};
	let mut source = StripeSource {
		reader,
		ahead: None,
		length,
		key,
		cipher: key.content_cipher(),
		parity: ParityEncoder::new(code),
		code,
		file_bytes: 0,
		chunks: 0,
		ended: false,
	};
	let shards = Shards {
		writers: sinks
			.iter_mut()
			.map(|sink| Mutex::new(ShardWriter::new(sink)))
			.collect(),
		failure: Mutex::new(None),
	};

	let mut batch = Batch::new(code, unit_bytes, stripes);
	let mut next = Batch::new(code, unit_bytes, stripes);
	let mut filled = batch.fill(|stripe| source.fill(stripe))?;
	while filled {
		let taken = AtomicUsize::new(0);
		filled = thread::scope(|scope| {
			scope.spawn(|| shards.store(&batch, &taken));
			let filled = next.fill(|stripe| source.fill(stripe));
			shards.store(&batch, &taken);
			filled
		})?;
		shards.check()?;
		mem::swap(&mut batch, &mut next);
	}

	let layout = Layout::new(code, source.file_bytes)?;
	Ok(Manifest::new(layout, shards.finish()?, key, metadata)?)
}

/// What is left of the file, as stripes.
struct StripeSource<'a, R> {
	reader: R,
	/// A byte that was read to learn whether the chunk before it is the last.
	ahead: Option<u8>,
	length: Option<u64>,
	key: &'a FileKey,
	cipher: ContentCipher,
	parity: ParityEncoder,
	code: Code,
	/// Bytes read so far, without the one ahead.
	file_bytes: u64,
	chunks: u32,
	ended: bool,
}

impl<R: Read> StripeSource<'_, R> {
	/// Fills a stripe with the next ciphertext and its parity. Returns whether there was any left.
	fn fill(&mut self, stripe: &mut Stripe) -> Result<bool, EncodeError> {
		if self.ended {
			return Ok(false);
		}
		stripe.set_longest_units();
		let data = stripe.data();
		let room = data.len();
		let mut used = 0;
		while !self.ended && used < room {
			let chunk_room = CHUNK_BYTES.min(room - used);
			used += self.seal_chunk(&mut data[used..used + chunk_room])?;
		}
		if self.ended {
			let unit_bytes = short_unit(self.code, used);
			self.key
				.fill_padding(&mut data[used..unit_bytes * usize::from(self.code.data())]);
			stripe.set_unit_bytes(unit_bytes);
		}
		self.parity.fill(stripe);
		Ok(true)
	}

	/// Reads and seals a chunk at the beginning of `room`. Returns its bytes of ciphertext.
	fn seal_chunk(&mut self, room: &mut [u8]) -> Result<usize, EncodeError> {
		let content = room.len().saturating_sub(TAG_BYTES);
		let (bytes, last) = self.read_chunk(&mut room[..content])?;
		self.file_bytes += bytes as u64;
		self.check_length(last)?;
		let sealed = bytes + TAG_BYTES;
		self.cipher.seal(self.chunks, last, &mut room[..sealed]);
		self.chunks += 1;
		self.ended = last;
		Ok(sealed)
	}

	/// Fills `room` as far as the file goes. Returns the bytes read, and whether the file ends there.
	fn read_chunk(&mut self, room: &mut [u8]) -> Result<(usize, bool), EncodeError> {
		let mut filled = 0;
		if let (Some(byte), Some(first)) = (self.ahead.take(), room.first_mut()) {
			*first = byte;
			filled = 1;
		}
		while filled < room.len() {
			match self.read(&mut room[filled..])? {
				0 => return Ok((filled, true)),
				bytes => filled += bytes,
			}
		}
		let mut ahead = [0];
		let more = self.read(&mut ahead)? > 0;
		self.ahead = more.then_some(ahead[0]);
		Ok((filled, !more))
	}

	fn read(&mut self, room: &mut [u8]) -> Result<usize, EncodeError> {
		loop {
			match self.reader.read(room) {
				Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
				other => return other.map_err(EncodeError::Read),
			}
		}
	}

	/// Refuses a file that is too long, or whose length is not the expected one.
	fn check_length(&self, last: bool) -> Result<(), EncodeError> {
		let found = self.file_bytes + u64::from(self.ahead.is_some());
		match self.length {
			Some(expected) if found > expected || (last && found < expected) => {
				Err(EncodeError::LengthChanged { expected, found })
			}
			_ => Ok(Layout::new(self.code, found).map(|_| ())?),
		}
	}
}

/// The shards as they grow.
struct Shards<S> {
	writers: Vec<Mutex<ShardWriter<S>>>,
	/// The first thing that went wrong.
	failure: Mutex<Option<EncodeError>>,
}

impl<S: BlockSink> Shards<S> {
	/// Appends the units of these stripes to the shards that nobody has taken yet.
	fn store(&self, batch: &Batch, taken: &AtomicUsize) {
		while let Some((shard, writer)) = self.take(taken) {
			let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
			let mut units = batch.stripes().iter().map(|stripe| stripe.unit(shard));
			if let Err(source) = units.try_for_each(|unit| writer.write(unit)) {
				let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
				failure.get_or_insert(EncodeError::Sink {
					shard: shard as u8,
					source,
				});
			}
		}
	}

	fn take(&self, taken: &AtomicUsize) -> Option<(usize, &Mutex<ShardWriter<S>>)> {
		let shard = taken.fetch_add(1, Ordering::Relaxed);
		Some((shard, self.writers.get(shard)?))
	}

	fn check(&self) -> Result<(), EncodeError> {
		let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
		failure.take().map_or(Ok(()), Err)
	}

	fn finish(self) -> Result<Vec<ShardCommitment>, EncodeError> {
		(0..)
			.zip(self.writers)
			.map(|(shard, writer)| {
				let writer = writer.into_inner().unwrap_or_else(PoisonError::into_inner);
				writer
					.finish()
					.map_err(|source| EncodeError::Sink { shard, source })
			})
			.collect()
	}
}
