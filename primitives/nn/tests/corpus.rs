//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use proptest::{collection::vec, prelude::*, sample::Index};
use std::path::Path;

/// The files of a corpus, in order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
	let directory = Path::new(env!("CARGO_MANIFEST_DIR"))
		.join("fuzz/corpus")
		.join(name);
	let entries = std::fs::read_dir(&directory).expect("the corpus is in the repository");
	let mut paths: Vec<_> = entries
		.map(|entry| entry.expect("the corpus can be listed").path())
		.collect();
	assert!(!paths.is_empty(), "{} is empty", directory.display());
	paths.sort();
	paths
		.iter()
		.map(|path| std::fs::read(path).expect("a corpus is readable"))
		.collect()
}

/// Runs a target on every file of its corpus.
fn replay(name: &str, target: fn(&[u8])) {
	corpus(name).iter().for_each(|bytes| target(bytes));
}

/// A change of bytes.
#[derive(Clone, Debug)]
enum Edit {
	Set(Index, u8),
	Insert(Index, u8),
	Remove(Index),
	Truncate(Index),
	Repeat(Index, Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
	let edit = prop_oneof![
		6 => any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Set(at, byte)),
		2 => any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Insert(at, byte)),
		2 => any::<Index>().prop_map(Edit::Remove),
		1 => any::<Index>().prop_map(Edit::Truncate),
		1 => any::<(Index, Index)>().prop_map(|(from, to)| Edit::Repeat(from, to)),
	];
	vec(edit, 1..6)
}

/// A file of a corpus with changes.
fn mutated(name: &str, file: Index, edits: &[Edit]) -> Vec<u8> {
	let corpus = corpus(name);
	let mut bytes = file.get(&corpus).clone();
	for edit in edits {
		// One more than the bytes, so that the end can be meant and an empty file changed.
		let len = bytes.len() + 1;
		match edit {
			Edit::Set(at, byte) => {
				if let Some(changed) = bytes.get_mut(at.index(len)) {
					*changed = *byte;
				}
			}
			Edit::Insert(at, byte) => bytes.insert(at.index(len), *byte),
			Edit::Remove(at) => {
				bytes.drain(at.index(len)..(at.index(len) + 1).min(len - 1));
			}
			Edit::Truncate(at) => bytes.truncate(at.index(len)),
			Edit::Repeat(from, to) => {
				let (from, to) = (from.index(len), to.index(len));
				let range = bytes[from.min(to)..from.max(to)].to_vec();
				bytes.splice(from..from, range);
			}
		}
	}
	bytes
}

#[test]
fn architectures() {
	replay("architecture", targets::architecture);
}

#[test]
fn weights() {
	replay("weights", targets::weights);
}

#[test]
fn models() {
	replay("model", targets::model);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn mutated_architectures(file: Index, edits in edits()) {
		targets::architecture(&mutated("architecture", file, &edits));
	}

	#[test]
	fn mutated_weights(file: Index, edits in edits()) {
		targets::weights(&mutated("weights", file, &edits));
	}

	#[test]
	fn mutated_models(file: Index, edits in edits()) {
		targets::model(&mutated("model", file, &edits));
	}
}
