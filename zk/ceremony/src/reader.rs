//! Reading files of the ceremony: magic, version and checksum first, then parts whose lengths are known before anything is
//! allocated.

use crate::{
	hash::{hash, Digest},
	points::{decode, decode_all, Group, PointFault},
};
use ark_bls12_381::Fr;
use ark_ec::short_weierstrass::Affine;
use ark_ff::{BigInt, BigInteger, PrimeField};
use thiserror::Error;

const CHECKSUM_LEN: usize = 32;
/// Bytes of an element of the field.
pub(crate) const FIELD_LEN: usize = 32;

/// Why bytes are not a file of the ceremony.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FileError {
	/// The file is something else. Check that files are not swapped.
	#[error("not {0}: wrong magic bytes")]
	BadMagic(&'static str),
	/// The format is of another release. Use the release that made the file.
	#[error("version {found} is not supported, this build reads version {supported}")]
	UnsupportedVersion {
		/// Version in the file.
		found: u16,
		/// Version that is read.
		supported: u16,
	},
	/// The file is shorter or longer than it says. Get it again.
	#[error("truncated, or with trailing bytes; get the file again")]
	WrongLength,
	/// The file was damaged. Get it again.
	#[error("the checksum does not match; get the file again")]
	Checksum,
	/// A number in the header is outside its limits. The file was made by a broken or malicious tool.
	#[error("{0} is outside the limits of the format; do not trust where the file comes from")]
	Limit(&'static str),
	/// A point is not canonical, off the curve, outside the subgroup, or the identity. The file was made by a broken or
	/// malicious tool.
	#[error("{part}, {fault}; do not trust where the file comes from")]
	Point {
		/// What the point belongs to.
		part: &'static str,
		/// Which one, and what is wrong with it.
		fault: PointFault,
	},
	/// A number is not smaller than the group's order. The file was made by a broken or malicious tool.
	#[error("a scalar is not canonical; do not trust where the file comes from")]
	Scalar,
}

/// A kind of file: its name for people, its first bytes, the tag of its checksum and its version.
pub(crate) struct Format {
	pub name: &'static str,
	pub magic: &'static [u8; 4],
	pub version: u16,
	pub tag: &'static [u8],
}

impl Format {
	/// Begins a file.
	pub fn begin(&self, capacity: usize) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(capacity);
		bytes.extend_from_slice(self.magic);
		bytes.extend_from_slice(&self.version.to_le_bytes());
		bytes
	}

	/// Ends a file with its checksum, which is returned too.
	pub fn seal(&self, bytes: &mut Vec<u8>) -> Digest {
		let checksum = hash(self.tag, &[bytes.as_slice()]);
		bytes.extend_from_slice(&checksum);
		checksum
	}

	/// Checks magic, version and checksum of a file: what is between, and the checksum.
	pub fn open<'a>(&self, bytes: &'a [u8]) -> Result<(Reader<'a>, Digest), FileError> {
		let mut reader = Reader(bytes);
		if reader.take(self.magic.len())? != self.magic {
			return Err(FileError::BadMagic(self.name));
		}
		let found = u16::from_le_bytes(reader.array()?);
		if found != self.version {
			return Err(FileError::UnsupportedVersion {
				found,
				supported: self.version,
			});
		}
		let (sealed, expected) = bytes
			.split_last_chunk::<CHECKSUM_LEN>()
			.ok_or(FileError::WrongLength)?;
		let end = reader
			.0
			.len()
			.checked_sub(CHECKSUM_LEN)
			.ok_or(FileError::WrongLength)?;
		if hash(self.tag, &[sealed]) != *expected {
			return Err(FileError::Checksum);
		}
		reader.0 = &reader.0[..end];
		Ok((reader, *expected))
	}
}

/// What is left to read.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
	/// The next bytes.
	pub fn take(&mut self, len: usize) -> Result<&'a [u8], FileError> {
		let (head, tail) = self.0.split_at_checked(len).ok_or(FileError::WrongLength)?;
		self.0 = tail;
		Ok(head)
	}

	/// The next `N` bytes.
	pub fn array<const N: usize>(&mut self) -> Result<[u8; N], FileError> {
		let (head, tail) = self.0.split_first_chunk().ok_or(FileError::WrongLength)?;
		self.0 = tail;
		Ok(*head)
	}

	/// A byte.
	pub fn byte(&mut self) -> Result<u8, FileError> {
		Ok(self.array::<1>()?[0])
	}

	/// A number of 32 bits, at most `max`.
	pub fn number(&mut self, name: &'static str, max: usize) -> Result<usize, FileError> {
		let number = u32::from_le_bytes(self.array()?) as usize;
		(number <= max).then_some(number).ok_or(FileError::Limit(name))
	}

	/// A scalar.
	pub fn scalar(&mut self) -> Result<Fr, FileError> {
		let (limbs, _) = self.take(FIELD_LEN)?.as_chunks();
		let mut integer = BigInt::default();
		for (limb, bytes) in integer.0.iter_mut().zip(limbs) {
			*limb = u64::from_le_bytes(*bytes);
		}
		Fr::from_bigint(integer).ok_or(FileError::Scalar)
	}

	/// A point.
	pub fn point<P: Group>(&mut self, part: &'static str) -> Result<Affine<P>, FileError> {
		decode(self.take(P::LEN)?, false).map_err(|error| FileError::Point {
			part,
			fault: PointFault { index: 0, error },
		})
	}

	/// Points.
	pub fn points<P: Group>(
		&mut self,
		part: &'static str,
		count: usize,
	) -> Result<Vec<Affine<P>>, FileError> {
		let len = count.checked_mul(P::LEN).ok_or(FileError::WrongLength)?;
		decode_all(self.take(len)?, false).map_err(|fault| FileError::Point { part, fault })
	}

	/// Bytes that are left.
	pub fn left(&self) -> usize {
		self.0.len()
	}

	/// Nothing may be left.
	pub fn end(self) -> Result<(), FileError> {
		self.0.is_empty().then_some(()).ok_or(FileError::WrongLength)
	}
}

/// Appends a scalar.
pub(crate) fn put_scalar(bytes: &mut Vec<u8>, scalar: &Fr) {
	bytes.extend_from_slice(&scalar.into_bigint().to_bytes_le());
}

/// Appends a number that is known to fit 32 bits.
pub(crate) fn put_number(bytes: &mut Vec<u8>, number: usize) {
	bytes.extend_from_slice(&(number as u32).to_le_bytes());
}
