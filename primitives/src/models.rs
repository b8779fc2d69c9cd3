//! Registered models: what the chain records of them, and what other pallets ask the registry.

use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use opensand_zk_verifier::{InputVisibility, KeyOrigin, G1_LEN, MAX_KEY_LEN, PROOF_LEN};
use scale_info::TypeInfo;
use sp_core::{bounded::BoundedVec, ConstU32};
use sp_runtime::DispatchError;

use crate::{AccountId, ArchitectureId, Balance, KeyId, ModelId, OrderId};

/// The longest artifact locator (a CID or URI), in bytes.
pub const MAX_LOCATOR_BYTES: u32 = 256;

/// The longest encoded verifying key.
pub const MAX_KEY_BYTES: u32 = MAX_KEY_LEN as u32;

/// An encoded verifying key.
pub type KeyBytes = BoundedVec<u8, ConstU32<MAX_KEY_BYTES>>;

/// An encoded commitment to a model's weights: the point D_w of G1, uncompressed.
pub type CommitmentBytes = [u8; G1_LEN];

/// An encoded proof that registers a commitment to weights.
pub type RegistrationProof = [u8; PROOF_LEN];

/// Where a model's public artifacts (weights, proving key) can be fetched: a CID or URI as UTF-8.
pub type ArtifactLocator = BoundedVec<u8, ConstU32<MAX_LOCATOR_BYTES>>;

/// The most datasets that a model can be declared to be trained on.
pub const MAX_TRAINING_SETS: u32 = 64;

/// A dataset that a model's owner declared to have trained it on.
#[derive(
	Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen,
)]
pub struct TrainingSet {
	/// Its storage order.
	pub dataset: OrderId,
	/// The digest of its manifest, which says what it was, also when the order is gone.
	pub manifest: [u8; 32],
}

/// The datasets that a model was trained on, in the order in which they were declared.
pub type TrainingSets = BoundedVec<TrainingSet, ConstU32<MAX_TRAINING_SETS>>;

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
	/// Registered families of this architecture.
	pub families: u32,
}

/// Where the weights of a model are.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub enum ModelWeights {
	/// Constants of the circuit of a key of the model's own.
	Constant,
	/// In a commitment, under the key of a family: key and circuit are the architecture's.
	Committed {
		/// What inferences are proven with, once a registration proof has shown that it opens to well-formed weights.
		commitment: Option<CommitmentBytes>,
		/// The model whose training this one carries on, if its owner says so. It may have been removed since.
		previous: Option<ModelId>,
	},
}

impl ModelWeights {
	/// The activated commitment.
	pub fn commitment(&self) -> Option<&CommitmentBytes> {
		match self {
			Self::Constant => None,
			Self::Committed { commitment, .. } => commitment.as_ref(),
		}
	}

	/// Whether inferences can be proven: the weights are constants, or their commitment is activated.
	pub fn are_known(&self) -> bool {
		*self == Self::Constant || self.commitment().is_some()
	}
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
	/// The verifying key of its inferences, accepted or not: one of its own, or its family's.
	pub key: Option<KeyId>,
	/// Whether its weights are constants of that key's circuit or committed.
	pub weights: ModelWeights,
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

/// What the chain records of a key family besides its bytes. It is known by its inference key.
///
/// Two keys of one set-up: under the registration key owners prove that a commitment opens to well-formed weights, under
/// the inference key workers prove that the model with these weights gave an answer. Both are the architecture's, so any
/// number of models and versions share them.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, TypeInfo, MaxEncodedLen)]
pub struct FamilyRecord {
	/// Who registered it and holds the deposit.
	pub depositor: AccountId,
	/// The architecture whose circuits the keys are of.
	pub architecture: ArchitectureId,
	/// Whether statements of inferences show the input or its salted hash.
	pub input_visibility: InputVisibility,
	/// The registration key.
	pub registration: KeyId,
	/// Whether it is in use.
	pub status: KeyStatus,
	/// Who made both keys: one machine, or a ceremony with this transcript.
	pub origin: KeyOrigin,
	/// Registered models with weights under this family.
	pub models: u32,
	/// Held under `KeyDeposit`.
	pub deposit: Balance,
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
	/// The commitment to the model's weights that a proof must be of, where they are no constants.
	pub commitment: Option<CommitmentBytes>,
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
	/// The terms of a model that is open for inference, has an accepted key and, where its weights are committed, an
	/// activated commitment; `None` otherwise.
	fn inference_terms(model: &ModelId) -> Option<InferenceTerms>;

	/// The encoded verifying key; it passed every check of `VerifyingKey::from_bytes` at registration. It is there as
	/// long as its model is in use.
	fn verifying_key(key: &KeyId) -> Option<Vec<u8>>;

	/// The commitment to a model's weights, where they are no constants; it passed every check of
	/// `WeightsCommitment::from_bytes`. It never changes while the model is in use.
	fn commitment(model: &ModelId) -> Option<CommitmentBytes>;

	/// Counts one open use of `model`: until [`end_use`](Self::end_use) neither the model nor its key can go. Fails if
	/// the model does not exist or the counter is full.
	fn begin_use(model: &ModelId) -> Result<(), DispatchError>;

	/// Ends one use that [`begin_use`](Self::begin_use) counted.
	fn end_use(model: &ModelId);
}

/// Keys and a commitment for [`BenchmarkModels`].
#[cfg(feature = "trapdoor")]
pub struct BenchmarkFamily {
	/// The encoded registration key.
	pub registration: Vec<u8>,
	/// The encoded inference key.
	pub inference: Vec<u8>,
	/// The commitment to the model's weights.
	pub commitment: CommitmentBytes,
}

/// Sets models up for the benchmarks of the pallets that use them.
#[cfg(feature = "trapdoor")]
pub trait BenchmarkModels {
	/// Registers a model of `owner` with activated weights under an accepted family, ready for inference: the kind whose
	/// verification costs most. `architecture` and `family` have the bytes that the registry's own calls would take;
	/// `owner` need not hold funds. Registering the same again is no error.
	fn benchmark_model(
		owner: AccountId,
		architecture: Vec<u8>,
		input_visibility: InputVisibility,
		family: BenchmarkFamily,
	) -> ModelId;
}
