//! `market deliver`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use opensand_primitives::{
	market::{Purchase, PurchaseStatus},
	storage::{DatasetEvent, DatasetOperation},
	Balance, BlockNumber, OrderId, PurchaseId,
};
use opensand_slices::FileKey;
use serde_json::{json, Value};
use tokio::time::sleep;

use super::{order, purchase, purchase_json, Context, POLL};
use crate::{
	access::{self, AccessError},
	amounts::Amount,
	chain::{Call, Chain, View},
	cli::DeliverArguments,
	error::Error,
	keys::AccountKey,
	purchase::{delivery, seal, status_name},
};

/// Delivers the keys that buyers have paid for.
pub async fn deliver(context: &Context, arguments: DeliverArguments) -> Result<(), Error> {
	let (chain, key) = context.chain_and_key().await?;
	let mut seller = Seller {
		context,
		chain: &chain,
		key: &key,
		bond: chain.constant("DeliveryBond").await?,
		agreed: false,
		keys: HashMap::new(),
		refused: BTreeSet::new(),
	};
	if arguments.watch {
		return seller.watch().await;
	}
	let due: Vec<PurchaseId> = match arguments.purchases.is_empty() {
		true => {
			let due = chain.best().await?.deliveries_due(&key.account()).await?;
			due.into_iter().map(|(id, _)| id).collect()
		}
		false => {
			seller.check(&arguments.purchases).await?;
			arguments.purchases
		}
	};
	let mut delivered: Vec<Value> = Vec::with_capacity(due.len());
	let mut failed = None;
	let bar = context.output.count("delivering", due.len() as u64);
	for id in due {
		match seller.serve(id).await {
			Ok(now) => delivered.push(purchase_json(&chain, id, &now)),
			Err(error @ Error::Declined) => return Err(error),
			Err(error) => {
				context
					.output
					.warn(format!("purchase {id} is not delivered: {error}"));
				failed.get_or_insert(error);
			}
		}
		bar.advance(1);
	}
	bar.finish();
	if let Some(error) = failed {
		return Err(error);
	}
	let count = delivered.len();
	context
		.output
		.result(json!({ "delivered": delivered }), || match count {
			0 => "No purchase waits for a delivery".to_owned(),
			_ => format!(
				"{count} purchases are delivered. Each is paid when its buyer confirms it, or when its time is over and it is \
				 finished: `opensand market finish`, or `deliver --watch`"
			),
		})
}

/// Who delivers, and what it has at hand.
struct Seller<'a> {
	context: &'a Context,
	chain: &'a Chain,
	key: &'a AccountKey,
	/// What each delivery holds from the account.
	bond: Balance,
	/// Whether the user agreed to that.
	agreed: bool,
	/// The keys of datasets of which something was sold.
	keys: HashMap<OrderId, FileKey>,
	/// Purchases that cannot be served; each is told once.
	refused: BTreeSet<PurchaseId>,
}

impl Seller<'_> {
	/// Refuses purchases that are not the account's to deliver.
	async fn check(&self, ids: &[PurchaseId]) -> Result<(), Error> {
		let view = self.chain.best().await?;
		for id in ids {
			let found = purchase(&view, *id).await?;
			if found.seller != self.key.account() {
				return Err(Error::usage(
					format!("purchase {id} is of {}", self.chain.address(&found.seller)),
					"only the seller of data can deliver their key",
				));
			}
			if !matches!(found.status, PurchaseStatus::Paid { .. }) {
				return Err(not_due(*id, &found.status));
			}
		}
		Ok(())
	}

	/// Serves buyers, and finishes what was not disputed in time, until it is interrupted.
	async fn watch(&mut self) -> Result<(), Error> {
		self.agree()?;
		let mut delivered = self.unsettled().await?;
		self.context
			.output
			.note("Waiting for buyers; interrupt this with Ctrl-C");
		loop {
			let view = self.chain.best().await?;
			for (id, _) in view.deliveries_due(&self.key.account()).await? {
				if self.refused.contains(&id) {
					continue;
				}
				match self.serve(id).await {
					Ok(now) => {
						delivered.insert(id, delivery(id, &now)?.1);
					}
					Err(error @ (Error::Chain(_) | Error::Stream(_))) if !is_refusal(&error) => {
						return Err(error);
					}
					Err(error) => {
						self.context
							.output
							.warn(format!("purchase {id} is not delivered: {error}"));
						self.refused.insert(id);
					}
				}
			}
			let over: Vec<PurchaseId> = delivered
				.iter()
				.filter(|(_, dispute_by)| view.number() >= **dispute_by)
				.map(|(id, _)| *id)
				.collect();
			for id in over {
				delivered.remove(&id);
				self.finish(id).await?;
			}
			sleep(POLL).await;
		}
	}

	/// What was delivered before and is not settled, with the last block of its dispute.
	async fn unsettled(&self) -> Result<BTreeMap<PurchaseId, BlockNumber>, Error> {
		let view = self.chain.best().await?;
		let listings = view.listings_of(&self.key.account()).await?;
		let orders: BTreeSet<OrderId> = listings
			.into_iter()
			.filter(|(_, listing)| listing.pending > 0)
			.map(|(_, listing)| listing.order)
			.collect();
		let mut unsettled = BTreeMap::new();
		for order in orders {
			for id in delivered_in(&view.events(order).await?) {
				if let Some(PurchaseStatus::Delivered { dispute_by, .. }) =
					view.purchase(id).await?.map(|purchase| purchase.status)
				{
					unsettled.insert(id, dispute_by);
				}
			}
		}
		Ok(unsettled)
	}

	/// Settles a purchase that was not disputed in time, unless its buyer has.
	async fn finish(&self, id: PurchaseId) -> Result<(), Error> {
		let (chain, output) = (self.chain, &self.context.output);
		let is_delivered = |purchase: &Purchase| matches!(purchase.status, PurchaseStatus::Delivered { .. });
		let found = chain.best().await?.purchase(id).await?;
		if !found.is_some_and(|purchase| is_delivered(&purchase)) {
			return Ok(());
		}
		match chain.submit(self.key, &Call::finish(id), None).await {
			Ok(after) => {
				let settled = after.purchase(id).await?.is_some();
				let status = if settled { "licensed" } else { "refunded" };
				output.note(format!("Purchase {id} is {status}: its time was over"));
				output.event("settled", json!({ "purchase": id, "status": status }))
			}
			// Somebody else was faster, or a fork.
			Err(error) if error.is_refusal() => {
				output.warn(format!("purchase {id} was not finished: {error}"));
				Ok(())
			}
			Err(error) => Err(error.into()),
		}
	}

	/// Asks once whether bonds may be held.
	fn agree(&mut self) -> Result<(), Error> {
		if !self.agreed {
			let question = format!(
				"Each delivery holds a bond of {} from the account until its purchase is settled",
				Amount(self.bond)
			);
			self.context.output.confirm(&question, self.context.yes())?;
			self.agreed = true;
		}
		Ok(())
	}

	/// Seals the dataset's key to a purchase's, and delivers it. Returns the purchase as it stands then.
	async fn serve(&mut self, id: PurchaseId) -> Result<Purchase, Error> {
		self.agree()?;
		let due = &self.finalised(id).await?;
		let view = self.chain.best().await?;
		let file_key = self.file_key(&view, due).await?;
		let sealed =
			seal(self.chain.genesis(), due, &file_key).map_err(|source| AccessError::Unsealable {
				account: self.chain.address(&due.buyer),
				source,
			})?;
		let after = self
			.chain
			.submit(self.key, &Call::deliver(id, &sealed), None)
			.await?;
		let now = purchase(&after, id).await?;
		let output = &self.context.output;
		output.event("delivery", purchase_json(self.chain, id, &now))?;
		output.note(format!(
			"Purchase {id}: the key of order {} is delivered to {}",
			due.order,
			self.chain.address(&due.buyer)
		));
		Ok(now)
	}

	/// The key of the dataset, which has to be the one that the purchase is about.
	async fn file_key(&mut self, view: &View<'_>, due: &Purchase) -> Result<FileKey, Error> {
		let key = match self.keys.get(&due.order) {
			Some(key) => key.clone(),
			None => {
				let record = order(view, due.order).await?;
				let key =
					access::file_key(self.chain, view, due.order, &record, Some(self.key), None).await?;
				self.keys.insert(due.order, key.clone());
				key
			}
		};
		if key.commitment() != due.key_commitment {
			return Err(AccessError::WrongKey(due.order).into());
		}
		Ok(key)
	}

	/// The purchase as it stands in a finalised block, for which it waits.
	///
	/// In a block that is replaced the key would be delivered and not paid, or sealed to a key of another purchase.
	async fn finalised(&self, id: PurchaseId) -> Result<Purchase, Error> {
		let mut told = false;
		loop {
			if let Some(due) = self.chain.finalised().await?.purchase(id).await? {
				return match due.status {
					PurchaseStatus::Paid { .. } => Ok(due),
					status => Err(not_due(id, &status)),
				};
			}
			let view = self.chain.best().await?;
			match purchase(&view, id).await?.status {
				PurchaseStatus::Paid { deliver_by } if view.number() < deliver_by => {}
				PurchaseStatus::Paid { .. } => {
					return Err(Error::TimedOut {
						what: format!("finalising the block of purchase {id}"),
						remedy: "check that the chain finalises blocks".to_owned(),
					})
				}
				status => return Err(not_due(id, &status)),
			}
			if !told {
				self.context.output.note(format!(
					"Purchase {id}: waiting until the block in which it was paid is final"
				));
				told = true;
			}
			sleep(POLL).await;
		}
	}
}

fn not_due(id: PurchaseId, status: &PurchaseStatus) -> Error {
	Error::usage(
		format!("purchase {id} is {} already", status_name(status)),
		"name purchases that wait for a delivery, or none to serve all",
	)
}

/// Whether the chain itself said no, which concerns one purchase alone.
fn is_refusal(error: &Error) -> bool {
	matches!(error, Error::Chain(error) if error.is_refusal())
}

/// The purchases that a record shows as delivered and neither paid nor refunded.
fn delivered_in(events: &[DatasetEvent]) -> BTreeSet<PurchaseId> {
	let mut delivered = BTreeSet::new();
	for event in events {
		match event.operation {
			DatasetOperation::Delivered { purchase } => {
				delivered.insert(purchase);
			}
			DatasetOperation::Licensed { purchase, .. } | DatasetOperation::Refunded { purchase, .. } => {
				delivered.remove(&purchase);
			}
			_ => {}
		}
	}
	delivered
}

#[cfg(test)]
mod tests {
	use opensand_primitives::{market::RefundReason, AccountId};

	use super::*;

	#[test]
	fn what_is_delivered_and_not_settled_is_found_in_the_record() {
		let buyer = AccountId::new([1; 32]);
		let operations = [
			DatasetOperation::Placed,
			DatasetOperation::Delivered { purchase: 1 },
			DatasetOperation::Delivered { purchase: 2 },
			DatasetOperation::Licensed {
				purchase: 1,
				buyer: buyer.clone(),
				training: false,
			},
			DatasetOperation::Delivered { purchase: 3 },
			DatasetOperation::Refunded {
				purchase: 3,
				buyer: buyer.clone(),
				reason: RefundReason::WrongDelivery,
			},
			DatasetOperation::Refunded {
				purchase: 4,
				buyer: buyer.clone(),
				reason: RefundReason::Undelivered,
			},
			DatasetOperation::Delivered { purchase: 5 },
		];
		let events: Vec<DatasetEvent> = operations
			.into_iter()
			.map(|operation| DatasetEvent {
				block: 1,
				by: buyer.clone(),
				operation,
			})
			.collect();
		assert_eq!(delivered_in(&events), BTreeSet::from([2, 5]));
		assert_eq!(delivered_in(&events[..1]), BTreeSet::new());
	}
}
