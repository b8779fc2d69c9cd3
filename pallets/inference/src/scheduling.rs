//! How a request comes to a worker and a deadline.

use frame_support::{
	ensure,
	traits::{fungible::MutateHold, Get},
};
use opensand_primitives::{
	inference::{Fee, Offer, Quote, RequestInput, RequestRecord, WorkerRecord, WorkerStatus},
	models::{InferenceTerms, ModelView},
	AccountId, Balance, BlockNumber, ModelId, RequestId,
};
use sp_runtime::{traits::UniqueSaturatedInto, DispatchError, DispatchResult};

use crate::{
	verification::is_canonical_hash, Assigned, Config, Deadlines, Error, Event, HoldReason, Inputs,
	NextRequestId, Pallet, Providers, Requests, RequestsOf, Workers,
};

/// The worker of a new request, its record before the request, and the fee.
struct Assignment {
	worker: AccountId,
	record: WorkerRecord,
	fee: Fee,
	total: Balance,
	/// How many workers were looked at.
	seen: u32,
}

impl<T: Config> Pallet<T> {
	/// The current block's number.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().unique_saturated_into()
	}

	/// The parts of the fee for one inference. Shares are rounded down; a fee that does not fit has no total.
	fn fee(price: Balance, royalty: Balance) -> Fee {
		let share = T::ProtocolShare::get().mul_floor(price.saturating_add(royalty));
		Fee {
			worker: price,
			royalty,
			protocol: T::VerificationFee::get().saturating_add(share),
		}
	}

	/// Whether a worker can take one more request.
	fn has_free_slot(record: &WorkerRecord) -> bool {
		record.status == WorkerStatus::Active
			&& record.open < record.capacity
			&& record.free_bond() >= T::RequestBond::get()
	}

	/// Opens a request; returns how many workers were looked at for it.
	pub(crate) fn open_request(
		requester: AccountId,
		model: ModelId,
		input: RequestInput,
		worker: Option<AccountId>,
		max_fee: Balance,
		timeout: BlockNumber,
	) -> Result<u32, DispatchError> {
		let terms = T::Models::inference_terms(&model).ok_or(Error::<T>::ModelUnavailable)?;
		Self::check_input(&terms, &input, worker.is_some())?;
		ensure!(
			(T::MinTimeout::get()..=T::MaxTimeout::get()).contains(&timeout),
			Error::<T>::TimeoutOutOfRange
		);
		let Assignment {
			worker,
			mut record,
			fee,
			total,
			seen,
		} = match worker {
			Some(worker) => Self::assign_named(worker, &model, &terms, max_fee, timeout)?,
			None => Self::assign_next(&model, &terms, max_fee, timeout)?,
		};

		T::Currency::hold(&HoldReason::RequestFee.into(), &requester, total)?;
		T::Models::begin_use(&model)?;
		let request = NextRequestId::<T>::get();
		NextRequestId::<T>::put(request.checked_add(1).ok_or(Error::<T>::Overflow)?);
		let now = Self::now();
		let deadline = now.checked_add(timeout).ok_or(Error::<T>::Overflow)?;
		let deadline =
			Self::schedule(request, deadline, T::DeadlineSlack::get()).ok_or(Error::<T>::DeadlinesFull)?;

		let bond = T::RequestBond::get();
		record.open = record.open.saturating_add(1);
		record.reserved = record.reserved.saturating_add(bond);
		Workers::<T>::insert(&worker, record);
		Assigned::<T>::try_mutate(&worker, |open| open.try_push(request))
			.map_err(|_| Error::<T>::WorkerBusy)?;
		let InferenceTerms {
			owner,
			key,
			output_len,
			..
		} = terms;
		let record = RequestRecord {
			requester: requester.clone(),
			model,
			key,
			worker: worker.clone(),
			output_len,
			owner,
			fee,
			bond,
			requested_at: now,
			deadline,
			cancelled: None,
		};
		Requests::<T>::insert(request, record);
		Inputs::<T>::insert(request, input);
		RequestsOf::<T>::insert(&requester, request, ());
		Self::deposit_event(Event::InferenceRequested {
			request,
			requester,
			model,
			worker,
			fee,
			deadline,
		});
		Ok(seen)
	}

	fn check_input(terms: &InferenceTerms, input: &RequestInput, named: bool) -> DispatchResult {
		ensure!(
			input.visibility() == terms.input_visibility,
			Error::<T>::WrongInputVisibility
		);
		match input {
			RequestInput::Public(bytes) => {
				ensure!(
					bytes.len() == terms.input_len as usize,
					Error::<T>::WrongInputLength
				)
			}
			RequestInput::Hashed { hash, .. } => {
				ensure!(named, Error::<T>::WorkerRequired);
				ensure!(is_canonical_hash(*hash), Error::<T>::NonCanonicalHash);
			}
		}
		Ok(())
	}

	fn assign_named(
		worker: AccountId,
		model: &ModelId,
		terms: &InferenceTerms,
		max_fee: Balance,
		timeout: BlockNumber,
	) -> Result<Assignment, DispatchError> {
		let record = Workers::<T>::get(&worker).ok_or(Error::<T>::UnknownWorker)?;
		let offer = record.offer(model).ok_or(Error::<T>::ModelNotOffered)?;
		ensure!(offer.turnaround <= timeout, Error::<T>::TimeoutTooShort);
		let fee = Self::fee(offer.price, terms.royalty);
		let total = fee
			.total()
			.filter(|total| *total <= max_fee)
			.ok_or(Error::<T>::FeeTooHigh)?;
		ensure!(Self::has_free_slot(&record), Error::<T>::WorkerBusy);
		Ok(Assignment {
			worker,
			record,
			fee,
			total,
			seen: 1,
		})
	}

	/// Gives the request to the next worker in turn that can take it on these terms.
	fn assign_next(
		model: &ModelId,
		terms: &InferenceTerms,
		max_fee: Balance,
		timeout: BlockNumber,
	) -> Result<Assignment, DispatchError> {
		let mut providers = Providers::<T>::get(model);
		let fits = |offer: &Offer| {
			let fee = Self::fee(offer.price, terms.royalty);
			let total = fee
				.total()
				.filter(|total| *total <= max_fee && offer.turnaround <= timeout)?;
			Some((fee, total))
		};
		let (position, assignment) = (1u32..)
			.zip(providers.turns())
			.find_map(|(seen, (position, worker))| {
				let record = Workers::<T>::get(worker).filter(Self::has_free_slot)?;
				let (fee, total) = fits(record.offer(model)?)?;
				let worker = worker.clone();
				Some((
					position,
					Assignment {
						worker,
						record,
						fee,
						total,
						seen,
					},
				))
			})
			.ok_or(Error::<T>::NoWorkerAvailable)?;
		providers.next = position.saturating_add(1);
		Providers::<T>::insert(model, providers);
		Ok(assignment)
	}

	pub(crate) fn quote_for(model: &ModelId, worker: Option<AccountId>) -> Option<Quote> {
		let terms = T::Models::inference_terms(model)?;
		let (worker, record) = match worker {
			Some(worker) => Workers::<T>::get(&worker).map(|record| (worker, record))?,
			None => Providers::<T>::get(model).turns().find_map(|(_, worker)| {
				let record = Workers::<T>::get(worker).filter(Self::has_free_slot)?;
				Some((worker.clone(), record))
			})?,
		};
		let offer = record.offer(model)?;
		let fee = Self::fee(offer.price, terms.royalty);
		Some(Quote {
			worker,
			encryption_key: record.encryption_key,
			fee,
			total: fee.total()?,
			turnaround: offer.turnaround.max(T::MinTimeout::get()),
			available: Self::has_free_slot(&record),
		})
	}

	/// Enters a request into the first block from `wanted` on, at most `slack` later, whose schedule has room.
	fn schedule(request: RequestId, wanted: BlockNumber, slack: BlockNumber) -> Option<BlockNumber> {
		(wanted..=wanted.saturating_add(slack))
			.find(|block| Deadlines::<T>::try_mutate(block, |due| due.try_push(request)).is_ok())
	}

	/// Takes a request off the schedule.
	pub(crate) fn unschedule(request: RequestId, block: BlockNumber) {
		Deadlines::<T>::mutate_exists(block, |entry| {
			let mut due = entry.take().unwrap_or_default();
			due.retain(|id| *id != request);
			*entry = Some(due).filter(|due| !due.is_empty());
		});
	}

	/// Moves a request's last block to the end of the cancellation notice, or, where that block and those after it are
	/// full, leaves it at `deadline`. Returns the last block.
	pub(crate) fn bring_forward(request: RequestId, deadline: BlockNumber) -> BlockNumber {
		let wanted = Self::now().saturating_add(T::CancellationNotice::get());
		if wanted >= deadline {
			return deadline;
		}
		let slack = T::DeadlineSlack::get().min(deadline.saturating_sub(wanted).saturating_sub(1));
		match Self::schedule(request, wanted, slack) {
			Some(block) => {
				Self::unschedule(request, deadline);
				block
			}
			None => deadline,
		}
	}
}
