//! Replays the fuzz corpus, so that what fuzzing once found stays found without a fuzzer.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::Corpus;
use opensand_zk_envelope::open;

#[test]
fn envelopes() {
	let corpus = Corpus::read(env!("CARGO_MANIFEST_DIR"), "open");
	corpus.replay(targets::open);
	let opened = corpus
		.files()
		.iter()
		.any(|bytes| open(&targets::CONTEXT, bytes, &targets::secret()).is_ok());
	assert!(opened, "the corpus holds an envelope that opens");
}
