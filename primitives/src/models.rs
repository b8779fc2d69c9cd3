//! Registered models: what the chain records of them, and what other pallets ask the registry.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use opensand_zk_verifier::{InputVisibility, KeyOrigin, MAX_KEY_LEN};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};
use sp_runtime::DispatchError;

use crate::{AccountId, ArchitectureId, Balance, KeyId, ModelId};

/// The longest artifact locator (a CID or URI), in bytes.
pub const MAX_LOCATOR_BYTES: u32 = 256;

/// The longest encoded verifying key.
pub const MAX_KEY_BYTES: u32 = MAX_KEY_LEN as u32;

/// An encoded verifying key.
pub type KeyBytes = BoundedVec<u8, ConstU32<MAX_KEY_BYTES>>;

/// Where a model's public artifacts (weights, proving key) can be fetched: a CID or URI as UTF-8.
pub type ArtifactLocator = BoundedVec<u8, ConstU32<MAX_LOCATOR_BYTES>>;

/// What the chain records of an architecture besides its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ArchitectureRecord {
	/// Who registered it and holds the deposit.
	pub depositor: AccountId,
	/// Held under `ArchitectureDeposit`.
	pub deposit: Balance,
	/// Number of int8 values in an input.
	pub input_len: u32,
	/// Number of int8 values in an output.
	pub output_len: u32,
	/// Registered models of this architecture.
	pub models: u32,
}

/// What the chain records of a model.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct ModelRecord {
	/// Who registered it, holds its deposit and earns its royalty.
	pub owner: AccountId,
	/// Its architecture.
	pub architecture: ArchitectureId,
	/// BLAKE2-256 of its encoded weights.
	pub weights_hash: [u8; 32],
	/// Whether statements show the input or its salted hash.
	pub input_visibility: InputVisibility,
	/// What the owner asks for one inference.
	pub royalty: Balance,
	/// Where its artifacts can be fetched.
	pub artifacts: ArtifactLocator,
	/// The verifying key registered for it, accepted or not.
	pub key: Option<KeyId>,
	/// Whether new requests may be made.
	pub active: bool,
	/// Requests that are open now; none may be while the model or its key is removed.
	pub open_uses: u32,
	/// Held under `ModelDeposit`.
	pub deposit: Balance,
}

/// Whether proofs under a key are accepted.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub enum KeyStatus {
	/// Governance has not yet decided on the ceremony. No request can be made.
	Pending,
	/// Requests can be made, and proofs under this key settle them.
	Accepted,
	/// Governance refused it or withdrew its acceptance. No request can be made; those open then still settle.
	Rejected,
}

/// What the chain records of a verifying key besides its bytes.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct KeyRecord {
	/// The one model whose weights are constants of the key's circuit.
	pub model: ModelId,
	/// Whether it is in use.
	pub status: KeyStatus,
	/// Who made it: one machine, or a ceremony with this transcript.
	pub origin: KeyOrigin,
	/// Held from the model's owner under `KeyDeposit`.
	pub deposit: Balance,
}

/// What a pallet must know of a model to sell an inference with it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo)]
pub struct InferenceTerms {
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

/// The model registry as the pallets see it that sell inference.
pub trait ModelView {
	/// The terms of a model that is open for inference and has an accepted key; `None` otherwise.
	fn inference_terms(model: &ModelId) -> Option<InferenceTerms>;

	/// The encoded verifying key; it passed every check of `VerifyingKey::from_bytes` at registration. It is there as
	/// long as its model is in use.
	fn verifying_key(key: &KeyId) -> Option<Vec<u8>>;

	/// Counts one open use of `model`: until [`end_use`](Self::end_use) neither the model nor its key can go. Fails if
	/// the model does not exist or the counter is full.
	fn begin_use(model: &ModelId) -> Result<(), DispatchError>;

	/// Ends one use that [`begin_use`](Self::begin_use) counted.
	fn end_use(model: &ModelId);
}

/// Sets models up for the benchmarks of the pallets that use them.
#[cfg(feature = "trapdoor")]
pub trait BenchmarkModels {
	/// Registers a model of `owner` with an accepted key, ready for inference. `architecture` and `key` are the bytes
	/// that the registry's own calls would take; `owner` need not hold funds. Registering the same again is no error.
	fn benchmark_model(
		owner: AccountId,
		architecture: Vec<u8>,
		input_visibility: InputVisibility,
		key: Vec<u8>,
	) -> ModelId;
}
