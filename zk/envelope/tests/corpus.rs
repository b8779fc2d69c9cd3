//! Replays the fuzz corpus, so that what fuzzing once found stays found without a fuzzer.

#[path = "../fuzz/targets.rs"]
mod targets;

use std::path::Path;

use opensand_zk_envelope::open;

#[test]
fn envelopes() {
	let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/open");
	let mut opened = 0;
	for entry in std::fs::read_dir(directory).expect("the corpus is in the repository") {
		let path = entry.expect("the corpus can be listed").path();
		let bytes = std::fs::read(path).expect("a corpus is readable");
		targets::open(&bytes);
		opened += usize::from(open(&targets::CONTEXT, &bytes, &targets::secret()).is_ok());
	}
	assert!(opened > 0, "the corpus holds an envelope that opens");
}
