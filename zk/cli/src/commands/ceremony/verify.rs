//! `opensand-zk ceremony verify`.

use super::{
	options::{read_ceremony, read_powers, Models},
	report::write_transcript,
};
use crate::{error::CliError, model_folder::Hash, output::Output};
use clap::Args;
use opensand_zk_ceremony::{verify, VerifiedCeremony};
use opensand_zk_circuit::InferenceCircuit;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
};

/// Everything that a ceremony is checked against.
#[derive(Debug, Args)]
pub struct Checked {
	/// The ceremony.
	#[arg(long, value_name = "FILE")]
	pub ceremony: PathBuf,
	/// The powers of tau that it began with.
	#[arg(long, value_name = "FILE")]
	pub powers: PathBuf,
	/// The models.
	#[command(flatten)]
	pub models: Models,
}

impl Checked {
	/// Checks powers and ceremony.
	pub fn verify(&self, output: Output) -> Result<(Vec<InferenceCircuit>, VerifiedCeremony), CliError> {
		let (models, circuits) = self.models.read()?;
		let spinner = output.spinner("reading the ceremony");
		let ceremony = read_ceremony(&self.ceremony)?;
		spinner.set_message("checking powers");
		let powers = read_powers(&self.powers)?;
		spinner.set_message("checking the ceremony");
		let verified = verify(&ceremony, &powers, &circuits).map_err(|source| CliError::CeremonyVerify {
			path: self.ceremony.clone(),
			source,
		})?;
		spinner.finish_and_clear();
		Ok((models, verified))
	}
}

/// Phase 2: check a ceremony. Exit code 0 if everything is right, 1 if not.
///
/// Checks the powers, computes from powers and models what the participants started from, follows every contribution, and
/// compares what they ended with. Lists the transcript: each participant finds the hash that its own contribution printed, and the
/// last hash is the one that the keys name.
#[derive(Debug, Args)]
pub struct VerifyCeremony {
	#[command(flatten)]
	checked: Checked,
}

impl VerifyCeremony {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let (_, verified) = self.checked.verify(output)?;
		output.report(&VerifyReport {
			valid: true,
			participants: verified.participants(),
			transcript: verified.transcript().iter().copied().map(Hash).collect(),
			transcript_hash: Hash(verified.transcript_hash()),
		});
		Ok(())
	}
}

#[derive(Serialize)]
struct VerifyReport {
	valid: bool,
	participants: usize,
	transcript: Vec<Hash>,
	transcript_hash: Hash,
}

impl Display for VerifyReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "VALID       {} participants", self.participants)?;
		write_transcript(formatter, &self.transcript)?;
		writeln!(formatter, "keys name   {}", self.transcript_hash)
	}
}
