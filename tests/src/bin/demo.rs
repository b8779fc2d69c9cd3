//! The main job, shown: a chain is started, the held-out images are stored with providers and read back by an account that
//! was granted access, the digits model is registered, images are sent as paid requests, the worker proves its answers,
//! the chain verifies and pays.
//!
//! With `KEEP=1` in the environment the chain stays up; otherwise nothing is left running, also where Ctrl-C, SIGTERM or
//! a closed terminal ends it.

use std::{
	collections::BTreeMap,
	env, fs,
	io::{stdout, Write},
	path::Path,
	time::Duration,
};

use anyhow::{ensure, Context, Result};
use opensand_tests::{
	client::SAND,
	digits::Digits,
	inference::{wait_for_settlement, Settlement},
	market::{Market, BOND, PRICE, ROYALTY},
	storage::{address_text, grantee, StorageMarket, GRANTEE, OWNER},
};
use opensand_zk_cli::accuracy::class;
use tokio::signal::unix::{signal, SignalKind};

/// Held-out images that are asked about.
const IMAGES: [usize; 6] = [0, 1, 2, 3, 4, 5];
/// Providers that hold the images.
const PROVIDERS: usize = 3;
/// How long an answer may take: two blocks and a proof, with a long tail.
const ANSWER_LIMIT: Duration = Duration::from_secs(300);
/// Width of an 8×8 image in characters.
const IMAGE_SIDE: usize = 8;
/// Brightness from dark to light.
const SHADES: [char; 6] = [' ', '.', ':', 'o', 'O', '@'];

#[tokio::main]
async fn main() -> Result<()> {
	let mut interrupted = signal(SignalKind::interrupt())?;
	let mut terminated = signal(SignalKind::terminate())?;
	let mut hung_up = signal(SignalKind::hangup())?;
	// Where a signal wins, the demonstration is dropped, and its nodes with it.
	tokio::select! {
		result = demonstrate() => return result,
		_ = interrupted.recv() => {},
		_ = terminated.recv() => {},
		_ = hung_up.recv() => {},
	}
	// Nobody may be there to read it.
	let _ = writeln!(stdout(), "\nInterrupted; the chain is stopped.");
	Ok(())
}

async fn demonstrate() -> Result<()> {
	let directory = tempfile::tempdir()?;
	step("Starting a chain and three storage providers, each a process of its own");
	let chain = Market::start_chain().await?;
	let explorer = format!("https://polkadot.js.org/apps/?rpc={}#/explorer", chain.url());
	println!("  look at it while it runs: {explorer}");
	let storage = StorageMarket::join(&chain, PROVIDERS).await?;
	let images = directory.path().join("heldout.images.npy");
	store_images(&storage, &images).await?;

	step("Importing the handwritten-digits model from ONNX, calibrating it, and testing it on the images read back");
	let digits = Digits::import_with(&directory.path().join("digits"), &images)?;
	report_accuracy(&digits);

	step("Making development keys, registering model, key and worker");
	let market = Market::on(chain, &digits).await?;
	println!(
		"  node            process {}, {}",
		market.node.process_id().unwrap_or_default(),
		market.node.url()
	);
	println!("  model           0x{}", hex::encode(market.model));
	println!("  model owner     Charlie, asks {} SAND an answer", sand(ROYALTY));
	println!(
		"  worker          Bob, asks {} SAND, bonded with {} SAND",
		sand(PRICE),
		sand(BOND)
	);

	step("Dave pays for answers about images that the model has never seen");
	for row in picture(&digits)? {
		println!("  {row}");
	}
	let from = market.node.best_number().await?;
	let mut requests = Vec::with_capacity(IMAGES.len());
	for image in IMAGES {
		let request = market.ask(&digits.input(image)?).await?;
		println!("  request {request}: image {image}");
		requests.push((request, image));
	}

	step("The worker proves, the chain verifies and pays");
	let answers = tokio::select! {
		answers = collect(&market, requests, from) => answers?,
		never = show_progress(&market) => never?,
	};
	print_table(&market, &digits, &answers)?;

	report_storage(&storage).await?;

	if env::var("KEEP").is_ok_and(|keep| keep == "1") {
		let mut processes = market.node.detach()?.to_string();
		for provider in storage.providers {
			processes.push_str(&format!(" {}", provider.node.detach()?));
		}
		println!("\nThe chain and its providers keep running: {explorer}\nStop them with: kill {processes}");
	} else {
		println!("\nThe chain is stopped now; `make demo KEEP=1` leaves it running, to be looked at.");
	}
	Ok(())
}

/// Stores the held-out images, shares them, and reads them back into `images` as the account that they are shared with.
async fn store_images(storage: &StorageMarket, images: &Path) -> Result<()> {
	step("Ferdie stores the held-out images: encrypted, any 2 of 3 shards restore them");
	let original = Digits::held_out_images();
	let path = original.to_str().context("a path in UTF-8")?;
	let put = [
		"store",
		"put",
		path,
		"--code",
		"2/3",
		"--windows",
		"120",
		"--training",
	];
	let stored = storage.opensand(OWNER, &put).await?;
	let order = stored["order"].to_string();
	let shown = storage.anybody(&["store", "show", &order]).await?;
	for shard in shown["shards"].as_array().into_iter().flatten() {
		println!(
			"  order {order}, shard {}: {} at {}",
			shard["shard"],
			shard["status"].as_str().unwrap_or_default(),
			shard["provider"].as_str().unwrap_or_default()
		);
	}

	step("Alice is granted access and reads them back from the providers");
	storage.opensand(GRANTEE, &["access", "register"]).await?;
	let account = address_text(&grantee());
	storage
		.opensand(OWNER, &["access", "grant", &order, &account, "--training"])
		.await?;
	let path = images.to_str().context("a path in UTF-8")?;
	storage.opensand(GRANTEE, &["store", "get", &order, path]).await?;
	ensure!(
		fs::read(&original)? == fs::read(images)?,
		"the images that were read back are those that were stored"
	);
	println!("  {} bytes, the same as stored", fs::metadata(images)?.len());
	Ok(())
}

/// What the providers have proven meanwhile.
async fn report_storage(storage: &StorageMarket) -> Result<()> {
	step("Meanwhile the providers have proven what they hold");
	for provider in &storage.providers {
		let status = provider.status().await?;
		println!(
			"  {}: {} bytes, proven up to window {} of {}, {} faults",
			status["provider"]["account"].as_str().unwrap_or_default(),
			status["usedBytes"],
			status["provider"]["lastProvenWindow"],
			status["window"],
			status["provider"]["faults"],
		);
	}
	Ok(())
}

/// An answer that was paid: its request, the held-out image asked about, and how it was settled.
type Answer = (u64, usize, Settlement);

/// Waits for the answers to all requests, which were made in block `from` or later.
async fn collect(market: &Market, requests: Vec<(u64, usize)>, from: u32) -> Result<Vec<Answer>> {
	let mut answers = Vec::with_capacity(requests.len());
	for (request, image) in requests {
		let settlement =
			wait_for_settlement(&market.node, &market.client, request, from, ANSWER_LIMIT).await?;
		println!("  request {request}: settled in block {}", settlement.block);
		answers.push((request, image, settlement));
	}
	Ok(answers)
}

fn step(what: &str) {
	println!("\n==> {what}");
}

/// An amount in SAND.
fn sand(amount: u128) -> String {
	let (whole, rest) = (amount / SAND, amount % SAND);
	let decimals = format!("{rest:012}");
	match decimals.trim_end_matches('0') {
		"" => whole.to_string(),
		decimals => format!("{whole}.{decimals}"),
	}
}

fn report_accuracy(digits: &Digits) {
	let Some(accuracy) = &digits.manifest().held_out else {
		return;
	};
	if let (Some(float), Some(integer)) = (accuracy.float_correct, accuracy.integer_correct) {
		println!(
			"  right on {} held-out images: float model {float}, integer model {integer}",
			accuracy.images
		);
	}
}

/// The images side by side, in characters.
fn picture(digits: &Digits) -> Result<Vec<String>> {
	let mut rows = vec![String::new(); IMAGE_SIDE];
	for image in IMAGES {
		for (row, pixels) in rows.iter_mut().zip(digits.image(image)?.chunks(IMAGE_SIDE)) {
			for pixel in pixels {
				let shade = (pixel * (SHADES.len() - 1) as f32).round() as usize;
				let shade = SHADES[shade.min(SHADES.len() - 1)];
				row.extend([shade, shade]);
			}
			row.push_str("   ");
		}
	}
	Ok(rows)
}

/// Prints every step that the prover takes, without end.
async fn show_progress(market: &Market) -> Result<Vec<Answer>> {
	let mut seen: BTreeMap<u64, String> = BTreeMap::new();
	loop {
		let jobs = market.node.call("prover_jobs", &[]).await?;
		for job in jobs.as_array().into_iter().flatten() {
			let (Some(request), Some(status)) = (job["request"].as_u64(), job["status"].as_str()) else {
				continue;
			};
			let line = match (job["stage"].as_str(), job["percent"].as_u64()) {
				(Some(stage), Some(percent)) => format!("{status}, {stage} {percent} %"),
				_ => status.to_owned(),
			};
			if seen.get(&request) != Some(&line) {
				println!("  request {request}: {line}");
				seen.insert(request, line);
			}
		}
		tokio::time::sleep(Duration::from_millis(50)).await;
	}
}

fn print_table(market: &Market, digits: &Digits, answers: &[Answer]) -> Result<()> {
	let log = market.node.log()?;
	println!(
		"\n{:>7}  {:>5}  {:>5}  {:>6}  {:>8}  {:>12}  {:>10}  {:>9}  {:>10}  {:>9}",
		"request",
		"image",
		"shows",
		"answer",
		"proof",
		"verification",
		"worker got",
		"owner got",
		"author got",
		"treasury",
	);
	let mut right = 0;
	for (request, image, settlement) in answers {
		let (answer, label) = (class(&settlement.output), usize::from(digits.label(*image)?));
		right += usize::from(answer == label);
		println!(
			"{request:>7}  {image:>5}  {label:>5}  {answer:>6}  {:>8}  {:>9.2} ms  {:>10}  {:>9}  {:>10}  {:>9}",
			proof_time(&log, *request).unwrap_or_default(),
			settlement.weight as f64 / 1e9,
			sand(settlement.worker.1),
			sand(settlement.owner.1),
			sand(settlement.author),
			sand(settlement.treasury),
		);
	}
	println!(
		"\n{right} of {} answers are right; every one is proven to be the registered model's.",
		answers.len()
	);
	println!("Proof: time in the prover. Verification: what the block is charged for it. Amounts in SAND.");
	Ok(())
}

/// How long the proof for `request` took, as the node logged it.
fn proof_time(log: &str, request: u64) -> Option<String> {
	let (_, rest) = log.split_once(&format!("Proof for request {request} done in "))?;
	let (time, _) = rest.split_once('\n')?;
	Some(time.to_owned())
}

#[cfg(test)]
mod tests {
	use super::{proof_time, sand};

	#[test]
	fn amounts_are_in_sand() {
		assert_eq!(sand(2_000_000_000_000), "2");
		assert_eq!(sand(2_500_000_000_000), "2.5");
		assert_eq!(sand(1), "0.000000000001");
	}

	#[test]
	fn the_proof_s_time_is_read_from_the_log() {
		let log = "… Proof for request 1 done in 0.25 s\n… Proof for request 10 done in 0.30 s\n";
		assert_eq!(proof_time(log, 10).as_deref(), Some("0.30 s"));
		assert_eq!(proof_time(log, 2), None);
	}
}
