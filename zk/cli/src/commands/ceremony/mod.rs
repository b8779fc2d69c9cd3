//! `opensand-zk ceremony`: keys whose secrets nobody knows, one file for each step.

mod beacon;
mod contribute;
mod contribute_powers;
mod finish;
mod import_powers;
mod init;
mod new_powers;
mod options;
pub mod report;
mod verify;
mod verify_powers;

use crate::{error::CliError, output::Output};
use clap::{Args, Subcommand};

/// Make keys whose secrets nobody knows, if one participant was honest.
///
/// A ceremony has two phases. Phase 1 makes powers of tau, which fit any circuit; it can be imported from ceremonies that were
/// held for other projects. Phase 2 is for the circuits of given models. In both, a file goes from participant to participant;
/// each adds randomness of its own, forgets it, and passes the new file on.
///
///   Coordinator         new-powers, or import-powers for powers that exist already
///   Each participant    verify-powers, contribute-powers
///   Coordinator         verify-powers, then init
///   Each participant    verify, contribute; keep the transcript hash that it prints
///   Coordinator         beacon (optional), then finish
///   Everyone            verify: the transcript hash is the one that the key names, and your own is in the list
///
/// The keys are as good as the best participant: if one of each phase drew good randomness and forgot it, nobody can forge
/// proofs. So take part yourself, or know somebody who did.
#[derive(Debug, Args)]
pub struct Ceremony {
	/// The step.
	#[command(subcommand)]
	step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
	/// Phase 1: begin with powers of one, to which participants contribute.
	NewPowers(new_powers::NewPowers),
	/// Phase 1: take powers from a challenge or response of the powersoftau tool.
	ImportPowers(import_powers::ImportPowers),
	/// Phase 1: add randomness of your own.
	ContributePowers(contribute_powers::ContributePowers),
	/// Phase 1: check every contribution and every power.
	VerifyPowers(verify_powers::VerifyPowers),
	/// Phase 2: begin with the circuits of models.
	Init(init::Init),
	/// Phase 2: add randomness of your own.
	Contribute(contribute::Contribute),
	/// Phase 2: close the ceremony with a public random value.
	Beacon(beacon::CloseWithBeacon),
	/// Phase 2: check everything from powers and models, and print the transcript.
	Verify(verify::VerifyCeremony),
	/// Phase 2: check everything, and write bundles with the keys.
	Finish(finish::Finish),
}

impl Ceremony {
	/// Runs the command.
	pub fn run(self, output: Output) -> Result<(), CliError> {
		match self.step {
			Step::NewPowers(step) => step.run(output),
			Step::ImportPowers(step) => step.run(output),
			Step::ContributePowers(step) => step.run(output),
			Step::VerifyPowers(step) => step.run(output),
			Step::Init(step) => step.run(output),
			Step::Contribute(step) => step.run(output),
			Step::Beacon(step) => step.run(output),
			Step::Verify(step) => step.run(output),
			Step::Finish(step) => step.run(output),
		}
	}
}
