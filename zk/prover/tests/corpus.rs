//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::Corpus;

#[test]
fn proving_keys() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "proving_key").replay(targets::proving_key);
}

#[test]
fn bundles() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "bundle").replay(targets::bundle);
}

#[test]
fn families() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "family").replay(targets::family);
}

#[test]
fn masks() {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), "mask").replay(targets::mask);
}
