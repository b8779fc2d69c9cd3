//! How long an entry point takes when it is called through the node's executor.

use std::time::{Duration, Instant};

use anyhow::{ensure, Context, Result};
use codec::Decode;
use sc_executor::WasmExecutor;
use sp_core::traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode};
use sp_state_machine::BasicExternalities;

/// What the node's executor offers to its runtime besides what every Substrate node does, but for the prover's bridge.
pub type ExtraHostFunctions = sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions;

type HostFunctions = (sp_io::SubstrateHostFunctions, ExtraHostFunctions);

/// Calls of which the median counts.
const CALLS: usize = 9;

/// The module, ready to be called.
pub struct Module {
	executor: WasmExecutor<HostFunctions>,
	code: &'static [u8],
}

impl Module {
	/// The module as it was built.
	///
	/// # Errors
	/// When it was left out of the build.
	pub fn new() -> Result<Self> {
		Ok(Self {
			executor: WasmExecutor::builder().build(),
			code: crate::WASM_BINARY.context("built with SKIP_WASM_BUILD; build again without it")?,
		})
	}

	/// The median time of one repetition of what `entry` repeats. A call with one repetition is taken off one with
	/// `repetitions` more, so that entering the module does not count. `arguments` encodes all arguments, the last of
	/// which is the number of repetitions.
	///
	/// # Errors
	/// When the module does not run or refuses the proof.
	pub fn median(
		&self,
		entry: &str,
		repetitions: u32,
		arguments: impl Fn(u32) -> Vec<u8>,
	) -> Result<Duration> {
		// The first call compiles the module.
		self.call(entry, &arguments(1))?;
		let mut times = Vec::with_capacity(CALLS);
		for _ in 0..CALLS {
			let one = self.call(entry, &arguments(1))?;
			let more = self.call(entry, &arguments(1 + repetitions))?;
			times.push(more.saturating_sub(one) / repetitions);
		}
		times.sort_unstable();
		Ok(times[CALLS / 2])
	}

	fn call(&self, entry: &str, arguments: &[u8]) -> Result<Duration> {
		let fetcher = WrappedRuntimeCode(self.code.into());
		let code = RuntimeCode {
			code_fetcher: &fetcher,
			heap_pages: None,
			hash: sp_crypto_hashing::blake2_256(self.code).to_vec(),
		};
		let start = Instant::now();
		let (result, _) = self.executor.call(
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
}
