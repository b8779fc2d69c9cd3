//! Money is conserved and held exactly as owed, whatever happens in whatever order.

use opensand_primitives::{
	storage::{ErasureCode, OrderTerms, ShardIndex, ShardStatus, Visibility},
	AccountId, Balance, ListingId, OrderId, PurchaseId,
};
use proptest::prelude::*;

use super::sales::{key, right, sale_terms, secret, TEXT};
use crate::{mock::*, HoldReason, Listings, Orders, Providers, Purchases, SealedKey};

/// Something that somebody does. Providers, owners, orders and shards are named by a number, modulo how many there are.
#[derive(Clone, Debug)]
enum Step {
	Register {
		provider: u8,
	},
	AddCollateral {
		provider: u8,
		amount: u64,
	},
	WithdrawCollateral {
		provider: u8,
		amount: u64,
	},
	Drain {
		provider: u8,
	},
	Exit {
		provider: u8,
	},
	Unjail {
		provider: u8,
	},
	Place {
		owner: u8,
		data: u8,
		parity: u8,
		price: u16,
		windows: u8,
	},
	Renew {
		order: u8,
		windows: u8,
	},
	TopUp {
		order: u8,
		by: u8,
		tip: u32,
	},
	Cancel {
		order: u8,
	},
	Close {
		order: u8,
		by: u8,
	},
	Accept {
		provider: u8,
		order: u8,
		shard: u8,
	},
	FillSlots,
	FirstProofs {
		wrong: Option<u8>,
	},
	Answer {
		provider: u8,
		wrong: bool,
	},
	AnswerAll {
		absent: Option<u8>,
	},
	Settle {
		order: u8,
	},
	DeclareLost {
		order: u8,
		shard: u8,
	},
	HandOver {
		order: u8,
		shard: u8,
	},
	OpenRepair {
		order: u8,
		shard: u8,
	},
	OpenAll {
		order: u8,
	},
	TakeRepair {
		provider: u8,
		order: u8,
		shard: u8,
	},
	Grant {
		order: u8,
	},
	Revoke {
		order: u8,
	},
	SetAccess {
		order: u8,
		training: bool,
	},
	List {
		order: u8,
		price: u32,
		training: bool,
	},
	Withdraw {
		listing: u8,
	},
	Buy {
		listing: u8,
		by: u8,
	},
	Deliver {
		purchase: u8,
		right: bool,
	},
	DeliverAll {
		wrong: Option<u8>,
	},
	Confirm {
		purchase: u8,
	},
	Finish {
		purchase: u8,
	},
	Dispute {
		purchase: u8,
	},
	Surrender {
		purchase: u8,
	},
	Wait {
		blocks: u8,
	},
	Window {
		absent: Option<u8>,
	},
}

fn steps() -> impl Strategy<Value = Step> {
	let any8 = any::<u8>;
	prop_oneof![
		1 => any8().prop_map(|provider| Step::Register { provider }),
		1 => (any8(), any::<u64>()).prop_map(|(provider, amount)| Step::AddCollateral { provider, amount }),
		1 => (any8(), any::<u64>())
			.prop_map(|(provider, amount)| Step::WithdrawCollateral { provider, amount }),
		1 => any8().prop_map(|provider| Step::Drain { provider }),
		1 => any8().prop_map(|provider| Step::Exit { provider }),
		2 => any8().prop_map(|provider| Step::Unjail { provider }),
		4 => (any8(), 1..3u8, 1..3u8, any::<u16>(), 1..30u8).prop_map(
			|(owner, data, parity, price, windows)| Step::Place { owner, data, parity, price, windows }
		),
		1 => (any8(), 1..9u8).prop_map(|(order, windows)| Step::Renew { order, windows }),
		1 => (any8(), any8(), any::<u32>()).prop_map(|(order, by, tip)| Step::TopUp { order, by, tip }),
		1 => any8().prop_map(|order| Step::Cancel { order }),
		3 => (any8(), any8()).prop_map(|(order, by)| Step::Close { order, by }),
		2 => (any8(), any8(), any8())
			.prop_map(|(provider, order, shard)| Step::Accept { provider, order, shard }),
		5 => Just(Step::FillSlots),
		5 => proptest::option::weighted(0.2, any8()).prop_map(|wrong| Step::FirstProofs { wrong }),
		2 => (any8(), any::<bool>()).prop_map(|(provider, wrong)| Step::Answer { provider, wrong }),
		4 => any::<Option<u8>>().prop_map(|absent| Step::AnswerAll { absent }),
		3 => any8().prop_map(|order| Step::Settle { order }),
		1 => (any8(), any8()).prop_map(|(order, shard)| Step::DeclareLost { order, shard }),
		2 => (any8(), any8()).prop_map(|(order, shard)| Step::HandOver { order, shard }),
		3 => (any8(), any8()).prop_map(|(order, shard)| Step::OpenRepair { order, shard }),
		3 => any8().prop_map(|order| Step::OpenAll { order }),
		4 => (any8(), any8(), any8())
			.prop_map(|(provider, order, shard)| Step::TakeRepair { provider, order, shard }),
		1 => any8().prop_map(|order| Step::Grant { order }),
		1 => any8().prop_map(|order| Step::Revoke { order }),
		1 => (any8(), any::<bool>()).prop_map(|(order, training)| Step::SetAccess { order, training }),
		4 => (any8(), any::<u32>(), any::<bool>())
			.prop_map(|(order, price, training)| Step::List { order, price, training }),
		1 => any8().prop_map(|listing| Step::Withdraw { listing }),
		6 => (any8(), any8()).prop_map(|(listing, by)| Step::Buy { listing, by }),
		1 => (any8(), any::<bool>()).prop_map(|(purchase, right)| Step::Deliver { purchase, right }),
		3 => any::<Option<u8>>().prop_map(|wrong| Step::DeliverAll { wrong }),
		2 => any8().prop_map(|purchase| Step::Confirm { purchase }),
		3 => any8().prop_map(|purchase| Step::Finish { purchase }),
		3 => any8().prop_map(|purchase| Step::Dispute { purchase }),
		1 => any8().prop_map(|purchase| Step::Surrender { purchase }),
		4 => (1..12u8).prop_map(|blocks| Step::Wait { blocks }),
		8 => any::<Option<u8>>().prop_map(|absent| Step::Window { absent }),
	]
}

const HANDS: u8 = 7;

fn hand(index: u8) -> u8 {
	index % HANDS
}

fn owner(index: u8) -> AccountId {
	[OWNER, OTHER_OWNER, provider(6)][usize::from(index % 3)].clone()
}

/// Buyers; some own orders too, or store them.
fn some_buyer(index: u8) -> AccountId {
	[READER, OTHER_OWNER, provider(6), OWNER][usize::from(index % 4)].clone()
}

fn some_listing(index: u8) -> ListingId {
	let listings = Dsm::listings(0, 99);
	usize::from(index)
		.checked_rem(listings.len())
		.map_or(ListingId::MAX, |place| listings[place].0)
}

fn some_purchase(index: u8) -> PurchaseId {
	let mut purchases: Vec<_> = Purchases::<Test>::iter_keys().collect();
	purchases.sort();
	usize::from(index)
		.checked_rem(purchases.len())
		.map_or(PurchaseId::MAX, |place| purchases[place])
}

fn buyer_of(purchase: PurchaseId) -> AccountId {
	Dsm::purchase(purchase).map_or(READER, |purchase| purchase.buyer)
}

fn deliver_some(purchase: PurchaseId, good: bool) {
	let Some(record) = Dsm::purchase(purchase) else {
		return;
	};
	let sealed_key = if good { right(purchase) } else { sealed_wrongly() };
	ignore(Dsm::deliver(signed(&record.seller), purchase, sealed_key));
}

/// Has the right form, and opens for nobody.
fn sealed_wrongly() -> SealedKey {
	SealedKey::truncate_from(vec![1; 113])
}

fn some_order(index: u8) -> OrderId {
	let mut orders: Vec<_> = Orders::<Test>::iter_keys().collect();
	orders.sort();
	usize::from(index)
		.checked_rem(orders.len())
		.map_or(OrderId::MAX, |place| orders[place])
}

fn owner_of(order: OrderId) -> AccountId {
	Dsm::order(order).map_or(OWNER, |record| record.owner)
}

fn some_shard(order: OrderId, index: u8) -> ShardIndex {
	let total = Dsm::order(order).map_or(1, |record| record.terms.code.total);
	index % total
}

fn holder(order: OrderId, shard: ShardIndex) -> AccountId {
	Dsm::shards(order)
		.get(usize::from(shard))
		.and_then(|view| view.status.provider().cloned())
		.unwrap_or(READER)
}

fn submit(index: u8, spoil: bool) {
	let Some(challenge) = Dsm::challenge(provider(index)) else {
		return;
	};
	let mut proof = proof_of(&challenge);
	if spoil && !proof.is_empty() {
		proof = wrong(proof);
	}
	let _ = Dsm::submit_possession(signed(&agent(index)), challenge.window, proof);
}

fn submit_all(absent: Option<u8>) {
	for index in (0..HANDS).filter(|index| Some(*index) != absent.map(hand)) {
		submit(index, false);
	}
}

fn first_proofs(spoiled: Option<u8>) {
	for index in 0..HANDS {
		for view in Dsm::shards_of(provider(index), (0, 0), 99) {
			let Some(challenge) = Dsm::first_challenge(view.order, view.index) else {
				continue;
			};
			let mut proof = proof_of(&challenge);
			if spoiled.map(hand) == Some(index) {
				proof = wrong(proof);
			}
			let _ = Dsm::first_proof(signed(&agent(index)), view.order, view.index, proof);
		}
	}
}

fn fill_slots() {
	for index in 0..HANDS {
		for slot in Dsm::open_slots(provider(index), 0, 99) {
			let origin = signed(&agent(index));
			let _ = match slot.repair {
				true => Dsm::take_repair(origin, slot.order, slot.shard),
				false => Dsm::accept(origin, slot.order, slot.shard),
			};
		}
	}
}

/// Whether a call is refused does not matter.
fn ignore<R>(_: R) {}

/// Does a step.
fn take(step: Step) {
	match step {
		Step::Register { provider } => ignore(register(hand(provider))),
		Step::AddCollateral {
			provider: who,
			amount,
		} => {
			ignore(Dsm::add_collateral(signed(&provider(hand(who))), amount.into()));
		}
		Step::WithdrawCollateral {
			provider: who,
			amount,
		} => {
			let amount = u128::from(amount) * 100;
			ignore(Dsm::withdraw_collateral(signed(&provider(hand(who))), amount));
		}
		Step::Drain { provider: who } => ignore(Dsm::drain(signed(&provider(hand(who))))),
		Step::Exit { provider: who } => ignore(Dsm::exit(signed(&provider(hand(who))))),
		Step::Unjail { provider: who } => ignore(Dsm::unjail(signed(&provider(hand(who))))),
		Step::Place {
			owner: who,
			data,
			parity,
			price,
			windows,
		} => {
			let terms = OrderTerms {
				code: ErasureCode {
					data,
					total: data + parity,
				},
				// Odd amounts, so that shares are rounded.
				price: PRICE + u128::from(price) * 12_347,
				windows: windows.into(),
				shard_bytes: 256 * (1 + u64::from(price) % 60),
				..sale_terms()
			};
			ignore(place_with(&owner(who), terms));
		}
		Step::Renew { order, windows } => {
			let order = some_order(order);
			ignore(Dsm::renew(signed(&owner_of(order)), order, windows.into()));
		}
		Step::TopUp { order, by, tip } => {
			ignore(Dsm::top_up(signed(&owner(by)), some_order(order), tip.into()));
		}
		Step::Cancel { order } => {
			let order = some_order(order);
			ignore(Dsm::cancel(signed(&owner_of(order)), order));
		}
		Step::Close { order, by } => ignore(Dsm::close(signed(&owner(by)), some_order(order))),
		Step::Accept {
			provider,
			order,
			shard,
		} => {
			let order = some_order(order);
			ignore(accept(hand(provider), order, some_shard(order, shard)));
		}
		Step::FillSlots => fill_slots(),
		Step::FirstProofs { wrong } => {
			run_for(2);
			first_proofs(wrong);
		}
		Step::Answer { provider, wrong } => submit(hand(provider), wrong),
		Step::AnswerAll { absent } => submit_all(absent),
		Step::Settle { order } => ignore(Dsm::settle(signed(&READER), some_order(order))),
		Step::DeclareLost { order, shard } => {
			let order = some_order(order);
			let shard = some_shard(order, shard);
			ignore(Dsm::declare_lost(signed(&holder(order, shard)), order, shard));
		}
		Step::HandOver { order, shard } => {
			let order = some_order(order);
			let shard = some_shard(order, shard);
			ignore(Dsm::hand_over(signed(&holder(order, shard)), order, shard));
		}
		Step::OpenRepair { order, shard } => {
			let order = some_order(order);
			ignore(Dsm::open_repair(signed(&READER), order, some_shard(order, shard)));
		}
		Step::OpenAll { order } => {
			let order = some_order(order);
			for shard in 0..4 {
				ignore(Dsm::open_repair(signed(&READER), order, shard));
			}
		}
		Step::TakeRepair {
			provider,
			order,
			shard,
		} => {
			let order = some_order(order);
			let origin = signed(&agent(hand(provider)));
			ignore(Dsm::take_repair(origin, order, some_shard(order, shard)));
		}
		Step::Grant { order } => {
			let order = some_order(order);
			ignore(Dsm::set_access_key(signed(&READER), [1; 32]));
			ignore(Dsm::grant(
				signed(&owner_of(order)),
				order,
				READER,
				sealed(),
				false,
			));
		}
		Step::Revoke { order } => {
			let order = some_order(order);
			ignore(Dsm::revoke(signed(&owner_of(order)), order, READER));
		}
		Step::SetAccess { order, training } => {
			let order = some_order(order);
			ignore(Dsm::set_access(
				signed(&owner_of(order)),
				order,
				Visibility::Licensed,
				training,
			));
		}
		Step::List {
			order,
			price,
			training,
		} => {
			let order = some_order(order);
			// About as much again as the existential deposit.
			let price = EXISTENTIAL_DEPOSIT / 2 + u128::from(price) * 1_000_003;
			let seller = signed(&owner_of(order));
			ignore(Dsm::list_dataset(seller, order, price, training, TEXT));
		}
		Step::Withdraw { listing } => {
			let listing = some_listing(listing);
			let seller = Dsm::listing(listing).map_or(OWNER, |listing| listing.seller);
			ignore(Dsm::withdraw_listing(signed(&seller), listing));
		}
		Step::Buy { listing, by } => {
			let buyer = signed(&some_buyer(by));
			ignore(Dsm::buy(buyer, some_listing(listing), Balance::MAX, key()));
		}
		Step::Deliver { purchase, right } => deliver_some(some_purchase(purchase), right),
		Step::DeliverAll { wrong } => {
			for (place, purchase) in Purchases::<Test>::iter_keys()
				.collect::<Vec<_>>()
				.into_iter()
				.enumerate()
			{
				deliver_some(
					purchase,
					wrong.map(|wrong| usize::from(wrong % 3)) != Some(place % 3),
				);
			}
		}
		Step::Confirm { purchase } => {
			let purchase = some_purchase(purchase);
			ignore(Dsm::confirm(signed(&buyer_of(purchase)), purchase));
		}
		Step::Finish { purchase } => ignore(Dsm::finish(signed(&READER), some_purchase(purchase))),
		Step::Dispute { purchase } => {
			let purchase = some_purchase(purchase);
			let secret = *secret().to_bytes();
			ignore(Dsm::dispute(signed(&buyer_of(purchase)), purchase, secret));
		}
		Step::Surrender { purchase } => {
			let purchase = some_purchase(purchase);
			ignore(Dsm::surrender(signed(&buyer_of(purchase)), purchase));
		}
		Step::Wait { blocks } => run_for(blocks.into()),
		Step::Window { absent } => {
			submit_all(absent);
			next_window();
		}
	}
}

/// Ends all sales: listings are withdrawn, purchases run out, and licences are given up.
fn end_sales() {
	for (listing, entry) in Dsm::listings(0, u32::MAX) {
		Dsm::withdraw_listing(signed(&entry.seller), listing).unwrap();
	}
	run_for(DELIVERY_BLOCKS + CONFIRMATION_BLOCKS + 1);
	for purchase in Purchases::<Test>::iter_keys().collect::<Vec<_>>() {
		ignore(Dsm::finish(signed(&READER), purchase));
		let buyer = buyer_of(purchase);
		ignore(Dsm::surrender(signed(&buyer), purchase));
	}
	assert_eq!(Purchases::<Test>::iter_keys().count(), 0);
	assert_eq!(Listings::<Test>::iter_keys().count(), 0);
}

/// Ends everything that has begun: no sale, no order, no shard and no provider is left, whatever went before.
fn wind_up() {
	end_sales();
	for order in Orders::<Test>::iter_keys().collect::<Vec<_>>() {
		let _ = Dsm::cancel(signed(&owner_of(order)), order);
	}
	submit_all(None);
	next_window();
	for order in Orders::<Test>::iter_keys().collect::<Vec<_>>() {
		Dsm::close(signed(&owner_of(order)), order).unwrap();
	}
	for (order, grantee) in crate::Grants::<Test>::iter_keys().collect::<Vec<_>>() {
		let by = crate::Grants::<Test>::get(order, &grantee).unwrap().by;
		Dsm::revoke(signed(&by), order, grantee).unwrap();
	}
	run_for(120);
	for index in 0..HANDS {
		let _ = Dsm::unjail(signed(&provider(index)));
		let _ = Dsm::drain(signed(&provider(index)));
	}
	for _ in 0..8 {
		next_window();
		submit_all(None);
	}
	for index in 0..HANDS {
		if Providers::<Test>::contains_key(provider(index)) {
			Dsm::exit(signed(&provider(index))).unwrap();
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

	/// Begins with providers that hold two orders. After every step what is held is what is owed, all indices and trees
	/// agree, and no token was made or lost; at the end, when everything is wound up, nothing is held.
	#[test]
	fn no_sequence_of_steps_breaks_the_books(steps in prop::collection::vec(steps(), 1..70)) {
		new_test_ext().execute_with(|| {
			let issuance = Balances::total_issuance();
			register_all(HANDS);
			for _ in 0..2 {
				fill(place_with(&OWNER, sale_terms()).unwrap(), 0);
				submit_all(None);
			}
			for step in steps {
				take(step);
				check(issuance);
			}
			wind_up();
			check(issuance);
			assert_eq!(Orders::<Test>::iter_keys().count(), 0);
			assert_eq!(crate::Shards::<Test>::iter_keys().count(), 0);
			assert_eq!(Providers::<Test>::iter_keys().count(), 0);
			assert_eq!(pots(), 0);
			for reason in [
				HoldReason::Escrow,
				HoldReason::Collateral,
				HoldReason::Deposit,
				HoldReason::Purchase,
				HoldReason::DeliveryBond,
			] {
				for account in frame_system::Account::<Test>::iter_keys() {
					assert_eq!(held(reason, &account), 0);
				}
			}
		});
	}
}

/// The random steps would prove little if they seldom got anywhere.
#[test]
fn honest_steps_fill_and_repair_orders() {
	run(|| {
		register_all(HANDS);
		let order = place();
		take(Step::FillSlots);
		take(Step::FirstProofs { wrong: None });
		take(Step::Window { absent: None });
		take(Step::DeclareLost { order: 0, shard: 1 });
		take(Step::FillSlots);
		take(Step::FirstProofs { wrong: None });
		assert!(Dsm::shards(order)
			.iter()
			.all(|view| matches!(view.status, ShardStatus::Active { .. })));
		take(Step::AnswerAll { absent: None });
	});
}

/// Nor would those of sales.
#[test]
fn honest_and_dishonest_steps_end_sales() {
	run(|| {
		register_all(HANDS);
		let order = place_with(&OWNER, sale_terms()).unwrap();
		take(Step::FillSlots);
		take(Step::FirstProofs { wrong: None });
		let price = u32::MAX;
		take(Step::List {
			order: 0,
			price,
			training: true,
		});
		for by in 0..3 {
			take(Step::Buy { listing: 0, by });
		}
		assert_eq!(Dsm::listing(0).unwrap().pending, 3);
		take(Step::Deliver {
			purchase: 0,
			right: true,
		});
		take(Step::Deliver {
			purchase: 1,
			right: false,
		});
		take(Step::Dispute { purchase: 0 });
		take(Step::Dispute { purchase: 1 });
		take(Step::Confirm { purchase: 0 });
		let sold = Dsm::listing(0).unwrap();
		assert_eq!((sold.pending, sold.sold), (1, 1));
		assert_eq!(Dsm::grantees(order, 9), [READER]);
		end_sales();
		assert!(Dsm::grantees(order, 9).is_empty());
	});
}
