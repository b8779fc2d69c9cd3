//! Registration, terms, collateral and exit of providers.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use opensand_primitives::{
	currency::SAND,
	storage::{ProviderStatus, Region},
};
use sp_runtime::TokenError;

use crate::{
	mock::*, Error, Event, History, HoldReason, ProviderAt, ProviderCount, ProviderOfAgent, Providers,
	StruckRegions, TotalSupply,
};

#[test]
fn registration_holds_the_collateral() {
	run(|| {
		assert_ok!(register(0));
		let record = Dsm::storage_provider(provider(0)).unwrap();
		assert_eq!(record.terms, terms_of(0));
		assert_eq!(
			(
				record.collateral,
				record.reserved,
				record.committed,
				record.faults
			),
			(COLLATERAL, 0, 0, 0)
		);
		assert_eq!(record.status, ProviderStatus::Active);
		assert_eq!(held(HoldReason::Collateral, &provider(0)), COLLATERAL);
		assert_eq!(Dsm::provider_of_agent(agent(0)), Some(provider(0)));
		assert_eq!(TotalSupply::<Test>::get().quota, QUOTA.into());
		System::assert_last_event(
			Event::ProviderRegistered {
				provider: provider(0),
				agent: agent(0),
				quota: QUOTA,
				collateral: COLLATERAL,
			}
			.into(),
		);
	});
}

#[test]
fn registration_is_refused_for_a_reason() {
	run(|| {
		let register_with =
			|collateral, change: &dyn Fn(&mut opensand_primitives::storage::ProviderTerms)| {
				let mut terms = terms_of(1);
				change(&mut terms);
				Dsm::register_provider(signed(&provider(1)), terms, collateral)
			};
		assert_ok!(register(0));
		assert_noop!(register(0), Error::<Test>::AlreadyRegistered);
		assert_noop!(
			register_with(reserve() - 1, &|_| ()),
			Error::<Test>::CollateralTooSmall
		);
		assert_noop!(
			register_with(2 * ENDOWMENT, &|_| ()),
			TokenError::FundsUnavailable
		);
		assert_noop!(
			register_with(COLLATERAL, &|terms| terms.quota = 0),
			Error::<Test>::QuotaTooSmall
		);
		for taken in [agent(0), provider(0)] {
			assert_noop!(
				register_with(COLLATERAL, &|terms| terms.agent = taken.clone()),
				Error::<Test>::AgentInUse
			);
		}
		for bad in [vec![Region(*b"EU\0\0\0\0\0\0")], vec![region("eu"), region("eu")]] {
			assert_noop!(
				register_with(COLLATERAL, &|terms| terms.regions =
					BoundedVec::truncate_from(bad.clone())),
				Error::<Test>::InvalidRegion
			);
		}
		// An agent cannot become a provider of its own.
		assert_noop!(
			Dsm::register_provider(signed(&agent(0)), terms_of(1), COLLATERAL),
			Error::<Test>::AgentInUse
		);
		// A provider may be its own agent.
		assert_ok!(register_with(COLLATERAL, &|terms| terms.agent = provider(1)));
	});
}

#[test]
fn there_are_as_many_providers_as_can_be_judged() {
	run(|| {
		assert_ok!(register(0));
		ProviderCount::<Test>::put(JUDGED_PER_BLOCK * WINDOW_BLOCKS);
		assert_noop!(register(1), Error::<Test>::TooManyProviders);
		ProviderCount::<Test>::put(1);
	});
}

#[test]
fn terms_can_be_changed() {
	run(|| {
		register_all(2);
		let mut terms = terms_of(0);
		terms.agent = agent(5);
		terms.quota = QUOTA / 2;
		terms.regions = BoundedVec::truncate_from(vec![region("us")]);
		assert_ok!(Dsm::update_provider(signed(&provider(0)), terms.clone()));
		assert_eq!(Dsm::storage_provider(provider(0)).unwrap().terms, terms);
		assert_eq!(Dsm::provider_of_agent(agent(0)), None);
		assert_eq!(Dsm::provider_of_agent(agent(5)), Some(provider(0)));
		assert_eq!(TotalSupply::<Test>::get().quota, u128::from(QUOTA + QUOTA / 2));

		assert_noop!(
			Dsm::update_provider(signed(&READER), terms_of(3)),
			Error::<Test>::UnknownProvider
		);
		// Terms are the provider's own business, not its agent's.
		assert_noop!(
			Dsm::update_provider(signed(&agent(5)), terms_of(3)),
			Error::<Test>::UnknownProvider
		);
		terms.agent = agent(1);
		assert_noop!(
			Dsm::update_provider(signed(&provider(0)), terms),
			Error::<Test>::AgentInUse
		);
	});
}

#[test]
fn promises_are_kept_while_shards_are_held() {
	run(|| {
		activated();
		let update = |change: &dyn Fn(&mut opensand_primitives::storage::ProviderTerms)| {
			let mut terms = terms_of(0);
			change(&mut terms);
			Dsm::update_provider(signed(&provider(0)), terms)
		};
		assert_noop!(
			update(&|terms| terms.quota = SHARD_BYTES - 1),
			Error::<Test>::QuotaTooSmall
		);
		assert_noop!(
			update(&|terms| terms.regions = Default::default()),
			Error::<Test>::RegionInUse
		);
		assert_ok!(update(&|terms| {
			terms.quota = SHARD_BYTES;
			terms.regions = BoundedVec::truncate_from(vec![region("us"), region("eu-west")]);
		}));
	});
}

#[test]
fn collateral_can_be_added_and_withdrawn() {
	run(|| {
		activated();
		assert_ok!(Dsm::add_collateral(signed(&provider(0)), 5 * SAND));
		assert_eq!(
			Dsm::storage_provider(provider(0)).unwrap().collateral,
			COLLATERAL + 5 * SAND
		);
		assert_noop!(
			Dsm::add_collateral(signed(&provider(0)), 2 * ENDOWMENT),
			TokenError::FundsUnavailable
		);
		assert_noop!(
			Dsm::add_collateral(signed(&provider(0)), u128::MAX),
			Error::<Test>::Overflow
		);
		assert_noop!(
			Dsm::add_collateral(signed(&READER), 1),
			Error::<Test>::UnknownProvider
		);

		let free = COLLATERAL + 5 * SAND - reserve();
		assert_noop!(
			Dsm::withdraw_collateral(signed(&provider(0)), free + 1),
			Error::<Test>::CollateralReserved
		);
		assert_noop!(
			Dsm::withdraw_collateral(signed(&provider(0)), u128::MAX),
			Error::<Test>::CollateralReserved
		);
		assert_ok!(Dsm::withdraw_collateral(signed(&provider(0)), free));
		assert_eq!(held(HoldReason::Collateral, &provider(0)), reserve());
		assert_noop!(
			Dsm::withdraw_collateral(signed(&READER), 1),
			Error::<Test>::UnknownProvider
		);
		// A provider without shards keeps the least that it could register with.
		assert_noop!(
			Dsm::withdraw_collateral(signed(&provider(7)), COLLATERAL),
			Error::<Test>::CollateralReserved
		);
	});
}

#[test]
fn draining_takes_nothing_new_and_ends_in_an_exit() {
	run(|| {
		let order = activated();
		let next = place();
		assert_ok!(Dsm::drain(signed(&provider(0))));
		assert_eq!(
			Dsm::storage_provider(provider(0)).unwrap().status,
			ProviderStatus::Draining
		);
		assert_eq!(TotalSupply::<Test>::get().quota, u128::from(7 * QUOTA));
		assert_noop!(Dsm::drain(signed(&provider(0))), Error::<Test>::AlreadyDraining);
		assert_noop!(Dsm::drain(signed(&READER)), Error::<Test>::UnknownProvider);
		assert_noop!(accept(0, next, 0), Error::<Test>::Draining);
		assert_noop!(Dsm::exit(signed(&provider(0))), Error::<Test>::ExitTooEarly);
		assert_noop!(Dsm::exit(signed(&provider(1))), Error::<Test>::NotDraining);

		// It goes on proving, and is paid.
		prove_to(window() + 6);
		assert!(now() >= 50 + WINDOW_BLOCKS);
		assert_noop!(Dsm::exit(signed(&provider(0))), Error::<Test>::ShardsHeld);
		assert_eq!(provider_record(0).record.faults, 0);
		prove_to(window() + WINDOWS);
		assert_ok!(Dsm::close(signed(&READER), order));
		let last = provider(7);
		assert_ok!(Dsm::exit(signed(&provider(0))));
		System::assert_last_event(
			Event::ProviderExited {
				provider: provider(0),
				collateral: COLLATERAL,
			}
			.into(),
		);
		assert!(!Providers::<Test>::contains_key(provider(0)));
		assert!(!ProviderOfAgent::<Test>::contains_key(agent(0)));
		assert_eq!(History::<Test>::iter_prefix(provider(0)).count(), 0);
		assert_eq!(held(HoldReason::Collateral, &provider(0)), 0);
		// The last one has its place.
		assert_eq!(ProviderAt::<Test>::get(0), Some(last));
		assert_noop!(Dsm::exit(signed(&provider(0))), Error::<Test>::UnknownProvider);
		assert_ok!(register(0));
	});
}

#[test]
fn an_exit_waits_until_the_tree_is_clear() {
	run(|| {
		let order = running();
		let exit = || Dsm::exit(signed(&provider(0)));
		assert_ok!(Dsm::drain(signed(&provider(0))));
		prove_to(window() + 6);
		next_window();
		// The order is cancelled and closed while an answer is owed: the removal waits for it.
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		answer_all();
		next_window();
		assert_ok!(Dsm::close(signed(&OWNER), order));
		assert_noop!(exit(), Error::<Test>::ChangesWaiting);
		assert!(answer(0));
		assert_ok!(exit());
	});
}

#[test]
fn leaving_keeps_the_judgement_of_the_provider_that_takes_the_place() {
	run(|| {
		register_all(12);
		let order = place();
		// The last provider in the order of judging holds a shard and misses the window.
		fill(order, 8);
		assert_ok!(Dsm::drain(signed(&provider(0))));
		prove_to(window() + 6);
		next_window();
		answer_without(11);
		// In the next window's first block the first places are judged, and the last in the second.
		next_window();
		assert_eq!(provider_record(11).record.faults, 0);
		assert_ok!(Dsm::exit(signed(&provider(0))));
		assert_eq!(provider_record(11).record.faults, 1);
		assert_eq!(provider_record(11).place, 0);
		// Judged once.
		run_for(5);
		assert_eq!(provider_record(11).record.faults, 1);
		answer_all();
	});
}

#[test]
fn regions_are_struck_for_good() {
	run(|| {
		register_all(1);
		let strike = |index, text| Dsm::strike_region(RuntimeOrigin::root(), provider(index), region(text));
		assert_noop!(
			Dsm::strike_region(signed(&OWNER), provider(0), region("eu-west")),
			sp_runtime::DispatchError::BadOrigin
		);
		assert_noop!(strike(0, "us"), Error::<Test>::RegionNotDeclared);
		assert_noop!(strike(1, "us"), Error::<Test>::UnknownProvider);
		assert_ok!(strike(0, "eu-west"));
		assert!(Dsm::storage_provider(provider(0))
			.unwrap()
			.terms
			.regions
			.is_empty());
		assert!(StruckRegions::<Test>::contains_key(
			provider(0),
			region("eu-west")
		));
		assert_noop!(
			Dsm::update_provider(signed(&provider(0)), terms_of(0)),
			Error::<Test>::RegionStruck
		);
		let mut terms = order_terms();
		terms.regions = BoundedVec::truncate_from(vec![region("eu-west")]);
		let order = place_with(&OWNER, terms).unwrap();
		assert_noop!(accept(0, order, 0), Error::<Test>::WrongRegion);
	});
}
