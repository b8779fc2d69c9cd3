//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

/// Runs a target on every file of its corpus.
fn replay(name: &str, target: fn(&[u8])) {
	let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
		.join("fuzz/corpus")
		.join(name);
	let mut files = 0;
	for entry in std::fs::read_dir(&directory).expect("the corpus is in the repository") {
		target(
			&std::fs::read(entry.expect("the corpus can be listed").path()).expect("a corpus is readable"),
		);
		files += 1;
	}
	assert!(files > 0, "{} is empty", directory.display());
}

#[test]
fn onnx_files() {
	replay("onnx", targets::onnx);
}

#[test]
fn arrays() {
	replay("npy", targets::npy);
}

#[test]
fn statements() {
	replay("statement", targets::statement);
}

#[test]
fn manifests() {
	replay("manifest", targets::manifest);
}
