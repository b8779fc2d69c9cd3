//! Which general transactions of workers are valid.
//!
//! They pay no fee, so only what cannot be multiplied at will may pass: one per open request, signed by the worker
//! that is bonded for it. Nothing is verified here but that signature.

use codec::Encode;
use frame_support::pallet_prelude::{
	InvalidTransaction, TransactionPriority, TransactionSource, TransactionValidityError,
	TransactionValidityWithRefund, ValidTransaction, Weight,
};
use opensand_primitives::{
	inference::{decline_payload, result_payload, OutputBytes, ProofBytes, RequestRecord},
	worker_key, RequestId,
};
use sp_runtime::{traits::Zero, RuntimeAppPublic};

use crate::{Config, Pallet, Requests, Workers};

/// Prefix of the pool's tag of a request. Result and refusal share it: whichever comes first closes the request.
const TAG_PREFIX: &[u8] = b"opensand/inference";

/// Before everything that pays by fee: a result keeps a bonded worker's slot and a user's money waiting, and cannot be
/// multiplied.
const PRIORITY: TransactionPriority = TransactionPriority::MAX / 2;

impl<T: Config> Pallet<T> {
	/// Hash of the chain's first block.
	pub fn genesis_hash() -> [u8; 32] {
		frame_system::Pallet::<T>::block_hash(frame_system::pallet_prelude::BlockNumberFor::<T>::zero()).0
	}

	/// Whether a `submit_result` may be included: the request is open, its last block has not passed, and the assigned
	/// worker signed exactly this result. `Stale` for the first two, `BadProof` for the last.
	pub(crate) fn authorize_result(
		_: TransactionSource,
		request: &RequestId,
		output: &OutputBytes,
		proof: &ProofBytes,
		signature: &worker_key::Signature,
	) -> TransactionValidityWithRefund {
		Self::authorize(*request, signature, |genesis| {
			result_payload(genesis, *request, output, proof)
		})
	}

	/// As [`authorize_result`](Self::authorize_result), for a `decline_request`.
	pub(crate) fn authorize_decline(
		_: TransactionSource,
		request: &RequestId,
		signature: &worker_key::Signature,
	) -> TransactionValidityWithRefund {
		Self::authorize(*request, signature, |genesis| decline_payload(genesis, *request))
	}

	fn authorize(
		request: RequestId,
		signature: &worker_key::Signature,
		payload: impl FnOnce(&[u8; 32]) -> alloc::vec::Vec<u8>,
	) -> TransactionValidityWithRefund {
		let now = Self::now();
		let record = Self::answerable(request, now).ok_or(InvalidTransaction::Stale)?;
		let key = Workers::<T>::get(&record.worker)
			.ok_or(InvalidTransaction::Stale)?
			.key;
		if !key.verify(&payload(&Self::genesis_hash()), signature) {
			return Err(TransactionValidityError::Invalid(InvalidTransaction::BadProof));
		}
		let validity = ValidTransaction {
			priority: PRIORITY,
			requires: Default::default(),
			provides: alloc::vec![(TAG_PREFIX, request).encode()],
			longevity: record.closes_at().saturating_sub(now).saturating_add(1).into(),
			propagate: true,
		};
		Ok((validity, Weight::zero()))
	}

	/// The record of a request that can still be answered in block `now`.
	fn answerable(request: RequestId, now: opensand_primitives::BlockNumber) -> Option<RequestRecord> {
		Requests::<T>::get(request).filter(|record| now <= record.closes_at())
	}
}
