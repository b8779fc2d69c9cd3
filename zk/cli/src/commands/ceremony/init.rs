//! `opensand-zk ceremony init`.

use super::{
	options::{read_powers, Models},
	report::StepReport,
};
use crate::{error::CliError, files, model_folder::Hash, output::Output};
use clap::Args;
use opensand_zk_ceremony::Ceremony;
use std::path::PathBuf;

/// Phase 2: begin a ceremony for the circuits of models.
///
/// Everyone who runs this with the same powers and models gets the same file.
#[derive(Debug, Args)]
pub struct Init {
	/// Powers of tau, to which somebody contributed.
	#[arg(long, value_name = "FILE")]
	pub powers: PathBuf,
	/// The models.
	#[command(flatten)]
	pub models: Models,
	/// File to write.
	#[arg(long, value_name = "FILE")]
	pub out: PathBuf,
}

impl Init {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let (_, circuits) = self.models.read()?;
		let spinner = output.spinner("checking powers");
		let powers = read_powers(&self.powers)?;
		spinner.set_message("computing the circuits' elements");
		let ceremony = Ceremony::new(&powers, &circuits).map_err(CliError::CeremonyInit)?;
		spinner.finish_and_clear();
		files::write(&self.out, &ceremony.to_bytes())?;
		output.report(&StepReport {
			ceremony: self.out,
			contributions: ceremony.contributions(),
			closed: false,
			transcript_hash: Hash(ceremony.transcript_hash()),
		});
		Ok(())
	}
}
