//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

/// What a fuzz target does with its input.
type Target = fn(&[u8]);

/// Each target, and the name of its corpus.
const TARGETS: [(&str, Target); 9] = [
	("keystore", targets::keystore),
	("keystore_frame", targets::keystore_frame),
	("phrase_file", targets::phrase_file),
	("key_file", targets::key_file),
	("pack_header", targets::pack_header),
	("staging", targets::staging),
	("answer", targets::answer),
	("header", targets::header),
	("provider_text", targets::provider_text),
];

#[test]
fn corpora() {
	for (name, target) in TARGETS {
		Corpus::read(env!("CARGO_MANIFEST_DIR"), name).replay(target);
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_corpora(file: Index, edits in edits()) {
		for (name, target) in TARGETS {
			target(&Corpus::read(env!("CARGO_MANIFEST_DIR"), name).changed(file, &edits));
		}
	}
}
