//! The keys of an architecture whose weights are committed to, in one directory.
//!
//! `<root>/family-<inference key id in hex>/` holds `architecture.bin`, `registration.key` and `inference.key` (proving keys),
//! `registration-verifying.key` and `verifying.key`, and `family.json`, which has the declared widths and names the rest with lengths and
//! checksums. Each key has the domain of its circuit; their elements for weights are the same.

use crate::{
	bundle::{BundleError, Visibility, Widths, ARCHITECTURE_FILE, VERIFYING_KEY_FILE},
	folder::{self, Access, Files},
	key::ProvingKey,
	setup::KeyFamily,
};
use opensand_nn::Architecture;
use opensand_zk_circuit::DeclaredWidths;
use opensand_zk_verifier::InputVisibility;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Name of the proving key for registrations.
pub const REGISTRATION_KEY_FILE: &str = "registration.key";
/// Name of the proving key for inferences.
pub const INFERENCE_KEY_FILE: &str = "inference.key";
/// Name of the verifying key for registrations.
pub const REGISTRATION_VERIFYING_KEY_FILE: &str = "registration-verifying.key";
/// Name of the manifest.
pub const FAMILY_FILE: &str = "family.json";

const FORMAT: &str = "opensand-key-family";
const VERSION: u32 = 1;

/// A key family and what it was made for.
#[derive(Clone, Debug)]
pub struct FamilyFolder {
	/// The architecture.
	pub architecture: Architecture,
	/// What weights are declared to fit.
	pub widths: DeclaredWidths,
	/// Whether inputs are part of the statement.
	pub visibility: InputVisibility,
	/// The keys.
	pub keys: KeyFamily,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
	format: String,
	version: u32,
	/// Id of the registration key in hex.
	registration: String,
	/// Id of the inference key in hex.
	inference: String,
	/// Architecture id in hex.
	architecture: String,
	visibility: Visibility,
	widths: Vec<Widths>,
	files: Files,
}

impl FamilyFolder {
	/// The name of this family's directory.
	pub fn directory_name(&self) -> String {
		format!("family-{}", hex::encode(self.keys.inference.verifying_key().id()))
	}

	/// Writes the family into a new directory under `root`, which is made if need be, and returns its path. It appears complete or
	/// not at all.
	pub fn write(&self, root: &Path) -> Result<PathBuf, BundleError> {
		let KeyFamily {
			registration,
			inference,
		} = &self.keys;
		let keys = [registration, inference];
		let proving = keys.map(ProvingKey::to_bytes);
		let verifying = keys.map(|key| key.verifying_key().to_bytes());
		let ids = keys.map(|key| hex::encode(key.verifying_key().id()));
		let architecture = self.architecture.to_bytes();
		let contents: [(&str, Access, &[u8]); 5] = [
			(ARCHITECTURE_FILE, Access::Ordinary, &architecture),
			(REGISTRATION_KEY_FILE, Access::Ordinary, &proving[0]),
			(INFERENCE_KEY_FILE, Access::Ordinary, &proving[1]),
			(REGISTRATION_VERIFYING_KEY_FILE, Access::Ordinary, &verifying[0]),
			(VERIFYING_KEY_FILE, Access::Ordinary, &verifying[1]),
		];
		let [registration, inference] = ids;
		folder::write(root, &self.directory_name(), &contents, FAMILY_FILE, |files| {
			Manifest {
				format: FORMAT.to_owned(),
				version: VERSION,
				registration,
				inference,
				architecture: hex::encode(self.architecture.id()),
				visibility: self.visibility.into(),
				widths: Widths::listed(&self.widths),
				files,
			}
		})
	}

	/// Reads a family's directory and checks everything: lengths, checksums, formats, and that the parts belong together.
	pub fn read(directory: &Path) -> Result<Self, BundleError> {
		let manifest: Manifest = folder::read_manifest(&directory.join(FAMILY_FILE), FORMAT, &[VERSION])?;
		let file = |name: &str| folder::read_listed(directory, &manifest.files, name);
		let architecture = Architecture::from_bytes(&file(ARCHITECTURE_FILE)?)?;
		let key = |name: &str| {
			ProvingKey::from_bytes(&folder::map_listed(directory, &manifest.files, name)?)
				.map_err(BundleError::from)
		};
		let registration = key(REGISTRATION_KEY_FILE)?;
		let inference = key(INFERENCE_KEY_FILE)?;
		let (registers, infers) = (registration.verifying_key(), inference.verifying_key());
		let agrees = registers.registers_for(infers)
			&& registration.points().weights == inference.points().weights
			&& registers.to_bytes() == file(REGISTRATION_VERIFYING_KEY_FILE)?
			&& infers.to_bytes() == file(VERIFYING_KEY_FILE)?
			&& manifest.registration == hex::encode(registers.id())
			&& manifest.inference == hex::encode(infers.id())
			&& manifest.architecture == hex::encode(architecture.id());
		if !agrees {
			return Err(BundleError::KeysDisagree);
		}
		Ok(Self {
			widths: Widths::declared(&manifest.widths, &architecture)?,
			visibility: manifest.visibility.into(),
			architecture,
			keys: KeyFamily {
				registration,
				inference,
			},
		})
	}
}
