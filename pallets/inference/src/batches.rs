//! Many results in one transaction: verified in one equation, or one by one if that fails.

use alloc::vec::Vec;
use frame_support::weights::Weight;
use opensand_primitives::{
	inference::{ResultFault, SignedResult, SignedResults, MAX_STATEMENT_WORDS},
	KeyId,
};
use opensand_zk_verifier::{verify_batch, VerifyingKey};
use sp_runtime::DispatchError;

use crate::{
	verification::{words_under, Claim, Verdict},
	Config, Error, Pallet, Requests, WeightInfo,
};

const LOG_TARGET: &str = "inference";

/// What is known of a result before proofs are verified: a claim with the position of its key, or a fault.
type Prepared = Result<Result<(Claim, usize), ResultFault>, DispatchError>;

impl<T: Config> Pallet<T> {
	/// The weight of so many results, each with the longest statement and under a key of its own, of which one is bad.
	pub fn worst_weight_of_results(count: usize) -> Weight {
		let count = u32::try_from(count).unwrap_or(u32::MAX);
		T::WeightInfo::submit_results_singly(count, count.saturating_mul(MAX_STATEMENT_WORDS))
	}

	/// Settles or rejects each result's request as [`submit_result`](Self::submit_result) does. Returns what was needed.
	///
	/// A result that would be an error there, which is the chain's fault, leaves its request open and does not stand in the
	/// way of the others.
	pub(crate) fn submit_all(results: SignedResults) -> Weight {
		let count = u32::try_from(results.len()).unwrap_or(u32::MAX);
		let mut keys: Vec<(KeyId, VerifyingKey)> = Vec::new();
		let mut words = 0u32;
		let prepared: Vec<Prepared> = results
			.iter()
			.map(|result| Self::prepare(result, &mut keys, &mut words))
			.collect();
		let (verdicts, held) = Self::verify_all(&keys, prepared);
		for (result, verdict) in results.into_iter().zip(verdicts) {
			let request = result.request;
			// A request that is named twice is closed by the first result.
			match (verdict, Requests::<T>::get(request)) {
				(Ok(Ok(())), Some(record)) => Self::settle(request, record, result.output),
				(Ok(Err(fault)), Some(record)) => Self::reject(request, record, fault),
				(Err(error), _) => {
					log::error!(target: LOG_TARGET, "request {request} cannot be judged: {error:?}")
				}
				(Ok(_), None) => (),
			}
		}
		if held {
			let keys = u32::try_from(keys.len()).unwrap_or(u32::MAX).max(1);
			let more_keys = T::WeightInfo::submit_results_of_keys(keys)
				.saturating_sub(T::WeightInfo::submit_results_of_keys(1));
			T::WeightInfo::submit_results(count, words).saturating_add(more_keys)
		} else {
			T::WeightInfo::submit_results_singly(count, words)
		}
	}

	/// Decodes a result and, if no other has the same, its key. Counts the words of its statement.
	fn prepare(result: &SignedResult, keys: &mut Vec<(KeyId, VerifyingKey)>, words: &mut u32) -> Prepared {
		let record = Requests::<T>::get(result.request).ok_or(Error::<T>::UnknownRequest)?;
		let known = keys.iter().position(|(id, _)| *id == record.key);
		let position = match known {
			Some(position) => position,
			None => {
				keys.push((record.key, Self::key_of(&record)?));
				keys.len().saturating_sub(1)
			}
		};
		let (_, key) = keys.get(position).ok_or(Error::<T>::MissingKey)?;
		*words = words.saturating_add(words_under(key));
		let claim = Self::claim(result.request, &record, key, &result.output, &result.proof)?;
		Ok(claim.map(|claim| (claim, position)))
	}

	/// The verdict on each result, in their order, and whether one equation gave them all.
	fn verify_all(
		keys: &[(KeyId, VerifyingKey)],
		prepared: Vec<Prepared>,
	) -> (Vec<Result<Verdict, DispatchError>>, bool) {
		let items: Vec<_> = prepared
			.iter()
			.filter_map(|prepared| prepared.as_ref().ok()?.as_ref().ok())
			.filter_map(|(claim, position)| Some(claim.item(&keys.get(*position)?.1)))
			.collect();
		let held = verify_batch::<T::Curve>(&items).is_ok();
		let judge = |(claim, position): (Claim, usize)| match (held, keys.get(position)) {
			(true, _) => Ok(Ok(())),
			(false, Some((_, key))) => claim.verify::<T>(key),
			(false, None) => Err(Error::<T>::MissingKey.into()),
		};
		let verdicts = prepared
			.into_iter()
			.map(|prepared| match prepared? {
				Ok(claim) => judge(claim),
				Err(fault) => Ok(Err(fault)),
			})
			.collect();
		(verdicts, held)
	}
}
