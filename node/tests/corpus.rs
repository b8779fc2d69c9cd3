//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use opensand_node::prover::protocol;
use proptest::{prelude::*, sample::Index};

fn corpus(target: &str) -> Corpus {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), target)
}

#[test]
fn assignments() {
	corpus("assignment").replay(targets::assignment);
}

#[test]
fn what_workers_say() {
	corpus("from_worker").replay(targets::from_worker);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn changed_assignments(file: Index, edits in edits()) {
		targets::assignment(&corpus("assignment").changed(file, &edits));
	}

	#[test]
	fn changed_words_of_workers(file: Index, edits in edits()) {
		targets::from_worker(&corpus("from_worker").changed(file, &edits));
	}
}
