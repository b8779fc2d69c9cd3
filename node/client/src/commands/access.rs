//! `access register`, `grant`, `revoke` and `ls`.

use opensand_primitives::{
	storage::{DatasetEvent, DatasetOperation, Visibility},
	AccountId, OrderId,
};
use serde_json::{json, Value};

use super::{order, rotate::MAX_GRANTEES, visibility_name, Context};
use crate::{
	access,
	amounts::Amount,
	chain::{Call, Chain},
	cli::{AccessCommand, Training},
	error::Error,
	output::table,
	purchase::reason_name,
};

/// Does what the command says.
pub async fn run(context: &Context, command: AccessCommand) -> Result<(), Error> {
	match command {
		AccessCommand::Register => register(context).await,
		AccessCommand::Grant {
			order,
			account,
			training,
		} => grant(context, order, account, training).await,
		AccessCommand::Revoke { order, account } => revoke(context, order, account).await,
		AccessCommand::Set {
			order,
			visibility,
			training,
		} => {
			set(
				context,
				order,
				visibility.map(Into::into),
				training.map(|training| training == Training::Allowed),
			)
			.await
		}
		AccessCommand::Ls { order } => list(context, order).await,
	}
}

async fn register(context: &Context) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let account = key.account();
	let own = key.access_secret().public_key();
	let registered = chain.best().await?.access_key(&account).await?;
	let address = chain.address(&account);
	if registered != Some(own) {
		if registered.is_some() {
			context.output.confirm(
				&format!(
					"{address} has published another access key; replacing it makes what was sealed to that one unreadable \
					 to others' new grants until they grant again"
				),
				context.yes(),
			)?;
		}
		chain.submit(&key, &Call::set_access_key(&own), None).await?;
	}
	let fields = json!({
		"account": address,
		"access_key": format!("0x{}", hex::encode(own)),
		"was_registered": registered == Some(own),
	});
	context.output.result(fields, || match registered == Some(own) {
		true => format!("The access key of {address} is published already"),
		false => format!("The access key of {address} is published: owners of data can grant it access"),
	})
}

async fn grant(context: &Context, id: OrderId, grantee: AccountId, training: bool) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let record = order(&view, id).await?;
	if record.owner != key.account() {
		return Err(Error::usage(
			format!("order {id} belongs to {}", chain.address(&record.owner)),
			"only the owner of data can grant access to them",
		));
	}
	if grantee == key.account() {
		return Err(Error::usage(
			"the owner of data has access to them",
			"name another account",
		));
	}
	if training && !record.terms.training {
		return Err(Error::usage(
			format!("models may not be trained on order {id}"),
			"grant without --training; the permission is given when the data are stored, with `store put --training`",
		));
	}
	let file_key = access::file_key(&chain, &view, id, &record, Some(&key), None).await?;
	let sealed = access::seal_for(&chain, &view, record.terms.manifest, &grantee, &file_key).await?;
	let after = chain
		.submit(&key, &Call::grant(id, &grantee, &sealed, training), None)
		.await?;
	let address = chain.address(&grantee);
	context.output.result(
		json!({ "order": id, "account": address, "training": training, "block": after.number() }),
		|| {
			let training = if training {
				", and may train models on it"
			} else {
				""
			};
			format!("{address} can read order {id}{training}")
		},
	)
}

async fn revoke(context: &Context, id: OrderId, grantee: AccountId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let after = chain.submit(&key, &Call::revoke(id, &grantee), None).await?;
	let address = chain.address(&grantee);
	context.output.result(json!({ "order": id, "account": address, "block": after.number() }), || {
		format!(
			"{address} has no access to order {id} any more. It may have kept the key: `opensand store rotate {id}` stores \
			 the data under another"
		)
	})
}

/// Each step is taken where the chain does not show it yet, so that it can be run again after a failure.
async fn set(
	context: &Context,
	id: OrderId,
	visibility: Option<Visibility>,
	training: Option<bool>,
) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let record = order(&view, id).await?;
	let owner = key.account();
	if record.owner != owner {
		return Err(Error::usage(
			format!("order {id} belongs to {}", chain.address(&record.owner)),
			"only the owner of data can change who has access to them",
		));
	}
	let visibility = visibility.unwrap_or(record.terms.visibility);
	let training = training.unwrap_or(record.terms.training);
	let is_public = visibility == Visibility::Public;
	let was_published = view
		.grant(id, &owner)
		.await?
		.is_some_and(|grant| access::is_published(&grant.sealed_key));
	if is_public && !was_published {
		let question = format!("The key of order {id} is published: everybody can read the data, for good");
		context.output.confirm(&question, context.yes())?;
	}
	if visibility != record.terms.visibility || training != record.terms.training {
		chain
			.submit(&key, &Call::set_access(id, visibility, training), None)
			.await?;
	}
	if is_public != was_published {
		let file_key = access::file_key(&chain, &view, id, &record, Some(&key), None).await?;
		let entry = access::owners_entry(
			chain.genesis(),
			&key,
			record.terms.manifest,
			visibility,
			&file_key,
		)?;
		chain
			.submit(&key, &Call::grant(id, &owner, &entry, true), None)
			.await?;
	}
	if was_published && !is_public {
		context.output.warn(format!(
			"the key of order {id} was public and may have been kept: `opensand store rotate {id}` stores the data under another"
		));
	}
	let fields = json!({ "order": id, "visibility": visibility_name(visibility), "training": training });
	context.output.result(fields, || {
		let training = if training { "allowed" } else { "forbidden" };
		format!(
			"Order {id} is {}; training is {training}",
			visibility_name(visibility)
		)
	})
}

async fn list(context: &Context, id: OrderId) -> Result<(), Error> {
	let chain = context.chain().await?;
	let view = chain.best().await?;
	// What was done with a dataset stays on record when its order is closed.
	let record = view.order(id).await?;
	let events = view.events(id).await?;
	if record.is_none() && events.is_empty() {
		return Err(Error::NoOrder(id));
	}
	let heading = ["account", "training", "since block", "by"];
	let mut rows = vec![heading.map(str::to_owned).to_vec()];
	let mut grants: Vec<Value> = Vec::new();
	for grantee in view.grantees(id, MAX_GRANTEES).await? {
		let Some(grant) = view.grant(id, &grantee).await? else {
			continue;
		};
		let address = chain.address(&grantee);
		grants.push(json!({
			"account": address,
			"training": grant.training,
			"since": grant.granted_at,
			"purchase": grant.sold,
		}));
		let training = if grant.training { "yes" } else { "no" };
		let sold = grant
			.sold
			.map_or_else(|| "given".to_owned(), |purchase| format!("purchase {purchase}"));
		rows.push(vec![
			address,
			training.to_owned(),
			grant.granted_at.to_string(),
			sold,
		]);
	}
	let heading = ["block", "by", "what"];
	let mut event_rows = vec![heading.map(str::to_owned).to_vec()];
	event_rows.extend(events.iter().map(|event| {
		vec![
			event.block.to_string(),
			chain.address(&event.by),
			operation_text(&chain, &event.operation),
		]
	}));
	let fields = json!({
		"order": id,
		"owner": record.as_ref().map(|record| chain.address(&record.owner)),
		"visibility": record.as_ref().map(|record| visibility_name(record.terms.visibility)),
		"training": record.as_ref().map(|record| record.terms.training),
		"grants": grants,
		"events": events.iter().map(|event| event_json(&chain, event)).collect::<Vec<_>>(),
	});
	context.output.result(fields, || {
		let owner = match &record {
			Some(record) => format!(
				"Order {id} of {}, {}\n\n",
				chain.address(&record.owner),
				visibility_name(record.terms.visibility)
			),
			None => format!("Order {id} is closed\n\n"),
		};
		let grants = match rows.len() {
			1 => "Nobody else has access\n".to_owned(),
			_ => table(&rows),
		};
		format!("{owner}{grants}\n{}", table(&event_rows))
	})
}

fn operation_text(chain: &Chain, operation: &DatasetOperation) -> String {
	let training = |training: &bool| {
		if *training {
			"training allowed"
		} else {
			"no training"
		}
	};
	match operation {
		DatasetOperation::Placed => "stored".to_owned(),
		DatasetOperation::Renewed { windows } => format!("renewed for {windows} windows"),
		DatasetOperation::Cancelled => "cancelled".to_owned(),
		DatasetOperation::Granted {
			grantee,
			training: may,
		} => {
			format!("granted to {}, {}", chain.address(grantee), training(may))
		}
		DatasetOperation::Revoked { grantee } => format!("revoked from {}", chain.address(grantee)),
		DatasetOperation::Changed {
			visibility,
			training: may,
		} => {
			format!("made {}, {}", visibility_name(*visibility), training(may))
		}
		DatasetOperation::Rotated { by } => format!("replaced by order {by}"),
		DatasetOperation::Used { by, purpose } => {
			format!("used by {} for 0x{}", chain.address(by), hex::encode(purpose))
		}
		DatasetOperation::Listed {
			listing,
			price,
			training: may,
			..
		} => format!(
			"offered as listing {listing} for {}, {}",
			Amount(*price),
			training(may)
		),
		DatasetOperation::Withdrawn { listing } => format!("listing {listing} withdrawn"),
		DatasetOperation::Bought {
			purchase,
			buyer,
			price,
			..
		} => format!(
			"purchase {purchase}: {} paid {} into escrow",
			chain.address(buyer),
			Amount(*price)
		),
		DatasetOperation::Delivered { purchase } => format!("purchase {purchase}: key delivered"),
		DatasetOperation::Licensed {
			purchase,
			buyer,
			training: may,
		} => format!(
			"purchase {purchase}: licensed to {}, {}",
			chain.address(buyer),
			training(may)
		),
		DatasetOperation::Refunded {
			purchase,
			buyer,
			reason,
		} => format!(
			"purchase {purchase}: refunded to {} ({})",
			chain.address(buyer),
			reason_name(*reason).replace('_', " ")
		),
		DatasetOperation::Surrendered { purchase, buyer } => {
			format!(
				"purchase {purchase}: licence given up by {}",
				chain.address(buyer)
			)
		}
	}
}

fn event_json(chain: &Chain, event: &DatasetEvent) -> Value {
	let (operation, details) = match &event.operation {
		DatasetOperation::Placed => ("placed", json!({})),
		DatasetOperation::Renewed { windows } => ("renewed", json!({ "windows": windows })),
		DatasetOperation::Cancelled => ("cancelled", json!({})),
		DatasetOperation::Granted { grantee, training } => (
			"granted",
			json!({ "account": chain.address(grantee), "training": training }),
		),
		DatasetOperation::Revoked { grantee } => ("revoked", json!({ "account": chain.address(grantee) })),
		DatasetOperation::Changed { visibility, training } => (
			"changed",
			json!({ "visibility": visibility_name(*visibility), "training": training }),
		),
		DatasetOperation::Rotated { by } => ("rotated", json!({ "order": by })),
		DatasetOperation::Used { by, purpose } => (
			"used",
			json!({ "account": chain.address(by), "purpose": format!("0x{}", hex::encode(purpose)) }),
		),
		DatasetOperation::Listed {
			listing,
			price,
			training,
			terms,
		} => (
			"listed",
			json!({
				"listing": listing,
				"price": price.to_string(),
				"training": training,
				"terms": format!("0x{}", hex::encode(terms)),
			}),
		),
		DatasetOperation::Withdrawn { listing } => ("withdrawn", json!({ "listing": listing })),
		DatasetOperation::Bought {
			purchase,
			buyer,
			listing,
			price,
		} => (
			"bought",
			json!({
				"purchase": purchase,
				"account": chain.address(buyer),
				"listing": listing,
				"price": price.to_string(),
			}),
		),
		DatasetOperation::Delivered { purchase } => ("delivered", json!({ "purchase": purchase })),
		DatasetOperation::Licensed {
			purchase,
			buyer,
			training,
		} => (
			"licensed",
			json!({ "purchase": purchase, "account": chain.address(buyer), "training": training }),
		),
		DatasetOperation::Refunded {
			purchase,
			buyer,
			reason,
		} => (
			"refunded",
			json!({
				"purchase": purchase,
				"account": chain.address(buyer),
				"reason": reason_name(*reason),
			}),
		),
		DatasetOperation::Surrendered { purchase, buyer } => (
			"surrendered",
			json!({ "purchase": purchase, "account": chain.address(buyer) }),
		),
	};
	json!({
		"block": event.block,
		"by": chain.address(&event.by),
		"operation": operation,
		"details": details,
	})
}
