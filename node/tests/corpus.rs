//! Replays the fuzz corpora, so that what fuzzing once found stays found without a fuzzer, and tries random changes of them.

#[path = "../fuzz/targets.rs"]
mod targets;

use opensand_corpus::{edits, Corpus};
use opensand_node::prover::{protocol, record};
use proptest::{prelude::*, sample::Index};

fn corpus(target: &str) -> Corpus {
	Corpus::read(env!("CARGO_MANIFEST_DIR"), target)
}

#[test]
fn assignments() {
	corpus("assignment").replay(targets::assignment);
}

#[test]
fn what_workers_say() {
	corpus("from_worker").replay(targets::from_worker);
}

#[test]
fn records_of_the_queue() {
	corpus("queue_record").replay(targets::queue_record);
}

#[test]
fn answers_of_the_bridge() {
	corpus("bridge_answer").replay(targets::bridge_answer);
}

proptest! {
	#![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

	#[test]
	fn changed_assignments(file: Index, edits in edits()) {
		targets::assignment(&corpus("assignment").changed(file, &edits));
	}

	#[test]
	fn changed_words_of_workers(file: Index, edits in edits()) {
		targets::from_worker(&corpus("from_worker").changed(file, &edits));
	}

	#[test]
	fn changed_records_of_the_queue(file: Index, edits in edits()) {
		targets::queue_record(&corpus("queue_record").changed(file, &edits));
	}

	#[test]
	fn changed_answers_of_the_bridge(file: Index, edits in edits()) {
		targets::bridge_answer(&corpus("bridge_answer").changed(file, &edits));
	}
}
