//! `opensand-zk setup`.

use super::circuit::{Visibility, WeightsOption};
use crate::{
	error::CliError,
	model_folder::{Hash, ModelFolder},
	output::Output,
};
use clap::Args;
use opensand_nn::Model;
use opensand_zk_circuit::DeclaredWidths;
use opensand_zk_prover::{setup_dev, setup_family_dev, Bundle, FamilyFolder};
use opensand_zk_verifier::InputVisibility;
use rand::rngs::OsRng;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::{Path, PathBuf},
	sync::Arc,
	time::Instant,
};

/// Make DEVELOPMENT keys for a model's circuit.
///
/// This machine draws the secrets of the keys and forgets them; who kept them could prove anything. The keys say that they
/// are development keys, and only development chains accept them. For others, see `ceremony`.
///
/// Writes a bundle, a folder named by the key id: the model, both keys, and a manifest with their checksums. With --weights committed,
/// writes a key family instead: the keys to register commitments to weights of this architecture and to prove about them, for
/// `commit`.
#[derive(Debug, Args)]
pub struct Setup {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// Whether the statement shows the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
	/// Whether weights are constants of the circuit or committed to. What the model's weights are, within a bit of their bounds, does
	/// not matter to keys for committed ones.
	#[arg(long, value_enum, default_value = "constant")]
	pub weights: WeightsOption,
	/// Folder that the bundle's folder is made in.
	#[arg(long, value_name = "FOLDER")]
	pub bundles: PathBuf,
}

impl Setup {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let model = Arc::new(ModelFolder::read(&self.model)?.model);
		let visibility = self.input_visibility.into();
		let start = Instant::now();
		let spinner = output.spinner("making development keys");
		match self.weights {
			WeightsOption::Constant => {
				let (proving_key, verifying_key) = setup_dev(model.clone(), visibility, &mut OsRng)?;
				let bundle = Bundle {
					model,
					visibility,
					weights: None,
					proving_key,
				}
				.write(&self.bundles)?;
				spinner.finish_and_clear();
				output.report(&SetupReport {
					bundle,
					key: Hash(verifying_key.id()),
					development: true,
					key_bytes: verifying_key.to_bytes().len(),
					seconds: start.elapsed().as_secs_f64(),
				});
			}
			WeightsOption::Committed => {
				let report = set_up_family(model, visibility, &self.bundles, start)?;
				spinner.finish_and_clear();
				output.report(&report);
			}
		}
		Ok(())
	}
}

fn set_up_family(
	model: Arc<Model>,
	visibility: InputVisibility,
	root: &Path,
	start: Instant,
) -> Result<FamilyReport, CliError> {
	let widths = DeclaredWidths::of(&model);
	let keys = setup_family_dev(model.clone(), visibility, widths.clone(), &mut OsRng)?;
	let family = FamilyFolder {
		architecture: model.architecture().clone(),
		widths,
		visibility,
		keys,
	};
	Ok(FamilyReport {
		family: family.write(root)?,
		registration_key: Hash(family.keys.registration.verifying_key().id()),
		inference_key: Hash(family.keys.inference.verifying_key().id()),
		development: true,
		domain: family.keys.inference.points().domain,
		registration_domain: family.keys.registration.points().domain,
		seconds: start.elapsed().as_secs_f64(),
	})
}

#[derive(Serialize)]
struct FamilyReport {
	family: PathBuf,
	registration_key: Hash,
	inference_key: Hash,
	development: bool,
	domain: usize,
	registration_domain: usize,
	seconds: f64,
}

impl Display for FamilyReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(
			formatter,
			"wrote             {} in {:.2} s",
			self.family.display(),
			self.seconds
		)?;
		writeln!(formatter, "registration key  {}", self.registration_key)?;
		writeln!(formatter, "inference key     {}", self.inference_key)?;
		writeln!(
			formatter,
			"domains           2^{} to prove, 2^{} to register",
			self.domain.ilog2(),
			self.registration_domain.ilog2()
		)?;
		writeln!(
			formatter,
			"DEVELOPMENT KEYS: their secrets were on this machine. Only development chains accept them."
		)
	}
}

#[derive(Serialize)]
struct SetupReport {
	bundle: PathBuf,
	key: Hash,
	development: bool,
	key_bytes: usize,
	seconds: f64,
}

impl Display for SetupReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(
			formatter,
			"wrote          {} in {:.2} s",
			self.bundle.display(),
			self.seconds
		)?;
		writeln!(formatter, "key            {}", self.key)?;
		writeln!(formatter, "verifying key  {} bytes", self.key_bytes)?;
		writeln!(
			formatter,
			"DEVELOPMENT KEY: its secrets were on this machine. Only development chains accept it."
		)
	}
}
