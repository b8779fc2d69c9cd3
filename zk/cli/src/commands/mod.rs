//! The subcommands, one file each.

mod bench;
mod calibrate;
mod calibration;
mod ceremony;
mod circuit;
mod commit;
mod compile;
mod digest;
mod evaluate;
mod import;
mod input;
mod inspect;
mod mock;
mod prove;
mod question;
mod setup;
mod verify;
mod witness;

use crate::{error::CliError, output::Output};
use clap::{Parser, Subcommand};

/// Bring neural networks into OpenSand's integer format, and prove and verify what they answer.
///
/// The usual order: inspect, calibrate, import, compile, setup, (commit,) prove, verify. Every command takes --json.
///
/// Exit codes: 0 success; 1 a check failed (invalid proof or ceremony, unsatisfied circuit, accuracy lost); 2 wrong usage; 3 a file is
/// damaged or does not fit; 4 the model is not supported; 5 a file cannot be read or written.
#[derive(Debug, Parser)]
#[command(name = "opensand-zk", version, max_term_width = 110)]
pub struct Cli {
	/// Print reports and errors as JSON.
	#[arg(long, global = true)]
	pub json: bool,
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
	/// Compare what an ONNX model answers before and after it is brought to integers, layer by layer.
	Calibrate(calibrate::Calibrate),
	/// Turn an ONNX model and sample images into an integer model.
	Import(import::Import),
	/// Say what a file or folder is and what is in it.
	Inspect(inspect::Inspect),
	/// Run an integer model on one image, or over a data set.
	Evaluate(evaluate::Evaluate),
	/// Say how large a model's circuit is, and what setting up and proving will take, before any set-up.
	Compile(compile::Compile),
	/// Make development keys for a model's circuit.
	Setup(setup::Setup),
	/// Make keys whose secrets nobody knows, with others.
	Ceremony(ceremony::Ceremony),
	/// Commit to a model's weights under a key family, and prove that they are well-formed.
	Commit(commit::Commit),
	/// Write everything that a model computes on one image.
	Witness(witness::Witness),
	/// Check every constraint of a model's circuit on one image, without keys.
	Mock(mock::Mock),
	/// Prove what a model answers to one image.
	Prove(prove::Prove),
	/// Verify a proof.
	Verify(verify::Verify),
	/// Time proofs with a bundle, and their verification.
	Bench(bench::Bench),
	/// Print the id of a model file, a key or any other file.
	Digest(digest::Digest),
}

/// Runs a command line.
pub fn run(cli: Cli) -> Result<(), CliError> {
	let output = Output::new(cli.json);
	match cli.command {
		Command::Calibrate(command) => command.run(output),
		Command::Import(command) => command.run(output),
		Command::Inspect(command) => command.run(output),
		Command::Evaluate(command) => command.run(output),
		Command::Compile(command) => command.run(output),
		Command::Setup(command) => command.run(output),
		Command::Ceremony(command) => command.run(output),
		Command::Commit(command) => command.run(output),
		Command::Witness(command) => command.run(output),
		Command::Mock(command) => command.run(output),
		Command::Prove(command) => command.run(output),
		Command::Verify(command) => command.run(output),
		Command::Bench(command) => command.run(output),
		Command::Digest(command) => command.run(output),
	}
}
