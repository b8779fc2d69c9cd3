//! What a block holds, by the runtime's own weights and limits.

use frame_support::dispatch::DispatchClass;
use frame_support::weights::Weight;
use opensand_runtime::{configs::RuntimeBlockWeights, constants::time::EXPECTED_BLOCK_TIME_MS, Runtime};
use opensand_zk_verifier::{InputVisibility, StatementShape};
use pallet_inference::{Pallet, WeightInfo, MAX_SENT_TOGETHER};

/// Verified proofs in a block that holds nothing else.
pub struct Capacity {
	/// Charged for one result: authorisation, verification and settlement, in picoseconds.
	pub result_weight: u64,
	/// Time that ordinary transactions have in a block, in picoseconds.
	pub block_weight: u64,
	/// Results that fit into it, each in an extrinsic of its own.
	pub results: u64,
	/// Results of one key that fit into it, [`MAX_SENT_TOGETHER`] in an extrinsic.
	pub results_together: u64,
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
	let words = u32::try_from(shape.words()).unwrap_or(u32::MAX);
	let result = Weights::submit_result(words)
		.saturating_add(Weights::authorize_submit_result())
		.saturating_add(normal.base_extrinsic);
	let block = normal
		.max_total
		.unwrap_or(Weight::MAX)
		.saturating_sub(limits.base_block);
	// The case that all proofs have to be looked at singly must fit; what was not needed is given back.
	let overhead = Weights::authorize_submit_results(MAX_SENT_TOGETHER).saturating_add(normal.base_extrinsic);
	let worst =
		Pallet::<Runtime>::worst_weight_of_results(MAX_SENT_TOGETHER as usize).saturating_add(overhead);
	let used = Weights::submit_results(MAX_SENT_TOGETHER, MAX_SENT_TOGETHER.saturating_mul(words))
		.saturating_add(overhead);
	let room = block.ref_time().checked_sub(worst.ref_time());
	let calls = room.map_or(0, |room| room / used.ref_time().max(1) + 1);
	Capacity {
		results_together: calls * u64::from(MAX_SENT_TOGETHER),
		result_weight: result.ref_time(),
		block_weight: block.ref_time(),
		results: block.ref_time() / result.ref_time().max(1),
		block_seconds: EXPECTED_BLOCK_TIME_MS as f64 / 1e3,
	}
}
