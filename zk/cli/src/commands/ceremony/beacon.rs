//! `opensand-zk ceremony beacon`.

use super::{options::read_ceremony, report::StepReport};
use crate::{error::CliError, files, model_folder::Hash, output::Output};
use clap::Args;
use opensand_zk_ceremony::{Beacon, MAX_BEACON_ITERATIONS_LOG2};
use std::path::PathBuf;

/// Phase 2: close a ceremony with a public random value.
///
/// A value that did not exist when the last participant contributed, and that nobody could choose, such as the hash of a block
/// that was announced beforehand. It takes from the last participant the choice among several results; it keeps no secret and is no
/// participant. The value is hashed 2^K times, so that whoever learns it first has no time to choose either.
#[derive(Debug, Args)]
pub struct CloseWithBeacon {
	/// The ceremony before.
	#[arg(long, value_name = "FILE")]
	pub ceremony: PathBuf,
	/// The value, in hexadecimal.
	#[arg(long, value_name = "HEX", value_parser = value)]
	pub value: Value,
	/// How often it is hashed, as a logarithm: 2^24 times take some seconds, each time the ceremony is verified.
	#[arg(long, value_name = "K", default_value_t = 24,
		value_parser = clap::value_parser!(u32).range(0..=i64::from(MAX_BEACON_ITERATIONS_LOG2)))]
	pub iterations_log2: u32,
	/// File to write.
	#[arg(long, value_name = "FILE")]
	pub out: PathBuf,
}

/// Bytes from hexadecimal.
#[derive(Clone, Debug)]
pub struct Value(Vec<u8>);

fn value(text: &str) -> Result<Value, hex::FromHexError> {
	hex::decode(text.strip_prefix("0x").unwrap_or(text)).map(Value)
}

impl CloseWithBeacon {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		let spinner = output.spinner("reading the ceremony");
		let mut ceremony = read_ceremony(&self.ceremony)?;
		spinner.set_message("hashing the beacon");
		let Value(value) = self.value;
		let transcript_hash = Hash(ceremony.close(Beacon {
			value,
			iterations_log2: self.iterations_log2,
		})?);
		spinner.finish_and_clear();
		files::write(&self.out, &ceremony.to_bytes())?;
		output.report(&StepReport {
			ceremony: self.out,
			contributions: ceremony.contributions(),
			closed: true,
			transcript_hash,
		});
		Ok(())
	}
}
