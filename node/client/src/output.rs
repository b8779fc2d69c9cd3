//! What the user sees: progress, notes and results, for people or, with `--json`, for programs.
//!
//! With `--json` every line on standard output is one JSON object whose `event` says what it is: `progress` while
//! something runs, `order` and `shard` when these change, and at the end `result`, or `error`. Amounts are strings of
//! base units, since they exceed what JSON numbers hold. Text for people goes to standard error.

use std::{
	fmt::Display,
	io::{self, IsTerminal, Write},
	process::ExitCode,
	sync::{Arc, Mutex},
	time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::{json, Map, Value};

use crate::error::Error;

/// How often a progress object is printed at most.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Where text and objects go. Cheap to clone; clones share the terminal.
#[derive(Clone)]
pub struct Output {
	json: bool,
	quiet: bool,
	bars: MultiProgress,
}

impl Output {
	/// Objects instead of text on standard output with `json`; no notes and bars with `quiet`.
	pub fn new(json: bool, quiet: bool) -> Self {
		Self {
			json,
			quiet,
			bars: MultiProgress::new(),
		}
	}

	/// Whether results are objects.
	pub fn is_json(&self) -> bool {
		self.json
	}

	/// Tells a person something.
	pub fn note(&self, text: impl Display) {
		if !self.quiet {
			self.text(&text.to_string());
		}
	}

	/// Tells a person something that matters even with `--quiet`.
	pub fn warn(&self, text: impl Display) {
		self.text(&format!("warning: {text}"));
	}

	fn text(&self, text: &str) {
		// Nothing can be done where standard error is closed.
		self.bars.suspend(|| {
			let _ = writeln!(io::stderr(), "{text}");
		});
	}

	/// Tells a program that something has changed.
	///
	/// # Errors
	/// When standard output is closed.
	pub fn event(&self, event: &'static str, fields: impl Serialize) -> Result<(), Error> {
		if !self.json {
			return Ok(());
		}
		self.print(&object(event, &fields).to_string())
	}

	/// The last word of a command that did what it was asked.
	///
	/// # Errors
	/// When standard output is closed.
	pub fn result(&self, fields: impl Serialize, text: impl FnOnce() -> String) -> Result<(), Error> {
		if self.json {
			return self.event("result", fields);
		}
		let text = text();
		if text.is_empty() {
			return Ok(());
		}
		self.print(text.trim_end())
	}

	fn print(&self, line: &str) -> Result<(), Error> {
		self.bars.suspend(|| {
			let mut stdout = io::stdout().lock();
			writeln!(stdout, "{line}")
				.and_then(|()| stdout.flush())
				.map_err(Error::Stream)
		})
	}

	/// Reports the error that ends the process.
	pub fn failure(&self, error: &Error) -> ExitCode {
		let code = error.exit_code();
		let mut text = format!("error: {error}");
		for detail in error.details() {
			text.push_str("\n  ");
			text.push_str(detail);
		}
		let remedy = error.remedy();
		if let Some(remedy) = &remedy {
			text.push_str("\n  remedy: ");
			text.push_str(remedy);
		}
		self.text(&text);
		// The exit code tells what a closed standard output cannot.
		let _ = self.event(
			"error",
			json!({
				"code": code,
				"message": error.to_string(),
				"details": error.details(),
				"remedy": remedy,
			}),
		);
		ExitCode::from(code)
	}

	/// Asks whether to go on.
	///
	/// # Errors
	/// When the answer is no, or nobody can be asked.
	pub fn confirm(&self, question: &str, yes: bool) -> Result<(), Error> {
		if yes {
			self.note(question);
			return Ok(());
		}
		if self.json || !io::stdin().is_terminal() {
			return Err(Error::usage(
				format!("{question}: nobody is there to confirm this"),
				"repeat with --yes",
			));
		}
		let answer = self.bars.suspend(|| {
			let mut stderr = io::stderr();
			write!(stderr, "{question}. Go on? [y/N] ")?;
			stderr.flush()?;
			let mut answer = String::new();
			io::stdin().read_line(&mut answer)?;
			Ok::<_, io::Error>(answer)
		});
		match answer.map_err(Error::Stream)?.trim() {
			"y" | "Y" | "yes" => Ok(()),
			_ => Err(Error::Declined),
		}
	}

	/// A bar that counts bytes up to `total`.
	pub fn bytes(&self, phase: &'static str, total: u64) -> Bar {
		self.bar(
			phase,
			total,
			"{prefix:>12} [{bar:32}] {binary_bytes:>10} of {binary_total_bytes:<10} {binary_bytes_per_sec:>12} {eta:>4} {msg}",
		)
	}

	/// A bar that counts things up to `total`.
	pub fn count(&self, phase: &'static str, total: u64) -> Bar {
		self.bar(
			phase,
			total,
			"{prefix:>12} [{bar:32}] {pos:>10} of {len:<10} {elapsed:>17} {msg}",
		)
	}

	fn bar(&self, phase: &'static str, total: u64, template: &str) -> Bar {
		let bar = if self.quiet || self.json {
			ProgressBar::hidden()
		} else {
			self.bars.add(ProgressBar::no_length())
		};
		bar.set_length(total);
		// The templates are the two above, and a test renders them.
		if let Ok(style) = ProgressStyle::with_template(template) {
			bar.set_style(style.progress_chars("=> "));
		}
		bar.set_prefix(phase);
		bar.enable_steady_tick(Duration::from_millis(250));
		Bar(Arc::new(BarState {
			output: self.clone(),
			phase,
			bar,
			total,
			printed: Mutex::new(None),
		}))
	}
}

/// The fields of an object, and its `event`.
fn object(event: &'static str, fields: &impl Serialize) -> Value {
	let mut all = Map::new();
	all.insert("event".to_owned(), event.into());
	match serde_json::to_value(fields) {
		Ok(Value::Object(fields)) => all.extend(fields),
		Ok(other) => {
			all.insert("value".to_owned(), other);
		}
		// What is printed here are records of strings, numbers and lists of them.
		Err(error) => {
			all.insert("value".to_owned(), error.to_string().into());
		}
	}
	Value::Object(all)
}

/// A progress bar. Clones advance the same bar.
#[derive(Clone)]
pub struct Bar(Arc<BarState>);

struct BarState {
	output: Output,
	phase: &'static str,
	bar: ProgressBar,
	total: u64,
	printed: Mutex<Option<Instant>>,
}

impl Bar {
	/// Goes on by `amount`.
	pub fn advance(&self, amount: u64) {
		self.0.bar.inc(amount);
		self.tick();
	}

	/// Goes to `position`.
	pub fn set(&self, position: u64) {
		self.0.bar.set_position(position);
		self.tick();
	}

	/// Says what is waited for.
	pub fn message(&self, text: impl Into<String>) {
		self.0.bar.set_message(text.into());
	}

	/// Takes it off the screen.
	pub fn finish(&self) {
		self.0.bar.finish_and_clear();
		self.print(true);
	}

	fn tick(&self) {
		self.print(false);
	}

	fn print(&self, always: bool) {
		if !self.0.output.json {
			return;
		}
		let now = Instant::now();
		let Ok(mut printed) = self.0.printed.lock() else {
			return;
		};
		if !always && printed.is_some_and(|printed| now.duration_since(printed) < PROGRESS_INTERVAL) {
			return;
		}
		*printed = Some(now);
		// A closed standard output ends the command at its next result.
		let _ = self.0.output.event(
			"progress",
			json!({
				"phase": self.0.phase,
				"done": self.0.bar.position(),
				"total": self.0.total,
			}),
		);
	}
}

/// Lines columns up; the first row is the heading.
pub fn table(rows: &[Vec<String>]) -> String {
	let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
	let widths: Vec<usize> = (0..columns)
		.map(|column| {
			rows.iter()
				.filter_map(|row| row.get(column))
				.map(|cell| cell.chars().count())
				.max()
				.unwrap_or(0)
		})
		.collect();
	let mut text = String::new();
	for row in rows {
		let mut line = String::new();
		for (cell, width) in row.iter().zip(&widths) {
			line.push_str(cell);
			line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
		}
		text.push_str(line.trim_end());
		text.push('\n');
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn objects_say_what_they_are() {
		let value = object("order", &json!({ "order": 7, "escrow": "12" }));
		assert_eq!(value, json!({ "event": "order", "order": 7, "escrow": "12" }));
		assert_eq!(object("result", &3), json!({ "event": "result", "value": 3 }));
	}

	#[test]
	fn templates_are_valid() {
		let output = Output::new(false, false);
		for (bar, total) in [(output.bytes("encode", 10), 10), (output.count("shards", 16), 16)] {
			bar.advance(3);
			bar.set(5);
			assert_eq!(bar.0.bar.position(), 5);
			assert_eq!(bar.0.bar.length(), Some(total));
			bar.finish();
		}
		for template in [
			"{prefix:>12} [{bar:32}] {binary_bytes:>10}",
			"{binary_bytes_per_sec:>12} {eta:>4} {msg}",
		] {
			assert!(ProgressStyle::with_template(template).is_ok());
		}
	}

	#[test]
	fn nobody_is_asked_in_json() {
		let error = Output::new(true, true).confirm("Hold 1 SAND", false).unwrap_err();
		assert_eq!(error.exit_code(), 2);
		assert!(Output::new(true, true).confirm("Hold 1 SAND", true).is_ok());
	}

	#[test]
	fn columns_line_up() {
		let rows = [
			vec!["order".to_owned(), "status".to_owned()],
			vec!["1000000".to_owned(), "active".to_owned()],
		];
		assert_eq!(table(&rows), "order    status\n1000000  active\n");
		assert_eq!(table(&[]), "");
	}
}
