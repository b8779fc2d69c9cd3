//! The off-chain worker: from an assigned request through the prover to a transaction in the pool.

use std::sync::Arc;

use codec::Decode;
use frame_support::{assert_ok, traits::Hooks};
use opensand_primitives::{
	currency::SAND,
	proving::{
		BridgeError, DeviceReport, JobFailure, JobId, JobInput, JobResult, JobStatus, ProvingJob,
		ProvingStage,
	},
	worker_key, RequestId,
};
use opensand_zk_bridge::{Prover, ProverExt};
use opensand_zk_verifier::InputVisibility::{self, Hashed, Public};
use parking_lot::{Mutex, RwLock};
use sp_core::offchain::{
	testing::{PoolState, TestOffchainExt, TestTransactionPoolExt},
	OffchainDbExt, OffchainWorkerExt, TransactionPoolExt,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};

use crate::{mock::*, Call, Event};

/// A prover that takes jobs, and has for each the status and result that the test gives it.
#[derive(Clone, Default)]
struct Bench {
	jobs: Arc<Mutex<Vec<(ProvingJob, JobStatus)>>>,
	submissions: Arc<Mutex<u32>>,
	result: Arc<Mutex<Option<JobResult>>>,
}

impl Bench {
	fn set(&self, status: JobStatus) {
		self.jobs
			.lock()
			.iter_mut()
			.for_each(|(_, current)| *current = status.clone());
	}

	fn finish(&self, request: RequestId) {
		let proof = prove(request, &OUTPUT);
		*self.result.lock() = Some(JobResult {
			output: OUTPUT.to_vec(),
			proof,
			elapsed_ms: 1,
		});
		self.set(JobStatus::Done);
	}
}

impl Prover for Bench {
	fn submit(&self, job: ProvingJob) -> Result<JobId, BridgeError> {
		*self.submissions.lock() += 1;
		let id = job.id();
		let mut jobs = self.jobs.lock();
		jobs.retain(|(known, _)| known.id() != id);
		jobs.push((job, JobStatus::Queued { position: 0 }));
		Ok(id)
	}

	fn status(&self, id: &JobId) -> Result<JobStatus, BridgeError> {
		let jobs = self.jobs.lock();
		let job = jobs.iter().find(|(job, _)| job.id() == *id);
		job.map(|(_, status)| status.clone())
			.ok_or(BridgeError::UnknownJob)
	}

	fn result(&self, _: &JobId) -> Result<JobResult, BridgeError> {
		self.result.lock().clone().ok_or(BridgeError::NotReady)
	}

	fn devices(&self) -> Result<Vec<DeviceReport>, BridgeError> {
		Ok(Vec::new())
	}

	fn cancel(&self, _: &JobId) -> Result<(), BridgeError> {
		Ok(())
	}
}

/// A worker's node with the worker's key, a prover, and a transaction pool.
struct Node {
	ext: sp_io::TestExternalities,
	bench: Bench,
	pool: Arc<RwLock<PoolState>>,
}

impl Node {
	/// A node whose worker has one open request, the returned one.
	fn asked(visibility: InputVisibility) -> (Self, RequestId) {
		let mut ext = new_test_ext();
		let keystore = MemoryKeystore::new();
		let key = keystore
			.sr25519_generate_new(worker_key::KEY_TYPE, Some("//Worker"))
			.unwrap();
		ext.register_extension(KeystoreExt::new(keystore));
		let (offchain, _) = TestOffchainExt::with_offchain_db(ext.offchain_db());
		ext.register_extension(OffchainWorkerExt::new(offchain.clone()));
		ext.register_extension(OffchainDbExt::new(offchain));
		let (pool, state) = TestTransactionPoolExt::new();
		ext.register_extension(TransactionPoolExt::new(pool));
		let bench = Bench::default();
		ext.register_extension(ProverExt::new(bench.clone()));
		let request = ext.execute_with(|| {
			let origin = RuntimeOrigin::signed(WORKER);
			assert_ok!(Inference::register_worker(
				origin.clone(),
				key.into(),
				[0; 32],
				100 * SAND,
				4
			));
			assert_ok!(Inference::offer_model(origin, model(visibility), PRICE, 1));
			ask(REQUESTER, visibility, Some(WORKER)).unwrap()
		});
		(
			Self {
				ext,
				bench,
				pool: state,
			},
			request,
		)
	}

	fn in_chain<R>(&mut self, f: impl FnOnce() -> R) -> R {
		self.ext.execute_with(f)
	}

	/// Runs the off-chain worker of the current block; returns what it sent.
	fn work(&mut self) -> Vec<Call<Test>> {
		self.ext
			.execute_with(|| Inference::offchain_worker(System::block_number()));
		let sent = core::mem::take(&mut self.pool.write().transactions);
		let call = |bytes: Vec<u8>| match Extrinsic::decode(&mut &bytes[..]).unwrap().function {
			RuntimeCall::Inference(call) => call,
			other => panic!("expected a call of this pallet, found {other:?}"),
		};
		sent.into_iter().map(call).collect()
	}

	fn job(&self) -> ProvingJob {
		self.bench.jobs.lock()[0].0.clone()
	}
}

#[test]
fn a_request_is_proven_sent_and_settled() {
	let (mut node, request) = Node::asked(Public);
	assert_eq!(node.work(), vec![]);
	let job = node.job();
	assert_eq!(
		(job.genesis, job.model, job.request),
		(GENESIS, public_model(), request)
	);
	assert_eq!((job.worker, job.input), (WORKER, JobInput::Public(input_bytes())));
	assert_eq!(job.commitment, None);

	for status in [
		JobStatus::Queued { position: 3 },
		JobStatus::Running {
			stage: ProvingStage::Proving,
			percent: 50,
		},
	] {
		node.bench.set(status);
		assert_eq!(node.work(), vec![]);
	}
	let bench = node.bench.clone();
	node.in_chain(|| bench.finish(request));
	let sent = node.work();
	assert_eq!(sent.len(), 1);
	node.in_chain(|| {
		assert_eq!(apply(sent[0].clone()), Ok(Ok(())));
		assert!(matches!(
			System::events().last().unwrap().event,
			RuntimeEvent::Inference(Event::InferenceSettled { .. })
		));
		Inference::do_try_state().unwrap();
	});
	assert_eq!(node.work(), vec![]);
	assert_eq!(*node.bench.submissions.lock(), 1);
}

#[test]
fn a_hidden_input_reaches_the_prover_sealed() {
	let (mut node, _) = Node::asked(Hashed);
	node.work();
	let JobInput::Sealed { envelope, hash } = node.job().input else {
		panic!("the input is hidden")
	};
	let request = node.in_chain(|| Inference::request_input(0));
	let Some(opensand_primitives::inference::RequestInput::Hashed {
		hash: asked,
		envelope: sealed,
	}) = request
	else {
		panic!("the input is hidden")
	};
	assert_eq!((hash, envelope), (asked, sealed.into_inner()));
}

#[test]
fn a_transaction_is_sent_again_only_after_a_while() {
	let (mut node, request) = Node::asked(Public);
	node.work();
	let bench = node.bench.clone();
	node.in_chain(|| bench.finish(request));
	assert_eq!(node.work().len(), 1);
	// Again in the same block, as another fork's best block would have it.
	assert_eq!(node.work(), vec![]);
	let mut blocks_until_resent = 0;
	while node.work().is_empty() {
		node.in_chain(|| run_for(1));
		blocks_until_resent += 1;
	}
	assert_eq!(blocks_until_resent, 5);
}

#[test]
fn what_cannot_be_answered_is_declined_while_that_is_free() {
	let (mut node, request) = Node::asked(Public);
	node.work();
	node.bench.set(JobStatus::Failed(JobFailure::BadEnvelope));
	let sent = node.work();
	assert!(matches!(sent[..], [Call::decline_request { request: declined, .. }] if declined == request));
	node.in_chain(|| {
		assert_eq!(apply(sent[0].clone()), Ok(Ok(())));
		assert_eq!(total(&WORKER), 1_000 * SAND);
	});
}

#[test]
fn later_it_is_tried_again_until_the_deadline() {
	let (mut node, _) = Node::asked(Public);
	node.work();
	node.in_chain(|| run_for(DECLINE_PERIOD + 1));
	node.bench.set(JobStatus::Failed(JobFailure::MissingBundle));
	assert_eq!(node.work(), vec![]);
	assert_eq!(*node.bench.submissions.lock(), 2);
	// What no prover can answer is declined at any time: the requester gets its money back sooner.
	node.bench.set(JobStatus::Failed(JobFailure::BadInput));
	assert!(matches!(node.work()[..], [Call::decline_request { .. }]));
}

#[test]
fn what_was_cancelled_or_expired_in_the_prover_is_left() {
	let (mut node, _) = Node::asked(Public);
	node.work();
	for failure in [JobFailure::Cancelled, JobFailure::Expired] {
		node.bench.set(JobStatus::Failed(failure));
		assert_eq!(node.work(), vec![]);
	}
	assert_eq!(*node.bench.submissions.lock(), 1);
}

#[test]
fn no_work_is_begun_for_a_cancelled_request_but_what_is_done_is_sent() {
	let (mut node, request) = Node::asked(Public);
	node.in_chain(|| Inference::cancel_request(RuntimeOrigin::signed(REQUESTER), request).unwrap());
	node.work();
	assert_eq!(*node.bench.submissions.lock(), 0);

	let (mut node, request) = Node::asked(Public);
	node.work();
	let bench = node.bench.clone();
	node.in_chain(|| {
		assert_ok!(Inference::cancel_request(
			RuntimeOrigin::signed(REQUESTER),
			request
		));
		bench.finish(request);
	});
	assert_eq!(node.work().len(), 1);
}

#[test]
fn other_workers_requests_are_not_touched() {
	let (mut node, _) = Node::asked(Public);
	node.in_chain(|| {
		serve(OTHER);
		assert_ok!(ask(REQUESTER, Public, Some(OTHER)));
	});
	node.work();
	assert_eq!(*node.bench.submissions.lock(), 1);
}

#[test]
fn a_node_without_prover_or_key_does_nothing() {
	let mut ext = new_test_ext();
	let keystore = MemoryKeystore::new();
	let key = keystore
		.sr25519_generate_new(worker_key::KEY_TYPE, Some("//Worker"))
		.unwrap();
	ext.register_extension(KeystoreExt::new(keystore));
	let (offchain, _) = TestOffchainExt::with_offchain_db(ext.offchain_db());
	ext.register_extension(OffchainWorkerExt::new(offchain.clone()));
	ext.register_extension(OffchainDbExt::new(offchain));
	ext.execute_with(|| {
		Inference::offchain_worker(1);
		let origin = RuntimeOrigin::signed(WORKER);
		assert_ok!(Inference::register_worker(
			origin.clone(),
			key.into(),
			[0; 32],
			100 * SAND,
			4
		));
		assert_ok!(Inference::offer_model(origin, public_model(), PRICE, 1));
		assert_ok!(ask(REQUESTER, Public, Some(WORKER)));
		Inference::offchain_worker(1);
	});
}
