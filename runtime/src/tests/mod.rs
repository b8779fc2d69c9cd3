//! What holds for the composed runtime, whatever its pallets do.

mod blocks;
mod chain;
mod composition;
mod decoding;
mod genesis;
mod governance;
mod limits;
mod proxies;
mod staking;
mod training;
#[cfg(feature = "try-runtime")]
mod upgrade;

use frame_support::genesis_builder_helper::build_state;
use sp_genesis_builder::PresetId;

use crate::{RuntimeGenesisConfig, System};

/// The state that a preset's chain starts with, in block 1.
fn preset_externalities(preset: &str) -> sp_io::TestExternalities {
	let mut externalities = sp_io::TestExternalities::new_empty();
	externalities.execute_with(|| {
		let patch = crate::genesis::get_preset(&PresetId::from(preset)).expect("the preset exists");
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("defaults serialise");
		merge(
			&mut config,
			serde_json::from_slice(&patch).expect("a preset is JSON"),
		);
		build_state::<RuntimeGenesisConfig>(serde_json::to_vec(&config).expect("JSON serialises"))
			.expect("the preset builds");
		System::set_block_number(1);
	});
	externalities
}

/// Lays a JSON patch over a value, as chain specs do.
fn merge(value: &mut serde_json::Value, patch: serde_json::Value) {
	match (value, patch) {
		(serde_json::Value::Object(fields), serde_json::Value::Object(patch)) => {
			for (name, patch) in patch {
				merge(fields.entry(name).or_insert(serde_json::Value::Null), patch);
			}
		}
		(value, patch) => *value = patch,
	}
}
