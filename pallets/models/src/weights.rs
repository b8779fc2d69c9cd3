//! Weights of `pallet_models`, measured by `make weights`. Do not edit: the next run overwrites this file.
//!
//! Date 2026-11-21, 50 steps, 20 repeats, on AMD EPYC, execution Compiled.

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
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	/// `b` ranges from 64 to 2560.
	fn register_architecture(b: u32, ) -> Weight {
		// Fastest of all runs: 47_711_000 picoseconds.
		Weight::from_parts(50_044_376, 3676)
			// Standard error: 6.
			.saturating_add(Weight::from_parts(5_068, 0).saturating_mul(b.into()))
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	fn remove_architecture() -> Weight {
		// Fastest of all runs: 39_969_000 picoseconds.
		Weight::from_parts(41_923_000, 3676)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn register_model() -> Weight {
		// Fastest of all runs: 52_228_000 picoseconds.
		Weight::from_parts(54_501_000, 3922)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn register_key() -> Weight {
		// Fastest of all runs: 860_264_000 picoseconds.
		Weight::from_parts(923_935_000, 3922)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	fn accept_key() -> Weight {
		// An estimate until `make weights` measures it.
		// Fastest of all runs: 23_404_000 picoseconds.
		Weight::from_parts(28_733_000, 3579)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	fn reject_key() -> Weight {
		// An estimate until `make weights` measures it.
		// Fastest of all runs: 22_564_000 picoseconds.
		Weight::from_parts(28_503_000, 3579)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(49992), added: 52467, mode: `MaxEncodedLen`)
	fn remove_key() -> Weight {
		// Fastest of all runs: 67_791_000 picoseconds.
		Weight::from_parts(73_921_000, 3922)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	fn set_royalty() -> Weight {
		// Fastest of all runs: 9_725_000 picoseconds.
		Weight::from_parts(10_446_000, 3922)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	fn set_artifacts() -> Weight {
		// Fastest of all runs: 10_105_000 picoseconds.
		Weight::from_parts(11_076_000, 3922)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	fn set_active() -> Weight {
		// Fastest of all runs: 9_804_000 picoseconds.
		Weight::from_parts(10_806_000, 3922)
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(49992), added: 52467, mode: `MaxEncodedLen`)
	fn remove_model() -> Weight {
		// Fastest of all runs: 105_387_000 picoseconds.
		Weight::from_parts(112_698_000, 3922)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(7_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Storage: `Models::DevelopmentKeys` (r:1 w:0)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	fn register_family() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(1_870_000_000, 3922)
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	fn remove_family() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(90_000_000, 3922)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Storage: `Models::Models` (r:2 w:1)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	fn register_committed_model() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(75_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads(6_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Storage: `Models::Families` (r:1 w:0)
	/// Storage: `Models::RegistrationKeys` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn activate_model() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(5_600_000_000, 3993)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Storage: `Dsm::Orders` (r:1 w:0)
	/// Storage: `Dsm::Grants` (r:2 w:0)
	/// Storage: `Models::TrainedOn` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Dsm::DatasetEventCount` (r:1 w:1)
	/// Storage: `Dsm::DatasetEvents` (r:0 w:1)
	fn declare_training() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(120_000_000, 6000)
			.saturating_add(T::DbWeight::get().reads(8_u64))
			.saturating_add(T::DbWeight::get().writes(6_u64))
	}
}

// Weights with RocksDB's costs, for tests.
impl WeightInfo for () {
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	/// `b` ranges from 64 to 2560.
	fn register_architecture(b: u32, ) -> Weight {
		// Fastest of all runs: 47_711_000 picoseconds.
		Weight::from_parts(50_044_376, 3676)
			// Standard error: 6.
			.saturating_add(Weight::from_parts(5_068, 0).saturating_mul(b.into()))
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::ArchitectureBytes` (r:0 w:1)
	/// Proof: `Models::ArchitectureBytes` (`max_values`: None, `max_size`: Some(65572), added: 68047, mode: `MaxEncodedLen`)
	fn remove_architecture() -> Weight {
		// Fastest of all runs: 39_969_000 picoseconds.
		Weight::from_parts(41_923_000, 3676)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn register_model() -> Weight {
		// Fastest of all runs: 52_228_000 picoseconds.
		Weight::from_parts(54_501_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	fn register_key() -> Weight {
		// Fastest of all runs: 860_264_000 picoseconds.
		Weight::from_parts(923_935_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	fn accept_key() -> Weight {
		// An estimate until `make weights` measures it.
		// Fastest of all runs: 23_404_000 picoseconds.
		Weight::from_parts(28_733_000, 3579)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Families` (r:1 w:1)
	fn reject_key() -> Weight {
		// An estimate until `make weights` measures it.
		// Fastest of all runs: 22_564_000 picoseconds.
		Weight::from_parts(28_503_000, 3579)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(49992), added: 52467, mode: `MaxEncodedLen`)
	fn remove_key() -> Weight {
		// Fastest of all runs: 67_791_000 picoseconds.
		Weight::from_parts(73_921_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(5_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	fn set_royalty() -> Weight {
		// Fastest of all runs: 9_725_000 picoseconds.
		Weight::from_parts(10_446_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	fn set_artifacts() -> Weight {
		// Fastest of all runs: 10_105_000 picoseconds.
		Weight::from_parts(11_076_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	fn set_active() -> Weight {
		// Fastest of all runs: 9_804_000 picoseconds.
		Weight::from_parts(10_806_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:1)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	/// Proof: `Models::ModelsOf` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(49992), added: 52467, mode: `MaxEncodedLen`)
	fn remove_model() -> Weight {
		// Fastest of all runs: 105_387_000 picoseconds.
		Weight::from_parts(112_698_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(7_u64))
	}
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Storage: `Models::Families` (r:1 w:1)
	/// Storage: `Models::DevelopmentKeys` (r:1 w:0)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	fn register_family() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(1_870_000_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Storage: `Models::VerifyingKeys` (r:0 w:1)
	/// Storage: `Models::RegistrationKeys` (r:0 w:1)
	fn remove_family() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(90_000_000, 3922)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Families` (r:1 w:1)
	/// Storage: `Models::Models` (r:2 w:1)
	/// Storage: `Models::Architectures` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Models::ModelsOf` (r:0 w:1)
	fn register_committed_model() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(75_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads(6_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Storage: `Models::Families` (r:1 w:0)
	/// Storage: `Models::RegistrationKeys` (r:1 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	fn activate_model() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(5_600_000_000, 3993)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Storage: `Dsm::Orders` (r:1 w:0)
	/// Storage: `Dsm::Grants` (r:2 w:0)
	/// Storage: `Models::TrainedOn` (r:1 w:1)
	/// Storage: `System::Account` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Storage: `Dsm::DatasetEventCount` (r:1 w:1)
	/// Storage: `Dsm::DatasetEvents` (r:0 w:1)
	fn declare_training() -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(120_000_000, 6000)
			.saturating_add(RocksDbWeight::get().reads(8_u64))
			.saturating_add(RocksDbWeight::get().writes(6_u64))
	}
}
