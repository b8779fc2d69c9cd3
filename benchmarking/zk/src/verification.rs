//! Verification natively and in WebAssembly, one proof at a time and in batches.

use std::{sync::Arc, time::Instant};

use anyhow::{anyhow, ensure, Result};
use codec::Encode;
use opensand_wasm_verifier::Module;
use opensand_zk_prover::{setup_dev, CpuBackend, Prover};
use opensand_zk_verifier::{
	verify_batch, BatchItem, Binding, InputVisibility, Native, Proof, Statement, VerifyingKey,
};
use rand::rngs::OsRng;

use crate::{
	inference::{accepted, binding, median, Accepted},
	models::Case,
};

/// Proofs in a batch.
pub const BATCH: usize = 64;
/// Keys in the second batch.
pub const KEYS: usize = 4;
/// Batches of which the median counts.
const CALLS: usize = 9;
/// Verifications in one call into the module, over which the cost of the call is spread.
const REPETITIONS: u32 = 20;
/// As [`REPETITIONS`], for whole batches.
const BATCH_REPETITIONS: u32 = 2;

/// Seconds a proof.
pub struct Verification {
	/// One proof in WebAssembly with the node's host functions.
	pub wasm: f64,
	/// One proof with all arithmetic in WebAssembly.
	pub wasm_alone: f64,
	/// In a batch under one key.
	pub batch: Batch,
	/// In a batch under [`KEYS`] keys.
	pub mixed: Batch,
}

/// Seconds for each proof of a batch.
pub struct Batch {
	/// Natively.
	pub native: f64,
	/// In WebAssembly with the node's host functions.
	pub wasm: f64,
}

/// Measures with proofs of the digits model.
///
/// # Errors
/// When a proof fails or is refused.
pub fn measure() -> Result<Verification> {
	let case = Case::named("digits")?;
	let model = Arc::new(case.model()?);
	let input = Case::input(&model);
	let mut proofs = Vec::with_capacity(KEYS * BATCH);
	for _ in 0..KEYS {
		let (key, _) = setup_dev(model.clone(), InputVisibility::Public, &mut OsRng)?;
		let prover = Prover::new(model.clone(), InputVisibility::Public, key, Arc::new(CpuBackend))?;
		for request in 0..BATCH as u64 {
			proofs.push(accepted(&prover, &input, request)?);
		}
	}
	let module = Module::new()?;
	let single = |entry| {
		let proof = &proofs[0];
		let time = module.median(entry, REPETITIONS, |times| (item(proof), times).encode())?;
		Ok::<_, anyhow::Error>(time.as_secs_f64())
	};
	let one_key = &proofs[..BATCH];
	let mixed: Vec<Accepted> = (0..BATCH)
		.map(|index| proofs[index % KEYS * BATCH + index].clone())
		.collect();
	Ok(Verification {
		wasm: single("verify_with_host_calls")?,
		wasm_alone: single("verify_without_host_calls")?,
		batch: batch(&module, one_key)?,
		mixed: batch(&module, &mixed)?,
	})
}

/// What the module's entry points take of a proof.
type Item<'a> = (&'a [u8], Binding, &'a [i8], &'a [i8], &'a [u8]);

fn item(accepted: &Accepted) -> Item<'_> {
	let key = VerifyingKey::from_trusted_bytes(&accepted.key).map(|key| key.id());
	(
		&accepted.key,
		binding(key.unwrap_or_default(), accepted.request),
		&accepted.input,
		&accepted.output,
		&accepted.proof,
	)
}

fn batch(module: &Module, proofs: &[Accepted]) -> Result<Batch> {
	let each = proofs.len() as f64;
	let items: Vec<Item<'_>> = proofs.iter().map(item).collect();
	let wasm = module.median("verify_batch_with_host_calls", BATCH_REPETITIONS, |times| {
		(&items, times).encode()
	})?;
	let mut times = Vec::with_capacity(CALLS);
	for _ in 0..CALLS {
		let start = Instant::now();
		ensure!(accepts_batch(proofs)?, "the batch is refused");
		times.push(start.elapsed());
	}
	Ok(Batch {
		native: median(&mut times)? / each,
		wasm: wasm.as_secs_f64() / each,
	})
}

/// Decodes keys and proofs and verifies them, as the module does.
fn accepts_batch(proofs: &[Accepted]) -> Result<bool> {
	let decoded: Vec<(VerifyingKey, Statement, Proof)> = proofs
		.iter()
		.map(|accepted| {
			let key = VerifyingKey::from_trusted_bytes(&accepted.key)
				.map_err(|error| anyhow!("the key: {error:?}"))?;
			let statement = accepted.statement(&key);
			let proof = Proof::from_bytes_with::<Native>(&accepted.proof)
				.map_err(|error| anyhow!("the proof: {error:?}"))?;
			Ok((key, statement, proof))
		})
		.collect::<Result<_>>()?;
	let items: Vec<BatchItem<'_>> = decoded
		.iter()
		.map(|(key, statement, proof)| BatchItem {
			key,
			statement,
			weights: None,
			proof,
		})
		.collect();
	Ok(verify_batch::<Native>(&items).is_ok())
}
