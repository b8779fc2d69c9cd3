//! How long the verifier of possession takes inside WebAssembly, called through the node's executor.

use std::time::Duration;

use anyhow::Result;
use codec::Encode;
use opensand_storage_proof::Claim;
use opensand_wasm_verifier::Module;

/// Verifications in one call, over which the cost of the call is spread.
const REPETITIONS: u32 = 100;

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
	let module = Module::new()?;
	let claims: Vec<([u8; 32], u32, u32)> = claims
		.iter()
		.map(|claim| (claim.root, claim.leaves, claim.index))
		.collect();
	let median = |entry| module.median(entry, REPETITIONS, |times| (&claims, proof, times).encode());
	Ok(Verification {
		with_host_calls: median("verify_possession_with_host_calls")?,
		without_host_calls: median("verify_possession_without_host_calls")?,
	})
}
