//! Powers of tau from the files of other ceremonies.
//!
//! The layout is that of the `powersoftau` tool for BLS12-381, with which the Zcash ceremony ran for N = 2^21 and, with
//! other N, those that reused it: 64 bytes of BLAKE2b hash ‖ τⁱ in G1 (2N − 1) ‖ τⁱ in G2 (N) ‖ α·τⁱ (N) ‖ β·τⁱ (N) ‖ β in G2. A *challenge*
//! has uncompressed points and nothing else; a *response* has compressed points, followed by the participant's public key of
//! 1152 bytes. Points are in Zcash's encoding, which is also this repository's. The length tells kind and N.
//!
//! The first powers of a file are powers for fewer rows, so that of a large file only parts are read into memory. All of it is
//! hashed, because its hash is what its ceremony published.

use super::{Powers, PowersStart, MAX_POWERS_LOG2};
use crate::points::{decode_all, Group, PointFault};
use ark_ec::short_weierstrass::Affine;
use blake2::{Blake2b512, Digest as _};
use opensand_zk_verifier::{G1_LEN, G2_LEN};
use std::io::{self, Read, Seek, SeekFrom};
use thiserror::Error;

const HASH_LEN: u64 = 64;
const PUBLIC_KEY_LEN: u64 = (6 * G1_LEN + 3 * G2_LEN) as u64;
/// The most powers that a file to import can have.
const MAX_SOURCE_LOG2: u32 = 30;
/// Bytes that are hashed at once.
const BUFFER: usize = 1 << 20;

/// Why a file cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
	/// The file cannot be read.
	#[error("cannot be read: {0}")]
	Io(#[from] io::Error),
	/// Neither a challenge nor a response of any N has this length. Check the file, and get it again.
	#[error("{0} bytes is not the length of a challenge or response of powersoftau for BLS12-381")]
	Length(u64),
	/// The file has fewer powers than asked for. Ask for fewer, or import a larger file.
	#[error("the file has 2^{found} powers, 2^{wanted} were asked for")]
	TooFew {
		/// The logarithm of N of the file.
		found: u32,
		/// The logarithm asked for.
		wanted: u32,
	},
	/// So many powers cannot be taken, or so few.
	#[error("2^{0} powers were asked for; it can be 2^1 to 2^{MAX_POWERS_LOG2}")]
	Count(u32),
	/// A point is not acceptable. The file was damaged, or made by a broken or malicious tool.
	#[error("{part}, {fault}; compare the file's hash with the published one")]
	Point {
		/// What the point belongs to.
		part: &'static str,
		/// Which one, and what is wrong with it.
		fault: PointFault,
	},
}

/// What a file is, by its length.
struct Source {
	log2: u32,
	compressed: bool,
}

impl Source {
	fn by_len(len: u64) -> Option<Self> {
		(1..=MAX_SOURCE_LOG2)
			.flat_map(|log2| [false, true].map(|compressed| Self { log2, compressed }))
			.find(|source| source.len() == len)
	}

	fn point_len<P: Group>(&self) -> u64 {
		P::LEN as u64 / if self.compressed { 2 } else { 1 }
	}

	/// Where the sections start: τⁱ in G1, in G2, with α, with β, β in G2, and the end of the latter.
	fn sections(&self) -> [u64; 6] {
		let count = 1u64 << self.log2;
		let g1 = self.point_len::<ark_bls12_381::g1::Config>();
		let g2 = self.point_len::<ark_bls12_381::g2::Config>();
		let mut start = HASH_LEN;
		let lens = [(2 * count - 1) * g1, count * g2, count * g1, count * g1, g2, 0];
		lens.map(|len| {
			let section = start;
			start += len;
			section
		})
	}

	fn len(&self) -> u64 {
		self.sections()[5] + if self.compressed { PUBLIC_KEY_LEN } else { 0 }
	}

	fn points<P: Group>(
		&self,
		file: &mut (impl Read + Seek),
		section: usize,
		count: usize,
		part: &'static str,
	) -> Result<Vec<Affine<P>>, ImportError> {
		file.seek(SeekFrom::Start(self.sections()[section]))?;
		let mut bytes = vec![0; count * self.point_len::<P>() as usize];
		file.read_exact(&mut bytes)?;
		decode_all(&bytes, self.compressed).map_err(|fault| ImportError::Point { part, fault })
	}
}

/// Reads the first 2^log2 powers of a challenge or response. Every point that is taken is checked; relations are for
/// [`Powers::verify`]. `progress` hears how many bytes were hashed, of how many.
pub fn import(
	file: &mut (impl Read + Seek),
	log2: u32,
	progress: &mut dyn FnMut(u64, u64),
) -> Result<Powers, ImportError> {
	if !(1..=MAX_POWERS_LOG2).contains(&log2) {
		return Err(ImportError::Count(log2));
	}
	let len = file.seek(SeekFrom::End(0))?;
	let source = Source::by_len(len).ok_or(ImportError::Length(len))?;
	if source.log2 < log2 {
		return Err(ImportError::TooFew {
			found: source.log2,
			wanted: log2,
		});
	}
	let hash = hash_file(file, len, progress)?;
	let count = 1 << log2;
	let mut powers = Powers {
		start: PowersStart::generators(),
		contributions: Vec::new(),
		tau_g1: source.points(file, 0, 2 * count - 1, "the powers of tau in G1")?,
		tau_g2: source.points(file, 1, count, "the powers of tau in G2")?,
		alpha_g1: source.points(file, 2, count, "the powers with alpha")?,
		beta_g1: source.points(file, 3, count, "the powers with beta")?,
		beta_g2: source.points(file, 4, 1, "beta in G2")?[0],
	};
	powers.start = PowersStart {
		imported: Some(hash),
		base: powers.base(),
	};
	Ok(powers)
}

fn hash_file(
	file: &mut (impl Read + Seek),
	len: u64,
	progress: &mut dyn FnMut(u64, u64),
) -> Result<[u8; 64], ImportError> {
	file.seek(SeekFrom::Start(0))?;
	let mut hasher = Blake2b512::new();
	let mut buffer = vec![0; BUFFER];
	let mut done = 0;
	loop {
		let read = file.read(&mut buffer)?;
		if read == 0 {
			return Ok(hasher.finalize().into());
		}
		hasher.update(&buffer[..read]);
		done += read as u64;
		progress(done, len);
	}
}

#[cfg(test)]
impl Powers {
	/// These powers without their contributions, as if they came from elsewhere.
	pub(crate) fn import_itself(&mut self) {
		self.contributions.clear();
		self.start = PowersStart {
			imported: Some([7; 64]),
			base: self.base(),
		};
	}
}

#[cfg(test)]
mod tests {
	use super::Source;

	#[test]
	fn lengths_are_those_of_the_published_constants() {
		// ACCUMULATOR_BYTE_SIZE and CONTRIBUTION_BYTE_SIZE of the Zcash ceremony, N = 2^21.
		for (len, compressed) in [(1_207_959_712, false), (603_981_040, true)] {
			let source = Source::by_len(len).unwrap();
			assert_eq!((source.log2, source.compressed), (21, compressed));
		}
	}
}
