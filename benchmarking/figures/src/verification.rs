//! How long the verifier takes inside WebAssembly, with the node's BLS12-381 host functions and without them.

use std::time::Duration;

use anyhow::Result;
use codec::Encode;
use opensand_wasm_verifier::Module;
use opensand_zk_verifier::Binding;

/// Verifications in one call, over which the cost of the call is spread.
const REPETITIONS: u32 = 20;

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
	let module = Module::new()?;
	let median = |entry| module.median(entry, REPETITIONS, |times| (accepted, times).encode());
	Ok(Verification {
		with_host_calls: median("verify_with_host_calls")?,
		without_host_calls: median("verify_without_host_calls")?,
	})
}
