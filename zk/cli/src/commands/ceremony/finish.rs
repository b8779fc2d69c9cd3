//! `opensand-zk ceremony finish`.

use super::verify::Checked;
use crate::{error::CliError, model_folder::Hash, output::Output};
use clap::Args;
use opensand_zk_prover::Bundle;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
};

/// Phase 2: check a ceremony, as verify does, and write a bundle with the keys of each model.
///
/// The keys name the hash of the transcript. Publish powers and ceremony with them: they are what shows everyone that the keys
/// are as good as the participants.
#[derive(Debug, Args)]
pub struct Finish {
	#[command(flatten)]
	checked: Checked,
	/// Folder that the bundles' folders are made in.
	#[arg(long, value_name = "FOLDER")]
	bundles: PathBuf,
}

impl Finish {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let (models, verified) = self.checked.verify(output)?;
		let (participants, transcript_hash) = (verified.participants(), Hash(verified.transcript_hash()));
		let visibility = self.checked.models.visibility();
		let mut bundles = Vec::with_capacity(models.len());
		for (model, proving_key) in models.into_iter().zip(verified.into_keys()?) {
			let key = Hash(proving_key.verifying_key().id());
			let bundle = Bundle {
				model,
				visibility,
				proving_key,
			};
			bundles.push(Finished {
				bundle: bundle.write(&self.bundles)?,
				key,
			});
		}
		output.report(&FinishReport {
			bundles,
			development: false,
			participants,
			transcript_hash,
		});
		Ok(())
	}
}

#[derive(Serialize)]
struct Finished {
	bundle: PathBuf,
	key: Hash,
}

#[derive(Serialize)]
struct FinishReport {
	bundles: Vec<Finished>,
	development: bool,
	participants: usize,
	transcript_hash: Hash,
}

impl Display for FinishReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		for Finished { bundle, key } in &self.bundles {
			writeln!(formatter, "wrote       {}", bundle.display())?;
			writeln!(formatter, "key         {key}")?;
		}
		writeln!(formatter, "transcript  {}", self.transcript_hash)?;
		writeln!(
			formatter,
			"Made by {} participants; worth as much as the most honest of them.",
			self.participants
		)
	}
}
