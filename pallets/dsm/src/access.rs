//! Who may read a dataset, who may train on it, and the record of what was done with it.

use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{fungible::MutateHold, Get},
};
use opensand_primitives::{
	storage::{DataView, DatasetEvent, DatasetOperation, Grant, OrderStatus, Visibility},
	AccountId, OrderId,
};
use sp_runtime::{DispatchError, DispatchResult};

use crate::{
	AccessKeys, Config, DatasetEventCount, DatasetEvents, Error, Event, GrantEntry, Grants, HoldReason,
	LicenceOf, Order, Orders, Pallet, SealedKey,
};

impl<T: Config> Pallet<T> {
	/// Enters what was done into a dataset's record.
	pub(crate) fn record_event(id: OrderId, by: &AccountId, operation: DatasetOperation) {
		let entry = DatasetEventCount::<T>::get(id);
		let event = DatasetEvent {
			block: Self::now(),
			by: by.clone(),
			operation: operation.clone(),
		};
		DatasetEvents::<T>::insert(id, entry, event);
		DatasetEventCount::<T>::insert(id, entry.saturating_add(1));
		Self::deposit_event(Event::DatasetRecorded {
			order: id,
			entry,
			by: by.clone(),
			operation,
		});
	}

	pub(crate) fn put_access_key(account: AccountId, key: [u8; 32]) -> DispatchResult {
		ensure!(key != [0; 32], Error::<T>::InvalidAccessKey);
		AccessKeys::<T>::insert(&account, key);
		Self::deposit_event(Event::AccessKeySet { account, key });
		Ok(())
	}

	/// An order of `signer`'s that is not lost.
	fn owned_dataset(signer: &AccountId, id: OrderId) -> Result<Order, DispatchError> {
		let order = Self::owned_order(signer, id)?;
		ensure!(order.record.status != OrderStatus::Lost, Error::<T>::OrderLost);
		Ok(order)
	}

	/// Notes the file key that an owner sealed to itself. It takes no deposit, for the order's covers it.
	pub(crate) fn insert_own_grant(id: OrderId, owner: &AccountId, sealed_key: SealedKey) {
		let grant = Grant {
			sealed_key,
			training: true,
			granted_at: Self::now(),
			sold: None,
		};
		let entry = GrantEntry {
			grant,
			by: owner.clone(),
			deposit: 0,
		};
		Grants::<T>::insert(id, owner, entry);
	}

	pub(crate) fn put_grant(
		signer: AccountId,
		id: OrderId,
		grantee: AccountId,
		sealed_key: SealedKey,
		training: bool,
	) -> DispatchResult {
		let order = Self::owned_dataset(&signer, id)?;
		ensure!(!sealed_key.is_empty(), Error::<T>::EmptySealedKey);
		if grantee == signer {
			Self::insert_own_grant(id, &signer, sealed_key);
		} else {
			ensure!(AccessKeys::<T>::contains_key(&grantee), Error::<T>::NoAccessKey);
			ensure!(
				!training || order.record.terms.training,
				Error::<T>::TrainingNotAllowed
			);
			if LicenceOf::<T>::contains_key(id, &grantee) {
				let sold = Grants::<T>::contains_key(id, &grantee);
				return Err(if sold {
					Error::<T>::GrantWasSold.into()
				} else {
					Error::<T>::SalesPending.into()
				});
			}
			let deposit = match Grants::<T>::get(id, &grantee) {
				Some(present) => present.deposit,
				None => {
					let deposit = T::DepositPerItem::get();
					T::Currency::hold(&HoldReason::Deposit.into(), &signer, deposit)?;
					deposit
				}
			};
			let grant = Grant {
				sealed_key,
				training,
				granted_at: Self::now(),
				sold: None,
			};
			let entry = GrantEntry {
				grant,
				by: signer.clone(),
				deposit,
			};
			Grants::<T>::insert(id, &grantee, entry);
		}
		Self::record_event(id, &signer, DatasetOperation::Granted { grantee, training });
		Ok(())
	}

	pub(crate) fn remove_grant(signer: AccountId, id: OrderId, grantee: AccountId) -> DispatchResult {
		let entry = Grants::<T>::get(id, &grantee).ok_or(Error::<T>::NoGrant)?;
		ensure!(entry.by == signer, Error::<T>::NotOwner);
		ensure!(grantee != signer, Error::<T>::OwnGrant);
		ensure!(entry.grant.sold.is_none(), Error::<T>::GrantWasSold);
		Grants::<T>::remove(id, &grantee);
		Self::give_back(HoldReason::Deposit, &signer, entry.deposit);
		Self::record_event(id, &signer, DatasetOperation::Revoked { grantee });
		Ok(())
	}

	pub(crate) fn change_access(
		signer: AccountId,
		id: OrderId,
		visibility: Visibility,
		training: bool,
	) -> DispatchResult {
		let mut order = Self::owned_dataset(&signer, id)?;
		order.record.terms.visibility = visibility;
		order.record.terms.training = training;
		Orders::<T>::insert(id, order);
		Self::record_event(id, &signer, DatasetOperation::Changed { visibility, training });
		Ok(())
	}

	pub(crate) fn access_of(id: OrderId, grantee: &AccountId) -> Option<Grant> {
		let own = Grants::<T>::get(id, grantee);
		own.or_else(|| {
			let record = Orders::<T>::get(id)?.record;
			let public = record.terms.visibility == Visibility::Public;
			public.then(|| Grants::<T>::get(id, record.owner))?
		})
		.map(|entry| entry.grant)
	}

	pub(crate) fn grantees_of(id: OrderId, limit: u32) -> Vec<AccountId> {
		Grants::<T>::iter_prefix(id)
			.filter(|(grantee, entry)| entry.by != *grantee)
			.map(|(grantee, _)| grantee)
			.take(limit as usize)
			.collect()
	}

	pub(crate) fn events_from(id: OrderId, from: u32, limit: u32) -> Vec<DatasetEvent> {
		let to = from.saturating_add(limit).min(DatasetEventCount::<T>::get(id));
		(from..to)
			.filter_map(|entry| DatasetEvents::<T>::get(id, entry))
			.collect()
	}
}

impl<T: Config> DataView<AccountId> for Pallet<T> {
	fn owner(order: OrderId) -> Option<AccountId> {
		Orders::<T>::get(order)
			.map(|order| order.record)
			.filter(|record| record.status != OrderStatus::Lost)
			.map(|record| record.owner)
	}

	/// Reads every shard and its provider: at most 80 of each.
	fn is_available(order: OrderId) -> bool {
		Self::is_whole(order)
	}

	/// The owner always may. Others may if the dataset allows training and they have access with that permission, or if
	/// it is public. Who has bought the permission keeps it whatever the owner allows later.
	fn may_train(order: OrderId, account: &AccountId) -> bool {
		let Some(record) = Orders::<T>::get(order).map(|order| order.record) else {
			return false;
		};
		if record.status == OrderStatus::Lost {
			return false;
		}
		let granted = || {
			Self::access_of(order, account)
				.is_some_and(|grant| grant.training && (record.terms.training || grant.sold.is_some()))
		};
		record.owner == *account || granted()
	}

	fn manifest(order: OrderId) -> Option<[u8; 32]> {
		Orders::<T>::get(order).map(|order| order.record.terms.manifest)
	}

	fn record_use(order: OrderId, by: &AccountId, purpose: [u8; 32]) {
		if Orders::<T>::contains_key(order) {
			let by = by.clone();
			Self::record_event(order, &by.clone(), DatasetOperation::Used { by, purpose });
		}
	}
}
