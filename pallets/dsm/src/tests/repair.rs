//! Shards that are given up, handed over, rebuilt by others, and orders that are lost.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::{
	storage::{OrderStatus, ShardIndex, ShardStatus},
	Balance, OrderId,
};
use sp_runtime::{DispatchResult, Perbill};

use crate::{mock::*, Error, Event, InactiveShards, LapseReason, Shards};

fn open(order: OrderId, shard: ShardIndex) -> DispatchResult {
	Dsm::open_repair(signed(&READER), order, shard)
		.map(drop)
		.map_err(|error| error.error)
}

fn take(index: u8, order: OrderId, shard: ShardIndex) -> DispatchResult {
	Dsm::take_repair(signed(&agent(index)), order, shard)
}

fn lose(index: u8, order: OrderId, shard: ShardIndex) -> DispatchResult {
	Dsm::declare_lost(signed(&agent(index)), order, shard)
}

#[test]
fn a_fault_leads_to_jail_repair_first_proof_and_pay() {
	run(|| {
		let order = running();
		jail(0);
		answer_without(0);
		let others = || (1..4).map(|index| total(&provider(index))).sum::<Balance>();
		let (owner_before, others_before) = (total(&OWNER), others());
		assert_ok!(open(order, 0));
		let opened_at = now();
		let pot = reserve();
		assert_eq!(status_of(order, 0), ShardStatus::Repair { opened_at, pot });
		assert_eq!(pots(), pot);
		assert_noop!(open(order, 0), Error::<Test>::RepairOpen);
		// The one that lost it may not earn from that.
		assert_noop!(take(0, order, 0), Error::<Test>::OwnLoss);

		for _ in 0..15 {
			next_block();
			answer_without(0);
		}
		let slot = &Dsm::open_slots(provider(5), 0, 9)[0];
		assert!(slot.repair);
		assert_ok!(take(5, order, 0));
		let floor = Perbill::from_percent(20).mul_floor(pot);
		let reward = floor + Perbill::from_rational(15u32, 30u32).mul_floor(pot - floor);
		assert_eq!(slot.reward, reward);
		assert_eq!(
			status_of(order, 0),
			ShardStatus::Repairing {
				provider: provider(5),
				reward,
				drawn_at: now() + 1,
				deadline: now() + 20,
				pot
			}
		);
		assert_noop!(take(6, order, 0), Error::<Test>::NoRepair);
		let before = total(&provider(5));
		prove_first(5, order, 0);
		answer_without(0);
		assert_eq!(total(&provider(5)), before + reward);
		assert_eq!(pots(), 0);
		assert_eq!(
			status_of(order, 0),
			ShardStatus::Active {
				provider: provider(5),
				since: window() + 1
			}
		);
		let OrderStatus::Active { end, .. } = Dsm::order(order).unwrap().status else {
			panic!("it is active");
		};
		let paid_windows = Balance::from(end - window() - 1);
		run_proving_to(end * WINDOW_BLOCKS);
		assert_ok!(Dsm::close(signed(&READER), order));
		assert_eq!(total(&provider(5)), before + reward + paid_windows * EACH);
		// The owner has the rest of the pot, and has paid for what was proven, and for nothing else.
		let earned = others() - others_before + paid_windows * EACH;
		assert_eq!(total(&OWNER), owner_before + pot - reward - earned);
	});
}

#[test]
fn a_provider_may_give_up_one_shard() {
	run(|| {
		type E = Error<Test>;
		let order = running();
		answer_all();
		assert_noop!(lose(1, order, 0), E::NotYourShard);
		assert_noop!(lose(0, order, 9), E::UnknownShard);
		assert_noop!(lose(0, 99, 0), E::UnknownOrder);
		assert_noop!(Dsm::declare_lost(signed(&READER), order, 0), E::UnknownProvider);
		let before = total(&provider(0));
		assert_ok!(lose(0, order, 0));
		// It is paid for the window that it had proven.
		assert_eq!(total(&provider(0)), before - reserve() + EACH);
		let record = provider_record(0).record;
		assert_eq!((record.reserved, record.committed, record.faults), (0, 0, 0));
		assert_eq!(provider_record(0).tree.shards, 0);
		System::assert_last_event(
			Event::ShardOpened {
				order,
				shard: 0,
				provider: provider(0),
				forfeited: reserve(),
			}
			.into(),
		);
		assert_noop!(lose(0, order, 0), E::NotYourShard);
		assert_noop!(take(0, order, 0), E::OwnLoss);
		assert_ok!(take(4, order, 0));
	});
}

#[test]
fn nobody_repairs_what_he_must_not() {
	run(|| {
		type E = Error<Test>;
		register_all(8);
		let mut terms = order_terms();
		terms.regions = frame_support::BoundedVec::truncate_from(vec![region("eu-west")]);
		// The owner is a provider's agent.
		let order = place_with(&agent(7), terms).unwrap();
		fill(order, 0);
		answer_all();
		next_window();
		answer_all();
		assert_noop!(take(4, order, 0), E::NoRepair);
		assert_ok!(lose(0, order, 0));
		assert_noop!(take(1, order, 0), E::ShardOfOrderHeld);
		assert_noop!(take(7, order, 0), E::OwnOrder);
		let mut elsewhere = terms_of(4);
		elsewhere.regions = Default::default();
		assert_ok!(Dsm::update_provider(signed(&provider(4)), elsewhere));
		assert_noop!(take(4, order, 0), E::WrongRegion);
		assert_ok!(Dsm::drain(signed(&provider(5))));
		assert_noop!(take(5, order, 0), E::Draining);
		assert_ok!(Dsm::withdraw_collateral(
			signed(&provider(6)),
			COLLATERAL - reserve()
		));
		let other = place();
		assert_ok!(accept(6, other, 0));
		assert_noop!(take(6, order, 0), E::CollateralLacking);
		assert_noop!(take(6, order, 9), E::UnknownShard);
		assert_noop!(take(6, 99, 0), E::UnknownOrder);
		assert_noop!(Dsm::take_repair(signed(&READER), order, 0), E::UnknownProvider);
		assert_eq!(
			Dsm::open_slots(provider(6), order, 1)
				.first()
				.map(|slot| slot.repair),
			None
		);
	});
}

#[test]
fn a_repairer_that_fails_makes_room_for_another() {
	run(|| {
		let order = running();
		answer_all();
		assert_ok!(lose(0, order, 0));
		let opened_at = now();
		assert_ok!(take(4, order, 0));
		run_for(2);
		let penalty = Perbill::from_percent(10).mul_ceil(reserve());
		let proof = proof_of(&Dsm::first_challenge(order, 0).unwrap());
		assert_ok!(Dsm::first_proof(signed(&agent(4)), order, 0, wrong(proof)));
		// The auction goes on where it stood.
		assert_eq!(total(&TREASURY), ENDOWMENT + penalty);
		assert_eq!(
			status_of(order, 0),
			ShardStatus::Repair {
				opened_at,
				pot: reserve()
			}
		);
		assert_eq!(pots(), reserve());
		assert_ok!(take(5, order, 0));
		assert_noop!(open(order, 0), Error::<Test>::ShardHeld);
		run_proving_to(now() + 21);
		assert_eq!(Dsm::open_slots(provider(6), 0, 9).len(), 1);
		assert_ok!(open(order, 0));
		System::assert_last_event(
			Event::ShardLapsed {
				order,
				shard: 0,
				provider: provider(5),
				reason: LapseReason::Late,
				forfeited: penalty,
			}
			.into(),
		);
		assert_ok!(take(6, order, 0));
		run_proving_to(now() + 21);
		// An overdue repair can be taken at once.
		assert_ok!(take(7, order, 0));
		assert_eq!(total(&TREASURY), ENDOWMENT + 3 * penalty);
		assert_eq!(pots(), reserve());
		let before = total(&provider(7));
		prove_first(7, order, 0);
		assert_eq!(total(&provider(7)), before + reserve());
		assert_eq!(pots(), 0);
		answer_all();
	});
}

#[test]
fn a_jailed_repairer_is_passed_over() {
	run(|| {
		let order = running();
		// Provider 5 holds another order's shard, by which it can fail.
		let other = place_with(&OTHER_OWNER, order_terms()).unwrap();
		assert_ok!(accept(5, other, 0));
		prove_first(5, other, 0);
		answer_all();
		assert_ok!(lose(0, order, 0));
		crate::Providers::<Test>::mutate_extant(provider(5), |record| record.record.faults = 2);
		next_window();
		assert_ok!(take(5, order, 0));
		answer_without(5);
		next_window();
		assert!(provider_record(5).is_jailed());
		answer_without(5);
		assert_ok!(open(order, 0));
		assert!(matches!(status_of(order, 0), ShardStatus::Repair { .. }));
		assert_ok!(take(6, order, 0));
		// Its active shard of an order that is not yet active is simply open again.
		assert_ok!(open(other, 0));
		assert_eq!(status_of(other, 0), ShardStatus::Open);
	});
}

#[test]
fn a_draining_provider_hands_over_for_a_part() {
	run(|| {
		type E = Error<Test>;
		let order = running();
		let hand_over = |index| Dsm::hand_over(signed(&agent(index)), order, index);
		assert_noop!(hand_over(0), E::NotDraining);
		assert_ok!(Dsm::drain(signed(&provider(0))));
		assert_noop!(hand_over(0), E::ProofFirst);
		answer_all();
		let before = total(&provider(0));
		assert_ok!(hand_over(0));
		let cost = Perbill::from_percent(25).mul_ceil(reserve());
		assert_eq!(total(&provider(0)), before - cost + EACH);
		assert_eq!(
			status_of(order, 0),
			ShardStatus::Repair {
				opened_at: now(),
				pot: cost
			}
		);
		assert_noop!(hand_over(0), E::NotYourShard);
		assert_ok!(take(4, order, 0));
		prove_first(4, order, 0);
		prove_to(window() + 6);
		assert_ok!(Dsm::exit(signed(&provider(0))));
		assert_eq!(total(&provider(0)), before - cost + EACH);
	});
}

#[test]
fn a_wrong_answer_is_no_proof_for_handing_over() {
	run(|| {
		let order = running();
		assert_ok!(Dsm::drain(signed(&provider(0))));
		let proof = wrong(proof_of(&Dsm::challenge(provider(0)).unwrap()));
		assert_ok!(Dsm::submit_possession(signed(&agent(0)), window(), proof));
		assert_noop!(
			Dsm::hand_over(signed(&agent(0)), order, 0),
			Error::<Test>::ProofFirst
		);
		answer_all();
	});
}

#[test]
fn what_is_lost_before_the_order_is_active_is_open_again() {
	run(|| {
		register_all(8);
		let order = place();
		assert_ok!(accept(0, order, 0));
		prove_first(0, order, 0);
		let before = total(&OWNER);
		assert_ok!(lose(0, order, 0));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
		// The owner was promised something.
		assert_eq!(total(&OWNER), before + reserve());
		assert_eq!(pots(), 0);
		assert_ok!(accept(0, order, 0));
		assert_eq!(order_record(order).active, 0);
	});
}

/// Lets providers of an order fall away until one is left.
fn too_few(order: OrderId) {
	jail(1);
	answer_without(1);
	assert_ok!(lose(0, order, 0));
	assert_ok!(open(order, 1));
	assert_ok!(lose(2, order, 2));
}

#[test]
fn an_owner_whose_data_are_lost_is_compensated() {
	run(|| {
		let order = running();
		too_few(order);
		assert_eq!(pots(), 3 * reserve());
		assert_noop!(open(order, 0), Error::<Test>::RepairOpen);
		run_proving_to(now() + 31);
		let held_now = Dsm::order(order).unwrap().escrow;
		let before = total(&OWNER);
		let earned = total(&provider(3));
		assert_ok!(open(order, 0));
		assert_eq!(Dsm::order(order).unwrap().status, OrderStatus::Lost);
		assert_eq!(pots(), 0);
		let paid = total(&provider(3)) - earned;
		assert!(paid > 0 && paid.is_multiple_of(EACH));
		assert_eq!(total(&OWNER), before - paid + 3 * reserve());
		System::assert_last_event(
			Event::OrderLost {
				order,
				refunded: held_now - paid,
				compensation: 3 * reserve(),
			}
			.into(),
		);
		// The provider that still had its shard is free.
		let record = provider_record(3).record;
		assert_eq!(
			(record.reserved, record.committed, record.collateral),
			(0, 0, COLLATERAL)
		);
		assert_eq!(Shards::<Test>::iter_keys().count(), 0);
		assert_eq!(InactiveShards::<Test>::iter_keys().count(), 0);

		type E = Error<Test>;
		assert_noop!(open(order, 0), E::UnknownShard);
		assert_noop!(take(5, order, 0), E::UnknownShard);
		assert_noop!(accept(5, order, 0), E::NotPlacing);
		assert_noop!(
			Dsm::settle(signed(&READER), order).map_err(|error| error.error),
			E::OrderLost
		);
		assert_noop!(Dsm::renew(signed(&OWNER), order, 1), E::NotActive);
		assert_noop!(Dsm::top_up(signed(&OWNER), order, 100), E::OrderLost);
		assert_noop!(
			Dsm::cancel(signed(&OWNER), order).map_err(|error| error.error),
			E::OrderLost
		);
		assert_noop!(
			Dsm::close(signed(&READER), order).map_err(|error| error.error),
			E::NotOwner
		);
		use opensand_primitives::storage::DataView;
		assert_eq!(<Dsm as DataView<_>>::owner(order), None);
		assert!(!Dsm::is_available(order));
		assert_ok!(Dsm::close(signed(&OWNER), order));
		assert_eq!(held(crate::HoldReason::Deposit, &OWNER), 0);
		assert_eq!(Dsm::order(order), None);
	});
}

#[test]
fn an_order_is_not_lost_while_a_repairer_works() {
	run(|| {
		let order = running();
		too_few(order);
		run_proving_to(now() + 31);
		assert_ok!(take(5, order, 2));
		assert_noop!(open(order, 0), Error::<Test>::RepairOpen);
		prove_first(5, order, 2);
		assert_noop!(open(order, 0), Error::<Test>::RepairOpen);
		answer_all();
	});
}

#[test]
fn jailed_holders_pay_for_a_lost_order() {
	run(|| {
		let order = running();
		// Two are given up; two fail together, and nobody opens their repairs.
		answer_all();
		assert_ok!(lose(0, order, 0));
		assert_ok!(lose(1, order, 1));
		next_window();
		for index in [2, 3] {
			crate::Providers::<Test>::mutate_extant(provider(index), |record| record.record.faults = 2);
		}
		next_window();
		run_for(30);
		assert!(provider_record(2).is_jailed() && provider_record(3).is_jailed());
		let before = total(&OWNER);
		assert_ok!(open(order, 0));
		assert_eq!(Dsm::order(order).unwrap().status, OrderStatus::Lost);
		// They are paid for the window that they had proven, and lose what they had reserved.
		assert_eq!(total(&OWNER), before - 2 * EACH + 4 * reserve());
	});
}

#[test]
fn an_ended_order_is_closed_and_not_repaired() {
	run(|| {
		type E = Error<Test>;
		let order = running();
		answer_all();
		assert_ok!(lose(0, order, 0));
		run_proving_to((window() + WINDOWS) * WINDOW_BLOCKS);
		assert_noop!(take(5, order, 0), E::OrderEnded);
		assert_noop!(open(order, 0), E::OrderEnded);
		assert_noop!(lose(1, order, 1), E::OrderEnded);
		let before = total(&OWNER);
		let escrow = Dsm::order(order).unwrap().escrow;
		let paid_before: Balance = (1..4).map(|index| total(&provider(index))).sum();
		assert_ok!(Dsm::close(signed(&READER), order));
		let paid = (1..4).map(|index| total(&provider(index))).sum::<Balance>() - paid_before;
		assert_eq!(paid, 3 * Balance::from(WINDOWS) * EACH);
		// The rest of the escrow stays the owner's, and the pot becomes its.
		assert!(escrow > paid);
		assert_eq!(total(&OWNER), before - paid + reserve());
	});
}

#[test]
fn a_shard_that_is_held_needs_no_repair() {
	run(|| {
		type E = Error<Test>;
		assert_noop!(open(0, 0), E::UnknownOrder);
		register_all(2);
		let order = place();
		assert_noop!(open(order, 0), E::ShardHeld);
		assert_noop!(open(order, 4), E::UnknownShard);
		assert_ok!(accept(0, order, 0));
		assert_noop!(open(order, 0), E::ShardHeld);
		assert_noop!(take(1, order, 0), E::NoRepair);
		run_for(21);
		assert_ok!(open(order, 0));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
	});
}

#[test]
fn a_reserve_of_nothing_opens_a_repair_without_pot() {
	run(|| {
		set_parameters(|parameters| parameters.fault_slash = Perbill::one());
		let order = running();
		assert_ok!(Dsm::withdraw_collateral(
			signed(&provider(0)),
			COLLATERAL - reserve()
		));
		jail(0);
		answer_without(0);
		assert_ok!(open(order, 0));
		assert_eq!(shard_record(order, 0).pot(), 0);
		assert_ok!(take(5, order, 0));
		prove_first(5, order, 0);
		answer_without(0);
	});
}
