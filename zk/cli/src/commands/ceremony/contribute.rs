//! `opensand-zk ceremony contribute`.

use super::{
	options::{read_ceremony, Randomness},
	report::StepReport,
};
use crate::{error::CliError, files, model_folder::Hash, output::Output};
use clap::Args;
use std::path::PathBuf;

/// Phase 2: add randomness of your own to a ceremony.
///
/// Needs nothing but the file; run verify before it if you have powers and models, and after it to see that yours is in. The secrets
/// are drawn from the operating system, used, and erased from memory. Keep the transcript hash that is printed, and publish it
/// where others know you.
#[derive(Debug, Args)]
pub struct Contribute {
	/// The ceremony before.
	#[arg(long, value_name = "FILE")]
	pub ceremony: PathBuf,
	/// What you add to the randomness.
	#[command(flatten)]
	pub randomness: Randomness,
	/// File to write.
	#[arg(long, value_name = "FILE")]
	pub out: PathBuf,
}

impl Contribute {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let spinner = output.spinner("reading the ceremony");
		let mut ceremony = read_ceremony(&self.ceremony)?;
		spinner.set_message("contributing");
		let transcript_hash = Hash(ceremony.contribute(self.randomness.entropy()?)?);
		spinner.finish_and_clear();
		files::write(&self.out, &ceremony.to_bytes())?;
		output.report(&StepReport {
			ceremony: self.out,
			contributions: ceremony.contributions(),
			closed: false,
			transcript_hash,
		});
		Ok(())
	}
}
