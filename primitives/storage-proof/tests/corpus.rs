//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

#[test]
fn proofs() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "possession_proof").replay(targets::possession_proof);
}

#[test]
fn verifications() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "possession").replay(targets::possession);
}

#[test]
fn trees() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "segment_tree").replay(targets::segment_tree);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_proofs(file: Index, edits in edits()) {
		let corpus = Corpus::read(env!("CARGO_MANIFEST_DIR"), "possession_proof");
		targets::possession_proof(&corpus.changed(file, &edits));
	}

	#[test]
	fn mutated_verifications(file: Index, edits in edits()) {
		targets::possession(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "possession").changed(file, &edits));
	}

	#[test]
	fn mutated_trees(file: Index, edits in edits()) {
		targets::segment_tree(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "segment_tree").changed(file, &edits));
	}
}
