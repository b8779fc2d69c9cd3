//! `opensand-zk ceremony new-powers`.

use super::report::PowersReport;
use crate::{error::CliError, files, output::Output};
use clap::Args;
use opensand_zk_ceremony::{Powers, MAX_POWERS_LOG2};
use std::path::PathBuf;

/// Phase 1: begin with powers of one, to which participants contribute.
///
/// 2^K powers are for circuits of up to 2^(K - 1) rows: one more than the logarithm of the largest domain that `compile` prints. A file of
/// 2^K powers has 576 bytes times 2^K. The powers are worthless until somebody contributed.
#[derive(Debug, Args)]
pub struct NewPowers {
	/// The logarithm of the number of powers, K.
	#[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_POWERS_LOG2)))]
	pub log2: u32,
	/// File to write.
	#[arg(long, value_name = "FILE")]
	pub out: PathBuf,
}

impl NewPowers {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let powers = Powers::new(self.log2).ok_or(CliError::PowersCount(self.log2))?;
		let (bytes, digest) = powers.to_bytes();
		files::write(&self.out, &bytes)?;
		output.report(&PowersReport::new(self.out, &powers, digest));
		Ok(())
	}
}
