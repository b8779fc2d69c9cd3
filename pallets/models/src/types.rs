//! What the registry's bytes are checked for before they are stored.

use opensand_nn::ModelError;
use opensand_primitives::models::MAX_KEY_BYTES;
use opensand_zk_verifier::{KeyError, VerifyingKey, G1_LEN};

use crate::{Config, Error};

/// The number of public inputs that a key of `len` bytes can at most have: what its checks cost is counted in these.
pub(crate) fn public_inputs_within(len: usize) -> u32 {
	let points = len.min(MAX_KEY_BYTES as usize) / G1_LEN;
	// A key without public inputs has nine points' worth of bytes: α, IC₀, and three twice as long.
	u32::try_from(points.saturating_sub(EMPTY_KEY_POINTS)).unwrap_or(u32::MAX)
}

const EMPTY_KEY_POINTS: usize = VerifyingKey::encoded_len(0) / G1_LEN;

impl<T: Config> From<KeyError> for Error<T> {
	fn from(error: KeyError) -> Self {
		match error {
			KeyError::UnsupportedVersion => Self::UnsupportedKeyVersion,
			KeyError::UnknownOrigin => Self::UnknownKeyOrigin,
			KeyError::WrongLength => Self::WrongKeyLength,
			KeyError::InputCount => Self::InvalidInputCount,
			KeyError::NonCanonical => Self::NonCanonicalPoint,
			KeyError::OffCurve => Self::PointOffCurve,
			KeyError::OffSubgroup => Self::PointOffSubgroup,
			KeyError::Identity => Self::IdentityPoint,
			KeyError::GammaDelta => Self::GammaEqualsDelta,
		}
	}
}

impl<T: Config> From<ModelError> for Error<T> {
	fn from(error: ModelError) -> Self {
		match error {
			ModelError::TooManyBytes { .. }
			| ModelError::BadMagic
			| ModelError::Malformed
			| ModelError::TrailingBytes(_) => Self::UndecodableArchitecture,
			ModelError::UnsupportedVersion { .. } => Self::UnsupportedArchitectureVersion,
			_ => Self::InvalidArchitecture,
		}
	}
}
