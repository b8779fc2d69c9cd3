//! Verifying keys: the encoding that the chain stores, and the checks at registration.
//!
//! Layout: version (1 byte, [`VERSION`]) ‖ origin (1 byte; a ceremony's is followed by its 32-byte transcript hash) ‖
//! the statement's shape: visibility (1 byte), input length, output length (u32 each, little-endian) ‖ whether there is
//! a weights' segment (1 byte) ‖ α (G1) ‖ β ‖ γ ‖ δ ‖ δ₁ ‖ δ_w where there is that segment (G2) ‖ IC₀ … IC₃ (G1). The key
//! id is BLAKE2-256 of these bytes, so it also fixes the origin the key claims.

use crate::{
	curve::{Curve, Host},
	encoding::{decode_g1, decode_g2, encode_g1, encode_g2, take, Check, PointError, G1_LEN, G2_LEN},
	hash::blake2_256,
	statement::{InputVisibility, StatementShape},
	transcript::PUBLIC_INPUTS,
};
use alloc::vec::Vec;
use ark_bls12_381::{G1Affine, G2Affine};
use ark_ec::AffineRepr;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use thiserror::Error;

/// The version of the encoding.
const VERSION: u8 = 2;
const ORIGIN_DEVELOPMENT: u8 = 0;
const ORIGIN_CEREMONY: u8 = 1;
const VISIBILITY_PUBLIC: u8 = 0;
const VISIBILITY_HASHED: u8 = 1;
const WITHOUT_WEIGHTS: u8 = 0;
const WITH_WEIGHTS: u8 = 1;

/// The largest number of words in a statement: 2 MB of tensors, which fold in a few milliseconds.
pub const MAX_WORDS: usize = 1 << 16;

/// Number of IC points: one for the constant 1 and one for each public input.
const IC_LEN: usize = PUBLIC_INPUTS + 1;

/// The longest encoding of a key, in bytes: a ceremony's, with a weights' segment.
pub const MAX_KEY_LEN: usize = 12 + 32 + (1 + IC_LEN) * G1_LEN + 5 * G2_LEN;

/// Who knows the secrets behind a key, by its own claim.
#[derive(
	Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum KeyOrigin {
	/// One machine drew the secrets and is trusted to have forgotten them: whoever keeps them can prove anything.
	/// For development chains only.
	Development,
	/// The key closed a multi-party ceremony whose transcript has this hash.
	Ceremony {
		/// Hash of the public transcript.
		transcript_hash: [u8; 32],
	},
}

/// Why bytes are not an acceptable verifying key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
	/// The encoding's version is unknown. Export the key with a tool of this release.
	#[error("the key's version is not supported")]
	UnsupportedVersion,
	/// The origin is neither development nor ceremony. Export the key with a tool of this release.
	#[error("the key's origin is unknown")]
	UnknownOrigin,
	/// The input's visibility is neither public nor hashed. Export the key with a tool of this release.
	#[error("the key's input visibility is unknown")]
	UnknownVisibility,
	/// The byte that says whether there is a weights' segment is neither 0 nor 1. Export the key with a tool of this
	/// release.
	#[error("the key does not say whether it has a weights' segment")]
	UnknownSegments,
	/// The bytes are shorter or longer than origin and segments demand.
	#[error("the key is shorter or longer than its origin and segments demand")]
	WrongLength,
	/// The input or the output has no values. Only a registration key has neither of them: one with a weights' segment
	/// whose (empty) input is public. The key is not one of a model.
	#[error("the key is for an empty tensor")]
	EmptyTensor,
	/// A statement would have more than [`MAX_WORDS`] words. Compile the model with a hashed input.
	#[error("the key is for statements of too many words")]
	TooManyWords,
	/// A coordinate is not canonical. Export the key again; only uncompressed, canonical points are taken.
	#[error("a coordinate is not canonical")]
	NonCanonical,
	/// A point does not satisfy the curve's equation. The key was damaged.
	#[error("a point is not on the curve")]
	OffCurve,
	/// A point lies outside the subgroup of prime order. The key is damaged or malicious.
	#[error("a point is outside the subgroup of prime order")]
	OffSubgroup,
	/// A point is the identity: some part of the statement would not be bound. The key is damaged or malicious.
	#[error("a point is the identity")]
	Identity,
	/// Two of γ, δ, δ₁ and δ_w are equal up to sign: their segments are not separated, and a prover can move values from one
	/// to the other after it saw the challenge. The key is malicious or comes from a set-up that was never randomised.
	#[error("two trapdoors are equal or each other's negative")]
	EqualTrapdoors,
}

impl From<PointError> for KeyError {
	fn from(error: PointError) -> Self {
		match error {
			PointError::NonCanonical => Self::NonCanonical,
			PointError::OffCurve => Self::OffCurve,
			PointError::OffSubgroup => Self::OffSubgroup,
			PointError::Identity => Self::Identity,
		}
	}
}

/// The points of a key in G2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyG2 {
	/// β.
	pub beta: G2Affine,
	/// γ, the trapdoor of the public inputs.
	pub gamma: G2Affine,
	/// δ, the trapdoor of the rest.
	pub delta: G2Affine,
	/// δ₁, the trapdoor of the segment that is committed to in the proof.
	pub delta_committed: G2Affine,
	/// δ_w, the trapdoor of the weights' segment, where there is one.
	pub delta_weights: Option<G2Affine>,
}

impl KeyG2 {
	/// All points in the order of the encoding.
	fn iter(&self) -> impl Iterator<Item = &G2Affine> {
		[&self.beta].into_iter().chain(self.trapdoors())
	}

	/// The trapdoors of the segments.
	fn trapdoors(&self) -> impl Iterator<Item = &G2Affine> + Clone {
		[&self.gamma, &self.delta, &self.delta_committed]
			.into_iter()
			.chain(&self.delta_weights)
	}
}

/// A verifying key that passed its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
	/// Hash of the encoding.
	id: [u8; 32],
	origin: KeyOrigin,
	shape: StatementShape,
	pub(crate) alpha: G1Affine,
	pub(crate) g2: KeyG2,
	/// IC₀ (the constant) and one point for each of r, b and f.
	pub(crate) ic: [G1Affine; IC_LEN],
}

impl VerifyingKey {
	/// A key from the points of a set-up. Checks the statement's shape, identities and that γ, δ, δ₁, δ_w are different
	/// up to sign; that the points are in their subgroups is the caller's word. With [`StatementShape::REGISTRATION`] and
	/// δ_w it is a registration key.
	pub fn from_points(
		origin: KeyOrigin,
		shape: StatementShape,
		alpha: G1Affine,
		g2: KeyG2,
		ic: [G1Affine; PUBLIC_INPUTS + 1],
	) -> Result<Self, KeyError> {
		check_shape(&shape, g2.delta_weights.is_some())?;
		if alpha.is_zero() || ic.iter().any(G1Affine::is_zero) || g2.iter().any(G2Affine::is_zero) {
			return Err(KeyError::Identity);
		}
		let mut trapdoors = g2.trapdoors();
		while let Some(trapdoor) = trapdoors.next() {
			// P and −P, and only they, have the same x-coordinate.
			if trapdoors.clone().any(|other| other.x == trapdoor.x) {
				return Err(KeyError::EqualTrapdoors);
			}
		}
		let mut key = Self {
			id: [0; 32],
			origin,
			shape,
			alpha,
			g2,
			ic,
		};
		key.id = blake2_256(&key.to_bytes());
		Ok(key)
	}

	/// Decodes a key with every check, for registration: canonical points on the curve, in their subgroups, not the
	/// identity; a shape within bounds; trapdoors different up to sign; no byte left over. Subgroup tests by host call.
	pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
		Self::decode::<Host>(bytes, Check::Full)
	}

	/// As [`from_bytes`](Self::from_bytes), with the given backend.
	pub fn from_bytes_with<C: Curve>(bytes: &[u8]) -> Result<Self, KeyError> {
		Self::decode::<C>(bytes, Check::Full)
	}

	/// Decodes a key that passed [`from_bytes`](Self::from_bytes) when it was stored: all checks but the subgroup
	/// tests.
	pub fn from_trusted_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
		Self::decode::<Host>(bytes, Check::SubgroupKnown)
	}

	fn decode<C: Curve>(bytes: &[u8], check: Check) -> Result<Self, KeyError> {
		let mut rest = bytes;
		let mut part = |len| take(&mut rest, len).ok_or(KeyError::WrongLength);
		if part(1)? != [VERSION] {
			return Err(KeyError::UnsupportedVersion);
		}
		let origin = match part(1)? {
			[ORIGIN_DEVELOPMENT] => KeyOrigin::Development,
			[ORIGIN_CEREMONY] => KeyOrigin::Ceremony {
				transcript_hash: part(32)?.try_into().map_err(|_| KeyError::WrongLength)?,
			},
			_ => return Err(KeyError::UnknownOrigin),
		};
		let visibility = match part(1)? {
			[VISIBILITY_PUBLIC] => InputVisibility::Public,
			[VISIBILITY_HASHED] => InputVisibility::Hashed,
			_ => return Err(KeyError::UnknownVisibility),
		};
		let mut length = || {
			let bytes = part(4)?.try_into().map_err(|_| KeyError::WrongLength)?;
			Ok::<_, KeyError>(u32::from_le_bytes(bytes))
		};
		let shape = StatementShape {
			visibility,
			input_len: length()?,
			output_len: length()?,
		};
		let has_weights = match part(1)? {
			[WITHOUT_WEIGHTS] => false,
			[WITH_WEIGHTS] => true,
			_ => return Err(KeyError::UnknownSegments),
		};
		check_shape(&shape, has_weights)?;
		// The length is settled before any point is decoded.
		let alpha = part(G1_LEN)?;
		let (beta, gamma, delta, delta_committed) =
			(part(G2_LEN)?, part(G2_LEN)?, part(G2_LEN)?, part(G2_LEN)?);
		let delta_weights = has_weights.then(|| part(G2_LEN)).transpose()?;
		let ic = [part(G1_LEN)?, part(G1_LEN)?, part(G1_LEN)?, part(G1_LEN)?];
		if !rest.is_empty() {
			return Err(KeyError::WrongLength);
		}
		let g1 = |bytes| decode_g1::<C>(bytes, check);
		let g2 = |bytes| decode_g2::<C>(bytes, check);
		let alpha = g1(alpha)?;
		let points = KeyG2 {
			beta: g2(beta)?,
			gamma: g2(gamma)?,
			delta: g2(delta)?,
			delta_committed: g2(delta_committed)?,
			delta_weights: delta_weights.map(g2).transpose()?,
		};
		let [constant, r, b, folded] = ic;
		let ic = [g1(constant)?, g1(r)?, g1(b)?, g1(folded)?];
		Self::from_points(origin, shape, alpha, points, ic)
	}

	/// The bytes of this key, as registered on the chain.
	pub fn to_bytes(&self) -> Vec<u8> {
		let mut bytes = Vec::with_capacity(MAX_KEY_LEN);
		bytes.push(VERSION);
		match self.origin {
			KeyOrigin::Development => bytes.push(ORIGIN_DEVELOPMENT),
			KeyOrigin::Ceremony { transcript_hash } => {
				bytes.push(ORIGIN_CEREMONY);
				bytes.extend_from_slice(&transcript_hash);
			}
		}
		bytes.push(match self.shape.visibility {
			InputVisibility::Public => VISIBILITY_PUBLIC,
			InputVisibility::Hashed => VISIBILITY_HASHED,
		});
		bytes.extend_from_slice(&self.shape.input_len.to_le_bytes());
		bytes.extend_from_slice(&self.shape.output_len.to_le_bytes());
		bytes.push(match self.g2.delta_weights {
			None => WITHOUT_WEIGHTS,
			Some(_) => WITH_WEIGHTS,
		});
		encode_g1(&mut bytes, &self.alpha);
		for point in self.g2.iter() {
			encode_g2(&mut bytes, point);
		}
		for point in &self.ic {
			encode_g1(&mut bytes, point);
		}
		bytes
	}

	/// The key id: BLAKE2-256 of [`to_bytes`](Self::to_bytes).
	pub fn id(&self) -> [u8; 32] {
		self.id
	}

	/// The points α; β, γ, δ, δ₁, δ_w; and IC₀ … IC₃.
	pub fn points(&self) -> (&G1Affine, &KeyG2, &[G1Affine; PUBLIC_INPUTS + 1]) {
		(&self.alpha, &self.g2, &self.ic)
	}

	/// Who knows the secrets behind this key, by its own claim.
	pub fn origin(&self) -> KeyOrigin {
		self.origin
	}

	/// The shape that statements under this key have; at registration it must be the model's.
	pub fn shape(&self) -> StatementShape {
		self.shape
	}

	/// Whether proofs under this key are about a registered commitment to weights.
	pub fn has_weights(&self) -> bool {
		self.g2.delta_weights.is_some()
	}

	/// Whether this is a registration key: proofs under it say of a commitment that it opens to well-formed weights.
	pub fn is_registration(&self) -> bool {
		self.shape == StatementShape::REGISTRATION
	}

	/// Whether weights that are registered under this key are weights under the key `inference`: this one is a
	/// registration key, the other one with a weights' segment for inference; α and β agree; δ_w agrees, or is another one up
	/// to sign in a key of the same origin, as it is where the domains differ; and no other two segments, one of each key,
	/// have the same trapdoor up to sign, but that γ may be the same.
	///
	/// That both come from one set-up, with one τ, and δ_w in the relation that the two domains ask for, cannot be seen from keys.
	pub fn registers_for(&self, inference: &Self) -> bool {
		let (own, other) = (&self.g2, &inference.g2);
		let same = |one: &G2Affine, two: &G2Affine| one.x == two.x;
		let weights_fit = match (&own.delta_weights, &other.delta_weights) {
			(Some(one), Some(two)) => one == two || !same(one, two) && self.origin == inference.origin,
			_ => false,
		};
		let mut pairs = own.trapdoors().enumerate().flat_map(|(place, one)| {
			let others = other.trapdoors().enumerate();
			others.map(move |(other_place, two)| ([place, other_place], one, two))
		});
		let separate = pairs.all(|(places, one, two)| {
			// γ and γ, δ_w and δ_w.
			matches!(places, [0, 0] | [3, 3]) || !same(one, two)
		});
		self.is_registration()
			&& inference.has_weights()
			&& !inference.is_registration()
			&& self.alpha == inference.alpha
			&& own.beta == other.beta
			&& weights_fit
			&& separate
	}
}

fn check_shape(shape: &StatementShape, has_weights: bool) -> Result<(), KeyError> {
	if *shape == StatementShape::REGISTRATION && has_weights {
		return Ok(());
	}
	if shape.input_len == 0 || shape.output_len == 0 {
		return Err(KeyError::EmptyTensor);
	}
	if shape.words() > MAX_WORDS {
		return Err(KeyError::TooManyWords);
	}
	Ok(())
}
