//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

#[test]
fn architectures() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "architecture").replay(targets::architecture);
}

#[test]
fn weights() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "weights").replay(targets::weights);
}

#[test]
fn models() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "model").replay(targets::model);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_architectures(file: Index, edits in edits()) {
		targets::architecture(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "architecture").changed(file, &edits));
	}

	#[test]
	fn mutated_weights(file: Index, edits in edits()) {
		targets::weights(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "weights").changed(file, &edits));
	}

	#[test]
	fn mutated_models(file: Index, edits in edits()) {
		targets::model(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "model").changed(file, &edits));
	}
}
