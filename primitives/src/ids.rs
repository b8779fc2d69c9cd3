//! Identifiers that pallets exchange. They are opaque: nothing may be read out of their bits.

use codec::Encode;
use opensand_zk_verifier::InputVisibility;
use sp_core::H256;

use crate::AccountId;

/// BLAKE2-256 of an encoded architecture (`opensand-nn`).
pub type ArchitectureId = H256;
/// A registered model, as [`model_id`] derives it.
pub type ModelId = H256;
/// BLAKE2-256 of an encoded verifying key (`opensand-zk-verifier`).
pub type KeyId = H256;
/// A paid inference request; ids are handed out in order and never reused.
pub type RequestId = u64;

/// The id of a model: BLAKE2-256 over a domain tag, its architecture, the hash of its weights, its input visibility
/// and its owner.
///
/// Whoever registers a model can compute its id beforehand; the same weights under another owner are another model.
pub fn model_id(
	architecture: &ArchitectureId,
	weights_hash: &[u8; 32],
	input_visibility: InputVisibility,
	owner: &AccountId,
) -> ModelId {
	(
		b"opensand/model/v1",
		architecture,
		weights_hash,
		input_visibility,
		owner,
	)
		.using_encoded(sp_crypto_hashing::blake2_256)
		.into()
}
