//! Kills a process that writes blocks, at random moments and without warning, and looks at what is left.

use opensand_blocks::{BlockStore, Cid, Codec, StoreError};
use rand::{rngs::StdRng, Rng, RngCore, SeedableRng};
use std::{
	collections::HashSet,
	io::{BufRead, BufReader, Write},
	path::Path,
	process::{Command, Stdio},
	thread,
	time::Duration,
};
use tempfile::TempDir;

/// Tells the process that it is the one to be killed, and where to write.
const DIRECTORY: &str = "OPENSAND_BLOCKS_CRASH_DIRECTORY";
/// Tells it with which blocks to begin.
const SEED: &str = "OPENSAND_BLOCKS_CRASH_SEED";
const QUOTA: u64 = 1 << 30;

fn block(seed: u64) -> (Cid, Vec<u8>) {
	let mut random = StdRng::seed_from_u64(seed);
	let mut bytes = vec![0; random.gen_range(0..100_000)];
	random.fill_bytes(&mut bytes);
	(Codec::Raw.cid(&bytes), bytes)
}

/// Not a test of its own: the process that [`nothing_acknowledged_is_lost`] kills runs it. It writes blocks one by one and in
/// batches, and says of each when it is stored.
#[test]
fn writer() {
	let (Ok(directory), Ok(seed)) = (std::env::var(DIRECTORY), std::env::var(SEED)) else {
		return;
	};
	let mut seed: u64 = seed.parse().expect("the parent gives a number");
	let store = BlockStore::open(directory, QUOTA).expect("the store opens after every crash");
	let mut out = std::io::stderr().lock();
	loop {
		let batch: Vec<_> = (seed..seed + 1 + seed % 7).map(block).collect();
		seed += batch.len() as u64;
		match batch.as_slice() {
			[(cid, bytes)] => store.put(cid, bytes).expect("stored"),
			many => store.put_batch(many).expect("stored"),
		}
		for (cid, _) in batch {
			// One write, so that a kill leaves no half line that reads as a CID.
			out.write_all(format!("stored {cid}\n").as_bytes())
				.expect("the parent listens");
		}
	}
}

/// Runs the writer until it has acknowledged so many blocks, a moment more, and kills it. Returns what it acknowledged.
fn write_and_kill(directory: &Path, seed: u64, blocks: usize, moment: Duration) -> Vec<Cid> {
	let mut child = Command::new(std::env::current_exe().expect("this program has a path"))
		.args(["--exact", "writer", "--nocapture"])
		.env(DIRECTORY, directory)
		.env(SEED, seed.to_string())
		.stdout(Stdio::null())
		.stderr(Stdio::piped())
		.spawn()
		.expect("it starts");
	let mut lines = BufReader::new(child.stderr.take().expect("it is piped"))
		.lines()
		.map_while(Result::ok)
		.inspect(|line| assert!(!line.contains("panicked"), "{line}"))
		.filter_map(|line| line.strip_prefix("stored ")?.parse::<Cid>().ok());
	let mut acknowledged: Vec<_> = lines.by_ref().take(blocks).collect();
	assert_eq!(acknowledged.len(), blocks, "the writer writes until it is killed");
	// What it says meanwhile waits in the pipe.
	thread::sleep(moment);
	// SIGKILL: nothing of the process runs after it.
	child.kill().expect("it runs until it is killed");
	child.wait().expect("it ends");
	acknowledged.extend(lines);
	acknowledged
}

#[test]
fn nothing_acknowledged_is_lost() {
	let directory = TempDir::new().expect("a temporary directory");
	let mut random = StdRng::seed_from_u64(3);
	let mut acknowledged = HashSet::new();
	for round in 0..50u64 {
		// Some are killed while they open the store.
		let blocks = if round % 5 == 0 {
			0
		} else {
			random.gen_range(1..30)
		};
		let moment = Duration::from_micros(random.gen_range(0..30_000));
		acknowledged.extend(write_and_kill(
			directory.path(),
			round * 1_000_000,
			blocks,
			moment,
		));

		let store = BlockStore::open(directory.path(), QUOTA).expect("the store opens after every crash");
		let mut used = 0;
		let mut held = HashSet::new();
		for cid in store.iter() {
			let cid = cid.expect("readable");
			// Whatever is there is whole, acknowledged or not.
			used += store.get(&cid).expect("intact").expect("listed").len() as u64;
			held.insert(cid);
		}
		assert_eq!(store.used_bytes(), used, "round {round}");
		let lost: Vec<_> = acknowledged.difference(&held).collect();
		assert!(lost.is_empty(), "round {round}: {lost:?}");
		let left = std::fs::read_dir(directory.path().join("temporary"))
			.expect("there")
			.count();
		assert_eq!(left, 0, "round {round}");
		if round % 10 == 9 {
			// Begin anew, or checking would take ever longer.
			for cid in held {
				assert!(store.remove(&cid).expect("removable"));
			}
			acknowledged.clear();
		} else if round % 10 == 8 {
			assert!(
				acknowledged.len() > 20,
				"the writer got to write: {}",
				acknowledged.len()
			);
		}
	}
}

/// Not a test of its own: [`a_full_disk_is_reported_and_loses_nothing`] runs it where files cannot grow beyond a limit.
#[test]
fn writer_on_a_full_disk() {
	let (Ok(directory), Ok(limit)) = (std::env::var(DIRECTORY), std::env::var("OPENSAND_BLOCKS_LIMIT"))
	else {
		return;
	};
	let limit: usize = limit.parse().expect("the parent gives a number");
	let store = BlockStore::open(directory, QUOTA).expect("opens");
	let fits: Vec<_> = (0..4u8)
		.map(|number| vec![number; limit / 8])
		.map(|bytes| (Codec::Raw.cid(&bytes), bytes))
		.collect();
	store.put_batch(&fits).expect("there is room");
	let used = store.used_bytes();

	let long = vec![9; limit + 4096];
	let long = (Codec::Raw.cid(&long), long);
	let small = vec![10; 100];
	let small = (Codec::Raw.cid(&small), small);
	for attempt in [
		store.put(&long.0, &long.1),
		store.put_batch(&[small.clone(), long.clone()]),
	] {
		match attempt {
			Err(error @ StoreError::DiskFull { .. }) => {
				assert!(error.to_string().contains("free space"), "{error}")
			}
			other => panic!("{other:?}"),
		}
		assert_eq!(store.used_bytes(), used, "the bytes are given back");
		assert_eq!(store.get(&long.0).expect("readable"), None);
		for (cid, bytes) in &fits {
			assert_eq!(store.get(cid).expect("readable").as_ref(), Some(bytes));
		}
	}
	// What fits still goes in: nothing was left lying about.
	store.put(&small.0, &small.1).expect("it fits");
}

/// Runs the writer above behind a command that limits it.
fn run_limited(shell: &[&str], directory: &Path, limit: usize) {
	let (program, arguments) = shell.split_first().expect("a command");
	let output = Command::new(program)
		.args(arguments)
		.arg(std::env::current_exe().expect("this program has a path"))
		.args(["--exact", "writer_on_a_full_disk"])
		.env(DIRECTORY, directory)
		.env("OPENSAND_BLOCKS_LIMIT", limit.to_string())
		.output()
		.expect("a shell starts");
	let text =
		String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
	assert!(output.status.success(), "{text}");
	assert!(text.contains("1 passed"), "{text}");
}

#[test]
fn a_full_disk_is_reported_and_loses_nothing() {
	let directory = TempDir::new().expect("a temporary directory");
	// Files of at most 64 KiB. The signal is ignored, so that the write fails instead of the process.
	let shell = ["bash", "-c", "trap '' XFSZ; ulimit -f 64; exec \"$@\"", "limited"];
	run_limited(&shell, directory.path(), 64 << 10);

	// The same on a file system of 1.5 MiB, where the kernel lets this user mount one.
	let mount = "mount -t tmpfs -o size=1536k tmpfs \"$OPENSAND_BLOCKS_CRASH_DIRECTORY\" && ";
	let probe = format!("{mount} true");
	let unshare = ["unshare", "--map-root-user", "--mount", "bash", "-c"];
	let allowed = Command::new(unshare[0])
		.args(&unshare[1..])
		.arg(&probe)
		.env(DIRECTORY, directory.path())
		.stderr(Stdio::null())
		.status()
		.is_ok_and(|status| status.success());
	if allowed {
		let script = format!("{mount} exec \"$@\"");
		let shell: Vec<_> = unshare
			.iter()
			.copied()
			.chain([script.as_str(), "limited"])
			.collect();
		run_limited(&shell, directory.path(), 1536 << 10);
	} else {
		println!("no file system can be mounted here: only the limit on files was tried");
	}
}
