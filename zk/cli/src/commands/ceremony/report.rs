//! What steps report.

use crate::model_folder::Hash;
use opensand_zk_ceremony::Powers;
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::PathBuf,
};

/// Powers of tau.
#[derive(Serialize)]
pub struct PowersReport {
	/// The file.
	pub powers: PathBuf,
	/// Its digest.
	pub digest: Hash,
	/// The number of powers.
	pub count: usize,
	/// The most rows of a circuit that they are for.
	pub rows: usize,
	/// BLAKE2b-512 of the file that they were imported from.
	pub imported: Option<String>,
	/// The transcript before any contribution and after each.
	pub transcript: Vec<Hash>,
}

impl PowersReport {
	/// Of powers with the given digest.
	pub fn new(path: PathBuf, powers: &Powers, digest: [u8; 32]) -> Self {
		Self {
			powers: path,
			digest: Hash(digest),
			count: powers.count(),
			rows: powers.count() / 2,
			imported: powers.start().imported.map(hex::encode),
			transcript: powers.transcript().into_iter().map(Hash).collect(),
		}
	}
}

impl Display for PowersReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "powers      {}", self.powers.display())?;
		writeln!(formatter, "digest      {}", self.digest)?;
		writeln!(
			formatter,
			"            {} powers, for circuits of up to {} rows",
			self.count, self.rows
		)?;
		if let Some(source) = &self.imported {
			writeln!(
				formatter,
				"imported    from the file with the BLAKE2b-512 hash {source}\n            \
				 COMPARE it with what that ceremony published"
			)?;
		}
		write_transcript(formatter, &self.transcript)?;
		if self.transcript.len() == 1 && self.imported.is_none() {
			writeln!(formatter, "Nobody contributed yet: contribute-powers is next.")?;
		}
		Ok(())
	}
}

/// A ceremony after a step.
#[derive(Serialize)]
pub struct StepReport {
	/// The file written.
	pub ceremony: PathBuf,
	/// Contributions in it.
	pub contributions: usize,
	/// Whether a beacon closed it.
	pub closed: bool,
	/// The hash of its transcript.
	pub transcript_hash: Hash,
}

impl Display for StepReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "wrote          {}", self.ceremony.display())?;
		writeln!(formatter, "contributions  {}", self.contributions)?;
		writeln!(formatter, "transcript     {}", self.transcript_hash)?;
		match (self.contributions, self.closed) {
			(0, _) => writeln!(formatter, "Nobody contributed yet: contribute is next."),
			(_, true) => writeln!(formatter, "Closed: verify and finish are next."),
			_ => writeln!(
				formatter,
				"Keep this hash: `verify` lists it for as long as your contribution is part of the ceremony."
			),
		}
	}
}

/// Writes the hashes of a transcript.
pub fn write_transcript(formatter: &mut Formatter<'_>, transcript: &[Hash]) -> fmt::Result {
	for (index, hash) in transcript.iter().enumerate() {
		match index {
			0 => writeln!(formatter, "transcript  {hash} (before contributions)")?,
			_ => writeln!(formatter, "{index:>10}  {hash}")?,
		}
	}
	Ok(())
}
