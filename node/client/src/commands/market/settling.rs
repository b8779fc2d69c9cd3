//! `market confirm`, `finish`, `dispute` and `surrender`.

use opensand_primitives::{
	market::{Purchase, PurchaseStatus},
	Balance, PurchaseId,
};
use serde_json::json;

use super::{purchase, purchase_json, report, Context};
use crate::{
	amounts::Amount,
	chain::{Call, Chain, View},
	error::Error,
	keys::AccountKey,
	purchase::{delivery, finishable_after, open, secret, PurchaseError},
};

/// Compares a delivery and settles the purchase.
pub async fn confirm(context: &Context, id: PurchaseId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let bought = own(&chain, &chain.best().await?, &key, id).await?;
	approve(context, &chain, &key, id, &bought).await
}

/// Opens a delivery, and confirms it if it is the key to which the order commits.
pub async fn approve(
	context: &Context,
	chain: &Chain,
	key: &AccountKey,
	id: PurchaseId,
	bought: &Purchase,
) -> Result<(), Error> {
	let (sealed_key, dispute_by) = delivery(id, bought)?;
	let secret = secret(&chain.genesis(), key, id, bought)?;
	open(chain.genesis(), bought, sealed_key, &secret).map_err(|source| PurchaseError::Wrong {
		purchase: id,
		dispute_by,
		source,
	})?;
	context.output.note(format!(
		"The delivery of purchase {id} holds the key to which order {} commits; confirming it",
		bought.order
	));
	let after = chain.submit(key, &Call::confirm(id), None).await?;
	report(context, chain, &after, id, bought).await
}

/// Settles a purchase whose time is over.
pub async fn finish(context: &Context, id: PurchaseId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let found = purchase(&view, id).await?;
	let last = finishable_after(id, &found)?;
	// The call is in the next block at the earliest.
	if view.number() < last {
		return Err(PurchaseError::NotDue {
			purchase: id,
			after: last,
		}
		.into());
	}
	let after = chain.submit(&key, &Call::finish(id), None).await?;
	report(context, &chain, &after, id, &found).await
}

/// Proves to the chain that a delivery is wrong.
pub async fn dispute(context: &Context, id: PurchaseId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let bought = own(&chain, &chain.best().await?, &key, id).await?;
	let (sealed_key, _) = delivery(id, &bought)?;
	let secret = secret(&chain.genesis(), &key, id, &bought)?;
	let Err(wrong) = open(chain.genesis(), &bought, sealed_key, &secret) else {
		return Err(PurchaseError::Right {
			purchase: id,
			order: bought.order,
		}
		.into());
	};
	let bond: Balance = chain.constant("DeliveryBond").await?;
	let question = format!(
		"The delivery of purchase {id} is wrong: {wrong}. Its one-time secret is disclosed; {} are returned, and the seller's \
		 bond of {} is paid to the account",
		Amount(bought.price),
		Amount(bond)
	);
	context.output.confirm(&question, context.yes())?;
	let call = Call::dispute(id, &secret.disclose());
	let after = chain.submit(&key, &call, None).await?;
	report(context, &chain, &after, id, &bought).await
}

/// Gives a licence up.
pub async fn surrender(context: &Context, id: PurchaseId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let bought = own(&chain, &chain.best().await?, &key, id).await?;
	if bought.status != PurchaseStatus::Licensed {
		return Err(PurchaseError::Unlicensed(id).into());
	}
	let order = bought.order;
	let question = format!("The licence for order {order} is given up, for good; its price is not returned");
	context.output.confirm(&question, context.yes())?;
	chain.submit(&key, &Call::surrender(id), None).await?;
	let mut fields = purchase_json(&chain, id, &bought);
	fields["status"] = json!("surrendered");
	context
		.output
		.result(fields, || format!("The licence for order {order} is given up"))
}

/// A purchase of the account's own.
async fn own(chain: &Chain, view: &View<'_>, key: &AccountKey, id: PurchaseId) -> Result<Purchase, Error> {
	let found = purchase(view, id).await?;
	if found.buyer != key.account() {
		return Err(Error::usage(
			format!("purchase {id} is of {}", chain.address(&found.buyer)),
			"only its buyer can do this; `opensand market purchases` lists yours",
		));
	}
	Ok(found)
}
