//! The figures as the page that people read.

use std::{fmt::Write, path::Path, time::Duration};

use opensand_durability::{nines, Code, Independent, Parameters, REGION_LOSSES};
use opensand_measure::{commit, date, machine};

use crate::{
	coding::{self, Coding},
	orders::{self, Cost},
	possession::{caught_in_a_day, samples, Possession, WINDOWS_A_DAY},
	stored::Answer,
	transfers::{Transfer, Transfers},
};

const MB_A_CORE: f64 = 200.0;
const MB_GET: f64 = 500.0;
const MB_GET_LOSSY: f64 = 200.0;
const MEMORY_KIB: u64 = 256 * 1024;
const PROOF_BYTES: usize = 24 * 1024;
const VERIFY: Duration = Duration::from_millis(1);
const PROVE: Duration = Duration::from_millis(100);
const MISSING: f64 = 0.01;
const CAUGHT: f64 = 0.999;
const NINES: f64 = 11.0;
/// How many times longer hooks may take with the most orders than with the fewest, for the disk, to count as the same.
const SAME_TIME: f64 = 2.0;

/// Everything that was measured.
pub struct Figures {
	/// The machine's load average before anything was measured.
	pub load: f64,
	/// Encoding and decoding.
	pub coding: Coding,
	/// Windows of providers.
	pub possession: Vec<Possession>,
	/// A window's answer as the node's service makes it.
	pub answer: Answer,
	/// Hooks by the number of orders, the fewest first.
	pub orders: Vec<Cost>,
	/// Losses of files.
	pub durability: Durability,
	/// A file through real nodes.
	pub transfers: Option<Transfers>,
}

/// How durable files are.
pub struct Durability {
	parameters: Parameters,
	codes: Vec<(Code, String, Independent)>,
	/// Nines by the limit to the shards in one region.
	placement: String,
}

impl Durability {
	/// Simulates losses at the library's default churn.
	pub fn simulate() -> Self {
		let parameters = Parameters::default();
		let codes = parameters
			.codes
			.iter()
			.map(|(code, remark)| (*code, remark.clone(), parameters.independent(*code)))
			.collect();
		let placed = [(10, 16), (10, 20), (10, 24), (1, 4)];
		let placement = Parameters {
			codes: placed
				.map(|(needed, total)| (Code { needed, total }, String::new()))
				.into(),
			..parameters.clone()
		}
		.placement_table();
		Self {
			parameters,
			codes,
			placement,
		}
	}
}

impl Figures {
	/// What is written to `page`.
	pub fn render(&self, page: &Path) -> String {
		let mut text = String::new();
		self.write(page, &mut text)
			.expect("a string takes all that is written");
		text
	}

	fn write(&self, page: &Path, text: &mut String) -> std::fmt::Result {
		writeln!(
			text,
			"# Figures of the storage market\n\nMeasured by `make bench-storage` on {}, {}, commit {}; load average {:.1} when \
			 it began. Do not edit: the next run overwrites this page. Megabytes are 10^6 bytes; times are medians.\n",
			machine(),
			date(),
			commit(page),
			self.load,
		)?;
		self.coding(text)?;
		self.transfers(text)?;
		self.possession(text)?;
		self.orders(text)?;
		self.durability(text)?;
		writeln!(
			text,
			"## How they are made\n\n`make bench-storage` builds `benchmarking/storage` and runs it. Encoding and decoding \
			 work in processes of their own, on shards in files that the page cache holds. Provers read segments and stored \
			 trees from files. The verifier of possession is compiled into a WebAssembly module and called through the \
			 node's executor, as the runtime calls it. Hooks are those of the runtime's pallet, run natively on a state in \
			 RocksDB. Losses are simulated by `benchmarking/durability`, which prints more with other \
			 churn and codes: `cargo run --release -p opensand-durability -- --help`. The command then runs the benchmarks of the single \
			 crates, with what each is compared to, and prints them."
		)
	}

	fn coding(&self, text: &mut String) -> std::fmt::Result {
		let Coding {
			encode,
			store,
			decode,
			decode_lossy,
		} = &self.coding;
		writeln!(
			text,
			"## A file of {} MiB, 10 of 16, in the library\n",
			coding::FILE_BYTES >> 20
		)?;
		goals(
			text,
			&[
				(
					format!("encrypt + encode + commit: ≥ {MB_A_CORE} MB/s a core"),
					format!("{:.0} MB/s a core", encode.rate_of_a_core()),
					encode.rate_of_a_core() >= MB_A_CORE,
				),
				(
					format!("get without loss: ≥ {MB_GET} MB/s"),
					format!("{:.0} MB/s", decode.rate()),
					decode.rate() >= MB_GET,
				),
				(
					format!("get with six shards lost: ≥ {MB_GET_LOSSY} MB/s"),
					format!("{:.0} MB/s", decode_lossy.rate()),
					decode_lossy.rate() >= MB_GET_LOSSY,
				),
				(
					format!("memory ≤ {} MiB", MEMORY_KIB / 1024),
					mebibytes(self.coding.peak_kib()),
					self.coding.peak_kib() <= MEMORY_KIB,
				),
			],
		)?;
		writeln!(
			text,
			"| | MB/s by the clock | MB/s a core | Peak memory |\n|---|---:|---:|---:|"
		)?;
		for (name, cost) in [
			("encrypt, encode, commit; blocks forgotten", encode),
			("the same, blocks written to files", store),
			("restore, nothing lost", decode),
			("restore, the first six shards lost", decode_lossy),
		] {
			writeln!(
				text,
				"| {name} | {:.0} | {:.0} | {} |",
				cost.rate(),
				cost.rate_of_a_core(),
				mebibytes(cost.peak_kib),
			)?;
		}
		writeln!(
			text,
			"\nThe rate of a core is by processor time, which other work on the machine changes little.\n"
		)
	}

	fn transfers(&self, text: &mut String) -> std::fmt::Result {
		let Some(transfers) = &self.transfers else {
			return writeln!(
				text,
				"## Put and get through real nodes\n\nNot measured in this run.\n"
			);
		};
		let bytes = transfers.file_bytes;
		let code = &transfers.code;
		writeln!(
			text,
			"## Put and get of {} MiB through real nodes, {code}\n\nA chain, {} providers and the command line on this \
			 machine, one process each. A put ends when all shards are held and proven in a finalised block; most of its \
			 time is the providers' and the chain's.\n",
			bytes >> 20,
			code.total(),
		)?;
		let peak = [&transfers.put, &transfers.get, &transfers.get_lossy]
			.map(|transfer| transfer.peak_kib)
			.into_iter()
			.max()
			.unwrap_or_default();
		goals(
			text,
			&[
				(
					format!("get without loss: ≥ {MB_GET} MB/s"),
					format!("{:.0} MB/s", transfers.get.rate(bytes)),
					transfers.get.rate(bytes) >= MB_GET,
				),
				(
					format!(
						"get with {} providers killed: ≥ {MB_GET_LOSSY} MB/s",
						code.parity()
					),
					format!("{:.0} MB/s", transfers.get_lossy.rate(bytes)),
					transfers.get_lossy.rate(bytes) >= MB_GET_LOSSY,
				),
				(
					format!("memory of the client ≤ {} MiB", MEMORY_KIB / 1024),
					mebibytes(peak),
					peak <= MEMORY_KIB,
				),
			],
		)?;
		writeln!(
			text,
			"| | Time | MB/s | Peak memory of the client | Of that time |\n|---|---:|---:|---:|---|"
		)?;
		for (name, transfer) in [
			("`store put`".to_owned(), &transfers.put),
			("`store get`".to_owned(), &transfers.get),
			(
				format!(
					"`store get`, the providers of the first {} shards killed",
					code.parity()
				),
				&transfers.get_lossy,
			),
		] {
			writeln!(
				text,
				"| {name} | {:.1} s | {:.0} | {} | {} |",
				transfer.time.as_secs_f64(),
				transfer.rate(bytes),
				mebibytes(transfer.peak_kib),
				phases(transfer),
			)?;
		}
		writeln!(text)
	}

	fn possession(&self, text: &mut String) -> std::fmt::Result {
		writeln!(text, "## Proof of possession, {} samples\n", samples())?;
		let held: Vec<&str> = self.possession.iter().map(|window| window.held).collect();
		let held = held.join(" and ");
		let worst = |figure: fn(&Possession) -> Duration| {
			self.possession.iter().map(figure).max().unwrap_or_default()
		};
		let bytes = self.possession.iter().map(|window| window.proof_bytes).max();
		let bytes = bytes.unwrap_or_default();
		let (native, wasm) = (
			worst(|window| window.verify),
			worst(|window| window.wasm.with_host_calls),
		);
		let prove = worst(|window| window.prove_cold).max(self.answer.cold);
		let caught = caught_in_a_day(MISSING);
		goals(
			text,
			&[
				(
					format!("proof ≤ {} KiB, {held} held", PROOF_BYTES / 1024),
					format!("{:.1} KiB", bytes as f64 / 1024.0),
					bytes <= PROOF_BYTES,
				),
				(
					"verification ≤ 1 ms in WebAssembly with host calls, reads of the state apart".into(),
					milliseconds(wasm),
					wasm <= VERIFY,
				),
				("the same natively".into(), milliseconds(native), native <= VERIFY),
				(
					"≤ 100 ms for the provider, as its node answers, from the disk".into(),
					milliseconds(prove),
					prove <= PROVE,
				),
				(
					format!(
						"a provider that misses {:.0} % is caught within a day: p ≥ {CAUGHT}",
						100.0 * MISSING
					),
					format!(
						"{caught:.5}, computed: 1 − 0.99^({} · {WINDOWS_A_DAY})",
						samples()
					),
					caught >= CAUGHT,
				),
			],
		)?;
		writeln!(
			text,
			"| Held | Segments hit | Proof | Prove, data in memory | Prove, from the disk | Verify natively | in WebAssembly, \
			 host calls | in WebAssembly, no host calls |\n|---|---:|---:|---:|---:|---:|---:|---:|"
		)?;
		for window in &self.possession {
			writeln!(
				text,
				"| {} | {} | {} bytes | {} | {} | {} | {} | {} |",
				window.held,
				window.segments,
				window.proof_bytes,
				milliseconds(window.prove),
				milliseconds(window.prove_cold),
				milliseconds(window.verify),
				milliseconds(window.wasm.with_host_calls),
				milliseconds(window.wasm.without_host_calls),
			)?;
		}
		writeln!(
			text,
			"\nSizes are simulated: only the segments that are hit are made. A node takes {} with the data in memory and {} from the \
			 disk, with {} MiB held in its block store: there a leaf lies in a block of 256 KiB, and every block on the way to \
			 it is checked. The probability is for windows of an hour and \
			 honest randomness; `primitives/storage-proof/PROTOCOL.md` has the rest.\n",
			milliseconds(self.answer.warm),
			milliseconds(self.answer.cold),
			self.answer.held >> 20,
		)
	}

	fn orders(&self, text: &mut String) -> std::fmt::Result {
		let (Some(fewest), Some(most)) = (self.orders.first(), self.orders.last()) else {
			return Ok(());
		};
		writeln!(
			text,
			"## Hooks with active orders in the state\n\n`on_initialize` of the storage pallet in the first {} blocks of a \
			 window, with {} providers, of which every other one that is judged missed its window and is slashed. Orders are \
			 {} of {}, with all that they have in the state.\n",
			most.blocks.len(),
			orders::providers(),
			orders::CODE.data,
			orders::CODE.total,
		)?;
		let accesses =
			|cost: &Cost| -> Vec<_> { cost.blocks.iter().map(|block| block.accesses.clone()).collect() };
		let same = self.orders.iter().all(|cost| accesses(cost) == accesses(fewest));
		let slower = most.mean_time().as_secs_f64() / fewest.mean_time().as_secs_f64();
		goals(
			text,
			&[
				(
					"accesses to the storage independent of the number of orders".into(),
					if same {
						"the same in every block".into()
					} else {
						"they differ".into()
					},
					same,
				),
				(
					format!(
						"time independent of it: {} take at most {SAME_TIME} times that of {}",
						power(most.orders),
						power(fewest.orders),
					),
					format!("{slower:.2} times"),
					slower <= SAME_TIME,
				),
			],
		)?;
		writeln!(
			text,
			"| Active orders | Entries | Database | Window's first block: accesses | trie nodes | time | Other blocks, \
			 mean: accesses | trie nodes | time |\n|---:|---:|---:|---:|---:|---:|---:|---:|---:|"
		)?;
		for cost in &self.orders {
			let Some((first, others)) = cost.blocks.split_first() else {
				continue;
			};
			let mean = |figure: fn(&orders::Block) -> usize| {
				others.iter().map(figure).sum::<usize>() as f64 / others.len() as f64
			};
			writeln!(
				text,
				"| {} | {} | {:.0} MB | {} | {} | {} | {:.0} | {:.0} | {} |",
				power(cost.orders),
				cost.entries,
				cost.bytes as f64 / 1e6,
				first.accesses(),
				first.nodes,
				milliseconds(first.time),
				mean(orders::Block::accesses),
				mean(|block| block.nodes),
				milliseconds(cost.mean_time()),
			)?;
		}
		writeln!(
			text,
			"\nWithout the node's caches: every read walks the trie from its root, which is what its nodes count.\n"
		)
	}

	fn durability(&self, text: &mut String) -> std::fmt::Result {
		let Durability {
			parameters,
			codes,
			placement,
		} = &self.durability;
		writeln!(
			text,
			"## Durability\n\nOf all providers {:.0} % are lost for good in a year, independently; a loss is noticed after {} \
			 windows of {} h, and the repair takes {} h.\n",
			100.0 * parameters.annual_loss,
			parameters.fault_limit,
			parameters.window_hours,
			parameters.repair_hours,
		)?;
		if let Some((code, _, default)) = codes.first() {
			let sure = nines(default.simulated.interval().1);
			goals(
				text,
				&[(
					format!("≥ {NINES} nines a year for {code}, at that churn"),
					format!("{sure:.1} at least, with 97.5 % confidence"),
					sure >= NINES,
				)],
			)?;
		}
		writeln!(
			text,
			"| Code | | Expansion | Lost in a year, simulated (95 %) | Nines | Nines by the Markov chain |\n|---|---|---:|---:|---:|---:|"
		)?;
		for (code, remark, Independent { simulated, exact }) in codes {
			let (least, most) = simulated.interval();
			writeln!(
				text,
				"| {code} | {remark} | {:.2} | {:.2e} ({least:.2e} … {most:.2e}) | {:.1} | {:.1} |",
				code.expansion(),
				simulated.mean,
				nines(simulated.mean),
				nines(*exact),
			)?;
		}
		let [rare, frequent] = REGION_LOSSES;
		writeln!(
			text,
			"\nExpansions of others: Storj 2.76 (29 of 80), Crust about 4 (replicas). Every code gets the same providers and \
			 the same repair here.\n\n### Regions that are lost as a whole\n\nIndependent losses are the smaller danger. \
			 Besides them, every region is lost for good {rare} or {frequent} times a year, with all providers in it; a \
			 region stands for whatever fails at once: a place, an operator behind many accounts. A file's shards lie in as \
			 few regions as a limit to the shards in one allows. Nines a year; the simulation has the delays as they are, while \
			 the Markov chain's exponential ones flatter, because they bring some of the shards that were lost together back \
			 early:\n\n{placement}\n\
			 The chain takes one shard of an order for an account, and honours the regions that an order allows. A limit to the \
			 shards in one region, or with one operator, is nothing that an order can ask for today: these figures say what \
			 such a limit would give, and what it takes to choose providers with care.\n"
		)
	}
}

/// A table of goals: what was to be reached, what was measured, and whether it was.
fn goals(text: &mut String, goals: &[(String, String, bool)]) -> std::fmt::Result {
	writeln!(text, "| Goal | Measured | |\n|---|---:|---|")?;
	for (goal, measured, met) in goals {
		let verdict = if *met { "met" } else { "**missed**" };
		writeln!(text, "| {goal} | {measured} | {verdict} |")?;
	}
	writeln!(text)
}

fn milliseconds(time: Duration) -> String {
	format!("{:.2} ms", time.as_secs_f64() * 1e3)
}

fn mebibytes(kib: u64) -> String {
	format!("{:.0} MiB", kib as f64 / 1024.0)
}

/// A power of ten.
fn power(number: u64) -> String {
	format!("10^{}", number.ilog10())
}

/// How long a command was at what.
fn phases(transfer: &Transfer) -> String {
	let parts: Vec<String> = transfer
		.phases
		.iter()
		.map(|(phase, from, to)| format!("{phase} {:.1} s to {:.1} s", from.as_secs_f64(), to.as_secs_f64()))
		.collect();
	parts.join(", ")
}
