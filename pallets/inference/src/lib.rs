//! # Paid inference
//!
//! Workers bond and offer models; users pay for an answer; the chain takes the answer only with a proof that the
//! registered model gave it, and pays worker, model owner, block author and treasury in the same extrinsic. See the
//! crate's `README.md` for the surface, the cross-pallet contract and the money model.

#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
	not(test),
	deny(
		clippy::unwrap_used,
		clippy::expect_used,
		clippy::indexing_slicing,
		clippy::arithmetic_side_effects
	)
)]
#![warn(missing_docs)]

extern crate alloc;

mod authorization;
mod batches;
#[cfg(any(test, feature = "runtime-benchmarks"))]
mod benchmarking;
#[cfg(test)]
mod mock;
mod offchain;
mod scheduling;
mod settlement;
#[cfg(test)]
mod tests;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
mod verification;
pub mod weights;

pub use offchain::MAX_SENT_TOGETHER;
pub use pallet::*;
pub use types::{ProviderList, QueueRange};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[allow(clippy::expect_used)] // the macro expands to it
pub mod pallet {
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{BalancedHold, Credit, Inspect, InspectHold, MutateHold},
			tokens::Precision,
			OnUnbalanced,
		},
	};
	use frame_system::{ensure_authorized, offchain::CreateAuthorizedTransaction, pallet_prelude::*};
	use opensand_primitives::{
		inference::{
			Fee, Offer, OpenRequests, OutputBytes, ProofBytes, Quote, Receipt, RequestInput, RequestRecord,
			RequestState, ResultFault, SignedResults, WorkerRecord, WorkerStatus, MAX_OPEN_REQUESTS,
			MAX_RESULTS, MAX_STATEMENT_WORDS,
		},
		models::ModelView,
		work::WorkSink,
		worker_key, AccountId, Balance, BlockNumber, Hash, ModelId, RequestId,
	};
	use opensand_zk_verifier::Curve;
	use sp_runtime::{DispatchError, Permill};

	use crate::{ProviderList, QueueRange, WeightInfo};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// An amount that has left an account and not yet reached another.
	pub type CreditOf<T> = Credit<AccountId, <T as Config>::Currency>;

	/// The inference market's pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// What the runtime decides. Periods are in blocks.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, Hash = Hash, RuntimeEvent: From<Event<Self>>>
		+ CreateAuthorizedTransaction<Call<Self>>
	{
		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The token in which fees and bonds are held and paid.
		type Currency: Inspect<AccountId, Balance = Balance>
			+ InspectHold<AccountId>
			+ MutateHold<AccountId, Reason = Self::RuntimeHoldReason>
			+ BalancedHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The model registry.
		type Models: ModelView;

		/// Where settled work is credited.
		type WorkSink: WorkSink<AccountId>;

		/// The author of the current block, if it is known.
		type BlockAuthor: Get<Option<AccountId>>;

		/// Takes the treasury's share of fees and slashed bonds.
		type Treasury: OnUnbalanced<CreditOf<Self>>;

		/// The arithmetic of proof verification.
		type Curve: Curve;

		/// What each open request reserves of its worker's bond, and what the worker loses if it fails.
		#[pallet::constant]
		type RequestBond: Get<Balance>;

		/// The part of a slashed bond that compensates the requester; the treasury gets the rest.
		#[pallet::constant]
		type CompensationShare: Get<Permill>;

		/// The fixed part of the protocol's fee: it pays for the block space that verifying a proof takes.
		#[pallet::constant]
		type VerificationFee: Get<Balance>;

		/// The part of worker's price and royalty together that is added to the protocol's fee.
		#[pallet::constant]
		type ProtocolShare: Get<Permill>;

		/// The part of the protocol's fee that the block's author gets; the treasury gets the rest.
		#[pallet::constant]
		type AuthorShare: Get<Permill>;

		/// The part of its price that a worker keeps when the requester cancels.
		#[pallet::constant]
		type CancellationShare: Get<Permill>;

		/// The shortest timeout that a request may have.
		#[pallet::constant]
		type MinTimeout: Get<BlockNumber>;

		/// The longest timeout that a request may have.
		#[pallet::constant]
		type MaxTimeout: Get<BlockNumber>;

		/// By how many blocks a deadline may be put off when too many requests end in the same block.
		#[pallet::constant]
		type DeadlineSlack: Get<BlockNumber>;

		/// How long after a request its worker can decline it without loss.
		#[pallet::constant]
		type DeclinePeriod: Get<BlockNumber>;

		/// How long after its cancellation a request's result is still taken and paid.
		#[pallet::constant]
		type CancellationNotice: Get<BlockNumber>;

		/// How long after deregistration a worker's bond stays.
		#[pallet::constant]
		type UnbondingPeriod: Get<BlockNumber>;

		/// How long the receipt of a closed request is kept.
		#[pallet::constant]
		type ReceiptPeriod: Get<BlockNumber>;

		/// The most workers that can offer the same model.
		#[pallet::constant]
		type MaxProviders: Get<u32>;

		/// The most requests that can end in the same block for want of a result.
		#[pallet::constant]
		type MaxDeadlinesPerBlock: Get<u32>;

		/// The calls' weights.
		type WeightInfo: WeightInfo;

		/// The model registry, where benchmarks set up the models that they ask.
		#[cfg(any(test, feature = "runtime-benchmarks"))]
		type BenchmarkModels: opensand_primitives::models::BenchmarkModels;
	}

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// A requester's fee, until its request closes.
		RequestFee,
		/// A worker's bond, until it has deregistered and its unbonding period is over.
		WorkerBond,
	}

	/// Workers by account.
	#[pallet::storage]
	pub type Workers<T> = StorageMap<_, Blake2_128Concat, AccountId, WorkerRecord>;

	/// Which worker signs with a key.
	#[pallet::storage]
	pub type WorkerOfKey<T> = StorageMap<_, Blake2_128Concat, worker_key::Public, AccountId>;

	/// The workers that offer each model.
	#[pallet::storage]
	pub type Providers<T: Config> =
		StorageMap<_, Identity, ModelId, ProviderList<<T as Config>::MaxProviders>, ValueQuery>;

	/// The id of the next request.
	#[pallet::storage]
	pub type NextRequestId<T> = StorageValue<_, RequestId, ValueQuery>;

	/// Open requests by id.
	#[pallet::storage]
	pub type Requests<T> = StorageMap<_, Twox64Concat, RequestId, RequestRecord>;

	/// The inputs of open requests.
	#[pallet::storage]
	pub type Inputs<T> = StorageMap<_, Twox64Concat, RequestId, RequestInput>;

	/// The open requests of each requester.
	#[pallet::storage]
	pub type RequestsOf<T> = StorageDoubleMap<_, Blake2_128Concat, AccountId, Twox64Concat, RequestId, ()>;

	/// The open requests that await each worker's result.
	#[pallet::storage]
	pub type Assigned<T> = StorageMap<_, Blake2_128Concat, AccountId, OpenRequests, ValueQuery>;

	/// The open requests that close with each block, if no result comes.
	#[pallet::storage]
	pub type Deadlines<T: Config> = StorageMap<
		_,
		Twox64Concat,
		BlockNumber,
		BoundedVec<RequestId, <T as Config>::MaxDeadlinesPerBlock>,
		ValueQuery,
	>;

	/// Receipts of requests that closed within the receipt period.
	#[pallet::storage]
	pub type Receipts<T> = StorageMap<_, Twox64Concat, RequestId, Receipt>;

	/// The ids of receipts in the order in which their requests closed.
	#[pallet::storage]
	pub type ReceiptQueue<T> = StorageMap<_, Twox64Concat, u64, RequestId>;

	/// The part of [`ReceiptQueue`] that is in use.
	#[pallet::storage]
	pub type ReceiptQueueRange<T> = StorageValue<_, QueueRange, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// `register_worker` took a worker's bond.
		WorkerRegistered {
			/// The worker.
			worker: AccountId,
			/// The key that signs its results.
			key: worker_key::Public,
			/// Its bond.
			bond: Balance,
		},
		/// `update_worker` changed a worker's keys or capacity.
		WorkerUpdated {
			/// The worker.
			worker: AccountId,
		},
		/// `add_bond` raised a worker's bond.
		BondAdded {
			/// The worker.
			worker: AccountId,
			/// By how much.
			amount: Balance,
		},
		/// `offer_model` listed a worker for a model, or changed its terms.
		ModelOffered {
			/// The worker.
			worker: AccountId,
			/// The model.
			model: ModelId,
			/// The worker's pay for one inference.
			price: Balance,
			/// The least number of blocks it wants for one.
			turnaround: BlockNumber,
		},
		/// An offer ended, by `withdraw_offer` or with its worker's deregistration.
		OfferWithdrawn {
			/// The worker.
			worker: AccountId,
			/// The model.
			model: ModelId,
		},
		/// `deregister_worker`: the worker takes no new requests.
		WorkerDeregistered {
			/// The worker.
			worker: AccountId,
			/// First block in which its bond can be withdrawn.
			until: BlockNumber,
		},
		/// `withdraw_bond` gave a worker its bond back and removed it.
		BondWithdrawn {
			/// The worker.
			worker: AccountId,
			/// The bond.
			amount: Balance,
		},
		/// `request_inference` opened a request and assigned it.
		InferenceRequested {
			/// Its id.
			request: RequestId,
			/// Who pays.
			requester: AccountId,
			/// The model asked.
			model: ModelId,
			/// The worker that is to answer.
			worker: AccountId,
			/// What is held from the requester.
			fee: Fee,
			/// The last block in which a result is taken.
			deadline: BlockNumber,
		},
		/// `cancel_request`: the request closes soon; a result that comes before is still paid.
		CancellationAnnounced {
			/// The request.
			request: RequestId,
			/// The last block in which a result is still taken.
			closes_at: BlockNumber,
		},
		/// A result was verified and everybody paid. The request is closed.
		InferenceSettled {
			/// The request.
			request: RequestId,
			/// The model that answered.
			model: ModelId,
			/// Who asked.
			requester: AccountId,
			/// Who answered.
			worker: AccountId,
			/// The model's output, two's complement, one byte a value.
			output: OutputBytes,
			/// What the worker got.
			worker_paid: Balance,
			/// The model's owner.
			owner: AccountId,
			/// What the owner got.
			owner_paid: Balance,
			/// The block's author, if known.
			author: Option<AccountId>,
			/// What the author got.
			author_paid: Balance,
			/// What the treasury got: its share, rounding, and shares that could not be delivered.
			treasury_paid: Balance,
		},
		/// A result did not verify. The request is closed, its fee given back, and its worker slashed.
		ResultRejected {
			/// The request.
			request: RequestId,
			/// The worker.
			worker: AccountId,
			/// What was wrong.
			fault: ResultFault,
		},
		/// No result came in time. The request is closed, its fee given back, and its worker slashed.
		RequestExpired {
			/// The request.
			request: RequestId,
			/// The worker.
			worker: AccountId,
		},
		/// The worker declined. The request is closed and its fee given back; a `WorkerSlashed` comes before if it
		/// declined too late.
		RequestDeclined {
			/// The request.
			request: RequestId,
			/// The worker.
			worker: AccountId,
		},
		/// A cancelled request closed. Its fee was given back but for the worker's cancellation fee.
		RequestCancelled {
			/// The request.
			request: RequestId,
			/// The worker.
			worker: AccountId,
			/// What the worker got.
			worker_paid: Balance,
		},
		/// A worker lost the bond it had reserved for a request.
		WorkerSlashed {
			/// The worker.
			worker: AccountId,
			/// The request.
			request: RequestId,
			/// What it lost.
			amount: Balance,
			/// The part of it that the requester got.
			compensation: Balance,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// This account is a worker already. Use `update_worker` and `add_bond`; one that has deregistered must withdraw
		/// its bond first.
		AlreadyRegistered,
		/// The account is not a worker. Register it first, or check the account.
		UnknownWorker,
		/// The worker has deregistered. Withdraw the bond when it is free, then register again.
		WorkerLeaving,
		/// The worker has not deregistered. Do that first and wait for the unbonding period.
		WorkerActive,
		/// Another worker signs with this key. Generate a key of its own for every worker.
		KeyInUse,
		/// The encryption key cannot change while requests are open, since their inputs may be sealed to it. Set the
		/// capacity to zero, wait until they have closed, then change it.
		EncryptionKeyInUse,
		/// The bond is less than one request reserves. Bond at least `RequestBond`.
		BondTooSmall,
		/// A worker cannot have so many requests open. Choose a capacity of at most 32.
		CapacityTooLarge,
		/// The worker offers as many models as it can. Withdraw an offer first.
		TooManyOffers,
		/// As many workers as there may be offer this model. Wait until one withdraws.
		TooManyProviders,
		/// The worker does not offer this model. Ask for a quote to find one that does.
		ModelNotOffered,
		/// The unbonding period is not over. Try again from the block that `WorkerDeregistered` named.
		StillUnbonding,
		/// Requests of this worker are open. They close at their deadlines at the latest; try again then.
		RequestsOpen,
		/// The model does not exist, is inactive, or has no accepted key. Check it in the model registry.
		ModelUnavailable,
		/// The model takes public inputs only, or hashed ones only. Send the other kind.
		WrongInputVisibility,
		/// The input has not as many values as the model takes. See the model's architecture.
		WrongInputLength,
		/// The input's hash is not a canonical field element. Send it as `salted_input_hash` returns it.
		NonCanonicalHash,
		/// A hidden input is sealed to one worker's key: name the worker.
		WorkerRequired,
		/// The timeout is shorter than `MinTimeout` or longer than `MaxTimeout`. Choose one between.
		TimeoutOutOfRange,
		/// The worker wants more time for this model. Choose a timeout of at least the quote's `turnaround`.
		TimeoutTooShort,
		/// The worker has no free slot, or no free bond for one. Try again when a request of its has closed, or name
		/// another.
		WorkerBusy,
		/// No worker offers this model with a free slot, within this timeout and fee. Raise them, or try again later.
		NoWorkerAvailable,
		/// The fee would exceed `max_fee`. Ask for a quote and allow its total.
		FeeTooHigh,
		/// Too many requests end around this deadline. Choose another timeout.
		DeadlinesFull,
		/// No such request is open: it never was, or it has closed. See its receipt.
		UnknownRequest,
		/// Only the account that made the request can do this.
		NotRequester,
		/// The request is being cancelled already. It closes with the block that `CancellationAnnounced` named.
		AlreadyCancelled,
		/// The registry has lost or changed the key of an open request, or the commitment to its model's weights, which its
		/// count of open uses excludes. Report it; the request closes at its deadline.
		MissingKey,
		/// A request id, an amount or a block number would overflow. It cannot happen in practice; report it.
		Overflow,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		/// Closes the requests whose last block has passed. None is ever left: the schedule bounds them.
		fn on_initialize(_: BlockNumberFor<T>) -> Weight {
			let due = Self::close_due(Self::now().saturating_sub(1));
			T::WeightInfo::expire_due(due)
		}

		/// Removes receipts that are older than their period, as far as weight allows.
		fn on_idle(_: BlockNumberFor<T>, remaining: Weight) -> Weight {
			let base = T::WeightInfo::purge_receipts(0);
			let each = T::WeightInfo::purge_receipts(1).saturating_sub(base);
			let limit = remaining
				.checked_sub(&base)
				.and_then(|rest| rest.checked_div_per_component(&each));
			match limit {
				Some(limit) if limit > 0 => {
					T::WeightInfo::purge_receipts(Self::purge_receipts(limit.min(256) as u32))
				}
				_ => Weight::zero(),
			}
		}

		fn offchain_worker(_: BlockNumberFor<T>) {
			Self::serve_assigned_requests();
		}

		fn integrity_test() {
			assert!(
				T::RequestBond::get() >= T::Currency::minimum_balance(),
				"a bond must be worth holding"
			);
			assert!(
				T::MinTimeout::get() > T::DeclinePeriod::get(),
				"a worker must be able to decline before the deadline"
			);
			assert!(
				T::MaxTimeout::get() >= T::MinTimeout::get(),
				"some timeout must be allowed"
			);
			assert!(T::MaxProviders::get() > 0, "a model needs a worker");
			assert!(T::MaxDeadlinesPerBlock::get() > 0, "a request needs a deadline");
			let limits = T::BlockWeights::get();
			let due = T::WeightInfo::expire_due(T::MaxDeadlinesPerBlock::get());
			assert!(
				due.all_lte(limits.max_block.saturating_div(4)),
				"expiries may take a quarter of a block at most"
			);
			let result = T::WeightInfo::submit_result(MAX_STATEMENT_WORDS);
			let normal = limits.get(frame_support::dispatch::DispatchClass::Normal);
			assert!(
				normal.max_extrinsic.is_none_or(|max| result.all_lte(max)),
				"a result must fit into a block"
			);
			let results = Self::worst_weight_of_results(MAX_RESULTS as usize / 2);
			assert!(
				normal.max_extrinsic.is_none_or(|max| results.all_lte(max)),
				"half as many results as there may be must fit into a block, whatever they are"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Makes the caller a worker and holds its bond.
		///
		/// - `key`: signs results on the worker's node (key type `work`); it needs no funds.
		/// - `encryption_key`: the X25519 public key to which hidden inputs are sealed.
		/// - `bond`: every open request reserves `RequestBond` of it.
		/// - `capacity`: the most requests open at once, at most 32; zero pauses the worker.
		#[pallet::call_index(0)]
		pub fn register_worker(
			origin: OriginFor<T>,
			key: worker_key::Public,
			encryption_key: [u8; 32],
			#[pallet::compact] bond: Balance,
			capacity: u32,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			ensure!(
				!Workers::<T>::contains_key(&worker),
				Error::<T>::AlreadyRegistered
			);
			ensure!(!WorkerOfKey::<T>::contains_key(&key), Error::<T>::KeyInUse);
			ensure!(bond >= T::RequestBond::get(), Error::<T>::BondTooSmall);
			ensure!(capacity <= MAX_OPEN_REQUESTS, Error::<T>::CapacityTooLarge);
			T::Currency::hold(&HoldReason::WorkerBond.into(), &worker, bond)?;
			let record = WorkerRecord {
				key: key.clone(),
				encryption_key,
				bond,
				reserved: 0,
				capacity,
				open: 0,
				status: WorkerStatus::Active,
				offers: Default::default(),
			};
			Workers::<T>::insert(&worker, record);
			WorkerOfKey::<T>::insert(&key, &worker);
			Self::deposit_event(Event::WorkerRegistered { worker, key, bond });
			Ok(())
		}

		/// Changes what is given of the worker's keys and capacity. Requests that are open stay so.
		#[pallet::call_index(1)]
		pub fn update_worker(
			origin: OriginFor<T>,
			key: Option<worker_key::Public>,
			encryption_key: Option<[u8; 32]>,
			capacity: Option<u32>,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let mut record = Self::active_worker(&worker)?;
			if let Some(key) = key.filter(|key| *key != record.key) {
				ensure!(!WorkerOfKey::<T>::contains_key(&key), Error::<T>::KeyInUse);
				WorkerOfKey::<T>::remove(&record.key);
				WorkerOfKey::<T>::insert(&key, &worker);
				record.key = key;
			}
			if let Some(encryption_key) = encryption_key.filter(|key| *key != record.encryption_key) {
				ensure!(record.open == 0, Error::<T>::EncryptionKeyInUse);
				record.encryption_key = encryption_key;
			}
			if let Some(capacity) = capacity {
				ensure!(capacity <= MAX_OPEN_REQUESTS, Error::<T>::CapacityTooLarge);
				record.capacity = capacity;
			}
			Workers::<T>::insert(&worker, record);
			Self::deposit_event(Event::WorkerUpdated { worker });
			Ok(())
		}

		/// Adds to the worker's bond.
		#[pallet::call_index(2)]
		pub fn add_bond(origin: OriginFor<T>, #[pallet::compact] amount: Balance) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let mut record = Self::active_worker(&worker)?;
			record.bond = record.bond.checked_add(amount).ok_or(Error::<T>::Overflow)?;
			T::Currency::hold(&HoldReason::WorkerBond.into(), &worker, amount)?;
			Workers::<T>::insert(&worker, record);
			Self::deposit_event(Event::BondAdded { worker, amount });
			Ok(())
		}

		/// Lists the worker for a model, or changes its terms for it. Open requests keep theirs.
		///
		/// - `price`: the worker's pay for one inference.
		/// - `turnaround`: requests with a shorter timeout are refused; take the time to prove and to queue.
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::offer_model(T::MaxProviders::get()))]
		pub fn offer_model(
			origin: OriginFor<T>,
			model: ModelId,
			#[pallet::compact] price: Balance,
			#[pallet::compact] turnaround: BlockNumber,
		) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let mut record = Self::active_worker(&worker)?;
			ensure!(
				T::Models::inference_terms(&model).is_some(),
				Error::<T>::ModelUnavailable
			);
			ensure!(turnaround <= T::MaxTimeout::get(), Error::<T>::TimeoutOutOfRange);
			let offer = Offer {
				model,
				price,
				turnaround,
			};
			match record.offers.iter_mut().find(|offer| offer.model == model) {
				Some(present) => *present = offer,
				None => {
					record
						.offers
						.try_push(offer)
						.map_err(|_| Error::<T>::TooManyOffers)?;
					Providers::<T>::try_mutate(model, |providers| {
						providers
							.accounts
							.try_push(worker.clone())
							.map_err(|_| Error::<T>::TooManyProviders)
					})?;
				}
			}
			Workers::<T>::insert(&worker, record);
			Self::deposit_event(Event::ModelOffered {
				worker,
				model,
				price,
				turnaround,
			});
			Ok(())
		}

		/// Ends an offer. Open requests stay so.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::withdraw_offer(T::MaxProviders::get()))]
		pub fn withdraw_offer(origin: OriginFor<T>, model: ModelId) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let mut record = Self::active_worker(&worker)?;
			ensure!(record.offer(&model).is_some(), Error::<T>::ModelNotOffered);
			record.offers.retain(|offer| offer.model != model);
			Self::unlist(&worker, &model);
			Workers::<T>::insert(&worker, record);
			Ok(())
		}

		/// Ends all offers and starts the unbonding period. Open requests must still be answered.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::deregister_worker(
			opensand_primitives::inference::MAX_OFFERS,
			T::MaxProviders::get(),
		))]
		pub fn deregister_worker(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let mut record = Self::active_worker(&worker)?;
			for offer in core::mem::take(&mut record.offers) {
				Self::unlist(&worker, &offer.model);
			}
			let until = Self::now().saturating_add(T::UnbondingPeriod::get());
			record.status = WorkerStatus::Unbonding { until };
			Workers::<T>::insert(&worker, record);
			Self::deposit_event(Event::WorkerDeregistered { worker, until });
			Ok(())
		}

		/// Gives a deregistered worker its bond back, once the unbonding period is over and no request is open.
		#[pallet::call_index(6)]
		pub fn withdraw_bond(origin: OriginFor<T>) -> DispatchResult {
			let worker = ensure_signed(origin)?;
			let record = Workers::<T>::get(&worker).ok_or(Error::<T>::UnknownWorker)?;
			let WorkerStatus::Unbonding { until } = record.status else {
				return Err(Error::<T>::WorkerActive.into());
			};
			ensure!(Self::now() >= until, Error::<T>::StillUnbonding);
			ensure!(record.open == 0, Error::<T>::RequestsOpen);
			let amount = record.bond;
			T::Currency::release(
				&HoldReason::WorkerBond.into(),
				&worker,
				amount,
				Precision::BestEffort,
			)?;
			WorkerOfKey::<T>::remove(&record.key);
			Workers::<T>::remove(&worker);
			Self::deposit_event(Event::BondWithdrawn { worker, amount });
			Ok(())
		}

		/// Asks a model for an answer, assigns the request to a worker and holds the fee: the worker's price, the
		/// owner's royalty and the protocol's fee.
		///
		/// - `input`: the values, or their hash with a sealed envelope, as the model demands.
		/// - `worker`: who shall answer. Without one, the workers that offer the model take turns; those without a free
		///   slot, or whose terms do not fit, are passed over. A hidden input needs a named worker.
		/// - `max_fee`: the most that may be held.
		/// - `timeout`: in how many blocks the result has to come. When too many requests end in the same block the
		///   deadline is put off by up to `DeadlineSlack` blocks.
		#[pallet::call_index(7)]
		#[pallet::weight(T::WeightInfo::request_inference(
			input.encoded_size() as u32,
			if worker.is_some() { 1 } else { T::MaxProviders::get() },
		))]
		pub fn request_inference(
			origin: OriginFor<T>,
			model: ModelId,
			input: RequestInput,
			worker: Option<AccountId>,
			#[pallet::compact] max_fee: Balance,
			#[pallet::compact] timeout: BlockNumber,
		) -> DispatchResultWithPostInfo {
			let requester = ensure_signed(origin)?;
			let bytes = input.encoded_size() as u32;
			let seen = Self::open_request(requester, model, input, worker, max_fee, timeout)?;
			Ok(Some(T::WeightInfo::request_inference(bytes, seen)).into())
		}

		/// Cancels an open request. For `CancellationNotice` blocks more a result is still taken and paid in full, so
		/// that nobody can look at an answer in the transaction pool and withdraw the fee; then the fee is given back,
		/// but for the worker's cancellation fee.
		#[pallet::call_index(8)]
		pub fn cancel_request(origin: OriginFor<T>, #[pallet::compact] request: RequestId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			let mut record = Requests::<T>::get(request).ok_or(Error::<T>::UnknownRequest)?;
			ensure!(record.requester == who, Error::<T>::NotRequester);
			ensure!(record.cancelled.is_none(), Error::<T>::AlreadyCancelled);
			let closes_at = Self::bring_forward(request, record.deadline);
			record.cancelled = Some(closes_at);
			Requests::<T>::insert(request, record);
			Self::deposit_event(Event::CancellationAnnounced { request, closes_at });
			Ok(())
		}

		/// Delivers the result of an open request. A general transaction without signer and fee: `signature` is the
		/// assigned worker's, over [`result_payload`](opensand_primitives::inference::result_payload).
		///
		/// The proof is verified here. A good one settles the request: worker, owner, author and treasury are paid. A bad
		/// one closes it too: the fee is given back and the worker loses the bond it had reserved. Either way no second
		/// result for the request is looked at.
		#[pallet::call_index(9)]
		#[pallet::weight(T::WeightInfo::submit_result(MAX_STATEMENT_WORDS))]
		#[pallet::authorize(Self::authorize_result)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_submit_result())]
		pub fn submit_result(
			origin: OriginFor<T>,
			#[pallet::compact] request: RequestId,
			output: OutputBytes,
			proof: ProofBytes,
			signature: worker_key::Signature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			let _ = signature;
			let record = Requests::<T>::get(request).ok_or(Error::<T>::UnknownRequest)?;
			let (verdict, words) = Self::verify(request, &record, &output, &proof)?;
			match verdict {
				Ok(()) => Self::settle(request, record, output),
				Err(fault) => Self::reject(request, record, fault),
			}
			Ok(Some(T::WeightInfo::submit_result(words)).into())
		}

		/// Declines an open request: the fee is given back. Without loss to the worker during the request's first
		/// `DeclinePeriod` blocks or after its cancellation; later it loses the bond it had reserved, as it would at the
		/// deadline. A general transaction without signer and fee: `signature` is the assigned worker's, over
		/// [`decline_payload`](opensand_primitives::inference::decline_payload).
		#[pallet::call_index(10)]
		#[pallet::authorize(Self::authorize_decline)]
		pub fn decline_request(
			origin: OriginFor<T>,
			#[pallet::compact] request: RequestId,
			signature: worker_key::Signature,
		) -> DispatchResult {
			ensure_authorized(origin)?;
			let _ = signature;
			let record = Requests::<T>::get(request).ok_or(Error::<T>::UnknownRequest)?;
			Self::decline(request, record);
			Ok(())
		}

		/// Delivers up to 64 results, of any open requests, models and workers. Each settles or closes its request
		/// exactly as by [`submit_result`](Self::submit_result); they cost less together. A general transaction without
		/// signer and fee, with the assigned worker's signature on each result, as there.
		///
		/// All proofs are verified in one equation. If it fails, each is verified by itself, so that a bad one costs its
		/// own worker and nobody else. The weight of that case is charged and what was not needed given back; so the block
		/// may take fewer than 64.
		#[pallet::call_index(11)]
		#[pallet::weight(Pallet::<T>::worst_weight_of_results(results.len()))]
		#[pallet::authorize(Self::authorize_results)]
		#[pallet::weight_of_authorize(T::WeightInfo::authorize_submit_results(results.len() as u32))]
		pub fn submit_results(origin: OriginFor<T>, results: SignedResults) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			Ok(Some(Self::submit_all(results)).into())
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// What is recorded of a worker.
		pub fn worker(worker: AccountId) -> Option<WorkerRecord> {
			Workers::<T>::get(worker)
		}

		/// The workers that offer a model.
		pub fn providers(model: ModelId) -> Vec<AccountId> {
			Providers::<T>::get(model).accounts.into_inner()
		}

		/// What an inference would cost now, by the named worker, or by the one that an unnamed request with any timeout
		/// and fee would get.
		pub fn quote(model: ModelId, worker: Option<AccountId>) -> Option<Quote> {
			Self::quote_for(&model, worker)
		}

		/// Where a request stands; `None` if it never was, or closed longer ago than the receipt period.
		pub fn request(request: RequestId) -> Option<RequestState> {
			Requests::<T>::get(request)
				.map(RequestState::Open)
				.or_else(|| Receipts::<T>::get(request).map(RequestState::Closed))
		}

		/// The input of an open request.
		pub fn request_input(request: RequestId) -> Option<RequestInput> {
			Inputs::<T>::get(request)
		}

		/// The open requests of a requester, at most `limit` of them.
		pub fn requests_of(requester: AccountId, limit: u32) -> Vec<RequestId> {
			RequestsOf::<T>::iter_key_prefix(requester)
				.take(limit as usize)
				.collect()
		}

		/// The open requests that await a worker's result.
		pub fn assigned_to(worker: AccountId) -> Vec<RequestId> {
			Assigned::<T>::get(worker).into_inner()
		}

		/// Whether this result would settle this open request, without submitting it. `None` if it is not open.
		pub fn check_result(
			request: RequestId,
			output: Vec<u8>,
			proof: Vec<u8>,
		) -> Option<Result<(), ResultFault>> {
			let record = Requests::<T>::get(request)?;
			Self::verify(request, &record, &output, &proof)
				.ok()
				.map(|(verdict, _)| verdict)
		}
	}

	impl<T: Config> Pallet<T> {
		fn active_worker(worker: &AccountId) -> Result<WorkerRecord, DispatchError> {
			let record = Workers::<T>::get(worker).ok_or(Error::<T>::UnknownWorker)?;
			ensure!(record.status == WorkerStatus::Active, Error::<T>::WorkerLeaving);
			Ok(record)
		}

		/// Takes a worker off a model's list.
		fn unlist(worker: &AccountId, model: &ModelId) {
			Providers::<T>::mutate_exists(model, |entry| {
				let mut list = entry.take().unwrap_or_default();
				list.accounts.retain(|account| account != worker);
				*entry = Some(list).filter(|list| !list.accounts.is_empty());
			});
			Self::deposit_event(Event::OfferWithdrawn {
				worker: worker.clone(),
				model: *model,
			});
		}
	}
}
