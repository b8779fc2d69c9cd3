//! How long the verifier of possession takes inside WebAssembly, called through the node's executor.

use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use codec::{Decode, Encode};
use opensand_storage_proof::Claim;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// What the node's executor offers to its runtime besides what every Substrate node does, but for the prover's bridge.
pub type ExtraHostFunctions = sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions;

type HostFunctions = (sp_io::SubstrateHostFunctions, ExtraHostFunctions);

/// Verifications in one call, over which the cost of the call is spread.
const BATCH: u32 = 100;
/// Calls of which the median counts.
const CALLS: usize = 15;

/// One verification: decoding the proof and checking it against its claims.
pub struct Verification {
	/// As the runtime does it: BLAKE2 is a host function.
	pub with_host_calls: Duration,
	/// BLAKE2 in WebAssembly.
	pub without_host_calls: Duration,
}

/// Measures the verification of an encoded proof each way.
///
/// # Errors
/// When the module does not run or refuses the proof.
pub fn measure(claims: &[Claim], proof: &[u8]) -> Result<Verification> {
	let code =
		opensand_wasm_verifier::WASM_BINARY.context("built with SKIP_WASM_BUILD; build again without it")?;
	let executor = WasmExecutor::<HostFunctions>::builder().build();
	let claims: Vec<([u8; 32], u32, u32)> = claims
		.iter()
		.map(|claim| (claim.root, claim.leaves, claim.index))
		.collect();
	let median = |entry| -> Result<Duration> {
		let run = |times: u32| run(&executor, code, entry, &(&claims, proof, times).encode());
		// The first call compiles the module.
		run(1)?;
		let mut times = Vec::with_capacity(CALLS);
		for _ in 0..CALLS {
			let one = run(1)?;
			times.push(run(1 + BATCH)?.saturating_sub(one) / BATCH);
		}
		times.sort_unstable();
		Ok(times[CALLS / 2])
	};
	Ok(Verification {
		with_host_calls: median("verify_possession_with_host_calls")?,
		without_host_calls: median("verify_possession_without_host_calls")?,
	})
}

fn run(
	executor: &WasmExecutor<HostFunctions>,
	code: &[u8],
	entry: &str,
	arguments: &[u8],
) -> Result<Duration> {
	let fetcher = WrappedRuntimeCode(code.into());
	let code = RuntimeCode {
		code_fetcher: &fetcher,
		heap_pages: None,
		hash: sp_crypto_hashing::blake2_256(code).to_vec(),
	};
	let start = Instant::now();
	let (result, _) = executor.call(
		&mut BasicExternalities::default(),
		&code,
		entry,
		arguments,
		CallContext::Offchain,
	);
	let elapsed = start.elapsed();
	ensure!(bool::decode(&mut &result?[..])?, "{entry} refused the proof");
	Ok(elapsed)
}
