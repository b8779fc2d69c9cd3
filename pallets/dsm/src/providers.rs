//! Providers: their terms, collateral, and how they come and go.

use frame_support::{
	ensure,
	traits::{
		fungible::{InspectHold, MutateHold},
		Get,
	},
};
use opensand_primitives::{
	storage::{ProviderRecord, ProviderStatus, ProviderTerms, Region, WindowIndex},
	AccountId, Balance,
};
use sp_runtime::{DispatchError, DispatchResult};

use crate::{
	types::HISTORY_WINDOWS, Config, Error, Event, History, HoldReason, Pallet, Parameters, Provider,
	ProviderAt, ProviderCount, ProviderOfAgent, Providers, QueueRange, StruckRegions, TotalSupply, TreeState,
};

impl<T: Config> Pallet<T> {
	/// The provider that `signer` is, or is the agent of.
	pub(crate) fn provider_of(signer: &AccountId) -> Result<AccountId, DispatchError> {
		if Providers::<T>::contains_key(signer) {
			return Ok(signer.clone());
		}
		ProviderOfAgent::<T>::get(signer).ok_or_else(|| Error::<T>::UnknownProvider.into())
	}

	/// Judges a provider, changes it, and keeps the totals of supply. Not to be called within itself for one provider.
	pub(crate) fn try_mutate_provider<R>(
		who: &AccountId,
		change: impl FnOnce(&mut Provider) -> Result<R, DispatchError>,
	) -> Result<R, DispatchError> {
		let mut provider = Providers::<T>::get(who).ok_or(Error::<T>::UnknownProvider)?;
		let before = provider.supply();
		Self::judge(who, &mut provider);
		let result = change(&mut provider)?;
		let after = provider.supply();
		if before != after {
			TotalSupply::<T>::mutate(|total| {
				total.quota = total
					.quota
					.saturating_add(after.quota)
					.saturating_sub(before.quota);
				total.committed = total
					.committed
					.saturating_add(after.committed)
					.saturating_sub(before.committed);
			});
		}
		Providers::<T>::insert(who, provider);
		Ok(result)
	}

	/// As [`try_mutate_provider`](Self::try_mutate_provider), for a change that cannot fail of a provider that there is.
	pub(crate) fn mutate_provider<R: Default>(who: &AccountId, change: impl FnOnce(&mut Provider) -> R) -> R {
		Self::try_mutate_provider(who, |provider| Ok(change(provider))).unwrap_or_else(|_| {
			frame_support::defensive!("a shard's provider is registered");
			R::default()
		})
	}

	/// The provider as it stands when the window before has been judged.
	pub(crate) fn judged_provider(who: &AccountId) -> Result<Provider, DispatchError> {
		Self::try_mutate_provider(who, |provider| Ok(provider.clone()))
	}

	/// Checks regions and agent of new terms.
	fn check_terms(who: &AccountId, terms: &ProviderTerms) -> DispatchResult {
		ensure!(are_distinct(&terms.regions), Error::<T>::InvalidRegion);
		for region in &terms.regions {
			ensure!(
				!StruckRegions::<T>::contains_key(who, region),
				Error::<T>::RegionStruck
			);
		}
		let agent = &terms.agent;
		let taken = ProviderOfAgent::<T>::get(agent).is_some_and(|other| other != *who);
		let provider = agent != who && Providers::<T>::contains_key(agent);
		ensure!(!taken && !provider, Error::<T>::AgentInUse);
		Ok(())
	}

	pub(crate) fn add_provider(who: AccountId, terms: ProviderTerms, collateral: Balance) -> DispatchResult {
		ensure!(!Providers::<T>::contains_key(&who), Error::<T>::AlreadyRegistered);
		ensure!(!ProviderOfAgent::<T>::contains_key(&who), Error::<T>::AgentInUse);
		Self::check_terms(&who, &terms)?;
		ensure!(terms.quota > 0, Error::<T>::QuotaTooSmall);
		let minimum = Self::minimum_collateral(Parameters::<T>::get().collateral_per_mib);
		ensure!(collateral >= minimum, Error::<T>::CollateralTooSmall);
		let place = ProviderCount::<T>::get();
		let most = T::JudgedPerBlock::get().saturating_mul(T::WindowBlocks::get());
		ensure!(place < most, Error::<T>::TooManyProviders);

		T::Currency::hold(&HoldReason::Collateral.into(), &who, collateral)?;
		let window = Self::window();
		ProviderCount::<T>::put(place.saturating_add(1));
		ProviderAt::<T>::insert(place, &who);
		ProviderOfAgent::<T>::insert(&terms.agent, &who);
		let (agent, quota) = (terms.agent.clone(), terms.quota);
		let provider = Provider {
			record: ProviderRecord {
				terms,
				collateral,
				reserved: 0,
				committed: 0,
				status: ProviderStatus::Active,
				proven: window,
				faults: 0,
			},
			place,
			judged: window,
			answered: None,
			disturbed: None,
			tree: TreeState::default(),
			waiting: QueueRange::default(),
			proofs: Self::remembered_proofs(&who, window),
			draining_since: None,
		};
		TotalSupply::<T>::mutate(|total| total.quota = total.quota.saturating_add(quota.into()));
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::ProviderRegistered {
			provider: who,
			agent,
			quota,
			collateral,
		});
		Ok(())
	}

	/// Proofs that the history's present entry already tells of, where leaving did not clear all of it.
	fn remembered_proofs(who: &AccountId, window: WindowIndex) -> u32 {
		window
			.checked_div(HISTORY_WINDOWS)
			.and_then(|entry| History::<T>::get(who, entry))
			.map_or(0, |entry| entry.proofs_before(HISTORY_WINDOWS))
	}

	pub(crate) fn change_provider(who: AccountId, terms: ProviderTerms) -> DispatchResult {
		Self::try_mutate_provider(&who, |provider| {
			Self::check_terms(&who, &terms)?;
			let record = &mut provider.record;
			ensure!(
				terms.quota > 0 && terms.quota >= record.committed,
				Error::<T>::QuotaTooSmall
			);
			let given_up = record
				.terms
				.regions
				.iter()
				.any(|region| !terms.regions.contains(region));
			ensure!(record.committed == 0 || !given_up, Error::<T>::RegionInUse);
			if record.terms.agent != terms.agent {
				ProviderOfAgent::<T>::remove(&record.terms.agent);
				ProviderOfAgent::<T>::insert(&terms.agent, &who);
			}
			record.terms = terms;
			Ok(())
		})?;
		Self::deposit_event(Event::ProviderUpdated { provider: who });
		Ok(())
	}

	pub(crate) fn raise_collateral(who: AccountId, amount: Balance) -> DispatchResult {
		Self::try_mutate_provider(&who, |provider| {
			let collateral = &mut provider.record.collateral;
			*collateral = collateral.checked_add(amount).ok_or(Error::<T>::Overflow)?;
			T::Currency::hold(&HoldReason::Collateral.into(), &who, amount)
		})?;
		Self::deposit_event(Event::CollateralAdded {
			provider: who,
			amount,
		});
		Ok(())
	}

	pub(crate) fn lower_collateral(who: AccountId, amount: Balance) -> DispatchResult {
		Self::try_mutate_provider(&who, |provider| {
			ensure!(!provider.is_jailed(), Error::<T>::Jailed);
			let record = &mut provider.record;
			let minimum = Self::minimum_collateral(Parameters::<T>::get().collateral_per_mib);
			let left = record
				.collateral
				.checked_sub(amount)
				.filter(|left| *left >= record.reserved && *left >= minimum)
				.ok_or(Error::<T>::CollateralReserved)?;
			record.collateral = left;
			Self::give_back(HoldReason::Collateral, &who, amount);
			Ok(())
		})?;
		Self::deposit_event(Event::CollateralWithdrawn {
			provider: who,
			amount,
		});
		Ok(())
	}

	pub(crate) fn begin_exit(who: AccountId) -> DispatchResult {
		let now = Self::now();
		Self::try_mutate_provider(&who, |provider| {
			match provider.record.status {
				ProviderStatus::Active => (),
				ProviderStatus::Draining => return Err(Error::<T>::AlreadyDraining.into()),
				ProviderStatus::Jailed { .. } => return Err(Error::<T>::Jailed.into()),
			}
			provider.record.status = ProviderStatus::Draining;
			provider.draining_since = Some(now);
			Ok(())
		})?;
		let exit_from = now.saturating_add(Parameters::<T>::get().exit_blocks);
		Self::deposit_event(Event::ProviderDraining {
			provider: who,
			exit_from,
		});
		Ok(())
	}

	pub(crate) fn remove_provider(who: AccountId) -> DispatchResult {
		let provider = Self::judged_provider(&who)?;
		let since = match (provider.record.status, provider.draining_since) {
			(ProviderStatus::Draining, Some(since)) => since,
			(ProviderStatus::Jailed { .. }, _) => return Err(Error::<T>::Jailed.into()),
			_ => return Err(Error::<T>::NotDraining.into()),
		};
		let exit_from = since.saturating_add(Parameters::<T>::get().exit_blocks);
		ensure!(Self::now() >= exit_from, Error::<T>::ExitTooEarly);
		ensure!(provider.record.committed == 0, Error::<T>::ShardsHeld);
		// What is still in the tree has no shard any more; its removal waits for an answer.
		ensure!(
			provider.tree.shards == 0 && provider.waiting.is_empty(),
			Error::<T>::ChangesWaiting
		);
		// Whatever else is held for the reason would be a drift; all of it is the provider's.
		let collateral = T::Currency::balance_on_hold(&HoldReason::Collateral.into(), &who);
		Self::give_back(HoldReason::Collateral, &who, collateral);
		Self::vacate_place(provider.place);
		ProviderOfAgent::<T>::remove(&provider.record.terms.agent);
		Self::clear_history(&who);
		Providers::<T>::remove(&who);
		Self::deposit_event(Event::ProviderExited {
			provider: who,
			collateral,
		});
		Ok(())
	}

	/// Gives a place to the last provider in the order of judging, which is judged now: its turn in this window may be
	/// over at that place.
	fn vacate_place(place: u32) {
		let last = ProviderCount::<T>::get().saturating_sub(1);
		ProviderCount::<T>::put(last);
		let moved = ProviderAt::<T>::take(last).filter(|_| last != place);
		if let Some(moved) = moved {
			Self::mutate_provider(&moved, |provider| provider.place = place);
			ProviderAt::<T>::insert(place, moved);
		}
	}

	pub(crate) fn release_provider(who: AccountId) -> DispatchResult {
		Self::try_mutate_provider(&who, |provider| {
			let ProviderStatus::Jailed { until } = provider.record.status else {
				return Err(Error::<T>::NotJailed.into());
			};
			ensure!(Self::now() >= until, Error::<T>::JailedStill);
			ensure!(provider.record.committed == 0, Error::<T>::ShardsHeld);
			// A provider that drained before goes on draining.
			provider.record.status = match provider.draining_since {
				None => ProviderStatus::Active,
				Some(_) => ProviderStatus::Draining,
			};
			provider.record.faults = 0;
			// What the tree still has is asked for from the next window on at the earliest.
			provider.tree.changed = Self::window();
			Ok(())
		})?;
		Self::deposit_event(Event::ProviderUnjailed { provider: who });
		Ok(())
	}

	pub(crate) fn strike(who: AccountId, region: Region) -> DispatchResult {
		Self::try_mutate_provider(&who, |provider| {
			let regions = &mut provider.record.terms.regions;
			ensure!(regions.contains(&region), Error::<T>::RegionNotDeclared);
			regions.retain(|declared| *declared != region);
			Ok(())
		})?;
		StruckRegions::<T>::insert(&who, region, ());
		Self::deposit_event(Event::RegionStruck {
			provider: who,
			region,
		});
		Ok(())
	}
}

/// Whether all are valid tags, none twice.
pub(crate) fn are_distinct(regions: &[Region]) -> bool {
	(1..)
		.zip(regions)
		.all(|(next, region)| region.is_valid() && regions.iter().skip(next).all(|other| other != region))
}
