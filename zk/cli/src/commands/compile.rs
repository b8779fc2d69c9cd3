//! `opensand-zk compile`.

use super::circuit::{Visibility, WeightsOption};
use crate::{circuit_report::CircuitReport, error::CliError, model_folder::ModelFolder, output::Output};
use clap::Args;
use std::{path::PathBuf, sync::Arc};

/// Say how large a model's circuit is, and what setting up and proving will take, before any set-up.
///
/// The circuit follows from the model, the visibility of its input and how its weights are taken, so there is no file to write.
#[derive(Debug, Args)]
pub struct Compile {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// Whether the statement shows the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
	/// Whether weights are constants of the circuit or committed to.
	#[arg(long, value_enum, default_value = "constant")]
	pub weights: WeightsOption,
}

impl Compile {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let ModelFolder { model, .. } = ModelFolder::read(&self.model)?;
		let spinner = output.spinner("compiling");
		let weights = self.weights.mode(&model);
		let report = CircuitReport::of(Arc::new(model), self.input_visibility.into(), weights)?;
		spinner.finish_and_clear();
		output.report(&report);
		Ok(())
	}
}
