//! Weights of `pallet_models`, measured by `make weights`. Do not edit: the next run overwrites this file.
//!
//! Date 2026-12-01, 50 steps, 20 repeats, on Intel(R) Xeon(R) Processor, execution Compiled.

#![cfg_attr(rustfmt, rustfmt_skip)]
#![allow(unused_parens)]
#![allow(unused_imports)]
#![allow(missing_docs)]
#![allow(clippy::unnecessary_cast)]

use core::marker::PhantomData;
use frame_support::{traits::Get, weights::{constants::RocksDbWeight, Weight}};

/// The weight of every call and hook of the pallet.
pub trait WeightInfo {
	fn register_architecture(b: u32, ) -> Weight;
	fn remove_architecture() -> Weight;
	fn register_model() -> Weight;
	fn register_key() -> Weight;
	fn accept_key() -> Weight;
	fn reject_key() -> Weight;
	fn remove_key() -> Weight;
	fn set_royalty() -> Weight;
	fn set_artifacts() -> Weight;
	fn set_active() -> Weight;
	fn remove_model() -> Weight;
	fn register_family() -> Weight;
	fn remove_family() -> Weight;
	fn register_committed_model() -> Weight;
	fn activate_model() -> Weight;
	fn declare_training() -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	/// `b` ranges from 64 to 2560.
	fn register_architecture(b: u32, ) -> Weight {
		// Fastest of all runs: 80_734_000 picoseconds.
		Weight::from_parts(92_321_705, 3766)
			// Standard error: 54.
			.saturating_add(Weight::from_parts(11_364, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	fn remove_architecture() -> Weight {
		// Fastest of all runs: 68_171_000 picoseconds.
		Weight::from_parts(78_776_000, 3766)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn register_model() -> Weight {
		// Fastest of all runs: 88_881_000 picoseconds.
		Weight::from_parts(103_360_000, 4053)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn register_key() -> Weight {
		// Fastest of all runs: 1_055_939_000 picoseconds.
		Weight::from_parts(1_201_832_000, 4053)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	fn accept_key() -> Weight {
		// Fastest of all runs: 31_239_000 picoseconds.
		Weight::from_parts(46_902_000, 3648)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	fn reject_key() -> Weight {
		// Fastest of all runs: 29_749_000 picoseconds.
		Weight::from_parts(37_971_000, 3648)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn remove_key() -> Weight {
		// Fastest of all runs: 86_080_000 picoseconds.
		Weight::from_parts(101_483_000, 4053)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	fn set_royalty() -> Weight {
		// Fastest of all runs: 19_475_000 picoseconds.
		Weight::from_parts(23_615_000, 4053)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	fn set_artifacts() -> Weight {
		// Fastest of all runs: 20_160_000 picoseconds.
		Weight::from_parts(25_454_000, 4053)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	fn set_active() -> Weight {
		// Fastest of all runs: 19_456_000 picoseconds.
		Weight::from_parts(24_290_000, 4053)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Models::TrainedOn` (r:0 w:1)
	/// Proof: `Models::TrainedOn` (`max_values`: None, `max_size`: Some(2594), added: 5069, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn remove_model() -> Weight {
		// Fastest of all runs: 141_922_000 picoseconds.
		Weight::from_parts(169_066_000, 4053)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(8_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	/// Proof: `Models::RegistrationKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn register_family() -> Weight {
		// Fastest of all runs: 2_172_775_000 picoseconds.
		Weight::from_parts(2_372_920_000, 3766)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	/// Proof: `Models::RegistrationKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn remove_family() -> Weight {
		// Fastest of all runs: 98_233_000 picoseconds.
		Weight::from_parts(117_038_000, 3766)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:2 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn register_committed_model() -> Weight {
		// Fastest of all runs: 129_091_000 picoseconds.
		Weight::from_parts(217_324_000, 7116)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:0)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `Models::RegistrationKeys` (r:1 w:0)
	/// Proof: `Models::RegistrationKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn activate_model() -> Weight {
		// Fastest of all runs: 4_348_622_000 picoseconds.
		Weight::from_parts(5_417_045_000, 4983)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Dsm::Orders` (r:1 w:0)
	/// Proof: `Dsm::Orders` (`max_values`: None, `max_size`: Some(280), added: 2755, mode: `MaxEncodedLen`)
	/// Storage: `Models::TrainedOn` (r:1 w:1)
	/// Proof: `Models::TrainedOn` (`max_values`: None, `max_size`: Some(2594), added: 5069, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Dsm::DatasetEventCount` (r:1 w:1)
	/// Proof: `Dsm::DatasetEventCount` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
	/// Storage: `Dsm::DatasetEvents` (r:0 w:1)
	/// Proof: `Dsm::DatasetEvents` (`max_values`: None, `max_size`: Some(129), added: 2604, mode: `MaxEncodedLen`)
	fn declare_training() -> Weight {
		// Fastest of all runs: 165_391_000 picoseconds.
		Weight::from_parts(191_895_000, 6059)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
}

// Weights with RocksDB's costs, for tests.
impl WeightInfo for () {
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	/// `b` ranges from 64 to 2560.
	fn register_architecture(b: u32, ) -> Weight {
		// Fastest of all runs: 80_734_000 picoseconds.
		Weight::from_parts(92_321_705, 3766)
			// Standard error: 54.
			.saturating_add(Weight::from_parts(11_364, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	fn remove_architecture() -> Weight {
		// Fastest of all runs: 68_171_000 picoseconds.
		Weight::from_parts(78_776_000, 3766)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn register_model() -> Weight {
		// Fastest of all runs: 88_881_000 picoseconds.
		Weight::from_parts(103_360_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn register_key() -> Weight {
		// Fastest of all runs: 1_055_939_000 picoseconds.
		Weight::from_parts(1_201_832_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	fn accept_key() -> Weight {
		// Fastest of all runs: 31_239_000 picoseconds.
		Weight::from_parts(46_902_000, 3648)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	fn reject_key() -> Weight {
		// Fastest of all runs: 29_749_000 picoseconds.
		Weight::from_parts(37_971_000, 3648)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn remove_key() -> Weight {
		// Fastest of all runs: 86_080_000 picoseconds.
		Weight::from_parts(101_483_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	fn set_royalty() -> Weight {
		// Fastest of all runs: 19_475_000 picoseconds.
		Weight::from_parts(23_615_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	fn set_artifacts() -> Weight {
		// Fastest of all runs: 20_160_000 picoseconds.
		Weight::from_parts(25_454_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	fn set_active() -> Weight {
		// Fastest of all runs: 19_456_000 picoseconds.
		Weight::from_parts(24_290_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Models::TrainedOn` (r:0 w:1)
	/// Proof: `Models::TrainedOn` (`max_values`: None, `max_size`: Some(2594), added: 5069, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn remove_model() -> Weight {
		// Fastest of all runs: 141_922_000 picoseconds.
		Weight::from_parts(169_066_000, 4053)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(8_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	/// Proof: `Models::RegistrationKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn register_family() -> Weight {
		// Fastest of all runs: 2_172_775_000 picoseconds.
		Weight::from_parts(2_372_920_000, 3766)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	/// Proof: `Models::RegistrationKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn remove_family() -> Weight {
		// Fastest of all runs: 98_233_000 picoseconds.
		Weight::from_parts(117_038_000, 3766)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:2 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(96), added: 2571, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn register_committed_model() -> Weight {
		// Fastest of all runs: 129_091_000 picoseconds.
		Weight::from_parts(217_324_000, 7116)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:0)
	/// Proof: `Models::Families` (`max_values`: None, `max_size`: Some(183), added: 2658, mode: `MaxEncodedLen`)
	/// Storage: `Models::RegistrationKeys` (r:1 w:0)
	/// Proof: `Models::RegistrationKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn activate_model() -> Weight {
		// Fastest of all runs: 4_348_622_000 picoseconds.
		Weight::from_parts(5_417_045_000, 4983)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(588), added: 3063, mode: `MaxEncodedLen`)
	/// Storage: `Dsm::Orders` (r:1 w:0)
	/// Proof: `Dsm::Orders` (`max_values`: None, `max_size`: Some(280), added: 2755, mode: `MaxEncodedLen`)
	/// Storage: `Models::TrainedOn` (r:1 w:1)
	/// Proof: `Models::TrainedOn` (`max_values`: None, `max_size`: Some(2594), added: 5069, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Dsm::DatasetEventCount` (r:1 w:1)
	/// Proof: `Dsm::DatasetEventCount` (`max_values`: None, `max_size`: Some(20), added: 2495, mode: `MaxEncodedLen`)
	/// Storage: `Dsm::DatasetEvents` (r:0 w:1)
	/// Proof: `Dsm::DatasetEvents` (`max_values`: None, `max_size`: Some(129), added: 2604, mode: `MaxEncodedLen`)
	fn declare_training() -> Weight {
		// Fastest of all runs: 165_391_000 picoseconds.
		Weight::from_parts(191_895_000, 6059)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
}
