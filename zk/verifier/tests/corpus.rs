//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::Corpus;

#[test]
fn proofs() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "proof").replay(targets::proof);
}

#[test]
fn verifying_keys() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "verifying_key").replay(targets::verifying_key);
}

#[test]
fn statements() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "statement").replay(targets::statement);
}

#[test]
fn verifications() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "verification").replay(targets::verification);
}
