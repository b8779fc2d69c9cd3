//! Which general transactions of workers are valid.
//!
//! They pay no fee, so only what cannot be multiplied at will may pass: one per open request, signed by the worker
//! that is bonded for it. Nothing is verified here but that signature.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::pallet_prelude::{
	InvalidTransaction, TransactionPriority, TransactionSource, TransactionValidityError,
	TransactionValidityWithRefund, ValidTransaction, Weight,
};
use opensand_primitives::{
	inference::{
		decline_payload, result_payload, OutputBytes, ProofBytes, RequestRecord, SignedResult, SignedResults,
	},
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

	/// Whether a `submit_results` may be included: each of its results may, and no two are for one request. `Call` if there
	/// are none or two are. It has the pool's tags of all its requests, so it stands in for single results.
	pub(crate) fn authorize_results(
		source: TransactionSource,
		results: &SignedResults,
	) -> TransactionValidityWithRefund {
		let mut requests: Vec<RequestId> = results.iter().map(|result| result.request).collect();
		requests.sort_unstable();
		requests.dedup();
		if results.is_empty() || requests.len() != results.len() {
			return Err(InvalidTransaction::Call.into());
		}
		let mut validity = ValidTransaction {
			priority: PRIORITY,
			..Default::default()
		};
		for result in results {
			let SignedResult {
				request,
				output,
				proof,
				signature,
			} = result;
			let (single, _) = Self::authorize_result(source, request, output, proof, signature)?;
			validity.longevity = validity.longevity.min(single.longevity);
			validity.provides.extend(single.provides);
		}
		Ok((validity, Weight::zero()))
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
