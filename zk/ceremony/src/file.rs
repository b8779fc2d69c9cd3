//! The file of a ceremony.
//!
//! Layout of version 1, integers little-endian, points as in keys: magic `OSCE` ‖ version (u16) ‖ digest of the powers ‖ number
//! of weights' elements (u32) ‖ number of circuits (u32) ‖ for each: its digest, and the numbers of elements of l, h and the
//! committed segment (u32 each) ‖ number of contributions (u32) ‖ the contributions ‖ for each circuit the elements of l, h and
//! the committed segment, and its δ_w in G1 and G2 if there are weights and another circuit has fewer elements of h ‖ the weights'
//! elements ‖ checksum. There are as many elements of h as points of the domain.
//!
//! A contribution is δ and δ₁ of each circuit, then δ_w if there are weights, each in G1 and G2 ‖ 0 and for each of them a proof of
//! knowledge, a point R in G1 and a scalar z; or 1, the logarithm of a beacon's iterations (u32), the length of its value (u32) and
//! the value.

use crate::{
	ceremony::{Ceremony, Elements, MAX_CONTRIBUTIONS},
	contribution::{encode_trapdoors, Contribution, Trapdoor, PROOF_LEN, TRAPDOOR_LEN},
	hash::{hash, Digest},
	initial::MAX_CIRCUITS,
	points::encode,
	reader::{put_number, FileError, Format},
};
use opensand_zk_verifier::G1_LEN;

const FORMAT: Format = Format {
	name: "a ceremony",
	magic: b"OSCE",
	version: 1,
	tag: b"OpenSand/ceremony-file/v1",
};
const ELEMENTS_TAG: &[u8] = b"OpenSand/ceremony-elements/v1";
/// The most elements of one query.
const MAX_ELEMENTS: usize = 1 << 24;

impl Ceremony {
	/// The file.
	pub fn to_bytes(&self) -> Vec<u8> {
		let elements = self
			.circuits
			.iter()
			.map(|circuit| circuit.l.len() + circuit.h.len() + circuit.committed.len());
		let elements = elements.sum::<usize>() + self.weights.len();
		let contributions = self.contributions.len() * self.trapdoors() * (TRAPDOOR_LEN + PROOF_LEN);
		let mut bytes = FORMAT.begin(4096 + contributions + elements * G1_LEN);
		bytes.extend_from_slice(&self.powers);
		put_number(&mut bytes, self.weights.len());
		put_number(&mut bytes, self.circuits.len());
		for circuit in &self.circuits {
			bytes.extend_from_slice(&circuit.circuit);
			for query in [&circuit.l, &circuit.h, &circuit.committed] {
				put_number(&mut bytes, query.len());
			}
		}
		put_number(&mut bytes, self.contributions.len());
		for contribution in &self.contributions {
			contribution.encode(&mut bytes);
		}
		self.encode_elements(&mut bytes);
		FORMAT.seal(&mut bytes);
		bytes
	}

	/// Reads a file, checking checksum, lengths and every point. Everything else is for [`verify`](crate::verify).
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileError> {
		let (mut reader, _) = FORMAT.open(bytes)?;
		let powers = reader.array()?;
		let weights = reader.number("the number of elements", MAX_ELEMENTS)?;
		let count = reader.number("the number of circuits", MAX_CIRCUITS)?;
		if count == 0 {
			return Err(FileError::Limit("the number of circuits"));
		}
		let mut heads = Vec::with_capacity(count);
		for _ in 0..count {
			let circuit: Digest = reader.array()?;
			let mut lens = [0; 3];
			for len in &mut lens {
				*len = reader.number("the number of elements", MAX_ELEMENTS)?;
			}
			heads.push((circuit, lens));
		}
		let trapdoors = 2 * count + usize::from(weights > 0);
		let elements = heads.iter().flat_map(|(_, lens)| lens).sum::<usize>() + weights;
		let fewest = heads.iter().map(|(_, [_, h, _])| *h).min();
		let spread = |h: usize| weights > 0 && Some(h) > fewest;
		let spread_circuits = heads.iter().filter(|(_, [_, h, _])| spread(*h)).count();
		let elements_len = elements * G1_LEN + spread_circuits * TRAPDOOR_LEN;
		// Before any point is decoded. Beacons are short, and have their own bound.
		if reader.left() < elements_len {
			return Err(FileError::WrongLength);
		}
		let contributions = reader.number("the number of contributions", MAX_CONTRIBUTIONS)?;
		let contributions = (0..contributions).map(|_| Contribution::read(&mut reader, trapdoors));
		let contributions = contributions.collect::<Result<_, _>>()?;
		if reader.left() != elements_len {
			return Err(FileError::WrongLength);
		}
		let circuits = heads.into_iter().map(|(circuit, [l, h, committed])| {
			Ok(Elements {
				circuit,
				l: reader.points("query l", l)?,
				h: reader.points("query h", h)?,
				committed: reader.points("the committed segment's query", committed)?,
				delta_weights: spread(h)
					.then(|| Trapdoor::read(&mut reader, "the trapdoor of weights of a circuit"))
					.transpose()?,
			})
		});
		let circuits = circuits.collect::<Result<_, FileError>>()?;
		let weights = reader.points("the weights' query", weights)?;
		reader.end()?;
		Ok(Self {
			powers,
			circuits,
			weights,
			contributions,
		})
	}

	/// A hash of the elements after a transcript.
	pub(crate) fn elements_digest(&self, transcript: &Digest) -> Digest {
		let mut bytes = Vec::new();
		self.encode_elements(&mut bytes);
		hash(ELEMENTS_TAG, &[transcript, &bytes])
	}

	fn encode_elements(&self, bytes: &mut Vec<u8>) {
		for circuit in &self.circuits {
			for query in [&circuit.l, &circuit.h, &circuit.committed] {
				encode(bytes, query);
			}
			encode_trapdoors(bytes, circuit.delta_weights.as_slice());
		}
		encode(bytes, &self.weights);
	}
}
