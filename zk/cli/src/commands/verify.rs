//! `opensand-zk verify`.

use crate::{
	error::CliError,
	files,
	model_folder::Hash,
	output::Output,
	statement::{StatementFile, MAX_STATEMENT_BYTES},
};
use clap::Args;
use opensand_zk_verifier::{
	verify, KeyOrigin, Native, Proof, VerifyError, VerifyingKey, WeightsCommitment, G1_LEN, MAX_KEY_LEN,
	PROOF_LEN,
};
use serde::Serialize;
use std::{
	fmt::{self, Display, Formatter},
	path::{Path, PathBuf},
	time::Instant,
};

/// Verify a proof: exit code 0 if it proves the statement under the key, 1 if it does not.
#[derive(Debug, Args)]
pub struct Verify {
	/// Verifying key: `verifying.key` of a bundle, or the bytes registered on the chain.
	#[arg(long, value_name = "FILE")]
	pub key: PathBuf,
	/// Statement, as `prove` or `commit` writes it.
	#[arg(long, value_name = "JSON")]
	pub statement: PathBuf,
	/// Proof, as `prove` or `commit` writes it.
	#[arg(long, value_name = "FILE")]
	pub proof: PathBuf,
	/// Commitment to the model's weights, as `commit` writes it, for keys of committed weights.
	#[arg(long, value_name = "FILE")]
	pub commitment: Option<PathBuf>,
}

impl Verify {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let key = read_key(&self.key)?;
		let proof = files::read(&self.proof, PROOF_LEN)?;
		let proof = Proof::from_bytes_with::<Native>(&proof).map_err(|problem| CliError::Proof {
			path: self.proof.clone(),
			problem,
		})?;
		let malformed = |problem| CliError::Statement {
			path: self.statement.clone(),
			problem,
		};
		let statement =
			StatementFile::parse(&files::read(&self.statement, MAX_STATEMENT_BYTES)?).map_err(malformed)?;
		if statement.binding.key != key.id() {
			return Err(CliError::OtherKey {
				statement: Hash(statement.binding.key),
				key: Hash(key.id()),
			});
		}
		let weights = self.commitment.as_deref().map(read_commitment).transpose()?;
		let start = Instant::now();
		verify::<Native>(&key, &statement, weights.as_ref(), &proof).map_err(|error| match error {
			VerifyError::Statement(_) => malformed("the hash of the input is not canonical".into()),
			error => CliError::Verify(error),
		})?;
		output.report(&VerifyReport {
			valid: true,
			development: key.origin() == KeyOrigin::Development,
			key: Hash(key.id()),
			output: statement.output,
			milliseconds: 1000.0 * start.elapsed().as_secs_f64(),
		});
		Ok(())
	}
}

/// Reads and checks a verifying key.
pub fn read_key(path: &Path) -> Result<VerifyingKey, CliError> {
	let bytes = files::read(path, MAX_KEY_LEN)?;
	VerifyingKey::from_bytes_with::<Native>(&bytes).map_err(|problem| CliError::Key {
		path: path.into(),
		problem,
	})
}

/// Reads and checks a commitment to weights.
fn read_commitment(path: &Path) -> Result<WeightsCommitment, CliError> {
	let bytes = files::read(path, G1_LEN)?;
	let decoded = bytes
		.as_slice()
		.try_into()
		.ok()
		.and_then(|bytes| WeightsCommitment::from_bytes_with::<Native>(bytes).ok());
	decoded.ok_or_else(|| CliError::Commitment { path: path.into() })
}

#[derive(Serialize)]
struct VerifyReport {
	valid: bool,
	development: bool,
	key: Hash,
	output: Vec<i8>,
	milliseconds: f64,
}

impl Display for VerifyReport {
	fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
		writeln!(formatter, "VALID   checked in {:.1} ms", self.milliseconds)?;
		let origin = if self.development {
			" (development key)"
		} else {
			""
		};
		writeln!(formatter, "key     {}{origin}", self.key)?;
		writeln!(formatter, "output  {:?}", self.output)
	}
}
