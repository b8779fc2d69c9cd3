//! What one contribution adds to the transcript.

use crate::{
	knowledge::KnowledgeProof,
	points::encode,
	reader::{put_number, FileError, Reader, FIELD_LEN},
};
use ark_bls12_381::{Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use opensand_zk_verifier::{G1_LEN, G2_LEN};

/// The longest value of a beacon, in bytes.
pub const MAX_BEACON_LEN: usize = 256;
/// The logarithm of the most iterations of a beacon: half an hour, for whoever verifies too.
pub const MAX_BEACON_ITERATIONS_LOG2: u32 = 32;

const BY_PARTICIPANT: u8 = 0;
const BY_BEACON: u8 = 1;

/// Bytes of a trapdoor.
pub(crate) const TRAPDOOR_LEN: usize = G1_LEN + G2_LEN;
/// Bytes of a proof of knowledge.
pub(crate) const PROOF_LEN: usize = G1_LEN + FIELD_LEN;

/// δ, δ₁ or δ_w in both groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trapdoor {
	pub g1: G1Affine,
	pub g2: G2Affine,
}

impl Trapdoor {
	/// As it is before any contribution.
	pub fn one() -> Self {
		Self {
			g1: G1Affine::generator(),
			g2: G2Affine::generator(),
		}
	}

	/// The trapdoor times a factor. Takes time that depends on the factor.
	pub fn times(&self, factor: &Fr) -> Self {
		Self {
			g1: (self.g1 * factor).into_affine(),
			g2: (self.g2 * factor).into_affine(),
		}
	}

	pub fn read(reader: &mut Reader, part: &'static str) -> Result<Self, FileError> {
		Ok(Self {
			g1: reader.point(part)?,
			g2: reader.point(part)?,
		})
	}
}

/// A public random value that nobody could predict or choose, and how often it is hashed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
	/// The value, 1 to [`MAX_BEACON_LEN`] bytes.
	pub value: Vec<u8>,
	/// The logarithm of the number of times that it is hashed, at most [`MAX_BEACON_ITERATIONS_LOG2`].
	pub iterations_log2: u32,
}

/// Why factors are acceptable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Proofs {
	/// A participant knew them: a proof for each.
	Participant(Vec<KnowledgeProof>),
	/// Everyone can compute them.
	Beacon(Beacon),
}

/// One contribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Contribution {
	/// δ and δ₁ of each circuit, then δ_w if there are weights, afterwards.
	pub after: Vec<Trapdoor>,
	pub proofs: Proofs,
}

impl Contribution {
	pub fn encode(&self, bytes: &mut Vec<u8>) {
		encode_trapdoors(bytes, &self.after);
		match &self.proofs {
			Proofs::Participant(proofs) => {
				bytes.push(BY_PARTICIPANT);
				proofs.iter().for_each(|proof| proof.encode(bytes));
			}
			Proofs::Beacon(beacon) => {
				bytes.push(BY_BEACON);
				put_number(bytes, beacon.iterations_log2 as usize);
				put_number(bytes, beacon.value.len());
				bytes.extend_from_slice(&beacon.value);
			}
		}
	}

	pub fn read(reader: &mut Reader, trapdoors: usize) -> Result<Self, FileError> {
		let part = "the trapdoors of a contribution";
		let after = (0..trapdoors).map(|_| Trapdoor::read(reader, part));
		let after = after.collect::<Result<_, FileError>>()?;
		let proofs = match reader.byte()? {
			BY_PARTICIPANT => {
				let proofs = (0..trapdoors).map(|_| KnowledgeProof::read(reader));
				Proofs::Participant(proofs.collect::<Result<_, _>>()?)
			}
			BY_BEACON => {
				let iterations =
					reader.number("a beacon's iterations", MAX_BEACON_ITERATIONS_LOG2 as usize)?;
				let len = reader.number("a beacon's length", MAX_BEACON_LEN)?;
				if len == 0 {
					return Err(FileError::Limit("a beacon's length"));
				}
				Proofs::Beacon(Beacon {
					value: reader.take(len)?.to_vec(),
					iterations_log2: iterations as u32,
				})
			}
			_ => return Err(FileError::Limit("the kind of a contribution")),
		};
		Ok(Self { after, proofs })
	}
}

pub(crate) fn encode_trapdoors(bytes: &mut Vec<u8>, trapdoors: &[Trapdoor]) {
	for trapdoor in trapdoors {
		encode(bytes, &[trapdoor.g1]);
		encode(bytes, &[trapdoor.g2]);
	}
}
