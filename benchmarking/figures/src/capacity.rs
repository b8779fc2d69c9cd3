//! What a block holds, by the runtime's own weights and limits.

use frame_support::dispatch::DispatchClass;
use frame_support::weights::Weight;
use opensand_runtime::{configs::RuntimeBlockWeights, constants::time::EXPECTED_BLOCK_TIME_MS, Runtime};
use opensand_zk_verifier::{InputVisibility, StatementShape};
use pallet_inference::WeightInfo;

/// Verified proofs in a block that holds nothing else.
pub struct Capacity {
	/// Charged for one result: authorisation, verification and settlement, in picoseconds.
	pub result_weight: u64,
	/// Time that ordinary transactions have in a block, in picoseconds.
	pub block_weight: u64,
	/// Results that fit into it.
	pub results: u64,
	/// Mean seconds between blocks.
	pub block_seconds: f64,
}

/// The capacity for results of a model with these tensor lengths and a public input.
pub fn of(input_len: u32, output_len: u32) -> Capacity {
	type Weights = <Runtime as pallet_inference::Config>::WeightInfo;
	let shape = StatementShape {
		visibility: InputVisibility::Public,
		input_len,
		output_len,
	};
	let limits = RuntimeBlockWeights::get();
	let normal = limits.get(DispatchClass::Normal);
	let result = Weights::submit_result(u32::try_from(shape.words()).unwrap_or(u32::MAX))
		.saturating_add(Weights::authorize_submit_result())
		.saturating_add(normal.base_extrinsic);
	let block = normal
		.max_total
		.unwrap_or(Weight::MAX)
		.saturating_sub(limits.base_block);
	Capacity {
		result_weight: result.ref_time(),
		block_weight: block.ref_time(),
		results: block.ref_time() / result.ref_time().max(1),
		block_seconds: EXPECTED_BLOCK_TIME_MS as f64 / 1e3,
	}
}
