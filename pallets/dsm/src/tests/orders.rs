//! Placing and filling orders.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use opensand_primitives::{
	storage::{DatasetOperation, ErasureCode, OrderStatus, OrderTerms, Region, ShardStatus, MAX_SHARDS},
	Balance, OrderId,
};
use sp_runtime::{DispatchResult, Perbill, TokenError};

use crate::{
	mock::*, Commitments, Error, Event, HoldReason, InactiveShards, LapseReason, OrderKey, Orders, OrdersOf,
	Shards,
};

/// Tries to place an order of changed terms.
fn place_changed(change: impl FnOnce(&mut OrderTerms)) -> DispatchResult {
	let mut terms = order_terms();
	change(&mut terms);
	let mut of = terms.clone();
	// Commitments to a size that can be committed to.
	if of.shard_bytes == 0 || !of.shard_bytes.is_multiple_of(256) || of.shard_bytes > 1 << 20 {
		of.shard_bytes = SHARD_BYTES;
	}
	of.code.total = of.code.total.min(MAX_SHARDS as u8);
	let shards = commitments(&of, 0);
	Dsm::place_order(signed(&OWNER), terms, shards, sealed(), None, Balance::MAX)
}

#[test]
fn an_order_holds_what_it_costs() {
	run(|| {
		let order = place();
		let record = Dsm::order(order).unwrap();
		let escrow = EACH * u128::from(CODE.total) * u128::from(WINDOWS);
		let deposit = 4 * (ITEM_DEPOSIT + 32 * BYTE_DEPOSIT);
		assert_eq!(record.escrow, escrow);
		assert_eq!(record.owner, OWNER);
		assert_eq!(record.status, OrderStatus::Placing { deadline: now() + 60 });
		assert_eq!(held(HoldReason::Escrow, &OWNER), escrow);
		assert_eq!(held(HoldReason::Deposit, &OWNER), deposit);
		assert_eq!(Dsm::shards(order).len(), 4);
		assert!(Dsm::shards(order)
			.iter()
			.all(|shard| shard.status == ShardStatus::Open));
		let expected = commitments(&order_terms(), order);
		assert_eq!(
			Dsm::segment_roots(order, 3),
			expected[3].segments.clone().into_inner()
		);
		System::assert_last_event(
			Event::OrderPlaced {
				order,
				owner: OWNER,
				escrow,
				deadline: now() + 60,
			}
			.into(),
		);
		assert_eq!(place(), order + 1);
	});
}

#[test]
fn orders_are_refused_for_a_reason() {
	run(|| {
		type E = Error<Test>;
		for (data, total) in [(0, 4), (4, 4), (5, 4), (10, 81)] {
			assert_noop!(
				place_changed(|terms| terms.code = ErasureCode { data, total }),
				E::InvalidCode
			);
		}
		for shard_bytes in [0, 255, 257, (1 << 30) + 256, u64::MAX, u64::MAX - 255] {
			assert_noop!(
				place_changed(|terms| terms.shard_bytes = shard_bytes),
				E::InvalidShardSize
			);
		}
		assert_noop!(
			place_changed(|terms| terms.price = InitialParameters::get().price_min - 1),
			E::PriceTooLow
		);
		for windows in [0, 1_001, u32::MAX] {
			assert_noop!(place_changed(|terms| terms.windows = windows), E::InvalidDuration);
		}
		assert_noop!(place_changed(|terms| terms.price = Balance::MAX), E::Overflow);
		assert_noop!(
			place_changed(|terms| terms.price = Balance::MAX / 80),
			TokenError::FundsUnavailable
		);
		for bad in [
			vec![Region([0; 8])],
			vec![region("us"), region("eu"), region("us")],
		] {
			assert_noop!(
				place_changed(|terms| terms.regions = BoundedVec::truncate_from(bad)),
				E::InvalidRegion
			);
		}

		let terms = order_terms();
		let shards = commitments(&terms, 0);
		let try_place = |shards: crate::mock::ShardCommitments, key, max| {
			Dsm::place_order(signed(&OWNER), order_terms(), shards, key, None, max)
		};
		let mut fewer = shards.clone();
		fewer.pop();
		assert_noop!(try_place(fewer, sealed(), Balance::MAX), E::WrongShardCount);
		let mut longer = shards.clone();
		longer[1].segments.try_push([1; 32]).unwrap();
		assert_noop!(try_place(longer, sealed(), Balance::MAX), E::WrongSegmentCount);
		let mut none = shards.clone();
		none[0].segments.clear();
		assert_noop!(try_place(none, sealed(), Balance::MAX), E::WrongSegmentCount);
		let mut twice = shards.clone();
		twice[2].cid = twice[0].cid;
		assert_noop!(try_place(twice, sealed(), Balance::MAX), E::DuplicateShard);
		let mut same_bytes = shards.clone();
		same_bytes[2].segments = same_bytes[0].segments.clone();
		assert_noop!(try_place(same_bytes, sealed(), Balance::MAX), E::DuplicateShard);
		assert_noop!(
			try_place(shards.clone(), Default::default(), Balance::MAX),
			E::EmptySealedKey
		);
		let escrow = EACH * u128::from(CODE.total) * u128::from(WINDOWS);
		assert_noop!(try_place(shards.clone(), sealed(), escrow - 1), E::EscrowTooHigh);
		assert_ok!(try_place(shards, sealed(), escrow));
		assert_noop!(place_with(&PAUPER, terms), TokenError::FundsUnavailable);
	});
}

#[test]
fn the_largest_order_is_taken() {
	run(|| {
		let terms = OrderTerms {
			code: ErasureCode { data: 29, total: 80 },
			shard_bytes: 1 << 30,
			..order_terms()
		};
		let shards = (0..80u8)
			.map(|index| opensand_primitives::storage::ShardCommitment {
				cid: [index; 32],
				segments: BoundedVec::truncate_from(
					(0..128u8)
						.map(|segment| [[index; 16], [segment + 100; 16]].concat().try_into().unwrap())
						.collect(),
				),
			})
			.collect::<Vec<_>>();
		let shards = BoundedVec::truncate_from(shards);
		assert_ok!(Dsm::place_order(
			signed(&OWNER),
			terms,
			shards,
			sealed(),
			None,
			Balance::MAX
		));
		let escrow = PRICE * 1_024 * 80 * u128::from(WINDOWS);
		assert_eq!(held(HoldReason::Escrow, &OWNER), escrow);
		assert_ok!(Dsm::cancel(signed(&OWNER), 0));
		assert_eq!(total(&OWNER), ENDOWMENT);
	});
}

#[test]
fn an_order_becomes_active_when_all_its_shards_are() {
	run(|| {
		register_all(4);
		let order = place();
		for shard in 0..4 {
			assert_ok!(accept(shard, order, shard));
		}
		let deadline = now() + 20;
		assert_eq!(
			status_of(order, 0),
			ShardStatus::Accepted {
				provider: provider(0),
				drawn_at: now() + 1,
				deadline
			}
		);
		let record = Dsm::storage_provider(provider(0)).unwrap();
		assert_eq!((record.reserved, record.committed), (reserve(), SHARD_BYTES));
		for shard in 0..3 {
			prove_first(shard, order, shard);
		}
		assert!(matches!(
			Dsm::order(order).unwrap().status,
			OrderStatus::Placing { .. }
		));
		prove_first(3, order, 3);
		let start = window() + 1;
		assert_eq!(
			Dsm::order(order).unwrap().status,
			OrderStatus::Active {
				start,
				end: start + WINDOWS
			}
		);
		System::assert_last_event(
			Event::OrderActivated {
				order,
				start,
				end: start + WINDOWS,
			}
			.into(),
		);
		assert_eq!(InactiveShards::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn slots_are_refused_for_a_reason() {
	run(|| {
		type E = Error<Test>;
		register_all(3);
		let order = place();
		assert_noop!(Dsm::accept(signed(&READER), order, 0), E::UnknownProvider);
		assert_noop!(accept(0, 99, 0), E::UnknownOrder);
		assert_noop!(accept(0, order, 4), E::UnknownShard);
		assert_ok!(accept(0, order, 0));
		assert_noop!(accept(1, order, 0), E::SlotTaken);
		assert_noop!(accept(0, order, 1), E::ShardOfOrderHeld);

		// Neither the owner itself nor its agent stores its order.
		let own = place_with(&provider(1), order_terms()).unwrap();
		assert_noop!(accept(1, own, 0), E::OwnOrder);
		let of_agent = place_with(&agent(1), order_terms()).unwrap();
		assert_noop!(accept(1, of_agent, 0), E::OwnOrder);

		let mut terms = order_terms();
		terms.regions = BoundedVec::truncate_from(vec![region("us"), region("asia")]);
		let elsewhere = place_with(&OWNER, terms).unwrap();
		assert_noop!(accept(1, elsewhere, 0), E::WrongRegion);

		let mut small = terms_of(2);
		small.quota = 2 * SHARD_BYTES - 1;
		assert_ok!(Dsm::update_provider(signed(&provider(2)), small));
		assert_ok!(accept(2, order, 1));
		let second = place();
		assert_noop!(accept(2, second, 0), E::QuotaExceeded);

		let free = COLLATERAL - 2 * reserve() + 1;
		assert_ok!(Dsm::withdraw_collateral(signed(&provider(0)), free));
		assert_noop!(accept(0, second, 0), E::CollateralLacking);
		assert_ok!(Dsm::add_collateral(signed(&provider(0)), 1));
		assert_ok!(accept(0, second, 0));

		let Placing { deadline } = placing(second);
		run_to(deadline - 2);
		assert_ok!(accept(1, second, 1));
		assert_eq!(
			status_of(second, 1),
			ShardStatus::Accepted {
				provider: provider(1),
				drawn_at: deadline - 1,
				deadline
			}
		);
		run_to(deadline - 1);
		assert_noop!(accept(1, second, 2), E::PlacingOver);
	});
}

struct Placing {
	deadline: u32,
}

fn placing(order: OrderId) -> Placing {
	match Dsm::order(order).unwrap().status {
		OrderStatus::Placing { deadline } => Placing { deadline },
		other => panic!("{other:?}"),
	}
}

#[test]
fn an_active_order_has_no_open_slots() {
	run(|| {
		let order = activated();
		assert_noop!(accept(5, order, 0), Error::<Test>::NotPlacing);
	});
}

#[test]
fn first_proofs_are_refused_for_a_reason() {
	run(|| {
		type E = Error<Test>;
		register_all(2);
		let order = place();
		assert_ok!(accept(0, order, 0));
		let first = |index, shard| {
			Dsm::first_proof(signed(&agent(index)), order, shard, Default::default())
				.map_err(|error| error.error)
		};
		assert_noop!(first(0, 0), E::NotDrawnYet);
		next_block();
		assert_noop!(first(0, 0), E::NotDrawnYet);
		assert_eq!(Dsm::first_challenge(order, 0), None);
		next_block();
		assert_noop!(first(1, 0), E::NotYourShard);
		assert_noop!(first(0, 1), E::NotYourShard);
		assert_noop!(first(0, 9), E::UnknownShard);
		assert_noop!(first(7, 0), E::UnknownProvider);
		assert_eq!(Dsm::first_challenge(order, 0).unwrap().samples.len(), 8);
		prove_first(0, order, 0);
		assert_noop!(first(0, 0), E::NotYourShard);
		assert_eq!(Dsm::first_challenge(order, 0), None);
	});
}

/// What a lapsed slot costs.
fn penalty() -> Balance {
	Perbill::from_percent(10).mul_ceil(reserve())
}

#[test]
fn a_wrong_first_proof_costs_and_opens_the_slot() {
	run(|| {
		register_all(2);
		let order = place();
		assert_ok!(accept(0, order, 0));
		run_for(2);
		let challenge = Dsm::first_challenge(order, 0).unwrap();
		let good = proof_of(&challenge);
		assert_ok!(Dsm::first_proof(signed(&agent(0)), order, 0, wrong(good.clone())));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
		let record = Dsm::storage_provider(provider(0)).unwrap();
		assert_eq!(
			(record.collateral, record.reserved, record.committed),
			(COLLATERAL - penalty(), 0, 0)
		);
		// An owner that keeps its bytes back must not gain by it.
		assert_eq!(total(&OWNER), ENDOWMENT);
		assert_eq!(total(&TREASURY), ENDOWMENT + penalty());
		assert_noop!(
			Dsm::first_proof(signed(&agent(0)), order, 0, good).map_err(|error| error.error),
			Error::<Test>::NotYourShard
		);
		// Garbage is a wrong proof too.
		assert_ok!(accept(1, order, 0));
		run_for(2);
		let garbage = BoundedVec::truncate_from(vec![0xff; 32_768]);
		assert_ok!(Dsm::first_proof(signed(&provider(1)), order, 0, garbage));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
	});
}

#[test]
fn a_late_first_proof_costs_and_opens_the_slot() {
	run(|| {
		register_all(3);
		let order = place();
		assert_ok!(accept(0, order, 0));
		assert_ok!(accept(1, order, 1));
		run_for(2);
		let proof = proof_of(&Dsm::first_challenge(order, 0).unwrap());
		run_for(18);
		// In its last block it would still be good.
		assert!(Dsm::first_challenge(order, 0).is_some());
		next_block();
		assert_eq!(Dsm::first_challenge(order, 0), None);
		assert_ok!(Dsm::first_proof(signed(&agent(0)), order, 0, proof));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
		System::assert_last_event(
			Event::ShardLapsed {
				order,
				shard: 0,
				provider: provider(0),
				reason: LapseReason::Late,
				forfeited: penalty(),
			}
			.into(),
		);
		// Another one can take an overdue slot at once.
		assert_ok!(accept(2, order, 1));
		assert_eq!(Dsm::storage_provider(provider(1)).unwrap().reserved, 0);
		assert_eq!(
			Dsm::storage_provider(provider(1)).unwrap().collateral,
			COLLATERAL - penalty()
		);
		// The same one too, and pays for it.
		run_for(21);
		assert_ok!(accept(2, order, 1));
		assert_eq!(
			Dsm::storage_provider(provider(2)).unwrap().collateral,
			COLLATERAL - penalty()
		);
	});
}

#[test]
fn nobody_is_blamed_for_a_forgotten_hash() {
	run(|| {
		register_all(1);
		let order = place();
		assert_ok!(accept(0, order, 0));
		run_for(5);
		let (drawn_at, _) = shard_record(order, 0).first_proof_blocks().unwrap();
		frame_system::BlockHash::<Test>::remove(drawn_at);
		assert_eq!(Dsm::first_challenge(order, 0), None);
		assert_ok!(Dsm::first_proof(signed(&agent(0)), order, 0, Default::default()));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
		assert_eq!(Dsm::storage_provider(provider(0)).unwrap().collateral, COLLATERAL);
		System::assert_last_event(
			Event::ShardLapsed {
				order,
				shard: 0,
				provider: provider(0),
				reason: LapseReason::DrawForgotten,
				forfeited: 0,
			}
			.into(),
		);
	});
}

#[test]
fn an_order_that_is_not_filled_is_given_back() {
	run(|| {
		register_all(4);
		let order = place();
		for shard in 0..3 {
			assert_ok!(accept(shard, order, shard));
		}
		prove_first(0, order, 0);
		let deadline = placing(order).deadline;
		assert_noop!(
			Dsm::close(signed(&READER), order).map_err(|error| error.error),
			Error::<Test>::OrderRunning
		);
		run_proving_to(deadline);
		assert_noop!(
			Dsm::close(signed(&READER), order).map_err(|error| error.error),
			Error::<Test>::OrderRunning
		);
		next_block();
		assert_ok!(Dsm::close(signed(&READER), order));
		// Two providers never proved what they accepted.
		assert_eq!(total(&OWNER), ENDOWMENT);
		assert_eq!(total(&TREASURY), ENDOWMENT + 2 * penalty());
		assert_eq!(held(HoldReason::Escrow, &OWNER), 0);
		assert_eq!(held(HoldReason::Deposit, &OWNER), 0);
		assert!(!Orders::<Test>::contains_key(order));
		assert_eq!(Shards::<Test>::iter_keys().count(), 0);
		assert_eq!(Commitments::<Test>::iter_keys().count(), 0);
		assert_eq!(InactiveShards::<Test>::iter_keys().count(), 0);
		assert!(!OrdersOf::<Test>::contains_key(OWNER, OrderKey::new(order)));
		assert_eq!(Dsm::storage_provider(provider(0)).unwrap().collateral, COLLATERAL);
		assert_noop!(
			Dsm::close(signed(&READER), order).map_err(|error| error.error),
			Error::<Test>::UnknownOrder
		);
	});
}

#[test]
fn an_order_can_be_cancelled_while_it_is_placed() {
	run(|| {
		register_all(4);
		let order = place();
		assert_ok!(accept(0, order, 0));
		prove_first(0, order, 0);
		assert_ok!(accept(1, order, 1));
		assert_noop!(
			Dsm::cancel(signed(&OTHER_OWNER), order).map_err(|error| error.error),
			Error::<Test>::NotOwner
		);
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		assert_eq!(total(&OWNER), ENDOWMENT);
		for index in 0..2 {
			let record = Dsm::storage_provider(provider(index)).unwrap();
			assert_eq!(
				(record.collateral, record.reserved, record.committed),
				(COLLATERAL, 0, 0)
			);
		}
		assert_noop!(
			Dsm::cancel(signed(&OWNER), order).map_err(|error| error.error),
			Error::<Test>::UnknownOrder
		);
		let operations: Vec<_> = Dsm::dataset_events(order, 0, 9)
			.into_iter()
			.map(|event| event.operation)
			.collect();
		assert_eq!(
			operations,
			[DatasetOperation::Placed, DatasetOperation::Cancelled]
		);
	});
}
