//! What callers should not do: on orders that are over, that never were, with numbers at the edges. Nothing changes, and
//! each error is the documented one.

use frame_support::{assert_noop, assert_ok};
use opensand_primitives::{
	currency::SAND,
	storage::{OrderStatus, ProviderTerms, ShardStatus, Visibility},
	Balance, OrderId,
};
use sp_runtime::TokenError;

use crate::{mock::*, Error, ProofBytes};

type E = Error<Test>;

/// Asserts that each of the calls fails with this error and changes nothing.
macro_rules! refused {
	($error:expr, $($call:expr),+ $(,)?) => {
		$(assert_noop!($call, $error);)+
	};
}

#[test]
fn an_order_that_never_was_or_is_closed_is_unknown() {
	run(|| {
		let closed = running();
		assert_ok!(Dsm::cancel(signed(&OWNER), closed));
		prove_to(window() + 1);
		assert_ok!(Dsm::close(signed(&READER), closed));
		assert_ok!(Dsm::set_access_key(signed(&READER), [1; 32]));
		for order in [closed, closed + 1, OrderId::MAX] {
			refused!(
				E::UnknownOrder,
				Dsm::renew(signed(&OWNER), order, 1),
				Dsm::top_up(signed(&OWNER), order, SAND),
				Dsm::cancel(signed(&OWNER), order),
				Dsm::close(signed(&OWNER), order),
				Dsm::settle(signed(&OWNER), order),
				Dsm::accept(signed(&agent(0)), order, 0),
				Dsm::first_proof(signed(&agent(0)), order, 0, ProofBytes::default()),
				Dsm::declare_lost(signed(&agent(0)), order, 0),
				Dsm::hand_over(signed(&agent(0)), order, 0),
				Dsm::open_repair(signed(&READER), order, 0),
				Dsm::take_repair(signed(&agent(7)), order, 0),
				Dsm::grant(signed(&OWNER), order, READER, sealed(), false),
				Dsm::set_access(signed(&OWNER), order, Visibility::Public, true),
			);
			refused!(E::NoGrant, Dsm::revoke(signed(&OWNER), order, READER));
		}
	});
}

#[test]
fn a_shard_that_is_none_is_unknown() {
	run(|| {
		let order = running();
		let placing = place();
		for shard in [CODE.total, u8::MAX] {
			refused!(
				E::UnknownShard,
				Dsm::accept(signed(&agent(0)), placing, shard),
				Dsm::first_proof(signed(&agent(0)), placing, shard, ProofBytes::default()),
				Dsm::declare_lost(signed(&agent(0)), order, shard),
				Dsm::hand_over(signed(&agent(0)), order, shard),
				Dsm::open_repair(signed(&READER), order, shard),
				Dsm::take_repair(signed(&agent(7)), order, shard),
			);
		}
	});
}

#[test]
fn an_expired_order_can_only_be_settled_and_closed() {
	run(|| {
		let order = running();
		prove_to(window() + WINDOWS);
		let OrderStatus::Active { end, .. } = order_record(order).record.status else {
			panic!("it was never lost");
		};
		assert!(window() >= end);
		refused!(
			E::OrderEnded,
			Dsm::renew(signed(&OWNER), order, 1),
			Dsm::cancel(signed(&OWNER), order),
			Dsm::declare_lost(signed(&agent(0)), order, 0),
			Dsm::hand_over(signed(&agent(0)), order, 0),
			Dsm::open_repair(signed(&READER), order, 0),
			Dsm::take_repair(signed(&agent(7)), order, 0),
		);
		refused!(E::NotPlacing, Dsm::accept(signed(&agent(7)), order, 0));
		refused!(
			E::NotYourShard,
			Dsm::first_proof(signed(&agent(0)), order, 0, ProofBytes::default())
		);
		assert_ok!(Dsm::settle(signed(&READER), order));
		assert_ok!(Dsm::close(signed(&READER), order));
	});
}

#[test]
fn an_order_whose_placing_has_expired_can_only_be_closed() {
	run(|| {
		register_all(8);
		let order = place();
		assert_ok!(accept(0, order, 0));
		prove_first(0, order, 0);
		let OrderStatus::Placing { deadline } = order_record(order).record.status else {
			panic!("three shards are open");
		};
		refused!(E::OrderRunning, Dsm::close(signed(&READER), order));
		// A slot is not given away when its first proof could not come before the deadline any more.
		run_proving_to(deadline - 1);
		refused!(E::PlacingOver, accept(1, order, 1));
		run_proving_to(deadline + 1);
		refused!(E::PlacingOver, accept(1, order, 1));
		refused!(E::NotActive, Dsm::renew(signed(&OWNER), order, 1));
		refused!(
			E::ShardHeld,
			Dsm::open_repair(signed(&READER), order, 0),
			Dsm::open_repair(signed(&READER), order, 1),
		);
		refused!(E::NoRepair, Dsm::take_repair(signed(&agent(7)), order, 1));
		assert_ok!(Dsm::close(signed(&READER), order));
		assert_eq!(provider_record(0).record.reserved, 0);
	});
}

#[test]
fn a_first_proof_that_comes_too_late_loses_the_slot() {
	run(|| {
		register_all(8);
		let order = place();
		assert_ok!(accept(0, order, 0));
		refused!(
			E::NotDrawnYet,
			Dsm::first_proof(signed(&agent(0)), order, 0, ProofBytes::default())
		);
		refused!(
			E::NotYourShard,
			Dsm::first_proof(signed(&agent(1)), order, 0, ProofBytes::default())
		);
		let (drawn_at, deadline) = shard_record(order, 0).first_proof_blocks().unwrap();
		run_to(drawn_at + 1);
		let proof = proof_of(&Dsm::first_challenge(order, 0).unwrap());
		run_to(deadline + 1);
		assert_ok!(Dsm::first_proof(signed(&agent(0)), order, 0, proof.clone()));
		assert_eq!(status_of(order, 0), ShardStatus::Open);
		refused!(
			E::NotYourShard,
			Dsm::first_proof(signed(&agent(0)), order, 0, proof)
		);
	});
}

#[test]
fn an_answer_to_a_window_that_is_over_is_refused_and_is_wrong_for_the_next() {
	run(|| {
		running();
		let proof = proof_of(&Dsm::challenge(provider(0)).unwrap());
		let asked = window();
		answer_without(0);
		next_window();
		refused!(
			E::WrongWindow,
			Dsm::submit_possession(signed(&agent(0)), asked, proof.clone())
		);
		// It shows other leaves than those that this window asks for.
		assert_ok!(Dsm::submit_possession(signed(&agent(0)), window(), proof));
		assert!(provider_record(0).record.proven < asked);
		assert_eq!(provider_record(0).record.faults, 2, "one for each window");
	});
}

#[test]
fn numbers_at_the_edges_are_refused() {
	run(|| {
		let order = running();
		refused!(
			E::InvalidDuration,
			Dsm::renew(signed(&OWNER), order, 0),
			Dsm::renew(signed(&OWNER), order, u32::MAX),
			Dsm::renew(signed(&OWNER), order, u32::MAX - window()),
		);
		refused!(
			E::TipTooSmall,
			Dsm::top_up(signed(&OWNER), order, 0),
			Dsm::top_up(signed(&OWNER), order, Balance::from(CODE.total) - 1),
		);
		refused!(
			TokenError::FundsUnavailable,
			Dsm::top_up(signed(&OWNER), order, Balance::MAX),
			Dsm::register_provider(signed(&provider(9)), terms_of(9), Balance::MAX),
		);
		refused!(
			E::Overflow,
			Dsm::add_collateral(signed(&provider(0)), Balance::MAX)
		);
		refused!(
			E::CollateralReserved,
			Dsm::withdraw_collateral(signed(&provider(0)), COLLATERAL),
			Dsm::withdraw_collateral(signed(&provider(0)), Balance::MAX),
		);
		refused!(
			E::CollateralTooSmall,
			Dsm::register_provider(signed(&provider(9)), terms_of(9), 0),
			Dsm::register_provider(signed(&provider(9)), terms_of(9), 1),
		);
		let with_quota = |index, quota| ProviderTerms {
			quota,
			..terms_of(index)
		};
		refused!(
			E::QuotaTooSmall,
			Dsm::register_provider(signed(&provider(9)), with_quota(9, 0), COLLATERAL),
			Dsm::update_provider(signed(&provider(0)), with_quota(0, 0)),
			Dsm::update_provider(signed(&provider(0)), with_quota(0, SHARD_BYTES - 1)),
		);
		assert_ok!(Dsm::update_provider(
			signed(&provider(0)),
			with_quota(0, u64::MAX)
		));
	});
}
