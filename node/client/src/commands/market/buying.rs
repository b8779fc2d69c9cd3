//! `market buy` and `purchases`.

use opensand_primitives::{
	market::{Listing, Purchase, PurchaseStatus},
	BlockNumber, ListingId, PurchaseId,
};
use serde_json::{json, Value};
use tokio::time::sleep;

use super::{
	hexadecimal, listing, listings::data_bytes, order, purchase, purchase_json, refund, report, settling,
	terms_hash, Context, POLL,
};
use crate::{
	amounts::{Amount, Size},
	chain::{Call, Chain, ChainError, View},
	cli::BuyArguments,
	error::Error,
	keys::AccountKey,
	output::{table, Bar},
	purchase::{finishable_after, new_key, status_name},
};

/// Buys a licence, or goes on with a purchase that there is.
pub async fn buy(context: &Context, arguments: BuyArguments) -> Result<(), Error> {
	let known_terms = arguments.terms.as_deref().map(terms_hash).transpose()?;
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let offer = Offer {
		context,
		chain: &chain,
		key: &key,
		id: arguments.listing,
		listing: listing(&view, arguments.listing).await?,
	};
	let found = view.licence(offer.listing.order, &key.account()).await?;
	let (id, purchase) = match found {
		Some(id) => (id, offer.resumed(&view, id).await?),
		None => {
			offer.check(&view, arguments.max_price, known_terms).await?;
			offer.pay(&view).await?
		}
	};
	let fields = purchase_json(&chain, id, &purchase);
	context.output.event("purchase", &fields)?;
	if !arguments.no_wait {
		return wait(context, &chain, &key, id, purchase).await;
	}
	context.output.result(fields, || {
		format!(
			"Purchase {id} of order {} is {}. `opensand market buy {}` goes on with it",
			purchase.order,
			status_name(&purchase.status),
			purchase.listing
		)
	})
}

/// A listing, and who looks at it.
struct Offer<'a> {
	context: &'a Context,
	chain: &'a Chain,
	key: &'a AccountKey,
	id: ListingId,
	listing: Listing,
}

impl Offer<'_> {
	/// The purchase that an earlier run made.
	async fn resumed(&self, view: &View<'_>, id: PurchaseId) -> Result<Purchase, Error> {
		let found = purchase(view, id).await?;
		let listing = match found.listing == self.id {
			true => String::new(),
			false => format!(" of listing {}", found.listing),
		};
		self.context.output.note(format!(
			"Going on with purchase {id}{listing} of order {}, for {}",
			found.order,
			Amount(found.price)
		));
		Ok(found)
	}

	/// Refuses what the user would not want to pay for, or the chain would not sell.
	async fn check(
		&self,
		view: &View<'_>,
		max_price: Option<Amount>,
		known_terms: Option<[u8; 32]>,
	) -> Result<(), Error> {
		let Self { id, listing, .. } = self;
		let order = listing.order;
		if listing.seller == self.key.account() {
			return Err(Error::usage(
				format!("listing {id} is your own"),
				"the owner of data has access to them",
			));
		}
		if !listing.open {
			return Err(Error::usage(
				format!("listing {id} is withdrawn"),
				"`opensand market browse` shows what is offered",
			));
		}
		if let Some(max_price) = max_price.filter(|max_price| max_price.0 < listing.price) {
			return Err(Error::usage(
				format!("listing {id} costs {}", Amount(listing.price)),
				format!("that is more than {max_price}: raise --max-price if it is worth it"),
			));
		}
		if known_terms.is_some_and(|known| known != listing.terms) {
			return Err(Error::usage(
				format!(
					"the terms of listing {id}, {}, are not those of the file",
					hexadecimal(&listing.terms)
				),
				"ask the seller for the licence's text with this BLAKE2-256 hash, and read it",
			));
		}
		if view.grant(order, &self.key.account()).await?.is_some() {
			return Err(Error::usage(
				format!("this account has access to order {order} already"),
				format!("`opensand store get {order}` reads the data"),
			));
		}
		Ok(())
	}

	/// Makes the purchase's key, and pays the price into escrow.
	async fn pay(&self, view: &View<'_>) -> Result<(PurchaseId, Purchase), Error> {
		let Self { id, listing, .. } = self;
		let record = order(view, listing.order).await?;
		let training = if listing.training {
			"models may be trained on it"
		} else {
			"no models may be trained on it"
		};
		let question = format!(
			"A licence for order {} ({}, {training}) under the terms {} costs {}, which is held from the account until the \
			 seller has delivered, besides a small deposit",
			listing.order,
			Size(data_bytes(&record)),
			hexadecimal(&listing.terms),
			Amount(listing.price)
		);
		self.context.output.confirm(&question, self.context.yes())?;
		let purchase_key = new_key(&self.chain.genesis(), self.key);
		let call = Call::buy(*id, listing.price, &purchase_key);
		let after = self.chain.submit(self.key, &call, None).await?;
		let new =
			after
				.licence(listing.order, &self.key.account())
				.await?
				.ok_or(ChainError::Unconfirmed {
					call: call.name,
					reason: "the block that held it does not show the purchase".to_owned(),
				})?;
		let bought = purchase(&after, new).await?;
		self.context.output.note(format!(
			"Purchase {new}: {} are in escrow; the seller has until block {}",
			Amount(bought.price),
			finishable_after(new, &bought)?
		));
		Ok((new, bought))
	}
}

/// Waits for the delivery, compares it, and confirms it if it is right.
async fn wait(
	context: &Context,
	chain: &Chain,
	key: &AccountKey,
	id: PurchaseId,
	bought: Purchase,
) -> Result<(), Error> {
	let bar = match &bought.status {
		PurchaseStatus::Paid { deliver_by } => context
			.output
			.count("delivery", deliver_by.saturating_sub(bought.bought_at).into()),
		_ => context.output.count("delivery", 0),
	};
	let outcome = look(context, chain, key, id, &bought, &bar).await;
	bar.finish();
	outcome
}

async fn look(
	context: &Context,
	chain: &Chain,
	key: &AccountKey,
	id: PurchaseId,
	bought: &Purchase,
	bar: &Bar,
) -> Result<(), Error> {
	loop {
		let view = chain.best().await?;
		let Some(now) = view.purchase(id).await? else {
			return Err(refund(&view, id, bought).await?.into());
		};
		match &now.status {
			PurchaseStatus::Licensed => return report(context, chain, &view, id, &now).await,
			PurchaseStatus::Delivered { .. } => {
				bar.finish();
				return settling::approve(context, chain, key, id, &now).await;
			}
			PurchaseStatus::Paid { deliver_by } if view.number() >= *deliver_by => {
				let after = chain.submit(key, &Call::finish(id), None).await?;
				return Err(refund(&after, id, &now).await?.into());
			}
			PurchaseStatus::Paid { deliver_by } => {
				bar.set(view.number().saturating_sub(now.bought_at).into());
				bar.message(waiting(*deliver_by, view.number()));
			}
		}
		sleep(POLL).await;
	}
}

fn waiting(deliver_by: BlockNumber, now: BlockNumber) -> String {
	format!(
		"the seller has {} blocks left to deliver",
		deliver_by.saturating_sub(now)
	)
}

/// Lists what the account bought.
pub async fn purchases(context: &Context) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let heading = [
		"purchase",
		"order",
		"status",
		"price",
		"training",
		"until block",
		"seller",
	];
	let mut rows = vec![heading.map(str::to_owned).to_vec()];
	let mut objects: Vec<Value> = Vec::new();
	for (id, purchase) in view.purchases_of(&key.account()).await? {
		objects.push(purchase_json(&chain, id, &purchase));
		rows.push(vec![
			id.to_string(),
			purchase.order.to_string(),
			status_name(&purchase.status).to_owned(),
			Amount(purchase.price).to_string(),
			if purchase.training { "yes" } else { "no" }.to_owned(),
			finishable_after(id, &purchase).map_or_else(|_| "-".to_owned(), |last| last.to_string()),
			chain.address(&purchase.seller),
		]);
	}
	let count = objects.len();
	context
		.output
		.result(json!({ "purchases": objects }), || match count {
			0 => "This account has bought nothing".to_owned(),
			_ => table(&rows),
		})
}
