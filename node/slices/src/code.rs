//! Erasure codes, and how a file of a given length is laid out over shards.

use thiserror::Error;

use crate::cipher::{CHUNK_BYTES, PLAIN_CHUNK_BYTES, TAG_BYTES};

/// The fewest data shards: with one, all shards would be alike, and one copy could pass for all.
pub const MIN_DATA_SHARDS: u8 = 2;
/// The most shards of a code.
pub const MAX_SHARDS: u8 = 80;
/// The most segments of a shard.
pub const MAX_SEGMENTS: usize = 128;
/// Bytes of a segment; the last of a shard may be shorter.
pub const SEGMENT_BYTES: u64 = opensand_storage_proof::SEGMENT_BYTES as u64;
/// The most bytes of a shard.
pub const MAX_SHARD_BYTES: u64 = MAX_SEGMENTS as u64 * SEGMENT_BYTES;

/// A shard's length is a multiple of this: the leaf of a possession proof, and a multiple of what the code works on.
pub(crate) const GRAIN_BYTES: usize = opensand_storage_proof::LEAF_BYTES as usize;
/// Bytes of a unit in all stripes but the last: a leaf block. Measured: larger ones fall out of the processor's cache when
/// lost units are restored, and smaller ones do not fill a leaf block.
pub(crate) const UNIT_BYTES: usize = 256 * 1024;

/// A Reed–Solomon code: any `data` of `total` shards restore the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Code {
	data: u8,
	total: u8,
}

/// Why a file cannot be laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum CodeError {
	/// Not [`MIN_DATA_SHARDS`] ≤ data < total ≤ [`MAX_SHARDS`].
	#[error("{data} of {total} is no code; take at least {MIN_DATA_SHARDS} data shards, more in all, and at most {MAX_SHARDS}")]
	Invalid {
		/// Shards that would suffice.
		data: u8,
		/// Shards in all.
		total: u8,
	},
	/// A shard would have more than [`MAX_SEGMENTS`] segments.
	#[error("a file of {bytes} bytes or more does not fit into {code}, which takes {}; {}", code.max_file_bytes(), remedy(*fitting))]
	TooLarge {
		/// Bytes of the file, or as many as were read of it.
		bytes: u64,
		/// The code.
		code: Code,
		/// A code of like redundancy that would fit, if there is one.
		fitting: Option<Code>,
	},
}

fn remedy(fitting: Option<Code>) -> String {
	match fitting {
		Some(code) => format!("take {code}, which takes {}", code.max_file_bytes()),
		None => "split the file".into(),
	}
}

impl core::fmt::Display for Code {
	fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
		write!(f, "{} of {}", self.data, self.total)
	}
}

impl Code {
	/// 10 of 16: what is used unless told otherwise.
	pub const DEFAULT: Self = Self { data: 10, total: 16 };

	/// The code in which any `data` of `total` shards suffice.
	pub fn new(data: u8, total: u8) -> Result<Self, CodeError> {
		if data >= MIN_DATA_SHARDS && data < total && total <= MAX_SHARDS {
			Ok(Self { data, total })
		} else {
			Err(CodeError::Invalid { data, total })
		}
	}

	/// Shards that suffice (k).
	pub fn data(&self) -> u8 {
		self.data
	}

	/// Shards in all (n).
	pub fn total(&self) -> u8 {
		self.total
	}

	/// Shards that can be lost (n − k).
	pub fn parity(&self) -> u8 {
		self.total - self.data
	}

	/// Bytes of the longest file that its shards can hold.
	pub fn max_file_bytes(&self) -> u64 {
		// A shard's limit is a multiple of the chunk, so the last chunk is full.
		u64::from(self.data) * (MAX_SHARD_BYTES / CHUNK_BYTES as u64) * PLAIN_CHUNK_BYTES as u64
	}

	/// The code with the fewest shards, of at least this one's redundancy where 80 shards allow it, that holds a file of
	/// `bytes` bytes. `None` if no code does.
	pub fn fitting(&self, bytes: u64) -> Option<Self> {
		(self.data..MAX_SHARDS)
			.map(|data| {
				let total = (u16::from(data) * u16::from(self.total)).div_ceil(u16::from(self.data));
				Self {
					data,
					total: total.min(MAX_SHARDS.into()) as u8,
				}
			})
			.find(|code| code.max_file_bytes() >= bytes)
	}
}

/// How a file is laid out over its shards.
///
/// The ciphertext is cut into stripes of `data` units; the last stripe has shorter units, of the fewest bytes that hold
/// what is left and are a multiple of 256, and is filled up with key stream. Unit i of each stripe belongs to shard i.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
	code: Code,
	unit_bytes: usize,
	file_bytes: u64,
}

impl Layout {
	/// The layout of a file of `file_bytes` bytes.
	pub fn new(code: Code, file_bytes: u64) -> Result<Self, CodeError> {
		Self::with_unit(code, UNIT_BYTES, file_bytes)
	}

	/// The layout with units of `unit_bytes` bytes, which [`is_unit`] must have accepted.
	pub(crate) fn with_unit(code: Code, unit_bytes: usize, file_bytes: u64) -> Result<Self, CodeError> {
		if file_bytes > code.max_file_bytes() {
			return Err(CodeError::TooLarge {
				bytes: file_bytes,
				code,
				fitting: code.fitting(file_bytes),
			});
		}
		Ok(Self {
			code,
			unit_bytes,
			file_bytes,
		})
	}

	/// The code.
	pub fn code(&self) -> Code {
		self.code
	}

	/// Bytes of a unit in all stripes but the last.
	pub fn unit_bytes(&self) -> usize {
		self.unit_bytes
	}

	/// Bytes of the file.
	pub fn file_bytes(&self) -> u64 {
		self.file_bytes
	}

	/// Bytes of the file's ciphertext. An empty file has a chunk too, which is only a tag.
	pub fn cipher_bytes(&self) -> u64 {
		let chunks = self.file_bytes.div_ceil(PLAIN_CHUNK_BYTES as u64).max(1);
		self.file_bytes + chunks * TAG_BYTES as u64
	}

	/// Bytes of each shard: a multiple of 256, and at most [`MAX_SHARD_BYTES`].
	pub fn shard_bytes(&self) -> u64 {
		(self.stripes() - 1) * self.unit_bytes as u64 + self.unit_bytes_of(self.stripes() - 1) as u64
	}

	/// Segments of each shard.
	pub fn segments(&self) -> usize {
		self.shard_bytes().div_ceil(SEGMENT_BYTES) as usize
	}

	/// Stripes of the file: at least 1.
	pub(crate) fn stripes(&self) -> u64 {
		self.cipher_bytes().div_ceil(self.stripe_bytes())
	}

	/// Bytes of a unit in this stripe.
	pub(crate) fn unit_bytes_of(&self, stripe: u64) -> usize {
		short_unit(self.code, self.cipher_bytes_of(stripe)).min(self.unit_bytes)
	}

	/// Bytes of ciphertext in this stripe.
	pub(crate) fn cipher_bytes_of(&self, stripe: u64) -> usize {
		let before = stripe * self.stripe_bytes();
		(self.cipher_bytes().saturating_sub(before)).min(self.stripe_bytes()) as usize
	}

	/// Bytes of ciphertext in all stripes but the last.
	pub(crate) fn stripe_bytes(&self) -> u64 {
		self.unit_bytes as u64 * u64::from(self.code.data)
	}
}

/// Bytes of a unit in a stripe with `bytes` bytes of ciphertext.
pub(crate) fn short_unit(code: Code, bytes: usize) -> usize {
	bytes.div_ceil(code.data.into()).next_multiple_of(GRAIN_BYTES)
}

/// Whether a manifest may say that units have `bytes` bytes: a power of two that holds whole chunks, with which memory
/// stays bounded.
pub(crate) fn is_unit(bytes: u32) -> bool {
	let bytes = bytes as usize;
	bytes.is_power_of_two() && (CHUNK_BYTES..=UNIT_BYTES).contains(&bytes)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_have_parity_and_fit() {
		for (data, total) in [(2, 3), (10, 16), (29, 80), (79, 80)] {
			let code = Code::new(data, total).unwrap();
			assert_eq!(
				(code.data(), code.total(), code.parity()),
				(data, total, total - data)
			);
		}
		for (data, total) in [
			(0, 0),
			(0, 4),
			(1, 2),
			(1, 80),
			(4, 4),
			(5, 4),
			(10, 81),
			(255, 255),
		] {
			assert_eq!(Code::new(data, total), Err(CodeError::Invalid { data, total }));
		}
	}

	#[test]
	fn units_that_split_chunks_or_take_too_much_memory_are_none() {
		for bytes in [
			0,
			1,
			256,
			32 << 10,
			(64 << 10) + 256,
			96 << 10,
			512 << 10,
			1 << 31,
		] {
			assert!(!is_unit(bytes), "{bytes}");
		}
		assert!([64 << 10, 128 << 10, UNIT_BYTES as u32].into_iter().all(is_unit));
	}

	#[test]
	fn small_files_have_small_shards() {
		let shard = |bytes| Layout::new(Code::DEFAULT, bytes).unwrap().shard_bytes();
		assert_eq!([0, 1, 2544].map(shard), [256, 256, 256]);
		assert_eq!(shard(2545), 512);
	}

	#[test]
	fn exact_multiples_are_not_padded() {
		let code = Code::DEFAULT;
		let chunks = (UNIT_BYTES / CHUNK_BYTES) as u64 * u64::from(code.data());
		let bytes = 3 * chunks * PLAIN_CHUNK_BYTES as u64;
		let layout = Layout::new(code, bytes).unwrap();
		assert_eq!(
			(layout.stripes(), layout.shard_bytes()),
			(3, 3 * UNIT_BYTES as u64)
		);
		let longer = Layout::new(code, bytes + 1).unwrap();
		assert_eq!(
			(longer.stripes(), longer.shard_bytes()),
			(4, layout.shard_bytes() + 256)
		);
	}

	#[test]
	fn what_does_not_fit_is_refused_with_a_code_that_fits() {
		let code = Code::DEFAULT;
		let limit = code.max_file_bytes();
		let layout = Layout::new(code, limit).unwrap();
		assert_eq!(
			(layout.shard_bytes(), layout.segments()),
			(MAX_SHARD_BYTES, MAX_SEGMENTS)
		);

		let fitting = Code::new(11, 18).unwrap();
		let error = Layout::new(code, limit + 1).unwrap_err();
		assert_eq!(
			error,
			CodeError::TooLarge {
				bytes: limit + 1,
				code,
				fitting: Some(fitting)
			}
		);
		assert!(error.to_string().contains("take 11 of 18"), "{error}");
		Layout::new(fitting, limit + 1).unwrap();
	}

	#[test]
	fn what_fits_nowhere_has_to_be_split() {
		let widest = Code::new(79, 80).unwrap();
		assert_eq!(Code::DEFAULT.fitting(widest.max_file_bytes()), Some(widest));
		let error = Layout::new(Code::DEFAULT, u64::MAX).unwrap_err();
		assert!(error.to_string().contains("split the file"), "{error}");
	}

	#[test]
	fn layouts_hold_their_files() {
		for (data, total) in [(2, 3), (10, 16), (29, 80), (79, 80)] {
			let code = Code::new(data, total).unwrap();
			for bytes in (0..64)
				.map(|power| 1u64 << power)
				.flat_map(|power| [power - 1, power, power + 1])
			{
				let Ok(layout) = Layout::new(code, bytes) else {
					assert!(bytes > code.max_file_bytes());
					continue;
				};
				let shard = layout.shard_bytes();
				assert!(shard % 256 == 0 && shard <= MAX_SHARD_BYTES);
				assert!(shard * u64::from(data) >= layout.cipher_bytes());
				assert!((shard - 256) * u64::from(data) < layout.cipher_bytes());
			}
		}
	}
}
