//! How licences are bought, delivered, disputed and given up.

use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{
		fungible::MutateHold,
		tokens::{Fortitude, Precision, Restriction},
		Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use opensand_primitives::{
	market::{Purchase, PurchaseKey, PurchaseStatus, RefundReason},
	storage::{DatasetOperation, Grant, OrderRecord, OrderStatus},
	AccountId, Balance, BlockNumber, ListingId, PurchaseId,
};
use opensand_sealing::{check_format, commitment, open_key, Context, SecretKey};
use sp_runtime::{DispatchError, DispatchResult};

use crate::{
	Config, DeliveriesDue, Error, GrantEntry, Grants, HoldReason, IdKey, LicenceOf, Listings, NextPurchaseId,
	Orders, Pallet, PendingSales, PurchaseEntry, Purchases, PurchasesOf, SealedKey,
};

impl<T: Config> Pallet<T> {
	/// Whether an active order is paid until after block `last`.
	fn lasts_beyond(record: &OrderRecord, last: BlockNumber) -> bool {
		match record.status {
			OrderStatus::Active { end, .. } => end.saturating_mul(T::WindowBlocks::get()) > last,
			OrderStatus::Placing { .. } | OrderStatus::Lost => false,
		}
	}

	pub(crate) fn open_purchase(
		buyer: AccountId,
		listing_id: ListingId,
		max_price: Balance,
		key: PurchaseKey,
	) -> DispatchResult {
		let mut entry = Self::open_entry(listing_id)?;
		let listing = &mut entry.listing;
		ensure!(listing.seller != buyer, Error::<T>::OwnListing);
		ensure!(listing.price <= max_price, Error::<T>::PriceAboveLimit);
		ensure!(key.public != [0; 32], Error::<T>::InvalidAccessKey);
		let record = Orders::<T>::get(listing.order)
			.ok_or(Error::<T>::UnknownOrder)?
			.record;
		Self::check_for_sale(&record, listing.training)?;
		let now = Self::now();
		let deliver_by = now.saturating_add(T::DeliveryBlocks::get());
		let settled_by = deliver_by.saturating_add(T::ConfirmationBlocks::get());
		ensure!(
			Self::lasts_beyond(&record, settled_by),
			Error::<T>::OrderEndsTooSoon
		);
		ensure!(
			!LicenceOf::<T>::contains_key(listing.order, &buyer),
			Error::<T>::AlreadyBought
		);
		ensure!(
			!Grants::<T>::contains_key(listing.order, &buyer),
			Error::<T>::AccessHeld
		);
		let deposit = T::DepositPerItem::get();
		T::Currency::hold(&HoldReason::Purchase.into(), &buyer, listing.price)?;
		T::Currency::hold(&HoldReason::Deposit.into(), &buyer, deposit)?;

		let id = NextPurchaseId::<T>::get();
		NextPurchaseId::<T>::put(id.checked_add(1).ok_or(Error::<T>::Overflow)?);
		listing.pending = listing.pending.checked_add(1).ok_or(Error::<T>::Overflow)?;
		let purchase = Purchase {
			listing: listing_id,
			order: listing.order,
			seller: listing.seller.clone(),
			buyer: buyer.clone(),
			price: listing.price,
			training: listing.training,
			terms: listing.terms,
			manifest: record.terms.manifest,
			key_commitment: record.terms.key_commitment,
			key,
			status: PurchaseStatus::Paid { deliver_by },
			bought_at: now,
		};
		let (order, price) = (purchase.order, purchase.price);
		PurchasesOf::<T>::insert(&buyer, IdKey::new(id), ());
		DeliveriesDue::<T>::insert(&purchase.seller, IdKey::new(id), ());
		LicenceOf::<T>::insert(order, &buyer, id);
		PendingSales::<T>::mutate(order, |pending| *pending = pending.saturating_add(1));
		let stored = PurchaseEntry {
			purchase,
			deposit,
			bond: 0,
		};
		Purchases::<T>::insert(id, stored);
		Self::put_listing(listing_id, entry);
		let operation = DatasetOperation::Bought {
			purchase: id,
			buyer: buyer.clone(),
			listing: listing_id,
			price,
		};
		Self::record_event(order, &buyer, operation);
		Ok(())
	}

	pub(crate) fn take_delivery(signer: AccountId, id: PurchaseId, sealed_key: SealedKey) -> DispatchResult {
		let mut entry = Self::purchase_entry(id)?;
		let purchase = &mut entry.purchase;
		ensure!(purchase.seller == signer, Error::<T>::NotSeller);
		let deliver_by = match purchase.status {
			PurchaseStatus::Paid { deliver_by } => deliver_by,
			PurchaseStatus::Delivered { .. } => return Err(Error::<T>::AlreadyDelivered.into()),
			PurchaseStatus::Licensed => return Err(Error::<T>::AlreadyLicensed.into()),
		};
		let now = Self::now();
		ensure!(now <= deliver_by, Error::<T>::DeliveryTooLate);
		ensure!(check_format(&sealed_key).is_ok(), Error::<T>::MalformedSealedKey);
		let bond = T::DeliveryBond::get();
		T::Currency::hold(&HoldReason::DeliveryBond.into(), &signer, bond)?;

		let dispute_by = now.saturating_add(T::ConfirmationBlocks::get());
		purchase.status = PurchaseStatus::Delivered {
			sealed_key,
			dispute_by,
		};
		let order = purchase.order;
		entry.bond = bond;
		DeliveriesDue::<T>::remove(&signer, IdKey::new(id));
		Purchases::<T>::insert(id, entry);
		Self::record_event(order, &signer, DatasetOperation::Delivered { purchase: id });
		Ok(())
	}

	pub(crate) fn accept_delivery(signer: AccountId, id: PurchaseId) -> DispatchResult {
		let entry = Self::bought_entry(&signer, id)?;
		let (sealed_key, _) = Self::delivery(&entry.purchase)?;
		Self::license(id, entry, sealed_key, &signer)
	}

	pub(crate) fn settle_purchase(signer: AccountId, id: PurchaseId) -> DispatchResult {
		let entry = Self::purchase_entry(id)?;
		let now = Self::now();
		let sealed_key = match &entry.purchase.status {
			PurchaseStatus::Paid { deliver_by } => {
				ensure!(now > *deliver_by, Error::<T>::PurchaseRunning);
				DeliveriesDue::<T>::remove(&entry.purchase.seller, IdKey::new(id));
				Self::refund_purchase(id, entry, RefundReason::Undelivered, &signer);
				return Ok(());
			}
			PurchaseStatus::Delivered {
				sealed_key,
				dispute_by,
			} => {
				ensure!(now > *dispute_by, Error::<T>::PurchaseRunning);
				sealed_key.clone()
			}
			PurchaseStatus::Licensed => return Err(Error::<T>::AlreadyLicensed.into()),
		};
		let lost = Orders::<T>::get(entry.purchase.order)
			.is_none_or(|order| order.record.status == OrderStatus::Lost);
		if lost {
			Self::give_back(HoldReason::DeliveryBond, &entry.purchase.seller, entry.bond);
			Self::refund_purchase(id, entry, RefundReason::DataLost, &signer);
			return Ok(());
		}
		Self::license(id, entry, sealed_key, &signer)
	}

	pub(crate) fn judge_delivery(signer: AccountId, id: PurchaseId, secret: [u8; 32]) -> DispatchResult {
		let entry = Self::bought_entry(&signer, id)?;
		let purchase = &entry.purchase;
		let (sealed_key, dispute_by) = Self::delivery(purchase)?;
		ensure!(Self::now() <= dispute_by, Error::<T>::DisputeTooLate);
		let secret = SecretKey::from_bytes(secret);
		ensure!(
			secret.public_key() == purchase.key.public,
			Error::<T>::WrongSecret
		);
		ensure!(
			!Self::is_right(purchase, &sealed_key, &secret),
			Error::<T>::DeliveryWasRight
		);
		if entry.bond > 0 {
			T::Currency::transfer_on_hold(
				&HoldReason::DeliveryBond.into(),
				&purchase.seller,
				&purchase.buyer,
				entry.bond,
				Precision::Exact,
				Restriction::Free,
				Fortitude::Force,
			)?;
		}
		Self::refund_purchase(id, entry, RefundReason::WrongDelivery, &signer);
		Ok(())
	}

	/// Whether what was delivered opens to the key that the dataset is committed to.
	fn is_right(purchase: &Purchase, sealed_key: &[u8], secret: &SecretKey) -> bool {
		// The first block's hash is never forgotten.
		let genesis = frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::from(0u32));
		let context = Context {
			genesis: genesis.0,
			manifest: purchase.manifest,
			grantee: purchase.buyer.clone().into(),
		};
		open_key(&context, sealed_key, secret)
			.is_ok_and(|key| commitment(&key, sp_io::hashing::blake2_256) == purchase.key_commitment)
	}

	pub(crate) fn remove_licence(signer: AccountId, id: PurchaseId) -> DispatchResult {
		let entry = Self::bought_entry(&signer, id)?;
		let purchase = &entry.purchase;
		ensure!(
			purchase.status == PurchaseStatus::Licensed,
			Error::<T>::NotLicensed
		);
		let order = purchase.order;
		Grants::<T>::remove(order, &signer);
		Self::remove_purchase(id, &entry);
		let operation = DatasetOperation::Surrendered {
			purchase: id,
			buyer: signer.clone(),
		};
		Self::record_event(order, &signer, operation);
		Ok(())
	}

	fn purchase_entry(id: PurchaseId) -> Result<PurchaseEntry, DispatchError> {
		Purchases::<T>::get(id).ok_or_else(|| Error::<T>::UnknownPurchase.into())
	}

	/// A purchase of `signer`'s.
	fn bought_entry(signer: &AccountId, id: PurchaseId) -> Result<PurchaseEntry, DispatchError> {
		let entry = Self::purchase_entry(id)?;
		ensure!(entry.purchase.buyer == *signer, Error::<T>::NotBuyer);
		Ok(entry)
	}

	/// What was delivered, and the last block for disputing it.
	fn delivery(purchase: &Purchase) -> Result<(SealedKey, BlockNumber), Error<T>> {
		match &purchase.status {
			PurchaseStatus::Paid { .. } => Err(Error::<T>::NotDelivered),
			PurchaseStatus::Delivered {
				sealed_key,
				dispute_by,
			} => Ok((sealed_key.clone(), *dispute_by)),
			PurchaseStatus::Licensed => Err(Error::<T>::AlreadyLicensed),
		}
	}

	/// Pays the seller, frees its bond, and makes the delivered key the buyer's grant.
	fn license(
		id: PurchaseId,
		mut entry: PurchaseEntry,
		sealed_key: SealedKey,
		by: &AccountId,
	) -> DispatchResult {
		let purchase = &mut entry.purchase;
		// The seller can be paid: its bond keeps its account alive, and the price is an existential deposit at least.
		T::Currency::transfer_on_hold(
			&HoldReason::Purchase.into(),
			&purchase.buyer,
			&purchase.seller,
			purchase.price,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)?;
		let bond = core::mem::take(&mut entry.bond);
		Self::give_back(HoldReason::DeliveryBond, &purchase.seller, bond);
		purchase.status = PurchaseStatus::Licensed;
		let grant = Grant {
			sealed_key,
			training: purchase.training,
			granted_at: Self::now(),
			sold: Some(id),
		};
		let (order, buyer) = (purchase.order, purchase.buyer.clone());
		let granted = GrantEntry {
			grant,
			by: purchase.seller.clone(),
			// The purchase's covers it.
			deposit: 0,
		};
		Grants::<T>::insert(order, &buyer, granted);
		let operation = DatasetOperation::Licensed {
			purchase: id,
			buyer,
			training: purchase.training,
		};
		Self::end_sale(purchase, true);
		Purchases::<T>::insert(id, entry);
		Self::record_event(order, by, operation);
		Ok(())
	}

	/// Gives the buyer its money back. The seller's bond is dealt with.
	fn refund_purchase(id: PurchaseId, entry: PurchaseEntry, reason: RefundReason, by: &AccountId) {
		let purchase = &entry.purchase;
		Self::give_back(HoldReason::Purchase, &purchase.buyer, purchase.price);
		Self::remove_purchase(id, &entry);
		Self::end_sale(purchase, false);
		let operation = DatasetOperation::Refunded {
			purchase: id,
			buyer: purchase.buyer.clone(),
			reason,
		};
		Self::record_event(purchase.order, by, operation);
	}

	/// Forgets a purchase, and gives the deposit for its room back.
	fn remove_purchase(id: PurchaseId, entry: &PurchaseEntry) {
		let purchase = &entry.purchase;
		Self::give_back(HoldReason::Deposit, &purchase.buyer, entry.deposit);
		LicenceOf::<T>::remove(purchase.order, &purchase.buyer);
		PurchasesOf::<T>::remove(&purchase.buyer, IdKey::new(id));
		Purchases::<T>::remove(id);
	}

	/// Counts that a purchase is not pending any more.
	fn end_sale(purchase: &Purchase, sold: bool) {
		PendingSales::<T>::mutate_exists(purchase.order, |pending| {
			*pending = pending
				.and_then(|count| count.checked_sub(1))
				.filter(|count| *count > 0);
		});
		let Some(mut entry) = Listings::<T>::get(IdKey::new(purchase.listing)) else {
			frame_support::defensive!("a listing stays while a purchase of it is pending");
			return;
		};
		let listing = &mut entry.listing;
		listing.pending = listing.pending.saturating_sub(1);
		listing.sold = listing.sold.saturating_add(sold.into());
		Self::put_listing(purchase.listing, entry);
	}

	pub(crate) fn purchases_by(
		buyer: &AccountId,
		from: PurchaseId,
		limit: u32,
	) -> Vec<(PurchaseId, Purchase)> {
		let keys = match from.checked_sub(1) {
			None => PurchasesOf::<T>::iter_key_prefix(buyer),
			Some(before) => {
				let after = PurchasesOf::<T>::hashed_key_for(buyer, IdKey::new(before));
				PurchasesOf::<T>::iter_key_prefix_from(buyer, after)
			}
		};
		Self::first_purchases(keys, limit)
	}

	pub(crate) fn deliveries_from(
		seller: &AccountId,
		from: PurchaseId,
		limit: u32,
	) -> Vec<(PurchaseId, Purchase)> {
		let keys = match from.checked_sub(1) {
			None => DeliveriesDue::<T>::iter_key_prefix(seller),
			Some(before) => {
				let after = DeliveriesDue::<T>::hashed_key_for(seller, IdKey::new(before));
				DeliveriesDue::<T>::iter_key_prefix_from(seller, after)
			}
		};
		Self::first_purchases(keys, limit)
	}

	fn first_purchases(keys: impl Iterator<Item = IdKey>, limit: u32) -> Vec<(PurchaseId, Purchase)> {
		keys.take(limit as usize)
			.filter_map(|key| Some((key.id(), Purchases::<T>::get(key.id())?.purchase)))
			.collect()
	}
}
