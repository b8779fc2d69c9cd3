//! `opensand-zk witness`.

use super::{
	circuit::{SaltOptions, Visibility},
	input::Image,
};
use crate::{
	error::CliError,
	files,
	model_folder::{Hash, ModelFolder},
	output::Output,
};
use clap::Args;
use opensand_nn::{LayerTrace, Model, Trace};
use opensand_zk_verifier::poseidon::salted_input_hash;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
};

/// Write everything that a model computes on one image, as JSON: the values that a proof is about.
///
/// The file holds the input, the salt and every intermediate value: it is as private as the input.
#[derive(Debug, Args)]
pub struct Witness {
	/// Model folder, as `import` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// The image.
	#[command(flatten)]
	pub image: Image,
	/// Whether the statement shows the input or its salted hash.
	#[arg(long, value_enum, default_value = "public")]
	pub input_visibility: Visibility,
	/// The salt.
	#[command(flatten)]
	pub salt: SaltOptions,
	/// File to write.
	#[arg(long, value_name = "JSON")]
	pub out: PathBuf,
}

impl Witness {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let ModelFolder { model, manifest } = ModelFolder::read(&self.model)?;
		let input = self
			.image
			.read(&manifest, model.architecture().input_len() as usize)?;
		let trace = model.trace(&input)?;
		let salt = match self.input_visibility {
			Visibility::Public => None,
			Visibility::Hashed => Some(self.salt.salt()?),
		};
		let witness = WitnessFile::new(&model, &trace, salt);
		let json = serde_json::to_vec(&witness).map_err(|error| CliError::Statement {
			path: self.out.clone(),
			problem: error.to_string(),
		})?;
		files::write(&self.out, &json)?;
		output.report(&WitnessReport {
			values: trace
				.layers
				.iter()
				.map(|layer| layer.accumulators.len() + layer.outputs.len())
				.sum(),
			output: trace.output().to_vec(),
			file: self.out,
		});
		Ok(())
	}
}

/// The file.
#[derive(Serialize)]
struct WitnessFile<'a> {
	version: u32,
	architecture: Hash,
	weights: Hash,
	input: &'a [i8],
	/// Salt and hash of a hashed input.
	salt: Option<Hash>,
	input_hash: Option<Hash>,
	layers: Vec<LayerValues<'a>>,
}

/// The values of one layer.
#[derive(Serialize)]
struct LayerValues<'a> {
	operator: &'static str,
	accumulators: &'a [i32],
	outputs: &'a [i8],
}

impl<'a> WitnessFile<'a> {
	fn new(model: &Model, trace: &'a Trace, salt: Option<[u8; 32]>) -> Self {
		let layers = model.architecture().layers().iter().zip(&trace.layers);
		let values = |(
			layer,
			LayerTrace {
				accumulators,
				outputs,
			},
		): (&opensand_nn::Layer, &'a LayerTrace)| LayerValues {
			operator: layer.operator.name(),
			accumulators,
			outputs,
		};
		Self {
			version: 1,
			architecture: Hash(model.architecture().id()),
			weights: Hash(model.weights().hash()),
			input: &trace.input,
			salt: salt.map(Hash),
			input_hash: salt.map(|salt| Hash(salted_input_hash(&salt, &trace.input))),
			layers: layers.map(values).collect(),
		}
	}
}

#[derive(Serialize)]
struct WitnessReport {
	file: PathBuf,
	values: usize,
	output: Vec<i8>,
}

impl Display for WitnessReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(
			formatter,
			"wrote   {} ({} values)",
			self.file.display(),
			self.values
		)?;
		writeln!(formatter, "output  {:?}", self.output)
	}
}
