//! What the registry's bytes are checked for before they are stored.

use opensand_nn::ModelError;
use opensand_zk_verifier::KeyError;

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
