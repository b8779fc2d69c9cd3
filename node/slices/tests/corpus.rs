//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use proptest::{prelude::*, sample::Index};

fn corpus(target: &str) -> Corpus {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), target)
}

#[test]
fn manifests() {
	corpus("manifest").replay(targets::manifest);
}

#[test]
fn metadata() {
	corpus("metadata").replay(targets::metadata);
}

#[test]
fn nodes() {
	corpus("node").replay(targets::node);
}

#[test]
fn sealed_keys() {
	corpus("sealed_key").replay(targets::sealed_key);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn changed_manifests(file: Index, edits in edits()) {
		targets::manifest(&corpus("manifest").changed(file, &edits));
	}

	#[test]
	fn changed_metadata(file: Index, edits in edits()) {
		targets::metadata(&corpus("metadata").changed(file, &edits));
	}

	#[test]
	fn changed_nodes(file: Index, edits in edits()) {
		targets::node(&corpus("node").changed(file, &edits));
	}

	#[test]
	fn changed_sealed_keys(file: Index, edits in edits()) {
		targets::sealed_key(&corpus("sealed_key").changed(file, &edits));
	}
}
