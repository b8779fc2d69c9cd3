//! How licences for datasets are put up for sale.

use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect, MutateHold},
		Get,
	},
};
use opensand_primitives::{
	market::Listing,
	storage::{DatasetOperation, OrderRecord, OrderStatus, Visibility},
	AccountId, Balance, ListingId, OrderId,
};
use sp_runtime::{DispatchError, DispatchResult};

use crate::{
	Config, Error, HoldReason, IdKey, ListingEntry, Listings, ListingsOf, NextListingId, Pallet, PendingSales,
};

impl<T: Config> Pallet<T> {
	/// Whether licences for a dataset can be sold now, with or without the permission to train.
	pub(crate) fn check_for_sale(record: &OrderRecord, training: bool) -> Result<(), Error<T>> {
		match record.status {
			OrderStatus::Active { .. } => (),
			OrderStatus::Placing { .. } => return Err(Error::<T>::NotActive),
			OrderStatus::Lost => return Err(Error::<T>::OrderLost),
		}
		ensure!(
			record.terms.visibility == Visibility::Licensed,
			Error::<T>::NotForSale
		);
		ensure!(!training || record.terms.training, Error::<T>::TrainingNotAllowed);
		Ok(())
	}

	pub(crate) fn open_listing(
		seller: AccountId,
		order: OrderId,
		price: Balance,
		training: bool,
		terms: [u8; 32],
	) -> DispatchResult {
		Self::check_for_sale(&Self::owned_order(&seller, order)?.record, training)?;
		ensure!(
			price >= T::Currency::minimum_balance(),
			Error::<T>::LicenceTooCheap
		);
		let deposit = T::DepositPerItem::get();
		T::Currency::hold(&HoldReason::Deposit.into(), &seller, deposit)?;

		let id = NextListingId::<T>::get();
		NextListingId::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
		let listing = Listing {
			order,
			seller: seller.clone(),
			price,
			training,
			terms,
			open: true,
			pending: 0,
			sold: 0,
		};
		Listings::<T>::insert(IdKey::new(id), ListingEntry { listing, deposit });
		ListingsOf::<T>::insert(&seller, IdKey::new(id), ());
		let operation = DatasetOperation::Listed {
			listing: id,
			price,
			training,
			terms,
		};
		Self::record_event(order, &seller, operation);
		Ok(())
	}

	/// A listing that takes purchases.
	pub(crate) fn open_entry(id: ListingId) -> Result<ListingEntry, DispatchError> {
		let entry = Listings::<T>::get(IdKey::new(id)).ok_or(Error::<T>::UnknownListing)?;
		ensure!(entry.listing.open, Error::<T>::ListingWithdrawn);
		Ok(entry)
	}

	pub(crate) fn close_listing(signer: AccountId, id: ListingId) -> DispatchResult {
		let mut entry = Self::open_entry(id)?;
		ensure!(entry.listing.seller == signer, Error::<T>::NotSeller);
		entry.listing.open = false;
		let order = entry.listing.order;
		Self::put_listing(id, entry);
		Self::record_event(order, &signer, DatasetOperation::Withdrawn { listing: id });
		Ok(())
	}

	/// Stores a listing; removes it instead, and gives its deposit back, when it was withdrawn and nothing is pending.
	pub(crate) fn put_listing(id: ListingId, entry: ListingEntry) {
		if entry.listing.open || entry.listing.pending > 0 {
			Listings::<T>::insert(IdKey::new(id), entry);
			return;
		}
		let seller = &entry.listing.seller;
		Self::give_back(HoldReason::Deposit, seller, entry.deposit);
		ListingsOf::<T>::remove(seller, IdKey::new(id));
		Listings::<T>::remove(IdKey::new(id));
	}

	/// An order cannot end while sales of its data are pending. They end by themselves, before its paid time does.
	pub(crate) fn ensure_nothing_pending(order: OrderId) -> DispatchResult {
		ensure!(!PendingSales::<T>::contains_key(order), Error::<T>::SalesPending);
		Ok(())
	}

	pub(crate) fn listings_from(from: ListingId, limit: u32) -> Vec<(ListingId, Listing)> {
		// Starting after a key that is not there starts at the next one.
		let entries = match from.checked_sub(1) {
			None => Listings::<T>::iter(),
			Some(before) => Listings::<T>::iter_from(Listings::<T>::hashed_key_for(IdKey::new(before))),
		};
		entries
			.take(Self::MAX_LOOKED_AT)
			.filter(|(_, entry)| entry.listing.open)
			.map(|(key, entry)| (key.id(), entry.listing))
			.take(limit as usize)
			.collect()
	}

	pub(crate) fn listings_by(seller: &AccountId, from: ListingId, limit: u32) -> Vec<(ListingId, Listing)> {
		let keys = match from.checked_sub(1) {
			None => ListingsOf::<T>::iter_key_prefix(seller),
			Some(before) => {
				let after = ListingsOf::<T>::hashed_key_for(seller, IdKey::new(before));
				ListingsOf::<T>::iter_key_prefix_from(seller, after)
			}
		};
		keys.take(limit as usize)
			.filter_map(|key| Some((key.id(), Listings::<T>::get(key)?.listing)))
			.collect()
	}
}
