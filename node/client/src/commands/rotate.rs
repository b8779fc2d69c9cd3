//! `store rotate`.

use std::sync::Arc;

use opensand_blocks::BlockStore;
use opensand_primitives::{storage::OrderStatus, AccountId, OrderId};
use opensand_slices::{FileKey, Metadata};
use serde_json::json;

use super::{
	get::Cache,
	order, order_json,
	put::{manifest_of, staged_key},
	Context,
};
use crate::{
	access,
	chain::Call,
	cli::RotateArguments,
	delivery::{register_access_key, staged, Delivery, Wish},
	error::Error,
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
	let mut staging = Staging::open(
		&puts,
		&chain.genesis(),
		&key.account(),
		&source,
		arguments.discard,
	)?;
	let mut agreed = None;
	if !matches!(
		staging.state().map(|state| &state.step),
		Some(Step::Placed { .. })
	) {
		wish.confirm(
			context,
			wish.quote(&terms, record.terms.shard_bytes)?,
			&mut agreed,
		)?;
	}
	let new_key = staged_key(&chain, &key, &mut staging, &source, &wish)?;
	if matches!(staging.state().map(|state| &state.step), Some(Step::Encoding)) {
		let old_key = access::file_key(&chain, &view, old, &record, Some(&key), None).await?;
		let cache = Cache::open(context, &chain, old)?;
		let (file, metadata) = cache
			.fetch(context, &chain, old, &record, old_key, arguments.patience)
			.await?;
		reencode(context, &mut staging, cache, file, metadata, &new_key).await?;
	}
	register_access_key(context, &chain, &key).await?;

	let (store, manifest) = staged(&staging.blocks(), manifest_of(&staging)?).await?;
	let mut delivery = Delivery {
		context,
		chain: &chain,
		key: &key,
		staging,
		agreed,
	};
	let new = delivery.place(&manifest, &new_key, &wish).await?;
	context
		.output
		.event("order", json!({ "order": new, "supersedes": old }))?;
	context.output.note(format!(
		"Order {new} replaces order {old}; serving its blocks to the providers that take them"
	));
	let active = delivery
		.deliver(&store, &manifest, new, &arguments.listen)
		.await?;
	let regranted = regrant(&delivery, old, new, manifest.digest(), &new_key).await?;
	if arguments.cancel_old && chain.best().await?.order(old).await?.is_some() {
		chain.submit(&key, &Call::cancel(old), None).await?;
	}
	drop(store);
	delivery.staging.finish()?;

	let terms = chain.best().await?.terms().await?;
	let mut fields = order_json(&chain, new, &active, &terms);
	fields["granted"] = regranted
		.iter()
		.map(|account| json!(chain.address(account)))
		.collect();
	context.output.result(fields, || {
		let old_order = match arguments.cancel_old {
			true => format!("Order {old} is cancelled"),
			false => format!("Order {old} goes on: `opensand store cancel {old}` ends it"),
		};
		format!(
			"Order {new} has the data of order {old} under a new key, and {} accounts have it. {old_order}",
			regranted.len()
		)
	})
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
		let store = Arc::new(BlockStore::open(blocks, u64::MAX).map_err(TransferError::Store)?);
		file.reencode(&store, &key, &metadata, &progress)
	})
	.await?;
	bar.finish();
	staging.advance(Step::Encoded {
		manifest: manifest.digest(),
	})?;
	cache.remove()
}

/// Gives the new key to those who have the old one, and returns them.
async fn regrant(
	delivery: &Delivery<'_>,
	old: OrderId,
	new: OrderId,
	manifest: [u8; 32],
	new_key: &FileKey,
) -> Result<Vec<AccountId>, Error> {
	let (chain, output) = (delivery.chain, &delivery.context.output);
	let view = chain.best().await?;
	let grantees = view.grantees(old, MAX_GRANTEES).await?;
	// Those that an earlier run served.
	let done = view.grantees(new, MAX_GRANTEES).await?;
	let bar = output.count("granting", grantees.len() as u64);
	let mut granted = Vec::with_capacity(grantees.len());
	for grantee in grantees {
		if !done.contains(&grantee) {
			let Some(grant) = view.grant(old, &grantee).await? else {
				continue;
			};
			match access::seal_for(chain, &view, manifest, &grantee, new_key).await {
				Ok(sealed) => {
					let call = Call::grant(new, &grantee, &sealed, grant.training);
					chain.submit(delivery.key, &call, None).await?;
				}
				Err(Error::Access(error)) => {
					output.warn(format!("{error}: it has no access to order {new}"));
					continue;
				}
				Err(error) => return Err(error),
			}
		}
		bar.advance(1);
		granted.push(grantee);
	}
	bar.finish();
	Ok(granted)
}
