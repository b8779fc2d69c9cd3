//! `store rescue`: what providers call for orders in distress, by hand.

use std::collections::HashSet;

use opensand_primitives::{
	storage::{OrderRecord, OrderStatus, ProviderStatus, ShardStatus, ShardView, StorageTerms},
	survival::{live_shards, rescues, Rescue},
	AccountId, BlockNumber, OrderId,
};
use serde_json::json;

use super::{order, order_json, Context};
use crate::{
	chain::{Call, Chain, ChainError, View},
	error::Error,
};

/// Calls whatever an order's shards need, one after the other, and says what is left to wait for.
pub async fn rescue(context: &Context, id: OrderId) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let mut called = Vec::new();
	loop {
		let distress = Distress::of(&chain.best().await?, id).await?;
		let next = distress
			.rescues()
			.into_iter()
			.find(|rescue| !called.contains(rescue));
		let Some(rescue) = next else {
			return report(context, &chain, id, &distress, &called);
		};
		called.push(rescue);
		let (Rescue::OpenRepair(shard) | Rescue::FindLost(shard)) = rescue;
		match chain.submit(&key, &Call::open_repair(id, shard), None).await {
			// A provider was faster.
			Err(error) if error.is_refusal() => context.output.warn(&error),
			outcome => drop(outcome?),
		}
	}
}

/// An order, and what is held of it.
struct Distress {
	record: OrderRecord,
	shards: Vec<ShardView>,
	jailed: HashSet<AccountId>,
	terms: StorageTerms,
	now: BlockNumber,
}

impl Distress {
	async fn of(view: &View<'_>, id: OrderId) -> Result<Self, Error> {
		let shards = view.shards(id).await?;
		Ok(Self {
			record: order(view, id).await?,
			jailed: jailed(view, &shards).await?,
			shards,
			terms: view.terms().await?,
			now: view.number(),
		})
	}

	fn is_jailed(&self, provider: &AccountId) -> bool {
		self.jailed.contains(provider)
	}

	/// What can be called now.
	fn rescues(&self) -> Vec<Rescue> {
		if !matches!(self.record.status, OrderStatus::Active { end, .. } if self.terms.window < end) {
			return Vec::new();
		}
		rescues(
			&self.shards,
			|provider| self.is_jailed(provider),
			None,
			self.record.terms.code.data.into(),
			self.now,
			self.terms.repair_blocks,
		)
	}

	fn live(&self) -> usize {
		live_shards(&self.shards, |provider| self.is_jailed(provider), self.now)
	}

	/// The first block after the repairs that are open.
	fn repairs_end(&self) -> Option<BlockNumber> {
		let opened = self.shards.iter().filter_map(|shard| match shard.status {
			ShardStatus::Repair { opened_at, .. } => Some(opened_at),
			_ => None,
		});
		Some(
			opened
				.min()?
				.saturating_add(self.terms.repair_blocks)
				.saturating_add(1),
		)
	}
}

/// The providers of shards that are in jail.
async fn jailed(view: &View<'_>, shards: &[ShardView]) -> Result<HashSet<AccountId>, ChainError> {
	let mut jailed = HashSet::new();
	for provider in shards.iter().filter_map(|shard| shard.status.provider()) {
		let record = view.provider(provider).await?;
		if record.is_some_and(|record| matches!(record.status, ProviderStatus::Jailed { .. })) {
			jailed.insert(provider.clone());
		}
	}
	Ok(jailed)
}

fn report(
	context: &Context,
	chain: &Chain,
	id: OrderId,
	distress: &Distress,
	called: &[Rescue],
) -> Result<(), Error> {
	let is_lost = matches!(distress.record.status, OrderStatus::Lost);
	let (live, code) = (distress.live(), distress.record.terms.code);
	let opened: Vec<_> = called
		.iter()
		.filter_map(|rescue| match rescue {
			Rescue::OpenRepair(shard) => Some(*shard),
			Rescue::FindLost(_) => None,
		})
		.collect();
	let repairs_end = distress.repairs_end().filter(|_| !is_lost);
	let mut fields = order_json(chain, id, &distress.record, &distress.terms);
	fields["held_shards"] = json!(live);
	fields["opened"] = json!(opened);
	fields["repairs_end"] = json!(repairs_end);
	context.output.result(fields, || {
		if is_lost {
			return format!(
				"Order {id} is lost; its owner was compensated. `opensand store close {id}` clears it"
			);
		}
		let held = format!(
			"{live} of order {id}'s {} shards are held, and {} suffice",
			code.total, code.data
		);
		match repairs_end {
			None => format!("{held}: nothing is to be done"),
			Some(_) if live >= usize::from(code.data) => {
				format!("{held}: providers are paid to rebuild the others")
			}
			Some(block) => format!(
				"{held}: unless providers rebuild the others, the order can be found lost from block {block} on: \
				 run this again then"
			),
		}
	})
}
