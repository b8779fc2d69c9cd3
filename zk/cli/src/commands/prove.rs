//! `opensand-zk prove`.

use super::question::{Asked, Question};
use crate::{error::CliError, files, model_folder::Hash, output::Output, statement::StatementFile};
use clap::Args;
use opensand_zk_prover::Stage;
use opensand_zk_verifier::InputVisibility;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	ops::ControlFlow,
	path::PathBuf,
	time::Instant,
};

/// Name of the proof's file.
const PROOF_FILE: &str = "proof.bin";
/// Name of the statement's file.
const STATEMENT_FILE: &str = "statement.json";

/// Prove what a model answers to one image.
///
/// Writes `proof.bin` (480 bytes) and `statement.json` (what it proves). The proof has been verified before it is written.
#[derive(Debug, Args)]
pub struct Prove {
	/// What is asked.
	#[command(flatten)]
	pub question: Question,
	/// Folder to write to.
	#[arg(long, value_name = "FOLDER")]
	pub out: PathBuf,
}

impl Prove {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let spinner = output.spinner("loading the key");
		let Asked {
			prover,
			input,
			binding,
			salt,
			statement,
			..
		} = self.question.ask()?;
		let start = Instant::now();
		let (answer, proof) = prover.prove(binding, &input, &salt, &mut |stage| {
			spinner.set_message(match stage {
				Stage::Evaluating => "evaluating the model",
				Stage::Assigning => "assigning the circuit",
				Stage::Proving => "proving",
				Stage::Verifying => "verifying",
			});
			ControlFlow::Continue(())
		})?;
		let seconds = start.elapsed().as_secs_f64();
		spinner.finish_and_clear();
		files::create_folder(&self.out)?;
		let path = self.out.join(STATEMENT_FILE);
		let json = serde_json::to_vec_pretty(&StatementFile::from(&statement)).map_err(|error| {
			CliError::Statement {
				path: path.clone(),
				problem: error.to_string(),
			}
		})?;
		files::write(&path, &json)?;
		files::write(&self.out.join(PROOF_FILE), &proof)?;
		output.report(&ProveReport {
			folder: self.out,
			key: Hash(prover.key_id()),
			salt: (prover.visibility() == InputVisibility::Hashed).then_some(Hash(salt)),
			output: answer,
			constraints: prover.circuit_size().constraints,
			seconds,
		});
		Ok(())
	}
}

#[derive(Serialize)]
struct ProveReport {
	folder: PathBuf,
	key: Hash,
	/// Opens the hash of a hashed input; keep it as private as the input.
	salt: Option<Hash>,
	output: Vec<i8>,
	constraints: usize,
	seconds: f64,
}

impl Display for ProveReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "wrote   {}", self.folder.display())?;
		writeln!(
			formatter,
			"proved  {} constraints in {:.3} s",
			self.constraints, self.seconds
		)?;
		writeln!(formatter, "key     {}", self.key)?;
		if let Some(salt) = &self.salt {
			writeln!(
				formatter,
				"salt    {salt} (opens the input's hash: as private as the input)"
			)?;
		}
		writeln!(formatter, "output  {:?}", self.output)
	}
}
