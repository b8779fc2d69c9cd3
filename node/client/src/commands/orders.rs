//! `store ls`, `show`, `renew`, `topup`, `cancel` and `close`.

use opensand_primitives::{
	storage::{OrderRecord, OrderStatus, ShardView, StorageTerms, WindowIndex},
	Balance, OrderId,
};
use opensand_slices::{raw_cid, shard_cid};
use serde_json::{json, Value};

use super::{order, order_json, region_text, visibility_name, Context};
use crate::{
	amounts::{Amount, Size},
	chain::{Call, Chain, View},
	delivery::escrow,
	error::Error,
	fetch::status_name,
	output::table,
};

/// Lists the account's orders.
pub async fn list(context: &Context) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let terms = view.terms().await?;
	let heading = [
		"order",
		"status",
		"shards",
		"size",
		"paid until",
		"held",
		"access",
	];
	let mut rows = vec![heading.map(str::to_owned).to_vec()];
	let mut objects: Vec<Value> = Vec::new();
	for id in view.orders_of(&key.account(), 0).await? {
		// An order may be closed between two questions about different blocks, but not within one.
		let Some(record) = view.order(id).await? else {
			continue;
		};
		let active = active_shards(&view.shards(id).await?);
		let mut object = order_json(&chain, id, &record, &terms);
		object["active_shards"] = json!(active);
		rows.push(row(id, &record, active, &terms));
		objects.push(object);
	}
	let count = objects.len();
	context.output.result(
		json!({ "orders": objects, "window": terms.window }),
		|| match count {
			0 => "This account has no orders".to_owned(),
			_ => table(&rows),
		},
	)
}

fn row(id: OrderId, record: &OrderRecord, active: usize, terms: &StorageTerms) -> Vec<String> {
	let code = record.terms.code;
	vec![
		id.to_string(),
		status_text(&record.status, terms),
		format!("{active}/{}", code.total),
		Size(record.terms.shard_bytes.saturating_mul(code.data.into())).to_string(),
		paid_until(&record.status, terms),
		Amount(record.escrow).to_string(),
		visibility_name(record.terms.visibility).to_owned(),
	]
}

fn active_shards(shards: &[ShardView]) -> usize {
	shards
		.iter()
		.filter(|shard| status_name(&shard.status) == "active")
		.count()
}

fn status_text(status: &OrderStatus, terms: &StorageTerms) -> String {
	match status {
		OrderStatus::Placing { deadline } => format!("placing until block {deadline}"),
		OrderStatus::Active { end, .. } if terms.window >= *end => "expired".to_owned(),
		OrderStatus::Active { .. } => "active".to_owned(),
		OrderStatus::Lost => "lost".to_owned(),
	}
}

fn paid_until(status: &OrderStatus, terms: &StorageTerms) -> String {
	match status {
		OrderStatus::Active { end, .. } => {
			format!("window {end} ({} to come)", end.saturating_sub(terms.window))
		}
		OrderStatus::Placing { .. } | OrderStatus::Lost => "-".to_owned(),
	}
}

/// Shows one order.
pub async fn show(context: &Context, id: OrderId) -> Result<(), Error> {
	let chain = context.chain().await?;
	let view = chain.best().await?;
	let record = order(&view, id).await?;
	let terms = view.terms().await?;
	let shards = view.shards(id).await?;
	let mut object = order_json(&chain, id, &record, &terms);
	object["active_shards"] = json!(active_shards(&shards));
	object["shards"] = shards
		.iter()
		.map(|shard| {
			json!({
				"shard": shard.index,
				"cid": shard_cid(shard.cid).to_string(),
				"status": status_name(&shard.status),
				"provider": shard.status.provider().map(|provider| chain.address(provider)),
			})
		})
		.collect();
	context
		.output
		.result(object, || text(&chain, id, &record, &shards, &terms))
}

fn text(
	chain: &Chain,
	id: OrderId,
	record: &OrderRecord,
	shards: &[ShardView],
	terms: &StorageTerms,
) -> String {
	let asked = &record.terms;
	let regions: Vec<String> = asked.regions.iter().map(region_text).collect();
	let mut rows = vec![
		vec!["order".to_owned(), id.to_string()],
		vec!["owner".to_owned(), chain.address(&record.owner)],
		vec!["status".to_owned(), status_text(&record.status, terms)],
		vec!["paid until".to_owned(), paid_until(&record.status, terms)],
		vec![
			"code".to_owned(),
			format!("any {} of {} shards", asked.code.data, asked.code.total),
		],
		vec!["shard".to_owned(), Size(asked.shard_bytes).to_string()],
		vec![
			"price".to_owned(),
			format!("{} per MiB and window", Amount(asked.price)),
		],
		vec!["held".to_owned(), Amount(record.escrow).to_string()],
		vec![
			"regions".to_owned(),
			if regions.is_empty() {
				"any".to_owned()
			} else {
				regions.join(", ")
			},
		],
		vec!["access".to_owned(), visibility_name(asked.visibility).to_owned()],
		vec![
			"training".to_owned(),
			if asked.training { "allowed" } else { "not allowed" }.to_owned(),
		],
		vec!["manifest".to_owned(), raw_cid(asked.manifest).to_string()],
	];
	if let Some(old) = record.supersedes {
		rows.push(vec!["supersedes".to_owned(), old.to_string()]);
	}
	let heading = ["shard", "status", "provider", "cid"];
	let mut shard_rows = vec![heading.map(str::to_owned).to_vec()];
	shard_rows.extend(shards.iter().map(|shard| {
		vec![
			shard.index.to_string(),
			status_name(&shard.status).to_owned(),
			shard
				.status
				.provider()
				.map_or_else(|| "-".to_owned(), |provider| chain.address(provider)),
			shard_cid(shard.cid).to_string(),
		]
	}));
	format!("{}\n{}", table(&rows), table(&shard_rows))
}

/// Pays for more windows.
pub async fn renew(context: &Context, id: OrderId, windows: WindowIndex) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let view = chain.best().await?;
	let record = order(&view, id).await?;
	let asked = &record.terms;
	let more = escrow(asked.code.total, asked.shard_bytes, asked.price, windows)
		.ok_or_else(|| Error::usage("the order would cost more than exists", "add fewer windows"))?;
	context.output.confirm(
		&format!(
			"{windows} more windows of order {id} hold {} more from the account",
			Amount(more)
		),
		context.yes(),
	)?;
	let after = chain.submit(&key, &Call::renew(id, windows), None).await?;
	report(context, &chain, &after, id, |record, terms| {
		format!(
			"Order {id} is paid until {}; {} held",
			paid_until(&record.status, terms),
			Amount(record.escrow)
		)
	})
	.await
}

/// Tips an order's providers.
pub async fn top_up(context: &Context, id: OrderId, tip: Balance) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	order(&chain.best().await?, id).await?;
	context.output.confirm(
		&format!("The providers of order {id} are tipped {}", Amount(tip)),
		context.yes(),
	)?;
	let after = chain.submit(&key, &Call::top_up(id, tip), None).await?;
	report(context, &chain, &after, id, |_, _| {
		format!(
			"The providers of order {id} get {} at their next settlement",
			Amount(tip)
		)
	})
	.await
}

/// Ends an order.
pub async fn cancel(context: &Context, id: OrderId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	order(&chain.best().await?, id).await?;
	context.output.confirm(
		&format!("Order {id} ends, and its providers delete the data"),
		context.yes(),
	)?;
	let after = chain.submit(&key, &Call::cancel(id), None).await?;
	match after.order(id).await? {
		None => closed(context, id, "Order {id} is closed, and what was held is returned"),
		Some(_) => {
			report(context, &chain, &after, id, |record, terms| {
				format!(
					"Order {id} ends with {}; what is held beyond that is returned. `opensand store close {id}` clears it then",
					paid_until(&record.status, terms)
				)
			})
			.await
		}
	}
}

/// Clears an order that is over.
pub async fn close(context: &Context, id: OrderId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	order(&chain.best().await?, id).await?;
	chain.submit(&key, &Call::close(id), None).await?;
	closed(
		context,
		id,
		"Order {id} is closed; what was left of its escrow is returned to its owner",
	)
}

fn closed(context: &Context, id: OrderId, text: &str) -> Result<(), Error> {
	context
		.output
		.result(json!({ "order": id, "status": "closed" }), || {
			text.replace("{id}", &id.to_string())
		})
}

/// Reports how an order stands after a call.
async fn report(
	context: &Context,
	chain: &Chain,
	view: &View<'_>,
	id: OrderId,
	text: impl FnOnce(&OrderRecord, &StorageTerms) -> String,
) -> Result<(), Error> {
	let record = order(view, id).await?;
	let terms = view.terms().await?;
	context
		.output
		.result(order_json(chain, id, &record, &terms), || text(&record, &terms))
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn an_order_whose_last_window_has_gone_is_expired() {
		let terms = |window| StorageTerms {
			window,
			window_blocks: 10,
			price_floor: 1,
			collateral_per_mib: 1,
			samples: 1,
			activation_blocks: 1,
			placing_blocks: 1,
			repair_blocks: 1,
		};
		let status = OrderStatus::Active { start: 5, end: 9 };
		assert_eq!(status_text(&status, &terms(8)), "active");
		assert_eq!(paid_until(&status, &terms(8)), "window 9 (1 to come)");
		assert_eq!(status_text(&status, &terms(9)), "expired");
		assert_eq!(paid_until(&status, &terms(12)), "window 9 (0 to come)");
		assert_eq!(paid_until(&OrderStatus::Lost, &terms(1)), "-");
	}
}
