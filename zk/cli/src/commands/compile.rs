//! `opensand-zk compile`.

use super::circuit::Visibility;
use crate::{circuit_report::CircuitReport, error::CliError, model_folder::ModelFolder, output::Output};
use clap::Args;
use std::{path::PathBuf, sync::Arc};

/// Say how large a model's circuit is, and what setting up and proving will take, before any set-up.
///
/// The circuit follows from the model and the visibility of its input alone, so there is no file to write.
#[derive(Debug, Args)]
pub struct Compile {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// Whether the statement shows the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
}

impl Compile {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let ModelFolder { model, .. } = ModelFolder::read(&self.model)?;
		let spinner = output.spinner("compiling");
		let report = CircuitReport::of(Arc::new(model), self.input_visibility.into())?;
		spinner.finish_and_clear();
		output.report(&report);
		Ok(())
	}
}
