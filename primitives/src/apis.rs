//! Runtime APIs of the project's pallets.

use alloc::vec::Vec;

use crate::{
	inference::{Quote, RequestInput, RequestState, ResultFault, WorkerRecord},
	models::{ArchitectureRecord, InferenceTerms, KeyRecord, ModelRecord},
	AccountId, ArchitectureId, KeyId, ModelId, RequestId,
};

sp_api::decl_runtime_apis! {
	/// Questions about the model registry.
	pub trait ModelsApi {
		/// What is recorded of a model.
		fn model(model: ModelId) -> Option<ModelRecord>;

		/// The models of an owner, at most `limit` of them.
		fn models_of(owner: AccountId, limit: u32) -> Vec<ModelId>;

		/// The terms of a model that can be asked now; `None` if it is inactive or has no accepted key.
		fn inference_terms(model: ModelId) -> Option<InferenceTerms>;

		/// What is recorded of an architecture.
		fn architecture(architecture: ArchitectureId) -> Option<ArchitectureRecord>;

		/// The encoded architecture.
		fn architecture_bytes(architecture: ArchitectureId) -> Option<Vec<u8>>;

		/// What is recorded of a verifying key.
		fn key(key: KeyId) -> Option<KeyRecord>;

		/// The encoded verifying key.
		fn verifying_key(key: KeyId) -> Option<Vec<u8>>;
	}

	/// Questions about workers and requests.
	pub trait InferenceApi {
		/// What is recorded of a worker.
		fn worker(worker: AccountId) -> Option<WorkerRecord>;

		/// The workers that offer a model.
		fn providers(model: ModelId) -> Vec<AccountId>;

		/// What an inference would cost now, by the named worker, or by the one that an unnamed request would get.
		fn quote(model: ModelId, worker: Option<AccountId>) -> Option<Quote>;

		/// Where a request stands; `None` if it never was, or closed too long ago.
		fn request(request: RequestId) -> Option<RequestState>;

		/// The input of an open request.
		fn request_input(request: RequestId) -> Option<RequestInput>;

		/// The open requests of a requester, at most `limit` of them.
		fn requests_of(requester: AccountId, limit: u32) -> Vec<RequestId>;

		/// The open requests that await a worker's result.
		fn assigned_to(worker: AccountId) -> Vec<RequestId>;

		/// Whether this result would settle this open request, without submitting it. `None` if the request is not open.
		fn check_result(request: RequestId, output: Vec<u8>, proof: Vec<u8>) -> Option<Result<(), ResultFault>>;
	}
}
