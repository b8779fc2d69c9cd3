//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

/// A fuzz target and its name.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 9] = [
	("proving_job", targets::proving_job),
	("job_result", targets::job_result),
	("request_input", targets::request_input),
	("signed_results", targets::signed_results),
	("order_terms", targets::order_terms),
	("shard_commitment", targets::shard_commitment),
	("provider_terms", targets::provider_terms),
	("purchase_key", targets::purchase_key),
	("purchase", targets::purchase),
];

fn corpus(target: &str) -> Corpus {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), target)
}

#[test]
fn corpora() {
	for (name, target) in TARGETS {
		corpus(name).replay(target);
	}
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn changed_files(which: Index, file: Index, edits in edits()) {
		let (name, target) = which.get(&TARGETS);
		target(&corpus(name).changed(file, &edits));
	}
}
