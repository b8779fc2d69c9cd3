//! Windows, parameters, and the price floor.

use frame_support::{ensure, traits::Get};
use opensand_primitives::{
	storage::{StorageTerms, WindowIndex},
	Balance, BlockNumber,
};
use opensand_storage_proof::PossessionScheme;
use sp_runtime::{
	traits::{Saturating, UniqueSaturatedInto},
	DispatchResult, Perbill,
};

use crate::{Config, Error, Event, MarketParameters, Pallet, Parameters, PriceFloor, Supply, TotalSupply};

/// The price floor of the next window: it moves by `step` times the distance of utilisation from its target, and by at
/// least one unit where there is a distance.
fn next_floor(floor: Balance, supply: Supply, parameters: &MarketParameters) -> Balance {
	let (lowest, highest) = (parameters.price_min, parameters.price_max);
	let floor = floor.clamp(lowest, highest);
	if supply.quota == 0 {
		return floor;
	}
	let utilisation = Perbill::from_rational(supply.committed, supply.quota);
	let target = parameters.target_utilisation;
	let change = |distance: Perbill| {
		let whole = parameters.price_step.saturating_mul(distance).mul_floor(floor);
		whole.max(u128::from(!distance.is_zero()))
	};
	let next = if utilisation > target {
		floor.saturating_add(change(utilisation.saturating_sub(target)))
	} else {
		floor.saturating_sub(change(target.saturating_sub(utilisation)))
	};
	next.clamp(lowest, highest)
}

impl<T: Config> Pallet<T> {
	/// The current block's number.
	pub(crate) fn now() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().unique_saturated_into()
	}

	/// The current window.
	pub(crate) fn window() -> WindowIndex {
		Self::now().checked_div(T::WindowBlocks::get()).unwrap_or(0)
	}

	/// The last block of a window.
	pub(crate) fn last_block_of(window: WindowIndex) -> BlockNumber {
		window
			.saturating_add(1)
			.saturating_mul(T::WindowBlocks::get())
			.saturating_sub(1)
	}

	/// The least price that an order may offer now.
	pub(crate) fn price_floor(parameters: &MarketParameters) -> Balance {
		PriceFloor::<T>::get()
			.unwrap_or(parameters.price_min)
			.clamp(parameters.price_min, parameters.price_max)
	}

	/// Moves the price floor towards the target utilisation.
	pub(crate) fn adjust_price() {
		let parameters = Parameters::<T>::get();
		let present = Self::price_floor(&parameters);
		let floor = next_floor(present, TotalSupply::<T>::get(), &parameters);
		if PriceFloor::<T>::get() != Some(floor) {
			PriceFloor::<T>::put(floor);
			Self::deposit_event(Event::PriceFloorChanged { floor });
		}
	}

	/// Whether parameters are within their bounds.
	pub(crate) fn check_parameters(parameters: &MarketParameters) -> bool {
		let proof_bytes = T::Possession::proof_bound(parameters.samples);
		let remembered = T::BlockHashCount::get().unique_saturated_into();
		parameters.are_within_bounds(proof_bytes, remembered)
	}

	pub(crate) fn change_parameters(parameters: MarketParameters) -> DispatchResult {
		ensure!(
			Self::check_parameters(&parameters),
			Error::<T>::ParametersOutOfBounds
		);
		Parameters::<T>::put(&parameters);
		Self::deposit_event(Event::ParametersSet { parameters });
		Ok(())
	}

	pub(crate) fn terms_now() -> StorageTerms {
		let parameters = Parameters::<T>::get();
		StorageTerms {
			window: Self::window(),
			window_blocks: T::WindowBlocks::get(),
			price_floor: Self::price_floor(&parameters),
			collateral_per_mib: parameters.collateral_per_mib,
			samples: parameters.samples,
			activation_blocks: parameters.activation_blocks,
			placing_blocks: parameters.placing_blocks,
			repair_blocks: parameters.repair_blocks,
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::mock::InitialParameters;

	fn floor(floor: Balance, committed: u128) -> Balance {
		let parameters = MarketParameters {
			target_utilisation: Perbill::from_percent(60),
			price_step: Perbill::from_percent(10),
			price_min: 100,
			price_max: 10_000,
			..InitialParameters::get()
		};
		let supply = Supply {
			quota: 1_000,
			committed,
		};
		next_floor(floor, supply, &parameters)
	}

	#[test]
	fn the_floor_moves_with_the_distance_from_the_target() {
		// 10 % of the distance of 40 % up, of 60 % down.
		assert_eq!(floor(1_000, 1_000), 1_040);
		assert_eq!(floor(1_000, 0), 940);
		assert_eq!(floor(1_000, 800), 1_020);
		assert_eq!(floor(1_000, 600), 1_000);
		assert_eq!(floor(1_000, 610), 1_001);
	}

	#[test]
	fn the_floor_never_sticks_and_never_leaves_its_bounds() {
		assert_eq!(floor(101, 601), 102);
		assert_eq!(floor(101, 599), 100);
		assert_eq!(floor(100, 0), 100);
		assert_eq!(floor(10_000, 1_000), 10_000);
		assert_eq!(floor(0, 600), 100);
		assert_eq!(floor(Balance::MAX, 600), 10_000);
	}

	#[test]
	fn more_than_all_is_all() {
		assert_eq!(floor(1_000, 5_000), floor(1_000, 1_000));
	}

	#[test]
	fn a_market_without_supply_keeps_its_floor() {
		let parameters = InitialParameters::get();
		let present = parameters.price_min + 1;
		assert_eq!(next_floor(present, Supply::default(), &parameters), present);
	}
}
