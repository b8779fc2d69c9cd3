//! Genesis presets, from which chain specs are made.
//!
//! All three use well-known development keys: anybody can sign with them, so none of them is for a network
//! that holds value. A live network's spec replaces validators and endowments (`chain-specs/README.md`).

use alloc::{vec, vec::Vec};

use frame_support::build_struct_json_patch;
use opensand_primitives::{currency::SAND, AccountId, Balance};
use pallet_staking::StakerStatus;
use serde_json::Value;
use sp_genesis_builder::PresetId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::Perbill;

use crate::{
	configs::consensus::{SessionKeys, BABE_GENESIS_EPOCH_CONFIG},
	BabeConfig, BalancesConfig, ModelsConfig, NominationPoolsConfig, RuntimeGenesisConfig, SessionConfig,
	StakingConfig,
};

/// One validator, Alice; every development account has funds.
pub const DEVELOPMENT: &str = "development";
/// Four validators, Alice to Dave, on one machine; every development account has funds.
pub const LOCAL: &str = "local";
/// The same four validators on machines of their own, under the staking limits of a live network.
pub const TESTNET: &str = "testnet";

/// Free balance of every endowed account.
const ENDOWMENT: Balance = 1_000_000 * SAND;
/// What each genesis validator bonds of it.
const STASH: Balance = 100_000 * SAND;

/// A validator at genesis: the account whose bond backs it, and the seeds of its session keys.
struct Validator {
	stash: Sr25519Keyring,
	sr25519: Sr25519Keyring,
	ed25519: Ed25519Keyring,
}

impl Validator {
	fn account(&self) -> AccountId {
		self.stash.to_account_id()
	}

	fn session_keys(&self) -> SessionKeys {
		SessionKeys {
			grandpa: self.ed25519.public().into(),
			babe: self.sr25519.public().into(),
			authority_discovery: self.sr25519.public().into(),
		}
	}
}

const ALICE: Validator = Validator {
	stash: Sr25519Keyring::AliceStash,
	sr25519: Sr25519Keyring::Alice,
	ed25519: Ed25519Keyring::Alice,
};
const BOB: Validator = Validator {
	stash: Sr25519Keyring::BobStash,
	sr25519: Sr25519Keyring::Bob,
	ed25519: Ed25519Keyring::Bob,
};
const CHARLIE: Validator = Validator {
	stash: Sr25519Keyring::CharlieStash,
	sr25519: Sr25519Keyring::Charlie,
	ed25519: Ed25519Keyring::Charlie,
};
const DAVE: Validator = Validator {
	stash: Sr25519Keyring::DaveStash,
	sr25519: Sr25519Keyring::Dave,
	ed25519: Ed25519Keyring::Dave,
};

/// Bounds on who may stake, apart from the runtime's own.
struct StakingLimits {
	validator_count: u32,
	min_validator_bond: Balance,
	min_nominator_bond: Balance,
	max_nominator_count: Option<u32>,
	max_pools: u32,
}

/// Lets tests stake with little.
const OPEN: StakingLimits = StakingLimits {
	validator_count: 10,
	min_validator_bond: SAND,
	min_nominator_bond: SAND,
	max_nominator_count: None,
	max_pools: 16,
};

/// Keeps the voter list to those whose votes an election can count.
const STRICT: StakingLimits = StakingLimits {
	validator_count: 50,
	min_validator_bond: 10_000 * SAND,
	min_nominator_bond: 100 * SAND,
	max_nominator_count: Some(20_000),
	max_pools: 64,
};

fn patch(
	validators: &[Validator],
	endowed: Vec<AccountId>,
	limits: StakingLimits,
	development_keys: bool,
) -> Value {
	build_struct_json_patch!(RuntimeGenesisConfig {
		balances: BalancesConfig {
			balances: endowed
				.into_iter()
				.map(|account| (account, ENDOWMENT))
				.collect::<Vec<_>>(),
		},
		session: SessionConfig {
			keys: validators
				.iter()
				.map(|validator| (validator.account(), validator.account(), validator.session_keys()))
				.collect::<Vec<_>>(),
		},
		staking: StakingConfig {
			validator_count: limits.validator_count,
			minimum_validator_count: 1,
			slash_reward_fraction: Perbill::from_percent(10),
			stakers: validators
				.iter()
				.map(|validator| {
					(
						validator.account(),
						validator.account(),
						STASH,
						StakerStatus::<AccountId>::Validator,
					)
				})
				.collect::<Vec<_>>(),
			min_validator_bond: limits.min_validator_bond,
			min_nominator_bond: limits.min_nominator_bond,
			max_validator_count: Some(crate::configs::staking::MaxElectableTargets::get()),
			max_nominator_count: limits.max_nominator_count,
		},
		models: ModelsConfig { development_keys },
		babe: BabeConfig {
			epoch_config: BABE_GENESIS_EPOCH_CONFIG
		},
		nomination_pools: NominationPoolsConfig {
			min_create_bond: limits.min_nominator_bond.saturating_mul(10),
			min_join_bond: SAND,
			max_pools: Some(limits.max_pools),
		},
	})
}

/// The JSON patch of a preset, over the runtime's default genesis; `None` for an unknown name.
pub fn get_preset(id: &PresetId) -> Option<Vec<u8>> {
	let everyone = || {
		Sr25519Keyring::well_known()
			.map(|key| key.to_account_id())
			.collect::<Vec<_>>()
	};
	let patch = match id.as_ref() {
		DEVELOPMENT => patch(&[ALICE], everyone(), OPEN, true),
		LOCAL => patch(&[ALICE, BOB, CHARLIE, DAVE], everyone(), OPEN, true),
		TESTNET => {
			let validators = [ALICE, BOB, CHARLIE, DAVE];
			let endowed = validators
				.iter()
				.flat_map(|validator| [validator.account(), validator.sr25519.to_account_id()])
				.collect();
			patch(&validators, endowed, STRICT, false)
		}
		_ => return None,
	};
	serde_json::to_vec(&patch).ok()
}

/// The presets that exist.
pub fn preset_names() -> Vec<PresetId> {
	vec![
		PresetId::from(DEVELOPMENT),
		PresetId::from(LOCAL),
		PresetId::from(TESTNET),
	]
}
