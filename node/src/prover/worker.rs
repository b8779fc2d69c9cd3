//! The worker process: `opensand-node prover worker`, which the node starts and nobody else.
//!
//! It proves one assignment at a time. Whatever goes wrong in here (a panic, a crashing driver, too little memory)
//! ends this process and not the node. It exits when its standard input closes, so it never outlives the node.

use std::{
	io::{self, Stdout},
	path::PathBuf,
	process,
	sync::mpsc,
	thread,
};

use super::{
	bundles::BundleStore,
	devices,
	engine::{Engine, Fault},
	protocol::{self, Assignment, FrameError, FromWorker, MAX_REASON_BYTES},
};

/// How much the process yields to the node's own threads: block production must not wait for proofs.
const NICENESS: i32 = 10;
/// Exit code for a message that is no assignment.
const PROTOCOL_BROKEN: i32 = 2;

/// Proves what standard input asks for with the bundles in `bundle_directory`, until it closes.
///
/// # Errors
///
/// When standard output closes.
pub fn run(bundle_directory: PathBuf) -> io::Result<()> {
	// Without the right to yield, the process only competes harder.
	let _ = rustix::process::nice(NICENESS);

	let (sender, assignments) = mpsc::sync_channel(1);
	thread::Builder::new()
		.name("prover-stdin".into())
		.spawn(move || listen(sender))?;

	let mut stdout = io::stdout();
	protocol::write(
		&mut stdout,
		&FromWorker::Ready {
			version: protocol::VERSION,
			devices: devices::list(),
		},
	)?;
	let mut engine = Engine::new(BundleStore::new(bundle_directory));
	for assignment in assignments {
		let answer = work(&mut engine, &mut stdout, &assignment);
		protocol::write(&mut stdout, &answer)?;
	}
	Ok(())
}

/// Forwards assignments. Ends the process, even in the middle of a proof, when the node is gone.
fn listen(sender: mpsc::SyncSender<Assignment>) {
	let mut stdin = io::stdin().lock();
	loop {
		match protocol::read(&mut stdin) {
			Ok(assignment) => {
				if sender.send(assignment).is_err() {
					return;
				}
			}
			Err(FrameError::Closed) => process::exit(0),
			Err(error) => {
				eprintln!("prover worker: {error}");
				process::exit(PROTOCOL_BROKEN);
			}
		}
	}
}

/// Proves one assignment, reporting progress on the way.
fn work(engine: &mut Engine, stdout: &mut Stdout, assignment: &Assignment) -> FromWorker {
	let id = assignment.id;
	let outcome = engine.prove(assignment, |stage, percent| {
		// A closed pipe shows when the answer is written.
		let _ = protocol::write(stdout, &FromWorker::Progress { id, stage, percent });
	});
	match outcome {
		Ok(result) => FromWorker::Done { id, result },
		Err(Fault::Permanent(failure)) => FromWorker::Failed { id, failure },
		Err(Fault::Passing(reason)) => FromWorker::Stumbled {
			id,
			reason: shortened(reason),
		},
	}
}

/// `reason`, cut to [`MAX_REASON_BYTES`].
fn shortened(mut reason: String) -> String {
	let end = (0..=MAX_REASON_BYTES.min(reason.len()))
		.rev()
		.find(|end| reason.is_char_boundary(*end));
	reason.truncate(end.unwrap_or(0));
	reason
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn reasons_are_cut_between_characters() {
		assert_eq!(shortened("short".into()), "short");
		assert_eq!(shortened("é".repeat(MAX_REASON_BYTES)).len(), MAX_REASON_BYTES);
		assert_eq!(
			shortened(format!("x{}", "é".repeat(MAX_REASON_BYTES))).len(),
			MAX_REASON_BYTES - 1
		);
	}
}
