//! How a request closes, and where its money goes.
//!
//! Nothing here fails for want of an account: a share that its payee cannot receive goes to the treasury, so that one
//! missing account never stands in the way of the others' pay. Shares are rounded down and the rest is the treasury's.

use frame_support::traits::{
	fungible::{Balanced, BalancedHold, MutateHold},
	tokens::{Fortitude, Precision, Restriction},
	Get, Imbalance, OnUnbalanced,
};
use opensand_primitives::{
	inference::{Outcome, OutputBytes, Receipt, RequestRecord, ResultFault},
	models::ModelView,
	work::WorkSink,
	AccountId, Balance, BlockNumber, RequestId,
};

use crate::{
	Assigned, Config, Deadlines, Event, HoldReason, Inputs, Pallet, ReceiptQueue, ReceiptQueueRange,
	Receipts, Requests, RequestsOf, Workers,
};

impl<T: Config> Pallet<T> {
	/// Pays everybody for a verified result.
	pub(crate) fn settle(request: RequestId, record: RequestRecord, output: OutputBytes) {
		let RequestRecord {
			requester,
			worker,
			owner,
			model,
			fee,
			..
		} = record.clone();
		let outcome = Outcome::Settled {
			output: output.clone(),
		};
		Self::close(request, &record, outcome, 0);
		let worker_paid = Self::pay(&requester, &worker, fee.worker);
		let owner_paid = Self::pay(&requester, &owner, fee.royalty);
		let author = T::BlockAuthor::get();
		let author_share = T::AuthorShare::get().mul_floor(fee.protocol);
		let author_paid = author
			.as_ref()
			.map_or(0, |author| Self::pay(&requester, author, author_share));
		let paid = worker_paid.saturating_add(owner_paid).saturating_add(author_paid);
		let rest = Self::held_for(&record).saturating_sub(paid);
		let (credit, _) = T::Currency::slash(&HoldReason::RequestFee.into(), &requester, rest);
		let treasury_paid = credit.peek();
		T::Treasury::on_unbalanced(credit);
		T::WorkSink::credit(&worker, fee.worker);
		Self::deposit_event(Event::InferenceSettled {
			request,
			model,
			requester,
			worker,
			output,
			worker_paid,
			owner,
			owner_paid,
			author,
			author_paid,
			treasury_paid,
		});
	}

	/// Gives the fee back and slashes the worker, for a result that did not verify.
	pub(crate) fn reject(request: RequestId, record: RequestRecord, fault: ResultFault) {
		Self::slash_and_refund(request, &record, Outcome::Rejected { fault });
		Self::deposit_event(Event::ResultRejected {
			request,
			worker: record.worker,
			fault,
		});
	}

	/// Gives the fee back; slashes the worker if it declines after its time for that.
	pub(crate) fn decline(request: RequestId, record: RequestRecord) {
		let free_until = record.requested_at.saturating_add(T::DeclinePeriod::get());
		if record.cancelled.is_some() || Self::now() <= free_until {
			Self::close(request, &record, Outcome::Declined, 0);
			Self::refund(&record.requester, Self::held_for(&record));
		} else {
			Self::slash_and_refund(request, &record, Outcome::Declined);
		}
		Self::deposit_event(Event::RequestDeclined {
			request,
			worker: record.worker,
		});
	}

	/// Closes the requests whose last block is `block`; returns how many.
	pub(crate) fn close_due(block: BlockNumber) -> u32 {
		let due = Deadlines::<T>::take(block);
		for request in due.iter().copied() {
			if let Some(record) = Requests::<T>::get(request) {
				Self::close_unanswered(request, record);
			}
		}
		due.len() as u32
	}

	fn close_unanswered(request: RequestId, record: RequestRecord) {
		if record.cancelled.is_some() {
			Self::close(request, &record, Outcome::Cancelled, 0);
			let kept = T::CancellationShare::get().mul_floor(record.fee.worker);
			let worker_paid = Self::pay(&record.requester, &record.worker, kept);
			Self::refund(
				&record.requester,
				Self::held_for(&record).saturating_sub(worker_paid),
			);
			Self::deposit_event(Event::RequestCancelled {
				request,
				worker: record.worker,
				worker_paid,
			});
		} else {
			Self::slash_and_refund(request, &record, Outcome::Expired);
			Self::deposit_event(Event::RequestExpired {
				request,
				worker: record.worker,
			});
		}
	}

	/// Closes a request that its worker failed: the fee goes back, and the bond that was reserved is lost, a part of it
	/// to the requester.
	fn slash_and_refund(request: RequestId, record: &RequestRecord, outcome: Outcome) {
		Self::close(request, record, outcome, record.bond);
		Self::refund(&record.requester, Self::held_for(record));
		let reason = HoldReason::WorkerBond.into();
		let (credit, _) = T::Currency::slash(&reason, &record.worker, record.bond);
		let amount = credit.peek();
		let share = T::CompensationShare::get().mul_floor(amount);
		let (compensation, rest) = credit.split(share);
		let paid = compensation.peek();
		// The requester exists, since its fee was held. Were it not so, the treasury would take the whole.
		let (rest, compensation) = match T::Currency::resolve(&record.requester, compensation) {
			Ok(()) => (rest, paid),
			Err(unpaid) => (rest.merge(unpaid), 0),
		};
		T::Treasury::on_unbalanced(rest);
		let worker = record.worker.clone();
		Self::deposit_event(Event::WorkerSlashed {
			worker,
			request,
			amount,
			compensation,
		});
	}

	/// Removes an open request from everywhere, frees its worker's slot, and leaves a receipt. `slashed` is what the
	/// caller takes of the worker's bond.
	fn close(request: RequestId, record: &RequestRecord, outcome: Outcome, slashed: Balance) {
		Requests::<T>::remove(request);
		Inputs::<T>::remove(request);
		RequestsOf::<T>::remove(&record.requester, request);
		Self::unschedule(request, record.closes_at());
		Assigned::<T>::mutate_exists(&record.worker, |entry| {
			let mut open = entry.take().unwrap_or_default();
			open.retain(|id| *id != request);
			*entry = Some(open).filter(|open| !open.is_empty());
		});
		Workers::<T>::mutate_extant(&record.worker, |worker| {
			worker.open = worker.open.saturating_sub(1);
			worker.reserved = worker.reserved.saturating_sub(record.bond);
			worker.bond = worker.bond.saturating_sub(slashed);
		});
		T::Models::end_use(&record.model);
		let receipt = Receipt {
			requester: record.requester.clone(),
			model: record.model,
			worker: record.worker.clone(),
			closed_at: Self::now(),
			outcome,
		};
		Receipts::<T>::insert(request, receipt);
		ReceiptQueueRange::<T>::mutate(|range| {
			ReceiptQueue::<T>::insert(range.next, request);
			range.next = range.next.saturating_add(1);
		});
	}

	/// Removes at most `limit` receipts whose period is over; returns how many.
	pub(crate) fn purge_receipts(limit: u32) -> u32 {
		let kept_from = Self::now().saturating_sub(T::ReceiptPeriod::get());
		ReceiptQueueRange::<T>::mutate(|range| {
			let mut purged = 0u32;
			while purged < limit && range.first < range.next {
				let Some(request) = ReceiptQueue::<T>::get(range.first) else {
					break;
				};
				if Receipts::<T>::get(request).is_some_and(|receipt| receipt.closed_at >= kept_from) {
					break;
				}
				Receipts::<T>::remove(request);
				ReceiptQueue::<T>::remove(range.first);
				range.first = range.first.saturating_add(1);
				purged = purged.saturating_add(1);
			}
			purged
		})
	}

	/// What is held from a request's requester for it.
	fn held_for(record: &RequestRecord) -> Balance {
		// The request was opened only because the total fits.
		record.fee.total().unwrap_or(Balance::MAX)
	}

	/// Pays `amount` of a held fee; returns what was paid, which is nothing where the payee cannot receive it.
	fn pay(requester: &AccountId, payee: &AccountId, amount: Balance) -> Balance {
		T::Currency::transfer_on_hold(
			&HoldReason::RequestFee.into(),
			requester,
			payee,
			amount,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}

	/// Gives `amount` of a held fee back.
	fn refund(requester: &AccountId, amount: Balance) {
		let released = T::Currency::release(
			&HoldReason::RequestFee.into(),
			requester,
			amount,
			Precision::BestEffort,
		);
		frame_support::defensive_assert!(
			released == Ok(amount),
			"a fee can be given back to whom it was held from"
		);
	}
}
