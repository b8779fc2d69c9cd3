//! How money moves: out of holds, into pots and out of them.
//!
//! None of this fails for want of an account. What its payee cannot receive goes to the treasury if it was a penalty, and
//! stays where it was if it was a payment, so that one missing account never stands in the way of others.

use frame_support::traits::{
	fungible::{Balanced, BalancedHold, Inspect, Mutate, MutateHold},
	tokens::{Fortitude, Precision, Preservation, Restriction},
	Get, OnUnbalanced,
};
use opensand_primitives::{storage::OrderTerms, AccountId, Balance};
use sp_runtime::{
	helpers_128bit::multiply_by_rational_with_rounding, traits::AccountIdConversion, DispatchResult, Perbill,
	Rounding,
};

use crate::{types::MIB, Config, HoldReason, Pallet, Provider};

/// What a provider lost of its collateral.
#[derive(Clone, Copy, Default)]
pub(crate) struct Forfeit {
	/// All of it.
	pub taken: Balance,
	/// The part that went to the payee and not to the treasury.
	pub received: Balance,
}

/// MiB that a shard is reckoned as.
fn mib(bytes: u64) -> Balance {
	bytes.div_ceil(MIB).into()
}

impl<T: Config> Pallet<T> {
	/// The account that keeps the pots.
	pub fn account_id() -> AccountId {
		T::PalletId::get().into_account_truncating()
	}

	/// What a shard earns in a proven window; `None` if it does not fit.
	pub(crate) fn pay_per_window(terms: &OrderTerms) -> Option<Balance> {
		terms.price.checked_mul(mib(terms.shard_bytes))
	}

	/// What all shards of an order can earn in `windows` windows; `None` if it does not fit.
	pub(crate) fn pay_for(terms: &OrderTerms, windows: u32) -> Option<Balance> {
		Self::pay_per_window(terms)?
			.checked_mul(terms.code.total.into())?
			.checked_mul(windows.into())
	}

	/// Collateral that a shard of this size reserves now. It saturates only far above what `accept` can find.
	pub(crate) fn collateral_for(collateral_per_mib: Balance, bytes: u64) -> Balance {
		collateral_per_mib.saturating_mul(mib(bytes))
	}

	/// What is left of the collateral that a provider once reserved with `reserve`, after the faults that it paid for.
	pub(crate) fn worth_of_reserve(provider: &Provider, reserve: Balance) -> Balance {
		let (collateral, reserved) = (provider.record.collateral, provider.record.reserved);
		if collateral >= reserved {
			return reserve.min(collateral);
		}
		multiply_by_rational_with_rounding(collateral, reserve, reserved, Rounding::Down)
			.unwrap_or(0)
			.min(collateral)
	}

	/// Pays `amount` of an owner's escrow; returns what was paid, which is nothing where the payee cannot receive it.
	pub(crate) fn pay_from_escrow(owner: &AccountId, payee: &AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		T::Currency::transfer_on_hold(
			&HoldReason::Escrow.into(),
			owner,
			payee,
			amount,
			Precision::BestEffort,
			Restriction::Free,
			Fortitude::Force,
		)
		.unwrap_or(0)
	}

	/// Holds a tip from `signer` on the owner's account, beside the escrow.
	pub(crate) fn hold_tip(signer: &AccountId, owner: &AccountId, tip: Balance) -> DispatchResult {
		let reason = HoldReason::Escrow.into();
		if signer == owner {
			return T::Currency::hold(&reason, owner, tip);
		}
		T::Currency::transfer_and_hold(
			&reason,
			signer,
			owner,
			tip,
			Precision::Exact,
			Preservation::Preserve,
			Fortitude::Polite,
		)
		.map(drop)
	}

	/// Gives back what was held for `reason`.
	pub(crate) fn give_back(reason: HoldReason, who: &AccountId, amount: Balance) {
		if amount == 0 {
			return;
		}
		let released = T::Currency::release(&reason.into(), who, amount, Precision::BestEffort);
		frame_support::defensive_assert!(
			released == Ok(amount),
			"what was held can be given back to whom it was held from"
		);
	}

	/// Takes `share` of what a reserve is worth from its provider and gives it to `payee`, or if there is none, or if it
	/// cannot receive it, to the treasury. Returns what was taken, and what of it `payee` got.
	pub(crate) fn forfeit(
		who: &AccountId,
		provider: &mut Provider,
		reserve: Balance,
		share: Perbill,
		payee: Option<&AccountId>,
	) -> Forfeit {
		let taken = share.mul_ceil(Self::worth_of_reserve(provider, reserve));
		if taken == 0 {
			return Forfeit::default();
		}
		let received = payee.map_or(0, |payee| {
			T::Currency::transfer_on_hold(
				&HoldReason::Collateral.into(),
				who,
				payee,
				taken,
				Precision::BestEffort,
				Restriction::Free,
				Fortitude::Force,
			)
			.unwrap_or(0)
		});
		let rest = taken.saturating_sub(received);
		if rest > 0 {
			Self::slash_to_treasury(who, rest);
		}
		provider.record.collateral = provider.record.collateral.saturating_sub(taken);
		Forfeit { taken, received }
	}

	/// Takes `amount` of a provider's held collateral for the treasury.
	pub(crate) fn slash_to_treasury(who: &AccountId, amount: Balance) {
		let (credit, missing) = T::Currency::slash(&HoldReason::Collateral.into(), who, amount);
		frame_support::defensive_assert!(missing == 0, "collateral is held");
		T::Treasury::on_unbalanced(credit);
	}

	/// Pays `amount` out of the pallet's account. If its payee cannot receive it, the treasury does.
	pub(crate) fn pay_from_pot(payee: &AccountId, amount: Balance) -> Balance {
		if amount == 0 {
			return 0;
		}
		let account = Self::account_id();
		if T::Currency::transfer(&account, payee, amount, Preservation::Preserve).is_ok() {
			return amount;
		}
		let withdrawn = T::Currency::withdraw(
			&account,
			amount,
			Precision::BestEffort,
			Preservation::Preserve,
			Fortitude::Force,
		);
		if let Ok(credit) = withdrawn {
			T::Treasury::on_unbalanced(credit);
		}
		0
	}

	/// What an owner is held for the room of an order's shards with these numbers of segments.
	pub(crate) fn order_deposit(segments: impl Iterator<Item = usize>) -> Balance {
		segments.fold(0, |sum: Balance, count| {
			let bytes = (count as Balance).saturating_mul(32);
			sum.saturating_add(T::DepositPerItem::get())
				.saturating_add(T::DepositPerByte::get().saturating_mul(bytes))
		})
	}

	/// The least collateral of a provider.
	pub(crate) fn minimum_collateral(collateral_per_mib: Balance) -> Balance {
		collateral_per_mib.max(T::Currency::minimum_balance())
	}
}
