//! The prover's queue under `kill -9`: what was acknowledged is there afterwards.

use std::{
	env,
	io::{BufRead, BufReader, Write},
	path::Path,
	process::{Command, Stdio},
};

use opensand_node::prover::queue::Queue;
use opensand_primitives::{
	proving::{JobInput, JobStatus, ProvingJob},
	AccountId, KeyId, ModelId,
};

/// Set in the process that this test starts from its own executable and kills.
const WRITER: &str = "OPENSAND_TEST_QUEUE_WRITER";
/// Acknowledgements to wait for before the kill.
const ENOUGH: usize = 40;

fn job(request: u64) -> ProvingJob {
	ProvingJob {
		genesis: [1; 32],
		model: ModelId::repeat_byte(2),
		key: KeyId::repeat_byte(3),
		commitment: None,
		request,
		worker: AccountId::from([4; 32]),
		input: JobInput::Public(vec![5; 4096]),
		deadline: 1_000_000,
	}
}

/// Submits jobs for ever, and says so after each one.
fn write_for_ever(directory: &Path) -> ! {
	let mut queue = Queue::open(directory, usize::MAX).expect("opens");
	let mut stderr = std::io::stderr();
	for request in 0.. {
		queue.submit(&job(request)).expect("is taken");
		writeln!(stderr, "acknowledged {request}").expect("the parent listens");
	}
	unreachable!("there are more requests than any disk can hold")
}

#[test]
fn acknowledged_jobs_survive_kill_9() {
	if let Some(directory) = env::var_os(WRITER) {
		write_for_ever(Path::new(&directory));
	}
	let directory = tempfile::tempdir().unwrap();
	let mut acknowledged = 0;
	for _ in 0..3 {
		let mut writer = Command::new(env::current_exe().unwrap())
			.args(["--exact", "acknowledged_jobs_survive_kill_9", "--nocapture"])
			.env(WRITER, directory.path())
			.stdout(Stdio::null())
			.stderr(Stdio::piped())
			.spawn()
			.unwrap();
		let mut lines = BufReader::new(writer.stderr.take().unwrap())
			.lines()
			.map_while(Result::ok);
		let mut last = None;
		let mut note = |line: String| {
			last = line
				.strip_prefix("acknowledged ")
				.and_then(|request| request.parse::<u64>().ok())
				.or(last);
		};
		lines.by_ref().take(acknowledged + ENOUGH).for_each(&mut note);
		writer.kill().unwrap();
		writer.wait().unwrap();
		// What it said before it died counts as well.
		lines.for_each(&mut note);
		acknowledged = last.expect("something was acknowledged") as usize + 1;

		let queue = Queue::open(directory.path(), usize::MAX).unwrap();
		for request in 0..acknowledged as u64 {
			assert!(
				matches!(queue.status(&job(request).id()), Ok(JobStatus::Queued { .. })),
				"request {request} of {acknowledged} acknowledged ones is lost"
			);
		}
	}
}
