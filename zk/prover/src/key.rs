//! Proving keys and their file format.
//!
//! Layout of version 2, all integers little-endian: magic `OSPK` ‖ version (u16) ‖ length of the verifying key (u32) ‖ the
//! verifying key ([`VerifyingKey::to_bytes`]) ‖ the domain's logarithm (u32) ‖ lengths of the segments (u32 each: public,
//! committed, weights, rest) ‖ lengths of the sections (u32 each: a, b in G1, b in G2, l, h, committed, weights) ‖ α, β, δ, δ₁, δ_w in
//! G1 ‖ β, δ in G2 ‖ the sections, each its indices (u32) and then its points ‖ BLAKE2b-256 of everything before it.
//! Points are uncompressed, canonical and never the identity; scalars whose point is the identity have no index.
//!
//! A bundle's file is mapped, checked, then decoded, so the memory of a key is that of its decoded points: curve arithmetic wants
//! them in another form than a portable file has them in, so they cannot stay where the file is. A key of 2^18 rows (130 MB)
//! takes about 0.3 s on two cores, half of it the checksum.
//!
//! # Who can write the file
//!
//! The checksum finds damage, not malice. Whoever can replace a proving key decides what the prover computes, but not what
//! leaves: a proof is verified under the verifying key before it is handed out, and that key's id is compared with the one that the
//! caller's binding names. Under an honest verifying key a wrong proving key can only make proving fail. Points are therefore
//! checked to be on the curve, so that arithmetic is that of a group, and their order is not: the proof's own points are
//! checked when they are decoded for verification. A *verifying* key of an attacker's making is a different matter: its set-up
//! decides whether proofs hide the witness. Take keys only from where their id is known.

use crate::{generator::ProvingPoints, query::Query};
use ark_bls12_381::{g1, g2};
use ark_ec::{
	short_weierstrass::{Affine, SWCurveConfig},
	AffineRepr,
};
use ark_serialize::{CanonicalDeserialize, CanonicalSerialize};
use blake2::{digest::consts::U32, Blake2b, Digest};
use opensand_zk_r1cs::Segments;
use opensand_zk_verifier::{KeyError, VerifyingKey, G1_LEN, G2_LEN};
use rayon::prelude::*;
use thiserror::Error;

const MAGIC: &[u8; 4] = b"OSPK";
const VERSION: u16 = 2;
const CHECKSUM_LEN: usize = 32;
const INDEX_LEN: usize = 4;
/// The field has 2^32 roots of unity, and a proof needs twice the domain.
const MAX_DOMAIN_LOG2: usize = 31;
/// Points outside the sections, in G1 and in G2.
const ENDS: [usize; 2] = [5, 2];
/// The sections a, b in G1, l, h, committed and weights are in G1, this one in G2.
const SECTIONS: usize = 7;
const G2_SECTION: usize = 2;

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
	/// The domain is larger than there are roots of unity, or indices do not ascend within their query. The file was made by
	/// a broken tool.
	#[error("the proving key's domain or indices are impossible")]
	Structure,
	/// A point is not canonical, not on the curve, or the identity. The file was made by a broken tool.
	#[error("the proving key contains bytes that are not a point")]
	Point,
	/// The verifying key inside is refused.
	#[error("the verifying key inside the proving key is refused: {0}")]
	VerifyingKey(KeyError),
	/// The verifying key does not belong to the points. Copy the key again, or run the set-up again.
	#[error("the proving key and the verifying key inside it do not belong together")]
	Disagree,
}

/// A proving key and the verifying key that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ProvingKey {
	verifying: VerifyingKey,
	points: ProvingPoints,
}

impl ProvingKey {
	/// A key from the points of a set-up. What both keys contain must be equal.
	pub fn new(verifying: VerifyingKey, points: ProvingPoints) -> Result<Self, ProvingKeyError> {
		let (alpha, g2, ic) = verifying.points();
		let agree = *alpha == points.alpha_g1
			&& g2.beta == points.beta_g2
			&& g2.delta == points.delta_g2
			&& ic.len() == points.segments.public
			&& verifying.has_weights() == (points.segments.weights > 0);
		agree
			.then_some(Self { verifying, points })
			.ok_or(ProvingKeyError::Disagree)
	}

	/// The verifying key.
	pub fn verifying_key(&self) -> &VerifyingKey {
		&self.verifying
	}

	/// The key's points.
	pub fn points(&self) -> &ProvingPoints {
		&self.points
	}

	/// The key's points.
	pub fn into_points(self) -> ProvingPoints {
		self.points
	}

	/// The key's file.
	pub fn to_bytes(&self) -> Vec<u8> {
		let verifying = self.verifying.to_bytes();
		let points = &self.points;
		let lengths = [
			points.a.points().len(),
			points.b_g1.points().len(),
			points.b_g2.points().len(),
			points.l.points().len(),
			points.h.points().len(),
			points.committed.points().len(),
			points.weights.points().len(),
		];
		let mut bytes = Vec::with_capacity(64 + verifying.len() + body_len(&lengths) as usize + CHECKSUM_LEN);
		bytes.extend_from_slice(MAGIC);
		bytes.extend_from_slice(&VERSION.to_le_bytes());
		put(&mut bytes, verifying.len());
		bytes.extend_from_slice(&verifying);
		put(&mut bytes, points.domain.trailing_zeros() as usize);
		let Segments {
			public,
			committed,
			weights,
			rest,
		} = points.segments;
		for len in [public, committed, weights, rest].into_iter().chain(lengths) {
			put(&mut bytes, len);
		}
		write_points(
			&mut bytes,
			&[
				points.alpha_g1,
				points.beta_g1,
				points.delta_g1,
				points.delta_committed_g1,
				points.delta_weights_g1,
			],
		);
		write_points(&mut bytes, &[points.beta_g2, points.delta_g2]);
		write_query(&mut bytes, &points.a);
		write_query(&mut bytes, &points.b_g1);
		write_query(&mut bytes, &points.b_g2);
		write_query(&mut bytes, &points.l);
		write_query(&mut bytes, &points.h);
		write_query(&mut bytes, &points.committed);
		write_query(&mut bytes, &points.weights);
		let checksum = checksum(&bytes);
		bytes.extend_from_slice(&checksum);
		bytes
	}

	/// Reads a key's file: checksum, lengths, indices, canonical points on the curve, every check of the verifying key, and that
	/// both keys agree in what both contain.
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
		let body_end = rest
			.len()
			.checked_sub(CHECKSUM_LEN)
			.ok_or(ProvingKeyError::WrongLength)?;
		let (mut rest, expected) = rest.split_at(body_end);
		if checksum(&bytes[..bytes.len() - CHECKSUM_LEN]) != expected {
			return Err(ProvingKeyError::Checksum);
		}
		let verifying_len = take_u32(&mut rest)?;
		let verifying = VerifyingKey::from_bytes(take(&mut rest, verifying_len)?)
			.map_err(ProvingKeyError::VerifyingKey)?;
		let domain_log2 = take_u32(&mut rest)?;
		let segments = Segments {
			public: take_u32(&mut rest)?,
			committed: take_u32(&mut rest)?,
			weights: take_u32(&mut rest)?,
			rest: take_u32(&mut rest)?,
		};
		let mut lengths = [0; SECTIONS];
		for len in &mut lengths {
			*len = take_u32(&mut rest)?;
		}
		if domain_log2 > MAX_DOMAIN_LOG2 || segments.variables() > u32::MAX as usize {
			return Err(ProvingKeyError::Structure);
		}
		if body_len(&lengths) != rest.len() as u64 {
			return Err(ProvingKeyError::WrongLength);
		}
		let ends_g1 = read_points(take(&mut rest, ENDS[0] * G1_LEN)?, G1_LEN)?;
		let ends_g2 = read_points(take(&mut rest, ENDS[1] * G2_LEN)?, G2_LEN)?;
		let domain = 1 << domain_log2;
		let variables = segments.variables();
		let [a, b_g1, b_g2, l, h, committed, weights] = lengths;
		let mut in_g1 = |len, scalars| read_query::<g1::Config>(&mut rest, len, scalars, G1_LEN);
		let (a, b_g1) = (in_g1(a, variables)?, in_g1(b_g1, variables)?);
		let b_g2 = read_query::<g2::Config>(&mut rest, b_g2, variables, G2_LEN)?;
		let mut in_g1 = |len, scalars| read_query::<g1::Config>(&mut rest, len, scalars, G1_LEN);
		let points = ProvingPoints {
			segments,
			domain,
			alpha_g1: ends_g1[0],
			beta_g1: ends_g1[1],
			beta_g2: ends_g2[0],
			delta_g1: ends_g1[2],
			delta_g2: ends_g2[1],
			delta_committed_g1: ends_g1[3],
			delta_weights_g1: ends_g1[4],
			a,
			b_g1,
			b_g2,
			l: in_g1(l, variables)?,
			h: in_g1(h, domain)?,
			committed: in_g1(committed, segments.committed)?,
			weights: in_g1(weights, segments.weights)?,
		};
		Self::new(verifying, points)
	}
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
	Blake2b::<U32>::digest(bytes).into()
}

/// Length of all points and indices, in bytes, for the given numbers of points.
fn body_len(lengths: &[usize; SECTIONS]) -> u64 {
	let ends = (ENDS[0] * G1_LEN + ENDS[1] * G2_LEN) as u64;
	let sections = lengths.iter().enumerate().map(|(section, len)| {
		let point_len = if section == G2_SECTION { G2_LEN } else { G1_LEN };
		(*len as u64).saturating_mul((point_len + INDEX_LEN) as u64)
	});
	sections.fold(ends, u64::saturating_add)
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

/// Lengths fit 32 bits: there are at most 2^29 variables.
fn put(bytes: &mut Vec<u8>, number: usize) {
	bytes.extend_from_slice(&(number as u32).to_le_bytes());
}

fn write_query<P: SWCurveConfig>(bytes: &mut Vec<u8>, query: &Query<Affine<P>>) {
	for index in query.indices() {
		bytes.extend_from_slice(&index.to_le_bytes());
	}
	write_points(bytes, query.points());
}

fn write_points<P: SWCurveConfig>(bytes: &mut Vec<u8>, points: &[Affine<P>]) {
	for point in points {
		point
			.serialize_uncompressed(&mut *bytes)
			.expect("writing to memory does not fail");
	}
}

fn read_query<P: SWCurveConfig>(
	rest: &mut &[u8],
	count: usize,
	scalars: usize,
	point_len: usize,
) -> Result<Query<Affine<P>>, ProvingKeyError> {
	let indices = take(rest, count * INDEX_LEN)?;
	let points = take(rest, count * point_len)?;
	let (indices, _) = indices.as_chunks();
	let indices = indices.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
	Query::new(scalars, indices, read_points(points, point_len)?).ok_or(ProvingKeyError::Structure)
}

/// Points with canonical coordinates on the curve, none of them the identity.
fn read_points<P: SWCurveConfig>(bytes: &[u8], point_len: usize) -> Result<Vec<Affine<P>>, ProvingKeyError> {
	bytes
		.par_chunks(point_len)
		.with_min_len(256)
		.map(|bytes| {
			let point =
				Affine::<P>::deserialize_uncompressed_unchecked(bytes).map_err(|_| ProvingKeyError::Point)?;
			(!point.is_zero() && point.is_on_curve())
				.then_some(point)
				.ok_or(ProvingKeyError::Point)
		})
		.collect()
}
