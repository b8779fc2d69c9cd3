//! Benchmarks of the market's calls and hooks.
//!
//! Results are verified under keys whose trapdoor is known (`opensand_primitives::trapdoor`): the proofs are genuine to
//! the verifier, for statements of any shape, and nothing has to be proven beforehand.

#![allow(clippy::expect_used)] // a benchmark that cannot be set up must fail

use alloc::{vec, vec::Vec};
use frame_benchmarking::v2::*;
use frame_support::{
	pallet_prelude::{Authorize, TransactionSource},
	traits::{
		fungible::{Inspect, Mutate},
		Get,
	},
	BoundedVec,
};
use frame_system::{pallet_prelude::BlockNumberFor, RawOrigin};
use opensand_nn::{Activation, Architecture, Layer, Operator, Shape};
use opensand_primitives::{
	inference::{
		decline_payload, result_payload, Offer, Outcome, OutputBytes, ProofBytes, RequestInput, SignedResult,
		SignedResults, MAX_INPUT_BYTES, MAX_OFFERS, MAX_RESULTS,
	},
	models::{BenchmarkFamily, BenchmarkModels},
	trapdoor::{Trapdoor, TrapdoorWeights},
	work::worker_key,
	AccountId, Balance, BlockNumber, ModelId, RequestId,
};
use opensand_zk_verifier::{
	word_count, Binding, InputVisibility, KeyOrigin, Statement, StatementInput, StatementShape,
	BYTES_PER_WORD,
};
use sp_runtime::{traits::UniqueSaturatedInto, RuntimeAppPublic};

use crate::*;

/// Words of a statement with the longest input and one word of output. More cost the same each.
const MAX_WORDS: u32 = word_count(MAX_INPUT_BYTES as usize) as u32 + 1;
/// What every offer asks.
const PRICE: Balance = 1_000_000;
/// One value of output.
const OUTPUT: [u8; 1] = [7];

fn plenty<T: Config>() -> Balance {
	T::RequestBond::get()
		.max(T::Currency::minimum_balance())
		.max(1_000_000)
		.saturating_mul(10_000)
}

fn funded<T: Config>(name: &'static str, index: u32) -> AccountId
where
	T::Currency: Mutate<AccountId>,
{
	let who = account(name, index, 0);
	T::Currency::set_balance(&who, plenty::<T>());
	who
}

/// The weights of every model.
fn weights() -> TrapdoorWeights {
	TrapdoorWeights::new(0)
}

/// A model that takes `len` values and gives one, of the owner of an index, and the key of a seed for it. Its weights are
/// committed, which is what costs most to verify.
fn model<T: Config>(len: u32, visibility: InputVisibility, seed: u64, index: u32) -> (ModelId, Trapdoor)
where
	T::Currency: Mutate<AccountId>,
{
	let linear = opensand_nn::Linear {
		outputs: 1,
		shifts: vec![0],
		activation: Activation::Identity,
	};
	let layers = vec![Layer {
		input: 0,
		operator: Operator::Linear(linear),
	}];
	let architecture = Architecture::new(Shape::vector(len), layers)
		.expect("shapes agree")
		.to_bytes();
	let shape = StatementShape {
		visibility,
		input_len: len,
		output_len: OUTPUT.len() as u32,
	};
	let trapdoor = Trapdoor::of_family(seed, shape);
	let key = |trapdoor: &Trapdoor| {
		trapdoor
			.key(KeyOrigin::Development)
			.expect("no point is the identity")
			.to_bytes()
	};
	let commitment = weights().commitment().expect("it is not the identity").to_bytes();
	let family = BenchmarkFamily {
		registration: key(&Trapdoor::of_family(seed, StatementShape::REGISTRATION)),
		inference: key(&trapdoor),
		commitment: commitment.try_into().expect("a point has this length"),
	};
	let owner = funded::<T>("owner", index);
	(
		T::BenchmarkModels::benchmark_model(owner, architecture, visibility, family),
		trapdoor,
	)
}

/// A registered worker whose key is in the keystore, with all the slots there may be.
fn worker<T: Config>(index: u32) -> (AccountId, worker_key::Public)
where
	T::Currency: Mutate<AccountId>,
{
	let account = funded::<T>("worker", index);
	let key = worker_key::Public::generate_pair(None);
	let bond = plenty::<T>().checked_div(2).unwrap_or_default();
	let origin = RawOrigin::Signed(account.clone()).into();
	let capacity = opensand_primitives::inference::MAX_OPEN_REQUESTS;
	Pallet::<T>::register_worker(origin, key.clone(), [0; 32], bond, capacity).expect("the worker is funded");
	(account, key)
}

/// The id of a model that need not exist, a different one for every number.
fn numbered_model(number: u32) -> ModelId {
	let mut id = ModelId::zero();
	for (byte, value) in id.0.iter_mut().zip(number.to_le_bytes()) {
		*byte = value;
	}
	id
}

/// Fills a worker's offers but for one with models that need not exist, so that its record is of full size.
fn fill_offers<T: Config>(worker: &AccountId) {
	Workers::<T>::mutate_extant(worker, |record| {
		for index in 1..MAX_OFFERS {
			let model = numbered_model(index);
			let _ = record.offers.try_push(Offer {
				model,
				price: 1,
				turnaround: 1,
			});
		}
	});
}

fn offer<T: Config>(worker: &AccountId, model: ModelId) {
	fill_offers::<T>(worker);
	let origin = RawOrigin::Signed(worker.clone()).into();
	Pallet::<T>::offer_model(origin, model, PRICE, 1).expect("the list has room");
}

/// Lists `count` workers for a model that have no free slot, so that each is looked at and passed over.
fn list_busy<T: Config>(model: ModelId, count: u32)
where
	T::Currency: Mutate<AccountId>,
{
	for index in 0..count {
		let (account, _) = worker::<T>(index.saturating_add(1_000));
		offer::<T>(&account, model);
		Workers::<T>::mutate_extant(&account, |record| record.capacity = 0);
	}
}

fn public_input(len: u32) -> RequestInput {
	RequestInput::Public(BoundedVec::truncate_from(vec![3; len as usize]))
}

fn next_block<T: Config>() {
	let next = Pallet::<T>::now().saturating_add(1).into();
	frame_system::Pallet::<T>::set_block_number(next);
}

/// What a request with its worker is made of.
struct Scene {
	request: RequestId,
	requester: AccountId,
	key: worker_key::Public,
	trapdoor: Trapdoor,
}

/// Opens a request with a public input of `len` values. Every index that closing it must search is full, where one is.
fn scene<T: Config>(len: u32) -> Scene
where
	T::Currency: Mutate<AccountId>,
{
	next_block::<T>();
	scene_of::<T>(0, len, 0)
}

/// As [`scene`], in the present block, with an own model, requester, worker and deadline for each `index`, under the key
/// of a seed.
fn scene_of<T: Config>(index: u32, len: u32, seed: u64) -> Scene
where
	T::Currency: Mutate<AccountId>,
{
	let (model, trapdoor) = model::<T>(len, InputVisibility::Public, seed, index);
	let (account, key) = worker::<T>(index);
	offer::<T>(&account, model);
	let requester = funded::<T>("requester", index);
	let timeout = T::MaxTimeout::get().saturating_sub(index);
	let request = ask::<T>(&requester, model, &account, public_input(len), timeout);
	let deadline = Requests::<T>::get(request).expect("it was just opened").deadline;
	Deadlines::<T>::mutate(deadline, |due| while due.try_push(RequestId::MAX).is_ok() {});
	Assigned::<T>::mutate(&account, |open| while open.try_push(RequestId::MAX).is_ok() {});
	Scene {
		request,
		requester,
		key,
		trapdoor,
	}
}

fn ask<T: Config>(
	requester: &AccountId,
	model: ModelId,
	worker: &AccountId,
	input: RequestInput,
	timeout: BlockNumber,
) -> RequestId {
	let request = NextRequestId::<T>::get();
	let origin = RawOrigin::Signed(requester.clone()).into();
	Pallet::<T>::request_inference(origin, model, input, Some(worker.clone()), Balance::MAX, timeout)
		.expect("the worker has a slot and the requester is funded");
	request
}

impl Scene {
	/// A proof that the answer is `output`.
	fn proof<T: Config>(&self, output: &[u8]) -> Vec<u8> {
		let record = Requests::<T>::get(self.request).expect("the request is open");
		let Some(RequestInput::Public(input)) = Inputs::<T>::get(self.request) else {
			return Vec::new();
		};
		let binding = Binding {
			genesis: Pallet::<T>::genesis_hash(),
			key: record.key.0,
			model: record.model.0,
			request: self.request,
			worker: record.worker.into(),
		};
		let signed = |bytes: &[u8]| bytes.iter().map(|byte| byte.cast_signed()).collect();
		let statement = Statement {
			binding,
			input: StatementInput::Public(signed(&input)),
			output: signed(output),
		};
		self.trapdoor
			.prove_with(&statement, Some(&weights()), 1)
			.expect("the input is public")
			.to_bytes()
	}

	/// A result whose proof is that the answer is `proven`: a correct one is [`OUTPUT`].
	fn result<T: Config>(&self, proven: &[u8]) -> SignedResult {
		let output = OutputBytes::truncate_from(OUTPUT.to_vec());
		self.sign::<T>(output, ProofBytes::truncate_from(self.proof::<T>(proven)))
	}

	/// The longest result there may be: its signature covers all of it.
	fn longest_result<T: Config>(&self) -> SignedResult {
		let output = OutputBytes::truncate_from(vec![7; OutputBytes::bound()]);
		self.sign::<T>(output, ProofBytes::truncate_from(vec![7; ProofBytes::bound()]))
	}

	fn sign<T: Config>(&self, output: OutputBytes, proof: ProofBytes) -> SignedResult {
		let payload = result_payload(&Pallet::<T>::genesis_hash(), self.request, &output, &proof);
		SignedResult {
			request: self.request,
			output,
			proof,
			signature: self.key.sign(&payload).expect("the key is in the keystore"),
		}
	}

	fn refusal<T: Config>(&self) -> worker_key::Signature {
		let payload = decline_payload(&Pallet::<T>::genesis_hash(), self.request);
		self.key.sign(&payload).expect("the key is in the keystore")
	}
}

/// Results of `count` requests under `keys` keys. The first statement has `words` words, the others have two; if that is
/// not the same, it has a key of its own beside theirs. The last result is false if there is to be a false one.
fn results<T: Config>(count: u32, keys: u32, words: u32, one_is_false: bool) -> SignedResults
where
	T::Currency: Mutate<AccountId>,
{
	next_block::<T>();
	let mut results = Vec::new();
	for index in 0..count {
		let (len, seed) = match index {
			0 => (input_len(words), 0),
			_ => (input_len(2), index.checked_rem(keys).unwrap_or_default()),
		};
		let scene = scene_of::<T>(index, len, seed.into());
		let is_false = one_is_false && index.saturating_add(1) == count;
		results.push(scene.result::<T>(if is_false { &[0] } else { &OUTPUT }));
	}
	SignedResults::truncate_from(results)
}

/// The length of an input that makes a statement of so many words.
fn input_len(words: u32) -> u32 {
	words
		.saturating_sub(1)
		.saturating_mul(BYTES_PER_WORD as u32)
		.min(MAX_INPUT_BYTES)
}

/// How many requests were settled.
fn settled<T: Config>() -> usize {
	Receipts::<T>::iter_values()
		.filter(|receipt| matches!(receipt.outcome, Outcome::Settled { .. }))
		.count()
}

/// Goes past the time in which declining is free.
fn pass_decline_period<T: Config>() {
	let later = Pallet::<T>::now()
		.saturating_add(T::DeclinePeriod::get())
		.saturating_add(1);
	frame_system::Pallet::<T>::set_block_number(BlockNumberFor::<T>::from(later));
}

#[benchmarks(where T::Currency: Mutate<AccountId>)]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn register_worker() {
		let who = funded::<T>("worker", 0);
		let key = worker_key::Public::generate_pair(None);

		#[extrinsic_call]
		_(
			RawOrigin::Signed(who.clone()),
			key,
			[0; 32],
			T::RequestBond::get(),
			1,
		);

		assert!(Workers::<T>::contains_key(who));
	}

	#[benchmark]
	fn update_worker() {
		let (who, _) = worker::<T>(0);
		fill_offers::<T>(&who);
		let key = worker_key::Public::generate_pair(None);

		#[extrinsic_call]
		_(RawOrigin::Signed(who), Some(key.clone()), Some([1; 32]), Some(1));

		assert!(WorkerOfKey::<T>::contains_key(key));
	}

	#[benchmark]
	fn add_bond() {
		let (who, _) = worker::<T>(0);
		fill_offers::<T>(&who);
		let bond = Workers::<T>::get(&who).expect("it is registered").bond;

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), 1_000_000);

		assert_eq!(
			Workers::<T>::get(who).map(|record| record.bond),
			bond.checked_add(1_000_000)
		);
	}

	#[benchmark]
	fn offer_model(w: Linear<1, { T::MaxProviders::get() }>) {
		let (model, _) = model::<T>(1, InputVisibility::Public, 0, 0);
		list_busy::<T>(model, w.saturating_sub(1));
		let (who, _) = worker::<T>(0);
		fill_offers::<T>(&who);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), model, PRICE, 1);

		assert!(Providers::<T>::get(model).accounts.contains(&who));
	}

	#[benchmark]
	fn withdraw_offer(w: Linear<1, { T::MaxProviders::get() }>) {
		let (model, _) = model::<T>(1, InputVisibility::Public, 0, 0);
		list_busy::<T>(model, w.saturating_sub(1));
		let (who, _) = worker::<T>(0);
		offer::<T>(&who, model);

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()), model);

		assert!(!Providers::<T>::get(model).accounts.contains(&who));
	}

	/// `o` offers, each of a model with `w` providers.
	#[benchmark]
	fn deregister_worker(o: Linear<1, { MAX_OFFERS }>, w: Linear<1, { T::MaxProviders::get() }>) {
		let (who, _) = worker::<T>(0);
		let mut others: Vec<AccountId> = (1..w).map(|index| account("worker", index, 0)).collect();
		others.push(who.clone());
		for index in 0..o {
			let model = numbered_model(index);
			let accounts = BoundedVec::truncate_from(others.clone());
			Providers::<T>::insert(model, ProviderList { accounts, next: 0 });
			Workers::<T>::mutate_extant(&who, |record| {
				let _ = record.offers.try_push(Offer {
					model,
					price: 1,
					turnaround: 1,
				});
			});
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(who.clone()));

		assert!(Workers::<T>::get(who).is_some_and(|record| record.offers.is_empty()));
	}

	#[benchmark]
	fn withdraw_bond() {
		let (who, _) = worker::<T>(0);
		let origin = RawOrigin::Signed(who.clone());
		Pallet::<T>::deregister_worker(origin.clone().into()).expect("it is registered");
		let until = Pallet::<T>::now().saturating_add(T::UnbondingPeriod::get());
		frame_system::Pallet::<T>::set_block_number(until.into());

		#[extrinsic_call]
		_(origin);

		assert!(!Workers::<T>::contains_key(who));
	}

	/// `b` bytes of encoded input, and `w` workers of which only the last has a free slot. The first blocks of the
	/// deadline's window are full.
	#[benchmark]
	fn request_inference(b: Linear<8, { MAX_INPUT_BYTES }>, w: Linear<1, { T::MaxProviders::get() }>) {
		next_block::<T>();
		let len = b.saturating_sub(5).max(1);
		let (model, _) = model::<T>(len, InputVisibility::Public, 0, 0);
		list_busy::<T>(model, w.saturating_sub(1));
		let (who, _) = worker::<T>(0);
		offer::<T>(&who, model);
		let requester = funded::<T>("requester", 0);
		let timeout = T::MinTimeout::get();
		let wanted = Pallet::<T>::now().saturating_add(timeout);
		for block in wanted..wanted.saturating_add(T::DeadlineSlack::get()) {
			Deadlines::<T>::mutate(block, |due| while due.try_push(RequestId::MAX).is_ok() {});
		}
		let origin = RawOrigin::Signed(requester);

		#[extrinsic_call]
		_(origin, model, public_input(len), None, Balance::MAX, timeout);

		assert_eq!(Requests::<T>::iter().count(), 1);
	}

	#[benchmark]
	fn cancel_request() {
		let Scene {
			request, requester, ..
		} = scene::<T>(1);
		let wanted = Pallet::<T>::now().saturating_add(T::CancellationNotice::get());
		for block in wanted..wanted.saturating_add(T::DeadlineSlack::get()) {
			Deadlines::<T>::mutate(block, |due| while due.try_push(RequestId::MAX).is_ok() {});
		}

		#[extrinsic_call]
		_(RawOrigin::Signed(requester), request);

		assert!(Requests::<T>::get(request).is_some_and(|record| record.cancelled.is_some()));
	}

	/// `w` words.
	#[benchmark]
	fn submit_result(w: Linear<2, MAX_WORDS>) {
		let SignedResult {
			request,
			output,
			proof,
			signature,
		} = scene::<T>(input_len(w)).result::<T>(&OUTPUT);

		#[extrinsic_call]
		_(RawOrigin::Authorized, request, output, proof, signature);

		assert_eq!(settled::<T>(), 1);
	}

	/// `n` results whose equation holds, under one key but for the first, if its statement of `w` words has another shape.
	#[benchmark]
	fn submit_results(n: Linear<1, MAX_RESULTS>, w: Linear<2, MAX_WORDS>) {
		let results = results::<T>(n, 1, w, false);

		#[extrinsic_call]
		_(RawOrigin::Authorized, results);

		assert_eq!(settled::<T>(), n as usize);
	}

	/// As many results as there may be, under `k` keys, whose equation holds.
	#[benchmark]
	fn submit_results_of_keys(k: Linear<1, MAX_RESULTS>) {
		let results = results::<T>(MAX_RESULTS, k, 2, false);

		#[block]
		{
			Pallet::<T>::submit_all(results);
		}

		assert_eq!(settled::<T>(), MAX_RESULTS as usize);
	}

	/// `n` results under as many keys, of which one is false; the first statement has `w` words.
	#[benchmark]
	fn submit_results_singly(n: Linear<1, MAX_RESULTS>, w: Linear<2, MAX_WORDS>) {
		let results = results::<T>(n, n, w, true);

		#[block]
		{
			Pallet::<T>::submit_all(results);
		}

		assert_eq!(settled::<T>(), n.saturating_sub(1) as usize);
		assert_eq!(Requests::<T>::iter().count(), 0);
	}

	#[benchmark]
	fn authorize_submit_results(n: Linear<1, MAX_RESULTS>) -> Result<(), BenchmarkError> {
		next_block::<T>();
		let results = (0..n)
			.map(|index| scene_of::<T>(index, 1, 0).longest_result::<T>())
			.collect();
		let results = SignedResults::truncate_from(results);
		let call = Call::<T>::submit_results { results };

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorisation")??;
		}

		Ok(())
	}

	#[benchmark]
	fn authorize_submit_result() -> Result<(), BenchmarkError> {
		let SignedResult {
			request,
			output,
			proof,
			signature,
		} = scene::<T>(1).longest_result::<T>();
		let call = Call::<T>::submit_result {
			request,
			output,
			proof,
			signature,
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorisation")??;
		}

		Ok(())
	}

	#[benchmark]
	fn decline_request() {
		let scene = scene::<T>(1);
		let signature = scene.refusal::<T>();
		pass_decline_period::<T>();

		#[extrinsic_call]
		_(RawOrigin::Authorized, scene.request, signature);

		assert!(!Requests::<T>::contains_key(scene.request));
	}

	#[benchmark]
	fn authorize_decline_request() -> Result<(), BenchmarkError> {
		let scene = scene::<T>(1);
		let call = Call::<T>::decline_request {
			request: scene.request,
			signature: scene.refusal::<T>(),
		};

		#[block]
		{
			call.authorize(TransactionSource::External)
				.ok_or("the call has an authorisation")??;
		}

		Ok(())
	}

	/// `r` requests of different requesters and workers miss the same deadline.
	#[benchmark]
	fn expire_due(r: Linear<0, { T::MaxDeadlinesPerBlock::get() }>) {
		next_block::<T>();
		let (model, _) = model::<T>(1, InputVisibility::Public, 0, 0);
		let mut deadline: BlockNumber = frame_system::Pallet::<T>::block_number().unique_saturated_into();
		for index in 0..r {
			let (account, _) = worker::<T>(index);
			fill_offers::<T>(&account);
			Workers::<T>::mutate_extant(&account, |record| {
				let _ = record.offers.try_push(Offer {
					model,
					price: PRICE,
					turnaround: 1,
				});
			});
			let requester = funded::<T>("requester", index);
			let timeout = T::MaxTimeout::get();
			let request = ask::<T>(&requester, model, &account, public_input(1), timeout);
			deadline = Requests::<T>::get(request).expect("it was just opened").deadline;
		}

		#[block]
		{
			Pallet::<T>::close_due(deadline);
		}

		assert_eq!(Requests::<T>::iter().count(), 0);
	}

	/// `r` receipts whose period is over.
	#[benchmark]
	fn purge_receipts(r: Linear<0, 256>) {
		for index in 0..u64::from(r) {
			let receipt = opensand_primitives::inference::Receipt {
				requester: account("requester", 0, 0),
				model: ModelId::zero(),
				worker: account("worker", 0, 0),
				closed_at: 0,
				outcome: Outcome::Settled {
					output: BoundedVec::truncate_from(vec![0; OutputBytes::bound()]),
				},
			};
			Receipts::<T>::insert(index, receipt);
			ReceiptQueue::<T>::insert(index, index);
		}
		ReceiptQueueRange::<T>::put(QueueRange {
			first: 0,
			next: r.into(),
		});
		let later = T::ReceiptPeriod::get().saturating_add(2);
		frame_system::Pallet::<T>::set_block_number(later.into());
		let purged;

		#[block]
		{
			purged = Pallet::<T>::purge_receipts(256);
		}

		assert_eq!(purged, r);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::with_keystore(), crate::mock::Test);
}
