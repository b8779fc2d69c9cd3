//! One worker process as the node holds it: its pipes, its life and its death.

use std::{
	ffi::OsString,
	io::{self, BufReader},
	os::unix::process::{CommandExt, ExitStatusExt},
	path::PathBuf,
	process::{Child, ChildStdin, Command, ExitStatus, Stdio},
	sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender},
	thread,
	time::{Duration, Instant},
};

use opensand_primitives::proving::{DeviceKind, DeviceReport};
use thiserror::Error;

use super::{
	params::DeviceParams,
	protocol::{self, Assignment, FrameError, FromWorker},
};

/// How long a process that starts may be silent.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the end of a process may lag behind the end of its output.
const END_LAG: Duration = Duration::from_millis(200);
/// How often to look while waiting for the start or the end.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);
/// SIGINT and SIGTERM: somebody ended the process on purpose.
const REQUESTED_ENDS: [i32; 2] = [2, 15];
/// Messages that are read ahead; a process that says more waits.
const READ_AHEAD: usize = 64;

/// How a worker process is started.
#[derive(Clone, Debug)]
pub struct WorkerCommand {
	/// The executable.
	pub program: PathBuf,
	/// Its arguments, but for those that follow from its device.
	pub arguments: Vec<OsString>,
	/// What it proves on.
	pub device: DeviceParams,
	/// Threads that a proof may use.
	pub threads: usize,
}

/// Why a worker process is of no use any more.
#[derive(Debug, Error)]
pub enum ProcessError {
	/// It could not be started.
	#[error("cannot start {program}: {error}")]
	Start {
		/// The executable.
		program: PathBuf,
		/// What went wrong.
		error: io::Error,
	},
	/// It was silent for too long while it started, or started for too long.
	#[error("it was not ready within {} s", .0.as_secs_f32())]
	NotReady(Duration),
	/// It has no device to prove on: install a driver and the plug-in, or start the node with `--prover auto`.
	#[error("it has no device to prove on: {0}")]
	Refused(String),
	/// Its executable is of another version: the node's was replaced, and the node has to be restarted.
	#[error("it speaks protocol version {0} and the node {ours}; restart the node", ours = protocol::VERSION)]
	OtherVersion(u32),
	/// Somebody asked it to end, as a service manager does that stops the whole node.
	#[error("it was asked to end")]
	Terminated,
	/// A signal ended it: it crashed, or somebody killed it.
	#[error("signal {0} ended it")]
	Killed(i32),
	/// It ended, or broke the protocol.
	#[error("{0}")]
	Lost(String),
}

/// A running worker process. It is killed and reaped when dropped.
pub struct WorkerProcess {
	child: Child,
	stdin: ChildStdin,
	messages: Receiver<Result<FromWorker, FrameError>>,
	/// What it proves on, and did there so far.
	pub devices: Vec<DeviceReport>,
	/// What it wants an operator to know.
	pub notes: Vec<String>,
}

/// How a process starts.
#[derive(Clone, Copy, Debug)]
pub struct Start {
	/// Its place in the pool, which is that of its GPU among several.
	pub place: usize,
	/// Whether it leaves devices alone.
	pub on_cpu: bool,
	/// The longest that it may take, whatever it says meanwhile.
	pub longest: Duration,
}

impl WorkerProcess {
	/// Starts a process and waits until it is ready, or until `is_stopping`.
	pub fn start(
		command: &WorkerCommand,
		start: Start,
		is_stopping: impl Fn() -> bool,
	) -> Result<Self, ProcessError> {
		let failed = |error| ProcessError::Start {
			program: command.program.clone(),
			error,
		};
		let device = match start.on_cpu {
			true => &DeviceParams::cpu(),
			false => &command.device,
		};
		let mut child = Command::new(&command.program)
			.args(&command.arguments)
			.args(device.arguments())
			.args(["--prover-place", &start.place.to_string()])
			.env("RAYON_NUM_THREADS", command.threads.to_string())
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			// Ctrl-C at the terminal is for the node, which then ends its processes itself.
			.process_group(0)
			.spawn()
			.map_err(failed)?;
		let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
			return Err(failed(io::ErrorKind::BrokenPipe.into()));
		};
		let (sender, messages) = sync_channel(READ_AHEAD);
		let reader = thread::Builder::new().name("prover-reader".into());
		reader
			.spawn(move || forward(BufReader::new(stdout), sender))
			.map_err(failed)?;

		let mut process = Self {
			child,
			stdin,
			messages,
			devices: Vec::new(),
			notes: Vec::new(),
		};
		let began = Instant::now();
		let end = began + start.longest;
		let mut until = began + START_TIMEOUT;
		while Instant::now() < until.min(end) && !is_stopping() {
			match process.receive(LOOK_INTERVAL)? {
				Some(FromWorker::Ready {
					version: protocol::VERSION,
					..
				}) => return Ok(process),
				Some(FromWorker::Ready { version, .. }) => return Err(ProcessError::OtherVersion(version)),
				Some(FromWorker::Starting) => until = Instant::now() + START_TIMEOUT,
				Some(FromWorker::Device { report }) => process.devices.push(report),
				Some(FromWorker::Note { text }) => process.notes.push(text),
				Some(FromWorker::Refused { reason }) => return Err(ProcessError::Refused(reason)),
				Some(_) => return Err(ProcessError::Lost("it spoke of a job before it was ready".into())),
				None => {}
			}
		}
		Err(ProcessError::NotReady(began.elapsed()))
	}

	/// Whether it proves on anything but the processor.
	pub fn has_device(&self) -> bool {
		self.devices
			.iter()
			.any(|report| report.device.kind != DeviceKind::Cpu)
	}

	/// The operating system's id of the process.
	pub fn id(&self) -> u32 {
		self.child.id()
	}

	/// Whether the process has not ended yet.
	pub fn is_alive(&mut self) -> bool {
		matches!(self.child.try_wait(), Ok(None))
	}

	/// Gives the process its next job.
	pub fn assign(&mut self, assignment: &Assignment) -> Result<(), ProcessError> {
		protocol::write(&mut self.stdin, assignment).map_err(|error| self.lost(error.to_string()))
	}

	/// The next message, or `None` if there was none for `timeout`.
	pub fn receive(&mut self, timeout: Duration) -> Result<Option<FromWorker>, ProcessError> {
		match self.messages.recv_timeout(timeout) {
			Ok(Ok(message)) => Ok(Some(message)),
			Ok(Err(error)) => Err(self.lost(error.to_string())),
			Err(RecvTimeoutError::Timeout) => Ok(None),
			Err(RecvTimeoutError::Disconnected) => Err(self.lost("its output ended".into())),
		}
	}

	/// The error for a process that broke its pipe; says how it ended where that is known.
	fn lost(&mut self, reason: String) -> ProcessError {
		let Some(status) = self.end_soon() else {
			return ProcessError::Lost(reason);
		};
		match status.signal() {
			Some(signal) if REQUESTED_ENDS.contains(&signal) => ProcessError::Terminated,
			Some(signal) => ProcessError::Killed(signal),
			None => ProcessError::Lost(format!("it ended with {status}")),
		}
	}

	/// How the process ended, if it did or does within [`END_LAG`].
	fn end_soon(&mut self) -> Option<ExitStatus> {
		let until = Instant::now() + END_LAG;
		loop {
			match self.child.try_wait() {
				Ok(Some(status)) => return Some(status),
				Ok(None) if Instant::now() < until => thread::sleep(LOOK_INTERVAL),
				Ok(None) | Err(_) => return None,
			}
		}
	}
}

impl Drop for WorkerProcess {
	fn drop(&mut self) {
		// Both fail only for a process that has ended already.
		let _ = self.child.kill();
		let _ = self.child.wait();
	}
}

/// Forwards messages until the pipe or the receiver closes.
fn forward(mut source: impl io::Read, sender: SyncSender<Result<FromWorker, FrameError>>) {
	loop {
		let message = protocol::read(&mut source);
		let ended = message.is_err();
		if sender.send(message).is_err() || ended {
			return;
		}
	}
}
