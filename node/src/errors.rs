//! Failures in words: what went wrong, why, and what to do about it.

use std::{error::Error, fmt::Write};

/// Words a failure for the terminal: the failure, its causes one a line, and a remedy where one is known.
pub fn report(error: &sc_cli::Error) -> String {
	let mut text = match error {
		sc_cli::Error::Input(message) => format!("Error: {message}"),
		error => format!("Error: {error}"),
	};
	let mut cause = error.source();
	while let Some(inner) = cause {
		let _ = write!(text, "\n  caused by: {inner}");
		cause = inner.source();
	}
	if let Some(remedy) = remedy(&text) {
		let _ = write!(text, "\n  remedy: {remedy}");
	}
	text
}

/// The libraries below report these by text alone, so that the text is what there is to match.
const REMEDIES: [(&str, &str); 6] = [
	("lock", "another process uses this database: stop it, or choose another --base-path"),
	("Address already in use", "another process listens there: stop it, or choose another --port or --rpc-port"),
	(
		"Genesis block mismatch",
		"the database belongs to another chain: choose another --base-path, or delete it with purge-chain",
	),
	(
		"pruning",
		"the database was created with another pruning mode: repeat the mode it was created with, or start anew \
		 after purge-chain",
	),
	("No space left on device", "free some space, or move --base-path to a larger disk"),
	("Permission denied", "run as the owner of the files, or choose a --base-path that you may write"),
];

fn remedy(text: &str) -> Option<&'static str> {
	REMEDIES
		.iter()
		.find(|(cause, _)| text.contains(cause))
		.map(|(_, remedy)| *remedy)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn causes_and_remedy_are_shown() {
		let cause = std::io::Error::new(std::io::ErrorKind::AddrInUse, "Address already in use");
		let text = report(&sc_cli::Error::Application(Box::new(cause)));
		assert!(text.starts_with("Error: Address already in use"), "{text}");
		assert!(text.contains("remedy: another process listens there"), "{text}");
	}

	#[test]
	fn unknown_failures_get_no_remedy() {
		let text = report(&sc_cli::Error::Input("something else".into()));
		assert_eq!(text, "Error: something else");
	}
}
