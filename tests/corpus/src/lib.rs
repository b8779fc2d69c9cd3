//! Replays fuzz corpora as plain tests, so that what fuzzing once found stays found without a fuzzer, and changes their
//! files at random.
//!
//! A crate with fuzz targets keeps them in `fuzz/targets.rs`, and each target's files in `fuzz/corpus/<target>/`.

#![warn(missing_docs)]

use proptest::{collection::vec, prelude::*, sample::Index};
use std::path::Path;

/// The files of one fuzz target's corpus.
pub struct Corpus {
	files: Vec<Vec<u8>>,
}

impl Corpus {
	/// Reads the corpus of `target` in the crate at `manifest_directory`, which is `env!("CARGO_MANIFEST_DIR")` of the test.
	///
	/// # Panics
	/// When there is no such corpus, or it is empty: the test would show nothing.
	pub fn read(manifest_directory: &str, target: &str) -> Self {
		let directory = Path::new(manifest_directory).join("fuzz/corpus").join(target);
		let entries = std::fs::read_dir(&directory).expect("the corpus is in the repository");
		let mut paths: Vec<_> = entries
			.map(|entry| entry.expect("the corpus can be listed").path())
			.collect();
		assert!(!paths.is_empty(), "{} is empty", directory.display());
		paths.sort();
		let files = paths
			.iter()
			.map(|path| std::fs::read(path).expect("a corpus is readable"))
			.collect();
		Self { files }
	}

	/// The files, in the order of their names.
	pub fn files(&self) -> &[Vec<u8>] {
		&self.files
	}

	/// Runs a target on every file.
	pub fn replay(&self, target: fn(&[u8])) {
		self.files.iter().for_each(|bytes| target(bytes));
	}

	/// One of the files, changed.
	pub fn changed(&self, file: Index, edits: &[Edit]) -> Vec<u8> {
		let mut bytes = file.get(&self.files).clone();
		edits.iter().for_each(|edit| edit.apply(&mut bytes));
		bytes
	}
}

/// A change of bytes.
#[derive(Clone, Debug)]
pub enum Edit {
	/// Puts a byte in another's place.
	Set(Index, u8),
	/// Puts a byte in between.
	Insert(Index, u8),
	/// Takes a byte out.
	Remove(Index),
	/// Drops everything from a place on.
	Truncate(Index),
	/// Puts the bytes between two places there once more.
	Repeat(Index, Index),
}

impl Edit {
	fn apply(&self, bytes: &mut Vec<u8>) {
		// One more than the bytes, so that the end can be meant and an empty file changed.
		let places = bytes.len() + 1;
		match self {
			Self::Set(at, byte) => {
				if let Some(changed) = bytes.get_mut(at.index(places)) {
					*changed = *byte;
				}
			}
			Self::Insert(at, byte) => bytes.insert(at.index(places), *byte),
			Self::Remove(at) => {
				bytes.drain(at.index(places)..(at.index(places) + 1).min(places - 1));
			}
			Self::Truncate(at) => bytes.truncate(at.index(places)),
			Self::Repeat(from, to) => {
				let (from, to) = (from.index(places), to.index(places));
				let range = bytes[from.min(to)..from.max(to)].to_vec();
				bytes.splice(from..from, range);
			}
		}
	}
}

/// One to five changes, most of them of single bytes.
pub fn edits() -> impl Strategy<Value = Vec<Edit>> {
	let edit = prop_oneof![
		6 => any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Set(at, byte)),
		2 => any::<(Index, u8)>().prop_map(|(at, byte)| Edit::Insert(at, byte)),
		2 => any::<Index>().prop_map(Edit::Remove),
		1 => any::<Index>().prop_map(Edit::Truncate),
		1 => any::<(Index, Index)>().prop_map(|(from, to)| Edit::Repeat(from, to)),
	];
	vec(edit, 1..6)
}

#[cfg(test)]
mod tests {
	use super::*;

	proptest! {
		#[test]
		fn every_change_can_be_made(bytes in vec(any::<u8>(), 0..20), file: Index, edits in edits()) {
			let corpus = Corpus { files: vec![bytes] };
			// Each of at most five changes can double what is there, or add a byte.
			prop_assert!(corpus.changed(file, &edits).len() < (20 + 5) << 5);
		}
	}

	#[test]
	#[should_panic(expected = "the corpus is in the repository")]
	fn a_missing_corpus_is_noticed() {
		Corpus::read(env!("CARGO_MANIFEST_DIR"), "nothing");
	}
}
