//! `market list`, `withdraw` and `browse`.

use opensand_primitives::{
	market::Listing,
	storage::{OrderRecord, OrderStatus, Visibility},
	AccountId, ListingId, OrderId,
};
use serde_json::{json, Value};

use super::{hexadecimal, listing, listing_json, order, terms_hash, Context};
use crate::{
	amounts::{Amount, Size},
	chain::{Call, Chain},
	cli::ListArguments,
	error::Error,
	output::table,
};

/// Offers licences for a dataset.
pub async fn list(context: &Context, arguments: ListArguments) -> Result<(), Error> {
	let id = arguments.order;
	let terms = terms_hash(&arguments.terms)?;
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let record = order(&view, id).await?;
	if record.owner != key.account() {
		return Err(Error::usage(
			format!("order {id} belongs to {}", chain.address(&record.owner)),
			"only the owner of data can sell licences for them",
		));
	}
	check_listable(id, &record, arguments.training)?;
	let training = if arguments.training {
		", with permission to train models"
	} else {
		""
	};
	let question = format!(
		"Licences for order {id}{training} are offered for {} each, under the terms {}; this holds a small deposit. Each sale \
		 needs a delivery by `opensand market deliver`",
		arguments.price,
		hexadecimal(&terms)
	);
	context.output.confirm(&question, context.yes())?;
	let call = Call::list_dataset(id, arguments.price.0, arguments.training, &terms);
	let after = chain.submit(&key, &call, None).await?;
	let listed = after.listings_of(&key.account()).await?;
	let (new, listed) = listed
		.into_iter()
		.rfind(|(_, listing)| {
			listing.open
				&& listing.order == id
				&& listing.price == arguments.price.0
				&& listing.terms == terms
				&& listing.training == arguments.training
		})
		.ok_or(Error::NoOrder(id))?;
	context.output.result(listing_json(&chain, new, &listed), || {
		format!(
			"Listing {new} offers licences for order {id} for {}, under the terms {}. Run `opensand market deliver --watch` so \
			 that buyers are served",
			Amount(listed.price),
			hexadecimal(&terms)
		)
	})
}

/// Says beforehand what the chain would refuse.
fn check_listable(id: OrderId, record: &OrderRecord, training: bool) -> Result<(), Error> {
	if !matches!(record.status, OrderStatus::Active { .. }) {
		return Err(Error::usage(
			format!("order {id} is not active"),
			"licences are sold for data whose shards are all held and paid for; see `opensand store show`",
		));
	}
	if record.terms.visibility != Visibility::Licensed {
		return Err(Error::usage(
			format!("licences for order {id} are not sold: its visibility is another"),
			format!("run `opensand access set {id} --visibility licensed` first"),
		));
	}
	if training && !record.terms.training {
		return Err(Error::usage(
			format!("models may not be trained on order {id}"),
			format!("list it without --training, or run `opensand access set {id} --training allowed` first"),
		));
	}
	Ok(())
}

/// Takes no more purchases of a listing.
pub async fn withdraw(context: &Context, id: ListingId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let found = listing(&chain.best().await?, id).await?;
	if found.seller != key.account() {
		return Err(Error::usage(
			format!("listing {id} is of {}", chain.address(&found.seller)),
			"only its seller can withdraw a listing",
		));
	}
	let after = chain.submit(&key, &Call::withdraw_listing(id), None).await?;
	let now = after.listing(id).await?;
	let pending = now.as_ref().map_or(0, |listing| listing.pending);
	let mut fields = listing_json(&chain, id, &now.unwrap_or(found));
	fields["open"] = json!(false);
	context.output.result(fields, || match pending {
		0 => format!("Listing {id} is withdrawn"),
		pending => {
			format!("Listing {id} is withdrawn; {pending} purchases of it go on, and are due to be delivered")
		}
	})
}

/// Shows what is offered.
pub async fn browse(context: &Context, seller: Option<AccountId>) -> Result<(), Error> {
	let chain = context.chain().await?;
	let view = chain.best().await?;
	let listings = match &seller {
		Some(seller) => view.listings_of(seller).await?,
		None => view.listings().await?,
	};
	let heading = [
		"listing", "order", "size", "price", "training", "sold", "open", "seller", "terms",
	];
	let mut rows = vec![heading.map(str::to_owned).to_vec()];
	let mut objects: Vec<Value> = Vec::with_capacity(listings.len());
	for (id, listing) in listings {
		let record = view.order(listing.order).await?;
		let bytes = record.as_ref().map(data_bytes);
		let mut object = listing_json(&chain, id, &listing);
		object["data_bytes"] = json!(bytes);
		objects.push(object);
		rows.push(row(&chain, id, &listing, bytes));
	}
	let count = objects.len();
	context
		.output
		.result(json!({ "listings": objects }), || match count {
			0 => "Nothing is offered".to_owned(),
			_ => table(&rows),
		})
}

/// Bytes of an order's data shards: those of its file, rounded up to whole shards.
pub fn data_bytes(record: &OrderRecord) -> u64 {
	record
		.terms
		.shard_bytes
		.saturating_mul(record.terms.code.data.into())
}

fn row(chain: &Chain, id: ListingId, listing: &Listing, bytes: Option<u64>) -> Vec<String> {
	let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
	vec![
		id.to_string(),
		listing.order.to_string(),
		bytes.map_or_else(|| "-".to_owned(), |bytes| Size(bytes).to_string()),
		Amount(listing.price).to_string(),
		yes(listing.training),
		listing.sold.to_string(),
		yes(listing.open),
		chain.address(&listing.seller),
		hexadecimal(&listing.terms),
	]
}

#[cfg(test)]
mod tests {
	use opensand_primitives::storage::{ErasureCode, OrderTerms};

	use super::*;

	fn record() -> OrderRecord {
		OrderRecord {
			owner: [1; 32].into(),
			terms: OrderTerms {
				manifest: [2; 32],
				code: ErasureCode::DEFAULT,
				shard_bytes: 512,
				price: 1,
				windows: 1,
				regions: Default::default(),
				visibility: Visibility::Licensed,
				training: false,
				key_commitment: [3; 32],
			},
			escrow: 0,
			status: OrderStatus::Active { start: 0, end: 1 },
			placed_at: 0,
			supersedes: None,
		}
	}

	#[test]
	fn what_cannot_be_listed_is_told_beforehand() {
		check_listable(7, &record(), false).unwrap();
		let told = |change: fn(&mut OrderRecord), training| {
			let mut record = record();
			change(&mut record);
			let error = check_listable(7, &record, training).unwrap_err();
			assert_eq!(error.exit_code(), 2);
			error.remedy().unwrap()
		};
		assert!(told(|record| record.status = OrderStatus::Lost, false).contains("store show"));
		let remedy = told(|record| record.terms.visibility = Visibility::Private, false);
		assert!(remedy.contains("access set 7 --visibility licensed"));
		assert!(told(|_| (), true).contains("--training allowed"));
	}

	#[test]
	fn the_hash_of_the_terms_is_blake2_256() {
		let file = tempfile::NamedTempFile::new().unwrap();
		std::fs::write(file.path(), b"abc").unwrap();
		assert_eq!(
			hexadecimal(&terms_hash(file.path()).unwrap()),
			"0xbddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"
		);
		assert!(terms_hash("no such file".as_ref()).is_err());
	}
}
