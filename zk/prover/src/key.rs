//! Proving keys and their file format.
//!
//! Layout, all integers little-endian: magic `OSPK` ‖ version (u16) ‖ length of the verifying key (u32) ‖ the verifying key
//! ([`VerifyingKey::to_bytes`]) ‖ lengths of the five queries (u32 each: a, b in G1, b in G2, h, l) ‖ β₁ ‖ δ₁ ‖ the
//! queries' points, uncompressed ‖ BLAKE2b-256 of everything before it. The identity occurs in queries and is encoded
//! with its customary flag.

use ark_bls12_381::Bls12_381;
use ark_ec::{
	short_weierstrass::{Affine, SWCurveConfig},
	AffineRepr,
};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use blake2::{digest::consts::U32, Blake2b, Digest};
use opensand_zk_verifier::{KeyError, KeyOrigin, VerifyingKey, G1_LEN, G2_LEN};
use rayon::prelude::*;
use thiserror::Error;

const MAGIC: &[u8; 4] = b"OSPK";
const VERSION: u16 = 1;
const CHECKSUM_LEN: usize = 32;
/// First byte of the encoded identity.
const IDENTITY_FLAG: u8 = 0x40;

/// Why bytes are not a proving key.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProvingKeyError {
	/// The file is not a proving key. Check that files are not swapped.
	#[error("not a proving key: wrong magic bytes")]
	BadMagic,
	/// The format is of another release. Run the set-up again, or use the release that made the key.
	#[error("proving key version {found} is not supported, this build reads version {VERSION}")]
	UnsupportedVersion {
		/// Version in the file.
		found: u16,
	},
	/// The file is shorter or longer than it says. Get it again.
	#[error("the proving key is truncated or has trailing bytes")]
	WrongLength,
	/// The file was damaged. Get it again.
	#[error("the proving key does not match its checksum")]
	Checksum,
	/// A point is not canonical or not on the curve. The file was made by a broken tool.
	#[error("the proving key contains bytes that are not a point")]
	Point,
	/// The verifying key inside is refused.
	#[error("the verifying key inside the proving key is refused: {0}")]
	VerifyingKey(KeyError),
}

/// A Groth16 proving key and the verifying key that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvingKey {
	verifying: VerifyingKey,
	points: ark_groth16::ProvingKey<Bls12_381>,
}

impl ProvingKey {
	/// A key from the points of a set-up.
	pub fn new(origin: KeyOrigin, points: ark_groth16::ProvingKey<Bls12_381>) -> Result<Self, KeyError> {
		let vk = &points.vk;
		let verifying = VerifyingKey::from_points(
			origin,
			vk.alpha_g1,
			[vk.beta_g2, vk.gamma_g2, vk.delta_g2],
			vk.gamma_abc_g1.clone(),
		)?;
		Ok(Self { verifying, points })
	}

	/// The verifying key.
	pub fn verifying_key(&self) -> &VerifyingKey {
		&self.verifying
	}

	/// The key's points, in arkworks' form.
	pub fn points(&self) -> &ark_groth16::ProvingKey<Bls12_381> {
		&self.points
	}

	pub(crate) fn into_points(self) -> ark_groth16::ProvingKey<Bls12_381> {
		self.points
	}

	/// The key's file.
	pub fn to_bytes(&self) -> Vec<u8> {
		let verifying = self.verifying.to_bytes();
		let points = &self.points;
		let g1 = [
			&points.a_query,
			&points.b_g1_query,
			&points.h_query,
			&points.l_query,
		];
		let g1_len: usize = g1.iter().map(|query| query.len()).sum();
		let mut bytes = Vec::with_capacity(
			verifying.len() + (g1_len + 2) * G1_LEN + points.b_g2_query.len() * G2_LEN + CHECKSUM_LEN + 64,
		);
		bytes.extend_from_slice(MAGIC);
		bytes.extend_from_slice(&VERSION.to_le_bytes());
		bytes.extend_from_slice(&(verifying.len() as u32).to_le_bytes());
		bytes.extend_from_slice(&verifying);
		for len in [
			points.a_query.len(),
			points.b_g1_query.len(),
			points.b_g2_query.len(),
			points.h_query.len(),
			points.l_query.len(),
		] {
			bytes.extend_from_slice(&(len as u32).to_le_bytes());
		}
		write_points(&mut bytes, &[points.beta_g1, points.delta_g1]);
		write_points(&mut bytes, &points.a_query);
		write_points(&mut bytes, &points.b_g1_query);
		write_points(&mut bytes, &points.b_g2_query);
		write_points(&mut bytes, &points.h_query);
		write_points(&mut bytes, &points.l_query);
		let checksum = checksum(&bytes);
		bytes.extend_from_slice(&checksum);
		bytes
	}

	/// Reads a key's file: checksum, lengths, canonical points on the curve, and every check of the verifying key.
	///
	/// Whether the queries belong to the verifying key is not checked here: a proof by a wrong key fails the prover's own
	/// verification. Lengths are checked against the bytes before anything is allocated.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, ProvingKeyError> {
		let mut rest = bytes;
		if take(&mut rest, MAGIC.len())? != MAGIC {
			return Err(ProvingKeyError::BadMagic);
		}
		let found = u16::from_le_bytes(take_array(&mut rest)?);
		if found != VERSION {
			return Err(ProvingKeyError::UnsupportedVersion { found });
		}
		let body_len = rest
			.len()
			.checked_sub(CHECKSUM_LEN)
			.ok_or(ProvingKeyError::WrongLength)?;
		let (mut rest, expected) = rest.split_at(body_len);
		if checksum(&bytes[..bytes.len() - CHECKSUM_LEN]) != expected {
			return Err(ProvingKeyError::Checksum);
		}
		let verifying_len = take_u32(&mut rest)?;
		let verifying = VerifyingKey::from_bytes(take(&mut rest, verifying_len)?)
			.map_err(ProvingKeyError::VerifyingKey)?;
		let mut lengths = [0; 5];
		for len in &mut lengths {
			*len = take_u32(&mut rest)?;
		}
		let [a, b_g1, b_g2, h, l] = lengths;
		let ends = read_points(&mut rest, 2, G1_LEN)?;
		let a_query = read_points(&mut rest, a, G1_LEN)?;
		let b_g1_query = read_points(&mut rest, b_g1, G1_LEN)?;
		let b_g2_query = read_points(&mut rest, b_g2, G2_LEN)?;
		let h_query = read_points(&mut rest, h, G1_LEN)?;
		let l_query = read_points(&mut rest, l, G1_LEN)?;
		if !rest.is_empty() {
			return Err(ProvingKeyError::WrongLength);
		}
		let (alpha, [beta, gamma, delta], ic) = verifying.points();
		let vk = ark_groth16::VerifyingKey {
			alpha_g1: *alpha,
			beta_g2: *beta,
			gamma_g2: *gamma,
			delta_g2: *delta,
			gamma_abc_g1: ic.to_vec(),
		};
		let points = ark_groth16::ProvingKey {
			vk,
			beta_g1: ends[0],
			delta_g1: ends[1],
			a_query,
			b_g1_query,
			b_g2_query,
			h_query,
			l_query,
		};
		Ok(Self { verifying, points })
	}
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
	Blake2b::<U32>::digest(bytes).into()
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Result<&'a [u8], ProvingKeyError> {
	let (head, tail) = rest.split_at_checked(len).ok_or(ProvingKeyError::WrongLength)?;
	*rest = tail;
	Ok(head)
}

fn take_array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ProvingKeyError> {
	let (head, tail) = rest.split_first_chunk().ok_or(ProvingKeyError::WrongLength)?;
	*rest = tail;
	Ok(*head)
}

fn take_u32(rest: &mut &[u8]) -> Result<usize, ProvingKeyError> {
	Ok(u32::from_le_bytes(take_array(rest)?) as usize)
}

fn write_points<P: SWCurveConfig>(bytes: &mut Vec<u8>, points: &[Affine<P>]) {
	for point in points {
		point
			.serialize_uncompressed(&mut *bytes)
			.expect("writing to memory does not fail");
	}
}

/// Points with canonical coordinates on the curve. The subgroup is not tested: it would cost minutes for large keys and
/// a proof by such a key would not verify.
fn read_points<P: SWCurveConfig>(
	rest: &mut &[u8],
	count: usize,
	point_len: usize,
) -> Result<Vec<Affine<P>>, ProvingKeyError> {
	let bytes = take(
		rest,
		count.checked_mul(point_len).ok_or(ProvingKeyError::WrongLength)?,
	)?;
	bytes
		.par_chunks(point_len)
		.map(|bytes| {
			let point =
				Affine::<P>::deserialize_uncompressed_unchecked(bytes).map_err(|_| ProvingKeyError::Point)?;
			// arkworks reads zeros without the flag as the identity, too.
			let canonical = !point.is_zero() || bytes[0] == IDENTITY_FLAG;
			(canonical && point.is_on_curve())
				.then_some(point)
				.ok_or(ProvingKeyError::Point)
		})
		.collect()
}
