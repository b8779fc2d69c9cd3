//! `opensand-zk ceremony contribute-powers`.

use super::{
	options::{read_powers, Randomness},
	report::PowersReport,
};
use crate::{error::CliError, files, output::Output};
use clap::Args;
use std::path::PathBuf;

/// Phase 1: add randomness of your own to powers of tau.
///
/// Checks the powers first, as verify-powers does. The secrets are drawn from the operating system, used, and erased from
/// memory. Do it on a machine that you trust, and nobody will ever know the secrets of the result.
#[derive(Debug, Args)]
pub struct ContributePowers {
	/// The powers before.
	#[arg(long, value_name = "FILE")]
	pub powers: PathBuf,
	/// What you add to the randomness.
	#[command(flatten)]
	pub randomness: Randomness,
	/// File to write.
	#[arg(long, value_name = "FILE")]
	pub out: PathBuf,
}

impl ContributePowers {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let spinner = output.spinner("checking powers");
		let powers = read_powers(&self.powers)?;
		spinner.set_message("contributing");
		let powers = powers.contribute(self.randomness.entropy()?)?;
		let (bytes, digest) = powers.to_bytes();
		spinner.finish_and_clear();
		files::write(&self.out, &bytes)?;
		output.report(&PowersReport::new(self.out, &powers, digest));
		Ok(())
	}
}
