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
/// A storage order, and the dataset that it keeps; ids are handed out in order and never reused.
pub type OrderId = u64;
/// An offer to sell licences for a dataset; ids are handed out in order and never reused.
pub type ListingId = u64;
/// A purchase of a licence; ids are handed out in order and never reused.
pub type PurchaseId = u64;

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

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn every_part_changes_a_models_id() {
		let (architecture, weights, owner) =
			(ArchitectureId::repeat_byte(1), [2; 32], AccountId::new([3; 32]));
		let id = model_id(&architecture, &weights, InputVisibility::Public, &owner);
		let others = [
			model_id(&ArchitectureId::zero(), &weights, InputVisibility::Public, &owner),
			model_id(&architecture, &[0; 32], InputVisibility::Public, &owner),
			model_id(&architecture, &weights, InputVisibility::Hashed, &owner),
			model_id(
				&architecture,
				&weights,
				InputVisibility::Public,
				&AccountId::new([0; 32]),
			),
		];
		assert!(others.iter().all(|other| *other != id));
	}

	/// Clients compute ids too: the layout may not change unnoticed.
	#[test]
	fn a_models_id_is_the_hash_of_its_parts_in_order() {
		let id = model_id(
			&ArchitectureId::repeat_byte(1),
			&[2; 32],
			InputVisibility::Hashed,
			&AccountId::new([3; 32]),
		);
		let parts = [
			b"opensand/model/v1".as_slice(),
			&[1; 32],
			&[2; 32],
			&[1],
			&[3; 32],
		]
		.concat();
		assert_eq!(id.0, sp_crypto_hashing::blake2_256(&parts));
	}
}
