//! Kills a process that replaces a file again and again, at random moments, and looks at what is left.

use std::{
	fs,
	io::{BufRead, BufReader, Write},
	path::Path,
	process::{Command, Stdio},
	thread,
	time::Duration,
};

use opensand_durable_file::{draft_path, replace, Mode};
use rand::{rngs::StdRng, Rng, SeedableRng};

/// Tells the process that it is the one to be killed, and which file to replace.
const FILE: &str = "OPENSAND_DURABLE_FILE_CRASH_FILE";
/// Tells it with which number to begin.
const FIRST: &str = "OPENSAND_DURABLE_FILE_CRASH_FIRST";

/// A content that says which one it is and that it is whole.
fn content(number: u64) -> Vec<u8> {
	number.to_le_bytes().repeat(1 + number as usize * 7919 % 20_000)
}

/// The number of a whole content.
fn number(bytes: &[u8]) -> Option<u64> {
	let number = u64::from_le_bytes(*bytes.first_chunk()?);
	(bytes == content(number)).then_some(number)
}

/// Not a test of its own: the process that [`a_file_is_whole_and_never_older_than_acknowledged`] kills runs it.
#[test]
fn writer() {
	let (Ok(path), Ok(first)) = (std::env::var(FILE), std::env::var(FIRST)) else {
		return;
	};
	let first: u64 = first.parse().expect("the parent gives a number");
	let mut out = std::io::stderr().lock();
	for number in first.. {
		replace(Path::new(&path), Mode::Private, &content(number)).expect("replaced");
		// One write, so that a kill leaves no half line that reads as a number.
		out.write_all(format!("stored {number}\n").as_bytes())
			.expect("the parent listens");
	}
}

/// Runs the writer until it has acknowledged so many contents, a moment more, and kills it. Returns the last that it
/// acknowledged.
fn write_and_kill(path: &Path, first: u64, contents: usize, moment: Duration) -> u64 {
	let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
		.args(["--exact", "writer", "--nocapture"])
		.env(FILE, path)
		.env(FIRST, first.to_string())
		.stdout(Stdio::null())
		.stderr(Stdio::piped())
		.spawn()
		.expect("it starts");
	let mut lines = BufReader::new(child.stderr.take().expect("it is piped"))
		.lines()
		.map_while(Result::ok)
		.inspect(|line| assert!(!line.contains("panicked"), "{line}"))
		.filter_map(|line| line.strip_prefix("stored ")?.parse::<u64>().ok());
	let acknowledged: Vec<_> = lines.by_ref().take(contents).collect();
	assert_eq!(
		acknowledged.len(),
		contents,
		"the writer writes until it is killed"
	);
	// What it says meanwhile waits in the pipe.
	thread::sleep(moment);
	// SIGKILL: nothing of the process runs after it.
	child.kill().expect("it runs until it is killed");
	child.wait().expect("it ends");
	acknowledged.into_iter().chain(lines).last().expect("it wrote")
}

#[test]
fn a_file_is_whole_and_never_older_than_acknowledged() {
	let directory = tempfile::tempdir().expect("a temporary directory");
	let path = directory.path().join("file");
	let mut random = StdRng::seed_from_u64(3);
	let mut first = 0;
	for round in 0..30 {
		let moment = Duration::from_micros(random.gen_range(0..10_000));
		let acknowledged = write_and_kill(&path, first, random.gen_range(1..20), moment);
		let found = number(&fs::read(&path).expect("there")).expect("whole");
		assert!(
			(acknowledged..=acknowledged + 1).contains(&found),
			"round {round}: {found} after {acknowledged}"
		);
		for entry in fs::read_dir(directory.path()).expect("readable") {
			let left = entry.expect("readable").path();
			assert!(left == path || left == draft_path(&path), "{}", left.display());
		}
		first = found + 1;
	}
}
