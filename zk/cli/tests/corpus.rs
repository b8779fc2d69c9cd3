//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

#[test]
fn onnx_files() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "onnx").replay(targets::onnx);
}

#[test]
fn arrays() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "npy").replay(targets::npy);
}

#[test]
fn statements() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "statement").replay(targets::statement);
}

#[test]
fn manifests() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "manifest").replay(targets::manifest);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_onnx_files(file: Index, edits in edits()) {
		targets::onnx(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "onnx").changed(file, &edits));
	}

	#[test]
	fn mutated_arrays(file: Index, edits in edits()) {
		targets::npy(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "npy").changed(file, &edits));
	}

	#[test]
	fn mutated_statements(file: Index, edits in edits()) {
		targets::statement(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "statement").changed(file, &edits));
	}
}
