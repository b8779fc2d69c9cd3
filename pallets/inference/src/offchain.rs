//! What a worker's node does at every new best block: it looks up the requests assigned to the keys in its keystore,
//! hands them to the prover, and sends what the prover has finished.
//!
//! Off-chain workers run on every fork and may overlap. Each step is therefore idempotent: a job is identified by its
//! content, a result by its request, which is the transaction pool's tag. What was sent is remembered in local storage
//! only to spare the pool repetitions.

use alloc::vec::Vec;
use codec::Encode;
use frame_support::traits::Get;
use frame_system::offchain::{CreateAuthorizedTransaction, SubmitTransaction};
use opensand_primitives::{
	inference::{decline_payload, result_payload, RequestInput, RequestRecord, SignedResult, SignedResults},
	models::ModelView,
	proving::{BridgeError, JobFailure, JobInput, JobResult, JobStatus, ProvingJob},
	worker_key, AccountId, BlockNumber, RequestId,
};
use sp_runtime::{offchain::storage::StorageValueRef, RuntimeAppPublic};

use crate::{Assigned, Call, Config, Inputs, Pallet, Requests, WorkerOfKey};

const LOG_TARGET: &str = "inference";

/// Local storage key prefix of the transactions that were sent for a worker.
const SENT_PREFIX: &[u8] = b"opensand/inference/sent";

/// After how many blocks a transaction that is not included yet is sent again, in case the pool has lost it.
const RESEND_AFTER: BlockNumber = 5;

/// Most results in one transaction. In the worst case, with one bad result among them, they take about half of what a block
/// has for ordinary transactions, so that a batch is included and leaves room.
pub const MAX_SENT_TOGETHER: u32 = 16;

/// The open requests for which something was sent, and when.
type Sent = Vec<(RequestId, BlockNumber)>;

/// What is to be sent for a request.
enum Answer<T: Config> {
	/// By itself, now.
	Alone(Call<T>),
	/// A result that can wait for another attempt, so it may go with others.
	Result(SignedResult),
}

impl<T: Config> Pallet<T> {
	/// Serves the workers whose keys are in the node's keystore.
	pub(crate) fn serve_assigned_requests() {
		for key in worker_key::Public::all() {
			let Some(worker) = WorkerOfKey::<T>::get(&key) else {
				continue;
			};
			if Self::serve_worker(&key, &worker) == Err(BridgeError::Unavailable) {
				log::debug!(target: LOG_TARGET, "no prover on this node: run it with --worker to answer requests");
				return;
			}
		}
	}

	fn serve_worker(key: &worker_key::Public, worker: &AccountId) -> Result<(), BridgeError> {
		let open = Assigned::<T>::get(worker);
		let storage_key = (SENT_PREFIX, worker).encode();
		let storage = StorageValueRef::persistent(&storage_key);
		let remembered = storage.get::<Sent>().ok().flatten().unwrap_or_default();
		let mut sent = remembered.clone();
		sent.retain(|(request, _)| open.contains(request));

		let now = Self::now();
		let mut results = Vec::new();
		for request in open {
			let sent_recently = |(id, at): &(RequestId, BlockNumber)| {
				*id == request && (*at..at.saturating_add(RESEND_AFTER)).contains(&now)
			};
			if sent.iter().any(sent_recently) {
				continue;
			}
			match Self::serve_request(key, request) {
				Ok(Some(Answer::Alone(call))) => {
					if Self::send(call) {
						note(&mut sent, request, now);
					}
				}
				Ok(Some(Answer::Result(result))) => results.push(result),
				Ok(None) => (),
				Err(BridgeError::Unavailable) => return Err(BridgeError::Unavailable),
				Err(error) => {
					log::warn!(target: LOG_TARGET, "request {request}: the prover answered {error:?}")
				}
			}
		}
		for request in Self::send_results(results) {
			note(&mut sent, request, now);
		}
		if sent != remembered {
			storage.set(&sent);
		}
		Ok(())
	}

	/// Sends results, many in one transaction where there are many: together they cost the chain less. Returns the requests
	/// whose results the pool has taken.
	fn send_results(results: Vec<SignedResult>) -> Vec<RequestId> {
		let mut taken = Vec::new();
		for batch in results.chunks(MAX_SENT_TOGETHER as usize) {
			let together = || {
				let results = SignedResults::try_from(batch.to_vec()).ok()?;
				Some(Call::submit_results { results })
			};
			if batch.len() > 1 && together().is_some_and(Self::send) {
				taken.extend(batch.iter().map(|result| result.request));
				continue;
			}
			// The pool refuses a batch if it has a result of any of the requests already.
			let alone = batch
				.iter()
				.filter(|result| Self::send(result_call((*result).clone())));
			taken.extend(alone.map(|result| result.request));
		}
		taken
	}

	/// Takes one request a step further. Returns what to send for it, if it is time for that.
	fn serve_request(key: &worker_key::Public, request: RequestId) -> Result<Option<Answer<T>>, BridgeError> {
		// What is sent now is included in the next block at the earliest.
		let now = Self::now();
		let Some(record) = Requests::<T>::get(request).filter(|record| now < record.closes_at()) else {
			return Ok(None);
		};
		let Some(input) = Inputs::<T>::get(request) else {
			return Ok(None);
		};
		let job = Self::job(request, &record, input);
		match opensand_zk_bridge::status(job.id()) {
			Ok(JobStatus::Done) => {
				let JobResult { output, proof, .. } = opensand_zk_bridge::result(job.id())?;
				let result = Self::signed_result(key, request, output, proof);
				// A batch is invalid as a whole once one of its requests is closed. What could not be sent again in time goes alone.
				let has_time = now.saturating_add(RESEND_AFTER.saturating_mul(2)) < record.closes_at();
				Ok(result.map(|result| match has_time {
					true => Answer::Result(result),
					false => Answer::Alone(result_call(result)),
				}))
			}
			Ok(JobStatus::Queued { .. } | JobStatus::Running { .. }) => Ok(None),
			Ok(JobStatus::Failed(failure)) => {
				let call = Self::handle_failure(key, request, &record, &job, failure)?;
				Ok(call.map(Answer::Alone))
			}
			Err(BridgeError::UnknownJob) if record.cancelled.is_none() => {
				opensand_zk_bridge::submit(&job).map(|_| None)
			}
			Err(BridgeError::UnknownJob) => Ok(None),
			Err(error) => Err(error),
		}
	}

	/// Declines a request that this node cannot answer while that is free, or when nobody could answer it. Otherwise
	/// the operator has until the deadline to mend what is wrong, and the job is tried again.
	fn handle_failure(
		key: &worker_key::Public,
		request: RequestId,
		record: &RequestRecord,
		job: &ProvingJob,
		failure: JobFailure,
	) -> Result<Option<Call<T>>, BridgeError> {
		let free = Self::now() < record.requested_at.saturating_add(T::DeclinePeriod::get());
		let hopeless = failure == JobFailure::BadInput;
		match failure {
			JobFailure::Cancelled | JobFailure::Expired => Ok(None),
			_ if free || hopeless => {
				log::warn!(target: LOG_TARGET, "request {request} is declined: {failure:?}");
				Ok(Self::decline_call(key, request))
			}
			_ => {
				log::error!(
					target: LOG_TARGET,
					"request {request} failed: {failure:?}. Mend it before block {} or lose the bond reserved for it",
					record.closes_at(),
				);
				opensand_zk_bridge::submit(job).map(|_| None)
			}
		}
	}

	/// The job that answers a request. The same on every fork on which the request is the same.
	pub(crate) fn job(request: RequestId, record: &RequestRecord, input: RequestInput) -> ProvingJob {
		let input = match input {
			RequestInput::Public(bytes) => JobInput::Public(bytes.into_inner()),
			RequestInput::Hashed { hash, envelope } => JobInput::Sealed {
				hash,
				envelope: envelope.into_inner(),
			},
		};
		ProvingJob {
			genesis: Self::genesis_hash(),
			model: record.model,
			key: record.key,
			commitment: T::Models::commitment(&record.model),
			request,
			worker: record.worker.clone(),
			input,
			deadline: record.deadline,
		}
	}

	fn signed_result(
		key: &worker_key::Public,
		request: RequestId,
		output: Vec<u8>,
		proof: Vec<u8>,
	) -> Option<SignedResult> {
		let signature = key.sign(&result_payload(&Self::genesis_hash(), request, &output, &proof))?;
		Some(SignedResult {
			request,
			output: output.try_into().ok()?,
			proof: proof.try_into().ok()?,
			signature,
		})
	}

	fn decline_call(key: &worker_key::Public, request: RequestId) -> Option<Call<T>> {
		let signature = key.sign(&decline_payload(&Self::genesis_hash(), request))?;
		Some(Call::decline_request { request, signature })
	}

	/// Hands a call to the transaction pool. Whether it was taken.
	fn send(call: Call<T>) -> bool {
		let transaction =
			<T as CreateAuthorizedTransaction<Call<T>>>::create_authorized_transaction(call.into());
		let taken = SubmitTransaction::<T, Call<T>>::submit_transaction(transaction).is_ok();
		if !taken {
			log::debug!(target: LOG_TARGET, "the pool refused a transaction: it has one for this request already");
		}
		taken
	}
}

/// The call that delivers one result by itself.
fn result_call<T: Config>(result: SignedResult) -> Call<T> {
	let SignedResult {
		request,
		output,
		proof,
		signature,
	} = result;
	Call::submit_result {
		request,
		output,
		proof,
		signature,
	}
}

/// Remembers that something was sent for a request in block `now`.
fn note(sent: &mut Sent, request: RequestId, now: BlockNumber) {
	sent.retain(|(id, _)| *id != request);
	sent.push((request, now));
}
