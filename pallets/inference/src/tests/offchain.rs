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
	worker_key, Balance, RequestId,
};
use opensand_zk_bridge::{Prover, ProverExt};
use opensand_zk_verifier::InputVisibility::{self, Hashed, Public};
use parking_lot::{Mutex, RwLock};
use sp_core::offchain::{
	testing::{PoolState, TestOffchainExt, TestTransactionPoolExt},
	OffchainDbExt, OffchainWorkerExt, TransactionPool, TransactionPoolExt,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};

use crate::{mock::*, Call, Event};

/// A prover that takes jobs, and has for each the status and result that the test gives it.
#[derive(Clone, Default)]
struct Bench {
	jobs: Arc<Mutex<Vec<(ProvingJob, JobStatus)>>>,
	submissions: Arc<Mutex<u32>>,
	results: Arc<Mutex<Vec<(JobId, JobResult)>>>,
}

impl Bench {
	fn set(&self, status: JobStatus) {
		self.jobs
			.lock()
			.iter_mut()
			.for_each(|(_, current)| *current = status.clone());
	}

	/// The prover has proven the answer to a request that it was given.
	fn finish(&self, request: RequestId) {
		let result = JobResult {
			output: OUTPUT.to_vec(),
			proof: prove(request, &OUTPUT),
			elapsed_ms: 1,
		};
		let mut jobs = self.jobs.lock();
		let (job, status) = jobs.iter_mut().find(|(job, _)| job.request == request).unwrap();
		*status = JobStatus::Done;
		self.results.lock().push((job.id(), result));
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

	fn result(&self, id: &JobId) -> Result<JobResult, BridgeError> {
		let results = self.results.lock();
		let result = results.iter().find(|(of, _)| of == id);
		result
			.map(|(_, result)| result.clone())
			.ok_or(BridgeError::NotReady)
	}

	fn devices(&self) -> Result<Vec<DeviceReport>, BridgeError> {
		Ok(Vec::new())
	}

	fn cancel(&self, _: &JobId) -> Result<(), BridgeError> {
		Ok(())
	}
}

/// A worker's node with the worker's key, a prover, and a transaction pool. When it is dropped, all that must hold
/// between two calls is checked in its chain.
struct Node {
	ext: sp_io::TestExternalities,
	issuance: Balance,
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
		let (request, issuance) = ext.execute_with(|| {
			let issuance = Balances::total_issuance();
			let origin = RuntimeOrigin::signed(WORKER);
			assert_ok!(Inference::register_worker(
				origin.clone(),
				key.into(),
				[0; 32],
				100 * SAND,
				4
			));
			assert_ok!(Inference::offer_model(origin, model(visibility), PRICE, 1));
			let request = ask(REQUESTER, visibility, Some(WORKER)).unwrap();
			(request, issuance)
		});
		(
			Self {
				ext,
				issuance,
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

	/// One more request to the same worker.
	fn ask_again(&mut self) -> RequestId {
		self.in_chain(|| ask(REQUESTER, Public, Some(WORKER)).unwrap())
	}

	/// The prover has proven the answers to these requests, all of which it was given.
	fn finish(&mut self, requests: &[RequestId]) {
		let bench = self.bench.clone();
		self.in_chain(|| requests.iter().for_each(|request| bench.finish(*request)));
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		// A second panic would hide the first one's message.
		if !std::thread::panicking() {
			let issuance = self.issuance;
			self.in_chain(|| check(issuance));
		}
	}
}

/// A transaction pool that refuses batches, as one does that has a result of one of the requests already.
struct WithoutBatches(Arc<RwLock<PoolState>>);

impl TransactionPool for WithoutBatches {
	fn submit_transaction(&mut self, extrinsic: Vec<u8>) -> Result<(), ()> {
		match Extrinsic::decode(&mut &extrinsic[..]).unwrap().function {
			RuntimeCall::Inference(Call::submit_results { .. }) => Err(()),
			_ => {
				self.0.write().transactions.push(extrinsic);
				Ok(())
			}
		}
	}
}

/// The requests that a call answers.
fn answered(call: &Call<Test>) -> Vec<RequestId> {
	match call {
		Call::submit_result { request, .. } => vec![*request],
		Call::submit_results { results } => results.iter().map(|result| result.request).collect(),
		other => panic!("expected results, found {other:?}"),
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
	node.finish(&[request]);
	let sent = node.work();
	assert_eq!(sent.len(), 1);
	node.in_chain(|| {
		assert_eq!(apply(sent[0].clone()), Ok(Ok(())));
		assert!(matches!(
			System::events().last().unwrap().event,
			RuntimeEvent::Inference(Event::InferenceSettled { .. })
		));
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
	node.finish(&[request]);
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
fn what_is_finished_together_is_sent_and_settled_together() {
	let (mut node, first) = Node::asked(Public);
	let [second, third] = [node.ask_again(), node.ask_again()];
	node.work();
	node.finish(&[first, third]);
	let sent = node.work();
	assert_eq!(sent.len(), 1);
	assert!(matches!(sent[0], Call::submit_results { .. }));
	assert_eq!(answered(&sent[0]), [first, third]);
	node.in_chain(|| {
		assert_eq!(apply(sent[0].clone()), Ok(Ok(())));
		assert_eq!(Inference::assigned_to(WORKER), [second]);
	});
	// What comes later goes by itself.
	node.finish(&[second]);
	let sent = node.work();
	assert!(matches!(&sent[..], [Call::submit_result { request, .. }] if *request == second));
}

#[test]
fn a_batch_that_the_pool_refuses_is_sent_one_by_one() {
	let (mut node, first) = Node::asked(Public);
	let second = node.ask_again();
	node.work();
	node.finish(&[first, second]);
	let pool = WithoutBatches(node.pool.clone());
	node.ext.register_extension(TransactionPoolExt::new(pool));
	let sent: Vec<_> = node.work().iter().map(answered).collect();
	assert_eq!(sent, [[first], [second]]);
	assert_eq!(node.work(), vec![]);
}

#[test]
fn each_result_of_a_batch_is_sent_again_only_after_a_while() {
	let (mut node, first) = Node::asked(Public);
	let second = node.ask_again();
	node.work();
	node.finish(&[first, second]);
	assert_eq!(node.work().len(), 1);
	assert_eq!(node.work(), vec![]);
	node.in_chain(|| run_for(4));
	assert_eq!(node.work(), vec![]);
	node.in_chain(|| run_for(1));
	let sent: Vec<_> = node.work().iter().flat_map(answered).collect();
	assert_eq!(sent, [first, second]);
}

#[test]
fn what_could_not_be_sent_again_in_time_goes_alone() {
	let (mut node, first) = Node::asked(Public);
	node.in_chain(|| run_for(5));
	let later = [node.ask_again(), node.ask_again()];
	node.work();
	node.in_chain(|| run_for(TIMEOUT - 5 - 9));
	node.finish(&[first, later[0], later[1]]);
	let sent: Vec<_> = node.work().iter().map(answered).collect();
	assert_eq!(sent, [vec![first], later.to_vec()]);
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
		let issuance = Balances::total_issuance();
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
		check(issuance);
	});
}
