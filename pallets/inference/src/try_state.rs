//! The market's invariants.

use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold};
use opensand_primitives::{inference::WorkerStatus, models::ModelView, AccountId, Balance};
use sp_runtime::TryRuntimeError;

use crate::{
	Assigned, Config, Deadlines, HoldReason, Inputs, NextRequestId, Pallet, Providers, ReceiptQueue,
	ReceiptQueueRange, Receipts, Requests, RequestsOf, WorkerOfKey, Workers,
};

impl<T: Config> Pallet<T> {
	/// Checks that for every account what is held is what open requests and bonds say, and that all indices agree with
	/// the records.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_state_holds()?;
		Self::try_state_requests()?;
		Self::try_state_workers()?;
		Self::try_state_providers()?;
		Self::try_state_receipts()
	}

	fn try_state_holds() -> Result<(), TryRuntimeError> {
		let mut fees = BTreeMap::<AccountId, Balance>::new();
		for record in Requests::<T>::iter_values() {
			let total = record.fee.total().ok_or("a fee that does not fit")?;
			let sum = fees.entry(record.requester).or_default();
			*sum = sum.checked_add(total).ok_or("fees that do not fit")?;
		}
		let bonds: BTreeMap<_, _> = Workers::<T>::iter()
			.map(|(worker, record)| (worker, record.bond))
			.collect();
		for (reason, owed) in [(HoldReason::RequestFee, &fees), (HoldReason::WorkerBond, &bonds)] {
			let reason = reason.into();
			for account in frame_system::Account::<T>::iter_keys().chain(owed.keys().cloned()) {
				let held = T::Currency::balance_on_hold(&reason, &account);
				ensure!(
					held == owed.get(&account).copied().unwrap_or(0),
					"what is held is not what is owed"
				);
			}
		}
		Ok(())
	}

	fn try_state_requests() -> Result<(), TryRuntimeError> {
		let now = Self::now();
		let mut count = 0usize;
		for (request, record) in Requests::<T>::iter() {
			count = count.saturating_add(1);
			ensure!(
				request < NextRequestId::<T>::get(),
				"a request with an id that was not handed out"
			);
			ensure!(Inputs::<T>::contains_key(request), "a request without input");
			ensure!(
				RequestsOf::<T>::contains_key(&record.requester, request),
				"a request that its requester's index lacks"
			);
			ensure!(
				Assigned::<T>::get(&record.worker).contains(&request),
				"a request that its worker's index lacks"
			);
			ensure!(record.closes_at() >= now, "a request that should have closed");
			ensure!(
				Deadlines::<T>::get(record.closes_at()).contains(&request),
				"a request that the schedule lacks"
			);
			let key = Self::key_of(&record).map_err(|_| "a request whose key is gone")?;
			ensure!(
				!key.has_weights() || T::Models::commitment(&record.model).is_some(),
				"a request whose model's commitment is gone"
			);
			ensure!(
				!Receipts::<T>::contains_key(request),
				"an open request with a receipt"
			);
		}
		// Each index has every request once, and as many entries as there are requests: so it has no others.
		ensure!(
			Inputs::<T>::iter_keys().count() == count,
			"an input without request"
		);
		ensure!(
			RequestsOf::<T>::iter_keys().count() == count,
			"a requester's index names no request"
		);
		let assigned: usize = Assigned::<T>::iter_values().map(|open| open.len()).sum();
		ensure!(assigned == count, "a worker's index names no request");
		let scheduled: usize = Deadlines::<T>::iter_values().map(|due| due.len()).sum();
		ensure!(scheduled == count, "the schedule names no request");
		Ok(())
	}

	fn try_state_workers() -> Result<(), TryRuntimeError> {
		let mut reserved = BTreeMap::<AccountId, (u32, Balance)>::new();
		for record in Requests::<T>::iter_values() {
			let (open, bond) = reserved.entry(record.worker).or_default();
			*open = open.saturating_add(1);
			*bond = bond.saturating_add(record.bond);
		}
		let mut count = 0usize;
		for (worker, record) in Workers::<T>::iter() {
			count = count.saturating_add(1);
			let (open, bond) = reserved.remove(&worker).unwrap_or_default();
			ensure!(record.open == open, "a worker miscounts its requests");
			ensure!(record.reserved == bond, "a worker misreckons its reserved bond");
			ensure!(record.bond >= record.reserved, "more is reserved than bonded");
			ensure!(
				WorkerOfKey::<T>::get(&record.key) == Some(worker.clone()),
				"a worker that its key does not name"
			);
			let leaving = record.status != WorkerStatus::Active;
			ensure!(
				!leaving || record.offers.is_empty(),
				"a worker that leaves and offers"
			);
			for offer in &record.offers {
				let listed = Providers::<T>::get(offer.model).accounts.contains(&worker);
				ensure!(listed, "an offer that is not listed");
			}
		}
		ensure!(reserved.is_empty(), "a request without worker");
		ensure!(
			WorkerOfKey::<T>::iter_keys().count() == count,
			"a key without worker"
		);
		Ok(())
	}

	fn try_state_providers() -> Result<(), TryRuntimeError> {
		let listed: usize = Providers::<T>::iter_values()
			.map(|list| list.accounts.len())
			.sum();
		let offered: usize = Workers::<T>::iter_values()
			.map(|record| record.offers.len())
			.sum();
		ensure!(listed == offered, "a list names a worker that does not offer");
		ensure!(
			Providers::<T>::iter_values().all(|list| !list.accounts.is_empty()),
			"an empty list is kept"
		);
		Ok(())
	}

	fn try_state_receipts() -> Result<(), TryRuntimeError> {
		let range = ReceiptQueueRange::<T>::get();
		let mut previous = 0;
		for position in range.first..range.next {
			let request = ReceiptQueue::<T>::get(position).ok_or("a gap in the queue of receipts")?;
			let receipt = Receipts::<T>::get(request).ok_or("a queued receipt that does not exist")?;
			ensure!(receipt.closed_at >= previous, "receipts out of order");
			previous = receipt.closed_at;
		}
		let queued = range.next.saturating_sub(range.first) as usize;
		ensure!(
			ReceiptQueue::<T>::iter_keys().count() == queued,
			"an entry outside the queue's range"
		);
		ensure!(
			Receipts::<T>::iter_keys().count() == queued,
			"a receipt that is not queued"
		);
		Ok(())
	}
}
