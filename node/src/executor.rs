//! The WASM executor and the host functions that it offers to the runtime.

/// Host functions beyond the standard set: BLS12-381 arithmetic, by which the runtime verifies proofs, and the
/// bridge, by which its off-chain worker reaches the prover.
pub type ExtraHostFunctions = (
	sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions,
	opensand_zk_bridge::HostFunctions,
);

/// Every host function of this node.
pub type HostFunctions = (
	sp_io::SubstrateHostFunctions,
	sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions,
	opensand_zk_bridge::HostFunctions,
);

/// The executor of this node's client.
pub type RuntimeExecutor = sc_executor::WasmExecutor<HostFunctions>;
