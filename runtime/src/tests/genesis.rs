//! The presets build, and what they build is a chain that can start.

use frame_support::traits::Currency;
use opensand_primitives::currency::SAND;
use sp_consensus_babe::AllowedSlots;
use sp_genesis_builder::PresetId;
use sp_keyring::Sr25519Keyring;

use super::preset_externalities;
use crate::{
	genesis::{preset_names, DEVELOPMENT, LOCAL, TESTNET},
	AccountId, AuthorityDiscovery, Babe, Balances, Grandpa, Session, Staking,
};

fn validators(preset: &str) -> Vec<AccountId> {
	preset_externalities(preset).execute_with(|| {
		let validators = Session::validators();
		assert_eq!(Babe::authorities().len(), validators.len());
		assert_eq!(Grandpa::grandpa_authorities().len(), validators.len());
		assert_eq!(AuthorityDiscovery::authorities().len(), validators.len());
		for validator in &validators {
			let ledger = Staking::ledger(sp_staking::StakingAccount::Stash(validator.clone()))
				.expect("a genesis validator is bonded");
			assert_eq!(ledger.active, 100_000 * SAND);
			assert!(Session::key_owner(
				sp_consensus_babe::KEY_TYPE,
				Session::load_keys(validator).expect("it has keys").babe.as_ref(),
			)
			.is_some_and(|owner| owner == *validator));
		}
		validators
	})
}

#[test]
fn development_has_one_validator() {
	assert_eq!(
		validators(DEVELOPMENT),
		[Sr25519Keyring::AliceStash.to_account_id()]
	);
}

#[test]
fn local_and_testnet_have_four_validators() {
	let mut expected = [
		Sr25519Keyring::AliceStash,
		Sr25519Keyring::BobStash,
		Sr25519Keyring::CharlieStash,
		Sr25519Keyring::DaveStash,
	]
	.map(|key| key.to_account_id());
	expected.sort();
	for preset in [LOCAL, TESTNET] {
		let mut validators = validators(preset);
		validators.sort();
		assert_eq!(validators, expected);
	}
}

#[test]
fn presets_are_named_as_documented() {
	assert_eq!(
		preset_names(),
		["development", "local", "testnet"].map(PresetId::from)
	);
	assert!(crate::genesis::get_preset(&"mainnet".into()).is_none());
}

#[test]
fn blocks_are_made_in_primary_slots_alone() {
	for preset in [DEVELOPMENT, LOCAL, TESTNET] {
		preset_externalities(preset).execute_with(|| {
			let config = pallet_babe::EpochConfig::<crate::Runtime>::get().expect("set at genesis");
			assert_eq!(config.allowed_slots, AllowedSlots::PrimarySlots);
			assert_eq!(config.c, (1, 3));
		});
	}
}

#[test]
fn development_accounts_can_pay() {
	preset_externalities(DEVELOPMENT).execute_with(|| {
		for key in Sr25519Keyring::well_known() {
			assert_eq!(Balances::total_balance(&key.to_account_id()), 1_000_000 * SAND);
		}
	});
}

#[cfg(feature = "try-runtime")]
#[test]
fn every_invariant_holds_at_genesis() {
	use frame_support::traits::{TryState, TryStateSelect};
	for preset in [DEVELOPMENT, LOCAL, TESTNET] {
		preset_externalities(preset).execute_with(|| {
			crate::AllPalletsWithSystem::try_state(1, TryStateSelect::All).expect("invariants hold");
		});
	}
}
