//! `opensand-zk ceremony verify-powers`.

use super::{options::read_powers, report::PowersReport};
use crate::{error::CliError, output::Output};
use clap::Args;
use std::path::PathBuf;

/// Phase 1: check powers of tau. Exit code 0 if every contribution and every power is right, 1 if not.
///
/// Checks each point by itself, the proof of each participant, and by pairings that the points are the powers of what the last
/// participant left. Lists the transcript: each participant finds the hash that its own contribution printed.
#[derive(Debug, Args)]
pub struct VerifyPowers {
	/// The powers.
	#[arg(long, value_name = "FILE")]
	pub powers: PathBuf,
}

impl VerifyPowers {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let spinner = output.spinner("checking powers");
		let powers = read_powers(&self.powers)?;
		spinner.finish_and_clear();
		output.report(&PowersReport::new(self.powers, &powers, powers.digest()));
		Ok(())
	}
}
