//! The verifier as a WebAssembly module of its own, with two entry points that differ in nothing but their
//! arithmetic: one calls the node's BLS12-381 host functions, as the runtime does, the other computes in WebAssembly.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

#[cfg(not(feature = "std"))]
mod module {
	extern crate alloc;

	use alloc::vec::Vec;
	use opensand_zk_verifier::{
		verify, Binding, Curve, Host, Native, Proof, Statement, StatementInput, VerifyingKey,
	};
	// The allocator and the panic handler.
	use sp_io as _;

	/// What the runtime does with a result: decodes key and proof, packs the statement, verifies. Repeats it `times`
	/// times, so that the module's instantiation can be taken off, and says whether every repetition accepted.
	fn accepts<C: Curve>(key: &[u8], statement: &Statement, proof: &[u8], times: u32) -> bool {
		(0..times).all(|_| {
			let Ok(key) = VerifyingKey::from_trusted_bytes(key) else {
				return false;
			};
			let Ok(proof) = Proof::from_bytes_with::<C>(proof) else {
				return false;
			};
			let Ok(inputs) = statement.public_inputs() else {
				return false;
			};
			verify::<C>(&key, &inputs, &proof).is_ok()
		})
	}

	fn statement(binding: Binding, input: Vec<i8>, output: Vec<i8>) -> Statement {
		Statement {
			binding,
			input: StatementInput::Public(input),
			output,
		}
	}

	sp_core::wasm_export_functions! {
		fn verify_with_host_calls(
			key: Vec<u8>, binding: Binding, input: Vec<i8>, output: Vec<i8>, proof: Vec<u8>, times: u32,
		) -> bool {
			accepts::<Host>(&key, &statement(binding, input, output), &proof, times)
		}

		fn verify_without_host_calls(
			key: Vec<u8>, binding: Binding, input: Vec<i8>, output: Vec<i8>, proof: Vec<u8>, times: u32,
		) -> bool {
			accepts::<Native>(&key, &statement(binding, input, output), &proof, times)
		}
	}
}
