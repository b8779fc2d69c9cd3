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
	inference::{decline_payload, result_payload, RequestInput, RequestRecord},
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

/// The open requests for which something was sent, and when.
type Sent = Vec<(RequestId, BlockNumber)>;

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
		for request in open {
			let sent_recently = |(id, at): &(RequestId, BlockNumber)| {
				*id == request && (*at..at.saturating_add(RESEND_AFTER)).contains(&now)
			};
			if sent.iter().any(sent_recently) {
				continue;
			}
			match Self::serve_request(key, request) {
				Ok(Some(call)) => {
					if Self::send(call) {
						sent.retain(|(id, _)| *id != request);
						sent.push((request, now));
					}
				}
				Ok(None) => (),
				Err(BridgeError::Unavailable) => return Err(BridgeError::Unavailable),
				Err(error) => {
					log::warn!(target: LOG_TARGET, "request {request}: the prover answered {error:?}")
				}
			}
		}
		if sent != remembered {
			storage.set(&sent);
		}
		Ok(())
	}

	/// Takes one request a step further. Returns the call to send, if it is time for one.
	fn serve_request(key: &worker_key::Public, request: RequestId) -> Result<Option<Call<T>>, BridgeError> {
		// What is sent now is included in the next block at the earliest.
		let Some(record) = Requests::<T>::get(request).filter(|record| Self::now() < record.closes_at())
		else {
			return Ok(None);
		};
		let Some(input) = Inputs::<T>::get(request) else {
			return Ok(None);
		};
		let job = Self::job(request, &record, input);
		match opensand_zk_bridge::status(job.id()) {
			Ok(JobStatus::Done) => {
				let JobResult { output, proof, .. } = opensand_zk_bridge::result(job.id())?;
				Ok(Self::result_call(key, request, output, proof))
			}
			Ok(JobStatus::Queued { .. } | JobStatus::Running { .. }) => Ok(None),
			Ok(JobStatus::Failed(failure)) => Self::handle_failure(key, request, &record, &job, failure),
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

	fn result_call(
		key: &worker_key::Public,
		request: RequestId,
		output: Vec<u8>,
		proof: Vec<u8>,
	) -> Option<Call<T>> {
		let signature = key.sign(&result_payload(&Self::genesis_hash(), request, &output, &proof))?;
		let (output, proof) = (output.try_into().ok()?, proof.try_into().ok()?);
		Some(Call::submit_result {
			request,
			output,
			proof,
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
