//! The checks that a runtime upgrade is tried with: migrations, that everything stored decodes, every pallet's invariants.

use frame_try_runtime::UpgradeCheckSelect;
use opensand_primitives::ModelId;

use super::preset_externalities;
use crate::{configs::RuntimeBlockWeights, Executive, Runtime};

#[test]
fn an_upgrade_of_each_chain_passes_its_checks() {
	for preset in ["development", "local", "testnet"] {
		preset_externalities(preset).execute_with(|| {
			let weight = Executive::try_runtime_upgrade(UpgradeCheckSelect::All)
				.unwrap_or_else(|error| panic!("{preset}: {error:?}"));
			assert!(weight.all_lte(RuntimeBlockWeights::get().max_block));
		});
	}
}

#[test]
fn an_upgrade_of_a_damaged_state_does_not() {
	preset_externalities("development").execute_with(|| {
		let unknown = ModelId::from([7; 32]);
		pallet_models::TrainedOn::<Runtime>::insert(
			unknown,
			opensand_primitives::models::TrainingSets::default(),
		);
		assert!(Executive::try_runtime_upgrade(UpgradeCheckSelect::All).is_err());
	});
}
