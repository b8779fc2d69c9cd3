//! `store rotate`.

use std::sync::Arc;

use opensand_primitives::{
	storage::{Grant, OrderStatus},
	AccountId, OrderId,
};
use opensand_slices::{FileKey, Metadata};
use serde_json::json;

use super::{get::Cache, order, order_json, Context};
use crate::{
	access,
	chain::{Call, Chain, View},
	cli::RotateArguments,
	delivery::{Delivery, Stored, Wish},
	error::Error,
	keys::AccountKey,
	pack::Pack,
	places,
	staging::{Source, Staging, Step},
	transfer::{blocking, Restorable, TransferError},
};

/// The most grantees that are looked for.
pub const MAX_GRANTEES: u32 = 10_000;

/// Stores an order's data again under a new key.
pub async fn rotate(context: &Context, arguments: RotateArguments) -> Result<(), Error> {
	let old = arguments.order;
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let record = order(&view, old).await?;
	if record.owner != key.account() {
		return Err(Error::usage(
			format!("order {old} belongs to {}", chain.address(&record.owner)),
			"only the owner of data can rotate their key",
		));
	}
	let terms = view.terms().await?;
	let left = match record.status {
		OrderStatus::Active { end, .. } => end.saturating_sub(terms.window),
		OrderStatus::Placing { .. } => record.terms.windows,
		OrderStatus::Lost => return Err(Error::Lost(old)),
	};
	let wish = Wish {
		code: record.terms.code,
		windows: arguments.windows.unwrap_or(left).max(1),
		price: arguments.price.map(|price| price.0),
		regions: record.terms.regions.to_vec(),
		visibility: record.terms.visibility,
		training: record.terms.training,
		supersedes: Some(old),
	};
	let source = Source::Order { order: old };
	let puts = places::puts(&context.cache()?);
	let staging = Staging::open(
		&puts,
		&chain.genesis(),
		&key.account(),
		&source,
		arguments.discard,
	)?;
	let mut delivery = Delivery::new(context, &chain, &key, wish, staging);
	delivery.agree(record.terms.shard_bytes).await?;
	let new_key = delivery.file_key(&source)?;
	if matches!(
		delivery.staging.state().map(|state| &state.step),
		Some(Step::Encoding)
	) {
		let old_key = access::file_key(&chain, &view, old, &record, Some(&key), None).await?;
		let cache = Cache::open(context, &chain, old)?;
		let (file, metadata) = cache
			.fetch(context, &chain, old, &record, old_key, arguments.patience)
			.await?;
		reencode(context, &mut delivery.staging, cache, file, metadata, &new_key).await?;
	}
	let Stored {
		order: new,
		manifest,
		record: active,
	} = delivery.store(&new_key, &arguments.listen).await?;
	let regrants = Regrants {
		context,
		chain: &chain,
		key: &key,
		old,
		new,
	};
	let Regranted { granted, left_out } = regrants.make(manifest.digest(), &new_key).await?;
	let cancelled = arguments.cancel_old && cancel(context, &chain, &key, old).await?;
	warn_of_listings(context, &chain, &key, old, new).await?;
	delivery.staging.finish()?;

	let terms = chain.best().await?.terms().await?;
	let mut fields = order_json(&chain, new, &active, &terms);
	fields["granted"] = granted
		.iter()
		.map(|account| json!(chain.address(account)))
		.collect();
	fields["left_out"] = left_out
		.iter()
		.map(|account| json!(chain.address(account)))
		.collect();
	fields["cancelled"] = json!(cancelled);
	context.output.result(fields, || {
		let old_order = match cancelled {
			true => format!("Order {old} is cancelled"),
			false => format!("Order {old} goes on: `opensand store cancel {old}` ends it"),
		};
		let left_out = match left_out.len() {
			0 => String::new(),
			count => format!(
				" {count} that had access to order {old} do not: once they have run `opensand access register`, `opensand \
				 access grant {new}` gives it to them."
			),
		};
		format!(
			"Order {new} has the data of order {old} under a new key, and {} accounts have it.{left_out} {old_order}",
			granted.len()
		)
	})
}

/// Ends the old order, and says whether it did. The new one stands, whatever the chain says of the old.
async fn cancel(context: &Context, chain: &Chain, key: &AccountKey, old: OrderId) -> Result<bool, Error> {
	if chain.best().await?.order(old).await?.is_none() {
		return Ok(true);
	}
	match chain.submit(key, &Call::cancel(old), None).await {
		Ok(_) => Ok(true),
		Err(error) if error.is_refusal() => {
			context
				.output
				.warn(format!("order {old} is not cancelled: {error}"));
			Ok(false)
		}
		Err(error) => Err(error.into()),
	}
}

/// Says which offers are still of the old order: buyers of those get the old key.
async fn warn_of_listings(
	context: &Context,
	chain: &Chain,
	key: &AccountKey,
	old: OrderId,
	new: OrderId,
) -> Result<(), Error> {
	for (id, listing) in chain.best().await?.listings_of(&key.account()).await? {
		if listing.open && listing.order == old {
			context.output.warn(format!(
				"listing {id} offers licences for order {old}, under the old key: `opensand market withdraw {id}`, and list \
				 order {new}"
			));
		}
	}
	Ok(())
}

/// Encodes the fetched content under the new key, and deletes what was fetched.
async fn reencode(
	context: &Context,
	staging: &mut Staging,
	cache: Cache,
	file: Restorable,
	metadata: Metadata,
	new_key: &FileKey,
) -> Result<(), Error> {
	// Restoring and encoding each go through all of it.
	let bar = context
		.output
		.bytes("re-encoding", 2 * file.manifest.file_bytes());
	let (blocks, key, progress) = (staging.blocks(), new_key.clone(), bar.clone());
	let manifest = blocking(move || {
		let store = Arc::new(Pack::open(blocks).map_err(TransferError::Store)?);
		file.reencode(&store, &key, &metadata, &progress)
	})
	.await?;
	bar.finish();
	staging.advance(Step::Encoded {
		manifest: manifest.digest(),
	})?;
	cache.remove()
}

/// Who has access to the old order, and gets it to the new one.
struct Regrants<'a> {
	context: &'a Context,
	chain: &'a Chain,
	key: &'a AccountKey,
	old: OrderId,
	new: OrderId,
}

/// Who has the new key, and who has the old one only.
#[derive(Default)]
struct Regranted {
	granted: Vec<AccountId>,
	left_out: Vec<AccountId>,
}

impl Regrants<'_> {
	/// Gives the new key to those who have the old one.
	///
	/// A licence was sold for the old order, and stays there, sealed to a key of its own. To the new order its holder gets
	/// a grant like others, sealed to the access key that it has registered, if it has.
	async fn make(&self, manifest: [u8; 32], new_key: &FileKey) -> Result<Regranted, Error> {
		let (chain, output, new) = (self.chain, &self.context.output, self.new);
		let view = chain.best().await?;
		let grantees = view.grantees(self.old, MAX_GRANTEES).await?;
		// Those that an earlier run served.
		let done = view.grantees(new, MAX_GRANTEES).await?;
		let bar = output.count("granting", grantees.len() as u64);
		let mut regranted = Regranted::default();
		for grantee in grantees {
			if done.contains(&grantee) {
				regranted.granted.push(grantee);
			} else if let Some(grant) = view.grant(self.old, &grantee).await? {
				match self.grant(&view, manifest, &grantee, &grant, new_key).await {
					Ok(()) => regranted.granted.push(grantee),
					Err(error) if concerns_grantee(&error) => {
						let licensee = match grant.sold {
							Some(purchase) => format!(", the licensee of purchase {purchase},"),
							None => String::new(),
						};
						let address = chain.address(&grantee);
						output.warn(format!(
							"{error}: {address}{licensee} has no access to order {new}"
						));
						regranted.left_out.push(grantee);
					}
					Err(error) => return Err(error),
				}
			}
			bar.advance(1);
		}
		bar.finish();
		Ok(regranted)
	}

	async fn grant(
		&self,
		view: &View<'_>,
		manifest: [u8; 32],
		grantee: &AccountId,
		grant: &Grant,
		new_key: &FileKey,
	) -> Result<(), Error> {
		let sealed = access::seal_for(self.chain, view, manifest, grantee, new_key).await?;
		let call = Call::grant(self.new, grantee, &sealed, grant.training);
		self.chain.submit(self.key, &call, None).await?;
		Ok(())
	}
}

/// Whether others can be given access all the same.
fn concerns_grantee(error: &Error) -> bool {
	match error {
		Error::Access(_) => true,
		Error::Chain(error) => error.is_refusal(),
		_ => false,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{
		access::AccessError,
		chain::{ChainError, Refusal},
	};

	#[test]
	fn only_what_concerns_one_grantee_is_passed_over() {
		assert!(concerns_grantee(&AccessError::Unregistered("5Grw".into()).into()));
		let refused = ChainError::Refused {
			call: "grant",
			refusal: Refusal::of_pool("no"),
		};
		assert!(concerns_grantee(&refused.into()));
		let unknown = ChainError::Unconfirmed {
			call: "grant",
			reason: "silence".into(),
		};
		assert!(!concerns_grantee(&unknown.into()));
	}
}
