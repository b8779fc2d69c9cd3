//! How commands speak: reports to standard output, as text or JSON, progress to standard error.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::{fmt::Display, io::Write};

/// What a command found out or made: text for people, JSON for machines.
pub trait Report: Serialize + Display {}

impl<T: Serialize + Display> Report for T {}

/// Where a command's words go.
#[derive(Clone, Copy, Debug)]
pub struct Output {
	json: bool,
}

impl Output {
	/// Text, or JSON if `json`.
	pub const fn new(json: bool) -> Self {
		Self { json }
	}

	/// Prints a report. Who closes the pipe early does not want the rest.
	pub fn report(&self, report: &impl Report) {
		let text = if self.json {
			// Reports are structures of numbers and strings: they have a JSON form.
			serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
		} else {
			report.to_string()
		};
		let _ = std::io::stdout().write_all(text.as_bytes());
	}

	/// A bar over `len` steps, on standard error; nothing where that is no terminal, or with JSON.
	pub fn bar(&self, message: &'static str, len: u64) -> ProgressBar {
		let style = "{msg:<24} [{bar:40}] {pos}/{len} {elapsed_precise} (left: {eta})";
		self.progress(ProgressBar::new(len), style, message)
	}

	/// A spinner for a step of unknown length.
	pub fn spinner(&self, message: &'static str) -> ProgressBar {
		let bar = self.progress(
			ProgressBar::new_spinner(),
			"{spinner} {msg} {elapsed_precise}",
			message,
		);
		bar.enable_steady_tick(std::time::Duration::from_millis(120));
		bar
	}

	fn progress(&self, bar: ProgressBar, style: &str, message: &'static str) -> ProgressBar {
		bar.set_draw_target(if self.json {
			ProgressDrawTarget::hidden()
		} else {
			ProgressDrawTarget::stderr()
		});
		if let Ok(style) = ProgressStyle::with_template(style) {
			bar.set_style(style);
		}
		bar.with_message(message)
	}
}
