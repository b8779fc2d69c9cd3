//! `opensand-zk compile`.

use super::circuit::Visibility;
use crate::{error::CliError, model_folder::ModelFolder, output::Output};
use clap::Args;
use opensand_zk_circuit::{CircuitSize, InferenceCircuit};
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
	sync::Arc,
};

/// Bytes of a point of G1 and of G2, and of a field element.
const G1: u64 = 96;
const G2: u64 = 192;
const FIELD: u64 = 32;

/// Bytes of an entry of the constraint matrices: the coefficient and its column.
const TERM: u64 = 40;

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
		let terms = model.architecture().multiply_adds();
		let spinner = output.spinner("compiling");
		let circuit = InferenceCircuit::new(Arc::new(model), self.input_visibility.into())?;
		spinner.finish_and_clear();
		output.report(&CompileReport::new(circuit.size(), terms));
		Ok(())
	}
}

/// Constraints of a part of the circuit.
#[derive(Serialize)]
struct PartSize {
	name: String,
	constraints: usize,
}

/// How large the circuit is.
#[derive(Serialize)]
struct CompileReport {
	constraints: usize,
	public_inputs: usize,
	private_variables: usize,
	domain: usize,
	/// Estimate from the numbers of points.
	proving_key_bytes: u64,
	/// Estimate of the peak: the key in memory and as read, the FFTs' vectors, the assignment and the matrices.
	proving_memory_bytes: u64,
	parts: Vec<PartSize>,
}

impl CompileReport {
	/// `terms` is the number of multiply-additions: nearly all entries of the matrices.
	fn new(size: &CircuitSize, terms: u64) -> Self {
		let witnesses = size.witnesses as u64;
		let variables = witnesses + size.public_inputs as u64 + 1;
		let domain = size.domain as u64;
		let key = variables * (2 * G1 + G2) + witnesses * G1 + domain * G1;
		let work = 4 * domain * FIELD + 2 * variables * FIELD + (terms + 4 * size.constraints as u64) * TERM;
		Self {
			constraints: size.constraints,
			public_inputs: size.public_inputs,
			private_variables: size.witnesses,
			domain: size.domain,
			proving_key_bytes: key,
			proving_memory_bytes: 2 * key + work,
			parts: size
				.parts
				.iter()
				.map(|part| PartSize {
					name: part.name.clone(),
					constraints: part.constraints.len(),
				})
				.collect(),
		}
	}
}

impl Display for CompileReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		let mebibytes = |bytes: u64| bytes as f64 / (1024.0 * 1024.0);
		writeln!(
			formatter,
			"constraints        {} (domain 2^{})",
			self.constraints,
			self.domain.ilog2()
		)?;
		writeln!(formatter, "public inputs      {}", self.public_inputs)?;
		writeln!(formatter, "private variables  {}", self.private_variables)?;
		writeln!(
			formatter,
			"proving key        about {:.1} MiB",
			mebibytes(self.proving_key_bytes)
		)?;
		writeln!(
			formatter,
			"memory to prove    about {:.1} MiB",
			mebibytes(self.proving_memory_bytes)
		)?;
		self.parts
			.iter()
			.try_for_each(|part| writeln!(formatter, "{:>10}  {}", part.constraints, part.name))
	}
}
