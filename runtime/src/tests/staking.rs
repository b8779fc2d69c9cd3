//! Validators come and go, are paid, and prove that their keys are theirs.

use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::Currency};
use opensand_primitives::currency::SAND;
use pallet_staking::{RewardDestination, ValidatorPrefs};
use sp_keyring::Sr25519Keyring;
use sp_keystore::{testing::MemoryKeystore, KeystoreExt};
use sp_runtime::MultiAddress;

use super::{chain::Chain, preset_externalities};
use crate::{
	configs::staking::{BondingDuration, SessionsPerEra},
	constants::time,
	genesis::DEVELOPMENT,
	AccountId, Balances, NominationPools, Runtime, RuntimeOrigin, Session, SessionKeys, Staking,
};

/// Blocks in each epoch of these tests; there need not be more.
const BLOCKS_PER_EPOCH: u64 = 5;

fn run_epoch(chain: &mut Chain) {
	for _ in 0..BLOCKS_PER_EPOCH {
		chain.open_after(time::EPOCH_DURATION_IN_SLOTS / BLOCKS_PER_EPOCH);
		chain.close();
	}
}

fn externalities() -> sp_io::TestExternalities {
	let mut externalities = preset_externalities(DEVELOPMENT);
	externalities.register_extension(KeystoreExt::new(MemoryKeystore::new()));
	externalities
}

/// Fresh session keys and the proof that `owner` has them.
fn session_keys(owner: &AccountId) -> (SessionKeys, Vec<u8>) {
	let generated = SessionKeys::generate(&owner.encode(), None);
	(generated.keys, generated.proof.encode())
}

fn active_era() -> u32 {
	pallet_staking::ActiveEra::<Runtime>::get()
		.expect("an era is active")
		.index
}

#[test]
fn keys_are_taken_only_from_their_owner() {
	externalities().execute_with(|| {
		let (bob, dave) = (
			Sr25519Keyring::Bob.to_account_id(),
			Sr25519Keyring::Dave.to_account_id(),
		);
		let (keys, proof) = session_keys(&bob);
		assert_noop!(
			Session::set_keys(RuntimeOrigin::signed(dave), keys.clone(), proof.clone()),
			pallet_session::Error::<Runtime>::InvalidProof
		);
		assert_noop!(
			Session::set_keys(RuntimeOrigin::signed(bob.clone()), keys.clone(), Vec::new()),
			pallet_session::Error::<Runtime>::InvalidProof
		);
		let before = Balances::free_balance(&bob);
		assert_ok!(Session::set_keys(RuntimeOrigin::signed(bob.clone()), keys, proof));
		assert!(Balances::free_balance(&bob) < before, "a deposit is held");
	});
}

#[test]
fn a_bonded_validator_with_keys_is_elected_and_paid() {
	externalities().execute_with(|| {
		let bob = Sr25519Keyring::Bob.to_account_id();
		let origin = RuntimeOrigin::signed(bob.clone());
		let mut chain = Chain::start();
		chain.open();
		assert_ok!(Staking::bond(
			origin.clone(),
			200_000 * SAND,
			RewardDestination::Stash
		));
		assert_ok!(Staking::validate(origin.clone(), ValidatorPrefs::default()));
		let (keys, proof) = session_keys(&bob);
		assert_ok!(Session::set_keys(origin.clone(), keys, proof));
		chain.close();

		// An election counts for the next era, and each new set waits for one more session.
		let enough = 2 * SessionsPerEra::get() + 2;
		let mut epochs = 0;
		while !Session::validators().contains(&bob) {
			run_epoch(&mut chain);
			epochs += 1;
			assert!(epochs <= enough, "not elected within {enough} epochs");
		}
		assert_eq!(Session::validators().len(), 2);
		assert_eq!(crate::Babe::authorities().len(), 2);

		let era = active_era();
		while active_era() == era {
			run_epoch(&mut chain);
		}
		let author = Sr25519Keyring::AliceStash.to_account_id();
		let paid = |who: &AccountId| Balances::total_balance(who);
		let before = [&author, &bob].map(paid);
		for validator in [&author, &bob] {
			// Only whoever made a block earned anything; which of the two that is, the order of the set decides.
			let _ = Staking::payout_stakers(origin.clone(), validator.clone(), era);
		}
		let after = [&author, &bob].map(paid);
		assert!(
			after[0] > before[0] || after[1] > before[1],
			"nobody was paid for era {era}"
		);

		#[cfg(feature = "try-runtime")]
		{
			use frame_support::traits::{TryState, TryStateSelect};
			crate::AllPalletsWithSystem::try_state(crate::System::block_number(), TryStateSelect::All)
				.expect("invariants hold");
		}
	});
}

#[test]
fn a_pool_stakes_what_its_members_keep_in_their_accounts() {
	externalities().execute_with(|| {
		let (bob, dave) = (
			Sr25519Keyring::Bob.to_account_id(),
			Sr25519Keyring::Dave.to_account_id(),
		);
		let address = MultiAddress::Id(bob.clone());
		assert_ok!(NominationPools::create(
			RuntimeOrigin::signed(bob),
			1_000 * SAND,
			address.clone(),
			address.clone(),
			address,
		));
		let total = Balances::total_balance(&dave);
		assert_ok!(NominationPools::join(
			RuntimeOrigin::signed(dave.clone()),
			500 * SAND,
			1
		));
		assert_eq!(
			Balances::total_balance(&dave),
			total,
			"delegated, not transferred"
		);
		assert_eq!(
			NominationPools::api_member_total_balance(dave.clone()),
			500 * SAND
		);
		// Whoever is in a pool does not stake beside it.
		assert_noop!(
			Staking::bond(RuntimeOrigin::signed(dave), 10 * SAND, RewardDestination::Stash),
			pallet_staking::Error::<Runtime>::Restricted
		);
		assert!(BondingDuration::get() >= 2);
	});
}
