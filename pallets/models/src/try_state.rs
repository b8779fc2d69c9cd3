//! The registry's invariants.

use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use opensand_primitives::{models::ModelWeights, AccountId, ArchitectureId, Balance, KeyId};
use sp_runtime::TryRuntimeError;

use crate::{
	ArchitectureBytes, Architectures, Config, Families, HoldReason, Keys, Models, ModelsOf, Pallet,
	RegistrationKeys, TrainedOn, VerifyingKeys,
};

impl<T: Config> Pallet<T> {
	/// Checks that records, bytes and indices agree with each other, and that for every account what is held under
	/// each reason is exactly what the records say.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		let architectures = Self::try_state_architectures()?;
		let mut keys = Self::try_state_keys()?;
		Self::try_state_families(&mut keys)?;
		let models = Self::try_state_models()?;
		Self::check_holds(HoldReason::ArchitectureDeposit, &architectures)?;
		Self::check_holds(HoldReason::KeyDeposit, &keys)?;
		Self::check_holds(HoldReason::ModelDeposit, &models)
	}

	fn check_holds(reason: HoldReason, owed: &BTreeMap<AccountId, Balance>) -> Result<(), TryRuntimeError> {
		let reason = reason.into();
		let accounts = frame_system::Account::<T>::iter_keys().chain(owed.keys().cloned());
		for account in accounts {
			let held = T::Currency::balance_on_hold(&reason, &account);
			ensure!(
				held == owed.get(&account).copied().unwrap_or(0),
				"what is held is not what is owed"
			);
		}
		Ok(())
	}

	fn try_state_architectures() -> Result<BTreeMap<AccountId, Balance>, TryRuntimeError> {
		let mut models = BTreeMap::<ArchitectureId, u32>::new();
		for record in Models::<T>::iter_values() {
			let count = models.entry(record.architecture).or_default();
			*count = count.saturating_add(1);
		}
		let mut families = BTreeMap::<ArchitectureId, u32>::new();
		for record in Families::<T>::iter_values() {
			let count = families.entry(record.architecture).or_default();
			*count = count.saturating_add(1);
		}
		let mut owed = BTreeMap::new();
		for (id, record) in Architectures::<T>::iter() {
			let bytes = ArchitectureBytes::<T>::get(id).ok_or("an architecture without bytes")?;
			ensure!(
				sp_io::hashing::blake2_256(&bytes) == id.0,
				"an architecture's id is not its hash"
			);
			let count = models.remove(&id).unwrap_or(0);
			ensure!(record.models == count, "an architecture miscounts its models");
			let count = families.remove(&id).unwrap_or(0);
			ensure!(record.families == count, "an architecture miscounts its families");
			add(&mut owed, record.depositor, record.deposit);
		}
		ensure!(models.is_empty(), "a model without architecture");
		ensure!(families.is_empty(), "a family without architecture");
		let (records, bytes) = (
			Architectures::<T>::iter_keys().count(),
			ArchitectureBytes::<T>::iter_keys().count(),
		);
		ensure!(records == bytes, "bytes without an architecture");
		Ok(owed)
	}

	fn try_state_keys() -> Result<BTreeMap<AccountId, Balance>, TryRuntimeError> {
		let mut owed = BTreeMap::new();
		for (id, record) in Keys::<T>::iter() {
			let bytes = VerifyingKeys::<T>::get(id).ok_or("a key without bytes")?;
			ensure!(
				sp_io::hashing::blake2_256(&bytes) == id.0,
				"a key's id is not its hash"
			);
			let model = Models::<T>::get(record.model).ok_or("a key without model")?;
			ensure!(model.key == Some(id), "a key that its model does not name");
			ensure!(
				model.weights == ModelWeights::Constant,
				"a key of its own for committed weights"
			);
			add(&mut owed, model.owner, record.deposit);
		}
		let (records, families, bytes) = (
			Keys::<T>::iter_keys().count(),
			Families::<T>::iter_keys().count(),
			VerifyingKeys::<T>::iter_keys().count(),
		);
		ensure!(
			records.saturating_add(families) == bytes,
			"bytes without a key or family"
		);
		Ok(owed)
	}

	fn try_state_families(owed: &mut BTreeMap<AccountId, Balance>) -> Result<(), TryRuntimeError> {
		let mut models = BTreeMap::<KeyId, u32>::new();
		for record in Models::<T>::iter_values() {
			if record.weights == ModelWeights::Constant {
				continue;
			}
			let family = record.key.ok_or("committed weights without family")?;
			let count = models.entry(family).or_default();
			*count = count.saturating_add(1);
			let family = Families::<T>::get(family).ok_or("a model whose family does not exist")?;
			ensure!(
				family.architecture == record.architecture
					&& family.input_visibility == record.input_visibility,
				"a model that its family is not for"
			);
		}
		for (id, record) in Families::<T>::iter() {
			let hash = |bytes: &[u8]| KeyId::from(sp_io::hashing::blake2_256(bytes));
			let inference = VerifyingKeys::<T>::get(id).ok_or("a family without inference key")?;
			ensure!(hash(&inference) == id, "a family's id is not its key's");
			let registration = RegistrationKeys::<T>::get(id).ok_or("a family without registration key")?;
			ensure!(
				hash(&registration) == record.registration,
				"a registration key's id is not its hash"
			);
			let count = models.remove(&id).unwrap_or(0);
			ensure!(record.models == count, "a family miscounts its models");
			add(owed, record.depositor, record.deposit);
		}
		let (records, bytes) = (
			Families::<T>::iter_keys().count(),
			RegistrationKeys::<T>::iter_keys().count(),
		);
		ensure!(records == bytes, "a registration key without family");
		Ok(())
	}

	fn try_state_models() -> Result<BTreeMap<AccountId, Balance>, TryRuntimeError> {
		let mut owed = BTreeMap::new();
		for (id, record) in Models::<T>::iter() {
			ensure!(
				ModelsOf::<T>::contains_key(&record.owner, id),
				"a model that its owner's index lacks"
			);
			if let (ModelWeights::Constant, Some(key)) = (&record.weights, record.key) {
				ensure!(Keys::<T>::contains_key(key), "a model whose key does not exist");
			}
			ensure!(
				record.open_uses == 0 || (record.key.is_some() && record.weights.are_known()),
				"a model in use without key or commitment"
			);
			add(&mut owed, record.owner, record.deposit);
		}
		for (id, sets) in TrainedOn::<T>::iter() {
			ensure!(
				Models::<T>::contains_key(id),
				"training of a model that does not exist"
			);
			let datasets: BTreeSet<_> = sets.iter().map(|set| set.dataset).collect();
			ensure!(
				!sets.is_empty() && datasets.len() == sets.len(),
				"a dataset that a model is trained on twice, or none"
			);
		}
		let (records, index) = (
			Models::<T>::iter_keys().count(),
			ModelsOf::<T>::iter_keys().count(),
		);
		ensure!(
			records == index,
			"an owner's index names a model that does not exist"
		);
		Ok(owed)
	}
}

fn add(owed: &mut BTreeMap<AccountId, Balance>, account: AccountId, amount: Balance) {
	let sum = owed.entry(account).or_default();
	*sum = sum.saturating_add(amount);
}
