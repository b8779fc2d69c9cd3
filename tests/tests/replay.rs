//! A node without the prover's bridge imports the same chain: blocks in which an inference was requested, proven and
//! settled are executed again on an executor that lacks the bridge, and yield the same state roots.

use std::{collections::BTreeMap, process::Command, time::Duration};

use anyhow::{ensure, Context, Result};
use codec::{Compact, Encode};
use opensand_primitives::Header;
use opensand_tests::{
	digits::Digits,
	inference::wait_for_settlement,
	market::Market,
	node::{binary, Node},
};
use sc_executor::WasmExecutor;
use serde_json::Value as Json;
use sp_core::{
	storage::{well_known_keys::CODE, StateVersion, Storage},
	traits::{CallContext, CodeExecutor, RuntimeCode, WrappedRuntimeCode},
	H256,
};
use sp_externalities::Externalities;
use sp_runtime::traits::BlakeTwo256;
use sp_state_machine::TestExternalities;

/// What every Substrate node has, and the arithmetic of BLS12-381.
type HostFunctionsWithoutBridge = (
	sp_io::SubstrateHostFunctions,
	sp_crypto_ec_utils::bls12_381::host_calls::HostFunctions,
);

const SETTLEMENT_LIMIT: Duration = Duration::from_secs(300);

#[tokio::test(flavor = "multi_thread")]
async fn blocks_replay_without_the_bridge() -> Result<()> {
	let directory = tempfile::tempdir()?;
	let digits = Digits::import(&directory.path().join("digits"))?;
	let market = Market::open(&digits).await?;
	let request = market.ask(&digits.input(0)?).await?;
	wait_for_settlement(&market.node, &market.client, request, 1, SETTLEMENT_LIMIT).await?;

	let genesis = genesis("dev")?;
	let code = genesis
		.top
		.get(CODE)
		.context("the genesis has a runtime")?
		.clone();
	let mut state =
		TestExternalities::<BlakeTwo256>::new_with_code_and_state(&code, genesis, StateVersion::V1);

	let strict = WasmExecutor::<HostFunctionsWithoutBridge>::builder().build();
	let refused = call(&strict, &mut state, &code, "Core_version", &[]);
	ensure!(
		refused.is_err(),
		"this runtime does not import the bridge, so the test shows nothing"
	);

	let lenient = WasmExecutor::<HostFunctionsWithoutBridge>::builder()
		.with_allow_missing_host_functions(true)
		.build();
	for number in 1..=market.node.best_number().await? {
		let (header, block) = recorded_block(&market.node, number).await?;
		call(&lenient, &mut state, &code, "Core_execute_block", &block)
			.with_context(|| format!("block {number} does not execute"))?;
		state.commit_all().map_err(anyhow::Error::msg)?;
		let root = H256::from_slice(&state.ext().storage_root(StateVersion::V1));
		ensure!(
			root == header.state_root,
			"block {number} yields another state root"
		);
	}
	Ok(())
}

/// The first state of a built-in chain.
fn genesis(chain: &str) -> Result<Storage> {
	let output = Command::new(binary("opensand-node")?)
		.args(["export-chain-spec", "--chain", chain, "--raw"])
		.output()?;
	ensure!(
		output.status.success(),
		"{}",
		String::from_utf8_lossy(&output.stderr)
	);
	let spec: Json = serde_json::from_slice(&output.stdout)?;
	let top = spec["genesis"]["raw"]["top"]
		.as_object()
		.context("a raw specification")?;
	let top = top
		.iter()
		.map(|(key, value)| Ok((bytes(key)?, bytes(value.as_str().context("a value")?)?)))
		.collect::<Result<BTreeMap<_, _>>>()?;
	Ok(Storage {
		top,
		children_default: Default::default(),
	})
}

/// A block's header, and the block as import hands it to the runtime: without its seal.
async fn recorded_block(node: &Node, number: u32) -> Result<(Header, Vec<u8>)> {
	let hash = node.block_hash(number).await?.context("the block is there")?;
	let block = node.call("chain_getBlock", &[hash.into()]).await?;
	let mut header: Header = serde_json::from_value(block["block"]["header"].clone())?;
	ensure!(
		header.digest.pop().is_some_and(|item| item.as_seal().is_some()),
		"block {number} is not sealed"
	);
	let extrinsics = block["block"]["extrinsics"].as_array().context("a body")?;
	let mut encoded = header.encode();
	Compact(u32::try_from(extrinsics.len())?).encode_to(&mut encoded);
	for extrinsic in extrinsics {
		encoded.extend(bytes(extrinsic.as_str().context("an extrinsic")?)?);
	}
	Ok((header, encoded))
}

fn call(
	executor: &WasmExecutor<HostFunctionsWithoutBridge>,
	state: &mut TestExternalities<BlakeTwo256>,
	code: &[u8],
	method: &str,
	data: &[u8],
) -> Result<Vec<u8>> {
	let runtime = RuntimeCode {
		code_fetcher: &WrappedRuntimeCode(code.into()),
		heap_pages: None,
		hash: sp_crypto_hashing::blake2_256(code).to_vec(),
	};
	let (result, _) = executor.call(
		&mut state.ext(),
		&runtime,
		method,
		data,
		CallContext::Onchain { import: true },
	);
	Ok(result?)
}

fn bytes(text: &str) -> Result<Vec<u8>> {
	Ok(hex::decode(text.trim_start_matches("0x"))?)
}
