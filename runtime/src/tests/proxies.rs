//! A proxy may do what its type says and nothing else.

use frame_support::traits::InstanceFilter;
use opensand_primitives::currency::SAND;
use sp_keyring::Sr25519Keyring;
use sp_runtime::MultiAddress;

use crate::{configs::accounts::ProxyType, RuntimeCall};

const ALL: [ProxyType; 8] = [
	ProxyType::Any,
	ProxyType::NonTransfer,
	ProxyType::Governance,
	ProxyType::Staking,
	ProxyType::NominationPools,
	ProxyType::IdentityJudgement,
	ProxyType::CancelProxy,
	ProxyType::Inference,
];

fn transfer() -> RuntimeCall {
	let dest = MultiAddress::Id(Sr25519Keyring::Dave.to_account_id());
	pallet_balances::Call::transfer_allow_death { dest, value: SAND }.into()
}

fn allowed(call: &RuntimeCall) -> Vec<ProxyType> {
	ALL.into_iter()
		.filter(|proxy_type| proxy_type.filter(call))
		.collect()
}

#[test]
fn only_any_may_transfer() {
	assert_eq!(allowed(&transfer()), [ProxyType::Any]);
}

#[test]
fn fees_of_requests_are_for_inference_alone() {
	let cancel = pallet_inference::Call::cancel_request { request: 0 }.into();
	assert_eq!(allowed(&cancel), [ProxyType::Any, ProxyType::Inference]);
}

#[test]
fn stakers_stake() {
	let chill = pallet_staking::Call::chill {}.into();
	assert_eq!(
		allowed(&chill),
		[ProxyType::Any, ProxyType::NonTransfer, ProxyType::Staking]
	);
	let submit = pallet_session::Call::purge_keys {}.into();
	assert!(ProxyType::Staking.filter(&submit));
}

#[test]
fn a_narrower_type_cannot_hand_out_a_wider_one() {
	for proxy_type in ALL {
		assert!(ProxyType::Any.is_superset(&proxy_type));
		assert!(proxy_type.is_superset(&proxy_type));
		assert_eq!(
			proxy_type.is_superset(&ProxyType::Any),
			proxy_type == ProxyType::Any
		);
	}
	// Whatever a type may do, those above it may do too.
	for (wide, narrow) in ALL
		.iter()
		.flat_map(|wide| ALL.iter().map(move |narrow| (wide, narrow)))
	{
		if wide.is_superset(narrow) {
			for call in [
				transfer(),
				pallet_inference::Call::cancel_request { request: 0 }.into(),
			] {
				assert!(
					!narrow.filter(&call) || wide.filter(&call),
					"{wide:?} above {narrow:?}"
				);
			}
		}
	}
}
