//! The figures as the page that people read.

use std::path::Path;

use opensand_measure::{commit, date, machine};

use crate::{capacity::Capacity, proving::Proving, transfers::Import, verification::Verification};

/// Everything that was measured.
pub struct Figures {
	/// Proving.
	pub proving: Proving,
	/// Verification.
	pub verification: Verification,
	/// Capacity of a block.
	pub capacity: Capacity,
	/// Import of transfers.
	pub import: Import,
	/// Bytes of the runtime's compressed WebAssembly.
	pub wasm_bytes: usize,
}

/// What is written to `page`.
pub fn render(figures: &Figures, page: &Path) -> String {
	let Figures {
		proving,
		verification,
		capacity,
		import,
		wasm_bytes,
	} = figures;
	let milliseconds = |duration: std::time::Duration| duration.as_secs_f64() * 1e3;
	let per_block = capacity.results as f64;
	let together_per_block = capacity.results_together as f64;
	format!(
		"# Figures

Measured by `make bench` on {machine}, {date}, commit {commit}. Do not edit: the next run overwrites this page.
The storage market has a page of its own, [storage.md](storage.md).

## Proving the digits model

A 64-64-10 perceptron with public input, {constraints} constraints, proving key {key:.1} MB. Medians, with evaluation of the
model and verification of the proof; both provers ran in this measurement, on the same constraint system.

| Prover | Time | Peak memory |
|---|---:|---:|
| opensand-zk-prover, CPU backend | {ours:.0} ms | {our_memory:.0} MiB |
| ark-groth16 {ark} | {theirs:.0} ms | {their_memory:.0} MiB |

## Verifying it in WebAssembly

Decoding key and proof with every check, packing the statement, and the pairing check. Medians.

| Arithmetic | Time |
|---|---:|
| BLS12-381 host functions, as the runtime verifies | {host:.2} ms |
| in WebAssembly | {wasm:.2} ms |

## Capacity

| Figure | Value |
|---|---:|
| Charged for one result (authorisation, verification, settlement) | {result:.2} ms |
| Results in a block of {block:.0} ms for ordinary transactions | {per_block:.0} |
| The same, {together} sent together, of one key | {together_per_block:.0} |
| Results a second at one block in {seconds:.0} s, singly and together | {rate:.1}, {together_rate:.1} |
| Transfers a second that a node imports ({transfers} in {blocks} blocks, {elapsed:.1} s) | {transfer_rate:.0} |
| Compressed runtime | {kib:.0} KiB |

## How they are made

`make bench` builds `benchmarking/figures` and runs it: the digits model is imported and set up as the demonstration does;
each prover works in a process of its own; the verifier is compiled into a WebAssembly module with both kinds of
arithmetic and called through the node's executor; the transfers are made by a development node, exported and imported
into an empty database. Capacity follows from the pallets' weights, which `make weights` measures with a margin for the database, so it says what the chain allows, not what the machine could do.
",
		machine = machine(),
		date = date(),
		commit = commit(page),
		constraints = proving.constraints,
		key = proving.proving_key_bytes as f64 / 1e6,
		ours = proving.opensand.milliseconds,
		our_memory = proving.opensand.peak_kib as f64 / 1024.0,
		ark = "0.6",
		theirs = proving.arkworks.milliseconds,
		their_memory = proving.arkworks.peak_kib as f64 / 1024.0,
		host = milliseconds(verification.with_host_calls),
		wasm = milliseconds(verification.without_host_calls),
		result = capacity.result_weight as f64 / 1e9,
		block = capacity.block_weight as f64 / 1e9,
		seconds = capacity.block_seconds,
		rate = per_block / capacity.block_seconds,
		together = pallet_inference::MAX_SENT_TOGETHER,
		together_rate = together_per_block / capacity.block_seconds,
		transfers = import.transfers,
		blocks = import.blocks,
		elapsed = import.elapsed.as_secs_f64(),
		transfer_rate = f64::from(import.transfers) / import.elapsed.as_secs_f64(),
		kib = *wasm_bytes as f64 / 1024.0,
	)
}
