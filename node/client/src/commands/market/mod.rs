//! `market`: licences for stored data, from the offer to the settled purchase.

mod buying;
mod listings;
mod selling;
mod settling;

use std::{fs, path::Path, time::Duration};

use opensand_primitives::{
	market::{Listing, Purchase, PurchaseStatus},
	storage::DatasetOperation,
	ListingId, PurchaseId,
};
use serde_json::{json, Value};

use super::{order, Context};
use crate::{
	amounts::Amount,
	chain::{Chain, View},
	cli::MarketCommand,
	error::Error,
	purchase::{reason_name, status_name, PurchaseError},
};

/// How often the chain is looked at.
const POLL: Duration = Duration::from_secs(2);

/// Does what the command says.
pub async fn run(context: &Context, command: MarketCommand) -> Result<(), Error> {
	match command {
		MarketCommand::List(arguments) => listings::list(context, arguments).await,
		MarketCommand::Withdraw { listing } => listings::withdraw(context, listing).await,
		MarketCommand::Browse { seller } => listings::browse(context, seller).await,
		MarketCommand::Buy(arguments) => buying::buy(context, arguments).await,
		MarketCommand::Purchases => buying::purchases(context).await,
		MarketCommand::Deliver(arguments) => selling::deliver(context, arguments).await,
		MarketCommand::Confirm { purchase } => settling::confirm(context, purchase).await,
		MarketCommand::Finish { purchase } => settling::finish(context, purchase).await,
		MarketCommand::Dispute { purchase } => settling::dispute(context, purchase).await,
		MarketCommand::Surrender { purchase } => settling::surrender(context, purchase).await,
	}
}

/// The listing, which has to be there.
async fn listing(view: &View<'_>, id: ListingId) -> Result<Listing, Error> {
	view.listing(id).await?.ok_or(Error::NoListing(id))
}

/// The purchase, which has to be there.
async fn purchase(view: &View<'_>, id: PurchaseId) -> Result<Purchase, Error> {
	view.purchase(id).await?.ok_or(Error::NoPurchase(id))
}

/// The BLAKE2-256 hash by which a listing names the text of its licence.
fn terms_hash(path: &Path) -> Result<[u8; 32], Error> {
	let text = fs::read(path).map_err(Error::file("read", path))?;
	Ok(sp_crypto_hashing::blake2_256(&text))
}

/// Hexadecimal digits after `0x`.
fn hexadecimal(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

/// A listing as programs read it.
fn listing_json(chain: &Chain, id: ListingId, listing: &Listing) -> Value {
	json!({
		"listing": id,
		"order": listing.order,
		"seller": chain.address(&listing.seller),
		"price": listing.price.to_string(),
		"training": listing.training,
		"terms": hexadecimal(&listing.terms),
		"open": listing.open,
		"pending": listing.pending,
		"sold": listing.sold,
	})
}

/// A purchase as programs read it.
fn purchase_json(chain: &Chain, id: PurchaseId, purchase: &Purchase) -> Value {
	let (deliver_by, dispute_by) = match &purchase.status {
		PurchaseStatus::Paid { deliver_by } => (Some(*deliver_by), None),
		PurchaseStatus::Delivered { dispute_by, .. } => (None, Some(*dispute_by)),
		PurchaseStatus::Licensed => (None, None),
	};
	json!({
		"purchase": id,
		"listing": purchase.listing,
		"order": purchase.order,
		"seller": chain.address(&purchase.seller),
		"buyer": chain.address(&purchase.buyer),
		"price": purchase.price.to_string(),
		"training": purchase.training,
		"terms": hexadecimal(&purchase.terms),
		"status": status_name(&purchase.status),
		"deliver_by": deliver_by,
		"dispute_by": dispute_by,
		"bought_at": purchase.bought_at,
	})
}

/// Says how a purchase stands after a call: licensed, or gone because the price was returned.
async fn report(
	context: &Context,
	chain: &Chain,
	view: &View<'_>,
	id: PurchaseId,
	before: &Purchase,
) -> Result<(), Error> {
	let order = before.order;
	if let Some(now) = view.purchase(id).await? {
		return context.output.result(purchase_json(chain, id, &now), || {
			format!(
				"Purchase {id} is {}: {} has the licence for order {order}, and the seller is paid {}. `opensand store get \
				 {order}` reads the data",
				status_name(&now.status),
				chain.address(&now.buyer),
				Amount(now.price)
			)
		});
	}
	let refund = refund(view, id, before).await?;
	let mut fields = purchase_json(chain, id, before);
	fields["status"] = json!("refunded");
	fields["reason"] = match &refund {
		PurchaseError::Refunded {
			reason: Some(reason), ..
		} => json!(reason_name(*reason)),
		_ => Value::Null,
	};
	context.output.result(fields, || {
		format!(
			"{refund}. {} are returned to {}",
			Amount(before.price),
			chain.address(&before.buyer)
		)
	})
}

/// Why a purchase that is not there any more was refunded.
async fn refund(view: &View<'_>, id: PurchaseId, before: &Purchase) -> Result<PurchaseError, Error> {
	let events = view.events(before.order).await?;
	let reason = events.iter().rev().find_map(|event| match event.operation {
		DatasetOperation::Refunded { purchase, reason, .. } if purchase == id => Some(reason),
		_ => None,
	});
	Ok(PurchaseError::Refunded { purchase: id, reason })
}
