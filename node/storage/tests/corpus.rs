//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

#[test]
fn records() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "record").replay(targets::record);
}

#[test]
fn lists_of_blocks() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "blocks").replay(targets::blocks);
}

#[test]
fn cursors() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "cursor").replay(targets::cursor);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_records(file: Index, edits in edits()) {
		targets::record(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "record").changed(file, &edits));
	}

	#[test]
	fn mutated_lists_of_blocks(file: Index, edits in edits()) {
		targets::blocks(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "blocks").changed(file, &edits));
	}

	#[test]
	fn mutated_cursors(file: Index, edits in edits()) {
		targets::cursor(&Corpus::read(env!("CARGO_MANIFEST_DIR"), "cursor").changed(file, &edits));
	}
}
