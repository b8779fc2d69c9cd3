//! On which stored data models were trained.

use frame_support::{ensure, traits::fungible::MutateHold};
use opensand_primitives::{
	models::{ModelRecord, TrainingSet},
	storage::DataView,
	ModelId, OrderId,
};
use sp_runtime::DispatchResult;

use crate::{Config, Error, Event, HoldReason, Models, Pallet, TrainedOn};

/// Bytes of an entry: the order's id and the digest.
const ENTRY_BYTES: usize = 40;

impl<T: Config> Pallet<T> {
	/// Enters a dataset for a model whose record this is.
	pub(crate) fn record_training(
		model: ModelId,
		mut record: ModelRecord,
		dataset: OrderId,
	) -> DispatchResult {
		let known = T::Data::owner(dataset).and_then(|_| T::Data::manifest(dataset));
		let manifest = known.ok_or(Error::<T>::UnknownDataset)?;
		ensure!(
			T::Data::may_train(dataset, &record.owner),
			Error::<T>::TrainingNotPermitted
		);
		let mut sets = TrainedOn::<T>::get(model);
		ensure!(
			sets.iter().all(|set| set.dataset != dataset),
			Error::<T>::TrainingDeclaredBefore
		);
		let items = u32::from(sets.is_empty());
		sets.try_push(TrainingSet { dataset, manifest })
			.map_err(|_| Error::<T>::TooManyTrainingSets)?;

		let deposit = Self::deposit(items, ENTRY_BYTES);
		T::Currency::hold(&HoldReason::ModelDeposit.into(), &record.owner, deposit)?;
		record.deposit = record.deposit.saturating_add(deposit);
		T::Data::record_use(dataset, &record.owner, model.0);
		Models::<T>::insert(model, record);
		TrainedOn::<T>::insert(model, sets);
		Self::deposit_event(Event::TrainingDeclared {
			model,
			dataset,
			manifest,
		});
		Ok(())
	}
}
