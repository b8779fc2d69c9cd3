//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

#[test]
fn cids() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "cid").replay(targets::cid);
}

#[test]
fn responses() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "response").replay(targets::response);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_cids(file: Index, edits in edits()) {
		targets::cid(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "cid").changed(file, &edits));
	}

	#[test]
	fn mutated_responses(file: Index, edits in edits()) {
		targets::response(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "response").changed(file, &edits));
	}
}
