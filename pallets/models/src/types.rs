//! What the registry's bytes are checked for before they are stored.

use opensand_nn::ModelError;
use opensand_zk_verifier::{KeyError, PointError, ProofError};

use crate::{Config, Error};

impl<T: Config> From<KeyError> for Error<T> {
	fn from(error: KeyError) -> Self {
		match error {
			KeyError::UnsupportedVersion => Self::UnsupportedKeyVersion,
			KeyError::UnknownOrigin => Self::UnknownKeyOrigin,
			KeyError::WrongLength => Self::WrongKeyLength,
			KeyError::UnknownVisibility
			| KeyError::UnknownSegments
			| KeyError::EmptyTensor
			| KeyError::TooManyWords => Self::InvalidKeyShape,
			KeyError::NonCanonical => Self::NonCanonicalPoint,
			KeyError::OffCurve => Self::PointOffCurve,
			KeyError::OffSubgroup => Self::PointOffSubgroup,
			KeyError::Identity => Self::IdentityPoint,
			KeyError::EqualTrapdoors => Self::EqualTrapdoors,
		}
	}
}

impl<T: Config> From<PointError> for Error<T> {
	fn from(error: PointError) -> Self {
		match error {
			PointError::NonCanonical => Self::NonCanonicalPoint,
			PointError::OffCurve => Self::PointOffCurve,
			PointError::OffSubgroup => Self::PointOffSubgroup,
			PointError::Identity => Self::IdentityPoint,
		}
	}
}

impl<T: Config> From<ProofError> for Error<T> {
	fn from(error: ProofError) -> Self {
		match error {
			// The call's type fixes the length.
			ProofError::WrongLength => Self::InvalidRegistration,
			ProofError::NonCanonical => Self::NonCanonicalPoint,
			ProofError::OffCurve => Self::PointOffCurve,
			ProofError::OffSubgroup => Self::PointOffSubgroup,
			ProofError::Identity => Self::IdentityPoint,
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
