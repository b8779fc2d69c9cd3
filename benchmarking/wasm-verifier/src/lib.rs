//! The verifiers as a WebAssembly module of their own, each with two entry points that differ in nothing but their
//! arithmetic: one calls the node's host functions (BLS12-381 for inferences, BLAKE2 for possession), as the runtime
//! does, the other computes in WebAssembly. [`Module`] calls them through the node's executor and takes the time.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
#[cfg(feature = "std")]
mod timing;
#[cfg(feature = "std")]
pub use timing::{ExtraHostFunctions, Module};

#[cfg(not(feature = "std"))]
mod module {
	extern crate alloc;

	use alloc::vec::Vec;
	use opensand_storage_proof::{Claim, Hash, Hasher, PossessionScheme, SegmentMerkle};
	use opensand_zk_verifier::{
		verify, verify_batch, BatchItem, Binding, Curve, Host, Native, Proof, Statement, StatementInput,
		VerifyingKey,
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
			verify::<C>(&key, statement, None, &proof).is_ok()
		})
	}

	/// An encoded key, and what is verified under it.
	type Item = (Vec<u8>, Binding, Vec<i8>, Vec<i8>, Vec<u8>);

	/// What the runtime does with several results at once.
	fn accepts_batch<C: Curve>(items: &[Item], times: u32) -> bool {
		let statements: Vec<Statement> = items
			.iter()
			.map(|(_, binding, input, output, _)| statement(binding.clone(), input.clone(), output.clone()))
			.collect();
		(0..times).all(|_| {
			let decoded: Option<Vec<(VerifyingKey, Proof)>> = items
				.iter()
				.map(|(key, .., proof)| {
					let key = VerifyingKey::from_trusted_bytes(key).ok()?;
					Some((key, Proof::from_bytes_with::<C>(proof).ok()?))
				})
				.collect();
			let Some(decoded) = decoded else {
				return false;
			};
			let batch: Vec<BatchItem<'_>> = decoded
				.iter()
				.zip(&statements)
				.map(|((key, proof), statement)| BatchItem {
					key,
					statement,
					weights: None,
					proof,
				})
				.collect();
			verify_batch::<C>(&batch).is_ok()
		})
	}

	fn statement(binding: Binding, input: Vec<i8>, output: Vec<i8>) -> Statement {
		Statement {
			binding,
			input: StatementInput::Public(input),
			output,
		}
	}

	/// BLAKE2-256 by the host function.
	struct HostHash;

	impl Hasher for HostHash {
		fn hash(input: &[u8]) -> Hash {
			sp_io::hashing::blake2_256(input)
		}
	}

	/// BLAKE2-256 in WebAssembly.
	struct ModuleHash;

	impl Hasher for ModuleHash {
		fn hash(input: &[u8]) -> Hash {
			sp_crypto_hashing::blake2_256(input)
		}
	}

	/// What the runtime does with a window's answer, reads of the state apart: decodes and verifies it. Claims are given
	/// by root, leaves and index.
	fn shows<H: Hasher>(claims: &[(Hash, u32, u32)], proof: &[u8], times: u32) -> bool {
		let claims: Vec<Claim> = claims
			.iter()
			.map(|(root, leaves, index)| Claim {
				root: *root,
				leaves: *leaves,
				index: *index,
			})
			.collect();
		(0..times).all(|_| SegmentMerkle::<H>::verify(&claims, proof).is_ok())
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

		fn verify_batch_with_host_calls(items: Vec<Item>, times: u32) -> bool {
			accepts_batch::<Host>(&items, times)
		}

		fn verify_batch_without_host_calls(items: Vec<Item>, times: u32) -> bool {
			accepts_batch::<Native>(&items, times)
		}

		fn verify_possession_with_host_calls(
			claims: Vec<(Hash, u32, u32)>, proof: Vec<u8>, times: u32,
		) -> bool {
			shows::<HostHash>(&claims, &proof, times)
		}

		fn verify_possession_without_host_calls(
			claims: Vec<(Hash, u32, u32)>, proof: Vec<u8>, times: u32,
		) -> bool {
			shows::<ModuleHash>(&claims, &proof, times)
		}
	}
}
