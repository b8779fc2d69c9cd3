//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

fn corpus(target: &str) -> Corpus {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), target)
}

#[test]
fn ceremonies() {
	corpus("ceremony").replay(targets::ceremony);
}

#[test]
fn powers() {
	corpus("powers").replay(targets::powers);
}

#[test]
fn powers_to_import() {
	corpus("import_powers").replay(targets::import_powers);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, cases: 64, ..ProptestConfig::default() })]

	#[test]
	fn mutated_ceremonies(file: Index, edits in edits()) {
		targets::ceremony(&corpus("ceremony").changed(file, &edits));
	}

	#[test]
	fn mutated_powers(file: Index, edits in edits()) {
		targets::powers(&corpus("powers").changed(file, &edits));
	}

	#[test]
	fn mutated_powers_to_import(file: Index, edits in edits()) {
		targets::import_powers(&corpus("import_powers").changed(file, &edits));
	}
}
