//! `opensand-zk commit`.

use crate::{
	error::CliError,
	files,
	model_folder::{Hash, ModelFolder},
	output::Output,
	statement::StatementFile,
};
use clap::Args;
use opensand_zk_circuit::{InferenceCircuit, RegistrationCircuit, WeightsMode};
use opensand_zk_prover::{Bundle, CommittedWeights, CpuBackend, FamilyFolder, Mask, Registrar};
use opensand_zk_verifier::Binding;
use rand::rngs::OsRng;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
	sync::Arc,
	time::Instant,
};

/// Name of the commitment's file.
const COMMITMENT_FILE: &str = "commitment.bin";
/// Name of the registration proof's file.
const PROOF_FILE: &str = "registration.bin";
/// Name of the registration statement's file.
const STATEMENT_FILE: &str = "registration.json";

/// Commit to a model's weights under a key family, and prove that they are well-formed.
///
/// Writes `commitment.bin` (D_w, 96 bytes), `registration.bin` (the proof) and `registration.json` (what it proves), for the chain, and a
/// bundle for whoever proves about these weights: model, inference key and `opening.bin`, the mask. Keep `opening.bin` and hidden
/// weights secret; publish both if the weights are public. Weights beyond the family's declared widths are refused.
#[derive(Debug, Args)]
pub struct Commit {
	/// Key family, as `setup --weights committed` writes it.
	#[arg(long, value_name = "FOLDER")]
	pub family: PathBuf,
	/// Model folder, as `import` writes it, of the family's architecture.
	#[arg(long, value_name = "FOLDER")]
	pub model: PathBuf,
	/// Hash of the chain's genesis block.
	#[arg(long, value_name = "HASH", default_value_t = Hash([0; 32]))]
	pub genesis: Hash,
	/// Id of the model on the chain.
	#[arg(long, value_name = "HASH", default_value_t = Hash([0; 32]))]
	pub model_id: Hash,
	/// Account of the model's owner, as 32 bytes in hexadecimal.
	#[arg(long, value_name = "ACCOUNT", default_value_t = Hash([0; 32]))]
	pub owner: Hash,
	/// Folder that the bundle's folder is made in.
	#[arg(long, value_name = "FOLDER")]
	pub bundles: PathBuf,
	/// Folder to write commitment and proof to.
	#[arg(long, value_name = "FOLDER")]
	pub out: PathBuf,
}

impl Commit {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let model = Arc::new(ModelFolder::read(&self.model)?.model);
		let spinner = output.spinner("loading the keys");
		let family = FamilyFolder::read(&self.family)?;
		let (expected, found) = (family.architecture.id(), model.architecture().id());
		if expected != found {
			return Err(CliError::OtherArchitecture {
				family: Hash(expected),
				model: Hash(found),
			});
		}
		let mode = WeightsMode::Committed(family.widths.clone());
		let circuit = InferenceCircuit::with_weights(model.clone(), family.visibility, mode)?;
		let registration = RegistrationCircuit::of(&circuit)?;
		let registrar = Registrar::new(registration, family.keys.registration, Arc::new(CpuBackend))?;
		let binding = Binding {
			genesis: self.genesis.0,
			key: registrar.key_id(),
			model: self.model_id.0,
			request: 0,
			worker: self.owner.0,
		};
		let mask = Mask::random(&mut OsRng);
		let start = Instant::now();
		spinner.set_message("proving");
		let registered = registrar.register(binding, &mask)?;
		let seconds = start.elapsed().as_secs_f64();
		let bundle = Bundle {
			model,
			visibility: family.visibility,
			weights: Some(CommittedWeights {
				widths: family.widths,
				mask,
			}),
			proving_key: family.keys.inference,
		};
		let inference_key = Hash(bundle.proving_key.verifying_key().id());
		let bundle = bundle.write(&self.bundles)?;
		spinner.finish_and_clear();
		files::create_folder(&self.out)?;
		let commitment = registered.commitment.to_bytes();
		files::write(&self.out.join(COMMITMENT_FILE), &commitment)?;
		files::write(&self.out.join(PROOF_FILE), &registered.proof)?;
		let path = self.out.join(STATEMENT_FILE);
		let json =
			serde_json::to_vec_pretty(&StatementFile::from(&registered.statement)).map_err(|error| {
				CliError::Statement {
					path: path.clone(),
					problem: error.to_string(),
				}
			})?;
		files::write(&path, &json)?;
		output.report(&CommitReport {
			bundle,
			folder: self.out,
			commitment: format!("0x{}", hex::encode(commitment)),
			registration_key: Hash(registrar.key_id()),
			inference_key,
			constraints: registrar.circuit_size().constraints,
			seconds,
		});
		Ok(())
	}
}

#[derive(Serialize)]
struct CommitReport {
	bundle: PathBuf,
	folder: PathBuf,
	/// D_w in hexadecimal.
	commitment: String,
	registration_key: Hash,
	inference_key: Hash,
	constraints: usize,
	seconds: f64,
}

impl Display for CommitReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(
			formatter,
			"wrote             {} (for the chain)",
			self.folder.display()
		)?;
		writeln!(
			formatter,
			"wrote             {} (for workers; opening.bin in it is as secret as the weights)",
			self.bundle.display()
		)?;
		writeln!(
			formatter,
			"registered        {} constraints in {:.3} s",
			self.constraints, self.seconds
		)?;
		writeln!(formatter, "registration key  {}", self.registration_key)?;
		writeln!(formatter, "inference key     {}", self.inference_key)?;
		writeln!(formatter, "commitment        {}", self.commitment)
	}
}
