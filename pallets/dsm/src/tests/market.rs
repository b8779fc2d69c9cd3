//! Parameters, the price floor, and what the chain tells those who ask.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use opensand_primitives::storage::{OrderTerms, ShardStatus};
use sp_runtime::{BuildStorage, DispatchError, Perbill};

use crate::{mock::*, Error, Event, MarketParameters, Parameters, PriceFloor, TotalSupply};

#[test]
fn governance_sets_parameters_within_bounds() {
	run(|| {
		let valid = Parameters::<Test>::get();
		assert_eq!(valid, InitialParameters::get());
		assert_noop!(
			Dsm::set_parameters(signed(&OWNER), valid.clone()),
			DispatchError::BadOrigin
		);
		type Change = fn(&mut MarketParameters);
		let bad: &[Change] = &[
			|p| p.samples = 0,
			|p| p.samples = 45, // its proof does not fit into a call
			|p| p.samples = u32::MAX,
			|p| p.collateral_per_mib = 0,
			|p| p.collateral_per_mib = (1 << 80) + 1,
			|p| p.activation_blocks = 1,
			|p| p.activation_blocks = BLOCK_HASH_COUNT,
			|p| p.placing_blocks = 1,
			|p| p.repair_blocks = 0,
			|p| p.jail_blocks = u32::MAX,
			|p| p.exit_blocks = u32::MAX,
			|p| p.fault_limit = 0,
			|p| p.fault_limit = 129,
			|p| p.max_windows = 0,
			|p| p.max_windows = u32::MAX,
			|p| p.target_utilisation = Perbill::one(),
			|p| p.price_step = Perbill::one(),
			|p| p.price_min = p.price_max + 1,
			|p| p.price_max = u128::MAX,
		];
		for (number, change) in bad.iter().enumerate() {
			let mut parameters = valid.clone();
			change(&mut parameters);
			let set = Dsm::set_parameters(RuntimeOrigin::root(), parameters);
			assert_eq!(set, Err(Error::<Test>::ParametersOutOfBounds.into()), "{number}");
		}
		let mut parameters = valid;
		parameters.samples = 44;
		parameters.fault_limit = 128;
		assert_ok!(Dsm::set_parameters(RuntimeOrigin::root(), parameters.clone()));
		assert_eq!(Dsm::parameters(), parameters);
		assert_eq!(Dsm::storage_terms().samples, 44);
		System::assert_last_event(Event::ParametersSet { parameters }.into());
	});
}

#[test]
fn genesis_may_set_parameters() {
	let build = |parameters| {
		let config = RuntimeGenesisConfig {
			dsm: crate::GenesisConfig {
				parameters: Some(parameters),
				..Default::default()
			},
			..Default::default()
		};
		sp_io::TestExternalities::new(config.build_storage().unwrap())
	};
	let parameters = MarketParameters {
		samples: 21,
		..InitialParameters::get()
	};
	build(parameters.clone()).execute_with(|| assert_eq!(Dsm::parameters(), parameters));
	let invalid = MarketParameters {
		samples: 0,
		..parameters
	};
	assert!(std::panic::catch_unwind(|| build(invalid)).is_err());
}

#[test]
fn the_floor_follows_utilisation() {
	run(|| {
		let floor = || Dsm::storage_terms().price_floor;
		let lowest = InitialParameters::get().price_min;
		assert_eq!(floor(), lowest);
		// Nobody offers anything: it stays.
		next_window();
		assert_eq!(floor(), lowest);
		register_all(4);
		for index in 0..4 {
			let mut terms = terms_of(index);
			terms.quota = SHARD_BYTES * 10 / 8;
			assert_ok!(Dsm::update_provider(signed(&provider(index)), terms));
		}
		let order = place();
		fill(order, 0);
		assert_eq!(TotalSupply::<Test>::get().committed, u128::from(4 * SHARD_BYTES));
		let before = floor();
		prove_to(window() + 1);
		// 80 % are taken, 60 % are aimed at: 10 % of 20 % more.
		assert_eq!(floor(), before + before / 50);
		System::assert_has_event(Event::PriceFloorChanged { floor: floor() }.into());
		let raised = floor();
		assert_noop!(
			place_with(
				&OTHER_OWNER,
				OrderTerms {
					price: raised - 1,
					..order_terms()
				}
			),
			Error::<Test>::PriceTooLow
		);
		assert_ok!(place_with(
			&OTHER_OWNER,
			OrderTerms {
				price: raised,
				..order_terms()
			}
		));
		assert_ok!(Dsm::cancel(signed(&OWNER), order));
		next_window();
		assert_ok!(Dsm::close(signed(&OWNER), order));
		let high = floor();
		next_window();
		assert!(floor() < high);
		for _ in 0..60 {
			next_window();
		}
		assert_eq!(floor(), lowest);
		// New bounds hold at once.
		set_parameters(|parameters| parameters.price_min = 5 * lowest);
		assert_eq!(floor(), 5 * lowest);
		next_window();
		assert_eq!(PriceFloor::<Test>::get(), Some(5 * lowest));
	});
}

#[test]
fn only_those_who_take_shards_count_as_supply() {
	run(|| {
		running();
		let supply = || TotalSupply::<Test>::get();
		assert_eq!(supply().quota, u128::from(8 * QUOTA));
		assert_eq!(supply().committed, u128::from(4 * SHARD_BYTES));
		assert_ok!(Dsm::drain(signed(&provider(7))));
		assert_eq!(supply().quota, u128::from(7 * QUOTA));
		jail(0);
		assert_eq!(supply().quota, u128::from(6 * QUOTA));
		assert_eq!(supply().committed, u128::from(3 * SHARD_BYTES));
	});
}

#[test]
fn terms_are_told() {
	run(|| {
		let terms = Dsm::storage_terms();
		let parameters = InitialParameters::get();
		assert_eq!((terms.window, terms.window_blocks), (0, WINDOW_BLOCKS));
		assert_eq!(terms.collateral_per_mib, parameters.collateral_per_mib);
		assert_eq!(
			(
				terms.samples,
				terms.activation_blocks,
				terms.placing_blocks,
				terms.repair_blocks
			),
			(8, 20, 60, 30)
		);
	});
}

#[test]
fn orders_of_an_owner_are_read_in_order_and_in_parts() {
	run(|| {
		for index in 0..600u64 {
			let owner = if index % 3 == 0 { OTHER_OWNER } else { OWNER };
			let terms = OrderTerms {
				windows: 1,
				..order_terms()
			};
			assert_eq!(place_with(&owner, terms), Ok(index));
		}
		let of = |from, limit| Dsm::orders_of(OTHER_OWNER, from, limit);
		assert_eq!(of(0, 3), [0, 3, 6]);
		assert_eq!(of(7, 3), [9, 12, 15]);
		assert_eq!(of(9, 1), [9]);
		// Past the byte boundary of the id too.
		assert_eq!(of(253, 3), [255, 258, 261]);
		assert_eq!(of(0, u32::MAX).len(), 200);
		assert!(of(0, 0).is_empty());
		assert!(of(u64::MAX, 9).is_empty());
		assert!(Dsm::orders_of(READER, 0, 9).is_empty());
	});
}

#[test]
fn open_slots_are_those_that_the_provider_could_take() {
	run(|| {
		register_all(6);
		let first = place();
		let mut terms = order_terms();
		terms.regions = BoundedVec::truncate_from(vec![region("us")]);
		let elsewhere = place_with(&OWNER, terms).unwrap();
		let own = place_with(&provider(5), order_terms()).unwrap();
		let slots = |index, from, limit| {
			Dsm::open_slots(provider(index), from, limit)
				.into_iter()
				.map(|slot| (slot.order, slot.shard))
				.collect::<Vec<_>>()
		};
		let all = |order| (0..4).map(|shard| (order, shard)).collect::<Vec<_>>();
		assert_eq!(slots(0, 0, 99), [all(first), all(own)].concat());
		assert_eq!(slots(5, 0, 99), all(first));
		assert_eq!(slots(0, 0, 2), [(first, 0), (first, 1)]);
		assert_eq!(slots(0, elsewhere, 99), all(own));
		assert!(slots(0, u64::MAX, 99).is_empty());
		assert!(slots(9, 0, 99).is_empty());

		assert_ok!(accept(0, first, 1));
		assert_eq!(slots(0, 0, 99), all(own));
		assert_eq!(slots(1, 0, 3), [(first, 0), (first, 2), (first, 3)]);
		let slot = Dsm::open_slots(provider(1), 0, 1).remove(0);
		assert_eq!(
			(slot.bytes, slot.price, slot.collateral, slot.reward, slot.repair),
			(SHARD_BYTES, PRICE, reserve(), 0, false)
		);
		// An overdue one can be taken.
		run_for(21);
		assert_eq!(slots(1, 0, 4), all(first));
		// Every one that is shown can be taken.
		for (order, shard) in slots(2, 0, 99) {
			let held = Dsm::shards_of(provider(2), (0, 0), 99);
			if held.iter().all(|view| view.order != order) {
				assert_ok!(accept(2, order, shard));
			}
		}
		run_to(60);
		assert!(slots(3, 0, 99).is_empty());
	});
}

#[test]
fn shards_of_a_provider_are_read_in_order_and_in_parts() {
	run(|| {
		register_all(4);
		let orders: Vec<_> = (0..3).map(|_| place()).collect();
		for order in &orders {
			for shard in 0..4 {
				assert_ok!(accept(shard, *order, shard));
			}
		}
		prove_first(2, orders[1], 2);
		let of = |from, limit| {
			Dsm::shards_of(provider(2), from, limit)
				.into_iter()
				.map(|view| (view.order, view.index))
				.collect::<Vec<_>>()
		};
		assert_eq!(of((0, 0), 9), [(0, 2), (1, 2), (2, 2)]);
		assert_eq!(of((1, 2), 9), [(1, 2), (2, 2)]);
		assert_eq!(of((1, 3), 9), [(2, 2)]);
		assert_eq!(of((0, 0), 1), [(0, 2)]);
		assert!(of((3, 0), 9).is_empty());
		let view = Dsm::shards_of(provider(2), (1, 0), 1).remove(0);
		assert!(matches!(view.status, ShardStatus::Active { .. }));
		assert_eq!(view.cid, Dsm::shards(orders[1])[2].cid);
		assert!(Dsm::shards(77).is_empty());
		assert!(Dsm::segment_roots(77, 0).is_empty());
	});
}
