//! How long the verifier takes inside WebAssembly, with the node's BLS12-381 host functions and without them.

use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure, Result};
use codec::{Decode, Encode};
use opensand_zk_verifier::Binding;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// What the runtime's executor offers to a module that verifies.
type HostFunctions = (
	sp_io::SubstrateHostFunctions,
	sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions,
);

/// Verifications in one call, over which the cost of the call is spread.
const BATCH: u32 = 20;
/// Calls of which the median counts.
const CALLS: usize = 9;

/// An accepted proof with everything that it is verified against.
#[derive(Clone, Encode)]
pub struct Accepted {
	/// The encoded verifying key.
	pub key: Vec<u8>,
	/// What the proof is bound to.
	pub binding: Binding,
	/// The public input.
	pub input: Vec<i8>,
	/// The output.
	pub output: Vec<i8>,
	/// The encoded proof.
	pub proof: Vec<u8>,
}

/// One verification: decoding key and proof, packing the statement, and the pairing check.
pub struct Verification {
	/// As the runtime does it.
	pub with_host_calls: Duration,
	/// All arithmetic in WebAssembly.
	pub without_host_calls: Duration,
}

/// Measures one verification of `accepted` each way.
///
/// # Errors
/// When the module does not run or refuses the proof.
pub fn measure(accepted: &Accepted) -> Result<Verification> {
	let code = opensand_wasm_verifier::WASM_BINARY
		.ok_or_else(|| anyhow!("built with SKIP_WASM_BUILD; build again without it"))?;
	let executor = WasmExecutor::<HostFunctions>::builder().build();
	Ok(Verification {
		with_host_calls: median(&executor, code, "verify_with_host_calls", accepted)?,
		without_host_calls: median(&executor, code, "verify_without_host_calls", accepted)?,
	})
}

fn median(
	executor: &WasmExecutor<HostFunctions>,
	code: &[u8],
	entry: &str,
	accepted: &Accepted,
) -> Result<Duration> {
	// The first call compiles the module.
	run(executor, code, entry, accepted, 1)?;
	let mut times = Vec::with_capacity(CALLS);
	for _ in 0..CALLS {
		let one = run(executor, code, entry, accepted, 1)?;
		let many = run(executor, code, entry, accepted, 1 + BATCH)?;
		times.push(many.saturating_sub(one) / BATCH);
	}
	times.sort_unstable();
	Ok(times[CALLS / 2])
}

fn run(
	executor: &WasmExecutor<HostFunctions>,
	code: &[u8],
	entry: &str,
	accepted: &Accepted,
	times: u32,
) -> Result<Duration> {
	let fetcher = WrappedRuntimeCode(code.into());
	let code = RuntimeCode {
		code_fetcher: &fetcher,
		heap_pages: None,
		hash: sp_crypto_hashing::blake2_256(code).to_vec(),
	};
	let arguments = (accepted, times).encode();
	let start = Instant::now();
	let (result, _) = executor.call(
		&mut BasicExternalities::default(),
		&code,
		entry,
		&arguments,
		CallContext::Offchain,
	);
	let elapsed = start.elapsed();
	ensure!(bool::decode(&mut &result?[..])?, "{entry} refused the proof");
	Ok(elapsed)
}
