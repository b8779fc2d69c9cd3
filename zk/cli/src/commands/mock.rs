//! `opensand-zk mock`.

use super::{
	circuit::{BindingOptions, SaltOptions, Visibility, WeightsOption},
	input::Image,
};
use crate::{error::CliError, model_folder::ModelFolder, output::Output};
use clap::Args;
use opensand_zk_circuit::{InferenceCircuit, RegistrationCircuit};
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
	sync::Arc,
};

/// Check every constraint of a model's circuit on one image, without keys: quick, and exact. Where weights are committed to, also
/// those of the circuit that registers them.
#[derive(Debug, Args)]
pub struct Mock {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// The image.
	#[command(flatten)]
	pub image: Image,
	/// Whether the statement shows the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
	/// Whether weights are constants of the circuit or committed to.
	#[arg(long, value_enum, default_value = "constant")]
	pub weights: WeightsOption,
	/// The request that the statement names.
	#[command(flatten)]
	pub binding: BindingOptions,
	/// The salt.
	#[command(flatten)]
	pub salt: SaltOptions,
}

impl Mock {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let ModelFolder { model, manifest } = ModelFolder::read(&self.model)?;
		let input = self
			.image
			.read(&manifest, model.architecture().input_len() as usize)?;
		let spinner = output.spinner("checking constraints");
		let weights = self.weights.mode(&model);
		let circuit = InferenceCircuit::with_weights(Arc::new(model), self.input_visibility.into(), weights)?;
		if circuit.widths().is_some() {
			RegistrationCircuit::of(&circuit)?.mock()?;
		}
		let execution = circuit.execute(self.binding.binding([0; 32]), &input, self.salt.salt()?)?;
		circuit.mock(&execution)?;
		spinner.finish_and_clear();
		output.report(&MockReport {
			satisfied: true,
			constraints: circuit.size().constraints,
			output: execution.statement.output,
		});
		Ok(())
	}
}

#[derive(Serialize)]
struct MockReport {
	satisfied: bool,
	constraints: usize,
	output: Vec<i8>,
}

impl Display for MockReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "satisfied  all {} constraints", self.constraints)?;
		writeln!(formatter, "output     {:?}", self.output)
	}
}
