//! Verifying keys: the encoding that the chain stores, and the checks at registration.
//!
//! Layout: version (1 byte, [`VERSION`]) ‖ origin (1 byte; a ceremony's is followed by its 32-byte transcript hash) ‖
//! number of public inputs (u16, little-endian) ‖ α (G1) ‖ β ‖ γ ‖ δ (G2) ‖ IC₀ … ICₙ (G1). The key id is BLAKE2-256
//! of these bytes, so it also fixes the origin the key claims.

use crate::{
	curve::{Curve, Host},
	encoding::{decode_g1, decode_g2, encode_g1, encode_g2, take, Check, PointError, G1_LEN, G2_LEN},
	hash::blake2_256,
};
use alloc::vec::Vec;
use ark_bls12_381::{G1Affine, G2Affine};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use thiserror::Error;

/// The version of the encoding.
const VERSION: u8 = 1;
const ORIGIN_DEVELOPMENT: u8 = 0;
const ORIGIN_CEREMONY: u8 = 1;

/// The largest number of public inputs of a key: 49 KB of key, one MSM of 513 points. Circuits with more input than
/// fits take it hashed.
pub const MAX_PUBLIC_INPUTS: usize = 512;

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
	/// The bytes are shorter or longer than the declared number of inputs demands.
	#[error("the key is shorter or longer than its number of inputs demands")]
	WrongLength,
	/// The key declares no public input, or more than [`MAX_PUBLIC_INPUTS`]. Compile the model with a hashed input.
	#[error("the key has no public input or too many")]
	InputCount,
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
	/// γ = ±δ: public inputs and witness are not separated, and proofs for one statement give proofs for others. The
	/// key is malicious or comes from a setup that was never randomised.
	#[error("gamma equals delta or its negative")]
	GammaDelta,
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

/// A verifying key that passed its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
	pub(crate) origin: KeyOrigin,
	pub(crate) alpha: G1Affine,
	pub(crate) beta: G2Affine,
	pub(crate) gamma: G2Affine,
	pub(crate) delta: G2Affine,
	/// IC₀ (the constant) and one point per public input.
	pub(crate) ic: Vec<G1Affine>,
}

impl VerifyingKey {
	/// A key from the points of a setup. Checks the number of inputs, identities and γ ≠ ±δ; that the points are in
	/// their subgroups is the caller's word.
	pub fn from_points(
		origin: KeyOrigin,
		alpha: G1Affine,
		[beta, gamma, delta]: [G2Affine; 3],
		ic: Vec<G1Affine>,
	) -> Result<Self, KeyError> {
		use ark_ec::AffineRepr;
		if ic.len() < 2 || ic.len().saturating_sub(1) > MAX_PUBLIC_INPUTS {
			return Err(KeyError::InputCount);
		}
		if alpha.is_zero()
			|| ic.iter().any(G1Affine::is_zero)
			|| [beta, gamma, delta].iter().any(G2Affine::is_zero)
		{
			return Err(KeyError::Identity);
		}
		if gamma.x == delta.x {
			return Err(KeyError::GammaDelta);
		}
		Ok(Self {
			origin,
			alpha,
			beta,
			gamma,
			delta,
			ic,
		})
	}

	/// Decodes a key with every check, for registration: canonical points on the curve, in their subgroups, not the
	/// identity; a number of inputs within bounds; γ ≠ ±δ; no byte left over. Subgroup tests by host call.
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
		let count = u16::from_le_bytes(part(2)?.try_into().map_err(|_| KeyError::WrongLength)?);
		let count = usize::from(count);
		if count == 0 || count > MAX_PUBLIC_INPUTS {
			return Err(KeyError::InputCount);
		}
		let (alpha, beta, gamma, delta) = (part(G1_LEN)?, part(G2_LEN)?, part(G2_LEN)?, part(G2_LEN)?);
		// The length is settled before any point is decoded.
		if rest.len() != count.saturating_add(1).saturating_mul(G1_LEN) {
			return Err(KeyError::WrongLength);
		}
		let alpha = decode_g1::<C>(alpha, check)?;
		let beta = decode_g2::<C>(beta, check)?;
		let gamma = decode_g2::<C>(gamma, check)?;
		let delta = decode_g2::<C>(delta, check)?;
		let ic = rest
			.chunks(G1_LEN)
			.map(|point| decode_g1::<C>(point, check))
			.collect::<Result<Vec<_>, _>>()?;
		Self::from_points(origin, alpha, [beta, gamma, delta], ic)
	}

	/// The bytes of this key, as registered on the chain.
	pub fn to_bytes(&self) -> Vec<u8> {
		let points = self.ic.len().saturating_add(1).saturating_mul(G1_LEN);
		let mut bytes = Vec::with_capacity(points.saturating_add(3 * G2_LEN + 36));
		bytes.push(VERSION);
		match self.origin {
			KeyOrigin::Development => bytes.push(ORIGIN_DEVELOPMENT),
			KeyOrigin::Ceremony { transcript_hash } => {
				bytes.push(ORIGIN_CEREMONY);
				bytes.extend_from_slice(&transcript_hash);
			}
		}
		// At most MAX_PUBLIC_INPUTS by construction.
		bytes.extend_from_slice(&(self.public_input_count() as u16).to_le_bytes());
		encode_g1(&mut bytes, &self.alpha);
		for point in [&self.beta, &self.gamma, &self.delta] {
			encode_g2(&mut bytes, point);
		}
		for point in &self.ic {
			encode_g1(&mut bytes, point);
		}
		bytes
	}

	/// The key id: BLAKE2-256 of [`to_bytes`](Self::to_bytes).
	pub fn id(&self) -> [u8; 32] {
		blake2_256(&self.to_bytes())
	}

	/// The points α, (β, γ, δ) and IC₀ … ICₙ.
	pub fn points(&self) -> (&G1Affine, [&G2Affine; 3], &[G1Affine]) {
		(&self.alpha, [&self.beta, &self.gamma, &self.delta], &self.ic)
	}

	/// Who knows the secrets behind this key, by its own claim.
	pub fn origin(&self) -> KeyOrigin {
		self.origin
	}

	/// The number of public inputs that a statement must have.
	pub fn public_input_count(&self) -> usize {
		self.ic.len().saturating_sub(1)
	}

	/// The encoded length of a development key with the given number of public inputs, in bytes; a ceremony's is 32
	/// longer.
	pub const fn encoded_len(public_inputs: usize) -> usize {
		public_inputs
			.saturating_add(2)
			.saturating_mul(G1_LEN)
			.saturating_add(3 * G2_LEN + 4)
	}
}
