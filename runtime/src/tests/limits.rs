//! Figures that must fit one another.

use frame_election_provider_support::{onchain, NposSolver};
use frame_support::{
	dispatch::DispatchClass,
	traits::Get,
	weights::{constants::WEIGHT_REF_TIME_PER_MILLIS, Weight, WeightToFee},
};
use pallet_staking::WeightInfo as _;
use sp_runtime::{traits::Convert, FixedU128, Saturating};

use crate::{
	configs::{
		staking::{
			MaxAuthorities, MaxElectableTargets, MaxElectingVoters, MaxExposurePageSize, OnChainElection,
		},
		system::{AdjustmentVariable, MinimumMultiplier, TargetBlockFullness},
		voter_bags::{BAGS, BAG_THRESHOLDS},
		RuntimeBlockWeights,
	},
	constants::{fee, identity, time},
	Runtime, System,
};

fn max_normal_extrinsic() -> Weight {
	RuntimeBlockWeights::get()
		.get(DispatchClass::Normal)
		.max_extrinsic
		.expect("there is a limit")
}

#[test]
fn a_block_fits_its_slot() {
	let full = RuntimeBlockWeights::get().max_block.ref_time() / WEIGHT_REF_TIME_PER_MILLIS;
	assert_eq!(full, time::SLOT_DURATION_MS / 3);
	assert!(RuntimeBlockWeights::get().validate().is_ok());
}

#[test]
fn slots_and_blocks_take_the_time_they_should() {
	assert_eq!(pallet_babe::Pallet::<Runtime>::slot_duration(), 2_000);
	let minimum: u64 = <Runtime as pallet_timestamp::Config>::MinimumPeriod::get();
	assert_eq!(minimum, 1_000);
	assert_eq!(<Runtime as pallet_babe::Config>::ExpectedBlockTime::get(), 6_000);
	assert_eq!(time::MINUTES, 10);
	// Below 40 slots an epoch without a block stops being improbable.
	assert!(<Runtime as pallet_babe::Config>::EpochDuration::get() >= 40);
}

#[test]
fn an_election_fits_a_block() {
	let (voters, targets) = (MaxElectingVoters::get(), MaxElectableTargets::get());
	type Staking = <Runtime as pallet_staking::Config>::WeightInfo;
	type Election = <OnChainElection as onchain::Config>::WeightInfo;
	let snapshot = Staking::get_npos_voters(targets, voters - targets)
		.saturating_add(Staking::get_npos_targets(targets));
	let solve = <OnChainElection as onchain::Config>::Solver::weight::<Election>(voters, targets, 16);
	let election = snapshot.saturating_add(solve);
	assert!(
		election.all_lte(RuntimeBlockWeights::get().max_block),
		"an election takes {} ms",
		election.ref_time() / WEIGHT_REF_TIME_PER_MILLIS
	);
}

#[test]
fn a_full_page_of_nominators_can_be_paid() {
	type Staking = <Runtime as pallet_staking::Config>::WeightInfo;
	let payout = Staking::payout_stakers_alive_staked(MaxExposurePageSize::get());
	assert!(payout.all_lte(max_normal_extrinsic()));
}

#[test]
fn an_equivocation_can_be_reported_in_a_block() {
	let validators = MaxAuthorities::get();
	let nominators = <Runtime as pallet_babe::Config>::MaxNominators::get();
	let babe = <<Runtime as pallet_babe::Config>::WeightInfo as pallet_babe::WeightInfo>::report_equivocation(
		validators, nominators,
	);
	let grandpa =
		<<Runtime as pallet_grandpa::Config>::WeightInfo as pallet_grandpa::WeightInfo>::report_equivocation(
			validators, nominators,
		);
	assert!(babe.all_lte(max_normal_extrinsic()), "{babe}");
	assert!(grandpa.all_lte(max_normal_extrinsic()), "{grandpa}");
}

#[test]
fn bags_span_the_vote_weights() {
	assert!(BAG_THRESHOLDS.windows(2).all(|pair| pair[0] < pair[1]));
	assert_eq!(BAG_THRESHOLDS[BAGS - 1], u64::MAX);
	// The step into the last bag is about as wide as any other.
	let last_step = BAG_THRESHOLDS[BAGS - 1] / (BAG_THRESHOLDS[BAGS - 2] / 1_000);
	assert!(
		(1_050..1_250).contains(&last_step),
		"the last bag is {last_step}/1000 of the one before"
	);
}

#[test]
fn addresses_carry_the_prefix() {
	use sp_core::crypto::{Ss58AddressFormat, Ss58AddressFormatRegistry, Ss58Codec};
	let prefix: u16 = <Runtime as frame_system::Config>::SS58Prefix::get();
	assert_eq!(prefix, identity::SS58_PREFIX);
	let address = sp_keyring::Sr25519Keyring::Alice
		.to_account_id()
		.to_ss58check_with_version(Ss58AddressFormat::custom(identity::SS58_PREFIX));
	assert!(address.starts_with("os"), "{address}");
	assert!(Ss58AddressFormatRegistry::try_from(Ss58AddressFormat::custom(identity::SS58_PREFIX)).is_err());
}

#[test]
fn fees_follow_demand_both_ways() {
	sp_io::TestExternalities::new_empty().execute_with(|| {
		type Update = <Runtime as pallet_transaction_payment::Config>::FeeMultiplierUpdate;
		let normal = RuntimeBlockWeights::get()
			.get(DispatchClass::Normal)
			.max_total
			.expect("there is a limit");
		let floor = MinimumMultiplier::get();

		System::set_block_consumed_resources(Weight::zero(), 0);
		assert!(Update::convert(FixedU128::from(1)) < FixedU128::from(1));
		assert_eq!(Update::convert(floor), floor);

		System::set_block_consumed_resources(TargetBlockFullness::get() * normal, 0);
		assert_eq!(Update::convert(FixedU128::from(1)), FixedU128::from(1));

		// From its floor the multiplier can rise again: the smallest step does not round to nothing.
		System::set_block_consumed_resources(normal, 0);
		assert!(Update::convert(floor) > floor);
		assert!(floor.saturating_mul(AdjustmentVariable::get()) > FixedU128::from_inner(0));
	});
}

#[test]
fn an_empty_transaction_costs_about_a_thousandth() {
	let base = RuntimeBlockWeights::get()
		.get(DispatchClass::Normal)
		.base_extrinsic;
	let price = <Runtime as pallet_transaction_payment::Config>::WeightToFee::weight_to_fee(&base);
	assert!(
		(price as f64 / opensand_primitives::currency::MILLISAND as f64 - 1.0).abs() < 0.25,
		"{price}"
	);
	assert_eq!(fee::AUTHOR_PERCENT, 20);
}

#[test]
fn a_delivery_bond_is_many_times_the_fees_of_a_dispute() {
	use pallet_dsm::WeightInfo as _;
	type Dsm = <Runtime as pallet_dsm::Config>::WeightInfo;
	type Fee = <Runtime as pallet_transaction_payment::Config>::WeightToFee;
	let weights = Fee::weight_to_fee(&Dsm::buy().saturating_add(Dsm::dispute()));
	// Both transactions together are shorter.
	let lengths = 500 * fee::PER_BYTE;
	assert!(<Runtime as pallet_dsm::Config>::DeliveryBond::get() >= 10 * (weights + lengths));
}
