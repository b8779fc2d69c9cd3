//! Missed windows, jail, and coming back.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::{
	storage::{OrderStatus, OrderTerms, ProviderStatus, ShardStatus},
	Balance,
};
use sp_runtime::Perbill;

use crate::{mock::*, Error, Event, Fault, HoldReason};

/// What a fault costs a provider with one shard of tests' orders.
fn fault() -> Balance {
	Perbill::from_percent(1).mul_ceil(reserve())
}

#[test]
fn a_missed_window_is_a_fault_in_the_next() {
	run(|| {
		running();
		let missed = window();
		answer_without(2);
		run_to((missed + 1) * WINDOW_BLOCKS - 1);
		assert_eq!(provider_record(2).record.faults, 0);
		// It is judged in the next window, at its place in the order.
		next_block();
		assert_eq!(provider_record(2).record.faults, 1);
		System::assert_has_event(
			Event::ProviderFaulted {
				provider: provider(2),
				window: missed,
				fault: Fault::Missed,
				slashed: fault(),
				faults: 1,
			}
			.into(),
		);
		let record = provider_record(2).record;
		assert_eq!(record.collateral, COLLATERAL - fault());
		assert_eq!(held(HoldReason::Collateral, &provider(2)), COLLATERAL - fault());
		assert_eq!(total(&TREASURY), ENDOWMENT + fault());
		for index in [0, 1, 3] {
			assert_eq!(provider_record(index).record.faults, 0);
		}
		answer_all();
		assert_eq!(provider_record(2).record.faults, 0);
	});
}

#[test]
fn a_provider_that_was_not_judged_yet_is_judged_by_its_next_answer() {
	run(|| {
		register_all(12);
		let order = place();
		fill(order, 8);
		next_window();
		answer_without(11);
		next_window();
		// The last provider's turn is in the second block of the window.
		assert_eq!(provider_record(11).record.faults, 0);
		let collateral = provider_record(11).record.collateral;
		assert!(answer(11));
		assert_eq!(provider_record(11).record.collateral, collateral - fault());
		assert_eq!(provider_record(11).record.faults, 0);
		answer_all();
		run_for(6);
		assert_eq!(provider_record(11).record.collateral, collateral - fault());
	});
}

#[test]
fn nothing_is_missed_where_nothing_was_asked() {
	run(|| {
		register_all(8);
		run_for(100);
		let order = place();
		for shard in 0..4 {
			assert_ok!(accept(shard, order, shard));
		}
		run_for(15);
		for index in 0..8 {
			assert_eq!(provider_record(index).record.faults, 0);
		}
	});
}

#[test]
fn faults_in_a_row_jail() {
	run(|| {
		let order = running();
		for faults in 1..=3 {
			answer_without(1);
			next_window();
			assert_eq!(provider_record(1).record.faults, faults);
		}
		let until = now() + 40;
		assert_eq!(
			Dsm::storage_provider(provider(1)).unwrap().status,
			ProviderStatus::Jailed { until }
		);
		System::assert_has_event(
			Event::ProviderJailed {
				provider: provider(1),
				until,
			}
			.into(),
		);
		// No more is slashed in jail.
		let collateral = provider_record(1).record.collateral;
		run_for(3 * WINDOW_BLOCKS);
		assert_eq!(provider_record(1).record.collateral, collateral);
		// It still has what it had, until somebody opens the repairs.
		assert_eq!(
			Dsm::shards_of(provider(1), (0, 0), 9).len(),
			1,
			"{:?}",
			status_of(order, 1)
		);
	});
}

#[test]
fn a_jailed_provider_takes_and_earns_nothing() {
	run(|| {
		type E = Error<Test>;
		let order = running();
		let next = place();
		assert_ok!(accept(0, next, 0));
		run_for(2);
		let proof = proof_of(&Dsm::first_challenge(next, 0).unwrap());
		crate::Providers::<Test>::mutate_extant(provider(0), |record| record.record.faults = 2);
		answer_without(0);
		next_window();
		assert!(provider_record(0).is_jailed());
		answer_without(0);
		assert_noop!(accept(0, next, 1), E::Jailed);
		assert_noop!(Dsm::drain(signed(&provider(0))), E::Jailed);
		assert_noop!(Dsm::exit(signed(&provider(0))), E::Jailed);
		assert_noop!(Dsm::withdraw_collateral(signed(&provider(0)), 1), E::Jailed);
		assert_noop!(Dsm::declare_lost(signed(&provider(0)), order, 0), E::Jailed);
		assert_noop!(Dsm::hand_over(signed(&provider(0)), order, 0), E::Jailed);
		// What it had accepted is open again.
		assert_ok!(Dsm::first_proof(signed(&agent(0)), next, 0, proof));
		assert_eq!(status_of(next, 0), ShardStatus::Open);

		assert_ok!(Dsm::settle(signed(&READER), order));
		assert_eq!(total(&provider(1)) - ENDOWMENT, EACH);
		assert!(total(&provider(0)) < ENDOWMENT);
	});
}

#[test]
fn coming_back_takes_time_and_empty_hands() {
	run(|| {
		type E = Error<Test>;
		let order = running();
		let unjail = |index| Dsm::unjail(signed(&provider(index)));
		assert_noop!(unjail(0), E::NotJailed);
		assert_noop!(unjail(9), E::UnknownProvider);
		jail(0);
		assert_noop!(unjail(0), E::JailedStill);
		let ProviderStatus::Jailed { until } = provider_record(0).record.status else {
			panic!("it is in jail");
		};
		run_proving_to(until);
		assert_noop!(unjail(0), E::ShardsHeld);
		assert_ok!(Dsm::open_repair(signed(&provider(0)), order, 0));
		assert_ok!(unjail(0));
		let record = Dsm::storage_provider(provider(0)).unwrap();
		assert_eq!(
			(record.status, record.faults, record.committed),
			(ProviderStatus::Active, 0, 0)
		);
		let next = place();
		assert_ok!(accept(0, next, 0));
		prove_first(0, next, 0);
		answer_all();
		next_window();
		assert!(answer(0));
	});
}

#[test]
fn a_draining_provider_goes_on_draining_after_jail() {
	run(|| {
		let order = running();
		assert_ok!(Dsm::drain(signed(&provider(0))));
		jail(0);
		assert_ok!(Dsm::open_repair(signed(&READER), order, 0));
		run_proving_to(now() + 60);
		assert_ok!(Dsm::unjail(signed(&provider(0))));
		assert_eq!(
			Dsm::storage_provider(provider(0)).unwrap().status,
			ProviderStatus::Draining
		);
		assert_ok!(Dsm::exit(signed(&provider(0))));
	});
}

#[test]
fn slashing_ends_with_the_collateral() {
	run(|| {
		set_parameters(|parameters| {
			parameters.fault_slash = Perbill::from_percent(60);
			parameters.fault_limit = 100;
		});
		let order = running();
		assert_ok!(Dsm::withdraw_collateral(
			signed(&provider(0)),
			COLLATERAL - reserve()
		));
		for _ in 0..3 {
			answer_without(0);
			next_window();
		}
		let record = provider_record(0).record;
		assert_eq!((record.collateral, record.reserved), (0, reserve()));
		assert_eq!(held(HoldReason::Collateral, &provider(0)), 0);
		// It takes nothing until it has added what is missing.
		answer_all();
		let next = place();
		assert_noop!(accept(0, next, 0), Error::<Test>::CollateralLacking);
		assert_ok!(Dsm::add_collateral(signed(&provider(0)), reserve() / 2));
		assert_noop!(accept(0, next, 0), Error::<Test>::CollateralLacking);
		// A pot has what is left of it.
		assert_ok!(Dsm::declare_lost(signed(&agent(0)), order, 0));
		assert_eq!(shard_record(order, 0).pot(), reserve() / 2);
		assert_eq!(pots(), reserve() / 2);
	});
}

#[test]
fn a_slashed_reserve_is_shared_among_shards() {
	run(|| {
		register_all(8);
		let orders = [place(), place()];
		for order in orders {
			fill(order, 0);
			answer_all();
		}
		let free = COLLATERAL - 2 * reserve();
		assert_ok!(Dsm::withdraw_collateral(signed(&provider(0)), free));
		next_window();
		answer_without(0);
		next_window();
		answer_all();
		let left = provider_record(0).record.collateral;
		assert_eq!(left, 2 * reserve() - 2 * fault() + 1);
		for order in orders {
			assert_ok!(Dsm::declare_lost(signed(&agent(0)), order, 0));
		}
		let pots: Vec<_> = orders.map(|order| shard_record(order, 0).pot()).to_vec();
		assert_eq!(pots.iter().sum::<Balance>(), left);
		assert!(pots[1].abs_diff(pots[0]) <= 1);
		let record = provider_record(0).record;
		assert_eq!((record.collateral, record.reserved), (0, 0));
	});
}

#[test]
fn a_gap_in_judging_blames_nobody() {
	run(|| {
		running();
		// As if the runtime's windows had become shorter meanwhile.
		System::set_block_number(now() + 50 * WINDOW_BLOCKS);
		next_window();
		for index in 0..4 {
			assert_eq!(provider_record(index).record.faults, 0);
		}
	});
}

#[test]
fn the_order_survives_one_jailed_provider() {
	run(|| {
		let order = running();
		use opensand_primitives::storage::DataView;
		answer_all();
		assert!(Dsm::is_available(order));
		jail(0);
		assert!(!Dsm::is_available(order));
		assert!(matches!(
			Dsm::order(order).unwrap().status,
			OrderStatus::Active { .. }
		));
		assert_noop!(
			Dsm::open_repair(signed(&READER), order, 1).map_err(|error| error.error),
			Error::<Test>::ShardHeld
		);
	});
}

#[test]
fn a_jailed_provider_is_paid_for_what_it_had_proven() {
	run(|| {
		let terms = OrderTerms {
			windows: 40,
			..order_terms()
		};
		register_all(8);
		let order = place_with(&OWNER, terms).unwrap();
		fill(order, 0);
		prove_to(window() + 4);
		next_window();
		jail(3);
		answer_without(3);
		let before = total(&provider(3));
		assert_ok!(Dsm::open_repair(signed(&READER), order, 3));
		let pot = shard_record(order, 3).pot();
		assert_eq!(pot, reserve());
		assert_eq!(total(&provider(3)), before + 4 * EACH - pot);
	});
}
