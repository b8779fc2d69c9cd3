//! What other pallets ask the model registry.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode};
use opensand_zk_verifier::InputVisibility;
use scale_info::TypeInfo;

use crate::{KeyId, ModelId};

/// What a pallet must know of a model to sell an inference with it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct InferenceTerms<AccountId, Balance> {
	/// Who is paid the owner's share.
	pub owner: AccountId,
	/// The verifying key that a proof of this model must satisfy.
	pub key: KeyId,
	/// Number of int8 values in an input.
	pub input_len: u32,
	/// Number of int8 values in an output.
	pub output_len: u32,
	/// Whether the statement carries the input itself or its salted hash.
	pub input_visibility: InputVisibility,
	/// What the owner asks for one inference, apart from the worker's pay.
	pub royalty: Balance,
}

/// Read access to registered models.
pub trait ModelView<AccountId, Balance> {
	/// The terms of a model that is open for inference and has an accepted key; `None` otherwise.
	fn inference_terms(model: &ModelId) -> Option<InferenceTerms<AccountId, Balance>>;

	/// The encoded verifying key; it passed every check of `VerifyingKey::from_bytes` at registration.
	fn verifying_key(key: &KeyId) -> Option<Vec<u8>>;

	/// Registers a model with an accepted key for benchmarks, ready for inference, and returns its id.
	/// The key and model must be those for which `benchmark_proof` data was made.
	#[cfg(feature = "runtime-benchmarks")]
	fn benchmark_model(owner: AccountId) -> ModelId;
}
