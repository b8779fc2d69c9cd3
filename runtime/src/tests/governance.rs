//! Tracks, origins, and a referendum from submission to enactment.

use frame_support::traits::{EnsureOrigin, OriginTrait};
use pallet_referenda::TracksInfo as _;

use crate::{
	configs::governance::{
		origins::{Origin, Spender},
		tracks::TRACKS,
		TracksInfo,
	},
	RuntimeOrigin,
};

const ORIGINS: [(Origin, u16, &str); 11] = [
	(Origin::WhitelistedCaller, 1, "whitelisted_caller"),
	(Origin::TrainingData, 10, "training_data"),
	(Origin::AuditModel, 11, "audit_model"),
	(Origin::ProverKeys, 12, "prover_keys"),
	(Origin::NetworkParameters, 13, "network_parameters"),
	(Origin::Treasurer, 20, "treasurer"),
	(Origin::SmallSpender, 21, "small_spender"),
	(Origin::MediumSpender, 22, "medium_spender"),
	(Origin::BigSpender, 23, "big_spender"),
	(Origin::ReferendumCanceller, 30, "referendum_canceller"),
	(Origin::ReferendumKiller, 31, "referendum_killer"),
];

#[test]
fn each_origin_has_its_track() {
	TracksInfo::check_integrity().expect("tracks are sorted");
	assert_eq!(TracksInfo::track_for(RuntimeOrigin::root().caller()), Ok(0));
	assert_eq!(TRACKS.len(), ORIGINS.len() + 1);
	for (origin, id, name) in ORIGINS {
		assert_eq!(
			TracksInfo::track_for(RuntimeOrigin::from(origin).caller()),
			Ok(id)
		);
		let track = TracksInfo::info(id).expect("the track exists");
		assert_eq!(
			core::str::from_utf8(&track.name)
				.expect("ASCII")
				.trim_end_matches('\0'),
			name
		);
	}
	let alice = sp_keyring::Sr25519Keyring::Alice.to_account_id();
	assert_eq!(
		TracksInfo::track_for(RuntimeOrigin::signed(alice).caller()),
		Err(())
	);
}

#[test]
fn hurdles_fall_over_the_decision_period_and_never_below_a_majority() {
	use sp_runtime::Perbill;
	for track in &TRACKS {
		let (start, end) = (Perbill::zero(), Perbill::one());
		let (approval, support) = (&track.info.min_approval, &track.info.min_support);
		// A reciprocal curve is fitted in billionths.
		assert!(
			approval.threshold(end) + Perbill::from_parts(100) >= Perbill::from_percent(50),
			"track {}",
			track.id
		);
		assert!(
			approval.threshold(start) > approval.threshold(end),
			"track {}",
			track.id
		);
		assert!(
			support.threshold(start) > support.threshold(end),
			"track {}",
			track.id
		);
	}
}

#[test]
fn spenders_are_bounded() {
	use opensand_primitives::currency::SAND;
	let limit = |origin: Origin| Spender::try_origin(RuntimeOrigin::from(origin)).ok();
	assert_eq!(limit(Origin::SmallSpender), Some(1_000 * SAND));
	assert_eq!(limit(Origin::Treasurer), Some(u128::MAX));
	assert_eq!(limit(Origin::ProverKeys), None);
}

#[test]
fn a_small_spender_pays_out_of_the_treasury() {
	use frame_support::{assert_noop, assert_ok, traits::Currency};
	use opensand_primitives::currency::SAND;

	use crate::{configs::treasury::TreasuryAccount, genesis::DEVELOPMENT, Balances, Runtime, Treasury};

	crate::tests::preset_externalities(DEVELOPMENT).execute_with(|| {
		let _ = Balances::deposit_creating(&TreasuryAccount::get(), 10_000 * SAND);
		let dave = sp_keyring::Sr25519Keyring::Dave.to_account_id();
		let spend = |amount| {
			Treasury::spend(
				Origin::SmallSpender.into(),
				Box::new(()),
				amount,
				Box::new(dave.clone()),
				None,
			)
		};
		assert_noop!(
			spend(1_001 * SAND),
			pallet_treasury::Error::<Runtime>::InsufficientPermission
		);
		assert_ok!(spend(1_000 * SAND));

		let before = Balances::free_balance(&dave);
		assert_ok!(Treasury::payout(RuntimeOrigin::signed(dave.clone()), 0));
		assert_eq!(Balances::free_balance(&dave), before + 1_000 * SAND);
	});
}

/// Origins that may neither set the storage market's parameters nor strike regions.
fn without_a_say() -> [RuntimeOrigin; 3] {
	[
		RuntimeOrigin::signed(sp_keyring::Sr25519Keyring::Alice.to_account_id()),
		Origin::Treasurer.into(),
		Origin::ProverKeys.into(),
	]
}

#[test]
fn network_parameters_sets_those_of_the_storage_market() {
	use frame_support::{assert_noop, assert_ok};
	use sp_runtime::DispatchError::BadOrigin;

	use crate::{genesis::DEVELOPMENT, Dsm, Runtime};

	crate::tests::preset_externalities(DEVELOPMENT).execute_with(|| {
		let before = pallet_dsm::Parameters::<Runtime>::get();
		let wanted = pallet_dsm::MarketParameters {
			collateral_per_mib: before.collateral_per_mib + 1,
			..before.clone()
		};
		for origin in without_a_say() {
			assert_noop!(Dsm::set_parameters(origin, wanted.clone()), BadOrigin);
		}
		// Who strikes regions does not set parameters.
		assert_noop!(
			Dsm::set_parameters(Origin::TrainingData.into(), wanted.clone()),
			BadOrigin
		);
		assert_ok!(Dsm::set_parameters(
			Origin::NetworkParameters.into(),
			wanted.clone()
		));
		assert_eq!(pallet_dsm::Parameters::<Runtime>::get(), wanted);
		assert_ok!(Dsm::set_parameters(RuntimeOrigin::root(), before.clone()));
		assert_eq!(pallet_dsm::Parameters::<Runtime>::get(), before);
	});
}

#[test]
fn training_data_strikes_the_region_of_a_storage_provider() {
	use frame_support::{assert_noop, assert_ok};
	use opensand_primitives::{
		currency::SAND,
		storage::{ProviderTerms, Region},
	};
	use sp_runtime::DispatchError::BadOrigin;

	use crate::{genesis::DEVELOPMENT, Dsm, Runtime};

	crate::tests::preset_externalities(DEVELOPMENT).execute_with(|| {
		let provider = sp_keyring::Sr25519Keyring::Bob.to_account_id();
		let region = |text| Region::new(text).expect("it is a tag");
		let terms = ProviderTerms {
			agent: sp_keyring::Sr25519Keyring::Charlie.to_account_id(),
			peer: [1; 32],
			addresses: Default::default(),
			regions: vec![region("eu-west"), region("us-east")]
				.try_into()
				.expect("two are few"),
			quota: 1 << 30,
		};
		assert_ok!(Dsm::register_provider(
			RuntimeOrigin::signed(provider.clone()),
			terms,
			100 * SAND
		));
		let strike = |origin| Dsm::strike_region(origin, provider.clone(), region("eu-west"));
		for origin in without_a_say() {
			assert_noop!(strike(origin), BadOrigin);
		}
		// Who sets parameters does not strike regions.
		assert_noop!(strike(Origin::NetworkParameters.into()), BadOrigin);
		assert_ok!(strike(Origin::TrainingData.into()));
		let left = pallet_dsm::Providers::<Runtime>::get(&provider)
			.expect("it is registered")
			.record
			.terms
			.regions;
		assert_eq!(left.to_vec(), [region("us-east")]);
		assert_noop!(
			strike(RuntimeOrigin::root()),
			pallet_dsm::Error::<Runtime>::RegionNotDeclared
		);
	});
}

#[cfg(feature = "fast-runtime")]
mod referendum {
	use codec::Encode;
	use frame_support::{
		assert_ok,
		traits::{schedule::DispatchTime, OnFinalize, OnInitialize, StorePreimage},
	};
	use opensand_primitives::currency::SAND;
	use pallet_conviction_voting::{AccountVote, Conviction, Vote};
	use sp_keyring::Sr25519Keyring;

	use super::*;
	use crate::{
		genesis::DEVELOPMENT, tests::preset_externalities, ConvictionVoting, OriginCaller, Preimage,
		Referenda, Runtime, RuntimeCall, RuntimeEvent, Scheduler, System,
	};

	/// Blocks in which a referendum that nobody opposes is enacted under the fast runtime.
	const ENACTED_WITHIN: u32 = 10;

	fn run_to(block: u32) {
		while System::block_number() < block {
			let number = System::block_number();
			Scheduler::on_finalize(number);
			System::set_block_number(number + 1);
			Scheduler::on_initialize(number + 1);
		}
	}

	/// Submits `call` on the track of `origin`, votes for it, and waits.
	fn enact(origin: OriginCaller, call: RuntimeCall) {
		let alice = RuntimeOrigin::signed(Sr25519Keyring::Alice.to_account_id());
		let proposal = Preimage::bound(call).expect("the call fits a preimage");
		let index = pallet_referenda::ReferendumCount::<Runtime>::get();
		assert_ok!(Referenda::submit(
			alice.clone(),
			Box::new(origin),
			proposal,
			DispatchTime::After(0)
		));
		assert_ok!(Referenda::place_decision_deposit(alice.clone(), index));
		let vote = Vote {
			aye: true,
			conviction: Conviction::Locked6x,
		};
		assert_ok!(ConvictionVoting::vote(
			alice,
			index,
			AccountVote::Standard {
				vote,
				balance: 900_000 * SAND
			}
		));
		run_to(System::block_number() + ENACTED_WITHIN);
	}

	#[test]
	fn root_is_reached_within_ten_blocks() {
		preset_externalities(DEVELOPMENT).execute_with(|| {
			let key = b"governed".to_vec();
			let items = vec![(key.clone(), 1u32.encode())];
			enact(
				OriginCaller::system(frame_system::RawOrigin::Root),
				frame_system::Call::set_storage { items }.into(),
			);
			assert_eq!(
				sp_io::storage::get(&key).map(|value| value.to_vec()),
				Some(1u32.encode())
			);
		});
	}

	#[test]
	fn a_custom_track_speaks_with_its_own_origin_only() {
		preset_externalities(DEVELOPMENT).execute_with(|| {
			let key = b"governed".to_vec();
			let items = vec![(key.clone(), 1u32.encode())];
			enact(
				OriginCaller::Origins(Origin::NetworkParameters),
				frame_system::Call::set_storage { items }.into(),
			);
			assert_eq!(sp_io::storage::get(&key), None, "NetworkParameters is not Root");

			enact(
				OriginCaller::Origins(Origin::NetworkParameters),
				pallet_nomination_pools::Call::set_configs {
					min_join_bond: pallet_nomination_pools::ConfigOp::Set(7 * SAND),
					min_create_bond: pallet_nomination_pools::ConfigOp::Noop,
					max_pools: pallet_nomination_pools::ConfigOp::Noop,
					max_members: pallet_nomination_pools::ConfigOp::Noop,
					max_members_per_pool: pallet_nomination_pools::ConfigOp::Noop,
					global_max_commission: pallet_nomination_pools::ConfigOp::Noop,
				}
				.into(),
			);
			assert_eq!(pallet_nomination_pools::MinJoinBond::<Runtime>::get(), 7 * SAND);
			assert!(System::events().iter().any(|record| matches!(
				record.event,
				RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched { result: Ok(()), .. })
			)));
		});
	}
}
