//! Who is paid what and when; renewal, tips, cancelling and closing.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::{
	storage::{OrderStatus, WindowIndex},
	Balance, OrderId,
};
use sp_runtime::{DispatchResult, TokenError};

use crate::{mock::*, Error, Event, HoldReason, HISTORY_WINDOWS};

fn settle(order: OrderId) -> DispatchResult {
	Dsm::settle(signed(&READER), order)
		.map(drop)
		.map_err(|error| error.error)
}

fn close(order: OrderId) -> DispatchResult {
	Dsm::close(signed(&READER), order)
		.map(drop)
		.map_err(|error| error.error)
}

fn cancel(order: OrderId) -> DispatchResult {
	Dsm::cancel(signed(&OWNER), order)
		.map(drop)
		.map_err(|error| error.error)
}

fn end_of(order: OrderId) -> WindowIndex {
	match Dsm::order(order).unwrap().status {
		OrderStatus::Active { end, .. } => end,
		other => panic!("{other:?}"),
	}
}

/// What a provider has won since the beginning.
fn won(index: u8) -> Balance {
	total(&provider(index)) - ENDOWMENT
}

const WHOLE: Balance = EACH * CODE.total as Balance * WINDOWS as Balance;

#[test]
fn proven_windows_are_paid_exactly() {
	run(|| {
		let order = activated();
		// The window in which the order becomes active is not paid.
		answer_all();
		assert_ok!(settle(order));
		assert_eq!(won(0), 0);
		prove_to(window() + 3);
		// Two windows are over; the third, though proven, is not.
		assert_ok!(settle(order));
		for index in 0..4 {
			assert_eq!(won(index), 2 * EACH);
		}
		assert_eq!(Dsm::order(order).unwrap().escrow, WHOLE - 8 * EACH);
		System::assert_last_event(
			Event::OrderSettled {
				order,
				paid: 8 * EACH,
				tips: 0,
			}
			.into(),
		);
		// Twice is as good as once.
		assert_ok!(settle(order));
		assert_eq!(won(0), 2 * EACH);

		prove_to(end_of(order) - 1);
		next_window();
		assert_ok!(close(order));
		for index in 0..4 {
			assert_eq!(won(index), EACH * Balance::from(WINDOWS));
		}
		assert_eq!(total(&OWNER), ENDOWMENT - WHOLE);
	});
}

#[test]
fn windows_that_are_not_proven_are_given_back() {
	run(|| {
		let order = running();
		for step in 0..WINDOWS {
			// Provider 2 misses every other window, which never jails it.
			match step % 2 {
				0 => answer_all(),
				_ => answer_without(2),
			}
			next_window();
		}
		assert_ok!(close(order));
		let missed = Balance::from(WINDOWS / 2);
		assert_eq!(won(0), EACH * Balance::from(WINDOWS));
		assert_eq!(total(&OWNER), ENDOWMENT - WHOLE + missed * EACH);
	});
}

#[test]
fn a_settlement_long_after_is_as_exact() {
	run(|| {
		register_all(8);
		let windows = HISTORY_WINDOWS * 2 + 100;
		let order = place_with(
			&OWNER,
			opensand_primitives::storage::OrderTerms {
				windows,
				..order_terms()
			},
		)
		.unwrap();
		fill(order, 0);
		// Another order keeps the providers going after this one's end.
		let other = place_with(
			&OTHER_OWNER,
			opensand_primitives::storage::OrderTerms {
				windows: 1_000,
				..order_terms()
			},
		)
		.unwrap();
		fill(other, 0);
		let end = end_of(order);
		let mut missed = 0;
		while window() < end + 300 {
			next_window();
			if window().is_multiple_of(5) {
				missed += Balance::from(window() < end);
				answer_without(1);
			} else {
				answer_all();
			}
		}
		assert_ok!(settle(order));
		let settled = Balance::from(windows);
		assert_eq!(won(0), settled * EACH);
		assert_eq!(held(HoldReason::Escrow, &OWNER), missed * EACH);
		assert_ok!(close(order));
		assert_eq!(total(&OWNER), ENDOWMENT - 4 * settled * EACH + missed * EACH);
	});
}

#[test]
fn settlement_needs_an_order_that_holds_money() {
	run(|| {
		assert_noop!(settle(0), Error::<Test>::UnknownOrder);
		assert_noop!(close(0), Error::<Test>::UnknownOrder);
		let order = running();
		assert_noop!(close(order), Error::<Test>::OrderRunning);
		prove_to(end_of(order) - 1);
		assert_noop!(close(order), Error::<Test>::OrderRunning);
		next_window();
		assert_ok!(close(order));
	});
}

#[test]
fn renewal_holds_more_and_lasts_longer() {
	run(|| {
		type E = Error<Test>;
		let renew = |who, order, windows| Dsm::renew(signed(&who), order, windows);
		register_all(4);
		let order = place();
		assert_noop!(renew(OWNER, order, 1), E::NotActive);
		fill(order, 0);
		assert_noop!(renew(OTHER_OWNER, order, 1), E::NotOwner);
		assert_noop!(renew(OWNER, 77, 1), E::UnknownOrder);
		for windows in [0, 1_000, u32::MAX] {
			assert_noop!(renew(OWNER, order, windows), E::InvalidDuration);
		}
		let end = end_of(order);
		assert_ok!(renew(OWNER, order, 5));
		assert_eq!(end_of(order), end + 5);
		assert_eq!(Dsm::order(order).unwrap().terms.windows, WINDOWS + 5);
		assert_eq!(held(HoldReason::Escrow, &OWNER), WHOLE + 20 * EACH);

		set_parameters(|parameters| parameters.price_min = PRICE + 1);
		assert_noop!(renew(OWNER, order, 1), E::PriceTooLow);
		set_parameters(|parameters| parameters.price_min = 1);

		// In the last window it can still be renewed, and after it not.
		prove_to(end + 4);
		assert_ok!(renew(OWNER, order, 1));
		prove_to(end + 5);
		next_window();
		assert_noop!(renew(OWNER, order, 1), E::OrderEnded);
		assert_ok!(close(order));
		assert_eq!(won(0), EACH * Balance::from(WINDOWS + 6));
		assert_eq!(total(&OWNER), ENDOWMENT - 4 * EACH * Balance::from(WINDOWS + 6));
	});
}

#[test]
fn renewal_needs_funds() {
	run(|| {
		let order = running();
		set_parameters(|parameters| parameters.max_windows = 80_000);
		// All but the least that an account has to keep.
		let free = ENDOWMENT - WHOLE - held(HoldReason::Deposit, &OWNER) - EXISTENTIAL_DEPOSIT;
		assert_ok!(pallet_balances::Pallet::<Test>::transfer_keep_alive(
			signed(&OWNER),
			READER,
			free
		));
		assert_noop!(Dsm::renew(signed(&OWNER), order, 1), TokenError::FundsUnavailable);
	});
}

#[test]
fn tips_are_shared_evenly_at_the_next_settlement() {
	run(|| {
		type E = Error<Test>;
		let tip = |who, order, amount| Dsm::top_up(signed(&who), order, amount);
		let order = running();
		assert_noop!(tip(OWNER, order, 3), E::TipTooSmall);
		assert_noop!(tip(OWNER, 77, 100), E::UnknownOrder);
		assert_noop!(tip(OWNER, order, 2 * ENDOWMENT), TokenError::FundsUnavailable);
		assert!(tip(PAUPER, order, 100).is_err());
		assert_ok!(tip(OWNER, order, 4_003));
		assert_eq!(held(HoldReason::Escrow, &OWNER), WHOLE + 4_003);
		assert_ok!(settle(order));
		for index in 0..4 {
			assert_eq!(won(index), 1_000);
		}
		// What does not divide waits for the next tip.
		assert_eq!(order_record(order).tip, 3);
		assert_ok!(tip(READER, order, 5));
		assert_eq!(total(&READER), ENDOWMENT - 5);
		assert_ok!(settle(order));
		assert_eq!(won(3), 1_002);
		assert_eq!(order_record(order).tip, 0);

		assert_ok!(tip(OWNER, order, 7));
		prove_to(end_of(order) - 1);
		next_window();
		assert_ok!(close(order));
		assert_eq!(total(&OWNER), ENDOWMENT - WHOLE - 4_003 - 7 + 3);
	});
}

#[test]
fn a_tip_for_an_order_that_is_not_filled_is_given_back() {
	run(|| {
		register_all(1);
		let order = place();
		assert_ok!(Dsm::top_up(signed(&OWNER), order, 1_000));
		assert_ok!(accept(0, order, 0));
		prove_first(0, order, 0);
		assert_ok!(settle(order));
		assert_eq!(won(0), 0);
		assert_ok!(cancel(order));
		assert_eq!(total(&OWNER), ENDOWMENT);
	});
}

#[test]
fn cancelling_does_not_dodge_what_was_proven() {
	run(|| {
		let order = running();
		prove_to(window() + 2);
		// Two windows are over, and this one is proven by all; then the owner cancels.
		assert_noop!(
			Dsm::cancel(signed(&READER), order).map_err(|error| error.error),
			Error::<Test>::NotOwner
		);
		assert_ok!(cancel(order));
		assert_eq!(won(0), 2 * EACH);
		assert_eq!(end_of(order), window() + 1);
		// What is still held pays for exactly this window.
		assert_eq!(held(HoldReason::Escrow, &OWNER), 4 * EACH);
		assert_noop!(cancel(order), Error::<Test>::OrderEnded);
		assert_noop!(close(order), Error::<Test>::OrderRunning);
		next_window();
		// Nothing is asked for it any more.
		assert_eq!(Dsm::challenge(provider(0)).unwrap().samples, []);
		assert_ok!(close(order));
		assert_eq!(won(0), 3 * EACH);
		assert_eq!(total(&OWNER), ENDOWMENT - 12 * EACH);
	});
}

#[test]
fn cancelling_before_the_first_window_costs_nothing() {
	run(|| {
		let order = activated();
		answer_all();
		assert_ok!(cancel(order));
		assert_eq!(held(HoldReason::Escrow, &OWNER), 0);
		next_window();
		assert_ok!(close(order));
		assert_eq!(won(0), 0);
		assert_eq!(total(&OWNER), ENDOWMENT);
	});
}

#[test]
fn cancelling_and_renewing_again_works() {
	run(|| {
		let order = running();
		answer_all();
		assert_ok!(cancel(order));
		assert_ok!(Dsm::renew(signed(&OWNER), order, 3));
		prove_to(window() + 3);
		next_window();
		assert_ok!(close(order));
		assert_eq!(won(0), 4 * EACH);
	});
}

#[test]
fn a_shard_is_paid_by_the_mib_or_part_of_one() {
	run(|| {
		register_all(4);
		for (shard_bytes, mib) in [(256, 1), (1 << 20, 1), ((1 << 20) + 256, 2)] {
			let before = won(0);
			let terms = opensand_primitives::storage::OrderTerms {
				shard_bytes,
				windows: 1,
				..order_terms()
			};
			let order = place_with(&OWNER, terms).unwrap();
			fill(order, 0);
			assert_eq!(provider_record(0).record.reserved, mib * reserve());
			prove_to(window() + 1);
			next_window();
			assert_ok!(close(order));
			assert_eq!(won(0) - before, mib * EACH);
			answer_all();
		}
	});
}

#[test]
fn an_owner_with_nothing_free_still_pays() {
	run(|| {
		register_all(4);
		let deposit = 4 * (ITEM_DEPOSIT + 32 * BYTE_DEPOSIT);
		let poor = PAUPER;
		let funds = WHOLE + deposit + EXISTENTIAL_DEPOSIT;
		assert_ok!(pallet_balances::Pallet::<Test>::transfer_keep_alive(
			signed(&READER),
			poor.clone(),
			funds
		));
		let order = place_with(&poor, order_terms()).unwrap();
		fill(order, 0);
		prove_to(window() + WINDOWS);
		next_window();
		assert_ok!(close(order));
		assert_eq!(won(0), EACH * Balance::from(WINDOWS));
		assert_eq!(total(&poor), deposit + EXISTENTIAL_DEPOSIT);
	});
}
