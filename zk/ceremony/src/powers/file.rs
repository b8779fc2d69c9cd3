//! The file of powers of tau.
//!
//! Layout of version 1, integers little-endian, points as in keys: magic `OSPT` ‖ version (u16) ‖ logarithm of N (u32) ‖ start
//! (1 byte; 1 for imported powers, followed by 64 bytes of hash and a base) ‖ number of contributions (u32) ‖ the contributions: a base and three proofs of
//! knowledge, each a point R in G1 and a scalar z ‖ τⁱ in G1 (2N − 1) ‖ τⁱ in G2 (N) ‖ α·τⁱ (N) ‖ β·τⁱ (N) ‖ β in G2 ‖ checksum.
//! A base is τ in G1 and G2, α in G1, β in G1 and G2. The checksum is BLAKE2b-256 of the tag with its length and everything
//! before the checksum; it is also the name under which phase 2 refers to the file.

use super::{Powers, PowersBase, PowersContribution, PowersStart, MAX_POWERS_LOG2};
use crate::{
	ceremony::MAX_CONTRIBUTIONS,
	hash::Digest,
	knowledge::KnowledgeProof,
	points::encode,
	reader::{put_number, FileError, Format, Reader, FIELD_LEN},
};
use opensand_zk_verifier::{G1_LEN, G2_LEN};

const FORMAT: Format = Format {
	name: "powers of tau",
	magic: b"OSPT",
	version: 1,
	tag: b"OpenSand/ceremony-powers-file/v1",
};
const FROM_GENERATORS: u8 = 0;
const IMPORTED: u8 = 1;

const BASE_LEN: usize = 3 * G1_LEN + 2 * G2_LEN;
const CONTRIBUTION_LEN: usize = BASE_LEN + 3 * (G1_LEN + FIELD_LEN);

impl Powers {
	/// The file, and its digest.
	pub fn to_bytes(&self) -> (Vec<u8>, Digest) {
		let count = self.count();
		let mut bytes = FORMAT.begin(
			1024 + self.contributions.len() * CONTRIBUTION_LEN + count * (4 * G1_LEN + G2_LEN) + G2_LEN,
		);
		put_number(&mut bytes, count.trailing_zeros() as usize);
		encode_start(&mut bytes, &self.start);
		put_number(&mut bytes, self.contributions.len());
		for contribution in &self.contributions {
			contribution.encode(&mut bytes);
		}
		encode(&mut bytes, &self.tau_g1);
		encode(&mut bytes, &self.tau_g2);
		encode(&mut bytes, &self.alpha_g1);
		encode(&mut bytes, &self.beta_g1);
		encode(&mut bytes, &[self.beta_g2]);
		let digest = FORMAT.seal(&mut bytes);
		(bytes, digest)
	}

	/// Reads a file, checking checksum, lengths and every point; and its digest. Relations between points are for
	/// [`verify`](Self::verify).
	pub fn from_bytes(bytes: &[u8]) -> Result<(Self, Digest), FileError> {
		let (mut reader, digest) = FORMAT.open(bytes)?;
		let log2 = reader.number("the number of powers", MAX_POWERS_LOG2 as usize)?;
		if log2 == 0 {
			return Err(FileError::Limit("the number of powers"));
		}
		let count = 1usize << log2;
		let start = match reader.byte()? {
			FROM_GENERATORS => PowersStart::generators(),
			IMPORTED => PowersStart {
				imported: Some(reader.array()?),
				base: read_base(&mut reader)?,
			},
			_ => return Err(FileError::Limit("the start")),
		};
		let contributions = reader.number("the number of contributions", MAX_CONTRIBUTIONS)?;
		// Before any point is decoded.
		let points = (4 * count - 1) * G1_LEN + (count + 1) * G2_LEN;
		if reader.left() != contributions * CONTRIBUTION_LEN + points {
			return Err(FileError::WrongLength);
		}
		let contributions = (0..contributions).map(|_| PowersContribution::read(&mut reader));
		let powers = Self {
			start,
			contributions: contributions.collect::<Result<_, _>>()?,
			tau_g1: reader.points("the powers of tau in G1", 2 * count - 1)?,
			tau_g2: reader.points("the powers of tau in G2", count)?,
			alpha_g1: reader.points("the powers with alpha", count)?,
			beta_g1: reader.points("the powers with beta", count)?,
			beta_g2: reader.point("beta in G2")?,
		};
		reader.end()?;
		Ok((powers, digest))
	}
}

impl PowersContribution {
	pub(super) fn encode(&self, bytes: &mut Vec<u8>) {
		encode_base(bytes, &self.after);
		self.proofs.iter().for_each(|proof| proof.encode(bytes));
	}

	fn read(reader: &mut Reader) -> Result<Self, FileError> {
		Ok(Self {
			after: read_base(reader)?,
			proofs: [
				KnowledgeProof::read(reader)?,
				KnowledgeProof::read(reader)?,
				KnowledgeProof::read(reader)?,
			],
		})
	}
}

pub(super) fn encode_start(bytes: &mut Vec<u8>, start: &PowersStart) {
	match &start.imported {
		None => bytes.push(FROM_GENERATORS),
		Some(source) => {
			bytes.push(IMPORTED);
			bytes.extend_from_slice(source);
			encode_base(bytes, &start.base);
		}
	}
}

pub(super) fn encode_base(bytes: &mut Vec<u8>, base: &PowersBase) {
	encode(bytes, &[base.tau_g1]);
	encode(bytes, &[base.tau_g2]);
	encode(bytes, &[base.alpha_g1, base.beta_g1]);
	encode(bytes, &[base.beta_g2]);
}

fn read_base(reader: &mut Reader) -> Result<PowersBase, FileError> {
	let part = "tau, alpha and beta of a contribution";
	Ok(PowersBase {
		tau_g1: reader.point(part)?,
		tau_g2: reader.point(part)?,
		alpha_g1: reader.point(part)?,
		beta_g1: reader.point(part)?,
		beta_g2: reader.point(part)?,
	})
}
