//! Invariants of listings and purchases.

use alloc::collections::BTreeMap;
use frame_support::ensure;
use opensand_primitives::{
	market::{Purchase, PurchaseStatus},
	ListingId, OrderId, PurchaseId,
};
use sp_runtime::TryRuntimeError;

use crate::{
	Config, DeliveriesDue, Grants, IdKey, LicenceOf, Listings, ListingsOf, NextListingId, NextPurchaseId,
	Orders, Pallet, PendingSales, PurchaseEntry, Purchases, PurchasesOf,
};

/// What purchases say of listings and orders.
#[derive(Default)]
struct Counts {
	pending_of_order: BTreeMap<OrderId, u32>,
	pending_of_listing: BTreeMap<ListingId, u32>,
	purchases: usize,
	due: usize,
	licensed: usize,
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u32>, key: K) {
	let entry = counts.entry(key).or_default();
	*entry = entry.saturating_add(1);
}

impl<T: Config> Pallet<T> {
	pub(super) fn try_state_sales() -> Result<(), TryRuntimeError> {
		let mut counts = Counts::default();
		for (id, entry) in Purchases::<T>::iter() {
			Self::try_state_purchase(id, &entry, &mut counts)?;
		}
		// Each index has every item once, and as many entries as there are items: so it has no others.
		ensure!(
			PurchasesOf::<T>::iter_keys().count() == counts.purchases
				&& LicenceOf::<T>::iter_keys().count() == counts.purchases,
			"an index of purchases names none"
		);
		ensure!(
			DeliveriesDue::<T>::iter_keys().count() == counts.due,
			"a delivery that nobody owes"
		);
		let sold = |entry: &crate::GrantEntry| entry.grant.sold.is_some();
		ensure!(
			Grants::<T>::iter_values().filter(sold).count() == counts.licensed,
			"a grant that was sold by no purchase"
		);
		let pending: BTreeMap<_, _> = PendingSales::<T>::iter().collect();
		ensure!(
			pending == counts.pending_of_order,
			"an order miscounts its pending sales"
		);
		Self::try_state_listings(&mut counts.pending_of_listing)
	}

	fn try_state_purchase(
		id: PurchaseId,
		entry: &PurchaseEntry,
		counts: &mut Counts,
	) -> Result<(), TryRuntimeError> {
		let purchase = &entry.purchase;
		counts.purchases = counts.purchases.saturating_add(1);
		ensure!(
			id < NextPurchaseId::<T>::get(),
			"a purchase with an id that was not handed out"
		);
		ensure!(
			PurchasesOf::<T>::contains_key(&purchase.buyer, IdKey::new(id)),
			"a purchase that its buyer's index lacks"
		);
		ensure!(
			LicenceOf::<T>::get(purchase.order, &purchase.buyer) == Some(id),
			"a purchase that its dataset does not name"
		);
		let due = matches!(purchase.status, PurchaseStatus::Paid { .. });
		ensure!(
			DeliveriesDue::<T>::contains_key(&purchase.seller, IdKey::new(id)) == due,
			"a delivery is due that is not, or the other way round"
		);
		counts.due = counts.due.saturating_add(due.into());
		let grant = Grants::<T>::get(purchase.order, &purchase.buyer);
		if purchase.status == PurchaseStatus::Licensed {
			counts.licensed = counts.licensed.saturating_add(1);
			let grant = grant.ok_or("a licence without grant")?;
			ensure!(
				grant.grant.sold == Some(id)
					&& grant.grant.training == purchase.training
					&& grant.by == purchase.seller,
				"a licence whose grant says otherwise"
			);
			ensure!(entry.bond == 0, "a bond for a purchase that is settled");
			return Ok(());
		}
		ensure!(grant.is_none(), "a pending purchase of who has access");
		ensure!(!due || entry.bond == 0, "a bond before the delivery");
		Self::try_state_pending(purchase)?;
		count(&mut counts.pending_of_order, purchase.order);
		count(&mut counts.pending_of_listing, purchase.listing);
		Ok(())
	}

	/// Checks that a pending purchase is of what its listing and order say.
	fn try_state_pending(purchase: &Purchase) -> Result<(), TryRuntimeError> {
		let order = Orders::<T>::get(purchase.order).ok_or("a pending purchase of no order")?;
		let terms = &order.record.terms;
		ensure!(
			purchase.manifest == terms.manifest && purchase.key_commitment == terms.key_commitment,
			"a purchase of other data than its order's"
		);
		let listing = Listings::<T>::get(IdKey::new(purchase.listing))
			.ok_or("a pending purchase of no listing")?
			.listing;
		ensure!(
			(listing.order, &listing.seller, listing.price)
				== (purchase.order, &purchase.seller, purchase.price)
				&& (listing.training, listing.terms) == (purchase.training, purchase.terms),
			"a purchase on other terms than its listing's"
		);
		Ok(())
	}

	/// Checks listings against the numbers of their pending purchases.
	fn try_state_listings(pending: &mut BTreeMap<ListingId, u32>) -> Result<(), TryRuntimeError> {
		let mut listings = 0usize;
		for (key, entry) in Listings::<T>::iter() {
			let listing = &entry.listing;
			listings = listings.saturating_add(1);
			ensure!(
				key.id() < NextListingId::<T>::get(),
				"a listing with an id that was not handed out"
			);
			ensure!(
				ListingsOf::<T>::contains_key(&listing.seller, key),
				"a listing that its seller's index lacks"
			);
			ensure!(
				listing.pending == pending.remove(&key.id()).unwrap_or(0),
				"a listing miscounts its pending purchases"
			);
			ensure!(
				listing.open || listing.pending > 0,
				"a withdrawn listing that waits for nothing"
			);
		}
		ensure!(
			ListingsOf::<T>::iter_keys().count() == listings,
			"an index of listings names none"
		);
		Ok(())
	}
}
