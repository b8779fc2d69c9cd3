//! Weights of `pallet_inference`, measured by `make weights`. Do not edit: the next run overwrites this file.
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
	fn register_worker() -> Weight;
	fn update_worker() -> Weight;
	fn add_bond() -> Weight;
	fn offer_model(w: u32, ) -> Weight;
	fn withdraw_offer(w: u32, ) -> Weight;
	fn deregister_worker(o: u32, w: u32, ) -> Weight;
	fn withdraw_bond() -> Weight;
	fn request_inference(b: u32, w: u32, ) -> Weight;
	fn cancel_request() -> Weight;
	fn submit_result(w: u32, ) -> Weight;
	fn authorize_submit_result() -> Weight;
	fn decline_request() -> Weight;
	fn authorize_decline_request() -> Weight;
	fn expire_due(r: u32, ) -> Weight;
	fn purge_receipts(r: u32, ) -> Weight;
	fn submit_results(n: u32, w: u32, ) -> Weight;
	fn submit_results_of_keys(k: u32, ) -> Weight;
	fn submit_results_singly(n: u32, w: u32, ) -> Weight;
	fn authorize_submit_results(n: u32, ) -> Weight;
}

/// Weights with the runtime's own database costs.
pub struct SubstrateWeight<T>(PhantomData<T>);
impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::WorkerOfKey` (r:1 w:1)
	/// Proof: `Inference::WorkerOfKey` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	fn register_worker() -> Weight {
		// Fastest of all runs: 47_861_000 picoseconds.
		Weight::from_parts(50_085_000, 5287)
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::WorkerOfKey` (r:1 w:2)
	/// Proof: `Inference::WorkerOfKey` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn update_worker() -> Weight {
		// Fastest of all runs: 20_521_000 picoseconds.
		Weight::from_parts(21_913_000, 5287)
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	fn add_bond() -> Weight {
		// Fastest of all runs: 52_088_000 picoseconds.
		Weight::from_parts(53_981_000, 5287)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:0)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:1 w:1)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// `w` ranges from 1 to 64.
	fn offer_model(w: u32, ) -> Weight {
		// Fastest of all runs: 35_563_000 picoseconds.
		Weight::from_parts(51_742_090, 5551)
			// Standard error: 15_983.
			.saturating_add(Weight::from_parts(41_016, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(5_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:1 w:1)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// `w` ranges from 1 to 64.
	fn withdraw_offer(w: u32, ) -> Weight {
		// Fastest of all runs: 24_717_000 picoseconds.
		Weight::from_parts(36_423_669, 5551)
			// Standard error: 11_337.
			.saturating_add(Weight::from_parts(97_112, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(2_u64))
			.saturating_add(T::DbWeight::get().writes(2_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:32 w:32)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// `o` ranges from 1 to 32.
	/// `w` ranges from 1 to 64.
	fn deregister_worker(o: u32, w: u32, ) -> Weight {
		// Fastest of all runs: 16_595_000 picoseconds.
		Weight::from_parts(17_036_000, 5287)
			// Standard error: 5_372.
			.saturating_add(Weight::from_parts(4_607_131, 0).saturating_mul(o.into()))
			// Standard error: 2_683.
			.saturating_add(Weight::from_parts(97_032, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((1_u64).saturating_mul(o.into())))
			.saturating_add(Weight::from_parts(0, 4561).saturating_mul(o.into()))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::WorkerOfKey` (r:0 w:1)
	/// Proof: `Inference::WorkerOfKey` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn withdraw_bond() -> Weight {
		// Fastest of all runs: 41_372_000 picoseconds.
		Weight::from_parts(43_254_000, 5287)
			.saturating_add(T::DbWeight::get().reads(3_u64))
			.saturating_add(T::DbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:1 w:1)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:64 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::NextRequestId` (r:1 w:1)
	/// Proof: `Inference::NextRequestId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:21 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:1 w:1)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:1)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:0 w:1)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Requests` (r:0 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// `b` ranges from 8 to 12288.
	/// `w` ranges from 1 to 64.
	fn request_inference(b: u32, w: u32, ) -> Weight {
		// Fastest of all runs: 168_491_000 picoseconds.
		Weight::from_parts(171_629_712, 70059)
			// Standard error: 97.
			.saturating_add(Weight::from_parts(292, 0).saturating_mul(b.into()))
			// Standard error: 18_896.
			.saturating_add(Weight::from_parts(4_269_677, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(29_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(w.into())))
			.saturating_add(T::DbWeight::get().writes(11_u64))
			.saturating_add(Weight::from_parts(0, 4297).saturating_mul(w.into()))
	}
	/// Storage: `Inference::Requests` (r:1 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:22 w:2)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	fn cancel_request() -> Weight {
		// Fastest of all runs: 75_102_000 picoseconds.
		Weight::from_parts(80_119_000, 73348)
			.saturating_add(T::DbWeight::get().reads(23_u64))
			.saturating_add(T::DbWeight::get().writes(3_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:1 w:0)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:1 w:1)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:1 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:1 w:1)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:4 w:3)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:1)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:0 w:1)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:1)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// `w` ranges from 2 to 398.
	fn submit_result(w: u32, ) -> Weight {
		// An estimate for committed weights until `make weights` measures it. Fastest without: 3_812_098_000 picoseconds.
		Weight::from_parts(5_500_000_000, 16060)
			// Standard error: 76_417.
			.saturating_add(Weight::from_parts(929_253, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(14_u64))
			.saturating_add(T::DbWeight::get().writes(14_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:0)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:0)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_submit_result() -> Weight {
		// Fastest of all runs: 65_788_000 picoseconds.
		Weight::from_parts(76_224_000, 5287)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:1 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:1 w:1)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:3 w:3)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:1)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:0 w:1)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:1)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:0 w:1)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	fn decline_request() -> Weight {
		// Fastest of all runs: 128_541_000 picoseconds.
		Weight::from_parts(141_831_000, 8799)
			.saturating_add(T::DbWeight::get().reads(11_u64))
			.saturating_add(T::DbWeight::get().writes(15_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:0)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:0)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_decline_request() -> Weight {
		// Fastest of all runs: 49_063_000 picoseconds.
		Weight::from_parts(52_438_000, 5287)
			.saturating_add(T::DbWeight::get().reads(3_u64))
	}
	/// Storage: `Inference::Deadlines` (r:1 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Requests` (r:100 w:100)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:100 w:100)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:100 w:100)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:201 w:201)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:200 w:200)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:100)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:0 w:100)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:100)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:0 w:100)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	/// `r` ranges from 0 to 100.
	fn expire_due(r: u32, ) -> Weight {
		// Fastest of all runs: 4_026_000 picoseconds.
		Weight::from_parts(4_216_000, 4279)
			// Standard error: 78_071.
			.saturating_add(Weight::from_parts(107_381_737, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads((7_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(4_u64))
			.saturating_add(T::DbWeight::get().writes((11_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 5372).saturating_mul(r.into()))
	}
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:256 w:256)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:256 w:256)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// `r` ranges from 0 to 256.
	fn purge_receipts(r: u32, ) -> Weight {
		// Fastest of all runs: 4_507_000 picoseconds.
		Weight::from_parts(4_677_000, 1501)
			// Standard error: 3_818.
			.saturating_add(Weight::from_parts(8_031_976, 0).saturating_mul(r.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(T::DbWeight::get().writes(1_u64))
			.saturating_add(T::DbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 4642).saturating_mul(r.into()))
	}
	/// Storage: `Inference::Requests` (r:64 w:64)
	/// Storage: `Models::VerifyingKeys` (r:64 w:0)
	/// Storage: `Inference::Inputs` (r:64 w:64)
	/// Storage: `Models::Models` (r:64 w:64)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `Inference::Deadlines` (r:64 w:64)
	/// Storage: `Inference::Assigned` (r:64 w:64)
	/// Storage: `Inference::Workers` (r:64 w:64)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:128 w:128)
	/// Storage: `System::Account` (r:194 w:194)
	/// Storage: `Inference::RequestsOf` (r:0 w:64)
	/// Storage: `Inference::Receipts` (r:0 w:64)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:64)
	/// `n` ranges from 1 to 64.
	/// `w` ranges from 2 to 398.
	fn submit_results(n: u32, w: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(4_500_000_000, 4000)
			.saturating_add(Weight::from_parts(1_900_000_000, 15070).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(929_253, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads((12_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((13_u64).saturating_mul(n.into())))
	}
	/// Storage: `Inference::Requests` (r:64 w:64)
	/// Storage: `Models::VerifyingKeys` (r:64 w:0)
	/// Storage: `Inference::Inputs` (r:64 w:64)
	/// Storage: `Models::Models` (r:64 w:64)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `Inference::Deadlines` (r:64 w:64)
	/// Storage: `Inference::Assigned` (r:64 w:64)
	/// Storage: `Inference::Workers` (r:64 w:64)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:128 w:128)
	/// Storage: `System::Account` (r:194 w:194)
	/// Storage: `Inference::RequestsOf` (r:0 w:64)
	/// Storage: `Inference::Receipts` (r:0 w:64)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:64)
	/// `k` ranges from 1 to 64.
	fn submit_results_of_keys(k: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(124_000_000_000, 964480)
			.saturating_add(Weight::from_parts(2_600_000_000, 3993).saturating_mul(k.into()))
			.saturating_add(T::DbWeight::get().reads(772_u64))
			.saturating_add(T::DbWeight::get().reads((1_u64).saturating_mul(k.into())))
			.saturating_add(T::DbWeight::get().writes(835_u64))
	}
	/// Storage: `Inference::Requests` (r:64 w:64)
	/// Storage: `Models::VerifyingKeys` (r:64 w:0)
	/// Storage: `Inference::Inputs` (r:64 w:64)
	/// Storage: `Models::Models` (r:64 w:64)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `Inference::Deadlines` (r:64 w:64)
	/// Storage: `Inference::Assigned` (r:64 w:64)
	/// Storage: `Inference::Workers` (r:64 w:64)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:128 w:128)
	/// Storage: `System::Account` (r:194 w:194)
	/// Storage: `Inference::RequestsOf` (r:0 w:64)
	/// Storage: `Inference::Receipts` (r:0 w:64)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:64)
	/// `n` ranges from 1 to 64.
	/// `w` ranges from 2 to 398.
	fn submit_results_singly(n: u32, w: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(4_500_000_000, 4000)
			.saturating_add(Weight::from_parts(7_600_000_000, 19063).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(1_858_506, 0).saturating_mul(w.into()))
			.saturating_add(T::DbWeight::get().reads(4_u64))
			.saturating_add(T::DbWeight::get().reads((13_u64).saturating_mul(n.into())))
			.saturating_add(T::DbWeight::get().writes(3_u64))
			.saturating_add(T::DbWeight::get().writes((13_u64).saturating_mul(n.into())))
	}
	/// Storage: `Inference::Requests` (r:64 w:0)
	/// Storage: `Inference::Workers` (r:64 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// `n` ranges from 1 to 64.
	fn authorize_submit_results(n: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(10_000_000, 2519)
			.saturating_add(Weight::from_parts(70_000_000, 7029).saturating_mul(n.into()))
			.saturating_add(T::DbWeight::get().reads(1_u64))
			.saturating_add(T::DbWeight::get().reads((2_u64).saturating_mul(n.into())))
	}
}

// Weights with RocksDB's costs, for tests.
impl WeightInfo for () {
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::WorkerOfKey` (r:1 w:1)
	/// Proof: `Inference::WorkerOfKey` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	fn register_worker() -> Weight {
		// Fastest of all runs: 47_861_000 picoseconds.
		Weight::from_parts(50_085_000, 5287)
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::WorkerOfKey` (r:1 w:2)
	/// Proof: `Inference::WorkerOfKey` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn update_worker() -> Weight {
		// Fastest of all runs: 20_521_000 picoseconds.
		Weight::from_parts(21_913_000, 5287)
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	fn add_bond() -> Weight {
		// Fastest of all runs: 52_088_000 picoseconds.
		Weight::from_parts(53_981_000, 5287)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:0)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:1 w:1)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// `w` ranges from 1 to 64.
	fn offer_model(w: u32, ) -> Weight {
		// Fastest of all runs: 35_563_000 picoseconds.
		Weight::from_parts(51_742_090, 5551)
			// Standard error: 15_983.
			.saturating_add(Weight::from_parts(41_016, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(5_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:1 w:1)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// `w` ranges from 1 to 64.
	fn withdraw_offer(w: u32, ) -> Weight {
		// Fastest of all runs: 24_717_000 picoseconds.
		Weight::from_parts(36_423_669, 5551)
			// Standard error: 11_337.
			.saturating_add(Weight::from_parts(97_112, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(2_u64))
			.saturating_add(RocksDbWeight::get().writes(2_u64))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:32 w:32)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// `o` ranges from 1 to 32.
	/// `w` ranges from 1 to 64.
	fn deregister_worker(o: u32, w: u32, ) -> Weight {
		// Fastest of all runs: 16_595_000 picoseconds.
		Weight::from_parts(17_036_000, 5287)
			// Standard error: 5_372.
			.saturating_add(Weight::from_parts(4_607_131, 0).saturating_mul(o.into()))
			// Standard error: 2_683.
			.saturating_add(Weight::from_parts(97_032, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(o.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((1_u64).saturating_mul(o.into())))
			.saturating_add(Weight::from_parts(0, 4561).saturating_mul(o.into()))
	}
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::WorkerOfKey` (r:0 w:1)
	/// Proof: `Inference::WorkerOfKey` (`max_values`: None, `max_size`: Some(80), added: 2555, mode: `MaxEncodedLen`)
	fn withdraw_bond() -> Weight {
		// Fastest of all runs: 41_372_000 picoseconds.
		Weight::from_parts(43_254_000, 5287)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
	}
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Models::Keys` (r:1 w:0)
	/// Proof: `Models::Keys` (`max_values`: None, `max_size`: Some(114), added: 2589, mode: `MaxEncodedLen`)
	/// Storage: `Models::Architectures` (r:1 w:0)
	/// Proof: `Models::Architectures` (`max_values`: None, `max_size`: Some(92), added: 2567, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Providers` (r:1 w:1)
	/// Proof: `Inference::Providers` (`max_values`: None, `max_size`: Some(2086), added: 4561, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:64 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:1 w:1)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::NextRequestId` (r:1 w:1)
	/// Proof: `Inference::NextRequestId` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:21 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:1 w:1)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:1)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:0 w:1)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Requests` (r:0 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// `b` ranges from 8 to 12288.
	/// `w` ranges from 1 to 64.
	fn request_inference(b: u32, w: u32, ) -> Weight {
		// Fastest of all runs: 168_491_000 picoseconds.
		Weight::from_parts(171_629_712, 70059)
			// Standard error: 97.
			.saturating_add(Weight::from_parts(292, 0).saturating_mul(b.into()))
			// Standard error: 18_896.
			.saturating_add(Weight::from_parts(4_269_677, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(29_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(w.into())))
			.saturating_add(RocksDbWeight::get().writes(11_u64))
			.saturating_add(Weight::from_parts(0, 4297).saturating_mul(w.into()))
	}
	/// Storage: `Inference::Requests` (r:1 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:22 w:2)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	fn cancel_request() -> Weight {
		// Fastest of all runs: 75_102_000 picoseconds.
		Weight::from_parts(80_119_000, 73348)
			.saturating_add(RocksDbWeight::get().reads(23_u64))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Models::VerifyingKeys` (r:1 w:0)
	/// Proof: `Models::VerifyingKeys` (`max_values`: None, `max_size`: Some(1518), added: 3993, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:1 w:1)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:1 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:1 w:1)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:1 w:1)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(301), added: 2776, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:4 w:3)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:1)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:0 w:1)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:1)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// `w` ranges from 2 to 398.
	fn submit_result(w: u32, ) -> Weight {
		// An estimate for committed weights until `make weights` measures it. Fastest without: 3_812_098_000 picoseconds.
		Weight::from_parts(5_500_000_000, 16060)
			// Standard error: 76_417.
			.saturating_add(Weight::from_parts(929_253, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(14_u64))
			.saturating_add(RocksDbWeight::get().writes(14_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:0)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:0)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_submit_result() -> Weight {
		// Fastest of all runs: 65_788_000 picoseconds.
		Weight::from_parts(76_224_000, 5287)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:1)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Deadlines` (r:1 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:1 w:1)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:1)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:3 w:3)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:2 w:2)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:1)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:0 w:1)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:1)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:0 w:1)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	fn decline_request() -> Weight {
		// Fastest of all runs: 128_541_000 picoseconds.
		Weight::from_parts(141_831_000, 8799)
			.saturating_add(RocksDbWeight::get().reads(11_u64))
			.saturating_add(RocksDbWeight::get().writes(15_u64))
	}
	/// Storage: `Inference::Requests` (r:1 w:0)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:1 w:0)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Proof: `System::BlockHash` (`max_values`: None, `max_size`: Some(44), added: 2519, mode: `MaxEncodedLen`)
	fn authorize_decline_request() -> Weight {
		// Fastest of all runs: 49_063_000 picoseconds.
		Weight::from_parts(52_438_000, 5287)
			.saturating_add(RocksDbWeight::get().reads(3_u64))
	}
	/// Storage: `Inference::Deadlines` (r:1 w:1)
	/// Proof: `Inference::Deadlines` (`max_values`: None, `max_size`: Some(814), added: 3289, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Requests` (r:100 w:100)
	/// Proof: `Inference::Requests` (`max_values`: None, `max_size`: Some(257), added: 2732, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Assigned` (r:100 w:100)
	/// Proof: `Inference::Assigned` (`max_values`: None, `max_size`: Some(305), added: 2780, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Workers` (r:100 w:100)
	/// Proof: `Inference::Workers` (`max_values`: None, `max_size`: Some(1822), added: 4297, mode: `MaxEncodedLen`)
	/// Storage: `Models::Models` (r:1 w:1)
	/// Proof: `Models::Models` (`max_values`: None, `max_size`: Some(457), added: 2932, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `System::Account` (r:201 w:201)
	/// Proof: `System::Account` (`max_values`: None, `max_size`: Some(128), added: 2603, mode: `MaxEncodedLen`)
	/// Storage: `Balances::Holds` (r:200 w:200)
	/// Proof: `Balances::Holds` (`max_values`: None, `max_size`: Some(211), added: 2686, mode: `MaxEncodedLen`)
	/// Storage: `Inference::RequestsOf` (r:0 w:100)
	/// Proof: `Inference::RequestsOf` (`max_values`: None, `max_size`: Some(64), added: 2539, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:0 w:100)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:100)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Inputs` (r:0 w:100)
	/// Proof: `Inference::Inputs` (`max_values`: None, `max_size`: Some(12595), added: 15070, mode: `MaxEncodedLen`)
	/// `r` ranges from 0 to 100.
	fn expire_due(r: u32, ) -> Weight {
		// Fastest of all runs: 4_026_000 picoseconds.
		Weight::from_parts(4_216_000, 4279)
			// Standard error: 78_071.
			.saturating_add(Weight::from_parts(107_381_737, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads((7_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(4_u64))
			.saturating_add(RocksDbWeight::get().writes((11_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 5372).saturating_mul(r.into()))
	}
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Proof: `Inference::ReceiptQueueRange` (`max_values`: Some(1), `max_size`: Some(16), added: 511, mode: `MaxEncodedLen`)
	/// Storage: `Inference::ReceiptQueue` (r:256 w:256)
	/// Proof: `Inference::ReceiptQueue` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	/// Storage: `Inference::Receipts` (r:256 w:256)
	/// Proof: `Inference::Receipts` (`max_values`: None, `max_size`: Some(2167), added: 4642, mode: `MaxEncodedLen`)
	/// `r` ranges from 0 to 256.
	fn purge_receipts(r: u32, ) -> Weight {
		// Fastest of all runs: 4_507_000 picoseconds.
		Weight::from_parts(4_677_000, 1501)
			// Standard error: 3_818.
			.saturating_add(Weight::from_parts(8_031_976, 0).saturating_mul(r.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(r.into())))
			.saturating_add(RocksDbWeight::get().writes(1_u64))
			.saturating_add(RocksDbWeight::get().writes((2_u64).saturating_mul(r.into())))
			.saturating_add(Weight::from_parts(0, 4642).saturating_mul(r.into()))
	}
	/// Storage: `Inference::Requests` (r:64 w:64)
	/// Storage: `Models::VerifyingKeys` (r:64 w:0)
	/// Storage: `Inference::Inputs` (r:64 w:64)
	/// Storage: `Models::Models` (r:64 w:64)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `Inference::Deadlines` (r:64 w:64)
	/// Storage: `Inference::Assigned` (r:64 w:64)
	/// Storage: `Inference::Workers` (r:64 w:64)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:128 w:128)
	/// Storage: `System::Account` (r:194 w:194)
	/// Storage: `Inference::RequestsOf` (r:0 w:64)
	/// Storage: `Inference::Receipts` (r:0 w:64)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:64)
	/// `n` ranges from 1 to 64.
	/// `w` ranges from 2 to 398.
	fn submit_results(n: u32, w: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(4_500_000_000, 4000)
			.saturating_add(Weight::from_parts(1_900_000_000, 15070).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(929_253, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads((12_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((13_u64).saturating_mul(n.into())))
	}
	/// Storage: `Inference::Requests` (r:64 w:64)
	/// Storage: `Models::VerifyingKeys` (r:64 w:0)
	/// Storage: `Inference::Inputs` (r:64 w:64)
	/// Storage: `Models::Models` (r:64 w:64)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `Inference::Deadlines` (r:64 w:64)
	/// Storage: `Inference::Assigned` (r:64 w:64)
	/// Storage: `Inference::Workers` (r:64 w:64)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:128 w:128)
	/// Storage: `System::Account` (r:194 w:194)
	/// Storage: `Inference::RequestsOf` (r:0 w:64)
	/// Storage: `Inference::Receipts` (r:0 w:64)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:64)
	/// `k` ranges from 1 to 64.
	fn submit_results_of_keys(k: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(124_000_000_000, 964480)
			.saturating_add(Weight::from_parts(2_600_000_000, 3993).saturating_mul(k.into()))
			.saturating_add(RocksDbWeight::get().reads(772_u64))
			.saturating_add(RocksDbWeight::get().reads((1_u64).saturating_mul(k.into())))
			.saturating_add(RocksDbWeight::get().writes(835_u64))
	}
	/// Storage: `Inference::Requests` (r:64 w:64)
	/// Storage: `Models::VerifyingKeys` (r:64 w:0)
	/// Storage: `Inference::Inputs` (r:64 w:64)
	/// Storage: `Models::Models` (r:64 w:64)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// Storage: `Inference::Deadlines` (r:64 w:64)
	/// Storage: `Inference::Assigned` (r:64 w:64)
	/// Storage: `Inference::Workers` (r:64 w:64)
	/// Storage: `Inference::ReceiptQueueRange` (r:1 w:1)
	/// Storage: `Balances::Holds` (r:128 w:128)
	/// Storage: `System::Account` (r:194 w:194)
	/// Storage: `Inference::RequestsOf` (r:0 w:64)
	/// Storage: `Inference::Receipts` (r:0 w:64)
	/// Storage: `Inference::ReceiptQueue` (r:0 w:64)
	/// `n` ranges from 1 to 64.
	/// `w` ranges from 2 to 398.
	fn submit_results_singly(n: u32, w: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(4_500_000_000, 4000)
			.saturating_add(Weight::from_parts(7_600_000_000, 19063).saturating_mul(n.into()))
			.saturating_add(Weight::from_parts(1_858_506, 0).saturating_mul(w.into()))
			.saturating_add(RocksDbWeight::get().reads(4_u64))
			.saturating_add(RocksDbWeight::get().reads((13_u64).saturating_mul(n.into())))
			.saturating_add(RocksDbWeight::get().writes(3_u64))
			.saturating_add(RocksDbWeight::get().writes((13_u64).saturating_mul(n.into())))
	}
	/// Storage: `Inference::Requests` (r:64 w:0)
	/// Storage: `Inference::Workers` (r:64 w:0)
	/// Storage: `System::BlockHash` (r:1 w:0)
	/// `n` ranges from 1 to 64.
	fn authorize_submit_results(n: u32, ) -> Weight {
		// An estimate until `make weights` measures it.
		Weight::from_parts(10_000_000, 2519)
			.saturating_add(Weight::from_parts(70_000_000, 7029).saturating_mul(n.into()))
			.saturating_add(RocksDbWeight::get().reads(1_u64))
			.saturating_add(RocksDbWeight::get().reads((2_u64).saturating_mul(n.into())))
	}
}
