//! What every measurement states: on which machine, at which commit and when it was made, and what a process took.
//!
//! Linux only: it reads `/proc`.

#![warn(missing_docs)]

use std::{fs, path::Path, process::Command, thread, time::Duration};

use anyhow::{Context, Result};
use rustix::time::{clock_gettime, ClockId};

/// Processor and threads.
pub fn machine() -> String {
	let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
	let name = information
		.lines()
		.find_map(|line| line.strip_prefix("model name")?.split_once(':'))
		.map_or("an unknown processor", |(_, name)| name.trim());
	let threads = thread::available_parallelism().map_or(1, usize::from);
	format!("{threads} threads of {name}")
}

/// Processes that want a processor, on average over the last minute. More than other work leaves free makes what is timed
/// by the clock too slow.
///
/// # Errors
/// When the system does not tell.
pub fn load() -> Result<f64> {
	let averages = fs::read_to_string("/proc/loadavg")?;
	let minute = averages.split_whitespace().next().context("a load average")?;
	Ok(minute.parse()?)
}

/// The day, in UTC.
pub fn date() -> String {
	output("date", &["-u", "+%Y-%m-%d"]).unwrap_or_else(|| "-".into())
}

/// The commit that the working directory has checked out, and whether its files differ from it, other than `page`, which
/// the measurement itself writes.
pub fn commit(page: &Path) -> String {
	let Some(hash) = output("git", &["rev-parse", "--short", "HEAD"]) else {
		return "-".into();
	};
	let others = format!(":(exclude){}", page.display());
	let changed = output("git", &["status", "--porcelain", "--", ".", &others]);
	match changed.as_deref() {
		Some("") => hash,
		_ => format!("{hash} with changes"),
	}
}

/// What a command prints; `None` where it fails.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
	let output = Command::new(program).args(arguments).output().ok()?;
	let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
	output.status.success().then_some(text)
}

/// The processor time that all threads of this process have spent.
pub fn processor_time() -> Duration {
	let time = clock_gettime(ClockId::ProcessCPUTime);
	Duration::new(
		time.tv_sec.try_into().unwrap_or_default(),
		time.tv_nsec.try_into().unwrap_or_default(),
	)
}

/// The most memory that a process, this one without a number, has had resident so far, in KiB.
///
/// # Errors
/// When there is no such process.
pub fn peak_kib(process: Option<u32>) -> Result<u64> {
	let process = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
	let status = fs::read_to_string(format!("/proc/{process}/status"))?;
	let line = status
		.lines()
		.find_map(|line| line.strip_prefix("VmHWM:"))
		.context("VmHWM in the status")?;
	Ok(line.split_whitespace().next().context("a number")?.parse()?)
}
