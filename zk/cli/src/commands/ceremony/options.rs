//! Options that the steps of a ceremony share, and its files.

use crate::{
	commands::circuit::{Visibility, WeightsOption},
	error::CliError,
	files,
	model_folder::ModelFolder,
};
use clap::Args;
use opensand_zk_ceremony::{Ceremony, Circuit, Entropy, Powers, VerifiedPowers};
use opensand_zk_circuit::{InferenceCircuit, RegistrationCircuit};
use opensand_zk_verifier::InputVisibility;
use std::{
	path::{Path, PathBuf},
	sync::Arc,
};

/// Bytes of a file of powers or of a ceremony that is read at most.
const MAX_BYTES: usize = 1 << 32;

/// The models that a ceremony is for.
#[derive(Debug, Args)]
pub struct Models {
	/// Model folder, as `import` writes it; several for one ceremony of several keys, always in the same order.
	#[arg(long = "model", value_name = "FOLDER", required = true)]
	pub folders: Vec<PathBuf>,
	/// Whether the statements show the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
	/// Whether the models' weights are constants of their circuits or committed to. For committed ones the ceremony is for a key
	/// family, whose two keys take weights of the model's architecture that fit the widths declared for this model.
	#[arg(long, value_enum, default_value = "constant")]
	pub weights: WeightsOption,
}

impl Models {
	/// The models' circuits for inferences, and all circuits of the ceremony: of a key family, that for registrations comes first.
	pub fn read(&self) -> Result<(Vec<InferenceCircuit>, Vec<Circuit>), CliError> {
		let mut models = Vec::with_capacity(self.folders.len());
		let mut circuits = Vec::with_capacity(2 * self.folders.len());
		for folder in &self.folders {
			let model = Arc::new(ModelFolder::read(folder)?.model);
			let mode = self.weights.mode(&model);
			let inference = InferenceCircuit::with_weights(model, self.visibility(), mode)?;
			if self.weights == WeightsOption::Committed {
				let registration = RegistrationCircuit::of(&inference)?;
				circuits.push(Circuit {
					matrices: registration.matrices()?,
					shape: registration.size().shape,
				});
			}
			circuits.push(Circuit {
				matrices: inference.matrices()?,
				shape: inference.size().shape,
			});
			models.push(inference);
		}
		Ok((models, circuits))
	}

	/// Whether the statements show the input.
	pub fn visibility(&self) -> InputVisibility {
		self.input_visibility.into()
	}
}

/// What a participant adds to the randomness of the operating system.
#[derive(Debug, Args)]
pub struct Randomness {
	/// Text that is hashed together with the operating system's randomness, such as what dice showed. Neither is kept.
	#[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
	pub entropy: String,
}

impl Randomness {
	/// The participant's secrets.
	pub fn entropy(&self) -> Result<Entropy, CliError> {
		Entropy::from_os(self.entropy.as_bytes()).map_err(CliError::Randomness)
	}
}

/// Reads powers and checks everything about them.
pub fn read_powers(path: &Path) -> Result<VerifiedPowers, CliError> {
	let bytes = files::read(path, MAX_BYTES)?;
	let (powers, digest) = Powers::from_bytes(&bytes).map_err(|source| CliError::CeremonyFile {
		path: path.into(),
		source,
	})?;
	drop(bytes);
	powers.verify(digest).map_err(|source| CliError::Powers {
		path: path.into(),
		source,
	})
}

/// Reads a ceremony.
pub fn read_ceremony(path: &Path) -> Result<Ceremony, CliError> {
	Ceremony::from_bytes(&files::read(path, MAX_BYTES)?).map_err(|source| CliError::CeremonyFile {
		path: path.into(),
		source,
	})
}
