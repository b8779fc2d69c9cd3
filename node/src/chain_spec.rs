//! Chain specifications: what `--chain` can name, and what a specification file may add.

use std::path::{Path, PathBuf};

use opensand_primitives::currency::DECIMALS;
use opensand_runtime::{
	constants::identity::{SS58_PREFIX, TOKEN_SYMBOL},
	WASM_BINARY,
};
use sc_chain_spec::{ChainSpecExtension, ChainType, GenericChainSpec, Properties};
use serde::{Deserialize, Serialize};

use crate::{executor::ExtraHostFunctions, service::Block};

/// Fields of a specification beyond the standard ones.
#[derive(Default, Clone, Debug, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
	/// Blocks that must stand at given heights.
	pub fork_blocks: sc_client_api::ForkBlocks<Block>,
	/// Blocks that are never imported.
	pub bad_blocks: sc_client_api::BadBlocks<Block>,
	/// A checkpoint for light clients, written by the `sync_state_genSyncSpec` RPC.
	pub light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// A chain specification of this node.
pub type ChainSpec = GenericChainSpec<Extensions, ExtraHostFunctions>;

/// A chain that this binary can build by itself.
struct BuiltIn {
	/// What `--chain` calls it.
	name: &'static str,
	/// The name that people see.
	title: &'static str,
	/// The name of its data directory.
	id: &'static str,
	/// The runtime's genesis preset.
	preset: &'static str,
	chain_type: fn() -> ChainType,
}

const BUILT_IN: [BuiltIn; 3] = [
	BuiltIn {
		name: "dev",
		title: "OpenSand Development",
		id: "opensand_dev",
		preset: "development",
		chain_type: || ChainType::Development,
	},
	BuiltIn {
		name: "local",
		title: "OpenSand Local",
		id: "opensand_local",
		preset: "local",
		chain_type: || ChainType::Local,
	},
	BuiltIn {
		name: "testnet",
		title: "OpenSand Testnet",
		id: "opensand_testnet",
		preset: "testnet",
		chain_type: || ChainType::Live,
	},
];

/// The specification that `--chain` names: `dev`, `local`, `testnet`, or the path of a JSON file.
///
/// # Errors
///
/// A sentence with cause and remedy: no chain named, a file that cannot be read or parsed, or a binary built
/// without its runtime.
pub fn load(chain: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
	if chain.is_empty() {
		return Err(format!(
			"no chain was chosen: add --dev, or --chain with {}",
			choices()
		));
	}
	if let Some(built_in) = BUILT_IN.iter().find(|built_in| built_in.name == chain) {
		return Ok(Box::new(build(built_in)?));
	}
	if !Path::new(chain).is_file() {
		return Err(format!(
			"'{chain}' is neither a known chain nor a file: --chain takes {}",
			choices()
		));
	}
	Ok(Box::new(ChainSpec::from_json_file(PathBuf::from(chain))?))
}

/// Whether nothing of value is at stake on a chain: node keys may be made as needed, and slow machines take part.
pub fn is_for_tests(spec: &dyn sc_service::ChainSpec) -> bool {
	matches!(spec.chain_type(), ChainType::Development | ChainType::Local)
}

/// Token and address format, as wallets and explorers read them.
pub fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), TOKEN_SYMBOL.into());
	properties.insert("tokenDecimals".into(), DECIMALS.into());
	properties.insert("ss58Format".into(), SS58_PREFIX.into());
	properties
}

fn choices() -> String {
	let names: Vec<_> = BUILT_IN.iter().map(|built_in| built_in.name).collect();
	format!("{}, or the path of a specification file", names.join(", "))
}

fn build(chain: &BuiltIn) -> Result<ChainSpec, String> {
	let code = WASM_BINARY.ok_or(
		"this binary was built with SKIP_WASM_BUILD and carries no runtime: build it without, or start from a \
		 raw specification file",
	)?;
	Ok(ChainSpec::builder(code, Extensions::default())
		.with_name(chain.title)
		.with_id(chain.id)
		.with_chain_type((chain.chain_type)())
		.with_protocol_id(chain.id)
		.with_properties(properties())
		.with_genesis_config_preset_name(chain.preset)
		.build())
}

#[cfg(test)]
mod tests {
	use std::collections::HashSet;

	use serde_json::Value;

	use super::*;

	// One test for all of it: every genesis state costs seconds of compiling the runtime.
	#[test]
	fn built_in_chains_build_a_genesis_that_survives_a_file() {
		let directory = tempfile::tempdir().expect("temporary directory");
		let mut states = HashSet::new();
		for built_in in &BUILT_IN {
			let spec = load(built_in.name).expect("the binary carries its runtime");
			assert_eq!(spec.id(), built_in.id);
			assert_eq!(spec.properties(), properties());
			assert!(
				spec.telemetry_endpoints().is_none(),
				"telemetry is off by default"
			);

			let raw = spec.as_json(true).expect("the preset builds");
			let state = serde_json::from_str::<Value>(&raw).expect("JSON")["genesis"]["raw"]["top"].clone();
			let code = sp_core::bytes::to_hex(sp_core::storage::well_known_keys::CODE, false);
			assert!(state[code].is_string(), "the runtime is part of the state");
			assert!(
				states.insert(state.to_string()),
				"{} has a state of its own",
				built_in.name
			);

			let path = directory.path().join(built_in.name);
			std::fs::write(&path, &raw).expect("writable");
			let again = load(path.to_str().expect("UTF-8 path")).expect("parses");
			assert_eq!(again.id(), spec.id());
			assert_eq!(again.properties(), spec.properties());
			assert_eq!(again.as_json(true).expect("stays raw"), raw);
		}
	}

	#[test]
	fn properties_name_the_token() {
		let properties = properties();
		assert_eq!(properties["tokenSymbol"], "SAND");
		assert_eq!(properties["tokenDecimals"], 12);
		assert_eq!(properties["ss58Format"], SS58_PREFIX);
	}

	#[test]
	fn unknown_chains_are_refused_with_the_choices() {
		for chain in ["", "no-such-chain", "/no/such/file.json"] {
			let Err(error) = load(chain) else {
				panic!("{chain} is no chain")
			};
			assert!(error.contains("dev, local, testnet"), "{error}");
		}
	}

	#[test]
	fn damaged_files_are_refused() {
		let directory = tempfile::tempdir().expect("temporary directory");
		let path = directory.path().join("damaged.json");
		for content in ["", "{", "[]", "{\"name\":1}"] {
			std::fs::write(&path, content).expect("writable");
			assert!(load(path.to_str().expect("UTF-8 path")).is_err(), "{content}");
		}
	}
}
