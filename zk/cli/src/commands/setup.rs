//! `opensand-zk setup`.

use super::circuit::Visibility;
use crate::{
	error::CliError,
	model_folder::{Hash, ModelFolder},
	output::Output,
};
use clap::Args;
use opensand_zk_prover::{setup_dev, Bundle};
use rand::rngs::OsRng;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
	sync::Arc,
	time::Instant,
};

/// Make DEVELOPMENT keys for a model's circuit.
///
/// This machine draws the secrets of the keys and forgets them; who kept them could prove anything. The keys say that they
/// are development keys, and only development chains accept them. For others, see `ceremony`.
///
/// Writes a bundle, a folder named by the key id: the model, both keys, and a manifest with their checksums.
#[derive(Debug, Args)]
pub struct Setup {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// Whether the statement shows the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
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
		let (proving_key, verifying_key) = setup_dev(model.clone(), visibility, &mut OsRng)?;
		let bundle = Bundle {
			model,
			visibility,
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
		Ok(())
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
