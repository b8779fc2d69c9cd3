//! `opensand-zk ceremony finish`.

use super::verify::Checked;
use crate::{error::CliError, model_folder::Hash, output::Output};
use clap::Args;
use opensand_zk_circuit::InferenceCircuit;
use opensand_zk_prover::{Bundle, FamilyFolder, KeyFamily, ProvingKey};
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::{Path, PathBuf},
};

/// Phase 2: check a ceremony, as verify does, and write a bundle with the keys of each model, or a key family.
///
/// The keys name the hash of the transcript. Publish powers and ceremony with them: they are what shows everyone that the keys
/// are as good as the participants.
#[derive(Debug, Args)]
pub struct Finish {
	#[command(flatten)]
	checked: Checked,
	/// Folder that the folders of bundles or key families are made in.
	#[arg(long, value_name = "FOLDER")]
	bundles: PathBuf,
}

impl Finish {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let (models, verified) = self.checked.verify(output)?;
		let (participants, transcript_hash) = (verified.participants(), Hash(verified.transcript_hash()));
		let mut bundles = Vec::with_capacity(models.len());
		let mut keys = verified.into_keys()?.into_iter();
		for circuit in &models {
			let registration = circuit.widths().and_then(|_| keys.next());
			// There are as many keys as there are circuits.
			let Some(inference) = keys.next() else { break };
			bundles.push(Finished {
				key: Hash(inference.verifying_key().id()),
				bundle: write(circuit, registration, inference, &self.bundles)?,
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

/// Writes the family of a circuit with committed weights, or else the bundle.
fn write(
	circuit: &InferenceCircuit,
	registration: Option<ProvingKey>,
	inference: ProvingKey,
	root: &Path,
) -> Result<PathBuf, CliError> {
	let (model, visibility) = (circuit.model(), circuit.visibility());
	Ok(match (circuit.widths(), registration) {
		(Some(widths), Some(registration)) => FamilyFolder {
			architecture: model.architecture().clone(),
			widths: widths.clone(),
			visibility,
			keys: KeyFamily {
				registration,
				inference,
			},
		}
		.write(root)?,
		_ => Bundle {
			model: model.clone(),
			visibility,
			weights: None,
			proving_key: inference,
		}
		.write(root)?,
	})
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
