//! From staged blocks to an active order: placing it once, and serving its blocks until all shards are proven.

use std::{
	collections::{HashMap, HashSet},
	path::Path,
	sync::Arc,
	time::Duration,
};

use futures::{stream::FuturesUnordered, StreamExt};
use opensand_primitives::{
	storage::{
		ErasureCode, OrderRecord, OrderStatus, OrderTerms, Region, ShardCommitment, ShardView, StorageTerms,
		Visibility, WindowIndex,
	},
	AccountId, Balance, OrderId,
};
use opensand_slices::{FileKey, Manifest};
use serde_json::json;
use tokio::time::{sleep, Instant};

use crate::{
	access::{self, AccessError},
	amounts::{Amount, MIB},
	chain::{Call, Chain, ChainError, View},
	commands::Context,
	error::Error,
	fetch::status_name,
	keys::AccountKey,
	network::Network,
	output::Output,
	pack::Pack,
	staging::{Source, Staging, StagingError, State, Step},
	transfer::{blocking, manifest_in, Served, TransferError},
};

/// How often the chain is looked at.
const POLL: Duration = Duration::from_secs(2);
/// How long a transaction that another run sent may wait for a block.
const PENDING_LIMIT: Duration = Duration::from_secs(600);
/// How often a provider that could not be reached is dialled.
const REDIAL: Duration = Duration::from_secs(15);

/// What is asked of the market.
pub struct Wish {
	/// The code.
	pub code: ErasureCode,
	/// Windows to pay for.
	pub windows: WindowIndex,
	/// The price per MiB and window; the market's floor without one.
	pub price: Option<Balance>,
	/// Where shards may be.
	pub regions: Vec<Region>,
	/// Who may be given the key.
	pub visibility: Visibility,
	/// Whether those with access may train on it.
	pub training: bool,
	/// The order that it replaces.
	pub supersedes: Option<OrderId>,
}

/// What an order costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
	/// Per MiB and window.
	pub price: Balance,
	/// For all shards in all windows.
	pub escrow: Balance,
}

/// What all shards can earn: each its MiB, begun ones counted whole, in each window. `None` if it does not fit.
pub fn escrow(total: u8, shard_bytes: u64, price: Balance, windows: WindowIndex) -> Option<Balance> {
	Balance::from(shard_bytes.div_ceil(MIB))
		.checked_mul(price)?
		.checked_mul(total.into())?
		.checked_mul(windows.into())
}

impl Wish {
	/// What shards of this length cost now.
	///
	/// # Errors
	/// When the price is below the floor, or the cost does not fit a balance.
	fn quote(&self, terms: &StorageTerms, shard_bytes: u64) -> Result<Quote, Error> {
		let price = self.price.unwrap_or(terms.price_floor);
		if price < terms.price_floor {
			return Err(Error::usage(
				format!(
					"the price of {} per MiB and window is below the market's floor",
					Amount(price)
				),
				format!(
					"offer at least {}, or leave --price away",
					Amount(terms.price_floor)
				),
			));
		}
		let escrow = escrow(self.code.total, shard_bytes, price, self.windows).ok_or_else(|| {
			Error::usage(
				"the order would cost more than exists",
				"offer less, or for fewer windows",
			)
		})?;
		Ok(Quote { price, escrow })
	}

	fn question(&self, quote: Quote) -> String {
		format!(
			"Storing {} shards for {} windows at {} per MiB and window holds {} from the account, besides a small deposit",
			self.code.total,
			self.windows,
			Amount(quote.price),
			Amount(quote.escrow),
		)
	}

	/// Asks whether to go on at this cost, unless more was agreed to before.
	///
	/// # Errors
	/// When the answer is no.
	fn confirm(&self, context: &Context, quote: Quote, agreed: &mut Option<Balance>) -> Result<(), Error> {
		if agreed.is_none_or(|agreed| agreed < quote.escrow) {
			context.output.confirm(&self.question(quote), context.yes())?;
			*agreed = Some(quote.escrow);
		}
		Ok(())
	}
}

/// An order from the wish for it to its last proven shard, with what is staged for it.
pub struct Delivery<'a> {
	/// How to talk to the user.
	context: &'a Context,
	/// The chain.
	chain: &'a Chain,
	/// The owner.
	key: &'a AccountKey,
	/// What is asked for.
	wish: Wish,
	/// The blocks, and how far they came.
	pub staging: Staging,
	/// The cost to which the user has agreed.
	agreed: Option<Balance>,
}

/// An order that all its providers have proven to hold.
pub struct Stored {
	/// The order.
	pub order: OrderId,
	/// What it keeps.
	pub manifest: Manifest,
	/// As it stands in a finalised block.
	pub record: OrderRecord,
}

impl<'a> Delivery<'a> {
	/// What is staged, on its way to an order such as `wish`.
	pub fn new(
		context: &'a Context,
		chain: &'a Chain,
		key: &'a AccountKey,
		wish: Wish,
		staging: Staging,
	) -> Self {
		Self {
			context,
			chain,
			key,
			wish,
			staging,
			agreed: None,
		}
	}

	/// Asks whether to go on at what shards of this length cost now, unless an earlier run has placed the order.
	///
	/// # Errors
	/// When the answer is no, or the market would not take the order.
	pub async fn agree(&mut self, shard_bytes: u64) -> Result<(), Error> {
		if matches!(
			self.staging.state().map(|state| &state.step),
			Some(Step::Placed { .. })
		) {
			return Ok(());
		}
		let quote = self
			.wish
			.quote(&self.chain.best().await?.terms().await?, shard_bytes)?;
		self.wish.confirm(self.context, quote, &mut self.agreed)
	}

	/// The key of what is staged; a new one where nothing is.
	///
	/// # Errors
	/// When the staged key does not open, or a new one cannot be kept.
	pub fn file_key(&mut self, source: &Source) -> Result<FileKey, Error> {
		let genesis = self.chain.genesis();
		if let Some(state) = self.staging.state() {
			return access::open_staged(genesis, self.key, &state.sealed_key).map_err(|error| {
				StagingError::Damaged {
					path: self.staging.blocks(),
					reason: format!("its key does not open: {error}"),
				}
				.into()
			});
		}
		let file_key = FileKey::generate();
		let sealed = access::seal_staged(genesis, self.key, &file_key)?;
		self.staging
			.save(State::new(source.clone(), self.wish.code, sealed))?;
		Ok(file_key)
	}

	/// Orders storage for the staged blocks, and serves them until all shards are proven in a finalised block.
	///
	/// # Errors
	/// When the chain refuses the order, or the deadline passes first.
	pub async fn store(&mut self, file_key: &FileKey, listen: &[String]) -> Result<Stored, Error> {
		register_access_key(self.context, self.chain, self.key).await?;
		let (store, manifest) = staged(&self.staging.blocks(), manifest_of(&self.staging)?).await?;
		let order = self.place(&manifest, file_key).await?;
		self.context.output.event(
			"order",
			json!({
				"order": order,
				"manifest": manifest.cid().to_string(),
				"supersedes": self.wish.supersedes,
			}),
		)?;
		let placed = match self.wish.supersedes {
			Some(old) => format!("replaces order {old}"),
			None => "is placed".to_owned(),
		};
		self.context.output.note(format!(
			"Order {order} {placed}; serving its blocks to the providers that take them"
		));
		let record = self.deliver(&store, &manifest, order, listen).await?;
		Ok(Stored {
			order,
			manifest,
			record,
		})
	}

	/// Places the order for the blocks, or finds the one that an earlier run placed.
	///
	/// # Errors
	/// When the chain refuses it, or the user does.
	async fn place(&mut self, manifest: &Manifest, file_key: &FileKey) -> Result<OrderId, Error> {
		let output = &self.context.output;
		after_earlier(output, POLL, async || self.try_to_place(manifest, file_key).await).await
	}

	async fn try_to_place(&mut self, manifest: &Manifest, file_key: &FileKey) -> Result<OrderId, Error> {
		let digest = manifest.digest();
		let account = self.key.account();
		let shards = commitments(manifest)?;
		let since = Instant::now();
		loop {
			let Some(state) = self.staging.state() else {
				return Err(TransferError::NoManifest.into());
			};
			let abandoned = state.abandoned.clone();
			let view = self.chain.best().await?;
			let nonce =
				match state.step {
					Step::Placed { order, .. } => return Ok(order),
					Step::Placing { nonce, from, .. } => {
						if let Some(order) = find_order(&view, &account, from, digest, &abandoned).await? {
							self.staging.advance(Step::Placed {
								manifest: digest,
								order,
							})?;
							return Ok(order);
						}
						let best = view.nonce(&account).await?;
						let finalised = self.chain.finalised().await?.nonce(&account).await?;
						match after_restart(nonce, best, finalised) {
							Restart::Repeat => nonce,
							Restart::Renew => {
								self.staging.advance(Step::Encoded { manifest: digest })?;
								continue;
							}
							Restart::Wait if since.elapsed() > PENDING_LIMIT => {
								return Err(Error::TimedOut {
								what: "finalising the transaction of an earlier run".to_owned(),
								remedy: "check that the chain finalises blocks, and run the same command again".to_owned(),
							});
							}
							Restart::Wait => {
								sleep(POLL).await;
								continue;
							}
						}
					}
					Step::Encoding | Step::Encoded { .. } => {
						let nonce = view.nonce(&account).await?;
						let from = view
							.orders_of(&account, 0)
							.await?
							.last()
							.map_or(0, |last| last.saturating_add(1));
						self.staging.advance(Step::Placing {
							manifest: digest,
							nonce,
							from,
						})?;
						nonce
					}
				};
			let wish = &self.wish;
			let quote = wish.quote(&view.terms().await?, manifest.shard_bytes())?;
			wish.confirm(self.context, quote, &mut self.agreed)?;
			let terms = terms(manifest, wish, quote.price)?;
			let entry =
				access::owners_entry(self.chain.genesis(), self.key, digest, wish.visibility, file_key)?;
			let call = Call::place_order(&terms, &shards, &entry, wish.supersedes, quote.escrow);
			// The next turn finds the order in the block that holds it.
			self.chain.submit(self.key, &call, Some(nonce)).await?;
		}
	}

	/// Serves an order's blocks to the providers that take its shards, until all shards are proven in a finalised block.
	///
	/// # Errors
	/// When the deadline passes first.
	async fn deliver(
		&mut self,
		store: &Arc<Pack>,
		manifest: &Manifest,
		order: OrderId,
		listen: &[String],
	) -> Result<OrderRecord, Error> {
		let served = {
			let (store, manifest) = (store.clone(), manifest.clone());
			Arc::new(blocking(move || Served::new(store, &manifest)).await?)
		};
		let network = Network::start(served.clone(), listen)?;
		let outcome = serve(self.context, self.chain, &network, &served, manifest, order).await;
		network.end().await;
		match outcome? {
			Delivered::Active(record) => Ok(*record),
			Delivered::Late => {
				self.staging.abandon(manifest.digest(), order)?;
				if let Err(error) = self.chain.submit(self.key, &Call::close(order), None).await {
					self.context
						.output
						.warn(format!("order {order} could not be closed: {error}"));
				}
				Err(Error::TimedOut {
					what: format!("placing all shards of order {order} with providers"),
					remedy: "what was held is returned when the order is closed; run the same command again for another \
					         order of the same blocks, with a higher --price or in more --regions"
						.to_owned(),
				})
			}
			Delivered::Gone => {
				self.staging.abandon(manifest.digest(), order)?;
				Err(Error::NoOrder(order))
			}
		}
	}
}

/// Does what looks at the chain and may send a transaction, again while the pool holds an earlier one of this account:
/// this command's, if it was killed before a block took it.
///
/// # Errors
/// Those of `attempt`; also that there is an earlier transaction, if that goes on for long.
async fn after_earlier<T>(
	output: &Output,
	pause: Duration,
	mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
	let since = Instant::now();
	let mut is_told = false;
	loop {
		match attempt().await {
			Err(Error::Chain(ChainError::Refused { refusal, .. }))
				if refusal.is_superseded() && since.elapsed() < PENDING_LIMIT =>
			{
				if !is_told {
					output.note("Waiting for an earlier transaction of this account");
					is_told = true;
				}
				sleep(pause).await;
			}
			outcome => return outcome,
		}
	}
}

/// Publishes the account's access key, if none is published.
///
/// # Errors
/// When the chain refuses it.
async fn register_access_key(context: &Context, chain: &Chain, key: &AccountKey) -> Result<(), Error> {
	after_earlier(&context.output, POLL, async || {
		try_to_register(context, chain, key).await
	})
	.await
}

async fn try_to_register(context: &Context, chain: &Chain, key: &AccountKey) -> Result<(), Error> {
	let account = key.account();
	let own = key.access_secret().public_key();
	match chain.best().await?.access_key(&account).await? {
		Some(registered) if registered == own => Ok(()),
		Some(_) => {
			let foreign = AccessError::Foreign(chain.address(&account));
			context
				.output
				.warn(format!("{foreign}; {}", foreign.remedy().unwrap_or_default()));
			Ok(())
		}
		None => {
			context.output.note("Publishing the account's access key");
			chain.submit(key, &Call::set_access_key(&own), None).await?;
			Ok(())
		}
	}
}

/// The digest of the manifest of what is staged.
fn manifest_of(staging: &Staging) -> Result<[u8; 32], TransferError> {
	match staging.state().map(|state| &state.step) {
		Some(Step::Encoded { manifest } | Step::Placing { manifest, .. } | Step::Placed { manifest, .. }) => {
			Ok(*manifest)
		}
		Some(Step::Encoding) | None => Err(TransferError::NoManifest),
	}
}

/// What to do about a transaction of an earlier run whose order is not there.
#[derive(Debug, PartialEq, Eq)]
enum Restart {
	/// Nothing has this nonce yet: send again with it.
	Repeat,
	/// Another transaction has it for good: take another.
	Renew,
	/// Another transaction has it in a block that may still be replaced.
	Wait,
}

fn after_restart(nonce: u32, best: u32, finalised: u32) -> Restart {
	if best <= nonce {
		Restart::Repeat
	} else if finalised > nonce {
		Restart::Renew
	} else {
		Restart::Wait
	}
}

/// The owner's order of this manifest, if there is one that was not given up.
async fn find_order(
	view: &View<'_>,
	owner: &AccountId,
	from: OrderId,
	manifest: [u8; 32],
	abandoned: &[OrderId],
) -> Result<Option<OrderId>, ChainError> {
	for order in view.orders_of(owner, from).await? {
		if !abandoned.contains(&order)
			&& view
				.order(order)
				.await?
				.is_some_and(|record| record.terms.manifest == manifest)
		{
			return Ok(Some(order));
		}
	}
	Ok(None)
}

/// The commitments as the chain takes them.
fn commitments(manifest: &Manifest) -> Result<Vec<ShardCommitment>, TransferError> {
	manifest
		.shards()
		.iter()
		.map(|shard| {
			let segments = shard.segments.clone().try_into();
			let segments = segments.map_err(|_| TransferError::Contradiction("the number of segments"))?;
			Ok(ShardCommitment {
				cid: shard.cid,
				segments,
			})
		})
		.collect()
}

fn terms(manifest: &Manifest, wish: &Wish, price: Balance) -> Result<OrderTerms, Error> {
	let regions = wish.regions.clone().try_into();
	Ok(OrderTerms {
		manifest: manifest.digest(),
		code: wish.code,
		shard_bytes: manifest.shard_bytes(),
		price,
		windows: wish.windows,
		regions: regions.map_err(|_| Error::usage("too many regions are given", "give at most 8"))?,
		visibility: wish.visibility,
		training: wish.training,
		key_commitment: *manifest.key_commitment(),
	})
}

/// Opens the staged blocks.
///
/// # Errors
/// When they are in use or not complete.
async fn staged(blocks: &Path, digest: [u8; 32]) -> Result<(Arc<Pack>, Manifest), Error> {
	let blocks = blocks.to_owned();
	blocking(move || {
		let store = Pack::open(blocks).map_err(TransferError::Store)?;
		let manifest = manifest_in(&store, digest)?;
		Ok((Arc::new(store), manifest))
	})
	.await
}

/// How serving ended.
enum Delivered {
	Active(Box<OrderRecord>),
	Late,
	Gone,
}

async fn serve(
	context: &Context,
	chain: &Chain,
	network: &Network,
	served: &Served,
	manifest: &Manifest,
	order: OrderId,
) -> Result<Delivered, Error> {
	let total = manifest.code().total();
	let uploading = context
		.output
		.bytes("uploading", manifest.shard_bytes().saturating_mul(total.into()));
	let proving = context.output.count("proven", total.into());
	let mut shown: HashMap<u8, (&'static str, Option<AccountId>)> = HashMap::new();
	let mut dials = FuturesUnordered::new();
	let mut dialled: HashMap<AccountId, Instant> = HashMap::new();
	let mut warned: HashSet<AccountId> = HashSet::new();
	let outcome = loop {
		let view = chain.best().await?;
		let Some(record) = view.order(order).await? else {
			break Delivered::Gone;
		};
		let shards = view.shards(order).await?;
		report_changes(context, chain, &shards, &mut shown)?;
		let proven = shards
			.iter()
			.filter(|shard| status_name(&shard.status) == "active")
			.count();
		proving.set(proven as u64);
		uploading.set(
			(0..total)
				.map(|shard| served.sent(shard).min(manifest.shard_bytes()))
				.sum(),
		);
		match record.status {
			OrderStatus::Active { .. } => {
				let is_final = chain
					.finalised()
					.await?
					.order(order)
					.await?
					.is_some_and(|finalised| matches!(finalised.status, OrderStatus::Active { .. }));
				if is_final {
					break Delivered::Active(Box::new(record));
				}
				proving.message("waiting for finality");
			}
			OrderStatus::Lost => return Err(Error::Lost(order)),
			OrderStatus::Placing { deadline } if view.number() > deadline => break Delivered::Late,
			OrderStatus::Placing { deadline } => {
				let open = shards
					.iter()
					.filter(|shard| shard.status.provider().is_none())
					.count();
				proving.message(format!(
					"{open} shards wait for a provider; {} blocks left",
					deadline - view.number()
				));
			}
		}
		for shard in shards
			.iter()
			.filter(|shard| status_name(&shard.status) == "accepted")
		{
			let Some(provider) = shard.status.provider() else {
				continue;
			};
			if dialled.get(provider).is_some_and(|last| last.elapsed() < REDIAL) {
				continue;
			}
			dialled.insert(provider.clone(), Instant::now());
			if let Some(record) = view.provider(provider).await? {
				let provider = provider.clone();
				dials.push(async move {
					let outcome = network.dial(&record.terms).await;
					(provider, outcome)
				});
			}
		}
		let next = Instant::now() + POLL;
		loop {
			tokio::select! {
				() = tokio::time::sleep_until(next) => break,
				Some((provider, outcome)) = dials.next() => if let Err(error) = outcome {
					if warned.insert(provider.clone()) {
						context.output.warn(format!(
							"provider {} has taken a shard and cannot be reached: {error}",
							chain.address(&provider),
						));
					}
				},
			}
		}
	};
	uploading.finish();
	proving.finish();
	Ok(outcome)
}

/// Tells which shards stand otherwise than before.
fn report_changes(
	context: &Context,
	chain: &Chain,
	shards: &[ShardView],
	shown: &mut HashMap<u8, (&'static str, Option<AccountId>)>,
) -> Result<(), Error> {
	for shard in shards {
		let now = (status_name(&shard.status), shard.status.provider().cloned());
		if shown.get(&shard.index) == Some(&now) {
			continue;
		}
		context.output.event(
			"shard",
			json!({
				"order": shard.order,
				"shard": shard.index,
				"status": now.0,
				"provider": now.1.as_ref().map(|provider| chain.address(provider)),
			}),
		)?;
		shown.insert(shard.index, now);
	}
	Ok(())
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::chain::Refusal;

	fn wish(price: Option<Balance>) -> Wish {
		Wish {
			code: ErasureCode::DEFAULT,
			windows: 720,
			price,
			regions: Vec::new(),
			visibility: Visibility::Private,
			training: false,
			supersedes: None,
		}
	}

	fn market(price_floor: Balance) -> StorageTerms {
		StorageTerms {
			window: 1,
			window_blocks: 600,
			price_floor,
			collateral_per_mib: 1,
			samples: 32,
			activation_blocks: 10,
			placing_blocks: 10,
			repair_blocks: 10,
		}
	}

	#[test]
	fn begun_mebibytes_count_whole() {
		assert_eq!(escrow(16, 1, 5, 10), Some(800));
		assert_eq!(escrow(16, MIB, 5, 10), Some(800));
		assert_eq!(escrow(16, MIB + 1, 5, 10), Some(1_600));
		assert_eq!(escrow(80, 1 << 30, Balance::MAX / 10, 10), None);
	}

	#[test]
	fn the_floor_is_the_price_unless_another_is_given() {
		assert_eq!(
			wish(None).quote(&market(7), MIB).unwrap(),
			Quote {
				price: 7,
				escrow: 16 * 720 * 7
			}
		);
		assert_eq!(wish(Some(9)).quote(&market(7), MIB).unwrap().price, 9);
		let error = wish(Some(6)).quote(&market(7), MIB).unwrap_err();
		assert_eq!(error.exit_code(), 2);
		assert!(error.remedy().unwrap().contains("0.000000000007 SAND"));
		assert!(wish(Some(Balance::MAX)).quote(&market(7), MIB).is_err());
	}

	fn refused(words: &str) -> Error {
		let refusal = Refusal::of_pool(words);
		ChainError::Refused {
			call: "set_access_key",
			refusal,
		}
		.into()
	}

	/// As after a kill: the pool has the transaction, and at last a block has it.
	#[tokio::test]
	async fn an_earlier_transaction_is_waited_for() {
		let output = Output::new(false, true);
		let mut turns = 0;
		let outcome = after_earlier(&output, Duration::ZERO, async || {
			turns += 1;
			match turns {
				1 => Err(refused("Priority is too low: (18 vs 18)")),
				2 => Err(refused("Transaction Already Imported")),
				3 => Err(refused("Invalid Transaction: Transaction is outdated")),
				_ => Ok("registered"),
			}
		})
		.await;
		assert_eq!((outcome.unwrap(), turns), ("registered", 4));
	}

	#[tokio::test]
	async fn what_else_is_refused_is_said_at_once() {
		let output = Output::new(false, true);
		let mut turns = 0;
		let outcome: Result<(), _> = after_earlier(&output, Duration::ZERO, async || {
			turns += 1;
			Err(refused("Inability to pay some fees"))
		})
		.await;
		assert_eq!((outcome.unwrap_err().exit_code(), turns), (3, 1));
	}

	/// At most one transaction with the saved nonce is ever included, so that there is never a second order.
	#[test]
	fn a_restart_sends_with_the_same_nonce_until_another_has_it_for_good() {
		assert_eq!(after_restart(5, 5, 4), Restart::Repeat);
		assert_eq!(after_restart(5, 5, 5), Restart::Repeat);
		assert_eq!(after_restart(5, 6, 5), Restart::Wait);
		assert_eq!(after_restart(5, 6, 6), Restart::Renew);
		assert_eq!(after_restart(5, 9, 7), Restart::Renew);
	}
}
