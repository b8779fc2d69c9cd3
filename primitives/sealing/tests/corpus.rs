//! Replays the fuzz corpus, so that what fuzzing once found stays found without a fuzzer, and tries random changes of it.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

fn corpus() -> Corpus {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "open_key")
}

#[test]
fn sealed_keys() {
	let corpus = corpus();
	let opened = corpus
		.files()
		.iter()
		.filter(|bytes| targets::open_key(bytes))
		.count();
	assert_eq!(opened, 1, "the corpus holds one key that opens");
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn changed_sealed_keys(file: Index, edits in edits()) {
		targets::open_key(&corpus().changed(file, &edits));
	}
}
