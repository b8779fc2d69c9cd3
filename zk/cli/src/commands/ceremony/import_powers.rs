//! `opensand-zk ceremony import-powers`.

use super::report::PowersReport;
use crate::{
	error::CliError,
	files::{self, FileError},
	output::Output,
};
use clap::Args;
use opensand_zk_ceremony::{import, MAX_POWERS_LOG2};
use std::{fs::File, path::PathBuf};

/// Phase 1: take powers from a challenge or response of the powersoftau tool for BLS12-381.
///
/// Ceremonies for Zcash (2^21 powers) and others published such files. All of the file is hashed and the first 2^K powers are
/// taken; every point is checked, and that they are the powers of one number. What cannot be checked is that the file is that of
/// an honest ceremony: compare the hash printed with the one that the ceremony published.
#[derive(Debug, Args)]
pub struct ImportPowers {
	/// The challenge or response; which one, and how many powers, its length tells.
	#[arg(long, value_name = "FILE")]
	pub from: PathBuf,
	/// The logarithm of the number of powers to take, K: for circuits of up to 2^(K - 1) rows.
	#[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_POWERS_LOG2)))]
	pub log2: u32,
	/// File to write.
	#[arg(long, value_name = "FILE")]
	pub out: PathBuf,
}

impl ImportPowers {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let mut file = File::open(&self.from).map_err(|source| FileError::Io {
			action: "read",
			path: self.from.clone(),
			source,
		})?;
		let bar = output.bar("hashing the file", 0);
		let imported = import(&mut file, self.log2, &mut |done, of| {
			bar.set_length(of);
			bar.set_position(done);
		});
		bar.finish_and_clear();
		let powers = imported.map_err(|source| CliError::ImportPowers {
			path: self.from.clone(),
			source,
		})?;
		let spinner = output.spinner("checking powers");
		let (bytes, digest) = powers.to_bytes();
		let powers = powers.verify(digest).map_err(|source| CliError::Powers {
			path: self.from,
			source,
		})?;
		spinner.finish_and_clear();
		files::write(&self.out, &bytes)?;
		output.report(&PowersReport::new(self.out, &powers, digest));
		Ok(())
	}
}
