//! The worker process: `opensand-node prover worker`, which the node starts and nobody else.
//!
//! It opens the device that it proves on, which the node never does, and proves one assignment at a time. Whatever goes wrong in here (a panic, a crashing driver, too little memory)
//! ends this process and not the node. It exits when its standard input closes, so it never outlives the node.

use std::{
	io,
	path::PathBuf,
	process,
	sync::{mpsc, Arc},
	thread,
	time::Duration,
};

use codec::Encode;
use opensand_primitives::proving::DeviceReport;
use opensand_zk_prover::ProverBackend;
use parking_lot::Mutex;

use super::{
	bundles::BundleStore,
	devices,
	engine::{Engine, Fault},
	params::DeviceParams,
	protocol::{self, Assignment, FrameError, FromWorker, MAX_REASON_BYTES},
};

/// How much the process yields to the node's own threads: block production must not wait for proofs.
const NICENESS: i32 = 10;
/// Exit code for a message that is no assignment.
const PROTOCOL_BROKEN: i32 = 2;
/// How often a process that opens its device says that it still does.
const STARTING_INTERVAL: Duration = Duration::from_secs(2);

/// How a worker process works.
#[derive(Clone, Debug)]
pub struct Options {
	/// Directory of the bundles.
	pub bundles: PathBuf,
	/// What to prove on.
	pub device: DeviceParams,
	/// Which of several GPUs.
	pub place: usize,
}

/// Proves what standard input asks for, until it closes or the device is lost.
///
/// # Errors
///
/// When standard output closes.
pub fn run(options: Options) -> io::Result<()> {
	// Without the right to yield, the process only competes harder.
	let _ = rustix::process::nice(NICENESS);

	let (sender, assignments) = mpsc::sync_channel(1);
	thread::Builder::new()
		.name("prover-stdin".into())
		.spawn(move || listen(sender))?;

	let node = Node::default();
	let opened = node.while_starting(|| devices::open(&options.device, options.place))?;
	let opened = match opened {
		Ok(opened) => opened,
		Err(error) => {
			return node.tell(&FromWorker::Refused {
				reason: shortened(error.to_string()),
			})
		}
	};
	if let Some(note) = opened.note {
		node.note(note)?;
	}
	let backend = opened.backend;
	let report = match devices::report(&*backend) {
		Ok(report) => report,
		Err(error) => {
			return node.tell(&FromWorker::Refused {
				reason: shortened(error.to_string()),
			})
		}
	};
	let devices = vec![report.device.clone()];
	node.tell(&FromWorker::Device { report })?;
	node.tell(&FromWorker::Ready {
		version: protocol::VERSION,
		devices,
	})?;

	let mut engine = Engine::new(BundleStore::new(options.bundles), backend.clone());
	for assignment in assignments {
		let answer = work(&mut engine, &node, &assignment);
		for note in engine.take_notes() {
			node.note(note)?;
		}
		if let Some(report) = measured(&*backend) {
			node.tell(&FromWorker::Device { report })?;
		}
		node.tell(&answer)?;
		if let FromWorker::DeviceLost { .. } = answer {
			// Only a new process can use the device again.
			return Ok(());
		}
	}
	Ok(())
}

/// What the device did so far, if it says; nothing is measured on the processor.
fn measured(backend: &dyn ProverBackend) -> Option<DeviceReport> {
	backend.device()?;
	devices::report(backend).ok()
}

/// The node at the other end of standard output.
#[derive(Clone, Default)]
struct Node(Arc<Mutex<()>>);

impl Node {
	fn tell(&self, message: &impl Encode) -> io::Result<()> {
		// One message at a time, whichever thread has it.
		let _whole = self.0.lock();
		protocol::write(&mut io::stdout(), message)
	}

	fn note(&self, text: String) -> io::Result<()> {
		self.tell(&FromWorker::Note {
			text: shortened(text),
		})
	}

	/// Says that the process is starting for as long as `work` takes.
	fn while_starting<T>(&self, work: impl FnOnce() -> T) -> io::Result<T> {
		let (done, waiting) = mpsc::channel::<()>();
		let node = self.clone();
		let teller = thread::Builder::new().name("prover-starting".into());
		let teller = teller.spawn(move || {
			while waiting.recv_timeout(STARTING_INTERVAL) == Err(mpsc::RecvTimeoutError::Timeout) {
				if node.tell(&FromWorker::Starting).is_err() {
					return;
				}
			}
		})?;
		let result = work();
		drop(done);
		// It only waits and writes; a closed pipe shows with the next message.
		let _ = teller.join();
		Ok(result)
	}
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
fn work(engine: &mut Engine, node: &Node, assignment: &Assignment) -> FromWorker {
	let id = assignment.id;
	let outcome = engine.prove(assignment, |stage, percent| {
		// A closed pipe shows when the answer is written.
		let _ = node.tell(&FromWorker::Progress { id, stage, percent });
	});
	match outcome {
		Ok(result) => FromWorker::Done { id, result },
		Err(Fault::Permanent(failure)) => FromWorker::Failed { id, failure },
		Err(Fault::Passing(reason)) => FromWorker::Stumbled {
			id,
			reason: shortened(reason),
		},
		Err(Fault::Device(reason)) => FromWorker::DeviceLost {
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
